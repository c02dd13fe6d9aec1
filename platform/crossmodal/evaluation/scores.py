"""What an evaluation leaves behind, and where it is kept: numbers as JSON, arrays for figures as .npz."""

import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crossmodal.config.base import Config
from crossmodal.datasets.folds import Label
from crossmodal.evaluation.metrics import SensorMetrics
from crossmodal.evaluation.protocol import PROTOCOL, of_protocol
from crossmodal.storage.uri import join, write_bytes, write_json

Role = Literal["model", "baseline", "ceiling"]


class Score(Config):
    """One predictor on one subject's test windows, over the sensors of one channel type; SI units, None where undefined.

    Fields are those of `metrics.TypeMetrics`. A ceiling in closed form has an explained variance alone, and its
    `standard_error`: how far that of finite recordings scatters about it.
    """

    predictor: str
    role: Role
    subject: str
    channel_type: str
    explained_variance: float
    standard_error: float | None = None
    r: float | None = None
    r2: float | None = None
    nmse: float | None = None
    topography_r: float | None = None
    rms_error: float | None = None
    log_psd_error_db: dict[str, float | None] = Field(default_factory=dict)
    own_window_p: float | None = Field(None, description="where the oracle is a bound: of chance making it so like its own windows")
    beyond_physiology: float | None = Field(None, description="explained variance of what EOG and ECG leave, where they are recorded")


class FoldScores(Config):
    """All scores of one fold.

    Attributes
    ----------
    label : str
        Of `Fold.label`.
    bounded : bool
        Whether the oracle bounds every model (a stationary Gaussian cohort, or one with nothing to learn).
    protocol : int
        The version that they were made under, of `protocol.HISTORY`.
    """

    run: str
    fold: str
    label: Label
    bounded: bool
    scores: tuple[Score, ...]
    protocol: int = 1


def model_scores(folds: Sequence[FoldScores]) -> dict[str, dict[str, float]]:
    """The model's explained variance by channel type and subject."""
    by_type: dict[str, dict[str, float]] = {}
    for score in (score for fold in folds for score in fold.scores if score.role == "model"):
        by_type.setdefault(score.channel_type, {})[score.subject] = score.explained_variance
    return by_type


def over_types(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each subject's mean over channel types, the number that a search maximises; subjects in order."""
    subjects = next(iter(scores.values()))
    return {subject: statistics.fmean(of_type[subject] for of_type in scores.values()) for subject in sorted(subjects)}


@dataclass(frozen=True)
class SubjectDetail:
    """Arrays of one test subject that figures are drawn from; s sensor, t time of one window, f frequency.

    Attributes
    ----------
    sensors : dict of str to SensorMetrics
        A predictor each.
    frequencies_hz : ndarray, shape (n_freqs,)
    psd : dict of str to ndarray, shape (n_sensors, n_freqs)
        Power density of 'truth' and of each predictor over all test windows, unit squared per Hz.
    example : dict of str to ndarray, shape (n_sensors, n_times)
        The middle test window: 'truth' and each predictor, V, T or T/m.
    """

    sensors: dict[str, SensorMetrics]
    frequencies_hz: NDArray[np.float64]
    psd: dict[str, NDArray[np.float64]]
    example: dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class FoldDetail:
    """Arrays of one fold.

    Attributes
    ----------
    names, types : tuple of str
        Target sensors, ordered by type.
    sfreq : float
        Hz.
    subjects : dict of str to SubjectDetail
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    sfreq: float
    subjects: dict[str, SubjectDetail] = field(default_factory=dict)


def scores_uri(store: str, run: str, protocol: int = PROTOCOL) -> str:
    """Where a store keeps the scores of a run: those of each version of the protocol beside the others."""
    return of_protocol(join(store, "scores", run), protocol)


def save_scores(store: str, scores: FoldScores, detail: FoldDetail) -> None:
    """Keep one fold where `scores_uri` says; the JSON is written last, so a fold that has one is whole."""
    folder = scores_uri(store, scores.run, scores.protocol)
    arrays: dict[str, Any] = {"names": np.array(detail.names), "types": np.array(detail.types), "sfreq": np.array(detail.sfreq)}
    for subject, of_subject in detail.subjects.items():
        arrays[f"{subject}/frequencies_hz"] = of_subject.frequencies_hz
        for group in ("psd", "example"):
            arrays |= {f"{subject}/{group}/{name}": array for name, array in getattr(of_subject, group).items()}
        for name, metrics in of_subject.sensors.items():
            arrays |= {f"{subject}/sensors/{metric}/{name}": array for metric, array in vars(metrics).items()}
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    write_bytes(join(folder, f"{scores.fold}.npz"), packed.getvalue())
    write_json(join(folder, f"{scores.fold}.json"), scores.model_dump(mode="json"))
