"""A BOLD image, from its file to what a shard holds."""

from pathlib import Path
from typing import Any, cast

import nibabel
import numpy as np
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.bold import Bold, RegionTargets
from crossmodal.config.preprocessing import Recordings
from crossmodal.datasets.volumes import Volumes
from preprocessing.readers.bids.tables import rows_of
from preprocessing.readers.eeg_fmri.image import OpenedBold
from preprocessing.readers.entry import SourceFile
from preprocessing.readers.stores import FindFile, stage
from preprocessing.readers.text import read_text
from preprocessing.signals.broken import translate_reading_errors
from preprocessing.steps import physiology, volume_markers
from preprocessing.steps.bold import detrending, orientation, resampling, scrubbing, targets
from preprocessing.steps.bold.targets import Targets

BOLD_STEPS = {
    "volume_markers": volume_markers.VERSION,
    "orientation": orientation.VERSION,
    "resampling": resampling.VERSION,
    "targets": targets.VERSION,
    "scrubbing": scrubbing.VERSION,
    "detrending": detrending.VERSION,
    # Of the EEG's recording, kept for its volumes; and motion parameters.
    "respiration": physiology.RESPIRATION_VERSION,
}

# Of translations, mm, and rotations, rad.
_TO_METRES = np.array([1e-3, 1e-3, 1e-3, 1.0, 1.0, 1.0])


def bold_identity(recordings: Recordings, settings: Bold, find_file: FindFile) -> dict[str, Any]:
    """Tell what goes into a shard's volumes besides the recording: settings, the files they name, versions of the steps."""
    files = [find_file(path).model_dump(mode="json") for path in settings.files]
    pairing = recordings.model_dump(include={"volume_marker", "dummy_volumes"})
    return {"bold": settings.model_dump(mode="json"), "bold_files": files, "bold_steps": BOLD_STEPS, "pairing": pairing}


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
    image = nibabel.Nifti1Image(data, image.affine)
    # Change from volume to volume is judged in a brain, and the brain is where the head lay still.
    around = targets.brain_mask(image, np.full(data.shape[3], True), opened.uri)
    good, moved = scrubbing.good_volumes(data[around].T, opened.motion, settings)
    brain = targets.brain_mask(image, good, opened.uri)
    taken = _targets(image, brain, settings, load, recordings, scratch, called)
    still = int((np.ptp(taken.data_vs, axis=0) == 0).sum())
    if still:
        moved.append(f"{still} of {taken.data_vs.shape[1]} targets never change, as voxels do that the scanner did not reach")
    affine = np.asarray(image.affine, dtype=np.float64)
    # Of as many volumes and voxels, the image, its targets and the detrended targets would be held at once.
    del image, data
    volumes = Volumes(
        data_vs=detrending.detrend(taken.data_vs, good, settings.detrend_order),
        onset_s=opened.onset_s,
        good=good,
        tr_s=opened.tr_s,
        affine=affine,
        brain=brain,
        names=taken.names,
        stored=taken.stored,
        in_common_space=opened.transform is not None,
        motion=None if opened.motion is None else opened.motion * _TO_METRES,
    )
    return volumes, [*opened.notes, *sides, *notes, *moved]


def _needs_sides(opened: OpenedBold, settings: Bold) -> str:
    """Say what needs to know which side of an image is left; nothing does where all of its own voxels are taken."""
    if opened.transform is not None:
        return "its transform needs"
    if settings.grid:
        return "the grid that images share needs"
    if settings.targets.kind == "regions":
        return "an atlas needs"
    return "a mask needs" if settings.targets.mask else ""


def _targets(
    image: SpatialImage, brain: NDArray[np.bool_], settings: Bold, load: Any, recordings: Recordings, scratch: Path, called: str
) -> Targets:
    def on_grid(labels: SpatialImage, setting: str) -> SpatialImage:
        labels = resampling.to_image(labels, image, settings.grid is not None, setting, called)
        targets.check_inside(labels, brain, setting, called)
        return labels

    if settings.targets.kind == "voxels":
        mask = settings.targets.mask
        return targets.voxel_targets(image, on_grid(load(mask), "mask") if mask else None, called)
    atlas = load(settings.targets.atlas)
    names = targets.region_names(atlas, _labels(settings.targets, recordings, scratch))
    return targets.region_targets(image, on_grid(atlas, "atlas"), names, called)


def _labels(settings: RegionTargets, recordings: Recordings, scratch: Path) -> dict[int, str] | None:
    if settings.labels is None:
        return None
    path = stage(SourceFile.at(settings.labels, recordings.anonymous, recordings.endpoint_url), recordings, scratch)
    with translate_reading_errors(settings.labels):
        rows = rows_of(read_text(path, settings.labels), settings.labels, required=("index", "name"))
        return {int(row["index"]): row["name"] for row in rows.values()}
