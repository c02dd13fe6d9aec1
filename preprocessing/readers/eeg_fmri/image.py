"""Open a BOLD image that was recorded with EEG, and time its volumes on the EEG's clock."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import cast

import nibabel
import numpy as np
import pandas as pd
from mne.io import BaseRaw
from nibabel.spatialimages import SpatialImage
from numpy.typing import NDArray

from crossmodal.config import UserError
from preprocessing.readers.entry import BoldFiles
from preprocessing.readers.text import lines_of, read_json, read_text
from preprocessing.signals.broken import translate_reading_errors
from preprocessing.signals.spans import annotations
from preprocessing.steps.volume_markers import pair_volumes

_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6, "unknown": 1.0}
# Columns of fMRIPrep's confounds.
_CONFOUNDS = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]


@dataclass(frozen=True)
class OpenedBold:
    """An image opened but not loaded.

    Attributes
    ----------
    image : SpatialImage
        Shape (X, Y, Z, n_volumes).
    tr_s : float
        Repetition time, s.
    onset_s : float64 array, shape (n_volumes,)
        Of each volume, s from the EEG's first sample.
    motion : float64 array, shape (n_volumes, 6), optional
        Translations, mm, and rotations, rad.
    transform : float64 array, shape (4, 4), optional
        To a common space, mm.
    notes : tuple of str
        Sentences that the run should say.
    """

    uri: str
    image: SpatialImage
    tr_s: float
    onset_s: NDArray[np.float64]
    motion: NDArray[np.float64] | None
    transform: NDArray[np.float64] | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Markers:
    """Volume markers as a source knows them, s from the EEG's first sample, and what the run should say of them."""

    onset_s: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def annotated_markers(raw: BaseRaw, name: str, called: str) -> Markers:
    """Find the annotations of volumes: those whose text is `name`, with or without the type that BrainVision writes before it.

    Raises
    ------
    UserError
        There is none; the sentence lists what there is.
    """
    noted = annotations(raw)
    onset_s = sorted(onset for onset, _, text in noted if name in (text.strip(), text.rpartition("/")[2].strip()))
    if not onset_s:
        texts = [text for *_, text in noted]
        listing = ", ".join(f"'{text}' ({texts.count(text)})" for text in sorted(set(texts))) or "none"
        raise UserError(f"{called}: no marker is called '{name}', there are {listing}; set recordings.volume_marker")
    return Markers(np.array(onset_s))


def open_image(files: BoldFiles, local: Mapping[str, Path]) -> tuple[SpatialImage, float]:
    """Open an image and tell its repetition time, s.

    Raises
    ------
    UserError
        The image or its sidecar is missing, is no series of volumes, is broken, or tells no repetition time.
    """
    uri = files.image.uri
    _check_present(local[uri], uri, "its BOLD image")
    with translate_reading_errors(uri):
        image = cast(SpatialImage, nibabel.load(local[uri]))
    if len(image.shape) != 4 or image.shape[3] < 2:
        raise UserError(f"{uri}: has shape {image.shape}, not that of a series of volumes; replace the file or leave it out")
    if files.sidecar:
        return image, _stated_tr_s(local[files.sidecar.uri], files.sidecar.uri)
    header = cast(nibabel.Nifti1Header, image.header)
    tr_s = float(header.get_zooms()[3]) * _SECONDS.get(header.get_xyzt_units()[1], math.nan)
    if not (math.isfinite(tr_s) and tr_s > 0):
        raise UserError(f"{uri}: its header states no repetition time; correct pixdim[4] and the unit of time")
    return image, tr_s


def time_volumes(
    files: BoldFiles,
    local: Mapping[str, Path],
    image: SpatialImage,
    tr_s: float,
    markers: Markers,
    duration_s: float,
    dummy_volumes: int | None,
    called: str,
) -> OpenedBold:
    """Pair an opened image with the EEG, and read what else is known of it."""
    n_volumes = image.shape[3]
    onset_s = pair_volumes(markers.onset_s, n_volumes, tr_s, duration_s, dummy_volumes, called)
    motion = _read_motion(local[files.motion.uri], files.motion.uri, n_volumes) if files.motion else None
    transform = _read_transform(local[files.transform.uri], files.transform.uri) if files.transform else None
    return OpenedBold(files.image.uri, image, tr_s, onset_s, motion, transform, markers.notes)


def _check_present(path: Path, uri: str, what: str) -> None:
    if not path.exists():
        raise UserError(f"{uri}: {what} is missing; fetch it or leave the recording out")
    if path.stat().st_size == 0:
        raise UserError(f"{uri}: {what} is an empty file; fetch its content (datalad get, aws s3 cp) or leave the recording out")


def _stated_tr_s(path: Path, uri: str) -> float:
    _check_present(path, uri, "the sidecar that states the repetition time")
    stated = read_json(path, uri)
    try:
        tr_s = float(stated["RepetitionTime"])
    except (ValueError, KeyError, TypeError):
        tr_s = math.nan
    if not (math.isfinite(tr_s) and tr_s > 0):
        raise UserError(f"{uri}: states no RepetitionTime in seconds; add it")
    return tr_s


def _read_motion(path: Path, uri: str, n_volumes: int) -> NDArray[np.float64]:
    """Read translations, mm, and rotations, rad, shape (n_volumes, 6), from fMRIPrep's, FSL's or SPM's file."""
    _check_present(path, uri, "its motion parameters")
    with translate_reading_errors(uri):
        if path.suffix == ".tsv":
            motion = pd.read_csv(StringIO(read_text(path, uri)), sep="\t")[_CONFOUNDS].to_numpy(dtype=np.float64)
        else:
            motion = np.loadtxt(lines_of(read_text(path, uri)), ndmin=2)[:, :6]
            # FSL writes rotations first.
            motion = np.roll(motion, 3, axis=1) if path.suffix == ".par" else motion
    if motion.shape != (n_volumes, 6) or not np.isfinite(motion).all():
        raise UserError(f"{uri}: holds motion of shape {motion.shape}, the image has {n_volumes} volumes; give six numbers a volume")
    return motion


def _read_transform(path: Path, uri: str) -> NDArray[np.float64]:
    _check_present(path, uri, "its transform")
    with translate_reading_errors(uri):
        transform = np.loadtxt(lines_of(read_text(path, uri)), ndmin=2)
    if transform.shape != (4, 4) or abs(np.linalg.det(transform)) < 1e-6 or not np.allclose(transform[3], [0, 0, 0, 1]):
        raise UserError(f"{uri}: is no 4 x 4 affine matrix; write one line a row, mm")
    return transform
