"""Places of sensors and heads, in head coordinates."""

import mne
import numpy as np
import torch
from mne.transforms import apply_trans

from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.physics.places import N_HEAD_POINTS, Places, places_of, unknown_places
from preprocessing.simulated.sensors import sensor_info

INFO = sensor_info(250.0, 1.0, np.array([0.1, 0.0, 0.2]), np.array([0.004, -0.002, 0.001]))


def pair(n_electrodes=4):
    kinds = dict(zip(INFO["ch_names"], INFO.get_channel_types(), strict=True))
    eeg, mag = ([name for name, kind in kinds.items() if kind == wanted] for wanted in ("eeg", "mag"))
    input, target = (
        SignalSpec(names=tuple(names), types=(kind,) * len(names), sfreq=250.0, n_times=10)
        for names, kind in ((eeg[:n_electrodes], "eeg"), (mag[:3], "mag"))
    )
    return SignalPair(input=input, target=target)


def test_places_are_those_of_mne_in_head_coordinates():
    signals = pair()
    places = places_of(INFO, signals)
    electrodes = mne.pick_info(INFO, [INFO["ch_names"].index(name) for name in signals.input.names])
    np.testing.assert_allclose(places.input_bc3[0], [channel["loc"][:3] for channel in electrodes["chs"]], atol=1e-7)
    coils = mne.pick_info(INFO, [INFO["ch_names"].index(name) for name in signals.target.names])
    to_head = INFO["dev_head_t"]["trans"]
    expected = [apply_trans(to_head, channel["loc"][:3]) for channel in coils["chs"]]
    np.testing.assert_allclose(places.target_bs3[0], expected, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(places.target_normal_bs3[0], axis=1), 1, atol=1e-4)
    assert places.input_normal_bc3.isnan().all()
    assert places.head_bp3.shape == (1, N_HEAD_POINTS, 3)


def test_what_nobody_knows_is_not_a_number():
    signals = pair()
    bare = mne.create_info(list(signals.input.names), 250.0, "eeg")
    places = places_of(bare, signals)
    for name, tensor in places.tensors().items():
        assert tensor.isnan().all()
        assert tensor.shape == unknown_places(signals).tensors()[name].shape
    beside = places_of(bare, signals, INFO)
    assert torch.equal(beside.target_bs3[0].isnan().any(), torch.tensor(False))


def test_rows_are_picked_and_repeated():
    signals = pair()
    both = Places.stacked([places_of(INFO, signals), unknown_places(signals)])
    assert len(both) == 2
    assert both[torch.tensor([1, 0, 0])].input_bc3[0].isnan().all()
    assert len(both[slice(0, 1)].repeated(5)) == 5
