"""Spheres and probabilistic maps as targets, against nilearn."""

import nibabel
import numpy as np
import pytest
from nilearn.maskers import NiftiMapsMasker, NiftiSpheresMasker

from crossmodal.config import UserError
from crossmodal.config.bold import Bold, MapTargets, RegionTargets, SphereTargets
from crossmodal.config.eeg_fmri import NoddiRecordings
from crossmodal.physics.spheres import load_spheres
from preprocessing.bold import bold_steps, to_volumes
from preprocessing.readers.eeg_fmri.image import OpenedBold
from preprocessing.steps.bold.maps import map_targets
from preprocessing.steps.bold.resampling import maps_to_image
from preprocessing.steps.bold.spheres import sphere_targets

# A head in MNI space, coarse.
GRID, N_VOLUMES = (24, 28, 24), 6
AFFINE = np.array([[8.0, 0, 0, -92], [0, 8.0, 0, -130], [0, 0, 8.0, -76], [0, 0, 0, 1]])
WORLD_MM = np.moveaxis(np.indices(GRID), 0, -1) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
BRAIN = (((WORLD_MM - [0, -20, 8]) / [80, 100, 75]) ** 2).sum(-1) < 1


@pytest.fixture
def image():
    data = 20 * np.random.default_rng(0).random((*GRID, N_VOLUMES)) + 1000 * BRAIN[..., None]
    return nibabel.Nifti1Image(data.astype(np.float32), AFFINE)


@pytest.fixture
def maps():
    """Six blobs that overlap, and reach beyond the brain."""
    centres_mm = np.array([[-40, 0, 0], [-20, 0, 0], [40, -60, 20], [0, -90, 0], [10, 40, 30], [0, 0, 60]])
    apart_mm = np.linalg.norm(WORLD_MM[..., None, :] - centres_mm, axis=-1)
    return nibabel.Nifti1Image(np.where(apart_mm < 45, np.exp(-((apart_mm / 20) ** 2)), 0).astype(np.float32), AFFINE)


@pytest.mark.parametrize("coordinates", ["power_264", "dosenbach_160", "seitzman_300"])
def test_means_over_spheres_are_nilearns(image, coordinates):
    spheres, settings = load_spheres(coordinates), SphereTargets(coordinates=coordinates, radius_mm=9)
    targets = sphere_targets(image, BRAIN, settings, "run")
    masker = NiftiSpheresMasker(spheres.centres_mm.tolist(), 9, allow_overlap=True, standardize=None)
    np.testing.assert_allclose(targets.data_vs, masker.fit_transform(image), rtol=1e-5)
    assert targets.names == spheres.names
    assert targets.networks == (None if coordinates == "power_264" else spheres.networks)


def test_spheres_outside_the_image_are_named_and_may_be_left_out(image):
    data = np.asarray(image.dataobj).copy()
    data[:, :, 15:] = 0  # what the scanner did not reach
    cut, settings = nibabel.Nifti1Image(data, AFFINE), SphereTargets(coordinates="dosenbach_160", radius_mm=4)
    with pytest.raises(UserError, match=r"run: \d+ of 160 spheres lie outside the image or where it is zero \('") as refused:
        sphere_targets(cut, BRAIN, settings, "run")
    spheres = load_spheres("dosenbach_160")
    above = tuple(name for name, place_mm in zip(spheres.names, spheres.centres_mm, strict=True) if place_mm[2] > 40)
    assert f"run: {len(above)} of 160" in str(refused.value)
    targets = sphere_targets(cut, BRAIN, settings.model_copy(update={"left_out": above}), "run")
    assert targets.names == tuple(name for name in spheres.names if name not in above)
    with pytest.raises(UserError, match="left_out: dosenbach_160 has no 'thalamus'"):
        sphere_targets(cut, BRAIN, settings.model_copy(update={"left_out": ("thalamus",)}), "run")


def test_images_of_another_space_are_refused(image):
    moved = nibabel.Nifti1Image(np.asarray(image.dataobj), AFFINE + 90 * np.eye(4, k=3))
    with pytest.raises(UserError, match=r"run: \d+ of 264 spheres lie outside the image or where it is zero"):
        sphere_targets(moved, BRAIN, SphereTargets(coordinates="power_264"), "run")
    elsewhere = np.roll(BRAIN, 12, axis=2)
    with pytest.raises(UserError, match="preprocessing.bold.targets.coordinates and the brain of the image share"):
        sphere_targets(image, elsewhere, SphereTargets(coordinates="power_264"), "run")


def test_maps_are_fitted_by_least_squares_as_nilearn_does(image, maps):
    names = tuple("abcdef")
    targets = map_targets(image, maps, names, "run")
    np.testing.assert_allclose(targets.data_vs, NiftiMapsMasker(maps, standardize=None).fit_transform(image), rtol=1e-3)
    values_vs = np.random.default_rng(1).standard_normal((N_VOLUMES, 6))
    made = nibabel.Nifti1Image(np.asarray(maps.dataobj) @ values_vs.T.astype(np.float32), AFFINE)
    np.testing.assert_allclose(map_targets(made, maps, names, "run").data_vs, values_vs, atol=1e-4)


def test_a_map_without_weight_in_the_image_is_named(image, maps):
    data = np.asarray(image.dataobj).copy()
    data[:, :12] = 0
    with pytest.raises(UserError, match="run: the map of region d has no weight where the image holds anything"):
        map_targets(nibabel.Nifti1Image(data, AFFINE), maps, tuple("abcdef"), "run")


def test_maps_on_another_grid_are_refused_or_brought_to_the_common_one(image, maps):
    fine_affine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    fine = nibabel.Nifti1Image(np.asarray(maps.dataobj).repeat(2, 0).repeat(2, 1).repeat(2, 2), fine_affine)
    with pytest.raises(UserError, match=r"run: preprocessing.bold.targets.maps is on another grid, 48 x 56 x 48 voxels of 4 x 4 x 4 mm"):
        maps_to_image(fine, image, False, "run")
    brought = maps_to_image(fine, image, True, "run")
    assert brought.shape == maps.shape
    np.testing.assert_allclose(np.asarray(brought.dataobj), np.asarray(maps.dataobj), atol=1e-5)
    with pytest.raises(UserError, match=r"maps: has shape \(24, 28, 24\); give a volume of weights a region"):
        maps_to_image(nibabel.Nifti1Image(np.asarray(maps.dataobj)[..., 0], AFFINE), image, True, "run")
    broken = np.asarray(maps.dataobj).copy()
    broken[0, 0, 0, 0] = np.nan
    with pytest.raises(UserError, match="maps: holds values that are not finite"):
        maps_to_image(nibabel.Nifti1Image(broken, AFFINE), image, True, "run")


def test_networks_come_with_spheres_and_with_labels(image, maps, tmp_path):
    nibabel.save(maps, tmp_path / "maps.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.where(BRAIN, 1 + (WORLD_MM[..., 0] > 0), 0).astype(np.int16), AFFINE), tmp_path / "atlas.nii.gz")
    (tmp_path / "maps.tsv").write_text(
        "index\tname\tnetwork\n" + "".join(f"{n}\tm{n}\t{'Visual' if n == 4 else 'n/a'}\n" for n in range(1, 7))
    )
    (tmp_path / "atlas.tsv").write_text("index\tname\n1\tleft\n2\tright\n")
    times_s = 2.0 * np.arange(N_VOLUMES)
    opened = OpenedBold("a.nii", image, 2.0, times_s, None, np.eye(4), ())
    found = {}
    for targets in (
        SphereTargets(coordinates="seitzman_300"),
        MapTargets(maps=str(tmp_path / "maps.nii.gz"), labels=str(tmp_path / "maps.tsv")),
        RegionTargets(atlas=str(tmp_path / "atlas.nii.gz"), labels=str(tmp_path / "atlas.tsv")),
    ):
        settings = Bold(targets=targets, dvars_iqr=None)
        volumes, _ = to_volumes(opened, settings, NoddiRecordings(root="unused"), tmp_path, "run")
        assert volumes.entry.kind == "regions"
        assert volumes.data_vs.shape == (N_VOLUMES, len(volumes.names))
        found[targets.kind] = volumes.networks, "maps" in bold_steps(settings), "spheres" in bold_steps(settings)
    assert found["spheres"] == (load_spheres("seitzman_300").networks, False, True)
    assert found["maps"] == (("n/a", "n/a", "n/a", "Visual", "n/a", "n/a"), True, False)
    assert found["regions"] == (None, False, False)
