"""Read an experiment from YAML and `key=value` overrides, refusing what it does not know."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from crossmodal.config.base import UserError
from crossmodal.config.experiment import Experiment
from crossmodal.config.parsing import merge, parse


def load_experiment(
    path: str | Path, overrides: Sequence[str] = (), check: Callable[[Experiment], Experiment] = lambda experiment: experiment
) -> Experiment:
    """Read one experiment.

    Parameters
    ----------
    path : str or Path
        A YAML file; its `extends` key names another, relative to it, whose settings it refines. `${NAME}` in it stands for an
        environment variable.
    overrides : sequence of str
        `training.epochs=3` and the like; values are read as YAML.
    check : callable
        Reads what is left to others, as `crossmodal.models.checking.checked` does the settings of models.

    Raises
    ------
    UserError
        The file is missing or is not YAML, or extends itself, or a key or value is refused; the sentence names the key and, for
        an unknown one, the nearest valid name.
    """
    settings = read_settings(Path(path))
    for override in overrides:
        apply_override(settings, override)
    try:
        return check(parse(Experiment, settings))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


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
    return parse(Experiment, settings)


def read_settings(path: Path, below: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Read a file and what it extends, unchecked; `below` are the files that led here. Raises UserError as `load_experiment` does."""
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
    return merge(read_settings(path.parent / parent, chain), settings)


def _with_variables(path: Path) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise UserError(f"{path}: reads the environment variable {match[1]}, which is not set; export it first")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, path.read_text(encoding="utf-8"))


def apply_override(settings: dict[str, Any], override: str) -> None:
    """Set one key of plain settings, in place, by `key=value`; raises UserError where that is none."""
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
