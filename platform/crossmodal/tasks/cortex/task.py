"""EEG, MEG or both to the activity of cortical regions, learned from samples that a simulator makes meanwhile."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.config.cortex import CortexSimulation, PatchSimulation
from crossmodal.config.data import Data, LeakyWindows, WithinRecordings
from crossmodal.datasets.fold_data import FoldData
from crossmodal.datasets.folds import Fold, Role
from crossmodal.datasets.manifest import Manifest, SimulatedManifest
from crossmodal.evaluation.epoch_metrics import EpochMetric, explained_variance
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldEvaluation
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.cleaned_input import CleanInput
from crossmodal.tasks.contract import Evaluator, ForwardFiles, Task, Written
from crossmodal.tasks.cortex.evaluator import CortexDetail, CortexEvaluator
from crossmodal.tasks.cortex.fold import CortexFold
from crossmodal.tasks.cortex.heads import draw_head
from crossmodal.tasks.cortex.ingredients import asked_regions
from crossmodal.tasks.cortex.montage import for_electrodes, with_places
from crossmodal.tasks.cortex.patch_fold import open_patch_fold, plan_ingredients
from crossmodal.tasks.cortex.scorecard import CORTEX_SCORECARD, EXPLAINED
from crossmodal.tasks.cortex.signals import normaliser, regions_of_signal, signal_pair
from crossmodal.tasks.cortex.simulator import SimulatedFeed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class CortexTask(Task):
    """Predicts the moments of regions of the template cortex.

    Parameters
    ----------
    forward : ForwardFiles, optional
        Of the subject that is predicted from.
    """

    name = "cortex"

    def __init__(self, forward: ForwardFiles | None = None) -> None:
        self._forward = forward

    def scorecard(self, experiment: Experiment) -> Scorecard:
        """Explained variance about zero before all else."""
        return CORTEX_SCORECARD

    def check(self, experiment: Experiment) -> None:
        """Refuse what has no meaning for samples that are made.

        Raises
        ------
        UserError
            The sentence names the key.
        """
        simulation, data = _simulation(experiment), experiment.data
        for key in ("windows", "input_scaling", "target_scaling"):
            if getattr(data, key) != Data.model_fields[key].default:
                raise UserError(f"data.{key}: samples of cortical activity have the length and units of the section cortex; leave it out")
        if data.input.modality != "eeg" or data.input.channels != "all" or data.target.channels != "all":
            raise UserError(
                "data: samples of cortical activity are EEG of cortex.electrodes, MEG, and all regions; leave input and channels out"
            )
        if isinstance(experiment.split, LeakyWindows | WithinRecordings):
            raise UserError(
                f"split: samples are made anew for each role, so that {experiment.split.kind} has no meaning; split by subjects"
            )
        if not experiment.preprocessing.average_reference:
            raise UserError("preprocessing.average_reference: samples of cortical activity are at the average reference; leave it on")
        if experiment.preprocessing.sfreq != simulation.sfreq:
            raise UserError(
                f"preprocessing.sfreq: a recording to predict from is resampled to {experiment.preprocessing.sfreq} Hz, and the model"
                f" learns at cortex.sfreq = {simulation.sfreq:g} Hz; make both the same"
            )

    def epoch_metrics(self) -> Mapping[str, EpochMetric]:
        """Explained variance about zero."""
        return {EXPLAINED: explained_variance()}

    def find_dataset(self, experiment: Experiment) -> Manifest:
        """Name the simulated subjects.

        Raises
        ------
        UserError
            Clips or lead fields were not made yet, or a file of regions or connections is no such file.
        """
        simulation = _simulation(experiment)
        if isinstance(simulation, CortexSimulation):
            return SimulatedManifest(preprocessing=fingerprint(simulation), entries=(), labels=simulation.labels)
        plan = plan_ingredients(experiment)
        if plan.missing:
            raise UserError(
                f"{experiment.store}: {len(plan.missing)} of {len(plan.missing) + len(plan.present)} parts of the simulation are not made;"
                " run jobs/simulate.py first"
            )
        return plan.manifest

    def open_fold(self, experiment: Experiment, manifest: Manifest, fold: Fold, cache: NodeCache) -> CortexFold:
        """Draw the heads of all roles, and read clips and lead fields where samples are made of them."""
        simulation = _simulation(experiment)
        if isinstance(simulation, PatchSimulation):
            return open_patch_fold(simulation, fold, experiment.store)
        heads = {part.subject: draw_head(simulation, part.subject) for part in (*fold.train, *fold.validation, *fold.test)}

        def feed(role: Role) -> SimulatedFeed:
            return SimulatedFeed(simulation, [heads[part.subject] for part in fold.parts(role)], role)

        signals = signal_pair(simulation)
        return CortexFold(
            fold=fold,
            train=feed("train"),
            validation=feed("validation"),
            test=feed("test"),
            normaliser=normaliser(signals),
            signals=signals,
            recorded_names=signals.input.names,
            heads=heads,
        )

    def evaluator(self, experiment: Experiment, run: str) -> Evaluator:
        """Score moments."""
        return CortexEvaluator(experiment, run)

    def draw_fold(self, evaluation: FoldEvaluation, experiment: Experiment) -> "dict[str, Figure]":
        """Draw waveforms and explained variance of each test subject."""
        from crossmodal.tasks.cortex.figures import draw_regions, draw_waveforms

        assert isinstance(evaluation.detail, CortexDetail)
        model = next(score.predictor for score in evaluation.scores.scores if score.role == "model")
        figures = {}
        for subject in evaluation.detail.explained_r:
            figures[f"waveforms_sub-{subject}"] = draw_waveforms(evaluation.detail, subject, model)
            figures[f"regions_sub-{subject}"] = draw_regions(evaluation.detail, subject, model)
        return figures

    def write_space(self, data: FoldData, folder: Path) -> None:
        """Write nothing: every installation has the template's regions."""

    def check_output(self, output: Path) -> None:
        """Refuse a name with an ending, since there are files a hemisphere."""
        if output.suffix:
            raise UserError(f"{output}: a source estimate is several files, such as -lh.stc; give --output what their names begin with")

    def default_output(self, recording: str) -> Path:
        """Name it after the recording."""
        return Path(f"{PurePosixPath(recording).name.partition('.')[0]}_cortex")

    def with_forward(self, files: ForwardFiles) -> "CortexTask":
        """See a subject's EEG through its own lead field."""
        return CortexTask(files)

    def predict(self, model: Path, experiment: Experiment, recording: str, output: Path, clean: CleanInput, scratch: Path) -> Written:
        """Write a source estimate on fsaverage5.

        Raises
        ------
        UserError
            Besides what reading and cleaning refuse: the model knows other regions than the experiment asks for, a forward solution is
            given that it cannot use, or a head in a helmet has no position.
        """
        from crossmodal.tasks.cortex.export import save_whole, source_estimate
        from crossmodal.tasks.cortex.own_forward import matched, read_forward, with_lead_field

        trained = TrainedModel.load(model)
        _check_regions(trained.card, _simulation(experiment))
        own = read_forward(self._forward, trained, scratch) if self._forward else None
        cleaned = clean(recording, trained.card, None, scratch)
        if {"mag", "grad"} & set(trained.card.signals.input.types) and cleaned.info["dev_head_t"] is None:
            raise UserError(f"{recording}: has MEG but no head position (dev_head_t), so nobody knows what it saw of the cortex")
        if own:
            own, cleaned = matched(own, cleaned)
        elif trained.predictor.model.uses_places:
            cleaned = with_places(cleaned)
        predictor, signals = for_electrodes(trained.predictor, trained.card.signals, cleaned.names)
        if own:
            predictor = with_lead_field(predictor, own)
        predictor = predictor.for_subject(cleaned.info, signals, average_reference=True)
        moment_rt = predictor.predict_recording(cleaned.x_ct, signals)
        tmin_s = cleaned.clock.first_sample / cleaned.clock.sfreq
        save_whole(source_estimate(moment_rt, regions_of_signal(signals.target), signals.target.sfreq, tmin_s), output)
        told = f"{signals.target.n_channels} regions of fsaverage5, {moment_rt.shape[1] / signals.target.sfreq:.1f} s"
        if own:
            told += f", seen through {own.called} of {own.field_cv.shape[1]} vertices"
        return Written(output, trained.card.fold, told, cleaned.notes)


def _check_regions(card: ModelCard, simulation: CortexSimulation | PatchSimulation) -> None:
    """Refuse a model whose regions are not those that are asked for, which a later version may divide otherwise."""
    target, asked = card.signals.target, asked_regions(simulation)
    sides = zip(regions_of_signal(target).region_of, asked.region_of, strict=True)
    if target.names == asked.names and all(np.array_equal(*region_v) for region_v in sides):
        return
    known_told, asked_told = (f"{len(names)} regions, {names[0]} to {names[-1]}" for names in (target.names, asked.names))
    elsewhere = ", which lie elsewhere" if target.names == asked.names else ""
    raise UserError(
        f"the model of fold {card.fold} of {card.run} knows {known_told}, and cortex asks for {asked_told}{elsewhere}; train it again, or"
        " ask for the regions that it knows"
    )


def _simulation(experiment: Experiment) -> CortexSimulation | PatchSimulation:
    assert experiment.cortex, "checked when the experiment was loaded"
    return experiment.cortex
