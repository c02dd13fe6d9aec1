"""Whatever a scanner's gain, targets are the same per cent."""

import nibabel
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.bold import Bold
from crossmodal.config.eeg_fmri import NoddiRecordings
from preprocessing.bold import to_volumes
from preprocessing.readers.eeg_fmri.image import OpenedBold
from preprocessing.steps.bold.percent import changes

N_VOLUMES = 30
X, Y, Z = np.mgrid[:12, :12, :8]
BALL = (X - 6) ** 2 + (Y - 6) ** 2 + 2 * (Z - 4) ** 2 < 20
LEFT = BALL & (X < 6)


@pytest.fixture
def scan():
    """A ball whose halves differ in brightness, of which each changes in its own way by a few per cent; the head moves once."""
    rng = np.random.default_rng(0)
    course_rv = 0.02 * rng.standard_normal((2, N_VOLUMES))
    brightness = np.where(BALL, np.where(LEFT, 800.0, 1200.0), 10.0)
    data = brightness[..., None] * (1 + np.where(LEFT[..., None], course_rv[0], course_rv[1]) + 0.005 * rng.standard_normal((12, 12, 8, 1)))
    data[..., 20] *= 1.5
    return data.astype(np.float32)


@pytest.fixture
def targets(tmp_path):
    """Settings of each kind of target."""
    labels = np.where(LEFT, 1, np.where(BALL, 2, 0))
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.int16), np.eye(4)), tmp_path / "atlas.nii")
    nibabel.save(nibabel.Nifti1Image(np.stack([LEFT, BALL & ~LEFT], axis=-1).astype(np.float32), np.eye(4)), tmp_path / "maps.nii")
    return {
        "voxels": {"kind": "voxels"},
        "regions": {"kind": "regions", "atlas": str(tmp_path / "atlas.nii")},
        "maps": {"kind": "maps", "maps": str(tmp_path / "maps.nii")},
    }


def prepared(data, targets, folder):
    times_s, motion = 2.0 * np.arange(N_VOLUMES), np.zeros((N_VOLUMES, 6))
    motion[20, 0] = motion[20:, 1] = 1.0
    opened = OpenedBold("bold.nii", nibabel.Nifti1Image(data, np.eye(4)), 2.0, times_s, motion, None, ())
    settings = Bold(targets=targets, dvars_iqr=None, detrend_order=0)
    return to_volumes(opened, settings, NoddiRecordings(root="unused"), folder, "sub-1 run 01")[0]


@pytest.mark.parametrize("kind", ["voxels", "regions", "maps"])
def test_two_scans_that_differ_by_a_gain_have_the_same_targets(scan, targets, tmp_path, kind):
    one, two = (prepared(gain * scan, targets[kind], tmp_path).data_vs for gain in (np.float32(1.0), np.float32(1.3)))
    assert np.abs(one).max() > 1
    np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-4)


def test_regions_are_changes_about_the_mean_of_good_volumes(scan, targets, tmp_path):
    volumes = prepared(scan, targets["regions"], tmp_path)
    left_v = scan[LEFT].mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(volumes.data_vs[:, 0], 100 * (left_v / left_v[volumes.good].mean() - 1), atol=1e-3)
    np.testing.assert_allclose(volumes.data_vs[volumes.good].mean(axis=0), 0, atol=1e-5)


def test_voxels_keep_the_anatomy_about_a_mean_of_hundred(scan, targets, tmp_path):
    volumes = prepared(scan, targets["voxels"], tmp_path)
    inside_vs = volumes.data_vs[:, volumes.brain[volumes.stored]][volumes.good]
    assert inside_vs.mean() == pytest.approx(100, rel=1e-4)
    np.testing.assert_allclose(volumes.data_vs[0] / volumes.data_vs[0, 0], (scan[..., 0] / scan[0, 0, 0, 0]).ravel(), rtol=1e-4)


def test_maps_are_changes_in_per_cent_of_the_brain(scan, targets, tmp_path):
    volumes, whole = (prepared(scan, targets[kind], tmp_path) for kind in ("maps", "voxels"))
    left_v = whole.data_vs[:, LEFT[whole.stored]].mean(axis=1)
    np.testing.assert_allclose(volumes.data_vs[:, 0], left_v - left_v[volumes.good].mean(), atol=1e-2)


def test_an_image_without_its_mean_is_refused(scan, targets, tmp_path):
    with pytest.raises(UserError, match="the mean of the brain, .*, is no higher than its changes .* whose mean was not taken off"):
        prepared(scan - scan.mean(axis=-1, keepdims=True), targets["regions"], tmp_path)


def test_a_region_below_zero_is_refused_by_its_name():
    data_vs = np.array([[1.0, -1.0], [2.0, -3.0]], dtype=np.float32)
    with pytest.raises(UserError, match="sub-1 run 01: region low has a mean of -2"):
        changes(data_vs, np.ones(2, dtype=bool), ("high", "low"), "sub-1 run 01")
