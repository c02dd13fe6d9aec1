"""EEG to MEG, or MEG to EEG: a signal on the input's clock."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import mne

from crossmodal.config import Experiment, UserError
from crossmodal.datasets.fold_data import FoldData
from crossmodal.datasets.opening import ShardFold
from crossmodal.evaluation.epoch_metrics import EpochMetric, explained_variance
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldEvaluation
from crossmodal.models.registry import network_spec
from crossmodal.models.store import TrainedModel
from crossmodal.tasks.cleaned_input import CleanInput
from crossmodal.tasks.contract import Evaluator, Task, Written
from crossmodal.tasks.sensors.scorecard import EXPLAINED, sensors_scorecard

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET_INFO = "target_info.fif"


class SensorsTask(Task):
    """Predicts what other sensors would have recorded."""

    name = "sensors"

    def scorecard(self, experiment: Experiment) -> Scorecard:
        """Explained variance before all else."""
        return sensors_scorecard(experiment.evaluation.bands_hz)

    def check(self, experiment: Experiment) -> None:
        """Refuse nothing that other checks leave."""

    def epoch_metrics(self) -> Mapping[str, EpochMetric]:
        """Explained variance, over all sensors alike."""
        return {EXPLAINED: explained_variance()}

    def evaluator(self, experiment: Experiment, run: str) -> Evaluator:
        """Score waveforms.

        Raises
        ------
        UserError
            The network predicts none.
        """
        config = network_spec(experiment.model).config
        if not config.predicts_waveforms:
            raise UserError(
                f"model: only waveforms are scored, in SI units, beside baselines, and this {config.title} predicts none; train with"
                " settings that do, as model.target.kind=waveform of synaptech_net"
            )
        from crossmodal.tasks.sensors.evaluator import SensorsEvaluator

        return SensorsEvaluator(experiment, run)

    def draw_fold(self, evaluation: FoldEvaluation, experiment: Experiment) -> "dict[str, Figure]":
        """Draw waveforms, spectra and maps of each test subject."""
        from crossmodal.tasks.sensors.detail import SensorsDetail
        from crossmodal.tasks.sensors.figures import draw_fold

        assert isinstance(evaluation.detail, SensorsDetail)
        return draw_fold(evaluation.scores, evaluation.detail, self.scorecard(experiment), experiment.preprocessing.lowpass_hz)

    def write_space(self, data: FoldData, folder: Path) -> None:
        """Write the target sensors as they stood around the first training subject."""
        assert isinstance(data, ShardFold)
        info = data.info(data.fold.train[0].subject)
        picks = [info["ch_names"].index(name) for name in data.signals.target.names]
        mne.pick_info(info, picks).save(folder / TARGET_INFO, verbose="error")

    def check_output(self, output: Path) -> None:
        """Refuse what is no FIF."""
        if not output.name.endswith((".fif", ".fif.gz")):
            raise UserError(f"{output}: a virtual recording is written as FIF; end --output with _raw.fif")

    def default_output(self, recording: str) -> Path:
        """Name it as MNE names recordings."""
        return Path(f"{PurePosixPath(recording).name.partition('.')[0]}_virtual_raw.fif")

    def predict(self, model: Path, experiment: Experiment, recording: str, output: Path, clean: CleanInput, scratch: Path) -> Written:
        """Write a virtual recording as FIF."""
        from crossmodal.tasks.sensors.export import mark_virtual, save_whole, told_place, virtual_recording

        trained = TrainedModel.load(model)
        cleaned = clean(recording, trained.card, experiment.recorded, scratch)
        raw = virtual_recording(trained, mne.io.read_info(model / TARGET_INFO, verbose="error"), cleaned)
        mark_virtual(raw, trained.card)
        save_whole(raw, output)
        duration_s = raw.times[-1] + 1 / raw.info["sfreq"]
        told = f"{len(raw.ch_names)} virtual channels, {duration_s:.1f} s"
        return Written(output, trained.card.fold, told, (told_place(trained.card), *cleaned.notes))
