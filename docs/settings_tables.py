"""Every setting of a pydantic model and of the models in it as Markdown: name, type, default, meaning."""

import inspect
import json
import re
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crossmodal.models.registry import config_class, registered

_BOUNDS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def kinds(*, is_baseline: bool) -> Iterator[str]:
    """Tell the settings of each network of the platform, or of each baseline."""
    section = "evaluation.baselines" if is_baseline else "model"
    for kind, model in sorted(registered(is_baseline=is_baseline).items()):
        config = config_class(model, kind, section)
        yield f"### {section}.kind: {kind}"
        yield inspect.getdoc(config) or ""
        yield from sections(config, f"{section}.N." if is_baseline else f"{section}.", level=4)


def sections(model: type[BaseModel], prefix: str = "", level: int = 2) -> Iterator[str]:
    """Tell a model's settings, then those of the sections in it, each as Markdown with a heading of a level."""
    plain = {name: field for name, field in model.model_fields.items() if not models_in(field.annotation)}
    nested = {name: field for name, field in model.model_fields.items() if name not in plain}
    yield _table(prefix, plain)
    for name, field in nested.items():
        path = f"{prefix}{name}"
        found = models_in(field.annotation)
        yield f"{'#' * min(6, level)} {path}"
        yield _said_of(field)
        for inner in found:
            kind = inner.model_fields.get("kind")
            if kind and len(found) > 1:
                yield f"**`{path}.kind: {kind.default}`**"
            yield re.sub(r"\s+", " ", inner.__doc__ or "")
            yield from sections(inner, f"{path}.", level + 1)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Models that a type holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in get_args(annotation) for found in models_in(inner)]


def _table(prefix: str, fields: dict[str, FieldInfo]) -> str:
    rows = [
        f"| `{prefix}{name}` | {_type(field.annotation)}{_bounds(field)} | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in fields.items()
    ]
    return "\n".join(["| setting | type | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""


def _said_of(field: FieldInfo) -> str:
    """Tell of a whole section what its own description says, and its default where that is no section."""
    is_section = isinstance(field.default, BaseModel) or field.default_factory is not None
    default = "" if is_section else "*Required.*" if field.is_required() else f"Default: {_default(field)}."
    said = f"{field.description[:1].upper()}{field.description[1:]}." if field.description else ""
    return f"{said} {default}".strip()


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, UnionType):
        return " or ".join("`null`" if each is NoneType else _type(each) for each in inner)
    if origin is tuple:
        return f"list of {_type(inner[0])}" if inner[-1] is Ellipsis else f"[{', '.join(map(_type, inner))}]"
    if origin is dict:
        return f"mapping of {_type(inner[0])} to {_type(inner[1])}"
    names = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}
    return names.get(annotation, f"`{getattr(annotation, '__name__', annotation)}`")


def _bounds(field: FieldInfo) -> str:
    limits = [(sign, getattr(rule, name, None)) for rule in field.metadata for name, sign in _BOUNDS.items()]
    told = [f"{sign} {limit:g}" for sign, limit in limits if limit is not None]
    return f", {' and '.join(told)}" if told else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    if field.default_factory is not None:
        return "" if field.description else "`{}`"
    return f"`{_plain(field.default)}`"


def _plain(value: Any) -> str:
    """Write a value as YAML on one line has it."""
    if isinstance(value, BaseModel):
        kind = {"kind": value.kind} if hasattr(value, "kind") else {}
        return _plain(kind | value.model_dump(exclude_defaults=True))
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_plain(each)}' for name, each in value.items())}}}"
    if isinstance(value, str):
        return value or '""'
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
