"""Electrodes of recordings that are not those of training."""

import mne
import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.models.predictor import Predictor
from crossmodal.models.zero import Zero, ZeroConfig
from crossmodal.physics.standard_cap import standard_cap
from crossmodal.tasks.cleaned_input import CleanedInput, Clock
from crossmodal.tasks.cortex.montage import for_electrodes, with_places
from crossmodal.tasks.cortex.signals import signal_pair
from tests.crossmodal.tasks.cortex.heads import SIMULATION, feed


def cleaned(info):
    clock = Clock(50.0, 10, 0, mne.Annotations([], [], []))
    return CleanedInput(tuple(info["ch_names"]), np.zeros((len(info["ch_names"]), 10)), clock, info, (), ())


def test_electrodes_without_places_get_those_of_their_names():
    placed = with_places(cleaned(mne.create_info(["Fz", "Oz"], 50.0, "eeg")))
    np.testing.assert_array_equal(placed.info["chs"][1]["loc"][:3], standard_cap(["Oz"], 50.0)["chs"][0]["loc"][:3])
    assert placed.notes == ("has no places of electrodes: those that caps have of their names are taken",)
    known = cleaned(standard_cap(["Fz", "Oz"], 50.0))
    assert with_places(known) is known
    known.info["chs"][1]["loc"][:3] = np.nan
    with pytest.raises(UserError, match="Oz: has no place, though other electrodes have"):
        with_places(known)
    with pytest.raises(UserError, match="EEG 007: no electrode of the extended 10-20 system"):
        with_places(cleaned(mne.create_info(["EEG 007"], 50.0, "eeg")))


def test_other_electrodes_are_scaled_as_those_of_training():
    signals, normaliser = signal_pair(SIMULATION), feed("test").normaliser
    predictor, other = for_electrodes(Predictor(Zero(ZeroConfig(), signals), normaliser), signals, ("A", "B", "C"))
    assert other.input.names == ("A", "B", "C")
    torch.testing.assert_close(predictor.normaliser.input(1e-6 * torch.ones(1, 3, 4)), torch.ones(1, 3, 4))
    # MEG that it was trained with keeps its type and unit.
    beside = signals.model_copy(update={"input": signals.input.model_copy(update={"names": ("Fz", "MEG0111"), "types": ("eeg", "mag")})})
    scaled, named = for_electrodes(predictor, beside, ("A", "B", "MEG0111"))
    assert named.input.types == ("eeg", "eeg", "mag")
    torch.testing.assert_close(scaled.normaliser.input(3e-14 * torch.ones(1, 3, 1))[0, 2], torch.ones(1))
    assert for_electrodes(predictor, other, other.input.names) == (predictor, other)
