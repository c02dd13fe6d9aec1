"""The unrolled Champagne starts as the solver, and serves any electrodes."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.models.base import Geometry
from crossmodal.models.champagne import Champagne, ChampagneConfig, _Champagne
from crossmodal.models.classical_parts.atoms import Atoms
from crossmodal.models.unrolled_champagne import UnrolledChampagne, UnrolledChampagneConfig
from crossmodal.physics.places import unknown_places
from crossmodal.tasks.cortex.metrics import power_correlation
from crossmodal.tasks.cortex.signals import signal_pair
from crossmodal.transforms.scaling import ChannelScaling, Normaliser
from tests.crossmodal.models.pairs import cap_places, cortex_pair, sensor_pair
from tests.crossmodal.tasks.cortex import patches
from tests.crossmodal.tasks.cortex.heads import SIMULATION, feed

SMALL = UnrolledChampagneConfig(centres=60, spreads_m=(0.01,), n_dipoles=500, other_heads=3, noise=0.2, background=0.4)


def new_network():
    torch.manual_seed(0)
    return UnrolledChampagne(SMALL, signal_pair(SIMULATION))


@pytest.fixture(scope="module")
def network():
    return new_network().eval()


def batch(role="train", n_windows=6):
    """Windows of all heads of a role, and their places."""
    of = feed(role)
    chosen = np.arange(n_windows) * (len(of) // n_windows)
    return next(of.batches(n_windows, chosen)), of.places(chosen)


@torch.no_grad()
def test_it_starts_as_the_solver(network):
    """With the same dictionary of each head, the same noise and as many iterations."""
    drawn, places = batch()
    settings = ChampagneConfig(iterations=SMALL.iterations, background=SMALL.background)
    unscaled = (ChannelScaling(torch.zeros(n), torch.ones(n)) for n in (32, 60))
    normaliser, y_brt = Normaliser(*unscaled), network(drawn.input_bct, places)
    of_heads = network.atoms.by_head(places)
    assert len(of_heads) == 2
    for rows, atoms in of_heads:
        tensors = {field.name: getattr(atoms, field.name).double() for field in fields(Atoms) if field.name != "sizes"}
        exact = Atoms(sizes=atoms.sizes, **tensors)
        expected_brt = _Champagne(exact, SMALL.noise, settings, normaliser)(drawn.input_bct[rows])
        torch.testing.assert_close(y_brt[rows], expected_brt, rtol=0, atol=1e-3 * float(expected_brt.abs().max()))


@torch.no_grad()
@pytest.mark.parametrize("sensors", [("mag",), ("eeg", "mag", "grad")])
def test_of_meg_it_starts_as_the_solver_too(sensors):
    """Which sees the helmet where it is; the network is told where its sensors are and no more."""
    config = SMALL.model_copy(update={"noise": 0.1, "background": 0.5, "other_heads": 2})
    simulation, of = patches.SIMULATION.model_copy(update={"sensors": sensors}), patches.feed("validation", sensors=sensors)
    pair, of_head = signal_pair(simulation, patches.REGIONS), patches.head(patches.SIMULATION.matched, "03", sensors)
    network = UnrolledChampagne(config, pair).eval()
    (drawn,) = of.batches(3, np.arange(3))
    shared = {name: getattr(config, name) for name in ("centres", "spreads_m", "n_dipoles", "other_heads", "background", "iterations")}
    solver = Champagne(ChampagneConfig(dictionary="patches", noises=(config.noise,), **shared), pair)
    expected_brt = solver.for_subject(Geometry(of_head.info, pair, of.normaliser, True))(drawn.input_bct)
    found_brt = network(drawn.input_bct, of.places(np.arange(3)))
    torch.testing.assert_close(found_brt, expected_brt, rtol=0, atol=0.02 * float(expected_brt.abs().max()))


@torch.no_grad()
def test_half_the_eeg_is_half_the_activity_and_silence_is_silence(network):
    drawn, places = batch()
    y_brt = network(drawn.input_bct, places)
    torch.testing.assert_close(2 * network(drawn.input_bct / 2, places), y_brt, rtol=0, atol=1e-4 * float(y_brt.abs().max()))
    assert not network(torch.zeros_like(drawn.input_bct), places).any()


@torch.no_grad()
def test_other_electrodes_are_served_by_the_same_weights(network):
    """Every second electrode says nearly the same."""
    drawn, places = batch()
    few_bct = drawn.input_bct[:, ::2] - drawn.input_bct[:, ::2].mean(1, keepdim=True)
    few = type(places)(places.input_bc3[:, ::2], *list(places.tensors().values())[1:])
    found = power_correlation(network(drawn.input_bct, places).numpy(), network(few_bct, few).numpy())
    assert np.median(found) > 0.7
    mixed = power_correlation(network(drawn.input_bct, places).numpy(), network(few_bct.flip(1), few).numpy())
    assert np.median(mixed) < 0.4


def test_it_learns_to_do_better_than_the_solver():
    network, (drawn, places) = new_network(), batch(n_windows=32)
    optimiser, losses = torch.optim.Adam(network.parameters(), 3e-3), []
    for _ in range(12):
        loss = network.loss(drawn.input_bct, drawn.target_bst, places)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_what_it_cannot_serve_is_refused(network):
    with pytest.raises(UserError, match="unrolled_champagne maps EEG and MEG to cortical regions and nothing else"):
        UnrolledChampagne(SMALL, sensor_pair(32, 3, 50, 50.0))
    pair = cortex_pair(32, 50, 50.0)
    with pytest.raises(UserError, match="no sensor position for EEG001"):
        network(torch.zeros(1, 32, 50), unknown_places(pair))
    assert network(torch.ones(1, 32, 50), cap_places(pair, 1)).isfinite().all()
