"""Samples in which regions of the cortex carry bursts of sines, on heads of spherical shells."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.cortex import CortexSimulation
from crossmodal.datasets.folds import ROLES, Role
from crossmodal.physics.cortical_regions import N_REGIONS
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.noise import FallingNoise, white_noise
from crossmodal.tasks.cortex.sampled_feed import SampledFeed, with_noise
from crossmodal.tasks.cortex.signals import MOMENT_UNIT_AM, signal_pair


class SimulatedFeed(SampledFeed):
    """A feed of simulated windows: EEG at the average reference, and the moment of each region of the template cortex.

    Parameters
    ----------
    simulation : CortexSimulation
    heads : sequence of SimulatedHead
        Subjects of the role, drawn with the same simulation.
    role : 'train', 'validation' or 'test'
        A subject's samples differ between roles.
    """

    def __init__(self, simulation: CortexSimulation, heads: Sequence[SimulatedHead], role: Role) -> None:
        super().__init__(heads, simulation.samples, signal_pair(simulation))
        self._simulation = simulation
        self._role = ROLES.index(role)
        self._region_fields_cr = [head.region_field_cr for head in heads]
        self._backgrounds_cc = [head.backgrounds_cl["eeg"].astype(np.float32) for head in heads]
        self._background = FallingNoise(simulation.background_exponent, simulation.sfreq, simulation.n_times)

    def _sample(self, head: int, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        simulation = self._simulation
        rng = np.random.default_rng([simulation.seed, int(self._heads[head].label), self._role, number])
        regions, moment_at = _active_regions(simulation, rng)
        signal_ct = self._region_fields_cr[head][:, regions] @ moment_at
        noise_ct = self._noise(self._backgrounds_cc[head], rng)
        target_rt = np.zeros((N_REGIONS, simulation.n_times), dtype=np.float32)
        target_rt[regions] = moment_at / MOMENT_UNIT_AM
        return with_noise(signal_ct, noise_ct, rng.uniform(*simulation.snr_db), "eeg"), target_rt

    def _noise(self, background_cc: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Background activity and white sensor noise at the average reference, of variance 1 together before referencing."""
        share = self._simulation.background
        white_ct = white_noise(len(background_cc), self._simulation.n_times, rng)
        latent_ct = self._background.draw(len(background_cc), rng)
        return np.float32(np.sqrt(share)) * (background_cc @ latent_ct) + np.float32(np.sqrt(1 - share)) * white_ct


def _active_regions(simulation: CortexSimulation, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Draw regions and their moments (n_active, n_times) in A m: sines in Gaussian envelopes, all centred within the window."""
    n_active = int(rng.integers(*simulation.active_regions, endpoint=True))
    regions = rng.choice(N_REGIONS, n_active, replace=False)
    largest_am, frequency_hz, envelope_s, centre_s, phase = (
        rng.uniform(low, high, (n_active, 1))
        for low, high in (simulation.moment_am, simulation.frequency_hz, simulation.envelope_s, (0, simulation.length_s), (0, 2 * np.pi))
    )
    offset_s = np.arange(simulation.n_times) / simulation.sfreq - centre_s
    wave_at = np.sin(2 * np.pi * frequency_hz * offset_s + phase)
    return regions, largest_am * wave_at * np.exp(-(offset_s**2) / (2 * envelope_s**2))
