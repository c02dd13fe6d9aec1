"""Regions at random and of files, and what is refused of them."""

import nibabel as nib
import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from crossmodal.config import UserError
from crossmodal.config.parcellation import AnnotatedRegions, RandomRegions, TemplateRegions
from crossmodal.config.signal_spec import Cortex
from crossmodal.physics.cortex import HEMISPHERES, template_surface
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.physics.geometry import edge_lengths
from crossmodal.physics.medial_wall import medial_wall
from crossmodal.physics.parcellation import packed_regions, parcellate, random_regions, regions_of


def unread(file: str) -> bytes:
    raise AssertionError(file)


@pytest.fixture(scope="module")
def hundred():
    return parcellate(RandomRegions(n=100, seed=3), unread)


def test_random_regions_cover_the_cortex_without_the_wall_from_front_to_back(hundred):
    assert (hundred.names[0], hundred.names[49], hundred.names[50]) == ("left-01", "left-50", "right-01")
    for position, (side, region_v) in enumerate(zip(HEMISPHERES, hundred.region_of, strict=True)):
        np.testing.assert_array_equal(region_v < 0, medial_wall(side))
        assert set(region_v[region_v >= 0]) == set(range(50 * position, 50 * position + 50))
        sizes = np.bincount(region_v[region_v >= 0])[50 * position :]
        assert sizes.min() > 20
        y_m = [template_surface(side).vertices_m[region_v == number, 1].mean() for number in range(50 * position, 50 * position + 50)]
        assert np.all(np.diff(y_m) <= 0)
    mesh = template_surface("left")
    graph = edge_lengths(mesh.vertices_m, mesh.triangles)
    pieces = [
        connected_components(graph[inside][:, inside], directed=False)[0] for inside in (hundred.region_of[0] == n for n in range(50))
    ]
    assert pieces == [1] * 50
    assert hundred.areas_m2.sum() == pytest.approx(cortical_regions().areas_m2.sum(), rel=0.05)


def test_random_regions_follow_from_their_seed(hundred):
    again, other = random_regions.__wrapped__(100, 3), random_regions(100, 4)
    assert all(np.array_equal(*pair) for pair in zip(again.region_of, hundred.region_of, strict=True))
    assert not np.array_equal(other.region_of[0], hundred.region_of[0])


def test_packed_regions_are_the_same_again(hundred):
    packed = packed_regions(hundred)
    assert len(packed) < 40_000
    again = regions_of(Cortex(regions=packed), hundred.names)
    assert again.names == hundred.names
    for name in ("vertices_m", "centres_m", "areas_m2", "regions_of_vertices"):
        np.testing.assert_array_equal(getattr(again, name), getattr(hundred, name))
    assert regions_of(Cortex(), cortical_regions().names) is cortical_regions() is parcellate(TemplateRegions(), unread)


def test_vertices_of_a_mesh_lie_in_the_regions_that_they_are_nearest_to(hundred):
    mesh = cortex_mesh(4)
    region_v = hundred.of_vertices(mesh.vertices)
    np.testing.assert_array_equal(hundred.membership(mesh.positions_m).argmax(axis=0), region_v)
    assert set(region_v) == set(range(100))


def annotated(folder, label_v, names, n_vertices=10242):
    """Both hemispheres alike; -1 is in no region."""
    labels = np.resize(label_v, n_vertices)
    table = np.c_[np.arange(len(names)) * 20 + 1, np.zeros((len(names), 3)), np.zeros(len(names))].astype(int)
    files = [folder / f"{side}.annot" for side in HEMISPHERES]
    for file in files:
        nib.freesurfer.write_annot(file, labels, table, names, fill_ctab=True)
    return AnnotatedRegions(left=str(files[0]), right=str(files[1]))


def read(file):
    with open(file, "rb") as stream:
        return stream.read()


@pytest.mark.parametrize("n_vertices", [10242, 40962])
def test_regions_of_a_file_are_taken_without_what_is_no_cortex(tmp_path, n_vertices):
    """Left and right have other walls, so that the front and back of one stand for both."""
    label_v = np.where(template_surface("left").vertices_m[:, 1] > 0, 0, 2)
    label_v[:7] = 1
    regions = parcellate(annotated(tmp_path, label_v, ["front", "Medial_wall", "back"], n_vertices), read)
    assert regions.names == ("left-front", "left-back", "right-front", "right-back")
    for position, (side, region_v) in enumerate(zip(HEMISPHERES, regions.region_of, strict=True)):
        in_cortex = ~medial_wall(side)
        in_cortex[:7] = False
        np.testing.assert_array_equal(region_v, np.where(in_cortex, 2 * position + label_v // 2, -1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("empty", r"left.annot: region 'back' has no vertex of fsaverage5; add it to cortex.regions.leave_out"),
        ("wall", r"left.annot: region 'middle' lies in the medial wall \(100% of it\), which is no cortex"),
        ("size", r"left.annot: has 5000 vertices, which no template has; give one of fsaverage5 \(10242\)"),
        ("kind", r"left.annot: is no .annot file of FreeSurfer"),
    ],
)
def test_what_is_no_parcellation_of_the_cortex_is_refused(tmp_path, change, told):
    wall = medial_wall("left")
    label_v = np.where(wall, 1, 0) if change == "wall" else np.zeros(10242, dtype=int)
    names = ["front", "middle"] if change == "wall" else ["front", "back"] if change == "empty" else ["front"]
    given = annotated(tmp_path, label_v, names, 5000 if change == "size" else 10242)
    if change == "kind":
        (tmp_path / "left.annot").write_text("no annotation")
    with pytest.raises(UserError, match=told):
        parcellate(given, read)
