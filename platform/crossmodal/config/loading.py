"""Read an experiment from YAML and `key=value` overrides, refusing what it does not know."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from crossmodal.config.base import UserError
from crossmodal.config.experiment import Experiment


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read one experiment.

    Parameters
    ----------
    path : str or Path
        A YAML file; its `extends` key names another, relative to it, whose settings it refines. `${NAME}` in it stands for an
        environment variable.
    overrides : sequence of str
        `training.epochs=3` and the like; values are read as YAML.

    Raises
    ------
    UserError
        The file is missing or is not YAML, or extends itself, or a key or value is refused; the sentence names the key and, for
        an unknown one, the nearest valid name.
    """
    settings = _read(Path(path))
    for override in overrides:
        _apply(settings, override)
    try:
        return Experiment.model_validate(_merge(_default_kinds(Experiment), settings))
    except ValidationError as error:
        raise UserError(f"{path}: {sentence_of(error)}") from None


def overridden(experiment: Experiment, overrides: Mapping[str, Any]) -> Experiment:
    """Copy an experiment with some settings replaced.

    Parameters
    ----------
    overrides : mapping of str to anything JSON can hold
        By dotted name, as `training.epochs`; a section is replaced whole.

    Raises
    ------
    UserError
        A key or value is refused; the sentence names it.
    """
    settings = experiment.model_dump(mode="json")
    for key, value in overrides.items():
        _set(settings, key, value)
    try:
        return Experiment.model_validate(settings)
    except ValidationError as error:
        raise UserError(sentence_of(error)) from None


def _read(path: Path, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read a file and what it extends; `below` are the files that led here."""
    try:
        settings = yaml.safe_load(_with_variables(path))
    except OSError as error:
        raise UserError(f"{path}: cannot read the experiment ({error.strerror}); give the path of a YAML file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: holds no text; give the path of a YAML file") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(settings, dict):
        raise UserError(f"{path}: an experiment is a mapping of settings; see jobs/experiments/demo.yaml")
    parent = settings.pop("extends", None)
    if parent is None:
        return settings
    if not isinstance(parent, str):
        raise UserError(f"{path}: extends is the path of one YAML file (got {parent!r})")
    chain = (*below, path.resolve())
    if (path.parent / parent).resolve() in chain:
        raise UserError(f"{path}: extends {parent}, which in the end extends this file; let one of them extend nothing")
    return _merge(_read(path.parent / parent, chain), settings)


def _with_variables(path: Path) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise UserError(f"{path}: reads the environment variable {match[1]}, which is not set; export it first")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, path.read_text(encoding="utf-8"))


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """Lay `top` over `base`; a section whose `kind` changes replaces the base's whole."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and value.get("kind", below.get("kind")) == below.get("kind"):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged


def _default_kinds(model: type[BaseModel]) -> dict[str, Any]:
    """Kinds that sections have by default, so that `model.widths=[8]` alone says enough."""
    kinds: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            kinds[name] = _default_kinds(type(field.default))
        elif name == "kind":
            kinds[name] = field.default
    return {name: value for name, value in kinds.items() if value != {}}


def _apply(settings: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UserError(f"'{override}' is not an override; write key=value, as training.epochs=3")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"{key}: '{text}' is not a YAML value") from None
    _set(settings, key, value)


def _set(settings: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    section = settings
    for name in parents:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise UserError(f"{key}: '{name}' is a value, not a section")
    section[last] = value


def sentence_of(error: ValidationError) -> str:
    """Say what an experiment's settings were refused for: the key, and for an unknown one the nearest valid name."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        known = _names_at(Experiment, location[:-1])
        nearest = difflib.get_close_matches(location[-1], known, n=1, cutoff=0.0)
        hint = f"; the nearest valid name is '{nearest[0]}'" if nearest else ""
        return f"unknown key '{'.'.join(location)}'{hint}"
    if first["type"] == "union_tag_invalid":
        kinds = first["ctx"]["expected_tags"].replace("'", "")
        return f"{'.'.join([*location, 'kind'])}: there is no '{first['ctx']['tag']}'; known are {kinds}"
    if first["type"] == "value_error":
        return f"{'.'.join(location)}: {first['ctx']['error']}"
    return f"{'.'.join(location)}: {first['msg'][0].lower()}{first['msg'][1:]} (got {first['input']!r})"


def _names_at(model: type[BaseModel], location: list[str]) -> list[str]:
    """Valid keys of the section that an error points into, following union tags and list positions."""
    candidates: list[type[BaseModel]] = [model]
    for part in location:
        fields = [candidate.model_fields for candidate in candidates]
        inner = [found for known in fields if part in known for found in _models_in(known[part].annotation)]
        tagged = [
            candidate for candidate in candidates if "kind" in candidate.model_fields and candidate.model_fields["kind"].default == part
        ]
        candidates = inner or tagged or candidates
    return [name for candidate in candidates for name in candidate.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in _models_in(inner)]
