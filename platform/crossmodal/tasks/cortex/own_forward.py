"""The forward solution of the subject that is predicted from: its electrodes must be those of the recording."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import mne
import numpy as np

from crossmodal.config import UserError
from crossmodal.models.base import ReadsLeadField
from crossmodal.models.predictor import Predictor
from crossmodal.models.store import TrainedModel
from crossmodal.physics.own_lead_field import OwnLeadField, read_own_lead_field
from crossmodal.storage.uri import fetch_file, is_local
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.tasks.contract import ForwardFiles
from crossmodal.tasks.cortex.montage import known_places

# On average: digitising a cap anew moves electrodes by a few mm, and other heads or caps by more.
_SAME_MONTAGE_M = 0.005


def read_forward(files: ForwardFiles, trained: TrainedModel, scratch: Path) -> OwnLeadField:
    """Read the forward solution for a model that takes one.

    Raises
    ------
    UserError
        The model reads no lead field, or MEG, or the files cannot be used.
    """
    if not isinstance(trained.predictor.model, ReadsLeadField):
        kind = trained.card.network.kind
        raise UserError(
            f"--forward: {kind} has learned what the electrodes of its training see, and reads no lead field; leave it out, or train"
            " unrolled_champagne"
        )
    if set(trained.card.signals.input.types) != {"eeg"}:
        raise UserError("--forward: a subject's own lead field is taken for EEG alone, and the model reads MEG; leave it out")
    path, *spheres = (_staged(file, scratch) for file in (files.forward, *files.spheres))
    return read_own_lead_field(path, files.forward, (spheres[0], spheres[1]) if spheres else None)


def matched(own: OwnLeadField, cleaned: CleanedInput) -> tuple[OwnLeadField, CleanedInput]:
    """Bring a lead field to the electrodes of a recording, in its order; where these have no places, they get those of the lead field.

    Raises
    ------
    UserError
        The lead field lacks electrodes, or was computed for a montage elsewhere on the head.
    """
    own = own.of_electrodes(cleaned.names)
    places_c3 = known_places(cleaned)
    if places_c3 is None:
        montage = mne.channels.make_dig_montage(dict(zip(own.names, own.electrodes_m, strict=True)), coord_frame="head")
        info = mne.create_info(list(own.names), cleaned.info["sfreq"], "eeg").set_montage(montage, verbose="error")
        told = f"has no places of electrodes: those of {own.called} are taken, and nothing tells whether it is of the same subject"
        return own, replace(cleaned, info=info, notes=(*cleaned.notes, told))
    apart_m = np.linalg.norm(own.electrodes_m - places_c3, axis=1)
    if not apart_m.mean() <= _SAME_MONTAGE_M:
        farthest = int(np.nanargmax(apart_m))
        raise UserError(
            f"{own.called}: its electrodes stand {apart_m.mean() * 1e3:.0f} mm on average from those of the recording"
            f" ({own.names[farthest]} {apart_m[farthest] * 1e3:.0f} mm), and more than {_SAME_MONTAGE_M * 1e3:.0f} mm is another subject's"
            " montage; compute it with the positions of this recording"
        )
    return own, cleaned


def with_lead_field(predictor: Predictor, own: OwnLeadField) -> Predictor:
    """Let the model of a predictor take a subject's own lead field, whose electrodes are the recording's.

    Raises
    ------
    UserError
        The lead field has too few vertices.
    """
    assert isinstance(predictor.model, ReadsLeadField)
    return replace(predictor, model=predictor.model.with_lead_field(own))


def _staged(file: str, scratch: Path) -> Path:
    """A local copy of a file."""
    if is_local(file):
        path = Path(file)
        if not path.is_file():
            raise UserError(f"{file}: no such file; check its name")
        return path
    path = scratch / PurePosixPath(file).name
    try:
        fetch_file(file, path)
    except FileNotFoundError:
        raise UserError(f"{file}: no such file; check its name") from None
    return path
