"""Score a network on the test scans of a fold, beside baselines, oracles, controls and a ceiling."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from crossmodal.config import Experiment
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.channels import blocks_of, columns_of
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.shard import Shard
from crossmodal.datasets.windows import WindowSet
from crossmodal.evaluation.baseline_fitter import BaselineFitter
from crossmodal.evaluation.names import ORACLE, TRAINING_MEAN
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.evaluation.scores import FoldEvaluation, FoldScores, Role, Score, defined
from crossmodal.evaluation.surrogates import phase_randomised
from crossmodal.models.base import Model, TeacherForced, Uncertain
from crossmodal.models.predictor import Predictor
from crossmodal.models.registry import network_spec
from crossmodal.tasks.volumes.baselines import GLOBAL_ALONE, VolumesReader
from crossmodal.tasks.volumes.ceilings import TRUE_POWER, Ceilings
from crossmodal.tasks.volumes.common_regions import CommonRegions, FoldRegions
from crossmodal.tasks.volumes.detail import ScanDetail, VolumesDetail
from crossmodal.tasks.volumes.metrics import mean_over_scans, score_scan
from crossmodal.tasks.volumes.networks import network_groups
from crossmodal.tasks.volumes.own_ridge import OwnRidge
from crossmodal.tasks.volumes.scan_judge import CHANCE, ScanJudge
from crossmodal.tasks.volumes.scorecard import R_TARGETS, R_UNCOUPLED, R
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

OWN_MEAN = "own mean"
PREVIOUS = "previous volume"
OTHER_EEG = "network on EEG of another subject"
SHIFTED_EEG = "network on EEG shifted by a third"
PHASE_EEG = "network on phase-randomised EEG"
TEACHER_FORCED = "network told the slices before each"
_BATCH_SIZE = 64

Values = NDArray[np.float32]
Said = dict[str, tuple[Role, Values]]


class VolumesEvaluator:
    """Evaluates folds, keeping what they share: statistics of subjects. Threads may share it.

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
        self._title = network_spec(experiment.model).config.title
        self._baselines = VolumesReader(experiment.evaluation, experiment.data)
        self._fitter = BaselineFitter(self._baselines)
        self._ceilings = Ceilings(experiment)
        own_ridge = experiment.evaluation.own_ridge
        self._own_ridge = OwnRidge(own_ridge) if own_ridge else None
        regions = experiment.evaluation.regions
        self._common = CommonRegions(experiment, regions) if regions else None

    @torch.no_grad()
    def evaluate(self, fold: ShardFold, network: Model, normaliser: Normaliser) -> FoldEvaluation:
        """Score a network and all that stands beside it on each test subject of a fold.

        Parameters
        ----------
        fold : ShardFold
            Baselines learn from its training windows and choose on its validation windows.
        network : Model
            Trained on this fold.
        normaliser : Normaliser
            It was trained with.
        """
        regions = self._common.of_fold(fold) if self._common else None
        baselines = self._fitter.fit(fold)
        predictors = {self._title: Predictor(network, normaliser)} | self._in_units(fold, baselines)
        detail = VolumesDetail(fold.signals.target, fold.shards[0].volumes.stored, self._is_shown(fold))
        scores: list[Score] = []
        for subject in dict.fromkeys(fold.test.subjects.tolist()):
            windows = fold.test.windows.subset(np.flatnonzero(fold.test.subjects == subject))
            calibrated = self._in_units(fold, self._fitter.calibrated(fold, windows, baselines))
            info, referenced = fold.info(subject), self._experiment.preprocessing.average_reference
            own = {name: each.for_subject(info, fold.signals, referenced) for name, each in (predictors | calibrated).items()}
            of_subject = list(_scans(fold.test.windows, fold.shards, subject))
            cross_fitted = self._own_ridge.predict(fold, of_subject) if self._own_ridge else None
            scans, r_of_scans = [], []
            for index, scan in enumerate(of_subject):
                truth_vs, said = self._predict(fold, scan, own)
                if self._own_ridge and cross_fitted:
                    said[self._own_ridge.title] = "oracle", cross_fitted[index]
                of_scan = self._detail(fold.shards[scan.shard_index[0]], scan, truth_vs, said)
                detail.scans.setdefault(subject, of_scan)
                r_of_scans.append(of_scan.r_s)
                if regions:
                    said, figures = self._in_regions(fold, scan, truth_vs, said, regions)
                else:
                    figures = self._figures(fold, scan, truth_vs, said, own[self._title])
                scans.append(figures)
            detail.r_of_subjects[subject] = np.mean(r_of_scans, axis=0)
            scores += self._scores(subject, {name: role for name, (role, _) in said.items()}, scans)
        of_fold = {"run": self._run, "fold": fold.fold.name, "label": fold.fold.label, "bounded": self._ceilings.is_null}
        return FoldEvaluation(FoldScores(**of_fold, scores=tuple(scores), protocol=PROTOCOL), detail)

    def _is_shown(self, fold: ShardFold) -> NDArray[np.bool_]:
        """Which targets the EEG may show, shape (n_targets,)."""
        columns = self._columns(fold)
        return ~self._ceilings.groups(fold.shards[0], columns).get(R_UNCOUPLED, np.zeros(len(columns), dtype=bool))

    def _in_units(self, fold: ShardFold, baselines: Mapping[str, Model]) -> dict[str, Predictor]:
        return {name: Predictor(baseline, self._baselines.units(fold, name)) for name, baseline in baselines.items()}

    def _role(self, predictor: str) -> Role:
        if predictor == self._title:
            return "model"
        return "oracle" if predictor == GLOBAL_ALONE else "baseline"

    def _predict(self, fold: ShardFold, scan: WindowSet, predictors: dict[str, Predictor]) -> tuple[Values, Said]:
        """Run everything over one scan: the truth, and what each predictor says in its role, shapes (n_volumes, n_targets)."""
        assert scan.volume is not None
        shard, columns = fold.shards[scan.shard_index[0]], self._columns(fold)
        all_vs = np.asarray(shard.volumes.data_vs)[:, columns]
        truth_vs = all_vs[scan.volume]
        predicted = self._run_over(fold, scan, predictors)
        said: Said = {name: (self._role(name), values_vs) for name, values_vs in predicted.items()}
        good = np.flatnonzero(shard.volumes.good)
        before = good[np.maximum(np.searchsorted(good, scan.volume) - 1, 0)]
        said[OWN_MEAN] = "oracle", np.tile(truth_vs.mean(axis=0), (len(truth_vs), 1))
        said[PREVIOUS] = "oracle", all_vs[before]
        network_vs = predicted[self._title]
        if (other := self._other_eeg(fold, scan, predictors)) is not None:
            said[OTHER_EEG] = "control", other
        said[SHIFTED_EEG] = "control", np.roll(network_vs, len(network_vs) // 3, axis=0)
        said[PHASE_EEG] = "control", self._phase_randomised(shard, scan, predictors[self._title])
        if self._experiment.evaluation.teacher_forcing == "void":
            said[TEACHER_FORCED] = "void", self._teacher_forced(fold, scan, predictors[self._title])
        return truth_vs, said | self._ceiling(shard, scan, columns)

    def _run_over(self, fold: ShardFold, windows: WindowSet, predictors: dict[str, Predictor]) -> dict[str, Values]:
        """What predictors say of windows, per cent."""
        reader = self._reader(fold, windows)
        parts: dict[str, list[Values]] = {name: [] for name in predictors}
        for batch in reader.batches(_BATCH_SIZE, np.arange(len(windows))):
            instead = self._baselines.instead(fold, windows.subset(batch.windows))
            for name, predictor in predictors.items():
                parts[name].append(predictor(instead.get(name, batch.input_bct)).numpy()[..., 0])
        return {name: np.concatenate(of_name) for name, of_name in parts.items()}

    def _teacher_forced(self, fold: ShardFold, windows: WindowSet, predictor: Predictor) -> Values:
        """What the network says when it is told the truth before each part of it, per cent."""
        network, normaliser = predictor.model, predictor.normaliser
        assert isinstance(network, TeacherForced)
        batches = self._reader(fold, windows).batches(_BATCH_SIZE, np.arange(len(windows)))
        said = [network.teacher_forced(normaliser.input(batch.input_bct), normaliser.target(batch.target_bst)) for batch in batches]
        values_vs: Values = normaliser.target.inverse(torch.cat(said)).numpy()[..., 0]
        return values_vs

    def _reader(self, fold: ShardFold, windows: WindowSet) -> BatchReader:
        """Read windows as they are stored."""
        return BatchReader(fold.shards, windows, fold.data, _as_stored(fold), fold.signals)

    def _other_eeg(self, fold: ShardFold, scan: WindowSet, predictors: dict[str, Predictor]) -> Values | None:
        """What the network says of the EEG of a validation subject, volume by volume in order; None where there is no other subject."""
        subject = fold.shards[scan.shard_index[0]].subject
        others = np.flatnonzero(fold.validation.subjects != subject)
        if not len(others):
            return None
        first = fold.validation.windows.shard_index[others[0]]
        other = fold.validation.windows.subset(others[fold.validation.windows.shard_index[others] == first])
        windows = other.subset(np.arange(len(scan)) % len(other))
        return self._run_over(fold, windows, {self._title: predictors[self._title]})[self._title]

    def _phase_randomised(self, shard: Shard, scan: WindowSet, predictor: Predictor) -> Values:
        """What the network says of the scan's own EEG, whose spectra over the recording are kept and whose course in time is not."""
        data = self._experiment.data
        signal = shard.signal(data.input.modality)
        x_tc = np.concatenate([signal[block.kind][:, block.inside] for block in blocks_of(shard, data.input)], axis=1)
        # What is bad is in no window, and would be spread over all.
        x_ct = phase_randomised((x_tc * shard.good[:, None]).T, np.random.default_rng(self._experiment.seed))
        starts = [scan.start[first : first + _BATCH_SIZE] for first in range(0, len(scan), _BATCH_SIZE)]
        windows = (torch.from_numpy(np.stack([x_ct[:, start : start + scan.n_times] for start in batch])) for batch in starts)
        return np.concatenate([predictor(x_bct).numpy()[..., 0] for x_bct in windows])

    def _figures(self, fold: ShardFold, scan: WindowSet, truth_vs: Values, said: Said, network: Predictor) -> dict[str, dict[str, float]]:
        """Figures of one scan by predictor."""
        judge = self._judge(fold.shards[scan.shard_index[0]], scan, self._columns(fold), truth_vs, said[TRAINING_MEAN][1][0])
        figures = {
            name: judge.of_ceiling(values_vs) if role == "ceiling" else judge.figures(values_vs) for name, (role, values_vs) in said.items()
        }
        if isinstance(network.model, Uncertain):
            figures[self._title] |= judge.of_intervals(*self._intervals(fold, scan, network))
        return figures

    def _in_regions(
        self, fold: ShardFold, scan: WindowSet, truth_vs: Values, said: Said, regions: FoldRegions
    ) -> tuple[Said, dict[str, dict[str, float]]]:
        """Bring what is said of one scan to common regions; give it with its figures there, and r of the targets themselves."""
        own_judge = self._judge(fold.shards[scan.shard_index[0]], scan, self._columns(fold), truth_vs, said[TRAINING_MEAN][1][0])
        own = {name: {R_TARGETS: own_judge.of_ceiling(values_vs)[R]} for name, (_, values_vs) in said.items()}
        shard, columns = regions.shards[scan.shard_index[0]], np.arange(regions.weights_sr.shape[1])
        brought: Said = {name: (role, values_vs @ regions.weights_sr) for name, (role, values_vs) in said.items() if role != "ceiling"}
        brought |= self._ceiling(shard, scan, columns)
        truth_vr = np.asarray(shard.volumes.data_vs)[scan.volume]
        judge = self._judge(shard, scan, columns, truth_vr, truth_vr.mean(axis=0))
        return brought, {name: judge.of_changes(values_vr) | own.get(name, {}) for name, (_, values_vr) in brought.items()}

    def _ceiling(self, shard: Shard, scan: WindowSet, columns: NDArray[np.integer]) -> Said:
        """What the true power makes of some targets of a scan; nothing where that is not known."""
        assert scan.volume is not None
        answer_vs = None if self._ceilings.is_null else self._ceilings.predict(shard, scan.volume, columns)
        return {} if answer_vs is None else {TRUE_POWER: ("ceiling", answer_vs.astype(np.float32))}

    def _judge(self, shard: Shard, scan: WindowSet, columns: NDArray[np.integer], truth_vs: Values, training_mean_s: Values) -> ScanJudge:
        windows = self._experiment.data.windows
        assert windows.kind == "volumes"
        assert scan.volume is not None
        groups = self._ceilings.groups(shard, columns) | network_groups(shard, columns)
        return ScanJudge(shard, scan.volume, columns, truth_vs, training_mean_s, windows.length_s, groups)

    def _columns(self, fold: ShardFold) -> NDArray[np.int64]:
        """Targets, in any of a fold's shards."""
        return columns_of(fold.shards[0], fold.data.target)

    def _intervals(self, fold: ShardFold, scan: WindowSet, network: Predictor) -> list[tuple[Values, Values]]:
        """Ends of the intervals around predictions of a scan, the network's own and those of constant width, in the unit of the images."""
        batches = self._reader(fold, scan).batches(_BATCH_SIZE, np.arange(len(scan)))
        kinds = zip(*(network.bounds(batch.input_bct) for batch in batches), strict=True)
        return [
            (
                torch.cat([each.lower_bst for each in of_kind]).numpy()[..., 0],
                torch.cat([each.upper_bst for each in of_kind]).numpy()[..., 0],
            )
            for of_kind in kinds
        ]

    def _scores(self, subject: str, roles: dict[str, Role], scans: list[dict[str, dict[str, float]]]) -> list[Score]:
        """Mean over scans of each predictor's figures."""
        about: dict[str, Any] = {"subject": subject, "channel_type": "bold"}
        scores = []
        for name, role in roles.items():
            figures = mean_over_scans([scan[name] for scan in scans])
            chances = [scan[name].get(CHANCE, 1.0) for scan in scans]
            chance = float(stats.combine_pvalues(chances).pvalue) if self._ceilings.is_null else None
            values = {figure: defined(value) for figure, value in figures.items() if figure not in (R, CHANCE)}
            scores.append(Score(**about, predictor=name, role=role, score=figures[R], values=values, chance_p=chance))
        if self._ceilings.is_null:
            # Whoever knows all cannot do better than the mean.
            scores.append(Score(**about, predictor=ORACLE, role="ceiling", score=0.0))
        return scores

    def _detail(self, shard: Shard, scan: WindowSet, truth_vs: Values, said: Said) -> ScanDetail:
        predicted_vs = said[self._title][1]
        r_s = score_scan(truth_vs, predicted_vs, said[TRAINING_MEAN][1][0]).r
        return ScanDetail(shard.volumes.onset_s[scan.volume], truth_vs, predicted_vs, r_s)


def _scans(windows: WindowSet, shards: tuple[Shard, ...], subject: str) -> Iterator[WindowSet]:
    """Windows of each of a subject's scans, in order of volumes."""
    assert windows.volume is not None
    for index in np.unique(windows.shard_index):
        if shards[index].subject == subject:
            chosen = np.flatnonzero(windows.shard_index == index)
            yield windows.subset(chosen[np.argsort(windows.volume[chosen])])


def _as_stored(fold: ShardFold) -> Normaliser:
    """Read input and target as they are."""
    numbers = fold.signals.input.n_channels, fold.signals.target.n_channels
    return Normaliser(*(ChannelScaling(torch.zeros(number), torch.ones(number)) for number in numbers))
