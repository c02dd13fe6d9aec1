"""The electrodes of a recording to predict from, beside those that a model was trained with."""

from dataclasses import replace

import mne
import numpy as np

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
        An electrode is not called as one of the extended 10-20 system.
    """
    info = mne.pick_info(cleaned.info, mne.pick_channels(cleaned.info["ch_names"], list(cleaned.names), ordered=True))
    places_c3 = np.array([channel["loc"][:3] for channel in info["chs"]])
    if (np.isfinite(places_c3) & (places_c3 != 0)).any():
        return cleaned
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
