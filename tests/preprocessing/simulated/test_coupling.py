"""A cohort with several bands, responses and events: what drives its BOLD is found again, and no more than that."""

import csv

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import pearsonr

from crossmodal.config.eeg_fmri import BidsFmriRecordings
from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.physics.haemodynamics import respond
from crossmodal.tasks.volumes.own_ridge import cross_fitted
from crossmodal.transforms.band_power import LogBandPower
from preprocessing.readers.reading import list_recordings
from preprocessing.simulated.cohort import simulate_cohort
from preprocessing.simulated.eeg_fmri import draw_fmri_subject, simulate_fmri_run
from preprocessing.simulated.rhythms import POWER_RATE_HZ, Rhythms

SETTINGS = EegFmriSimulation(
    root="unused",
    subjects=2,
    sessions=2,
    runs=2,
    n_volumes=300,
    sfreq=100,
    n_dipoles=60,
    regions=4,
    voxel_mm=16,
    seed=5,
    noise_percent=0.5,
    coupling={},
    noise={},
    oddball={},
)
RHYTHMS = Rhythms.of(SETTINGS)


@pytest.fixture(scope="module")
def subject():
    return draw_fmri_subject(SETTINGS, "01")


def means(run, anatomy):
    """Mean over each region's voxels, per cent of its mean, shape (n_regions, n_volumes)."""
    series = np.array([run.image[anatomy.atlas == number].mean(axis=0) for number in range(1, SETTINGS.regions + 1)])
    return 100 * (series / series.mean(axis=1, keepdims=True) - 1)


def fitted(series, made, region, peak_s):
    """Regress a region's BOLD on the true power of its bands through a response: strengths by band, and what is left."""
    own = np.flatnonzero(RHYTHMS.region_g == region)
    answer = respond(made.power[own] - 1, POWER_RATE_HZ, peak_s)
    at_volumes = [np.interp(made.onset_s, np.arange(answer.shape[1]) / POWER_RATE_HZ, row) for row in answer]
    late = made.onset_s > 35  # the power before the first sample is not kept
    trend = made.onset_s - made.onset_s.mean()
    design = np.column_stack([*at_volumes, np.ones(len(trend)), trend, trend**2, trend**3])[late]
    weights, (left,), *_ = np.linalg.lstsq(design, series[late])
    return dict(zip((RHYTHMS.bands_g[index] for index in own), weights, strict=False)), left / late.sum()


def test_signs_strengths_and_peaks_are_found_again_in_coupled_regions_alone(subject):
    fast = SETTINGS.model_copy(update={"power_time_s": 1.5, "tr_s": 1.0})
    made = simulate_fmri_run(subject, fast, 1)
    peaks_s = np.arange(3.0, 9.01, 0.25)
    for region, series in enumerate(means(made, subject.anatomy)):
        fits = [fitted(series, made, region, peak_s) for peak_s in peaks_s]
        best = int(np.argmin([left for _, left in fits]))
        strengths, left = fits[best]
        expected = fast.change_percent * made.coupling.strength_rg[region, RHYTHMS.region_g == region]
        if made.coupling.is_shown_r[region]:
            assert abs(peaks_s[best] - made.coupling.peak_s_r[region]) < 0.5
            np.testing.assert_allclose(list(strengths.values()), expected, atol=0.25)
            assert left < 0.6 * series.var()
        else:
            assert left > 0.8 * series.var()
    assert made.coupling.is_shown_r.tolist() == [True, True, True, False]


def test_people_and_sessions_differ_in_strength_and_peaks_stay_within_their_range(subject):
    settings = SETTINGS.model_copy(update={"n_volumes": 20, "regions": 20, "n_dipoles": 200})
    first, again, other = (
        simulate_fmri_run(draw_fmri_subject(settings, label), settings, 1, session).coupling
        for label, session in (("01", 1), ("01", 2), ("02", 1))
    )
    named = first.strength_rg != 0
    ratios = [np.log(each.strength_rg[named] / first.strength_rg[named]) for each in (again, other)]
    assert ratios[0].std() == pytest.approx(np.sqrt(2) * settings.coupling.session_spread, rel=0.5)
    assert ratios[1].std() > 2 * ratios[0].std()
    np.testing.assert_array_equal(first.peak_s_r, again.peak_s_r)
    for each in (first, other):
        assert ((each.peak_s_r >= 4) & (each.peak_s_r <= 8)).all()
        assert np.ptp(each.peak_s_r) > 2
    assert np.abs(first.peak_s_r - other.peak_s_r).max() < 3


def band_features(made, tr_s):
    """Log band power of all electrodes in 2 s bins of the 20 s before each volume, and which volumes have them."""
    power = LogBandPower({"alpha": (8, 13), "beta": (13, 30), "gamma": (30, 40)}, 2.0, SETTINGS.sfreq, round(20 * SETTINGS.sfreq))
    seen = made.onset_s >= 20
    stops = np.round(made.onset_s[seen] * SETTINGS.sfreq).astype(int)
    windows = np.stack([made.eeg[:, stop - power.n_bin * power.n_bins : stop] for stop in stops]) * 1e6
    features = power(torch.from_numpy(windows).float()).flatten(1).double().numpy()
    return features, seen


@pytest.mark.parametrize("cohort", ["coupled", "null"])
def test_a_ridge_on_lagged_band_power_finds_coupled_regions_and_nothing_on_the_null_twin(subject, cohort):
    made = simulate_fmri_run(subject, SETTINGS.model_copy(update={"cohort": cohort, "runs": 1}), 1)
    features, seen = band_features(made, SETTINGS.tr_s)
    targets = means(made, subject.anatomy)[:, seen].T
    predicted = cross_fitted(features, targets, np.zeros(len(targets), dtype=int), made.onset_s[seen], 52.0, (0.1, 1.0, 10.0, 100.0))
    found = np.array([pearsonr(*pair).statistic for pair in zip(predicted.T, targets.T, strict=True)])
    if cohort == "coupled":
        assert found[:3].mean() > 0.35
        assert found[3] < 0.25
    else:
        assert found.mean() < 0.15
        assert not (made.coupling.strength_rg * made.coupling.is_shown_r[:, None]).any()


def test_targets_evoke_a_potential_and_change_power_that_bold_follows_where_it_is_coupled(subject):
    loud = SETTINGS.model_copy(update={"eeg_noise_v": 0.0, "background_moment_am": 0.0})
    made = simulate_fmri_run(subject, loud, 2)
    rest = simulate_fmri_run(subject, loud.model_copy(update={"oddball": None}), 2)
    assert simulate_fmri_run(subject, loud, 1).events is None
    kinds = np.array(made.events.trial_type)
    targets, standards = (made.events.onset_s[kinds == kind] for kind in ("target", "standard"))
    assert 0.1 < len(targets) / (len(targets) + len(standards)) < 0.3
    assert (kinds == "response").sum() == len(targets)
    # Both runs are drawn alike: what differs between them, events made.
    change = np.log(made.power / rest.power)
    after = [change[:, round((onset_s + 0.6) * POWER_RATE_HZ)].reshape(4, 3) for onset_s in targets]
    assert (np.mean(after, axis=0)[:, 0] < -0.6).all()
    assert (np.mean(after, axis=0)[:, 2] > 0.4).all()
    added = made.response - rest.response
    expected = respond(made.coupling.strength_rg @ (made.power - rest.power), POWER_RATE_HZ, made.coupling.peak_s_r)
    at_volumes = np.array([np.interp(made.onset_s, np.arange(expected.shape[1]) / POWER_RATE_HZ, row) for row in expected])
    np.testing.assert_allclose(added[:3], 0.01 * loud.change_percent * at_volumes[:3], atol=1e-6)
    assert added[:3].mean(axis=1).min() > 0
    assert not added[3].any()
    null = simulate_fmri_run(subject, loud.model_copy(update={"cohort": "null"}), 2)
    null_rest = simulate_fmri_run(subject, loud.model_copy(update={"cohort": "null", "oddball": None}), 2)
    np.testing.assert_array_equal(null.response, null_rest.response)
    np.testing.assert_array_equal(null.eeg, made.eeg)
    around = [np.round((onset_s + np.array([-0.1, 0.35])) * loud.sfreq).astype(int) for onset_s in targets]
    pattern = subject.patterns.sum(axis=1)
    potential = np.mean([pattern @ (made.eeg[:, peak] - made.eeg[:, before]) for before, peak in around]) / (pattern @ pattern)
    assert potential == pytest.approx(loud.oddball.evoked_moment, rel=0.3)


def test_sessions_and_tasks_are_files_that_the_reader_tells_apart(tmp_path):
    settings = SETTINGS.model_copy(update={"root": str(tmp_path / "cohort"), "subjects": 1, "n_volumes": 30})
    assert simulate_cohort(settings, lambda label: None) == 1
    root = tmp_path / "cohort"
    truth = "derivatives/truth/sub-{subject}/sub-{subject}_to-template.txt"
    recordings = BidsFmriRecordings(
        root=str(root), motion=f"{root}/derivatives/motion/sub-{{subject}}/{{name}}_motion.tsv", transforms=f"{root}/{truth}"
    )
    entries = list_recordings(recordings)
    assert [(entry.session, entry.run) for entry in entries] == [
        ("01", "ses-01_task-oddball_02"),
        ("01", "ses-01_task-rest_01"),
        ("02", "ses-02_task-oddball_02"),
        ("02", "ses-02_task-rest_01"),
    ]
    assert not any(entry.flaw for entry in entries)
    assert all(file.version for entry in entries for file in entry.all_files)
    with open(entries[0].events.uri, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    made = simulate_fmri_run(draw_fmri_subject(settings, "01"), settings, 2)
    assert [row["trial_type"] for row in rows] == list(made.events.trial_type)
    np.testing.assert_allclose([float(row["onset"]) for row in rows], made.events.onset_s, atol=1e-3)
    kept = np.load(root / "derivatives/truth/sub-01/sub-01_ses-01_task-oddball_run-02_truth.npz")
    np.testing.assert_array_equal(kept["power"], made.power)
    np.testing.assert_allclose(kept["strength"][:3], settings.change_percent * made.coupling.strength_rg[:3])
    assert not kept["strength"][3].any()
    assert kept["bands"].tolist() == ["alpha", "beta", "gamma"] * 4
    with open(root / "derivatives/truth/sub-01/sub-01_regions.tsv", newline="") as file:
        depths = [float(row["nearest_electrode"]) for row in csv.DictReader(file, delimiter="\t")]
    assert all(0.005 < depth < 0.1 for depth in depths)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"coupling": {"regions": [{"strength": {"delta": 1}}]}}, "regions.strength: there is no band 'delta'"),
        ({"coupling": None}, "oddball: events change power in bands of coupling"),
        ({"oddball": {"runs": [3]}}, "oddball.runs: a session has runs 1 to 2"),
        ({"oddball": {"log_power": {"mu": 1}}}, "oddball.log_power: there is no band 'mu'"),
        ({"sfreq": 60}, "coupling.bands.gamma.hz must lie below half of sfreq"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, sentence):
    with pytest.raises(ValidationError, match=sentence):
        EegFmriSimulation.model_validate(SETTINGS.model_dump() | changes)
