"""Divide the template cortex into regions: at random as MNE does, or as a file of FreeSurfer says; and pack what was divided."""

import base64
import functools
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import mne
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.parcellation import AnnotatedRegions, Parcellation, RandomRegions, TemplateRegions
from crossmodal.config.signal_spec import Cortex
from crossmodal.physics.cortex import HEMISPHERES, template_surface
from crossmodal.physics.cortical_regions import CorticalRegions, cortical_regions, middle_vertex, regions_at
from crossmodal.physics.icosphere import AVERAGE_SUBJECTS
from crossmodal.physics.medial_wall import medial_wall

_N_VERTICES = 10242
_FREESURFER_UNITS_PER_M = 1e3
# A region of which more than this share lies in the medial wall is the wall itself; rims of other regions may reach into it.
_LARGEST_SHARE_IN_WALL = 0.5


def parcellate(parcellation: Parcellation, read: Callable[[str], bytes]) -> CorticalRegions:
    """Divide the cortex.

    Parameters
    ----------
    parcellation : TemplateRegions, RandomRegions or AnnotatedRegions
    read : callable
        Gives the content of a file by its name, where regions are those of files.

    Raises
    ------
    UserError
        A file cannot be read, or a region is empty or lies in the medial wall.
    """
    match parcellation:
        case TemplateRegions():
            return cortical_regions()
        case RandomRegions():
            return random_regions(parcellation.n, parcellation.seed)
        case AnnotatedRegions():
            return annotated_regions(parcellation, read)


def packed_regions(regions: CorticalRegions) -> str:
    """Write the region of each vertex as text, some kilobytes, for `Cortex.regions`."""
    return base64.b64encode(zlib.compress(np.concatenate(regions.region_of).astype("<i2").tobytes())).decode()


@functools.lru_cache(maxsize=8)
def regions_of(space: Cortex, names: tuple[str, ...]) -> CorticalRegions:
    """Give the regions that a cortical signal has; `space` and `names` are those of its `SignalSpec`."""
    if space.regions is None:
        return cortical_regions()
    region_v = np.frombuffer(zlib.decompress(base64.b64decode(space.regions)), dtype="<i2").astype(np.int64)
    left, right = np.split(region_v, len(HEMISPHERES))
    return _measured(names, (left, right))


@functools.lru_cache(maxsize=8)
def random_regions(n: int, seed: int) -> CorticalRegions:
    """Grow as many regions in each hemisphere, by `mne.random_parcellation`, over the cortex without the medial wall.

    Regions are numbered from front to back: left-001 and so on.
    """
    n_side, found = n // 2, []
    for position, side in enumerate(HEMISPHERES):
        region_v = _grown(side, n_side, [seed, position])
        found.append(np.where(region_v >= 0, region_v + position * n_side, -1))
    width = len(str(n_side))
    names = tuple(f"{side}-{number:0{width}d}" for side in HEMISPHERES for number in range(1, n_side + 1))
    left, right = found
    return _measured(names, (left, right))


def annotated_regions(parcellation: AnnotatedRegions, read: Callable[[str], bytes]) -> CorticalRegions:
    """Take the regions of two .annot files, in the order of their tables; names begin with the hemisphere.

    Raises
    ------
    UserError
        A file is no .annot or of another surface, or a region is empty or the medial wall.
    """
    names: list[str] = []
    found = []
    left_out = {_plain(name) for name in parcellation.leave_out}
    for side, file in zip(HEMISPHERES, (parcellation.left, parcellation.right), strict=True):
        label_v, in_file = _read_annot(read(file), file)
        kept = [number for number, name in enumerate(in_file) if _plain(name) not in left_out]
        region_v = np.full(_N_VERTICES, -1, dtype=np.int64)
        for number in kept:
            inside_v = label_v == number
            _check_region(inside_v, f"{file}: region '{in_file[number]}'", side)
            region_v[inside_v] = len(names)
            names.append(f"{side}-{in_file[number]}")
        found.append(np.where(medial_wall(side), -1, region_v))
    left, right = found
    return _measured(tuple(names), (left, right))


def _check_region(inside_v: NDArray[np.bool_], what: str, side: str) -> None:
    if not inside_v.any():
        raise UserError(
            f"{what} has no vertex of fsaverage5; add it to cortex.regions.leave_out, or take a parcellation with larger regions"
        )
    share = medial_wall(side)[inside_v].mean()
    if share > _LARGEST_SHARE_IN_WALL:
        raise UserError(f"{what} lies in the medial wall ({share:.0%} of it), which is no cortex; add it to cortex.regions.leave_out")


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")


def _read_annot(content: bytes, file: str) -> tuple[NDArray[np.int64], list[str]]:
    """Number of each vertex of fsaverage5 in the file's table, -1 for none, and the table's names."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "regions.annot"
        copy.write_bytes(content)
        try:
            label_v, _, names = nib.freesurfer.read_annot(copy)
        # nibabel checks nothing, so that a file of another kind may fail anywhere.
        except Exception as error:
            raise UserError(f"{file}: is no .annot file of FreeSurfer ({error})") from error
    if len(label_v) not in AVERAGE_SUBJECTS:
        known = ", ".join(f"{surface} ({n_vertices})" for n_vertices, surface in AVERAGE_SUBJECTS.items())
        raise UserError(f"{file}: has {len(label_v)} vertices, which no template has; give one of {known}")
    return label_v[:_N_VERTICES].astype(np.int64), [name.decode() for name in names]


def _grown(side: str, n_regions: int, seed: Sequence[int]) -> NDArray[np.int64]:
    """Region of each vertex of a hemisphere, from front to back, -1 in the medial wall. MNE takes surfaces from a FreeSurfer folder."""
    mesh, cortex = template_surface(side), np.flatnonzero(~medial_wall(side))
    number_of = np.full(_N_VERTICES, -1)
    number_of[cortex] = np.arange(len(cortex))
    triangles = number_of[mesh.triangles]
    with TemporaryDirectory() as folder:
        surfaces = Path(folder) / "cortex" / "surf"
        surfaces.mkdir(parents=True)
        vertices_mm = mesh.vertices_m[cortex] * _FREESURFER_UNITS_PER_M
        mne.write_surface(surfaces / "lh.white", vertices_mm, triangles[(triangles >= 0).all(axis=1)], verbose=False)
        # One hemisphere at a time: asked for both, MNE takes them in no certain order.
        labels = mne.random_parcellation("cortex", n_regions, "lh", folder, rng=np.random.default_rng(seed))
    cells = [cortex[label.vertices] for label in labels]
    assert len(cells) == n_regions
    region_v = np.full(_N_VERTICES, -1, dtype=np.int64)
    for number, cell in enumerate(sorted(cells, key=lambda cell: -float(mesh.vertices_m[cell, 1].mean()))):
        region_v[cell] = number
    return region_v


def _measured(names: tuple[str, ...], region_of: tuple[NDArray[np.int64], NDArray[np.int64]]) -> CorticalRegions:
    """Find the middles of regions, of which those of the left hemisphere come first."""
    centres = [
        np.array(
            [
                middle_vertex(template_surface(side).vertices_m, np.flatnonzero(region_v == number))
                for number in np.unique(region_v[region_v >= 0])
            ],
            dtype=np.int64,
        )
        for side, region_v in zip(HEMISPHERES, region_of, strict=True)
    ]
    left, right = centres
    return regions_at(names, region_of, (left, right))
