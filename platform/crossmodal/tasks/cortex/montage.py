"""The electrodes of a recording to predict from, beside those that a model was trained with."""

from dataclasses import replace

import mne
import numpy as np

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.predictor import Predictor
from crossmodal.physics.standard_cap import standard_cap
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.transforms.scaling import ChannelScaling, Normaliser


def with_places(cleaned: CleanedInput) -> CleanedInput:
    """Give electrodes, of which no place is known, those that caps have of their names.

    Raises
    ------
    UserError
        Some electrodes have a place and others have none, or one is not called as an electrode of the extended 10-20 system.
    """
    info = mne.pick_info(cleaned.info, mne.pick_channels(cleaned.info["ch_names"], list(cleaned.names), ordered=True))
    places_c3 = np.array([channel["loc"][:3] for channel in info["chs"]])
    unknown = [name for name, place in zip(cleaned.names, places_c3, strict=True) if not np.isfinite(place).all() or not place.any()]
    if not unknown:
        return cleaned
    if len(unknown) < len(cleaned.names):
        raise UserError(f"{', '.join(unknown[:5])}: has no place, though other electrodes have; set a montage, or leave it out")
    told = "has no places of electrodes: those that caps have of their names are taken"
    return replace(cleaned, info=standard_cap(cleaned.names, info["sfreq"]), notes=(*cleaned.notes, told))


def for_electrodes(predictor: Predictor, signals: SignalPair, names: tuple[str, ...]) -> tuple[Predictor, SignalPair]:
    """Let a model of any montage read these electrodes: all are scaled alike, and so are others."""
    if names == signals.input.names:
        return predictor, signals
    known = predictor.normaliser.input
    scaling = ChannelScaling(known.offset_c[:1].expand(len(names)), known.scale_c[:1].expand(len(names)))
    input = signals.input.model_copy(update={"names": names, "types": ("eeg",) * len(names)})
    normaliser = Normaliser(scaling, predictor.normaliser.target)
    return replace(predictor, normaliser=normaliser), signals.model_copy(update={"input": input})
