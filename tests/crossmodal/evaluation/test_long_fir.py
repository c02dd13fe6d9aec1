"""The subject-fitted FIR beside the oracle, on Gaussian stationary recordings drawn from known spectra."""

import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.config.simulation import SourceSpectrum
from crossmodal.evaluation.ceilings import joint_spectra, oracle
from crossmodal.evaluation.long_fir import long_fir
from crossmodal.physics.gaussian import sample_signal
from crossmodal.physics.spectra import alpha_density, aperiodic_density
from crossmodal.physics.truth import SubjectTruth

SFREQ = 100.0
SETTINGS = Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None, average_reference=False)
N_EEG, N_MEG = 10, 8


def low_rank_subject() -> SubjectTruth:
    """Aperiodic and alpha sources of few dimensions seen by ten electrodes and eight magnetometers."""
    rng = np.random.default_rng(0)
    unit = np.array([1e-5] * N_EEG + [1e-13] * N_MEG)
    factors = tuple(unit[:, None] * rng.standard_normal((len(unit), 6)) / np.sqrt(6) for _ in range(2))
    names = tuple(f"{kind}{number}" for kind, count in (("EEG", N_EEG), ("MEG", N_MEG)) for number in range(count))
    types = ("eeg",) * N_EEG + ("mag",) * N_MEG
    spectrum = SourceSpectrum()
    densities = (aperiodic_density(spectrum, SFREQ / 2), alpha_density(spectrum, SFREQ / 2))
    return SubjectTruth(names, types, factors, densities, (0.5 * unit) ** 2 / (SFREQ / 2), SFREQ)


@pytest.fixture(scope="module")
def truth() -> SubjectTruth:
    return low_rank_subject()


def recording(truth: SubjectTruth, duration_s: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    data_tc = sample_signal(truth, round(duration_s * SFREQ), np.random.default_rng(seed)).T.astype(np.float32)
    return data_tc[:, :N_EEG], data_tc[:, N_EEG:], np.ones(len(data_tc), dtype=bool)


def test_it_comes_within_three_percent_of_the_oracle(truth: SubjectTruth) -> None:
    score = oracle(joint_spectra(truth, SETTINGS, truth.names[:N_EEG], truth.names[N_EEG:])).pooled["mag"]
    instantaneous = oracle(joint_spectra(truth, SETTINGS, truth.names[:N_EEG], truth.names[N_EEG:]), "instantaneous").pooled["mag"]
    duration_s = 480.0

    fir = long_fir([recording(truth, duration_s, seed=1)], SFREQ, half_length_s=0.2)

    explained = fir.unseen.explained_variance()
    assert 0.97 * score.explained_variance < explained < score.explained_variance + 3 * score.standard_error(duration_s)
    assert explained > instantaneous.explained_variance
    midway = (explained + fir.fitted.explained_variance()) / 2
    assert midway == pytest.approx(score.explained_variance, rel=0.02)


def test_it_learns_nothing_where_there_is_nothing(truth: SubjectTruth) -> None:
    input_tc, _, good_t = recording(truth, 120.0, seed=2)
    _, unrelated_ts, _ = recording(truth, 120.0, seed=3)

    fir = long_fir([(input_tc, unrelated_ts, good_t)], SFREQ, half_length_s=0.1)

    assert fir.unseen.explained_variance() < 0.01
    assert fir.fitted.explained_variance() > 0.01


def test_masked_samples_count_neither_in_the_fit_nor_in_the_score(truth: SubjectTruth) -> None:
    input_tc, target_ts, good_t = recording(truth, 120.0, seed=4)
    good_t[4000:4400] = False
    broken_tc, broken_ts = input_tc.copy(), target_ts.copy()
    broken_tc[~good_t], broken_ts[~good_t] = np.nan, np.nan

    broken = long_fir([(broken_tc, broken_ts, good_t)], SFREQ, half_length_s=0.1)
    whole = long_fir([(input_tc, target_ts, good_t)], SFREQ, half_length_s=0.1)

    assert broken.unseen.explained_variance() == pytest.approx(whole.unseen.explained_variance())


def test_runs_of_one_subject_are_taken_together(truth: SubjectTruth) -> None:
    runs = [recording(truth, 60.0, seed) for seed in (5, 6, 7)]

    together = long_fir(runs, SFREQ, half_length_s=0.1).unseen.explained_variance()

    assert together > long_fir(runs[:1], SFREQ, half_length_s=0.1).unseen.explained_variance()


def test_sensors_may_be_pooled_by_type(truth: SubjectTruth) -> None:
    fir = long_fir([recording(truth, 60.0, seed=8)], SFREQ, half_length_s=0.05)

    one = fir.unseen.explained_variance(np.array([2]))

    assert one == pytest.approx(1 - fir.unseen.error_s[2] / fir.unseen.target_s[2])


def test_too_short_a_recording_is_refused(truth: SubjectTruth) -> None:
    with pytest.raises(UserError, match="fir_lag_s"):
        long_fir([recording(truth, 6.0, seed=9)], SFREQ, half_length_s=0.3)
