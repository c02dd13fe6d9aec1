"""Minimum norm through the forward model."""

from dataclasses import dataclass

import mne
import numpy as np
import pytest
import torch

from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.models.base import Geometry
from crossmodal.models.minimum_norm import MinimumNorm, MinimumNormConfig, minimum_norm_projection
from crossmodal.physics.template import template_lead_field
from preprocessing.simulated.sensors import sensor_info


@dataclass
class Scale:
    factor: float

    def forward(self, x_bct):
        return x_bct * self.factor

    def inverse(self, x_bct):
        return x_bct / self.factor


@dataclass
class Units:
    input: Scale
    target: Scale


@pytest.fixture(scope="module")
def info():
    recorded = sensor_info(250.0, 1.0, np.zeros(3), np.zeros(3))
    located = [name for name, channel in zip(recorded["ch_names"], recorded["chs"], strict=True) if channel["loc"].any()]
    return mne.pick_info(recorded, mne.pick_channels(recorded["ch_names"], located, ordered=True))


def channels(info, kind):
    return tuple(name for name, found in zip(info["ch_names"], info.get_channel_types(), strict=True) if found == kind)


def signal_pair(eeg, mag):
    input, target = (
        SignalSpec(names=names, types=(kind,) * len(names), sfreq=250.0, n_times=50) for names, kind in ((eeg, "eeg"), (mag, "mag"))
    )
    return SignalPair(input=input, target=target)


def test_a_cortical_source_is_seen_by_the_other_modality(info):
    """The field of dipoles that EEG sees well is predicted from EEG alone; units cancel."""
    eeg, mag = channels(info, "eeg"), channels(info, "mag")
    names, lead_field = template_lead_field(info, 300)
    rows = [names.index(name) for name in (*eeg, *mag)]
    moments = 1e-9 * np.random.default_rng(0).standard_normal((300, 50))
    signals = lead_field[rows] @ moments
    x_bct, y_bst = torch.from_numpy(signals[None, : len(eeg)] * 1e6).float(), signals[len(eeg) :] * 1e13
    pair = signal_pair(eeg, mag)
    model = MinimumNorm(MinimumNormConfig(n_dipoles=300, snr=100), pair)
    geometry = Geometry(info, pair, Units(Scale(1e6), Scale(1e13)), True)
    predicted = model.for_subject(geometry)(x_bct)[0].numpy()
    assert 1 - np.square(predicted - y_bst).sum() / np.square(y_bst).sum() > 0.3
    shuffled = model.for_subject(Geometry(info, signal_pair(eeg[::-1], mag), Units(Scale(1e6), Scale(1e13)), True))(x_bct)[0].numpy()
    assert 1 - np.square(shuffled - y_bst).sum() / np.square(y_bst).sum() < 0.1


@pytest.mark.parametrize("average_reference", [True, False])
def test_eeg_is_seen_at_the_reference_of_its_recording(info, average_reference):
    """A model of a few electrodes gets them relative to all that were recorded, or as they were recorded."""
    eeg, mag = channels(info, "eeg"), channels(info, "mag")
    few = eeg[:8]
    names, lead_field = template_lead_field(info, 100)
    rows = dict(zip(names, lead_field, strict=True))
    reference = np.mean([rows[name] for name in eeg], axis=0) * average_reference
    input, target = np.array([rows[name] - reference for name in few]), np.array([rows[name] for name in mag])
    expected = minimum_norm_projection(input, target, np.array(["eeg"] * 8), 3.0)
    model = MinimumNorm(MinimumNormConfig(n_dipoles=100), signal_pair(few, mag))
    geometry = Geometry(info, signal_pair(few, mag), Units(Scale(1e6), Scale(1e13)), average_reference)
    found = model.for_subject(geometry)(1e6 * torch.eye(8)[None])[0].numpy() / 1e13
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_sensor_types_of_one_input_weigh_alike():
    """Magnetometers and gradiometers: the unit of one must not change the map."""
    rng = np.random.default_rng(0)
    input, target = rng.standard_normal((6, 20)), rng.standard_normal((3, 20))
    types = np.array(["mag", "mag", "mag", "grad", "grad", "grad"])
    unit = np.array([1, 1, 1, 50, 50, 50.0])
    plain = minimum_norm_projection(input, target, types, 3.0)
    np.testing.assert_allclose(minimum_norm_projection(input * unit[:, None], target, types, 3.0) * unit, plain)


def test_much_noise_leaves_no_prediction_and_little_noise_the_least_squares_one():
    rng = np.random.default_rng(0)
    input, target, types = rng.standard_normal((6, 20)), rng.standard_normal((3, 20)), np.array(["eeg"] * 6)
    np.testing.assert_allclose(minimum_norm_projection(input, target, types, 1e5), target @ np.linalg.pinv(input), atol=1e-6)
    assert np.abs(minimum_norm_projection(input, target, types, 1e-3)).max() < 1e-4
