"""A BOLD image, from its file to what a shard holds."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Image
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.bold import Bold, MapTargets, RegionTargets, SphereTargets, VoxelTargets
from crossmodal.config.preprocessing import Recordings
from crossmodal.datasets.volumes import Volumes
from preprocessing.readers.bids.tables import rows_of
from preprocessing.readers.eeg_fmri.image import OpenedBold
from preprocessing.readers.entry import SourceFile
from preprocessing.readers.stores import FindFile, stage
from preprocessing.readers.text import read_text
from preprocessing.signals.broken import translate_reading_errors
from preprocessing.steps import physiology, volume_markers
from preprocessing.steps.bold import detrending, maps, orientation, percent, resampling, scrubbing, spheres, targets
from preprocessing.steps.bold.targets import Targets

BOLD_STEPS = {
    "volume_markers": volume_markers.VERSION,
    "orientation": orientation.VERSION,
    "resampling": resampling.VERSION,
    "targets": targets.VERSION,
    "scrubbing": scrubbing.VERSION,
    "detrending": detrending.VERSION,
    "percent": percent.VERSION,
    # Of the EEG's recording, kept for its volumes; and motion parameters.
    "respiration": physiology.RESPIRATION_VERSION,
}

# Of targets that other shards have not, so that those keep their names.
_OF_TARGETS = {"spheres": spheres.VERSION, "maps": maps.VERSION}

# Of translations, mm, and rotations, rad.
_TO_METRES = np.array([1e-3, 1e-3, 1e-3, 1.0, 1.0, 1.0])


def bold_steps(settings: Bold) -> dict[str, int]:
    """Versions of the steps that volumes go through."""
    kind = settings.targets.kind
    return BOLD_STEPS | ({kind: _OF_TARGETS[kind]} if kind in _OF_TARGETS else {})


def bold_identity(recordings: Recordings, settings: Bold, find_file: FindFile) -> dict[str, Any]:
    """Tell what goes into a shard's volumes besides the recording: settings, the files they name, versions of the steps."""
    files = [find_file(path).model_dump(mode="json") for path in settings.files]
    pairing = recordings.model_dump(include={"volume_marker", "dummy_volumes"})
    return {"bold": settings.model_dump(mode="json"), "bold_files": files, "bold_steps": bold_steps(settings), "pairing": pairing}


def to_volumes(opened: OpenedBold, settings: Bold, recordings: Recordings, scratch: Path, called: str) -> tuple[Volumes, list[str]]:
    """Take an opened image through all steps.

    Parameters
    ----------
    opened : OpenedBold
        Its volumes are timed already.
    settings : Bold
        What an experiment says of images.
    recordings : Recordings
        Tells how to reach remote files.
    scratch : Path
        A folder for staged copies of them.
    called : str
        What sentences call the recording.

    Returns
    -------
    volumes : Volumes
    notes : list of str
        Sentences that the run should say.

    Raises
    ------
    UserError
        The image, or a file that settings name, is broken or unfit.
    """

    def load(uri: str) -> SpatialImage:
        path = stage(SourceFile.at(uri, recordings.anonymous, recordings.endpoint_url), recordings, scratch)
        with translate_reading_errors(uri):
            image = cast(SpatialImage, nibabel.load(path))
        orientation.check_orientation(image, uri, "images on the same grid need")
        return image

    sides = orientation.check_orientation(opened.image, opened.uri, _needs_sides(opened, settings))
    with translate_reading_errors(opened.uri):
        image, notes = resampling.to_grid(opened.image, load(settings.grid) if settings.grid else None, opened.transform)
        data = np.asarray(image.dataobj, dtype=np.float32)
    if not np.isfinite(data).all():
        raise UserError(f"{opened.uri}: holds values that are not finite; replace the file or leave the recording out")
    affine = np.asarray(image.affine, dtype=np.float64)
    image = nibabel.Nifti1Image(data, affine)
    # Change from volume to volume is judged in a brain, and the brain is where the head lay still.
    around = targets.brain_mask(targets.mean_volume(image, np.full(data.shape[3], True)), affine, opened.uri)
    good, moved = scrubbing.good_volumes(data[around].T, opened.motion, settings)
    mean_volume = targets.mean_volume(image, good)
    brain = targets.brain_mask(mean_volume, affine, opened.uri)
    # An image without its mean has no brain either, in which targets could lie.
    mean = percent.grand_mean(image, mean_volume, brain, good, opened.uri)
    taken = _targets(image, brain, settings, load, recordings, scratch, called)
    still = int((np.ptp(taken.data_vs, axis=0) == 0).sum())
    if still:
        moved.append(f"{still} of {taken.data_vs.shape[1]} targets never change, as voxels do that the scanner did not reach")
    # Of as many volumes and voxels, the image, its targets and the detrended targets would be held at once.
    del image, data
    taken = replace(taken, data_vs=detrending.detrend(taken.data_vs, good, settings.detrend_order))
    volumes = Volumes(
        data_vs=_in_percent(taken, good, settings, mean, called),
        onset_s=opened.onset_s,
        good=good,
        tr_s=opened.tr_s,
        affine=affine,
        brain=brain,
        names=taken.names,
        stored=taken.stored,
        in_common_space=opened.transform is not None,
        motion=None if opened.motion is None else opened.motion * _TO_METRES,
        networks=taken.networks,
    )
    return volumes, [*opened.notes, *sides, *notes, *moved]


def _in_percent(taken: Targets, good: NDArray[np.bool_], settings: Bold, mean: float, called: str) -> NDArray[np.float32]:
    """Voxels keep the anatomy; of regions changes are left, and those of maps, whose own mean may be near 0, are of the scan's mean."""
    match settings.targets:
        case VoxelTargets():
            return percent.of_grand_mean(taken.data_vs, mean)
        case MapTargets():
            return percent.changes(taken.data_vs, good, taken.names or (), called, mean)
        case RegionTargets() | SphereTargets():
            return percent.changes(taken.data_vs, good, taken.names or (), called)


def _needs_sides(opened: OpenedBold, settings: Bold) -> str:
    """Say what needs to know which side of an image is left; nothing does where all of its own voxels are taken."""
    if opened.transform is not None:
        return "its transform needs"
    if settings.grid:
        return "the grid that images share needs"
    match settings.targets:
        case RegionTargets():
            return "an atlas needs"
        case MapTargets():
            return "maps need"
        case SphereTargets():
            return "spheres need"
        case VoxelTargets(mask=mask):
            return "a mask needs" if mask else ""


def _targets(
    image: SpatialImage, brain: NDArray[np.bool_], settings: Bold, load: Any, recordings: Recordings, scratch: Path, called: str
) -> Targets:
    def on_grid(labels: SpatialImage, setting: str) -> SpatialImage:
        labels = resampling.to_image(labels, image, settings.grid is not None, setting, called)
        targets.check_inside(labels, brain, setting, called)
        return labels

    match settings.targets:
        case VoxelTargets(mask=mask):
            return targets.voxel_targets(image, on_grid(load(mask), "mask") if mask else None, called)
        case SphereTargets() as of_spheres:
            return spheres.sphere_targets(image, brain, of_spheres, called)
        case RegionTargets(atlas=path, labels=labels):
            atlas = load(path)
            rows, names = _named(targets.region_numbers(atlas), labels, recordings, scratch)
            taken = targets.region_targets(image, on_grid(atlas, "atlas"), names, called)
        case MapTargets(maps=path, labels=labels):
            weights = resampling.maps_to_image(load(path), image, settings.grid is not None, called)
            targets.check_inside(Nifti1Image(np.asarray(weights.dataobj).any(axis=3).astype(np.int8), image.affine), brain, "maps", called)
            rows, names = _named(range(1, weights.shape[3] + 1), labels, recordings, scratch)
            taken = maps.map_targets(image, weights, tuple(names.values()), called)
    networks = tuple(rows[number].get("network", "") if rows else "" for number in names)
    return replace(taken, networks=networks if any(networks) else None)


def _named(
    numbers: Iterable[int], labels: str | None, recordings: Recordings, scratch: Path
) -> tuple[dict[int, dict[str, str]], dict[int, str]]:
    """Rows of a table of regions, and the regions' names, by number; without a table there are no rows, and numbers are the names."""
    if labels is None:
        return {}, targets.region_names(numbers, None)
    staged = stage(SourceFile.at(labels, recordings.anonymous, recordings.endpoint_url), recordings, scratch)
    with translate_reading_errors(labels):
        rows = {int(row["index"]): row for row in rows_of(read_text(staged, labels), labels, required=("index", "name")).values()}
    return rows, targets.region_names(numbers, {number: row["name"] for number, row in rows.items()})
