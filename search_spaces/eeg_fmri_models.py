"""All networks from EEG to BOLD in one search: a trial draws a model first, and then from that model's own space.

The first trials are one of each model, as its paper has it, but reduced for two cores as its experiment is. All models train for the
epochs that the experiment gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, cast

from optuna import Trial

from crossmodal.config import Experiment
from search_spaces import (
    band_power,
    bricman_cnn,
    bricman_fc,
    bricman_mixed,
    bricman_seq2seq,
    bricman_transformer,
    calhas,
    multiscale_attention,
    source_power,
    spectrogram_unet,
)

# Electrodes stay themselves, as in all of the papers.
_SCALING = {"data.input_scaling": "zscore"}
_SOURCE_POWER = {"data.input_scaling": "common", "model.regions": True, "training.choose_epoch_by": "r"}
_CALHAS = {"training.schedule": "constant", "training.warmup_epochs": 0.0, "training.gradient_clip": None}
_BRICMAN = {"data.windows.length_s": 30.0}
# Few epochs at this rate stand for 200 at the published one.
_BRICMAN_FIRST = {"learning_rate": 1e-3}


@dataclass(frozen=True)
class _Model:
    """One of the models.

    Attributes
    ----------
    space : module
        Of its own.
    settings : mapping of str to value
        Which its trials have in common, as its experiment has them.
    first : mapping of str to value
        Parameters in which the first trial differs from that of its own space.
    reads_bands : bool
        It reads power in the bands of the experiment's own model, if that names any.
    """

    space: ModuleType
    settings: Mapping[str, Any] = field(default_factory=dict)
    first: Mapping[str, Any] = field(default_factory=dict)
    reads_bands: bool = False


_MODELS = {
    "source_power": _Model(source_power, _SOURCE_POWER, reads_bands=True),
    "band_power": _Model(band_power, first={"batch_size": 32}, reads_bands=True),
    "multiscale_attention": _Model(multiscale_attention, first={"batch_size": 32, "heads": 4, "head_width": 4, "rank": 16}),
    "spectrogram_unet": _Model(spectrogram_unet, first={"batch_size": 32, "front_width": 8, "width": 8}),
    "calhas": _Model(calhas, _CALHAS),
    "bricman_fc": _Model(bricman_fc, _BRICMAN, _BRICMAN_FIRST | {"channel_width": 13, "width": 125, "rank": 13}),
    "bricman_cnn": _Model(
        bricman_cnn, _BRICMAN, _BRICMAN_FIRST | {"filters": 64, "features": 25, "width": 125, "rank": 13, "volume_width": 2}
    ),
    "bricman_transformer": _Model(bricman_transformer, _BRICMAN, _BRICMAN_FIRST),
    "bricman_seq2seq": _Model(bricman_seq2seq, _BRICMAN, _BRICMAN_FIRST | {"regions_per_token": 4}),
    "bricman_mixed": _Model(bricman_mixed, _BRICMAN, _BRICMAN_FIRST | {"filters": 64}),
}

FIRST = tuple(
    {"model": kind} | {f"{kind}.{name}": value for name, value in (model.space.FIRST | model.first).items()}
    for kind, model in _MODELS.items()
)


def suggest(trial: Trial, experiment: Experiment) -> dict[str, Any]:
    """Vary the model, then what its own space varies."""
    kind = trial.suggest_categorical("model", list(_MODELS))
    model = _MODELS[kind]
    drawn = {**_SCALING, **model.settings, **model.space.suggest(cast(Trial, _OfModel(trial, kind)), experiment)}
    network = {name.removeprefix("model."): value for name, value in drawn.items() if name.startswith("model.")}
    others = {name: value for name, value in drawn.items() if not name.startswith("model.")}
    bands = {"bands_hz": experiment.model.bands_hz} if model.reads_bands and hasattr(experiment.model, "bands_hz") else {}
    return others | {"model": {"kind": kind} | bands | network}


class _OfModel:
    """An Optuna trial whose parameters are named after a model: those of several models have one name and different ranges."""

    def __init__(self, trial: Trial, kind: str) -> None:
        self._trial = trial
        self._kind = kind

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        return self._trial.suggest_categorical(f"{self._kind}.{name}", choices)

    def suggest_int(self, name: str, low: int, high: int, **options: Any) -> int:
        return self._trial.suggest_int(f"{self._kind}.{name}", low, high, **options)

    def suggest_float(self, name: str, low: float, high: float, **options: Any) -> float:
        return self._trial.suggest_float(f"{self._kind}.{name}", low, high, **options)
