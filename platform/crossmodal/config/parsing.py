"""From plain settings to a config, or to one sentence that says which of them is refused."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from crossmodal.config.base import UserError

# Keys of earlier versions, and what they are called now.
RENAMED = {"data.source": "data.input", "data.source_scaling": "data.input_scaling"}

_Parsed = TypeVar("_Parsed", bound=BaseModel)


def parse(config: type[_Parsed], settings: Mapping[str, Any], section: str = "") -> _Parsed:
    """Read settings; a section that names no kind is of the kind that it has by default.

    Parameters
    ----------
    config : type of Config
        What they are to be.
    settings : mapping of str to anything YAML can hold
    section : str
        Where in the experiment they stand, for messages; empty for all of it.

    Raises
    ------
    UserError
        A key or value is refused; the sentence names the key and, for an unknown one, the nearest valid name.
    """
    try:
        return config.model_validate(merge(_default_kinds(config), settings))
    except ValidationError as error:
        raise UserError(_sentence_of(error, config, section)) from None


def merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `top` over `base`; a section whose `kind` changes replaces the base's whole."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and value.get("kind", below.get("kind")) == below.get("kind"):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def _default_kinds(config: type[BaseModel]) -> dict[str, Any]:
    """Kinds that sections have by default, so that `model.widths=[8]` alone says enough."""
    kinds = {name: _kinds_in(field.default) for name, field in config.model_fields.items() if isinstance(field.default, BaseModel)}
    return {name: of_section for name, of_section in kinds.items() if of_section}


def _kinds_in(section: BaseModel) -> dict[str, Any]:
    kinds: dict[str, Any] = _default_kinds(type(section))
    return {"kind": section.kind, **kinds} if hasattr(section, "kind") else kinds


def _sentence_of(error: ValidationError, config: type[BaseModel], section: str) -> str:
    """Say what settings were refused for: the key, and for an unknown one the nearest valid name."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"]]
    above = [section] if section else []
    if first["type"] == "extra_forbidden":
        path, sections = _follow(config, location[:-1])
        if renamed := RENAMED.get(".".join([*above, *path, location[-1]])):
            return f"'{'.'.join([*above, *path, location[-1]])}' is called '{renamed}' now"
        known = [name for found in sections for name in found.model_fields]
        nearest = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.0)
        hint = f"; the nearest valid name is '{nearest[0]}'" if nearest else ""
        return f"unknown key '{'.'.join([*above, *path, location[-1]])}'{hint}"
    key = ".".join([*above, *_follow(config, location)[0]])
    if first["type"] == "union_tag_invalid":
        kinds = first["ctx"]["expected_tags"].replace("'", "")
        return f"{key}.kind: there is no '{first['ctx']['tag']}'; known are {kinds}"
    if first["type"] == "value_error":
        return f"{key}: {first['ctx']['error']}" if key else str(first["ctx"]["error"])
    return f"{key}: {first['msg'][0].lower()}{first['msg'][1:]} (got {first['input']!r})"


def _follow(config: type[BaseModel], location: Sequence[str]) -> tuple[list[str], list[type[BaseModel]]]:
    """Follow an error's location to the sections that it points into; the kinds that pydantic names on the way are no keys."""
    path, sections = [], [config]
    for part in location:
        fields = [found.model_fields[part] for found in sections if part in found.model_fields]
        of_kind = [found for found in sections if "kind" in found.model_fields and found.model_fields["kind"].default == part]
        if of_kind and not fields:
            sections = of_kind
        else:
            path.append(part)
            sections = [inner for field in fields for inner in _configs_in(field.annotation)] or sections
    return path, sections


def _configs_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _configs_in(inner)]
