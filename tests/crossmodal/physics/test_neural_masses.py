"""Neural masses against their equations: where they rest, their spectrum, delays, and that nothing else matters."""

import logging

import numpy as np
import pytest
import torch
from scipy.optimize import root
from scipy.signal import welch

from crossmodal.config import UserError
from crossmodal.config.cortex import DecayConnectome, NeuralMasses
from crossmodal.physics.connectome import Connectome, decay_connectome
from crossmodal.physics.neural_masses import NeuralMassNetwork

WEIGHTS = np.array([[0, 20, 12], [30, 0, 0], [0, 25, 5]], dtype=float)
LENGTHS_M = np.array([[0, 0.02, 0.09], [0.03, 0, 0], [0, 0.06, 0.012]])
CONNECTOME = Connectome("three regions", WEIGHTS, LENGTHS_M)
A, B_MV, RATE_A, RATE_B, J = 3.25, 22.0, 0.1, 0.05, 135.0


def firing(v):
    return 0.005 / (1 + np.exp(0.56 * (6 - v)))


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def simulated(network, sources, seeds, n_steps, keep_every=1):
    return torch.cat(list(network.simulate(sources, generators(*seeds), n_steps, keep_every)))


def at_rest(drive_per_ms):
    """State (6, 3) in which masses that nothing drives stay."""
    return NeuralMassNetwork(CONNECTOME, NeuralMasses(drive_per_ms=drive_per_ms))._at_rest(1)[0][..., 0].double().numpy()


def rest(gain, drive_per_ms):
    """Potentials y0, y1, y2 of three regions (3, 3) at the fixed point of the equations, by SciPy."""

    def excess(flat):
        y0, y1, y2 = flat.reshape(3, 3)
        return np.concatenate(
            [
                gain / RATE_A * firing(y1 - y2) - y0,
                gain / RATE_A * (drive_per_ms + 0.8 * J * firing(J * y0) + WEIGHTS @ firing(y1 - y2)) - y1,
                B_MV / RATE_B * 0.25 * J * firing(0.25 * J * y0) - y2,
            ]
        )

    solution = root(excess, at_rest(drive_per_ms)[:3].ravel(), tol=1e-12)
    assert solution.success
    return solution.x.reshape(3, 3)


def test_without_noise_regions_rest_at_the_fixed_point():
    network = NeuralMassNetwork(CONNECTOME, NeuralMasses(noise=0, drive_per_ms=0.5))
    potentials_tnb = simulated(network, [1], [0], 2560)
    _, y1, y2 = rest(np.array([3.25, 3.5, 3.25]), 0.5)
    np.testing.assert_allclose(potentials_tnb[-1, :, 0], y1 - y2, rtol=2e-4)
    assert np.ptp(potentials_tnb[-200:].numpy(), axis=0).max() < 1e-3


def analytic_spectrum(frequencies_hz, noise, drive_per_ms):
    """One-sided density of y1 - y2 of three regions, mV2/Hz, of the equations linearised where they rest; delays are whole."""
    y0, y1, y2 = rest(np.full(3, 3.25), drive_per_ms)

    def slope(v):
        return 0.56 * firing(v) * (1 - firing(v) / 0.005)

    from_output, from_y0 = np.diag(slope(y1 - y2)), 0.8 * J * J * np.diag(slope(J * y0))
    to_y2 = 0.25 * J * 0.25 * J * np.diag(slope(0.25 * J * y0))
    densities = []
    for frequency in frequencies_hz:
        s = 2j * np.pi * frequency / 1000
        excite, inhibit = A * RATE_A / (s + RATE_A) ** 2, B_MV * RATE_B / (s + RATE_B) ** 2
        delayed = WEIGHTS * np.exp(-s * LENGTHS_M * 1000 / 3) @ from_output
        # x is the deviation of y1 - y2; noise enters y1 through 1 / (s + a)^2.
        y0_of_x = excite * from_output
        x_of_x = excite * (from_y0 @ y0_of_x + delayed) - inhibit * to_y2 @ y0_of_x
        transfer = np.linalg.inv(np.eye(3) - x_of_x) / (s + RATE_A) ** 2
        # White noise of variance 2 nsig a ms has the one-sided density 4 nsig mV2/ms2 a (1/ms), of which 1000 are a kHz.
        densities.append(np.real(np.diag(transfer @ transfer.conj().T)) * 4 * noise / 1000)
    return np.array(densities).T


def test_small_noise_has_the_spectrum_of_the_linearised_network_with_its_delays():
    # Driven so hard, regions ring at 10 Hz where they rest; connections change their spectra by up to 80 %, the delays alone by 40 %.
    noise, drive_per_ms, n_simulations = 1e-8, 0.42, 256
    network = NeuralMassNetwork(CONNECTOME, NeuralMasses(noise=noise, drive_per_ms=drive_per_ms))
    potentials_tnb = simulated(network, [None] * n_simulations, range(n_simulations), 3072)[1072:].double().numpy()
    # On the way to rest they have something in common.
    potentials_tnb -= potentials_tnb.mean(axis=2, keepdims=True)
    frequencies_hz, density_fnb = welch(potentials_tnb, 2000, nperseg=2000, axis=0)
    kept = (frequencies_hz >= 2) & (frequencies_hz <= 40)
    ratio = density_fnb[kept].mean(axis=2).T / analytic_spectrum(frequencies_hz[kept], noise, drive_per_ms)
    np.testing.assert_allclose(ratio, 1, atol=0.3)
    assert abs(ratio.mean() - 1) < 0.03


def test_a_simulation_is_its_own_whatever_runs_beside_it():
    network = NeuralMassNetwork(CONNECTOME, NeuralMasses())
    alone = simulated(network, [1], [7], 256)
    beside = simulated(network, [None, 1, 0], [3, 7, 4], 256)
    torch.testing.assert_close(beside[:, :, 1], alone[:, :, 0], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(beside[:, :, 0], beside[:, :, 1], atol=1e-2)


def test_kept_steps_are_those_of_the_whole():
    network = NeuralMassNetwork(CONNECTOME, NeuralMasses())
    whole, kept = (simulated(network, [0], [1], 300, every) for every in (1, 4))
    assert whole.shape == (300, 3, 1)
    assert torch.equal(kept, whole[3::4])


def test_steps_are_the_same_however_many_are_computed_together():
    """A tract of no length between regions that do not fire makes each step wait for the one before."""
    weights, lengths_m = np.pad(WEIGHTS, (0, 2)), np.pad(LENGTHS_M, (0, 2))
    together = NeuralMassNetwork(Connectome("", weights, lengths_m), NeuralMasses())
    weights[3, 4] = 1e-30
    one_by_one = NeuralMassNetwork(Connectome("", weights, lengths_m), NeuralMasses())
    assert (together._together, one_by_one._together) == (4, 1)
    potentials = [simulated(network, [0], [1], 256) for network in (together, one_by_one)]
    torch.testing.assert_close(*potentials, rtol=1e-4, atol=1e-4)


def test_a_more_excitable_region_fires_large_waves_and_the_others_do_not():
    connectome = decay_connectome(np.random.default_rng(0).normal(scale=0.05, size=(20, 3)), DecayConnectome())
    potentials_tnb = simulated(NeuralMassNetwork(connectome, NeuralMasses()), [4] * 16, range(16), 3072, 4)[200:]
    largest_nb = potentials_tnb.amax(dim=0)
    assert (largest_nb[4] > 8).float().mean() > 0.5
    others_nb = largest_nb[torch.arange(20) != 4]
    assert (others_nb > 8).float().mean() < 0.3


def test_delays_beyond_what_is_kept_are_refused():
    with pytest.raises(UserError, match="three regions: its longest tract takes 30 ms at 3 m/s, and longest_delay_ms = 20"):
        NeuralMassNetwork(CONNECTOME, NeuralMasses(longest_delay_ms=20))
    # What no connection takes does not count.
    NeuralMassNetwork(Connectome("", WEIGHTS, LENGTHS_M + 10 * (WEIGHTS == 0)), NeuralMasses())


def test_without_a_compiler_it_says_so_and_goes_on(monkeypatch, caplog):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with caplog.at_level(logging.WARNING):
        network = NeuralMassNetwork(CONNECTOME, NeuralMasses(), compiled=True)
    assert "no C++ compiler" in caplog.text
    eager = NeuralMassNetwork(CONNECTOME, NeuralMasses())
    assert torch.equal(*(simulated(net, [0], [1], 256) for net in (network, eager)))


@pytest.mark.slow
def test_compiled_equations_are_the_same():
    networks = [NeuralMassNetwork(CONNECTOME, NeuralMasses(), compiled=compiled) for compiled in (False, True)]
    torch.testing.assert_close(*(simulated(network, [0] * 16, range(16), 512) for network in networks), rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_computes_the_same():
    settings = NeuralMasses(noise=0)
    networks = [NeuralMassNetwork(CONNECTOME, settings, device) for device in ("cpu", "cuda")]
    on_cpu, on_gpu = (
        torch.cat(list(network.simulate([0], [torch.Generator(device)], 1000)))
        for network, device in zip(networks, ("cpu", "cuda"), strict=True)
    )
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=1e-4, atol=1e-4)


def by_tvb(noise, initial_sn, n_steps, gain_n=A):
    """Potentials y1 - y2 (n_steps, 3) of The Virtual Brain, from a constant past."""
    pytest.importorskip("tvb.simulator.simulator", reason="tvb-library is not installed; `make bench` puts it into .venv/peers")
    from tvb.datatypes.connectivity import Connectivity
    from tvb.simulator import coupling, integrators, models, monitors, simulator
    from tvb.simulator import noise as noises

    connectivity = Connectivity(
        weights=WEIGHTS,
        tract_lengths=LENGTHS_M * 1000,
        region_labels=np.array(["a", "b", "c"]),
        centres=np.zeros((3, 3)),
        speed=np.array([3.0]),
    )
    nsig_sn1 = np.tile(np.array([0, 0, 0, 0, noise, 0])[:, None, None], (1, 3, 1))
    simulation = simulator.Simulator(
        model=models.JansenRit(A=np.broadcast_to(gain_n, 3), v0=np.array([6.0]), mu=np.array([0.087]), variables_of_interest=("y1", "y2")),
        connectivity=connectivity,
        coupling=coupling.SigmoidalJansenRit(),
        integrator=integrators.HeunStochastic(dt=0.5, noise=noises.Additive(nsig=nsig_sn1, noise_seed=1)),
        monitors=(monitors.Raw(),),
        initial_conditions=np.broadcast_to(initial_sn[None, :, :, None], (200, 6, 3, 1)),
        simulation_length=n_steps / 2,
    ).configure()
    ((_, found_tsn1),) = simulation.run()
    return (found_tsn1[:, 0] - found_tsn1[:, 1])[..., 0]


def test_without_noise_the_virtual_brain_computes_the_same():
    ours = simulated(NeuralMassNetwork(CONNECTOME, NeuralMasses(noise=0)), [1], [0], 512)[..., 0]
    np.testing.assert_allclose(by_tvb(0.0, at_rest(0.087), 512, np.array([3.25, 3.5, 3.25])), ours, rtol=1e-4)


@pytest.mark.slow
def test_noise_makes_the_waves_of_the_virtual_brain():
    # Too weak for large waves: how many of them there are would decide.
    noise = 5e-5
    theirs = by_tvb(noise, at_rest(0.087), 40_000)[2000:]
    network = NeuralMassNetwork(CONNECTOME, NeuralMasses(noise=noise))
    ours_tnb = simulated(network, [None] * 32, range(32), 10_000)[2000:].double().numpy()
    np.testing.assert_allclose(theirs.mean(axis=0), ours_tnb.mean(axis=(0, 2)), rtol=0.03)
    np.testing.assert_allclose(theirs.var(axis=0).mean(), ours_tnb.var(axis=0).mean(), rtol=0.2)
    spectra = [welch(potentials, 2000, nperseg=2000, axis=0)[1][2:41] for potentials in (theirs, ours_tnb)]
    np.testing.assert_allclose(np.log(spectra[0]).mean(axis=0), np.log(spectra[1].mean(axis=2)).mean(axis=0), atol=0.2)
