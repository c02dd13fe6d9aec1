"""Samples of EEG and cortical activity, each made from its number when it is asked for."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import irfft

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.config.cortex import CortexSimulation
from crossmodal.config.simulation import SourceSpectrum
from crossmodal.datasets.feed import Batch
from crossmodal.datasets.folds import ROLES, Role
from crossmodal.physics.cortical_regions import N_REGIONS
from crossmodal.physics.places import Places, places_of
from crossmodal.physics.spectra import aperiodic_density
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.signals import signal_pair
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

# A model's units are fitted to nothing, and bring signals to the order of one: without the rest of the brain, EEG is smaller than usual.
_EEG_UNIT_V = 1e-6
_MOMENT_UNIT_AM = CHANNEL_TYPES["cortex"].magnitude


class SimulatedFeed:
    """A feed of simulated windows: EEG at the average reference, and the moment of each region of the template cortex.

    A sample follows from the simulation's seed, the role, the subject and its number within the subject, and from nothing else: which other
    samples a batch holds, or who asked before, changes no bit.

    Parameters
    ----------
    simulation : CortexSimulation
    heads : sequence of SimulatedHead
        Subjects of the role, drawn with the same simulation.
    role : 'train', 'validation' or 'test'
        A subject's samples differ between roles.

    Attributes
    ----------
    normaliser : Normaliser
        Between SI units and those of the batches; the same for every simulation with as many electrodes.
    """

    def __init__(self, simulation: CortexSimulation, heads: Sequence[SimulatedHead], role: Role) -> None:
        self.subjects = np.repeat([head.label for head in heads], simulation.samples)
        self.normaliser = normaliser(simulation)
        self._simulation = simulation
        self._heads = heads
        self._role = ROLES.index(role)
        self._region_fields_cr = [head.region_field_cr for head in heads]
        self._backgrounds_cc = [head.background_cc.astype(np.float32) for head in heads]
        # Noise is made twice as long as a window and cut, since its ends meet. What is constant over it is left out.
        frequencies_hz = np.arange(simulation.n_times + 1) * (simulation.sfreq / (2 * simulation.n_times))
        spectrum = SourceSpectrum(exponent=simulation.background_exponent)
        density_f = aperiodic_density(spectrum, simulation.sfreq / 2)(frequencies_hz.astype(np.float64))
        density_f[[0, -1]] = 0
        # Noise whose real and imaginary part have standard deviation g transforms to a variance of the sum of g^2 / n_times^2.
        self._background_gain_f = (np.sqrt(density_f / density_f.sum()) * simulation.n_times).astype(np.float32)

    def __len__(self) -> int:
        return len(self.subjects)

    def batches(self, batch_size: int, order: NDArray[np.integer], device: torch.device | str = "cpu", /) -> Iterator[Batch]:
        """Make the samples of these numbers, in their order, each batch while the one before it is used.

        They are in the units of models; the last batch takes what remains.
        """
        chunks = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
        with ThreadPoolExecutor(1) as ahead:
            making = [ahead.submit(self._batch, chunk) for chunk in chunks[:1]]
            for following in range(1, len(chunks) + 1):
                batch = making.pop().result()
                making += [ahead.submit(self._batch, chunk) for chunk in chunks[following : following + 1]]
                yield Batch(batch.input_bct.to(device), batch.target_bst.to(device), batch.windows)

    def places(self, windows: NDArray[np.integer], /) -> Places:
        """Tell where the electrodes and digitised points of the heads of these samples are."""
        return self._places[torch.from_numpy(windows // self._simulation.samples)]

    def label(self, window: int, /) -> str:
        """Name the head of a sample, and its number there."""
        return f"sub-{self.subjects[window]} sample {window % self._simulation.samples}"

    @cached_property
    def _places(self) -> Places:
        """A row a head."""
        signals = signal_pair(self._simulation)
        return Places.stacked([places_of(head.info, signals) for head in self._heads])

    def _batch(self, numbers: NDArray[np.integer]) -> Batch:
        inputs_ct, targets_rt = zip(*(self._sample(int(number)) for number in numbers), strict=True)
        return Batch(torch.from_numpy(np.stack(inputs_ct)), torch.from_numpy(np.stack(targets_rt)), numbers)

    def _sample(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """EEG (n_electrodes, n_times) and moments (n_regions, n_times), both in the units of models.

        One sample at a time: a product of matrices of another shape may differ in its last bits.
        """
        simulation = self._simulation
        head, number = divmod(index, simulation.samples)
        rng = np.random.default_rng([simulation.seed, int(self.subjects[index]), self._role, number])
        regions, moment_at = _active_regions(simulation, rng)
        signal_ct = self._region_fields_cr[head][:, regions] @ moment_at
        noise_ct = self._noise(self._backgrounds_cc[head], rng)
        snr = 10 ** (rng.uniform(*simulation.snr_db) / 10)
        noise_ct *= np.sqrt(np.mean(signal_ct**2) / (snr * np.mean(noise_ct**2)))
        target_rt = np.zeros((N_REGIONS, simulation.n_times), dtype=np.float32)
        target_rt[regions] = moment_at / _MOMENT_UNIT_AM
        return ((signal_ct + noise_ct) / _EEG_UNIT_V).astype(np.float32), target_rt

    def _noise(self, background_cc: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Background activity and white sensor noise at the average reference, of variance 1 together before referencing."""
        share, n_times = self._simulation.background, self._simulation.n_times
        white_ct = rng.standard_normal((len(background_cc), n_times), dtype=np.float32)
        white_ct -= white_ct.mean(axis=0)
        spectrum_cf = rng.standard_normal((len(background_cc), 2 * (n_times + 1)), dtype=np.float32).view(np.complex64)
        latent_ct = irfft(spectrum_cf * self._background_gain_f, 2 * n_times)[:, :n_times]
        return np.float32(np.sqrt(share)) * (background_cc @ latent_ct) + np.float32(np.sqrt(1 - share)) * white_ct


def normaliser(simulation: CortexSimulation) -> Normaliser:
    """Between V and A m and the units of models."""
    scalings = (_fixed(simulation.electrodes, _EEG_UNIT_V), _fixed(N_REGIONS, _MOMENT_UNIT_AM))
    return Normaliser(*scalings)


def _fixed(n_channels: int, unit: float) -> ChannelScaling:
    return ChannelScaling(torch.zeros(n_channels), torch.full((n_channels,), 1 / unit))


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
