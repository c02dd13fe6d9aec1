"""A forward solution of MNE becomes the lead field of vertices of fsaverage5."""

import mne
import nibabel as nib
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.physics.cap import cap_info, cap_positions_m, evenly_spread
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.icosphere import icosphere
from crossmodal.physics.own_lead_field import read_own_lead_field
from crossmodal.physics.template import fitted_lead_field
from tests.crossmodal.physics.forwards import N_VERTICES, forward, saved

MESH = cortex_mesh(3)


@pytest.fixture(scope="module")
def info():
    return cap_info(evenly_spread(20), 100.0, cap_positions_m(), 1.0)


@pytest.fixture(scope="module")
def solution(info):
    return forward(info, MESH.vertices)


@pytest.mark.parametrize("fixed", [False, True])
def test_it_is_the_field_along_the_normals_in_the_order_of_the_vertices(info, solution, tmp_path, fixed):
    if fixed:
        solution = mne.convert_forward_solution(solution, surf_ori=True, force_fixed=True, verbose="error")
    own = read_own_lead_field(saved(solution, tmp_path), "own", None)
    found, expected = own.vertices, [np.sort(of_side) for of_side in MESH.vertices]
    assert all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))
    # Normals of a coarser mesh are other ones.
    fine = cortex_mesh(5)
    position_of = {(side, number): at + side * len(fine.vertices[0]) for side in (0, 1) for at, number in enumerate(fine.vertices[side])}
    rows = [position_of[side, number] for side in (0, 1) for number in found[side]]
    expected_cv = fitted_lead_field(info, fine.dipoles)[:, rows]
    np.testing.assert_allclose(own.field_cv, expected_cv, rtol=1e-3, atol=1e-3 * np.abs(expected_cv).max())
    np.testing.assert_allclose(own.electrodes_m, [channel["loc"][:3] for channel in info["chs"]], atol=1e-6)


def test_electrodes_are_taken_by_their_names(solution, tmp_path):
    own = read_own_lead_field(saved(solution, tmp_path), "own-fwd.fif", None)
    chosen = own.of_electrodes(own.names[::-2])
    np.testing.assert_array_equal(chosen.field_cv, own.field_cv[::-2])
    np.testing.assert_array_equal(chosen.electrodes_m, own.electrodes_m[::-2])
    with pytest.raises(UserError, match="own-fwd.fif: lacks 2 of the 3 electrodes of the recording: A1, B2; compute it for all of them"):
        own.of_electrodes(["A1", own.names[0], "B2"])


def test_vertices_of_fsaverage_and_of_another_subject_lie_where_the_spheres_say(info, tmp_path):
    """The other subject's surface is fsaverage5's, mixed, and a millimetre off on a sphere of 100 mm."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(N_VERTICES)[:9000] for _ in range(2)]
    spheres = []
    for name, order in zip(("lh", "rh"), orders, strict=True):
        vertices = 100 * icosphere(5)[0][order] + rng.normal(scale=0.3, size=(len(order), 3))
        nib.freesurfer.write_geometry(tmp_path / f"{name}.sphere.reg", vertices, icosphere(0)[1])
        spheres.append(tmp_path / f"{name}.sphere.reg")
    chosen = [np.sort(rng.choice(9000, 400, replace=False)) for _ in range(2)]
    solution = forward(info, chosen, orders, subject="sub-07")
    path = saved(solution, tmp_path)
    with pytest.raises(
        UserError, match="own: is on the surface of sub-07, and nothing says which of its 9000 vertices .* give --spheres lh"
    ):
        read_own_lead_field(path, "own", None)
    own = read_own_lead_field(path, "own", tuple(spheres))
    for side in range(2):
        np.testing.assert_array_equal(own.vertices[side], orders[side][chosen[side]])
    nib.freesurfer.write_geometry(spheres[0], *icosphere(0))
    with pytest.raises(UserError, match=r"lh.sphere.reg: has 12 vertices, and the surface of own 9000; give --spheres of sub-07"):
        read_own_lead_field(path, "own", tuple(spheres))
    spheres[0].write_text("sphere")
    with pytest.raises(UserError, match=r"lh.sphere.reg: is no surface of FreeSurfer"):
        read_own_lead_field(path, "own", tuple(spheres))


def test_vertices_of_the_finest_average_go_to_the_nearest_of_fsaverage5(solution, tmp_path):
    finer = solution.copy()
    for space, x_m in zip(finer["src"], (-0.03, 0.03), strict=True):
        numbers = 20000 + np.arange(space["nuse"])
        space["np"], space["inuse"] = 163842, np.isin(np.arange(163842), numbers).astype(int)
        space["vertno"] = numbers
        space["rr"], space["nn"] = np.tile([x_m, 0, 0], (163842, 1)), np.tile([0.0, 0, 1], (163842, 1))
    own = read_own_lead_field(saved(finer, tmp_path), "own", None)
    fine, coarse = icosphere(7)[0], icosphere(5)[0]
    angle = np.linalg.norm(fine[20000 + np.arange(len(own.vertices[0]))] - coarse[own.vertices[0]], axis=1)
    assert angle.max() < 0.03


def changed(solution, change):
    other = solution.copy()
    if change == "unit":
        other["sol"]["data"] *= 1e6
        other["_orig_sol"] *= 1e6
    elif change == "blank":
        other["sol"]["data"] *= 0
        other["_orig_sol"] *= 0
    elif change == "half":
        n_left = other["src"][0]["nuse"]
        other["src"] = other["src"][:1]
        other["nsource"] = n_left
        other["sol"]["data"], other["sol"]["ncol"] = other["sol"]["data"][:, : 3 * n_left], 3 * n_left
        other["_orig_sol"] = other["sol"]["data"]
        other["source_rr"], other["source_nn"] = other["source_rr"][:n_left], other["source_nn"][: 3 * n_left]
    return other


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("unit", r"own: electrodes see \S+ V of a dipole of 1 A m .* a factor of 1e-06 would fit"),
        ("blank", "own: no electrode sees any dipole"),
        ("half", "own: is not of the surfaces of both hemispheres, which alone have normals"),
    ],
)
def test_what_is_no_lead_field_of_a_cortex_is_refused(solution, tmp_path, change, told):
    with pytest.raises(UserError, match=told):
        read_own_lead_field(saved(changed(solution, change), tmp_path), "own", None)


def test_other_files_are_refused(info, tmp_path):
    mne.io.RawArray(np.zeros((20, 100)), info, verbose="error").save(tmp_path / "a_raw.fif", verbose="error")
    (tmp_path / "b-fwd.fif").write_text("forward")
    for name in ("a_raw.fif", "b-fwd.fif"):
        with pytest.raises(UserError, match="own: cannot be read as a forward solution"):
            read_own_lead_field(tmp_path / name, "own", None)
