"""What `predict` writes of volumes: a 4-D NIfTI and, of regions, their time courses as a table."""

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.data import VolumeWindows
from crossmodal.models.base import Uncertain
from crossmodal.models.predictor import Predictor
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.storage.atomic import new_files
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.tasks.volumes.grid import affine_of, paint

_BATCH_SIZE = 16
_VALUES = "values"


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
    bounds : dict of str to float32 array, shape (n_volumes, n_targets)
        Lower and upper ends of the intervals around the values, by those words; empty where the model gives none.
    """

    values_vs: NDArray[np.float32]
    onset_s: NDArray[np.float64]
    good: NDArray[np.bool_]
    bounds: dict[str, NDArray[np.float32]]


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
    parts = [_values_and_bounds(predictor, np.stack([x_ct[:, start : start + n_times] for start in batch])) for batch in batches]
    said = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    values_vs = said.pop(_VALUES, np.zeros((0, signals.target.n_channels), dtype=np.float32))
    spans_s = [(start / sfreq, (start + n_times) / sfreq) for start in starts]
    good = np.array([all(start >= end or stop <= begin for begin, end in cleaned.bad_s) for start, stop in spans_s], dtype=bool)
    return PredictedVolumes(values_vs, (starts + n_times) / sfreq + windows.lag_s, good, said)


def _values_and_bounds(predictor: Predictor, windows: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """What a model says of some windows, and the ends of its intervals, if it gives any, shape (n_windows, n_targets)."""
    said = {_VALUES: predictor.predict(windows)}
    if isinstance(predictor.model, Uncertain):
        with torch.inference_mode():
            own, _ = predictor.bounds(torch.from_numpy(windows))
        said |= {"lower": own.lower_bst.numpy(), "upper": own.upper_bst.numpy()}
    return {name: values[..., 0] for name, values in said.items()}


def save_volumes(predicted: PredictedVolumes, card: ModelCard, where: NDArray[np.int32] | NDArray[np.float32], output: Path) -> None:
    """Write volumes as NIfTI, ends of their intervals likewise, and the time courses of regions as TSV beside them: all of it or nothing.

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
    with new_files(output) as aside:
        nibabel.save(_image(predicted.values_vs, predicted.onset_s[0], card, where), aside / output.name)
        for end, values_vs in predicted.bounds.items():
            nibabel.save(_image(values_vs, predicted.onset_s[0], card, where), aside / bound_path(output, end).name)
        if target.space.kind == "regions":
            (aside / table_path(output).name).write_text(_table(predicted, target.names))


def _image(
    values_vs: NDArray[np.float32], onset_s: float, card: ModelCard, where: NDArray[np.int32] | NDArray[np.float32]
) -> nibabel.Nifti1Image:
    target = card.signals.target
    nifti = nibabel.Nifti1Image(np.stack([paint(values_s, where) for values_s in values_vs], axis=-1), affine_of(target))
    nifti.header.set_zooms((*nifti.header.get_zooms()[:3], 1 / target.sfreq))
    nifti.header.set_xyzt_units("mm", "sec")
    # Volumes begin when there is enough input before them.
    nifti.header["toffset"] = onset_s
    nifti.header["descrip"] = f"virtual BOLD, per cent, fold {card.fold}"[:79].encode()
    return nifti


def bound_path(output: Path, end: str) -> Path:
    """Where the lower or the upper ends of intervals go, beside the image."""
    stem, suffix, rest = output.name.partition(".nii")
    return output.with_name(f"{stem}_{end}{suffix}{rest}")


def table_path(output: Path) -> Path:
    """Where the time courses of regions go, beside the image."""
    return output.with_name(output.name.removesuffix(".gz").removesuffix(".nii") + ".tsv")


def _table(predicted: PredictedVolumes, names: tuple[str, ...]) -> str:
    columns = (*names, *(f"{name}_{end}" for end in predicted.bounds for name in names))
    lines = ["\t".join(("onset", "good", *columns))]
    values_vc = np.hstack([predicted.values_vs, *predicted.bounds.values()])
    for onset_s, good, values_s in zip(predicted.onset_s, predicted.good, values_vc, strict=True):
        lines.append("\t".join((f"{onset_s:.6g}", str(int(good)), *(f"{value:.7g}" for value in values_s))))
    return "\n".join(lines) + "\n"
