"""Score a network on the test windows of a fold, beside baselines fitted to the same training windows and ceilings."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import mne
import numpy as np
import torch

from crossmodal.config import Experiment, UserError
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.physiology import PhysiologyReader
from crossmodal.datasets.windows import WindowSet
from crossmodal.evaluation.baseline_fitter import BaselineFitter
from crossmodal.evaluation.names import TRAINING_MEAN
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.evaluation.scores import FoldEvaluation, FoldScores, Role, Score, defined
from crossmodal.models.base import Model
from crossmodal.models.predictor import Predictor
from crossmodal.models.registry import network_spec
from crossmodal.tasks.sensors.baselines import SensorsReader
from crossmodal.tasks.sensors.beyond_physiology import BeyondPhysiology
from crossmodal.tasks.sensors.ceilings import References
from crossmodal.tasks.sensors.detail import SensorsDetail, SubjectDetail
from crossmodal.tasks.sensors.metrics import Floats, SubjectSums, TruthBlock, TypeMetrics
from crossmodal.tasks.sensors.own_windows import OwnWindows
from crossmodal.tasks.sensors.scorecard import BEYOND, EXPLAINED, EYES_AND_HEART, band_figure
from crossmodal.transforms.scaling import Normaliser

_BATCH_SIZE = 16


class SensorsEvaluator:
    """Evaluates folds, keeping what they share: statistics of subjects and spectra of their truth. Threads may share it.

    Parameters
    ----------
    experiment : Experiment
        Its baselines and ceilings are computed.
    run : str
        Names the training run, and the scores.
    """

    def __init__(self, experiment: Experiment, run: str) -> None:
        self._experiment = experiment
        self._run = run
        self._reader = SensorsReader(experiment.evaluation)
        self._fitter = BaselineFitter(self._reader)
        self._references = References(experiment)

    @torch.no_grad()
    def evaluate(self, fold: ShardFold, network: Model, normaliser: Normaliser) -> FoldEvaluation:
        """Score a network, baselines and ceilings on each test subject of a fold.

        Parameters
        ----------
        fold : ShardFold
            Baselines learn from its training windows, choose on its validation windows and are scored, like the network, on its test
            windows, which are read once for all of them.
        network : Model
            Trained on this fold.
        normaliser : Normaliser
            It was trained with.

        Raises
        ------
        UserError
            A baseline needs what a subject's recording does not tell, as where the head was.
        """
        baselines = self._fitter.fit(fold)
        predictors = {network_spec(self._experiment.model).config.title: Predictor(network, normaliser)}
        predictors |= {name: Predictor(baseline, self._reader.units(fold, name)) for name, baseline in baselines.items()}
        target = fold.signals.target
        detail = SensorsDetail(target.names, target.types, target.sfreq)
        scores: list[Score] = []
        for subject in dict.fromkeys(fold.test.subjects.tolist()):
            windows = fold.test.windows.subset(np.flatnonzero(fold.test.subjects == subject))
            info = fold.info(subject)
            referenced = self._experiment.preprocessing.average_reference
            of_subject = {}
            for name, predictor in predictors.items():
                with _told(name, subject):
                    of_subject[name] = predictor.for_subject(info, fold.signals, referenced)
            own = OwnWindows(target.types, windows) if self._references.bounded else None
            sums, example, beyond = self._predict(fold, windows, of_subject, own)
            scores += self._scores(subject, sums, beyond, own, baselines)
            variance_s = sums[TRAINING_MEAN].reference_variance()
            scores += self._references.score(fold, subject, _covered_s(windows, target.sfreq), variance_s)
            detail.subjects[subject] = _detail(info, sums, example)
        of_fold = {"run": self._run, "fold": fold.fold.name, "label": fold.fold.label, "bounded": self._references.bounded}
        return FoldEvaluation(FoldScores(**of_fold, scores=tuple(scores), protocol=PROTOCOL), detail)

    def _predict(
        self, fold: ShardFold, windows: WindowSet, predictors: dict[str, Predictor], own: OwnWindows | None
    ) -> tuple[dict[str, SubjectSums], dict[str, np.ndarray], BeyondPhysiology | None]:
        """Run all predictors over one subject's windows, and gather them in `own`.

        Returns
        -------
        sums : dict of str to SubjectSums
        example : dict of str to ndarray
            Truth and predictions in the middle window.
        beyond : BeyondPhysiology or None
            Where EOG or ECG is recorded.
        """
        reader, target = self._reader.reader(fold, windows), fold.signals.target
        physiology = self._reader.physiology(fold, windows)
        recorded = PhysiologyReader.of(fold.shards, windows)
        beyond = BeyondPhysiology(recorded, self._reader.physiology_lag(target.sfreq)) if recorded else None
        sums = {name: SubjectSums(target.types, target.sfreq, target.n_times) for name in predictors}
        example: dict[str, np.ndarray] = {}
        training_mean_st: Floats | None = None
        for batch in reader.batches(_BATCH_SIZE, np.arange(len(windows))):
            input_bct = reader.normaliser.input.inverse(batch.input_bct)
            truth_bst = reader.normaliser.target.inverse(batch.target_bst).numpy()
            inputs = {EYES_AND_HEART: physiology.read(batch.windows)} if physiology else {}
            predicted = {name: predictor(inputs.get(name, input_bct)).numpy() for name, predictor in predictors.items()}
            if own:
                own.add(batch.windows, truth_bst, predicted)
            if beyond:
                beyond.add(batch.windows, truth_bst, predicted)
            if training_mean_st is None:
                training_mean_st = predicted[TRAINING_MEAN][0].astype(np.float64)
            block = TruthBlock(truth_bst, training_mean_st, target.types, target.sfreq)
            for name, predicted_bst in predicted.items():
                sums[name].add(block, predicted_bst)
            (middle,) = np.nonzero(batch.windows == len(windows) // 2)
            if len(middle):
                example = {name: y_bst[middle[0]].copy() for name, y_bst in ({"truth": truth_bst} | predicted).items()}
        return sums, example, beyond

    def _scores(
        self,
        subject: str,
        sums: dict[str, SubjectSums],
        beyond: BeyondPhysiology | None,
        own: OwnWindows | None,
        baselines: Collection[str],
    ) -> list[Score]:
        scores = []
        for name, of_predictor in sums.items():
            for kind, metrics in of_predictor.types(self._experiment.evaluation.bands_hz).items():
                left = beyond.explained_variance(name, TRAINING_MEAN, of_predictor.slices[kind]) if beyond else np.nan
                role: Role = "baseline" if name in baselines else "model"
                about = {"predictor": name, "role": role, "subject": subject, "channel_type": kind}
                chance = own.p(name, kind) if own else None
                values = _values(metrics) | {BEYOND: defined(left)}
                scores.append(Score(**about, score=metrics.explained_variance, values=values, chance_p=chance))
        return scores


@contextmanager
def _told(predictor: str, subject: str) -> Iterator[None]:
    """Say of which predictor and subject something cannot be computed, and how to do without."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{predictor} for sub-{subject}: {error}; to do without, leave it out of evaluation.baselines") from error


def _detail(info: mne.Info, sums: dict[str, SubjectSums], example: dict[str, np.ndarray]) -> SubjectDetail:
    truth = sums[TRAINING_MEAN]
    return SubjectDetail(
        info=info,
        sensors={name: of_predictor.sensors() for name, of_predictor in sums.items()},
        frequencies_hz=truth.frequencies_hz,
        psd={"truth": truth.psd()[0]} | {name: of_predictor.psd()[1] for name, of_predictor in sums.items()},
        example=example,
    )


def _values(metrics: TypeMetrics) -> dict[str, float | None]:
    """Figures beside the explained variance, None where one is undefined."""
    figures = asdict(metrics)
    del figures[EXPLAINED]
    bands = figures.pop("log_psd_error_db")
    return {name: defined(value) for name, value in (figures | {band_figure(band): error for band, error in bands.items()}).items()}


def _covered_s(windows: WindowSet, sfreq: float) -> float:
    """Duration of recording that windows cover, overlaps counted once."""
    covered = 0
    for shard in np.unique(windows.shard_index):
        starts = np.sort(windows.start[windows.shard_index == shard])
        covered += int(np.minimum(np.diff(starts), windows.n_times).sum()) + windows.n_times
    return covered / sfreq
