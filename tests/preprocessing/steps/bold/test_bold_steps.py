"""Each BOLD step against nilearn, SciPy or a closed form, on images made here and on real ones."""

import nibabel
import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from nilearn.maskers import NiftiMasker

from crossmodal.config import UserError
from crossmodal.config.bold import Bold
from crossmodal.config.eeg_fmri import NoddiRecordings
from preprocessing.bold import to_volumes
from preprocessing.readers.eeg_fmri.image import OpenedBold
from preprocessing.steps.bold.detrending import detrend
from preprocessing.steps.bold.resampling import NATIVE_WARNING, to_grid, to_image
from preprocessing.steps.bold.scrubbing import dvars, framewise_displacement, good_volumes
from preprocessing.steps.bold.targets import brain_mask, mean_volume, region_names, region_numbers, region_targets, voxel_targets

AFFINE = np.diag([3.0, 3.0, 4.0, 1.0])


def image_of(data, affine=AFFINE):
    return nibabel.Nifti1Image(data, affine)


@pytest.fixture
def head():
    """A bright ball in noise, ten volumes."""
    rng = np.random.default_rng(0)
    x, y, z = np.mgrid[:12, :12, :8]
    ball = (x - 6) ** 2 + (y - 6) ** 2 + 2 * (z - 4) ** 2 < 20
    data = 20 * rng.random((12, 12, 8, 10)) + 1000 * ball[..., None]
    return image_of(data.astype(np.float32)), ball


def test_framewise_displacement_is_powers_sum():
    motion = np.array([[0, 0, 0, 0, 0, 0], [0.1, -0.2, 0.3, 0.01, 0, -0.02], [0.1, -0.2, 0.3, 0.01, 0, -0.02]])
    np.testing.assert_allclose(framewise_displacement(motion), [0, 0.6 + 50 * 0.03, 0])


def test_dvars_of_white_noise_is_its_difference_s_deviation():
    noise = 3.0 * np.random.default_rng(0).standard_normal((200, 500))
    np.testing.assert_allclose(dvars(noise)[1:], 3 * np.sqrt(2), rtol=0.15)
    assert dvars(noise)[0] == 0


def test_volumes_are_masked_where_the_head_moved_and_the_run_says_how_many():
    data = np.random.default_rng(0).standard_normal((50, 400))
    data[20:] += 5  # one jump
    motion = np.zeros((50, 6))
    motion[30:, 0] = 1.0
    good, notes = good_volumes(data, motion, Bold(fd_mm=0.5, dvars_iqr=3.0))
    assert np.flatnonzero(~good).tolist() == [20, 30]
    assert notes == ["masked 2 of 50 volumes for motion"]
    good, notes = good_volumes(data, None, Bold(fd_mm=0.5, dvars_iqr=None))
    assert good.all()
    assert notes == ["has no motion parameters (recordings.motion), so only DVARS tells when the head moved"]
    assert good_volumes(data, None, Bold(fd_mm=None, dvars_iqr=None)) == (pytest.approx(np.ones(50, dtype=bool)), [])


def test_a_first_volume_before_its_steady_state_is_masked_and_a_spike_after_it_takes_none_before():
    data = np.random.default_rng(0).standard_normal((50, 400))
    unsteady, spiked = data.copy(), data.copy()
    unsteady[0] += 20
    spiked[1] += 20
    assert np.flatnonzero(~good_volumes(unsteady, None, Bold(dvars_iqr=3.0))[0]).tolist() == [0, 1]
    assert np.flatnonzero(~good_volumes(spiked, None, Bold(dvars_iqr=3.0))[0]).tolist() == [1, 2]


@given(order=st.integers(1, 4), seed=st.integers(0, 20))
def test_what_a_masked_volume_holds_changes_no_other(order, seed):
    rng = np.random.default_rng(seed)
    good = rng.random(60) > 0.2
    data = rng.standard_normal((60, 3))
    other = np.where(good[:, None], data, 1e4 * rng.standard_normal(data.shape))
    np.testing.assert_array_equal(detrend(data, good, order)[good], detrend(other, good, order)[good])


@given(order=st.integers(1, 4), seed=st.integers(0, 20))
def test_detrending_removes_any_polynomial_and_nothing_of_what_remains(order, seed):
    rng = np.random.default_rng(seed)
    time, good = np.linspace(-2, 3, 80), rng.random(80) > 0.2
    drift = np.polynomial.polynomial.polyval(time, rng.standard_normal((order + 1, 3))).T
    cleaned = detrend(drift, good, order)
    np.testing.assert_allclose(cleaned, np.broadcast_to(drift[good].mean(axis=0), (80, 3)), atol=1e-4)
    noise = rng.standard_normal((80, 3))
    np.testing.assert_allclose(detrend(noise + drift, good, order) - cleaned, detrend(noise, good, order), atol=1e-4)
    np.testing.assert_allclose(detrend(noise, good, order)[good].mean(axis=0), noise[good].mean(axis=0), atol=1e-5)


def test_linear_detrending_of_a_whole_real_run_is_scipys(real_data):
    data = nibabel.load(real_data / "bold/haxby_sub001_run001_25mm.nii.gz").get_fdata().reshape(-1, 121).T
    cleaned = detrend(data, np.ones(121, dtype=bool), 1)
    np.testing.assert_allclose(cleaned - data.mean(axis=0), scipy.signal.detrend(data, axis=0), atol=1e-2)
    masked = np.ones(121, dtype=bool)
    masked[60] = False
    spiked = data.copy()
    spiked[60] += 1e5
    kept = np.arange(121) != 60
    np.testing.assert_allclose(detrend(spiked, masked, 1)[kept], detrend(data, masked, 1)[kept], atol=1e-2)


def test_brain_is_told_from_its_background(head):
    image, ball = head
    found = brain_mask(mean_volume(image, np.full(image.shape[3], True)), image.affine, "run")
    assert (found & ball).sum() / (found | ball).sum() > 0.9
    with pytest.raises(UserError, match="run: the image is the same everywhere"):
        brain_mask(np.zeros((4, 4, 4), dtype=np.float32), image.affine, "run")


def test_what_a_masked_volume_holds_makes_no_brain(head, tmp_path):
    image, _ = head
    data, times_s = image.get_fdata(dtype=np.float32), 2.0 * np.arange(10)
    motion = np.zeros((10, 6))
    motion[6:, 0] = 1.0
    made = []
    for spike in (0.0, 1e6):
        data[:6, :, :, 6] = spike
        opened = OpenedBold("a.nii", image_of(data), 2.0, times_s, motion, None, ())
        made.append(to_volumes(opened, Bold(dvars_iqr=None), NoddiRecordings(root="unused"), tmp_path, "run")[0])
    for each in made:
        assert np.flatnonzero(~each.good).tolist() == [6]
    np.testing.assert_array_equal(made[0].brain, made[1].brain)
    np.testing.assert_array_equal(made[0].data_vs[made[0].good], made[1].data_vs[made[0].good])


def test_voxels_of_a_mask_are_nilearns(head):
    image, ball = head
    mask = image_of(ball.astype(np.int8))
    targets = voxel_targets(image, mask, "run")
    np.testing.assert_allclose(targets.data_vs, NiftiMasker(mask, standardize=None).fit_transform(image), rtol=1e-6)
    assert targets.stored.sum() == targets.data_vs.shape[1] == ball.sum()
    whole = voxel_targets(image, None, "run")
    np.testing.assert_array_equal(whole.data_vs.T.reshape(image.shape), image.get_fdata())
    with pytest.raises(UserError, match="no voxel lies inside preprocessing.bold.targets.mask"):
        voxel_targets(image, image_of(np.zeros_like(ball, dtype=np.int8)), "run")


def test_regions_are_means_over_their_voxels(head):
    image, ball = head
    atlas = np.where(ball, 7, 0)
    atlas[:6][ball[:6]] = 3
    targets = region_targets(image, image_of(atlas.astype(np.int16)), {3: "left", 7: "right"}, "run")
    assert targets.names == ("left", "right")
    data = image.get_fdata()
    np.testing.assert_allclose(targets.data_vs[:, 0], data[atlas == 3].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(targets.data_vs[:, 1], data[atlas == 7].mean(axis=0), rtol=1e-5)


def test_regions_are_named_by_the_labels_of_their_atlas_or_by_their_numbers():
    numbers = region_numbers(image_of(np.array([0, 3, 7, 7], dtype=np.int16).reshape(2, 2, 1)))
    assert region_names(numbers, None) == {3: "3", 7: "7"}
    assert region_names(numbers, {7: "right", 3: "left", 9: "not in it"}) == {3: "left", 7: "right"}
    with pytest.raises(UserError, match=r"preprocessing.bold.targets.labels: has no row for region 7 of the atlas"):
        region_names(numbers, {3: "left"})
    with pytest.raises(UserError, match=r"gives two regions of the atlas the name 'left'"):
        region_names(numbers, {3: "left", 7: "left"})


@pytest.fixture
def fine_atlas(head):
    """The ball in voxels of a third of the image's size."""
    fine = np.kron(head[1].astype(np.int16), np.ones((3, 3, 3), dtype=np.int16))
    origin = np.eye(4)
    origin[:3, 3] = -1
    return image_of(fine, AFFINE @ np.linalg.inv(np.diag([3.0, 3.0, 3.0, 1.0])) @ origin)


def test_an_atlas_of_finer_voxels_is_resampled_to_a_common_grid_and_a_lost_region_is_named(head, fine_atlas):
    image, ball = head
    data = np.array(fine_atlas.dataobj)
    data[0, 0, 0] = 9  # a corner that no voxel's centre falls into
    atlas = to_image(image_of(data, fine_atlas.affine), image, True, "atlas", "run")
    targets = region_targets(image, atlas, {1: "ball"}, "run")
    np.testing.assert_allclose(targets.data_vs[:, 0], image.get_fdata()[ball].mean(axis=0), rtol=1e-5)
    with pytest.raises(UserError, match="no voxel of the image lies in region tiny of the atlas"):
        region_targets(image, atlas, {1: "ball", 9: "tiny"}, "run")


def test_an_atlas_or_mask_on_another_grid_is_refused_where_no_common_one_is_asked_for(head, fine_atlas):
    image, ball = head
    told = r"run: preprocessing.bold.targets.atlas is on another grid, 36 x 36 x 24 voxels of 1 x 1 x 1.33 mm from \(-1, -1, -1.333\) mm"
    with pytest.raises(UserError, match=f"{told}, than the image, 12 x 12 x 8 voxels of 3 x 3 x 4 mm .*preprocessing.bold.grid"):
        to_image(fine_atlas, image, False, "atlas", "run")
    shifted = AFFINE.copy()
    shifted[0, 3] = 1.0
    with pytest.raises(UserError, match=r"targets.mask is on another grid, .* from \(1, 0, 0\) mm, than the image, .* from \(0, 0, 0\)"):
        to_image(image_of(ball.astype(np.int8), shifted), image, False, "mask", "run")
    with pytest.raises(UserError, match=r"targets.atlas: has shape \(12, 12, 8, 2\); give one volume"):
        to_image(image_of(np.stack([ball, ball], axis=-1).astype(np.int8)), image, True, "atlas", "run")


def test_rounded_headers_and_another_order_of_the_same_voxels_are_no_other_grid(head):
    image, ball = head
    labels = np.arange(ball.size, dtype=np.int32).reshape(ball.shape)
    rounded = image_of(labels, AFFINE + 1e-5)
    mirrored = image_of(labels[::-1, :, ::-1], AFFINE @ [[-1, 0, 0, 11], [0, 1, 0, 0], [0, 0, -1, 7], [0, 0, 0, 1]])
    turned = image_of(labels.transpose(1, 0, 2)[..., None], AFFINE @ np.eye(4)[[1, 0, 2, 3]])
    for each in (rounded, mirrored, turned):
        np.testing.assert_array_equal(to_image(each, image, False, "atlas", "run").dataobj, labels)


@pytest.mark.parametrize("kind", ["atlas", "mask"])
def test_an_atlas_or_mask_beside_the_brain_is_refused(head, tmp_path, kind):
    image, ball = head
    times_s, file = 2.0 * np.arange(10), str(tmp_path / "labels.nii.gz")
    targets = {"kind": "regions", "atlas": file} if kind == "atlas" else {"kind": "voxels", "mask": file}

    def prepare(labels):
        nibabel.save(image_of(labels.astype(np.int16)), file)
        opened = OpenedBold("a.nii", image, 2.0, times_s, None, None, ())
        return to_volumes(opened, Bold(targets=targets), NoddiRecordings(root="unused"), tmp_path, "run")[0]

    # Of the brain, of a part of it, and of the whole image.
    for labels in (ball, ball & (np.arange(8) == 4), np.ones_like(ball)):
        assert prepare(labels).data_vs.shape == (10, 1 if kind == "atlas" else labels.sum())
    with pytest.raises(UserError, match=f"run: preprocessing.bold.targets.{kind} and the brain of the image share [0-9]+% of the smaller"):
        prepare(np.roll(ball, 6, axis=0))


def test_what_the_scanner_did_not_reach_is_in_no_region(head):
    """On a grid higher than the image a region half outside is the mean of its inside, not of zeros, and one all outside is told."""
    image, _ = head
    grid = image_of(np.zeros((12, 12, 16), dtype=np.int8))
    atlas = np.zeros((12, 12, 16), dtype=np.int16)
    atlas[4:9, 4:9, 4:12] = 1
    resampled, _ = to_grid(image, grid, np.eye(4))
    targets = region_targets(resampled, image_of(atlas), {1: "low"}, "run")
    np.testing.assert_allclose(targets.data_vs[:, 0], image.get_fdata()[4:9, 4:9, 4:8].mean(axis=(0, 1, 2)), rtol=1e-5)
    atlas[4:9, 4:9, 12:] = 2
    with pytest.raises(UserError, match="no voxel of the image lies in region high of the atlas, or all are zero"):
        region_targets(resampled, image_of(atlas), {1: "low", 2: "high"}, "run")


def test_images_meet_on_the_common_grid_once_their_transforms_are_known():
    """A blob at another place and voxel size in each head lands on the same point."""
    grid = image_of(np.zeros((20, 20, 20), dtype=np.int8), np.diag([2.0, 2.0, 2.0, 1.0]))
    centre_mm = np.array([20.0, 18.0, 22.0])
    for shift_mm, size_mm in (((0, 0, 0), 2.0), ((5.0, -3.0, 2.0), 1.5)):
        moved = np.eye(4)
        moved[:3, 3] = shift_mm
        affine = np.diag([size_mm, size_mm, size_mm, 1.0])
        world = np.moveaxis(np.mgrid[:30, :30, :30], 0, -1) * size_mm
        blob = np.exp(-(((world - (centre_mm + shift_mm)) / 6) ** 2).sum(-1))
        resampled, notes = to_grid(image_of(blob.astype(np.float32), affine), grid, np.linalg.inv(moved))
        assert resampled.shape == (20, 20, 20)
        assert notes == []
        peak = np.unravel_index(np.asarray(resampled.dataobj).argmax(), (20, 20, 20))
        np.testing.assert_allclose(np.array(peak) * 2.0, centre_mm, atol=1.01)


def test_without_a_transform_the_image_keeps_its_place_and_the_run_warns(real_data):
    image = nibabel.load(real_data / "bold/nitime_fmri1.nii.gz")
    same, notes = to_grid(image, None, None)
    assert same is image
    assert notes == [NATIVE_WARNING]
    coarse = image_of(np.zeros((5, 5, 9), dtype=np.int8), image.affine @ np.diag([2, 2, 2, 1]))
    resampled, notes = to_grid(image, coarse, None)
    assert notes == [NATIVE_WARNING]
    inside = (slice(1, -1),) * 3  # at the border, rounding decides whether a voxel lies outside
    np.testing.assert_allclose(resampled.get_fdata()[inside], image.get_fdata()[::2, ::2, ::2][inside], rtol=1e-4, atol=0.1)
