"""A simulated EEG-fMRI cohort: its coupling is what it says, and its twin has none."""

import json

import nibabel
import numpy as np
import pytest
import scipy.signal
from nibabel.affines import apply_affine

from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.physics.haemodynamics import respond
from preprocessing.simulated.brightness import draw_brightness
from preprocessing.simulated.cohort import simulate_cohort
from preprocessing.simulated.eeg_fmri import POWER_RATE_HZ, draw_fmri_subject, simulate_fmri_run, template_anatomy

SETTINGS = EegFmriSimulation(root="unused", subjects=1, n_volumes=150, sfreq=100, n_dipoles=60, regions=3, voxel_mm=16, seed=5)


@pytest.fixture(scope="module")
def subject():
    return draw_fmri_subject(SETTINGS, "01")


@pytest.fixture(scope="module", params=["coupled", "null"])
def run(request, subject):
    return request.param, simulate_fmri_run(subject, SETTINGS.model_copy(update={"cohort": request.param}), 1)


def means(run, anatomy):
    """Mean over each region's voxels, without its drift, relative to its mean, shape (n_regions, n_volumes)."""
    series = np.array([run.image[anatomy.atlas == number].mean(axis=0) for number in range(1, SETTINGS.regions + 1)])
    return scipy.signal.detrend(series / series.mean(axis=1, keepdims=True), axis=1)


def test_the_plain_cohort_is_what_it_was_before_richer_ones_came():
    """Samples of a run as first simulated; processors round otherwise."""
    made = simulate_fmri_run(draw_fmri_subject(SETTINGS, "02"), SETTINGS.model_copy(update={"n_volumes": 40}), 1)
    np.testing.assert_allclose(made.eeg[5, [0, 1000]], [1.17163476e-06, 1.11666035e-08], rtol=1e-6)
    np.testing.assert_allclose(made.image[4, 5, 3, [0, 20]], [998.3986, 995.4654], rtol=1e-6)
    np.testing.assert_allclose(made.power[1, [0, 50]], [0.72175212, 1.07709255], rtol=1e-6)
    np.testing.assert_allclose(made.response[2, [5, 30]], [-0.00854803, 0.00132101], rtol=1e-5)


def test_a_region_changes_by_what_its_power_says_within_the_standard_error(run, subject):
    _, made = run
    for region, series in enumerate(means(made, subject.anatomy)):
        driven = scipy.signal.detrend(made.response[region])
        slope = series @ driven / (driven @ driven)
        voxels = (subject.anatomy.atlas == region + 1).sum()
        error = 1e-2 * SETTINGS.noise_percent / np.sqrt(voxels) / np.sqrt(driven @ driven)
        assert abs(slope - 1) < 4 * error
        assert error < 0.2


def test_power_of_the_eeg_predicts_the_coupled_regions_and_no_null_one(run, subject):
    """The whole way back: electrodes to regions by their known patterns, power, response, against the image."""
    cohort, made = run
    regions = np.linalg.pinv(subject.patterns) @ made.eeg
    band = scipy.signal.butter(4, SETTINGS.band_hz, "bandpass", fs=SETTINGS.sfreq, output="sos")
    power = np.abs(scipy.signal.hilbert(scipy.signal.sosfiltfilt(band, regions))) ** 2
    blocks = round(SETTINGS.sfreq / POWER_RATE_HZ)
    power = power[:, : power.shape[1] // blocks * blocks].reshape(SETTINGS.regions, -1, blocks).mean(axis=2)
    predicted = respond(power - power.mean(axis=1, keepdims=True), POWER_RATE_HZ)
    times_s = np.arange(predicted.shape[1]) / POWER_RATE_HZ
    at_volumes = np.array([np.interp(made.onset_s, times_s, row) for row in predicted])[:, 16:]  # the response before is not seen
    found = [np.corrcoef(*pair)[0, 1] for pair in zip(at_volumes, means(made, subject.anatomy)[:, 16:], strict=True)]
    if cohort == "coupled":
        assert min(found) > 0.6
    else:
        assert max(np.abs(found)) < 0.45
        assert abs(np.mean(found)) < 0.3


def test_both_cohorts_differ_only_in_what_drives_the_image(subject):
    coupled, null = (simulate_fmri_run(subject, SETTINGS.model_copy(update={"cohort": cohort}), 1) for cohort in ("coupled", "null"))
    np.testing.assert_array_equal(coupled.onset_s, null.onset_s)
    np.testing.assert_array_equal(coupled.power, null.power)
    np.testing.assert_array_equal(coupled.eeg, null.eeg)
    assert coupled.response.std() == pytest.approx(null.response.std(), rel=0.5)
    assert not np.allclose(coupled.response, null.response)


def test_power_has_mean_one_and_the_depth_asked_for():
    settings = SETTINGS.model_copy(update={"n_volumes": 20, "regions": 20, "n_dipoles": 60})
    powers = np.concatenate([simulate_fmri_run(draw_fmri_subject(settings, "01"), settings, run).power.ravel() for run in range(1, 9)])
    assert np.log(powers).std() == pytest.approx(settings.power_depth, rel=0.15)
    assert powers.mean() == pytest.approx(1, rel=0.15)


def test_every_region_has_voxels_inside_the_brain():
    anatomy = template_anatomy(EegFmriSimulation(root="unused", regions=12, n_dipoles=100))
    assert np.unique(anatomy.atlas).tolist() == list(range(13))
    assert not anatomy.atlas[~anatomy.brain].any()


def test_an_image_has_the_grid_asked_for_with_the_brain_in_its_middle():
    anatomy = template_anatomy(SETTINGS.model_copy(update={"grid": (20, 24, 18), "voxel_mm": 10.0}))
    assert anatomy.brain.shape == anatomy.atlas.shape == (20, 24, 18)
    places = np.argwhere(anatomy.brain)
    np.testing.assert_array_equal(places.min(axis=0) + places.max(axis=0), np.array(anatomy.brain.shape) - 1)
    # On whatever grid, a brain lies where it lies.
    usual = template_anatomy(SETTINGS)
    middles = [apply_affine(each.affine, np.argwhere(each.brain)).mean(axis=0) for each in (anatomy, usual)]
    np.testing.assert_allclose(*middles, atol=SETTINGS.voxel_mm / 2)


def test_brains_differ_between_voxels_as_asked_and_mostly_alike_in_all_people():
    settings = SETTINGS.model_copy(update={"grid": (24, 24, 20), "voxel_mm": 8.0, "anatomy_percent": 20.0})
    brain = template_anatomy(settings).brain
    people = [draw_brightness(settings, brain, label)[brain] for label in ("01", "02")]
    for person in people:
        assert person.std() / person.mean() == pytest.approx(0.2, rel=0.1)
    assert np.corrcoef(*people)[0, 1] == pytest.approx(0.8, abs=0.1)
    assert len(np.unique(draw_brightness(SETTINGS, template_anatomy(SETTINGS).brain, "01"))) == 2


def test_cohort_on_disk_holds_what_was_drawn(tmp_path):
    settings = SETTINGS.model_copy(update={"root": str(tmp_path / "cohort"), "n_volumes": 20, "subjects": 1})
    assert simulate_cohort(settings, lambda label: None) == 1
    assert simulate_cohort(settings, lambda label: None) == 0
    folder = tmp_path / "cohort"
    run = simulate_fmri_run(draw_fmri_subject(settings, "01"), settings, 1)
    image = nibabel.load(folder / "sub-01/func/sub-01_task-rest_run-01_bold.nii.gz")
    assert np.abs(image.get_fdata() - run.image).max() <= 0.5 + 1e-3
    assert json.loads((folder / "sub-01/func/sub-01_task-rest_run-01_bold.json").read_text())["RepetitionTime"] == 2.0
    truth = np.load(folder / "derivatives/truth/sub-01/sub-01_task-rest_run-01_truth.npz")
    np.testing.assert_array_equal(truth["response"], run.response)
    assert truth["onset_s"][0] >= settings.lead_in_s[0]
    # The stored transform leads from the person's image to the atlas.
    to_template = np.loadtxt(folder / "derivatives/truth/sub-01/sub-01_to-template.txt")
    np.testing.assert_allclose(to_template @ image.affine, nibabel.load(folder / "derivatives/truth/atlas.nii.gz").affine, atol=1e-3)
