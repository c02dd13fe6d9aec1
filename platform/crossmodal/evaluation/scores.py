"""What an evaluation leaves behind, and where it is kept: numbers as JSON, arrays for figures as .npz."""

import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import Field

from crossmodal.config.base import Config
from crossmodal.datasets.folds import Label
from crossmodal.evaluation.protocol import PROTOCOL, of_protocol
from crossmodal.storage.uri import join, write_bytes, write_json

Role = Literal["model", "baseline", "oracle", "control", "void", "ceiling"]


class Score(Config):
    """One predictor on one subject's test windows, over the targets of one channel type.

    A ceiling in closed form has a score alone, and its `standard_error`: how far that of finite recordings scatters about it.

    Attributes
    ----------
    role : str
        An 'oracle' has seen the test subject's own target; a 'control' is a model that is given what it can learn nothing from; a
        'void' one was told what it is to predict.
    score : float
        The primary metric of the task's scorecard.
    values : dict of str to float or None
        Its other metrics by name, None where undefined.
    """

    predictor: str
    role: Role
    subject: str
    channel_type: str
    score: float
    standard_error: float | None = None
    values: dict[str, float | None] = Field(default_factory=dict)
    chance_p: float | None = Field(
        None, description="where nothing can be learned: probability that chance makes a prediction so like its own target"
    )


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


class FoldDetail(Protocol):
    """What figures of a fold are drawn from; each task has its own."""

    def arrays(self) -> dict[str, Any]:
        """Arrays to keep beside the scores, by name."""


@dataclass(frozen=True)
class FoldEvaluation:
    """What the evaluation of a fold gives: its scores, and what its figures are drawn from."""

    scores: FoldScores
    detail: FoldDetail


def defined(value: float) -> float | None:
    """A figure as scores keep it."""
    return None if np.isnan(value) else float(value)


def model_scores(folds: Sequence[FoldScores]) -> dict[str, dict[str, float]]:
    """The model's score by channel type and subject."""
    by_type: dict[str, dict[str, float]] = {}
    for score in (score for fold in folds for score in fold.scores if score.role == "model"):
        by_type.setdefault(score.channel_type, {})[score.subject] = score.score
    return by_type


def over_types(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each subject's mean over channel types, the number that a search maximises; subjects in order."""
    subjects = next(iter(scores.values()))
    return {subject: statistics.fmean(of_type[subject] for of_type in scores.values()) for subject in sorted(subjects)}


def scores_uri(store: str, run: str, protocol: int = PROTOCOL) -> str:
    """Where a store keeps the scores of a run: those of each version of the protocol beside the others."""
    return of_protocol(join(store, "scores", run), protocol)


def save_scores(store: str, evaluation: FoldEvaluation) -> None:
    """Keep one fold where `scores_uri` says; the JSON is written last, so a fold that has one is whole."""
    scores = evaluation.scores
    folder = scores_uri(store, scores.run, scores.protocol)
    packed = io.BytesIO()
    np.savez(packed, **evaluation.detail.arrays())
    write_bytes(join(folder, f"{scores.fold}.npz"), packed.getvalue())
    write_json(join(folder, f"{scores.fold}.json"), scores.model_dump(mode="json"))
