"""What stands above a score on a simulated cohort, where the truth is known: oracle, linear reference and noise-only bound."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from crossmodal.config.preprocessing import Preprocessing
from crossmodal.evaluation.band import preprocessed_band
from crossmodal.evaluation.wiener import Array, JointSpectra, LinearScore, instantaneous_filter, mean_spectra, score_filter, wiener_filter
from crossmodal.physics.truth import SubjectTruth

Filter = Literal["per_frequency", "instantaneous"]


def joint_spectra(
    truth: SubjectTruth, preprocessing: Preprocessing, input_names: Sequence[str], target_names: Sequence[str], n_freqs: int = 128
) -> JointSpectra:
    """Cross-spectra of one subject's input and target channels as preprocessing leaves them.

    Parameters
    ----------
    truth : SubjectTruth
        Of all recorded channels.
    preprocessing : Preprocessing
        Average reference, filter and resampling are carried through in closed form.
    input_names, target_names : sequence of str
        Channels of the model, in its order.
    n_freqs : int
        Frequencies between 0 Hz and the end of the band.
    """
    names = (*input_names, *target_names)
    recorded, operator_kr = _rereferenced(truth, preprocessing, names)
    band = preprocessed_band(preprocessing, truth.sfreq, n_freqs)
    spectrum_fkk = operator_kr @ recorded.cross_spectrum(band.frequencies_hz) @ operator_kr.T
    type_of = dict(zip(truth.names, truth.types, strict=True))
    n = len(input_names)
    return JointSpectra(
        band=band,
        input_fcc=spectrum_fkk[:, :n, :n],
        cross_fsc=spectrum_fkk[:, n:, :n],
        target_fss=spectrum_fkk[:, n:, n:],
        target_types=tuple(type_of[name] for name in target_names),
    )


def oracle(spectra: JointSpectra, kind: Filter = "per_frequency") -> LinearScore:
    """Score of the Wiener filter made from the predicted subject's own spectra.

    In a stationary Gaussian cohort the per-frequency one bounds every model; where there are evoked, non-Gaussian or
    non-stationary parts, or a baseline is subtracted from each window, it is a reference only. The instantaneous one is no bound:
    models see neighbouring samples.
    """
    return score_filter(_filter(spectra, kind), spectra)


def linear_reference(training: Sequence[JointSpectra], test: JointSpectra, kind: Filter = "per_frequency") -> LinearScore:
    """Score of the best linear map that knows the training subjects' true spectra, and nothing of the test subject.

    Not a bound: a model that infers the subject's geometry may pass it.
    """
    return score_filter(_filter(mean_spectra(training), kind), test)


def noise_only_bound(
    truth: SubjectTruth, preprocessing: Preprocessing, target_names: Sequence[str], target_variance_s: Array
) -> dict[str, float]:
    """Explained variance of a predictor that knows everything but the sensor noise, pooled over the sensors of each type.

    It holds whatever the signals are, evoked responses and artifacts included.

    Parameters
    ----------
    truth : SubjectTruth
        For the density of the sensor noise.
    preprocessing : Preprocessing
        What it leaves of the noise follows in closed form.
    target_names : sequence of str
        Sensors of the model, in its order.
    target_variance_s : ndarray, shape (n_sensors,)
        Variance of the preprocessed data that are scored, SI units squared.
    """
    recorded, operator_sr = _rereferenced(truth, preprocessing, target_names)
    band = preprocessed_band(preprocessing, truth.sfreq)
    noise_variance_s = (operator_sr**2 @ recorded.noise_variance_density) * band.weights_hz.sum()
    type_of = dict(zip(truth.names, truth.types, strict=True))
    types = np.array([type_of[name] for name in target_names])
    bounds = {}
    for channel_type in dict.fromkeys(types.tolist()):
        of_type = types == channel_type
        bounds[channel_type] = float(1 - noise_variance_s[of_type].sum() / target_variance_s[of_type].sum())
    return bounds


def _filter(spectra: JointSpectra, kind: Filter) -> Array:
    if kind == "instantaneous":
        return instantaneous_filter(spectra)
    return wiener_filter(spectra.input_fcc, spectra.cross_fsc)


def _rereferenced(truth: SubjectTruth, preprocessing: Preprocessing, names: Sequence[str]) -> tuple[SubjectTruth, Array]:
    """Restrict truth to the recorded channels that `names` depend on, with the operator (n_names, n_recorded) that makes `names` of them.

    The average reference is over all EEG channels, whichever are named.
    """
    referenced = [preprocessing.average_reference and kind == "eeg" for kind in truth.types]
    needs_reference = any(referenced[truth.names.index(name)] for name in names)
    recorded = [index for index, name in enumerate(truth.names) if name in names or (needs_reference and referenced[index])]
    in_reference = np.array([referenced[index] for index in recorded], dtype=float)
    operator_rr = np.eye(len(recorded)) - np.outer(in_reference, in_reference) / max(in_reference.sum(), 1.0)
    position = {truth.names[index]: row for row, index in enumerate(recorded)}
    restricted = replace(
        truth,
        names=tuple(truth.names[index] for index in recorded),
        types=tuple(truth.types[index] for index in recorded),
        factors=tuple(factor[recorded] for factor in truth.factors),
        noise_variance_density=truth.noise_variance_density[recorded],
    )
    return restricted, operator_rr[[position[name] for name in names]]
