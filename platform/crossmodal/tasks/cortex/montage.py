"""The electrodes of a recording to predict from, beside those that a model was trained with."""

from dataclasses import replace

import mne
import numpy as np
from mne.io.constants import FIFF
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.predictor import Predictor
from crossmodal.physics.standard_cap import standard_cap
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.tasks.cortex.signals import input_scaling
from crossmodal.transforms.scaling import Normaliser


def with_places(cleaned: CleanedInput) -> CleanedInput:
    """Give electrodes, of which no place is known, those that caps have of their names.

    Raises
    ------
    UserError
        Some electrodes have a place and others have none, or one is not called as an electrode of the extended 10-20 system.
    """
    if known_places(cleaned) is not None:
        return cleaned
    told = "has no places of electrodes: those that caps have of their names are taken"
    return replace(cleaned, info=standard_cap(cleaned.names, cleaned.info["sfreq"]), notes=(*cleaned.notes, told))


def known_places(cleaned: CleanedInput) -> NDArray[np.float64] | None:
    """Where the electrodes of a recording stand, shape (n_electrodes, 3), head coordinates; None where no place is known.

    Raises
    ------
    UserError
        Some electrodes have a place and others have none, or channels are differences of two electrodes.
    """
    info = mne.pick_info(cleaned.info, mne.pick_channels(cleaned.info["ch_names"], list(cleaned.names), ordered=True))
    bipolar = [channel["ch_name"] for channel in info["chs"] if channel["coil_type"] == FIFF.FIFFV_COIL_EEG_BIPOLAR]
    if bipolar:
        raise UserError(
            f"{', '.join(bipolar[:5])}: is the difference of two electrodes, which stands at no place and has no average reference; give"
            " electrodes against a common reference, whichever it is"
        )
    places_c3 = np.array([channel["loc"][:3] for channel in info["chs"]], dtype=np.float64)
    unknown = [name for name, place in zip(cleaned.names, places_c3, strict=True) if not np.isfinite(place).all() or not place.any()]
    if 0 < len(unknown) < len(cleaned.names):
        raise UserError(f"{', '.join(unknown[:5])}: has no place, though other electrodes have; set a montage, or leave it out")
    return None if unknown else places_c3


def for_electrodes(predictor: Predictor, signals: SignalPair, names: tuple[str, ...]) -> tuple[Predictor, SignalPair]:
    """Let a model of any montage read these electrodes, which are scaled as others are; MEG is as it was trained with."""
    if names == signals.input.names:
        return predictor, signals
    known = dict(zip(signals.input.names, signals.input.types, strict=True))
    types = tuple(known.get(name, "eeg") for name in names)
    input = signals.input.model_copy(update={"names": names, "types": types})
    normaliser = Normaliser(input_scaling(types), predictor.normaliser.target)
    return replace(predictor, normaliser=normaliser), signals.model_copy(update={"input": input})
