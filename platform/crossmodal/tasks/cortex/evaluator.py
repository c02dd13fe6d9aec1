"""Score a network on the samples of heads that it has not seen, beside minimum norm and silence."""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config import Experiment
from crossmodal.config.models import ModelSettings
from crossmodal.datasets.feed import Feed
from crossmodal.evaluation.fitting import fit_baselines
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.evaluation.scores import FoldEvaluation, FoldScores, Role, Score, defined
from crossmodal.models.base import Model, Tuned, Uncertain
from crossmodal.models.minimum_norm import MinimumNormConfig
from crossmodal.models.predictor import Predictor
from crossmodal.models.registry import baseline_spec, network_spec
from crossmodal.tasks.cortex.coverage import coverage
from crossmodal.tasks.cortex.detection import active_auc, average_precision, otsu_detection
from crossmodal.tasks.cortex.distances import earth_movers_distance_m, peak_error_m, spatial_dispersion_m
from crossmodal.tasks.cortex.fold import CortexFold
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.metrics import (
    explained_variance,
    power_correlation,
    region_explained_variance,
    spatial_correlation,
    temporal_correlation,
)
from crossmodal.tasks.cortex.minimum_norm import OWN_HEAD, own_head_minimum_norm
from crossmodal.tasks.cortex.scorecard import EXPLAINED, WITH_GAP
from crossmodal.tasks.cortex.signals import regions_of_signal
from crossmodal.tasks.cortex.tuning import tune
from crossmodal.transforms.scaling import Normaliser

_BATCH_SIZE = 64
_EXAMPLES = 3
# Of a head, whose earth mover's distance is taken: each is a linear programme.
_MOVED_SAMPLES = 100


@dataclass(frozen=True)
class CortexDetail:
    """What figures of a fold are drawn from.

    Attributes
    ----------
    names : tuple of str
        Of the regions.
    sfreq : float
        Hz.
    explained_r : dict of str to dict of str to ndarray, shape (n_regions,)
        By subject and predictor, explained variance of each region.
    examples_brt : dict of str to dict of str to ndarray, shape (n_samples, n_regions, n_times)
        By subject, 'truth' and predictions of the first samples, A m.
    """

    names: tuple[str, ...]
    sfreq: float
    explained_r: dict[str, dict[str, NDArray[np.float64]]] = field(default_factory=dict)
    examples_brt: dict[str, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def arrays(self) -> dict[str, Any]:
        """Name all arrays: subject, group, predictor."""
        arrays: dict[str, Any] = {"names": np.array(self.names), "sfreq": np.array(self.sfreq)}
        for group, by_subject in (("explained_variance", self.explained_r), ("example", self.examples_brt)):
            arrays |= {f"{subject}/{group}/{name}": array for subject, of in by_subject.items() for name, array in of.items()}
        return arrays


class CortexEvaluator:
    """Evaluates folds of simulated heads.

    Parameters
    ----------
    experiment : Experiment
        Its baselines are fitted; zero is always among them.
    run : str
        Names the training run, and the scores.
    """

    def __init__(self, experiment: Experiment, run: str) -> None:
        specs = [baseline_spec(settings) for settings in (ModelSettings(kind="zero"), *experiment.evaluation.baselines)]
        self._specs = {spec.config.title: spec for spec in specs}
        self._title = network_spec(experiment.model).config.title
        # The one that is asked for, so that both differ in the head alone.
        configs = [spec.config for spec in specs if isinstance(spec.config, MinimumNormConfig)] or [MinimumNormConfig()]
        self._snr = configs[0].snr
        self._ceilings = experiment.evaluation.ceilings
        self._run = run

    @torch.no_grad()
    def evaluate(self, fold: CortexFold, network: Model, normaliser: Normaliser) -> FoldEvaluation:
        """Score network, baselines and, of what nobody knows of a real head, minimum norm with its own lead field."""
        baselines = fit_baselines(self._specs, fold.signals, fold.train, fold.validation)
        for baseline in baselines.values():
            if isinstance(baseline, Tuned):
                tune(baseline, fold.validation, fold.heads, fold.signals, fold.normaliser)
        predictors = {self._title: Predictor(network, normaliser)}
        predictors |= {title: Predictor(baseline, fold.normaliser) for title, baseline in baselines.items()}
        roles: dict[str, Role] = {self._title: "model", OWN_HEAD: "oracle", **dict.fromkeys(baselines, cast(Role, "baseline"))}
        detail = CortexDetail(fold.signals.target.names, fold.signals.target.sfreq)
        scores = []
        for subject in dict.fromkeys(fold.test.subjects.tolist()):
            truth_brt, predicted = self._predict(fold, fold.test, fold.heads[subject], predictors)
            figures = {name: _figures(fold, truth_brt, y_brt) for name, y_brt in predicted.items()}
            if isinstance(network, Uncertain):
                figures[self._title] |= _covered(fold, subject, predictors[self._title])
            if fold.matched:
                as_trained_brt, told = self._predict(fold, fold.matched.test, fold.matched.heads[subject], predictors)
                for name, y_brt in told.items():
                    figures[name] |= _gaps(figures[name], _figures(fold, as_trained_brt, y_brt))
            scores += [_score(name, roles[name], subject, of_predictor) for name, of_predictor in figures.items()]
            detail.explained_r[subject] = {name: region_explained_variance(truth_brt, y_brt) for name, y_brt in predicted.items()}
            detail.examples_brt[subject] = {name: y_brt[:_EXAMPLES] for name, y_brt in ({"truth": truth_brt} | predicted).items()}
        about = {"run": self._run, "fold": fold.fold.name, "label": fold.fold.label, "bounded": False}
        return FoldEvaluation(FoldScores(**about, scores=tuple(scores), protocol=PROTOCOL), detail)

    def _predict(
        self, fold: CortexFold, feed: Feed, head: SimulatedHead, predictors: dict[str, Predictor]
    ) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """Truth and predictions of all samples of a head, A m, minimum norm with its own lead field included where that is asked for."""
        of_head = {name: predictor.for_subject(head.info, fold.signals, True) for name, predictor in predictors.items()}
        if self._ceilings:
            of_head[OWN_HEAD] = Predictor(own_head_minimum_norm(head, fold.normaliser, self._snr), fold.normaliser)
        truth: list[NDArray[np.float64]] = []
        predicted: dict[str, list[NDArray[np.float64]]] = {name: [] for name in of_head}
        for batch in feed.batches(_BATCH_SIZE, np.flatnonzero(feed.subjects == head.label)):
            x_bct = fold.normaliser.input.inverse(batch.input_bct)
            truth.append(fold.normaliser.target.inverse(batch.target_bst.double()).numpy())
            for name, predictor in of_head.items():
                predicted[name].append(predictor(x_bct).double().numpy())
        return np.concatenate(truth), {name: np.concatenate(parts) for name, parts in predicted.items()}


def _figures(fold: CortexFold, truth_brt: NDArray[np.float64], y_brt: NDArray[np.float64]) -> dict[str, float]:
    """All figures of one predictor on one head, by their names."""
    regions, under_otsu = regions_of_signal(fold.signals.target), otsu_detection(truth_brt, y_brt)
    per_sample = {
        "spatial_pcc": power_correlation(truth_brt, y_brt),
        "temporal_pcc": temporal_correlation(truth_brt, y_brt),
        "average_precision": average_precision(truth_brt, y_brt),
        "peak_error_m": peak_error_m(truth_brt, y_brt, regions),
        "earth_movers_distance_m": earth_movers_distance_m(truth_brt[:_MOVED_SAMPLES], y_brt[:_MOVED_SAMPLES], regions.centres_m),
        "dispersion_m": spatial_dispersion_m(truth_brt, y_brt, regions.centres_m),
        "precision": under_otsu.precision_b,
        "recall": under_otsu.recall_b,
        "spatial_r": spatial_correlation(truth_brt, y_brt),
        "auc": active_auc(truth_brt, y_brt),
    }
    return {EXPLAINED: explained_variance(truth_brt, y_brt)} | {figure: _mean(of_samples) for figure, of_samples in per_sample.items()}


def _covered(fold: CortexFold, subject: str, predictor: Predictor) -> dict[str, float]:
    """How often the intervals of a model hold the moments of one head."""
    batches = fold.test.batches(_BATCH_SIZE, np.flatnonzero(fold.test.subjects == subject))
    of_head = predictor.for_subject(fold.heads[subject].info, fold.signals, True)
    units = fold.normaliser
    return coverage(of_head, ((units.input.inverse(batch.input_bct), units.target.inverse(batch.target_bst)) for batch in batches))


def _gaps(figures: dict[str, float], matched: dict[str, float]) -> dict[str, float]:
    """How much larger figures are where heads and patches are those of training: the inverse-crime gap."""
    return {f"{figure}_gap": matched[figure] - figures[figure] for figure in WITH_GAP}


def _score(name: str, role: Role, subject: str, figures: dict[str, float]) -> Score:
    score = figures.pop(EXPLAINED)
    values = {figure: defined(value) for figure, value in figures.items()}
    return Score(predictor=name, role=role, subject=subject, channel_type="cortex", score=score, values=values)


def _mean(values: NDArray[np.float64]) -> float:
    """Over samples in which a figure is defined; NaN without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
