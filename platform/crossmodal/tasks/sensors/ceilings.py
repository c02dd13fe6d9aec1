"""Ceilings of the subjects a fold tests, as rows beside the models' scores."""

from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import Experiment
from crossmodal.config.data import Signals, SlidingWindows
from crossmodal.config.preprocessing import BidsRecordings
from crossmodal.config.simulation import Simulation
from crossmodal.datasets.channels import columns_of
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.shard import Shard
from crossmodal.evaluation.ceilings import joint_spectra, linear_reference, noise_only_bound, oracle
from crossmodal.evaluation.long_fir import long_fir
from crossmodal.evaluation.names import LINEAR_REFERENCE, ORACLE
from crossmodal.evaluation.scores import Score
from crossmodal.evaluation.wiener import JointSpectra, LinearScore
from crossmodal.physics.cohort_settings import check_settings
from crossmodal.physics.truth import SubjectTruth, truth_path
from crossmodal.storage.uri import is_local
from crossmodal.tasks.sensors.metrics import type_slices
from crossmodal.tasks.sensors.scorecard import NOISE_BOUND, OWN_FIR


class References:
    """Ceilings of one experiment, as far as the truth of its cohort is known.

    Parameters
    ----------
    experiment : Experiment
        Its recordings may be a simulated cohort, which keeps the truth in `derivatives/truth`.

    Attributes
    ----------
    bounded : bool
        Whether ceilings are asked for and the oracle bounds every model: nothing can be learned, or the cohort is known to be
        stationary and Gaussian, its preprocessing is what closed forms know, and windows are taken as they are.

    Raises
    ------
    UserError
        The experiment simulates with other settings than those that the cohort was made with.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        steps, known = experiment.preprocessing, self._known_simulation()
        self._null = known is not None and known.cohort != "coupled"
        stationary = known is not None and not (known.evoked or known.artifacts)
        in_closed_form = isinstance(experiment.data.windows, SlidingWindows) and not (
            steps.maxwell or steps.line_noise or steps.ica or steps.ssp
        )
        self.bounded = self._null or (stationary and in_closed_form)
        self._spectra: dict[str, JointSpectra] = {}
        self._computing = Lock()

    def _known_simulation(self) -> Simulation | None:
        """How the recordings were simulated, where ceilings are asked for and the cohort says so itself."""
        simulation, ceilings = self._experiment.simulation, self._experiment.evaluation.ceilings
        if simulation is None or self._root is None or not ceilings or not (Path(self._root) / "derivatives" / "truth").exists():
            return None
        check_settings(Path(self._root), simulation)
        return simulation if isinstance(simulation, Simulation) else None

    @property
    def _root(self) -> str | None:
        recordings = self._experiment.recordings
        return recordings.root if isinstance(recordings, BidsRecordings) and is_local(recordings.root) else None

    def score(self, fold: ShardFold, subject: str, duration_s: float, target_variance_s: NDArray[np.float64]) -> list[Score]:
        """Score the ceilings of one test subject; none where its truth is not known.

        Parameters
        ----------
        fold : ShardFold
            That tests the subject.
        subject : str
            Its label.
        duration_s : float
            Of the test windows, overlaps counted once.
        target_variance_s : ndarray, shape (n_sensors,)
            Of the test windows about the training mean, V^2, T^2 or (T/m)^2.
        """
        truth = self._truth(subject)
        if not self._experiment.evaluation.ceilings or truth is None:
            return []
        scores = []
        if self._null:
            # Whoever knows all cannot do better than the mean.
            scores += [_row(ORACLE, subject, kind, 0.0, 0.0) for kind in type_slices(fold.signals.target.types)]
        elif self.bounded:
            training = [self._joint(fold, part.subject) for part in fold.fold.train]
            own = self._joint(fold, subject)
            scores += _linear_rows(ORACLE, oracle(own), subject, duration_s)
            scores += _linear_rows(LINEAR_REFERENCE, linear_reference(training, own), subject, duration_s)
        else:
            bounds = noise_only_bound(truth, self._experiment.preprocessing, fold.signals.target.names, target_variance_s)
            scores += [_row(NOISE_BOUND, subject, kind, bound) for kind, bound in bounds.items()]
        return scores + self._own_fir(fold, subject)

    def _truth(self, subject: str) -> SubjectTruth | None:
        path = truth_path(Path(self._root), subject) if self._root else None
        return SubjectTruth.load(path) if path and path.exists() else None

    def _joint(self, fold: ShardFold, subject: str) -> JointSpectra:
        """Spectra of a subject, computed once for all folds."""
        with self._computing:
            if subject not in self._spectra:
                truth = self._truth(subject)
                assert truth is not None, f"the cohort keeps no truth of subject {subject}"
                self._spectra[subject] = joint_spectra(
                    truth, self._experiment.preprocessing, fold.signals.input.names, fold.signals.target.names
                )
            return self._spectra[subject]

    def _own_fir(self, fold: ShardFold, subject: str) -> list[Score]:
        """A long FIR fitted on blocks of the subject's own recordings and scored on others."""
        data, half_length_s = self._experiment.data, self._experiment.evaluation.fir_lag_s
        recordings = []
        for shard in (shard for shard in fold.shards if shard.subject == subject):
            input_tc, target_ts = (_samples(shard, signals) for signals in (data.input, data.target))
            recordings.append((input_tc, target_ts, shard.good))
        unseen = long_fir(recordings, fold.signals.input.sfreq, half_length_s).unseen
        slices = type_slices(fold.signals.target.types)
        return [_row(OWN_FIR, subject, kind, unseen.explained_variance(of_type)) for kind, of_type in slices.items()]


def _samples(shard: Shard, signals: Signals) -> NDArray[np.float32]:
    return np.hstack(list(shard.signal(signals.modality).values()))[:, columns_of(shard, signals)]


def _linear_rows(name: str, score: LinearScore, subject: str, duration_s: float) -> list[Score]:
    return [
        _row(name, subject, kind, pooled.explained_variance, pooled.standard_error(duration_s)) for kind, pooled in score.pooled.items()
    ]


def _row(name: str, subject: str, kind: str, explained_variance: float, standard_error: float | None = None) -> Score:
    return Score(
        predictor=name,
        role="ceiling",
        subject=subject,
        channel_type=kind,
        score=explained_variance,
        standard_error=standard_error,
    )
