"""Oracle, linear reference and noise-only bound of simulated subjects."""

import mne
import numpy as np
import pytest
from mne.transforms import Transform

from crossmodal.config.preprocessing import Preprocessing
from crossmodal.config.simulation import SourceSpectrum
from crossmodal.evaluation.ceilings import joint_spectra, linear_reference, noise_only_bound, oracle
from crossmodal.physics.cortex import template_cortex, template_head
from crossmodal.physics.head import lead_field, sphere_head, upper_scalp
from crossmodal.physics.sources import sensor_factor, source_components
from crossmodal.physics.spectra import aperiodic_density
from crossmodal.physics.truth import SubjectTruth

SFREQ = 250.0
UNTOUCHED = Preprocessing(highpass_hz=None, lowpass_hz=None, sfreq=None, average_reference=False)
NAMES = tuple(f"EEG{number}" for number in range(8)) + tuple(f"MEG{number}" for number in range(6))
EEG, MEG = NAMES[:8], NAMES[8:]
TYPES = ("eeg",) * 8 + ("mag",) * 4 + ("grad",) * 2
UNIT = np.array([1e-5] * 8 + [1e-13] * 4 + [3e-12] * 2)
NOISE_VARIANCE = (0.3 * UNIT) ** 2


def subject(seed: int, exponent: float = 1.0, spread: float = 0.5) -> SubjectTruth:
    """One of a cohort whose mixing varies by `spread` about a common one."""
    common, own = (np.random.default_rng(state).standard_normal((14, 5)) for state in (0, seed + 1))
    factor = UNIT[:, None] * (common + spread * own) / np.sqrt(5)
    density = aperiodic_density(SourceSpectrum(exponent=exponent), SFREQ / 2)
    return SubjectTruth(NAMES, TYPES, (factor,), (density,), NOISE_VARIANCE / (SFREQ / 2), SFREQ)


def test_spectra_integrate_to_the_covariance_of_rereferenced_channels() -> None:
    truth = subject(0)
    settings = UNTOUCHED.model_copy(update={"average_reference": True})
    chosen = EEG[:3]

    spectra = joint_spectra(truth, settings, chosen, MEG, n_freqs=400)

    covariance = truth.factors[0] @ truth.factors[0].T + np.diag(NOISE_VARIANCE)
    is_eeg = np.array(TYPES) == "eeg"
    reference = np.eye(14) - np.outer(is_eeg, is_eeg) / 8
    expected = reference @ covariance @ reference.T
    weights = spectra.band.weights_hz
    np.testing.assert_allclose(np.tensordot(weights, spectra.input_fcc, 1), expected[:3, :3], rtol=1e-3)
    np.testing.assert_allclose(np.tensordot(weights, spectra.cross_fsc, 1), expected[8:, :3], rtol=1e-3)
    np.testing.assert_allclose(np.tensordot(weights, spectra.target_fss, 1), expected[8:, 8:], rtol=1e-3)
    assert spectra.target_types == TYPES[8:]


def test_channels_keep_the_order_they_are_asked_in() -> None:
    spectra = joint_spectra(subject(0), Preprocessing(), EEG, MEG)
    shuffled = joint_spectra(subject(0), Preprocessing(), EEG[::-1], MEG[::-1])

    np.testing.assert_allclose(shuffled.cross_fsc, spectra.cross_fsc[:, ::-1, ::-1])
    assert shuffled.target_types == TYPES[8:][::-1]
    np.testing.assert_allclose(oracle(shuffled).explained_variance_s, oracle(spectra).explained_variance_s[::-1])


def test_either_modality_is_predicted() -> None:
    score = oracle(joint_spectra(subject(0), Preprocessing(), MEG, EEG))

    assert list(score.pooled) == ["eeg"]
    assert 0.5 < score.pooled["eeg"].explained_variance < 1


def test_few_frequencies_suffice() -> None:
    few, many = (oracle(joint_spectra(subject(0), Preprocessing(), EEG, MEG, n_freqs)).pooled["mag"] for n_freqs in (128, 2000))

    assert few.explained_variance == pytest.approx(many.explained_variance, abs=1e-4)
    assert few.standard_error(60) == pytest.approx(many.standard_error(60), rel=1e-2)


def test_coloured_sources_gain_from_neighbouring_samples() -> None:
    """More so the steeper the spectrum; the instantaneous filter sees total variances alone."""
    gains = []
    for exponent in (0.0, 1.0, 2.0):
        spectra = joint_spectra(subject(0, exponent), UNTOUCHED, EEG, MEG)
        gains.append(oracle(spectra).pooled["mag"].explained_variance / oracle(spectra, "instantaneous").pooled["mag"].explained_variance)

    assert gains[0] == pytest.approx(1)
    assert 1.01 < gains[1] < gains[2]


def test_linear_reference_reaches_the_oracle_only_where_subjects_are_alike() -> None:
    def both(spread: float) -> tuple[float, float]:
        cohort = [joint_spectra(subject(seed, spread=spread), Preprocessing(), EEG, MEG) for seed in range(5)]
        return linear_reference(cohort[1:], cohort[0]).pooled["mag"].explained_variance, oracle(cohort[0]).pooled["mag"].explained_variance

    alike, different = both(spread=0.0), both(spread=0.5)

    assert alike[0] == pytest.approx(alike[1])
    assert different[0] < 0.95 * different[1]


def test_oracle_of_independent_modalities_is_nothing() -> None:
    coupled = subject(0)
    is_eeg = np.array(TYPES) == "eeg"
    own = tuple(coupled.factors[0] * rows[:, None] for rows in (is_eeg, ~is_eeg))
    null = SubjectTruth(NAMES, TYPES, own, coupled.spectra * 2, coupled.noise_variance_density, SFREQ)

    score = oracle(joint_spectra(null, Preprocessing(), EEG, MEG))

    np.testing.assert_allclose(score.explained_variance_s, 0, atol=1e-12)


def test_noise_only_bound_is_the_share_of_signal() -> None:
    truth, settings = subject(0), Preprocessing()
    spectra = joint_spectra(truth, settings, EEG, MEG)
    variance_s = spectra.band.weights_hz @ np.einsum("fss->fs", spectra.target_fss)

    bound = noise_only_bound(truth, settings, MEG, variance_s)

    noise_s = NOISE_VARIANCE[8:] / (SFREQ / 2) * spectra.band.weights_hz.sum()
    assert bound["mag"] == pytest.approx(1 - noise_s[:4].sum() / variance_s[:4].sum())
    assert bound["grad"] == pytest.approx(1 - noise_s[4:].sum() / variance_s[4:].sum())
    assert all(bound[kind] > pooled.explained_variance for kind, pooled in oracle(spectra).pooled.items())


def test_noise_only_bound_knows_that_the_average_reference_takes_noise_away() -> None:
    truth = subject(0)
    settings = UNTOUCHED.model_copy(update={"average_reference": True})

    bound = noise_only_bound(truth, settings, EEG, target_variance_s=np.full(8, 1e-10))

    assert bound["eeg"] == pytest.approx(1 - NOISE_VARIANCE[0] * (1 - 1 / 8) / 1e-10)


@pytest.mark.slow
def test_oracle_of_a_cortex_in_a_sphere_agrees_with_the_spec() -> None:
    """specs/eeg_to_meg.md section 4: .487 for white sources of 2 cm, of which 1/f ones explain 1.10x and 1/f^2 ones 1.33x as much."""
    head = sphere_head(upper_scalp(template_head().scalp_m))
    dipoles = head.confine(template_cortex(1500))
    info = _helmet_and_cap()
    field = lead_field(info, dipoles, head)
    names, types = tuple(info["ch_names"]), tuple(info.get_channel_types())
    noise_density = np.array([{"eeg": 0.5e-6, "mag": 20e-15}[kind] ** 2 for kind in types]) / (SFREQ / 2)

    def explained(exponent: float) -> float:
        spectrum = SourceSpectrum(exponent=exponent, alpha_power_ratio=0)
        (component,) = source_components(dipoles.positions_m, 0.02, 5e-10, spectrum, SFREQ / 2)
        factor = sensor_factor(field, component.covariance)
        truth = SubjectTruth(names, types, (factor,), (component.density,), noise_density, SFREQ)
        settings = UNTOUCHED.model_copy(update={"average_reference": True})
        eeg, mag = ([name for name, kind in zip(names, types, strict=True) if kind == wanted] for wanted in ("eeg", "mag"))
        return oracle(joint_spectra(truth, settings, eeg, mag)).pooled["mag"].explained_variance

    white = explained(0.0)

    assert white == pytest.approx(0.487, abs=0.06)
    assert explained(1.0) / white == pytest.approx(1.10, abs=0.03)
    assert explained(2.0) / white == pytest.approx(1.33, abs=0.06)


def _helmet_and_cap() -> mne.Info:
    """102 magnetometers and 60 electrodes in head coordinates of the template."""
    helmet = mne.channels.read_meg_canonical_info("neuromag")
    helmet = mne.pick_info(helmet, mne.pick_types(helmet, meg="mag"))
    montage = mne.channels.make_standard_montage("fsaverage_1005")
    cap = mne.channels.make_standard_montage("standard_1020").ch_names
    electrodes = [name for name in cap if name in montage.ch_names and not name.startswith(("A", "M"))][:60]
    eeg = mne.create_info(electrodes, SFREQ, "eeg").set_montage(montage)
    info = mne.create_info([*electrodes, *helmet["ch_names"]], SFREQ, ["eeg"] * len(electrodes) + ["mag"] * 102)
    with info._unlock():
        for channel, known in zip(info["chs"], [*eeg["chs"], *helmet["chs"]], strict=True):
            channel.update(loc=known["loc"], coil_type=known["coil_type"], coord_frame=known["coord_frame"])
        info["dev_head_t"] = Transform("meg", "head", np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.05], [0, 0, 0, 1]]))
    return info
