"""Samples that are made from their numbers when they are asked for, each batch while the one before it is used."""

import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.channel_types import SIMULATED_UNITS
from crossmodal.config.signal_spec import SignalPair
from crossmodal.datasets.feed import Batch, Feed
from crossmodal.physics.places import Places, places_of
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.signals import normaliser

# Each holds Python's lock for a part of its time, so that more would wait for one another.
_MOST_THREADS = 8
_Sample = tuple[NDArray[np.float32], NDArray[np.float32]]


class SampledFeed(Feed):
    """A feed of as many samples of each head: what its sensors show, EEG at the average reference, and the moment of each region.

    A sample follows from the simulation's settings, the role, the head and its number there, and from nothing else: which other samples a
    batch holds, or who asked before, changes no bit.

    Parameters
    ----------
    heads : sequence of SimulatedHead
        Of the role.
    samples : int
        Of each head.
    signals : SignalPair

    Attributes
    ----------
    normaliser : Normaliser
        Between SI units and those of the batches; the same for every simulation with the same channels and as many regions.
    """

    def __init__(self, heads: Sequence[SimulatedHead], samples: int, signals: SignalPair) -> None:
        self.subjects = np.repeat([head.label for head in heads], samples)
        self.normaliser = normaliser(signals)
        self._heads, self._samples, self._signals = heads, samples, signals

    def __len__(self) -> int:
        return len(self.subjects)

    def batches(self, batch_size: int, order: NDArray[np.integer], device: torch.device | str = "cpu", /) -> Iterator[Batch]:
        """Make the samples of these numbers, in their order, each batch while the one before it is used.

        They are in the units of models; the last batch takes what remains.
        """
        chunks = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
        # What takes long, random numbers and matrix products, lets go of Python's lock.
        with ThreadPoolExecutor(min(_MOST_THREADS, len(os.sched_getaffinity(0)))) as ahead:

            def begin(chunk: NDArray[np.integer]) -> list[Future[_Sample]]:
                return [ahead.submit(self._sample, *divmod(int(number), self._samples)) for number in chunk]

            making = [begin(chunk) for chunk in chunks[:1]]
            for following, chunk in enumerate(chunks, start=1):
                inputs_ct, targets_rt = zip(*(sample.result() for sample in making.pop()), strict=True)
                making += [begin(after) for after in chunks[following : following + 1]]
                input_bct, target_bst = (torch.from_numpy(np.stack(arrays)).to(device) for arrays in (inputs_ct, targets_rt))
                yield Batch(input_bct, target_bst, chunk)

    def places(self, windows: NDArray[np.integer], /) -> Places:
        """Tell where the sensors and digitised points of the heads of these samples are."""
        return self._places[torch.from_numpy(windows // self._samples)]

    def label(self, window: int, /) -> str:
        """Name the head of a sample, and its number there."""
        return f"sub-{self.subjects[window]} sample {window % self._samples}"

    @cached_property
    def _places(self) -> Places:
        """A row a head."""
        return Places.stacked([places_of(head.info, self._signals) for head in self._heads])

    @abstractmethod
    def _sample(self, head: int, number: int) -> _Sample:
        """Channels (n_channels, n_times) and moments (n_regions, n_times), both in the units of models.

        One sample at a time: a product of matrices of another shape may differ in its last bits.
        """


def with_noise(signal_ct: NDArray[np.floating], noise_ct: NDArray[np.floating], snr_db: float, kind: str) -> NDArray[np.float32]:
    """Add noise to channels of one type so that the ratio of powers in this very sample is as given; in the units of models.

    EEG is at the average reference already, so that power is that of the directions which electrodes can see.
    """
    noise_ct *= np.sqrt(np.mean(signal_ct**2) / (10 ** (snr_db / 10) * np.mean(noise_ct**2)))
    return ((signal_ct + noise_ct) / SIMULATED_UNITS[kind]).astype(np.float32)
