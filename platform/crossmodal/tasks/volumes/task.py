"""EEG to BOLD: a volume, or the values of regions, after a stretch of EEG."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import nibabel
import numpy as np

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.config.data import FixedSplit, WithinRecordings
from crossmodal.datasets.fold_data import FoldData
from crossmodal.datasets.opening import ShardFold
from crossmodal.evaluation.epoch_metrics import EpochMetric, temporal_r
from crossmodal.evaluation.regions import RegionScores
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldEvaluation
from crossmodal.models.intervals import LEVEL
from crossmodal.models.store import TrainedModel
from crossmodal.physics.haemodynamics import RESPONSE_LENGTH_S
from crossmodal.tasks.cleaned_input import CleanInput
from crossmodal.tasks.contract import Evaluator, Task, Written
from crossmodal.tasks.volumes.depth import from_scalp_m
from crossmodal.tasks.volumes.export import predict_volumes, save_volumes, table_path
from crossmodal.tasks.volumes.grid import MASK, affine_of, load_mask, strongest, where_targets
from crossmodal.tasks.volumes.own_ridge import own_ridge_spec
from crossmodal.tasks.volumes.scorecard import REGIONS_SCORECARD, VOLUMES_SCORECARD, R

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class VolumesTask(Task):
    """Predicts what a scanner would have seen."""

    name = "volumes"

    def scorecard(self, experiment: Experiment) -> Scorecard:
        """Correlation over time before all else."""
        return REGIONS_SCORECARD if experiment.evaluation.regions else VOLUMES_SCORECARD

    def check(self, experiment: Experiment) -> None:
        """Refuse regions by name where targets are voxels, parts of a recording that are too close, and a ridge that is none."""
        split, needed_s = experiment.split, self.least_gap_s(experiment)
        if isinstance(split, WithinRecordings | FixedSplit) and split.divides_recordings and split.gap_s < needed_s:
            raise UserError(
                f"split.gap_s: {split.gap_s:g} s between parts of a recording are too few for volumes: a window of"
                f" {experiment.data.windows.length_s:g} s and a haemodynamic response of {RESPONSE_LENGTH_S:g} s need {needed_s:g} s"
            )
        channels, targets = experiment.data.target.channels, experiment.preprocessing.bold.targets
        if isinstance(channels, tuple) and targets.kind == "voxels":
            raise UserError(
                f"data.target.channels: asks for region '{channels[0]}', and preprocessing.bold.targets are voxels; set targets.kind to"
                " regions, spheres or maps, or take all"
            )
        if experiment.evaluation.own_ridge:
            own_ridge_spec(experiment.evaluation.own_ridge)
        if experiment.evaluation.regions and experiment.preprocessing.bold.grid is None:
            raise UserError(
                "evaluation.regions: targets are brought to regions on a grid that all images share; set preprocessing.bold.grid, as to"
                f" {experiment.evaluation.regions.atlas}"
            )

    def scored_in(self, experiment: Experiment) -> str:
        """The regions that all is brought to, or the targets themselves."""
        bold = experiment.preprocessing.bold
        return fingerprint(experiment.evaluation.regions or [experiment.data.target, bold.targets, bold.grid])

    def least_gap_s(self, experiment: Experiment) -> float:
        """A window, and the haemodynamic response to what it ends with: blood knows as long what training has seen."""
        return experiment.data.windows.length_s + RESPONSE_LENGTH_S

    def epoch_metrics(self) -> Mapping[str, EpochMetric]:
        """Correlation over time, the scans of a subject taken together."""
        return {R: temporal_r()}

    def evaluator(self, experiment: Experiment, run: str) -> Evaluator:
        """Score volumes."""
        from crossmodal.tasks.volumes.evaluator import VolumesEvaluator

        return VolumesEvaluator(experiment, run)

    def draw_fold(self, evaluation: FoldEvaluation, experiment: Experiment) -> "dict[str, Figure]":
        """Draw time courses and a map of each test subject, and r against lag."""
        from crossmodal.tasks.volumes.detail import VolumesDetail
        from crossmodal.tasks.volumes.figures import draw_courses, draw_lags, draw_map

        detail = evaluation.detail
        assert isinstance(detail, VolumesDetail)
        model = next(score.predictor for score in evaluation.scores.scores if score.role == "model")
        figures = {f"lags_{evaluation.scores.fold}": draw_lags(detail, model)}
        where = where_targets(experiment.preprocessing.bold.targets, detail.target, detail.stored)
        numbers = where if where.ndim == 3 else strongest(where)
        for subject, scan in detail.scans.items():
            figures[f"courses_sub-{subject}"] = draw_courses(detail, subject, model)
            figures[f"map_sub-{subject}"] = draw_map(scan, subject, model, numbers, affine_of(detail.target))
        return figures

    def region_scores(self, evaluation: FoldEvaluation, experiment: Experiment) -> RegionScores | None:
        """Mean r of each region over a subject's scans; None where targets are voxels."""
        from crossmodal.tasks.volumes.detail import VolumesDetail

        detail = evaluation.detail
        assert isinstance(detail, VolumesDetail)
        if detail.stored is not None:
            return None
        where = where_targets(experiment.preprocessing.bold.targets, detail.target, None)
        distance_m = from_scalp_m(where, affine_of(detail.target), detail.target.n_channels)
        return RegionScores(detail.target.names, distance_m, detail.is_shown_s, detail.r_of_subjects)

    def write_space(self, data: FoldData, folder: Path) -> None:
        """Write which voxels are targets; an atlas stays where the settings say."""
        assert isinstance(data, ShardFold)
        volumes = data.shards[0].volumes
        if volumes.stored is not None:
            nibabel.save(nibabel.Nifti1Image(volumes.stored.astype(np.uint8), affine_of(data.signals.target)), folder / MASK)

    def check_output(self, output: Path) -> None:
        """Refuse what is no NIfTI, or would leave a table over another."""
        if not output.name.endswith((".nii", ".nii.gz")):
            raise UserError(f"{output}: volumes are written as NIfTI; end --output with _bold.nii.gz")
        if table_path(output).exists():
            raise UserError(f"{table_path(output)}: exists already; remove it or give --output another name")

    def default_output(self, recording: str) -> Path:
        """Name it as BIDS names images."""
        return Path(f"{PurePosixPath(recording).name.partition('.')[0].removesuffix('_eeg')}_virtual_bold.nii.gz")

    def predict(self, model: Path, experiment: Experiment, recording: str, output: Path, clean: CleanInput, scratch: Path) -> Written:
        """Write predicted volumes as NIfTI, ends of their intervals likewise, and time courses of regions as TSV beside them."""
        trained = TrainedModel.load(model)
        card = trained.card
        stored = load_mask(model / MASK) if (model / MASK).exists() else None
        where = where_targets(card.preprocessing.bold.targets, card.signals.target, stored)
        cleaned = clean(recording, card, experiment.recorded, scratch)
        predicted = predict_volumes(trained, cleaned)
        if not len(predicted.values_vs):
            needed_s = card.signals.input.n_times / card.signals.input.sfreq
            raise UserError(f"{recording}: is shorter than the {needed_s:g} s of input that a volume is predicted from")
        save_volumes(predicted, card, where, output)
        bad = int((~predicted.good).sum())
        notes = (f"{bad} of {len(predicted.good)} volumes follow input that cleaning marked bad",) if bad else ()
        table = f", and {table_path(output).name} of {len(card.signals.target.names)} regions" if stored is None else ""
        intervals = f", and the ends of their {LEVEL:.0%} intervals beside them" if predicted.bounds else ""
        told = f"{len(predicted.values_vs)} virtual volumes, the first at {predicted.onset_s[0]:g} s{table}{intervals}"
        return Written(output, card.fold, told, (*notes, *cleaned.notes))
