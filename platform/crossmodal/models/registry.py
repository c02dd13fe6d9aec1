"""Find a model or baseline by its kind, and read its settings.

A kind is the name of a module of this package, or the dotted path of a class in somebody else's.
"""

import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

from crossmodal import models
from crossmodal.config import UserError, told
from crossmodal.config.models import ModelSettings
from crossmodal.config.parsing import parse
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Baseline, Model, ModelConfig


@dataclass(frozen=True)
class ModelSpec:
    """What settings describe: a class and what it is built with.

    Attributes
    ----------
    kind : str
        By which the class is found again.
    model : type of Model
    config : ModelConfig
    """

    kind: str
    model: type[Model]
    config: ModelConfig

    @property
    def settings(self) -> ModelSettings:
        """All settings, defaults included."""
        return ModelSettings(kind=self.kind, **self.config.model_dump(mode="json"))

    def build(self, signals: SignalPair) -> Model:
        """Build the model for data of these signals."""
        return self.model(self.config, signals)


def network_spec(settings: ModelSettings, section: str = "model") -> ModelSpec:
    """Read the settings of a network, found in `section` of an experiment.

    Raises
    ------
    UserError
        There is no such network, or it refuses a setting; the sentence names the key.
    """
    return _spec(settings, section, is_baseline=False)


def baseline_spec(settings: ModelSettings, section: str = "evaluation.baselines") -> ModelSpec:
    """Read the settings of a baseline, as `network_spec` does those of a network."""
    return _spec(settings, section, is_baseline=True)


def registered(*, is_baseline: bool) -> dict[str, type[Model]]:
    """Networks, or baselines, of this package by kind."""
    found = {name: _model_in(import_module(f"{models.__name__}.{name}")) for name in _module_names()}
    return {name: model for name, model in found.items() if model and issubclass(model, Baseline) == is_baseline}


def package_of(kind: str) -> Path | None:
    """Folder or file of the package of somebody else that a model lies in; None where it is one of this package."""
    top = kind.partition(".")[0]
    if top in (kind, models.__name__.partition(".")[0]):
        return None
    spec = find_spec(top)
    assert spec, f"{kind} was imported"
    places = spec.submodule_search_locations
    return Path(next(iter(places))) if places else Path(str(spec.origin))


def _spec(settings: ModelSettings, section: str, *, is_baseline: bool) -> ModelSpec:
    kind = settings.kind
    model = _imported(kind, section) if "." in kind else _of_this_package(kind)
    if model is None or issubclass(model, Baseline) != is_baseline:
        known = ", ".join(sorted(registered(is_baseline=is_baseline)))
        raise UserError(f"{section}.kind: there is no '{kind}'; known are {known}, or give the dotted path of a class of your own")
    config = parse(config_class(model, kind, section), settings.model_dump(exclude={"kind"}), section)
    return ModelSpec(kind, model, config)


def _module_names() -> Iterator[str]:
    return (module.name for module in pkgutil.iter_modules(models.__path__))


def _of_this_package(kind: str) -> type[Model] | None:
    return _model_in(import_module(f"{models.__name__}.{kind}")) if kind in _module_names() else None


def _model_in(module: ModuleType) -> type[Model] | None:
    """The public model that a module defines; a module of parts defines none."""
    own = [value for name, value in vars(module).items() if _is_model(value) and value.__module__ == module.__name__ and name[0] != "_"]
    assert len(own) <= 1, f"{module.__name__} defines {len(own)} models; move all but one to modules of their own"
    return own[0] if own else None


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Model) and not inspect.isabstract(value)


def _imported(path: str, section: str) -> type[Model]:
    """Import somebody else's class, whose module may raise anything."""
    module_name, _, name = path.rpartition(".")
    try:
        module = import_module(module_name)
    except Exception as error:
        raise UserError(
            f"{section}.kind: '{path}' cannot be imported ({told(error)}); install its package, or put its folder on PYTHONPATH"
        ) from error
    model = getattr(module, name, None)
    if model is None:
        own = ", ".join(name for name, value in vars(module).items() if _is_model(value)) or "none"
        raise UserError(f"{section}.kind: module '{module_name}' has no '{name}'; models in it: {own}")
    if not _is_model(model):
        raise UserError(f"{section}.kind: '{path}' is no model; derive it from {Model.__module__}.Model and define forward")
    found: type[Model] = model
    return found


def config_class(model: type[Model], kind: str, section: str) -> type[ModelConfig]:
    """The class that the constructor's `config` is annotated with."""
    try:
        config = get_type_hints(model.__init__).get("config")
    except NameError:
        config = None
    if not (isinstance(config, type) and issubclass(config, ModelConfig)):
        raise UserError(
            f"{section}.kind: '{kind}' does not say what its settings are; its constructor takes (config, signals), and config is annotated"
            f" with a subclass of {ModelConfig.__module__}.ModelConfig"
        )
    return config
