"""Signals that a model predicted are no recordings, whatever file they come in."""

from mne.io import BaseRaw

from crossmodal.config import UserError
from crossmodal.datasets.virtual_data import has_gaps
from preprocessing.steps.channel_types import MODALITY_TYPES

# Each channel of a prediction has all gaps; a few tell as much as all, and cost less.
_CHANNELS = 4


def refuse_virtual(raw: BaseRaw, called: str) -> None:
    """Refuse a cleaned recording one of whose modalities has the gaps in its spectrum that `predict` leaves.

    Raises
    ------
    UserError
        The sentence calls the recording `called`.
    """
    kinds = raw.get_channel_types()
    for modality, types in MODALITY_TYPES.items():
        picks = [index for index, kind in enumerate(kinds) if kind in types]
        if picks and has_gaps(raw.get_data(picks=picks[:: -(-len(picks) // _CHANNELS)]).T, raw.info["sfreq"]):
            raise UserError(
                f"{called}: its {modality.upper()} is virtual, by the gaps that crossmodal leaves in the spectra of its predictions, and no"
                " recording; leave it out"
            )
