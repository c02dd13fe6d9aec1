"""What `predict` writes of volumes: a 4-D NIfTI and, of regions, their time courses as a table."""

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from crossmodal.config.data import VolumeWindows
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.storage.atomic import new_files
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.tasks.volumes.grid import affine_of, paint

_BATCH_SIZE = 16


@dataclass(frozen=True)
class PredictedVolumes:
    """Volumes predicted from a recording.

    Attributes
    ----------
    values_vs : float32 array, shape (n_volumes, n_targets)
        Per cent, as targets of training are.
    onset_s : float64 array, shape (n_volumes,)
        s from the first sample of the recording, one repetition time apart.
    good : bool array, shape (n_volumes,)
        Whether the input before a volume holds nothing that cleaning marked bad.
    """

    values_vs: NDArray[np.float32]
    onset_s: NDArray[np.float64]
    good: NDArray[np.bool_]


def predict_volumes(trained: TrainedModel, cleaned: CleanedInput) -> PredictedVolumes:
    """Predict a volume every repetition time of the training images, from the first that has enough input before it."""
    signals, windows = trained.card.signals, trained.card.data.windows
    assert isinstance(windows, VolumeWindows)
    sfreq, n_times, n_samples = signals.input.sfreq, signals.input.n_times, cleaned.x_ct.shape[1]
    lag = round(windows.lag_s * sfreq)
    count = max(0, int((n_samples - n_times - max(lag, 0)) / sfreq * signals.target.sfreq) + 1)
    starts = np.round(np.arange(count) / signals.target.sfreq * sfreq).astype(np.int64)
    starts = starts[starts + n_times <= n_samples]
    predictor = trained.predictor.for_subject(cleaned.info, signals, trained.card.preprocessing.average_reference)
    x_ct = cleaned.x_ct.astype(np.float32)
    batches = [starts[first : first + _BATCH_SIZE] for first in range(0, len(starts), _BATCH_SIZE)]
    predicted = [predictor.predict(np.stack([x_ct[:, start : start + n_times] for start in batch]))[..., 0] for batch in batches]
    values_vs = np.concatenate(predicted) if predicted else np.zeros((0, signals.target.n_channels), dtype=np.float32)
    spans_s = [(start / sfreq, (start + n_times) / sfreq) for start in starts]
    good = np.array([all(start >= end or stop <= begin for begin, end in cleaned.bad_s) for start, stop in spans_s], dtype=bool)
    return PredictedVolumes(values_vs, (starts + n_times) / sfreq + windows.lag_s, good)


def save_volumes(predicted: PredictedVolumes, card: ModelCard, where: NDArray[np.int32] | NDArray[np.float32], output: Path) -> None:
    """Write volumes as NIfTI, and the time courses of regions as TSV beside it: all of it or nothing.

    Parameters
    ----------
    where : int array, shape (X, Y, Z), or float array, shape (X, Y, Z, n_targets)
        Numbers of targets, from 1, 0 where there is none; or their weights.
    output : Path
        Ends with .nii or .nii.gz.

    Raises
    ------
    UserError
        A file of the same name exists already, or there is no room.
    """
    target = card.signals.target
    image = np.stack([paint(values_s, where) for values_s in predicted.values_vs], axis=-1)
    nifti = nibabel.Nifti1Image(image, affine_of(target))
    nifti.header.set_zooms((*nifti.header.get_zooms()[:3], 1 / target.sfreq))
    nifti.header.set_xyzt_units("mm", "sec")
    # Volumes begin when there is enough input before them.
    nifti.header["toffset"] = predicted.onset_s[0]
    nifti.header["descrip"] = f"virtual BOLD, per cent, fold {card.fold}"[:79].encode()
    with new_files(output) as aside:
        nibabel.save(nifti, aside / output.name)
        if target.space.kind == "regions":
            (aside / table_path(output).name).write_text(_table(predicted, target.names))


def table_path(output: Path) -> Path:
    """Where the time courses of regions go, beside the image."""
    return output.with_name(output.name.removesuffix(".gz").removesuffix(".nii") + ".tsv")


def _table(predicted: PredictedVolumes, names: tuple[str, ...]) -> str:
    lines = ["\t".join(("onset", "good", *names))]
    for onset_s, good, values_s in zip(predicted.onset_s, predicted.good, predicted.values_vs, strict=True):
        lines.append("\t".join((f"{onset_s:.6g}", str(int(good)), *(f"{value:.7g}" for value in values_s))))
    return "\n".join(lines) + "\n"
