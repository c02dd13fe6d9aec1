"""The space that an experiment asks for."""

import pkgutil
from importlib import import_module
from importlib.util import find_spec

import search_spaces
from crossmodal.config import Experiment, UserError
from crossmodal.tuning.space import Space

_FALLBACK = "common"


def find_space(experiment: Experiment) -> Space:
    """Find the module that `tuning.space` names, or else that of the model's kind, or else what all models have in common.

    Raises
    ------
    UserError
        There is no such module, or it is no space.
    """
    known = sorted(found.name for found in pkgutil.iter_modules(search_spaces.__path__) if found.name != "finding")
    named = experiment.tuning.space
    name = named or (experiment.model.kind if experiment.model.kind in known else _FALLBACK)
    path = name if "." in name else f"{search_spaces.__name__}.{name}"
    if not _is_there(path):
        raise UserError(
            f"tuning.space: there is no space '{name}'; known are {', '.join(known)}, or give the dotted name of your own module"
        )
    module = import_module(path)
    first = getattr(module, "FIRST", None)
    if not (callable(getattr(module, "suggest", None)) and isinstance(first, dict | tuple) and first != ()):
        raise UserError(f"tuning.space: module '{path}' is no space; it needs a function suggest(trial, experiment) and a dict FIRST")
    return Space(path, module.suggest, (first,) if isinstance(first, dict) else first)


def _is_there(path: str) -> bool:
    try:
        return find_spec(path) is not None
    except ModuleNotFoundError:
        return False
