"""Networks of Jansen-Rit neural masses with delays: regions of the cortex that now and then fire large waves.

Potentials of a region (mV; time in ms) are y0 of pyramidal cells, y1 of their excitatory and y2 of their inhibitory input:

    y0'' = A a S(y1 - y2)                     - 2a y0' - a^2 y0
    y1'' = A a (mu + a2 J S(a1 J y0) + c)     - 2a y1' - a^2 y1 + noise
    y2'' = B b a4 J S(a3 J y0)                - 2b y2' - b^2 y2
    S(v) = 2 nu / (1 + exp(r (v0 - v)))
    c_i(t) = sum_j W_ij S((y1 - y2)_j(t - L_ij / speed))

Sources: B. H. Jansen and V. G. Rit, "Electroencephalogram and visual evoked potential generation in a mathematical model of coupled
cortical columns", Biological Cybernetics, 1995; constants and coupling as The Virtual Brain has them (P. Sanz Leon et al., NeuroImage,
2015) and R. Sun et al., "Deep neural networks constrained by neural mass models improve electrophysiological source imaging of
spatiotemporal brain dynamics", PNAS, 2022.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.sparse import csr_array
from torch import Tensor

from crossmodal.config import UserError
from crossmodal.config.cortex import NeuralMasses
from crossmodal.physics.connectome import Connectome

_LOG = logging.getLogger(__name__)
_INHIBITION_MV = 22.0  # B
_EXCITATORY_PER_MS, _INHIBITORY_PER_MS = 0.1, 0.05  # a, b
_THRESHOLD_MV, _LARGEST_PER_MS, _STEEPNESS_PER_MV = 6.0, 0.005, 0.56  # v0, 2 nu, r
# J times a1, a2, a3 and a4.
_TO_EXCITATORY, _FROM_EXCITATORY, _TO_INHIBITORY, _FROM_INHIBITORY = (135 * share for share in (1.0, 0.8, 0.25, 0.25))
# What comes through the shortest tract is known so many steps ahead; they are computed together, and more of them take long to compile.
_STEPS_TOGETHER = 4
_STEPS_A_CHUNK = 256
# Of y1 - y2: neither rises above what all cells together can bring it to.
_POSSIBLE_MV = (-1000.0, 1000.0)


class NeuralMassNetwork:
    """A network of one neural mass a region, simulated many times at once, in float32.

    Heun's method; input from other regions and noise are the same in both stages, as in TVB's `HeunStochastic`.

    Parameters
    ----------
    connectome : Connectome
        Its delays are rounded to steps.
    settings : NeuralMasses
    device : torch.device or str
    compiled : bool
        Compile the equations, which takes up to half a minute and then computes several times as fast. On a machine without a C++
        compiler they stay as they are, and a warning tells so.

    Raises
    ------
    UserError
        A tract takes longer than `settings.longest_delay_ms`.
    """

    def __init__(self, connectome: Connectome, settings: NeuralMasses, device: torch.device | str = "cpu", compiled: bool = False) -> None:
        delay_steps_nn = delay_steps(connectome, settings)
        targets_e, sources_e = np.nonzero(connectome.weights_nn)
        delays_e, weights_e = delay_steps_nn[targets_e, sources_e], connectome.weights_nn[targets_e, sources_e]
        self._settings = settings
        self._device = torch.device(device)
        self._n_regions = len(connectome)
        self._n_past = int(delays_e.max(initial=0)) + 1
        # A power of two, which divides a chunk.
        self._together = 1 << (min(int(delays_e.min(initial=_STEPS_TOGETHER)) + 1, _STEPS_TOGETHER).bit_length() - 1)
        weights = _unrolled(targets_e, sources_e, delays_e, weights_e, (self._n_regions, self._n_past, self._together))
        self._product = _product(weights, self._device)
        self._advance = _advance(settings.step_ms, settings.drive_per_ms)
        if compiled and _can_compile():
            self._advance = torch.compile(self._advance, dynamic=False, fullgraph=True)

    @torch.no_grad()
    def simulate(
        self, sources: Sequence[int | None], generators: Sequence[torch.Generator], n_steps: int, keep_every: int = 1
    ) -> Iterator[Tensor]:
        """Simulate the network several times at once, each with another source region and other noise, from rest.

        Parameters
        ----------
        sources : sequence of int or None
            The source region of each simulation, if any.
        generators : sequence of torch.Generator
            Of the noise of each simulation, on the network's device.
        n_steps : int
            Of `settings.step_ms`.
        keep_every : int
            Keep every so many-th step, 1 to 256 and a power of two.

        Yields
        ------
        Tensor, shape (n_times, n_regions, n_simulations)
            Potentials y1 - y2, mV, of some of the steps that are kept, in their order.
        """
        assert len(sources) == len(generators)
        assert _STEPS_A_CHUNK % keep_every == 0
        n_simulations, n_past, together = len(sources), self._n_past, self._together
        gain_nb = self._gains(sources)
        state_snb, rate = self._at_rest(n_simulations)
        rates_tnb = rate.repeat(n_past + _STEPS_A_CHUNK, self._n_regions, n_simulations)
        potentials_tnb = torch.empty_like(rates_tnb[:_STEPS_A_CHUNK])
        for done in range(0, n_steps, _STEPS_A_CHUNK):
            noise_tnb = self._noise(generators)
            for first in range(0, _STEPS_A_CHUNK, together):
                now = slice(first, first + together)
                input_tnb = self._product(rates_tnb[first : first + n_past].flatten(0, 1)).unflatten(0, (together, -1))
                state_snb, rates, potentials = self._advance(state_snb, input_tnb, noise_tnb[now], gain_nb)
                rates_tnb[n_past:][now], potentials_tnb[now] = rates, potentials
            rates_tnb[:n_past] = rates_tnb[_STEPS_A_CHUNK:].clone()
            yield potentials_tnb[: n_steps - done][keep_every - 1 :: keep_every].clone()

    def _gains(self, sources: Sequence[int | None]) -> Tensor:
        """A of each region and simulation, mV."""
        gain_nb = torch.full((self._n_regions, len(sources)), self._settings.excitation_mv)
        for simulation, source in enumerate(sources):
            if source is not None:
                gain_nb[source, simulation] = self._settings.source_excitation_mv
        return gain_nb.to(self._device)

    def _at_rest(self, n_simulations: int) -> tuple[Tensor, Tensor]:
        """State (6, n_regions, n_simulations), all alike, and firing rate at which a region without input from others stays."""
        settings = self._settings

        def potentials(difference_mv: float) -> Tensor:
            excitation_ms = settings.excitation_mv / _EXCITATORY_PER_MS
            y0 = excitation_ms * _rate(torch.tensor(difference_mv, dtype=torch.float64))
            y1 = excitation_ms * (settings.drive_per_ms + _FROM_EXCITATORY * _rate(_TO_EXCITATORY * y0))
            y2 = _INHIBITION_MV / _INHIBITORY_PER_MS * _FROM_INHIBITORY * _rate(_TO_INHIBITORY * y0)
            return torch.stack([y0, y1, y2])

        def excess_mv(difference_mv: float) -> float:
            _, y1, y2 = potentials(difference_mv).tolist()
            return y1 - y2 - difference_mv

        potential_s = potentials(brentq(excess_mv, *_POSSIBLE_MV)).float()
        state_s = torch.cat([potential_s, torch.zeros(3)])
        state_snb = state_s[:, None, None].repeat(1, self._n_regions, n_simulations)
        return state_snb.to(self._device), _rate(potential_s[1] - potential_s[2]).to(self._device)

    def _noise(self, generators: Sequence[torch.Generator]) -> Tensor:
        """What noise adds to the slopes of excitatory potentials in each step of a chunk, mV/ms."""
        scale = (2 * self._settings.noise * self._settings.step_ms) ** 0.5
        shape = (_STEPS_A_CHUNK, self._n_regions)
        noise_btn = torch.stack([torch.randn(shape, generator=generator, device=self._device) for generator in generators])
        return noise_btn.mul_(scale).permute(1, 2, 0).contiguous()


def _advance(step_ms: float, drive_per_ms: float) -> Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]:
    """Make what takes the network further by as many steps as it is given inputs of other regions, in the shape that torch compiles."""

    def slopes(state: Sequence[Tensor], input_nb: Tensor, gain_nb: Tensor) -> tuple[Tensor, ...]:
        """Derivatives of y0, y1, y2 and of their own slopes."""
        y0, y1, y2, slope0, slope1, slope2 = state
        a, b = _EXCITATORY_PER_MS, _INHIBITORY_PER_MS
        excitation_nb = drive_per_ms + _FROM_EXCITATORY * _rate(_TO_EXCITATORY * y0) + input_nb
        inhibition_nb = _FROM_INHIBITORY * _rate(_TO_INHIBITORY * y0)
        return (
            slope0,
            slope1,
            slope2,
            gain_nb * a * _rate(y1 - y2) - 2 * a * slope0 - a**2 * y0,
            gain_nb * a * excitation_nb - 2 * a * slope1 - a**2 * y1,
            _INHIBITION_MV * b * inhibition_nb - 2 * b * slope2 - b**2 * y2,
        )

    def moved(state: Sequence[Tensor], slopes: Sequence[Tensor], noise_nb: Tensor) -> tuple[Tensor, ...]:
        y0, y1, y2, slope0, slope1, slope2 = (y + step_ms * slope for y, slope in zip(state, slopes, strict=True))
        return y0, y1, y2, slope0, slope1 + noise_nb, slope2

    def advance(state_snb: Tensor, input_tnb: Tensor, noise_tnb: Tensor, gain_nb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the state, and firing rates and potentials after each step."""
        state, rates, potentials = state_snb.unbind(), [], []
        for input_nb, noise_nb in zip(input_tnb.unbind(), noise_tnb.unbind(), strict=True):
            first = slopes(state, input_nb, gain_nb)
            guess = moved(state, first, noise_nb)
            second = slopes(guess, input_nb, gain_nb)
            state = moved(state, [(slope + later) / 2 for slope, later in zip(first, second, strict=True)], noise_nb)
            potentials.append(state[1] - state[2])
            rates.append(_rate(potentials[-1]))
        return torch.stack(state), torch.stack(rates), torch.stack(potentials)

    return advance


def _rate(potential_mv: Tensor) -> Tensor:
    """Firing rate S, 1/ms."""
    return _LARGEST_PER_MS * (_STEEPNESS_PER_MV * (potential_mv - _THRESHOLD_MV)).sigmoid()


def delay_steps(connectome: Connectome, settings: NeuralMasses) -> NDArray[np.int64]:
    """Steps that each tract takes, shape (n_regions, n_regions).

    Raises
    ------
    UserError
        One takes longer than `settings.longest_delay_ms`.
    """
    delay_ms_nn = np.where(connectome.weights_nn > 0, connectome.lengths_m_nn, 0) * 1e3 / settings.conduction_m_per_s
    if delay_ms_nn.max() > settings.longest_delay_ms:
        raise UserError(
            f"{connectome.name}: its longest tract takes {delay_ms_nn.max():.0f} ms at {settings.conduction_m_per_s:g} m/s, and"
            f" longest_delay_ms = {settings.longest_delay_ms:g}; raise it, or conduction_m_per_s (cortex.clips.neural_masses)"
        )
    return np.rint(delay_ms_nn / settings.step_ms).astype(np.int64)


def _unrolled(
    targets_e: NDArray[np.integer],
    sources_e: NDArray[np.integer],
    delays_e: NDArray[np.int64],
    weights_e: NDArray[np.float64],
    sizes: tuple[int, int, int],
) -> csr_array:
    """Matrix from past firing rates, (n_past * n_regions), oldest first, to the inputs of the next steps, (together * n_regions)."""
    n_regions, n_past, together = sizes
    steps_k1 = np.arange(together)[:, None]
    rows_ke = steps_k1 * n_regions + targets_e
    columns_ke = (n_past - 1 + steps_k1 - delays_e) * n_regions + sources_e
    values_ke = np.broadcast_to(weights_e.astype(np.float32), rows_ke.shape)
    shape = (together * n_regions, n_past * n_regions)
    return csr_array((values_ke.ravel(), (rows_ke.ravel(), columns_ke.ravel())), shape=shape)


def _product(weights: csr_array, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Multiply with a sparse matrix: SciPy on a processor, which is faster there than torch; torch elsewhere."""
    if device.type == "cpu":
        return lambda rates_mb: torch.from_numpy(weights @ rates_mb.numpy())
    rows, columns, values = (torch.from_numpy(part).to(device) for part in (weights.indptr, weights.indices, weights.data))
    on_device = torch.sparse_csr_tensor(rows, columns, values, size=weights.shape)
    return lambda rates_mb: on_device @ rates_mb


def _can_compile() -> bool:
    """Tell whether there is the C++ compiler that torch takes."""
    if shutil.which(os.environ.get("CXX", "g++")):
        return True
    _LOG.warning("there is no C++ compiler (g++, or CXX), so neural masses are simulated uncompiled, several times as slowly")
    return False
