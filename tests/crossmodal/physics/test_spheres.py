"""Spheres are nilearn's, on grids of any kind."""

import nibabel
import numpy as np
import pytest
from nilearn.maskers import NiftiSpheresMasker

from crossmodal.physics.spheres import load_spheres, number_spheres, sphere_voxels

# Turned, of unequal voxels, and off the origin.
AFFINE = np.array([[8.0, 0.5, 0, -95], [-0.4, 7.0, 0, -115], [0, 0, 9.0, -70], [0, 0, 0, 1]])
GRID = (24, 30, 18)


@pytest.mark.parametrize(
    ("coordinates", "n", "networks", "name"),
    [
        ("power_264", 264, {""}, "power 264"),
        (
            "dosenbach_160",
            160,
            {"cerebellum", "cingulo-opercular", "default", "fronto-parietal", "occipital", "sensorimotor"},
            "thalamus 47",
        ),
        ("seitzman_300", 300, None, "Visual thalamus 264"),
    ],
)
def test_coordinates_are_read_without_a_network(monkeypatch, coordinates, n, networks, name):
    import socket

    monkeypatch.setattr(socket, "socket", None)
    spheres = load_spheres(coordinates)
    assert spheres.centres_mm.shape == (n, 3)
    assert len(set(spheres.names)) == n
    assert len(set(spheres.networks)) == 14 if networks is None else set(spheres.networks) == networks
    assert name in spheres.names
    # Of a head in MNI space.
    assert (np.abs(spheres.centres_mm) < 110).all()


@pytest.mark.parametrize("radius_mm", [0.5, 5.0, 9.0])
def test_the_mean_over_a_sphere_is_nilearns(radius_mm):
    rng = np.random.default_rng(0)
    centres_mm = load_spheres("dosenbach_160").centres_mm[::8]
    image = nibabel.Nifti1Image(rng.standard_normal((*GRID, 3)), AFFINE)
    expected = NiftiSpheresMasker(centres_mm.tolist(), radius_mm, allow_overlap=True, standardize=None).fit_transform(image)
    data_xv = np.asarray(image.dataobj).reshape(-1, 3)
    found = np.stack([data_xv[voxels].mean(axis=0) for voxels in sphere_voxels(centres_mm, radius_mm, GRID, AFFINE)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_sphere_outside_the_grid_has_no_voxel_and_none_is_taken_twice():
    inside, outside = sphere_voxels(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 500.0]]), 10.0, GRID, AFFINE)
    assert len(outside) == 0
    assert len(np.unique(inside)) == len(inside) > 1


def test_painted_spheres_are_nilearns_and_a_shared_voxel_is_the_nearest_ones():
    centres_mm = load_spheres("dosenbach_160").centres_mm[::32]
    values = np.arange(1.0, len(centres_mm) + 1)
    masker = NiftiSpheresMasker(
        centres_mm.tolist(), 9.0, standardize=None, mask_img=nibabel.Nifti1Image(np.ones(GRID, dtype=np.int8), AFFINE)
    )
    painted = masker.fit().inverse_transform(values[None]).get_fdata()[..., 0]
    np.testing.assert_array_equal(number_spheres(centres_mm, 9.0, GRID, AFFINE), painted)
    near = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 0.0]])
    numbers = number_spheres(near, 7.0, (20, 20, 20), np.array([[1.0, 0, 0, -8], [0, 1, 0, -10], [0, 0, 1, -10], [0, 0, 0, 1]]))
    assert (numbers[10, 10, 10], numbers[12, 10, 10], numbers[1, 10, 10], numbers[15, 10, 10]) == (1, 2, 1, 2)
