"""Convolution of signals of any length with a bank of kernels, each at every sample or at every k-th."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from crossmodal.transforms.workspace import Workspace

# Complex values worked on at once: on a CPU few enough to stay in its caches. A call of a transform costs as much as several short
# blocks do, so that there are never fewer than some.
_VALUES_AT_ONCE = {"cpu": 2**20}
_VALUES_AT_ONCE_ELSEWHERE = 2**24
_BLOCKS_AT_ONCE = 8

# Spectra of kernels are kept for signals of so many lengths.
_LENGTHS_KEPT = 4

# Shorter transforms back are no faster a sample, and more of them are needed.
_SHORTEST_TRANSFORM = 2048

# In a signal shorter than so many kernels' halves no step stands above 40 times the rms, where float32's transforms lose digits.
_HALF_LENGTHS_WITHOUT_PEAK = 32
# A step of so many times the usual difference of neighbouring samples, at so many of which one looks, may stand as high above a weak band.
_STEP_THAT_STANDS_OUT = 8
_NEIGHBOURS = 4096


@dataclass(frozen=True)
class Layout:
    """How a signal is cut into overlapping blocks for kernels of similar length.

    Attributes
    ----------
    n_fft : int
        Length of a block.
    lead : int
        Samples of a block before the first that is kept.
    hop : int
        Samples kept of a block.
    members : tuple of int
        Kernels that are applied to these blocks.
    holds_ends : bool
        Whether blocks see the signal as if it kept its first and last value for ever; the steps there, from zero and back, are added
        afterwards.

    Notes
    -----
    A block of many is differenced, and its kernels are summed up, which is the same convolution: the ends of a block, which meet where
    it wraps around, then differ by a slope and not by a drift, next to whose response a weak band would lose its digits in float32.
    """

    n_fft: int
    lead: int
    hop: int
    members: tuple[int, ...]
    holds_ends: bool = False

    @property
    def is_one_of_many(self) -> bool:
        """Whether samples come before those that are kept, as a block shorter than the signal needs."""
        return self.lead > 0


@dataclass(frozen=True)
class Piece:
    """Part of one kernel's output.

    Attributes
    ----------
    kernel : int
        Index of the kernel.
    rows : slice
        Signals.
    samples : slice
        Samples of the kernel's output (of the decimated one, where it is).
    values_rbm : Tensor, complex, shape (rows, blocks, samples a block)
        The last two axes are the samples in order. Only until the next piece, whose values may take their place.
    """

    kernel: int
    rows: slice
    samples: slice
    values_rbm: torch.Tensor


class FilterBank(nn.Module):
    """Overlap-save convolution of real signals, zero outside their ends, with kernels centred at lag zero.

    The spectrum of a block is taken in float64, so that a weak band beside a strong one (1/f, an offset) keeps its digits; what
    follows is done in the signal's precision. A kernel's output at every k-th sample is the inverse transform of its spectrum folded
    to 1/k of its length, which is exact whatever the kernel passes above the new Nyquist frequency (Oppenheim & Schafer,
    Discrete-Time Signal Processing, 4.6: sampling in time is aliasing in frequency).

    Parameters
    ----------
    kernels : sequence of ndarray, each odd in length
        Responses to an impulse at their middle, which sum to zero.
    every : sequence of int
        k of each kernel's output, sample 0 included.
    """

    def __init__(self, kernels: Sequence[NDArray[np.complex128] | NDArray[np.float64]], every: Sequence[int]) -> None:
        super().__init__()
        assert len(kernels) == len(every)
        self.every = tuple(every)
        # A sum of a kernel's values is one longer than the kernel.
        self.half_lengths = tuple(len(kernel) // 2 + 1 for kernel in kernels)
        self._kernels = [torch.from_numpy(np.pad(np.asarray(kernel, np.complex128), 1)) for kernel in kernels]
        self._step_responses = [torch.cumsum(kernel_l, dim=0) for kernel_l in self._kernels]
        self._spectra: dict[tuple[int, Layout, int, torch.dtype, torch.device], torch.Tensor] = {}

    def __getstate__(self) -> dict[str, object]:
        """Leave out what can be computed again."""
        return {**self.__dict__, "_spectra": {}}

    def n_out(self, kernel: int, n_times: int) -> int:
        """Samples of a kernel's output."""
        return -(-n_times // self.every[kernel])

    def pieces(self, x_rt: torch.Tensor, gain_r: torch.Tensor | None = None, samples: range | None = None) -> Iterator[Piece]:
        """Convolve (rows, n_times), piece by piece; memory does not grow with either.

        Parameters
        ----------
        gain_r : Tensor, optional
            Factor of each row, applied in float64.
        samples : range, optional
            The only samples to compute, beginning at a multiple of every k; those of a piece are counted from there.
        """
        n_rows, n_times = x_rt.shape
        samples = samples or range(n_times)
        layouts = plan(self.half_lengths, self.every, samples, n_times, _ends_stand_out(x_rt))
        values_at_once = _VALUES_AT_ONCE.get(x_rt.device.type, _VALUES_AT_ONCE_ELSEWHERE)
        # All of a row before the next: what is written of it is then still in the cache.
        rows_at_once = max(1, values_at_once // len(samples))
        workspace = Workspace(x_rt)
        steps_re = torch.stack([x_rt[:, 0], -x_rt[:, -1]], dim=-1).double() * (1 if gain_r is None else gain_r[:, None])
        for first_row in range(0, n_rows, rows_at_once):
            rows = slice(first_row, min(first_row + rows_at_once, n_rows))
            gain_of_rows = None if gain_r is None else gain_r[rows]
            for layout in layouts:
                hops = range(samples.start, samples.stop, layout.hop)
                blocks_at_once = max(1, max(_BLOCKS_AT_ONCE, values_at_once // layout.n_fft) // rows_at_once)
                for first in range(0, len(hops), blocks_at_once):
                    starts = hops[first : first + blocks_at_once]
                    spectrum_rbw = _block_spectra(x_rt[rows], gain_of_rows, layout, starts, workspace)
                    for kernel in layout.members:
                        values_rbm = self._convolve(spectrum_rbw, kernel, layout, n_times, workspace)
                        if layout.holds_ends:
                            self._add_steps(values_rbm, kernel, starts, steps_re[rows], n_times)
                        yield from self._inside(values_rbm, kernel, rows, first * layout.hop, len(samples))

    def _convolve(self, spectrum_rbw: torch.Tensor, kernel: int, layout: Layout, n_times: int, workspace: Workspace) -> torch.Tensor:
        every = self.every[kernel]
        kernel_w = self._spectrum(kernel, layout, n_times, spectrum_rbw)
        buffer_rbw = workspace("product", (*spectrum_rbw.shape[:-1], layout.n_fft // every), spectrum_rbw)
        (first_rbw, first_w), *others = zip(spectrum_rbw.chunk(every, dim=-1), kernel_w.chunk(every), strict=True)
        product_rbw = torch.mul(first_rbw, first_w, out=buffer_rbw)
        for part_rbw, part_w in others:
            product_rbw = torch.addcmul(product_rbw, part_rbw, part_w, out=buffer_rbw)
        wavelets_rbt = workspace.inverse_transform(product_rbw)
        return wavelets_rbt[..., layout.lead // every : (layout.lead + layout.hop) // every]

    def _spectrum(self, kernel: int, layout: Layout, n_times: int, like: torch.Tensor) -> torch.Tensor:
        """Spectrum of a kernel without the lags that no pair of samples has; the inverse transform's 1 / n_fft is in it."""
        half = min(self.half_lengths[kernel], n_times - 1)
        key = (kernel, layout, half, like.dtype, like.device)
        if key not in self._spectra:
            if len(self._spectra) >= _LENGTHS_KEPT * len(self._kernels):
                self._spectra.clear()
            middle = self.half_lengths[kernel]
            # One made in inference mode could not take part in a gradient later.
            with torch.inference_mode(False):
                kernel_l = self._kernels[kernel]
                if layout.is_one_of_many:
                    kernel_l = self._step_responses[kernel] - kernel_l
                kernel_l = kernel_l[middle - half : middle + half + 1]
                padded_t = torch.roll(torch.nn.functional.pad(kernel_l, (0, layout.n_fft - len(kernel_l))), -half)
                self._spectra[key] = torch.fft.fft(padded_t, norm="forward").to(like.device, like.dtype)
        return self._spectra[key]

    def _add_steps(self, values_rbm: torch.Tensor, kernel: int, starts: Sequence[int], steps_re: torch.Tensor, n_times: int) -> None:
        """Add the responses to a signal's steps from zero and back, in float64: float32's transforms lose digits beside their peaks."""
        every, half, n_kept = self.every[kernel], self.half_lengths[kernel], values_rbm.shape[-1]
        for end, at in enumerate((0, n_times)):
            for block, start in enumerate(starts):
                if at - half < start + n_kept * every and start <= at + half:
                    skipped = max(0, -(-(at - half - start) // every))
                    response_m = self._step_responses[kernel][start + skipped * every - at + half :: every][: n_kept - skipped]
                    added_rm = steps_re[:, end, None] * response_m.to(steps_re.device)
                    values_rbm[:, block, skipped : skipped + len(response_m)] += added_rm

    def _inside(self, values_rbm: torch.Tensor, kernel: int, rows: slice, start: int, n_samples: int) -> Iterator[Piece]:
        """Whole blocks, then what of the last lies before the end."""
        first, n_out = start // self.every[kernel], self.n_out(kernel, n_samples)
        n_blocks, n_kept = values_rbm.shape[-2:]
        whole = min(n_blocks, (n_out - first) // n_kept)
        middle = first + whole * n_kept
        if whole:
            yield Piece(kernel, rows, slice(first, middle), values_rbm[:, :whole])
        if whole < n_blocks:
            yield Piece(kernel, rows, slice(middle, n_out), values_rbm[:, whole:, : n_out - middle])


def plan(half_lengths: Sequence[int], every: Sequence[int], samples: range, n_times: int, ends_stand_out: bool) -> list[Layout]:
    """Choose for each kernel the blocks with the least work (n log n a block), and share them among kernels.

    A whole signal in one block needs zeros on one side only, since what wraps around meets them. One whose ends stand out, and that is
    so long beside its kernel that they may stand high above the rest, is laid out like one of many, for their sake.
    """
    multiple, shortest = math.lcm(*every), _SHORTEST_TRANSFORM * min(every)
    halves = [min(half, n_times - 1) for half in half_lengths]
    groups: dict[tuple[int, bool], list[int]] = {}
    for kernel, half in enumerate(halves):
        for_its_ends = ends_stand_out and n_times >= max(_SHORTEST_TRANSFORM, _HALF_LENGTHS_WITHOUT_PEAK * half)
        whole = len(samples) == n_times and not for_its_ends
        groups.setdefault((_best_block(half, multiple, shortest, len(samples), whole), whole), []).append(kernel)
    layouts = []
    for (n_fft, whole), members in groups.items():
        half = max(halves[member] for member in members)
        if whole and n_times + half <= n_fft:
            layouts.append(Layout(n_fft, 0, _round_up(n_times, multiple), tuple(members)))
        else:
            layouts.append(Layout(n_fft, _round_up(half, multiple), _hop(n_fft, half, multiple), tuple(members), ends_stand_out))
    return layouts


def _ends_stand_out(x_rt: torch.Tensor) -> bool:
    """Whether a row begins or ends far from zero, compared with how neighbouring samples differ there."""
    ends_re = x_rt.detach()[:, [0, -1]].abs()
    around = (x_rt.detach()[:, :_NEIGHBOURS], x_rt.detach()[:, -_NEIGHBOURS:])
    differences_re = torch.stack([part_rt.diff().square().mean(1).sqrt() for part_rt in around], dim=1)
    return bool((ends_re > _STEP_THAT_STANDS_OUT * differences_re).any())


def _best_block(half: int, multiple: int, shortest: int, n_samples: int, whole: bool) -> int:
    """Length of the blocks for one kernel, at most what holds everything."""

    def work(n_fft: int) -> float:
        hop = _hop(n_fft, half, multiple)
        n_blocks = 1 if n_fft == longest else -(-n_samples // hop) if hop > 0 else math.inf
        return n_blocks * n_fft * math.log2(n_fft)

    longest = _fast_length(n_samples + half if whole else n_samples + 2 * (half + multiple), multiple)
    powers = range((longest // shortest).bit_length())
    lengths = [_fast_length(shortest << power, multiple) for power in powers]
    return min([longest, *(length for length in lengths if length < longest)], key=work)


def _hop(n_fft: int, half: int, multiple: int) -> int:
    """Samples of a block that nothing wraps into."""
    return (n_fft - half - _round_up(half, multiple)) // multiple * multiple


def _block_spectra(
    x_rt: torch.Tensor, gain_r: torch.Tensor | None, layout: Layout, starts: Sequence[int], workspace: Workspace
) -> torch.Tensor:
    """Spectra of the consecutive blocks whose kept samples begin at `starts`, shape (rows, blocks, n_fft)."""
    (n_rows, n_times), n_fft = x_rt.shape, layout.n_fft
    start = starts[0] - layout.lead
    stop = starts[-1] - layout.lead + n_fft + layout.is_one_of_many
    inside = slice(max(0, start), min(stop, n_times))
    padded_rt = workspace.empty("padded", (n_rows, stop - start), torch.float64)
    padded_rt[:, : inside.start - start] = x_rt[:, :1] if layout.holds_ends else 0
    padded_rt[:, inside.start - start : inside.stop - start] = x_rt[:, inside]
    padded_rt[:, inside.stop - start :] = x_rt[:, -1:] if layout.holds_ends else 0
    if gain_r is not None:
        padded_rt *= gain_r[:, None]
    if layout.is_one_of_many:
        padded_rt = torch.sub(padded_rt[:, 1:], padded_rt[:, :-1], out=workspace("differences", (n_rows, stop - start - 1), padded_rt))
    blocks_rbt = padded_rt.unfold(-1, n_fft, layout.hop) if len(starts) > 1 else padded_rt[:, None]
    dtype = torch.complex128 if x_rt.dtype == torch.float64 else torch.complex64
    spectrum_rbw = workspace.empty("spectrum", blocks_rbt.shape, dtype)
    n_half = n_fft // 2 + 1
    spectrum_rbw[..., :n_half] = workspace.transform(blocks_rbt)
    spectrum_rbw[..., n_half:] = spectrum_rbw[..., 1 : (n_fft + 1) // 2].flip(-1).conj()
    return spectrum_rbw


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple


def _fast_length(at_least: int, multiple: int) -> int:
    """Next multiple that is a power of two, or three halves of one, times `multiple`."""
    times = -(-at_least // multiple)
    power = 1 << (times - 1).bit_length()
    return multiple * (3 * power // 4 if power > 2 and 3 * power // 4 >= times else power)
