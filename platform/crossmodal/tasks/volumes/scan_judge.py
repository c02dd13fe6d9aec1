"""All figures of one scan, whoever predicts it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from crossmodal.datasets.shard import Shard
from crossmodal.evaluation.intervals import coverage, interval_score
from crossmodal.models.intervals import LEVEL
from crossmodal.tasks.volumes.chance import chance_p
from crossmodal.tasks.volumes.metrics import ScanMetrics, mean_over_targets, score_images, score_scan
from crossmodal.tasks.volumes.physiology import partial_r, regressors, with_global_signal
from crossmodal.tasks.volumes.scorecard import BEYOND, BEYOND_GLOBAL, CONSTANT_SCORE, COVERAGE, INTERVAL_SCORE, R

CHANCE = "chance_p"

Values = NDArray[np.floating]


class ScanJudge:
    """Scores predictions of one scan.

    Parameters
    ----------
    shard : Shard
        Of the scan.
    volumes, columns : int array
        Which of its volumes and targets are scored.
    truth_vs : array, shape (n_volumes, n_targets)
        Those.
    training_mean_s : array, shape (n_targets,)
        The mean volume of training.
    window_s : float
        Length of the input before a volume, within which predictions depend on each other.
    groups : mapping of str to bool array, shape (n_targets,)
        Targets over which r is told apart, by the name of its metric.
    """

    def __init__(
        self,
        shard: Shard,
        volumes: NDArray[np.integer],
        columns: NDArray[np.integer],
        truth_vs: NDArray[np.floating],
        training_mean_s: NDArray[np.floating],
        window_s: float,
        groups: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        stored = shard.volumes.stored
        self._truth_vs, self._training_mean_s = truth_vs, training_mean_s
        self._inside_s = np.ones(len(columns), dtype=bool) if stored is None else shard.volumes.brain[stored][columns]
        self._mask = None if stored is None else _chosen(stored, columns[self._inside_s])
        self._groups = {name: self._inside_s & chosen_s for name, chosen_s in groups.items()}
        self._apart = max(1, round(window_s / shard.volumes.tr_s))
        self._given: dict[str, NDArray[np.float64]] = {}
        if (recorded := regressors(shard)) is not None:
            given_vk = recorded.values_vk[volumes]
            self._given = {BEYOND: given_vk, BEYOND_GLOBAL: with_global_signal(given_vk, truth_vs[:, self._inside_s])}

    def figures(self, predicted_vs: NDArray[np.floating]) -> dict[str, float]:
        """All figures of a prediction in the unit of the truth."""
        metrics = score_scan(self._truth_vs, predicted_vs, self._training_mean_s)
        inside_s = self._inside_s
        images = {} if self._mask is None else score_images(self._truth_vs[:, inside_s], predicted_vs[:, inside_s], self._mask)
        return {
            **self._in_time(metrics, predicted_vs),
            "r2": mean_over_targets(metrics.r2, self._inside_s),
            "skill": mean_over_targets(metrics.skill, self._inside_s),
            **images,
            CHANCE: chance_p(self._truth_vs, predicted_vs, self._inside_s, self._apart),
        }

    def of_ceiling(self, predicted_vs: NDArray[np.floating]) -> dict[str, float]:
        """Correlations alone: a ceiling tells changes, not values."""
        return self._in_time(score_scan(self._truth_vs, predicted_vs, self._training_mean_s), predicted_vs)

    def of_changes(self, predicted_vs: NDArray[np.floating]) -> dict[str, float]:
        """All figures that no unit enters."""
        return self.of_ceiling(predicted_vs) | {CHANCE: chance_p(self._truth_vs, predicted_vs, self._inside_s, self._apart)}

    def of_intervals(self, own: tuple[Values, Values], constant: tuple[Values, Values]) -> dict[str, float]:
        """How good intervals are: the lower and upper ends of the model's own, and of those of constant width."""

        def mean(of_target_s: NDArray[np.float64]) -> float:
            return mean_over_targets(of_target_s, self._inside_s)

        return {
            COVERAGE: mean(coverage(self._truth_vs, *own)),
            INTERVAL_SCORE: mean(interval_score(self._truth_vs, *own, LEVEL)),
            CONSTANT_SCORE: mean(interval_score(self._truth_vs, *constant, LEVEL)),
        }

    def _in_time(self, metrics: ScanMetrics, predicted_vs: NDArray[np.floating]) -> dict[str, float]:
        # Like r, a partial r is 0 where the prediction never changes.
        partial = {name: np.nan_to_num(partial_r(self._truth_vs, predicted_vs, given_vk)) for name, given_vk in self._given.items()}
        apart = {name: mean_over_targets(metrics.r, chosen_s) for name, chosen_s in self._groups.items()}
        return apart | {name: mean_over_targets(of_target_s, self._inside_s) for name, of_target_s in {R: metrics.r, **partial}.items()}


def _chosen(stored: NDArray[np.bool_], columns: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Voxels of a grid that some columns hold."""
    mask = np.zeros_like(stored)
    mask[tuple(np.argwhere(stored)[columns].T)] = True
    return mask
