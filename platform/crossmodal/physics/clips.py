"""Waveforms of cortical sources, cut from simulated neural masses around the large waves of one region.

Shape suffixes: t time, b simulation, n region, k clip.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import find_peaks

from crossmodal.config.cortex import Clips
from crossmodal.physics.connectome import Connectome
from crossmodal.physics.neural_masses import NeuralMassNetwork

# From rest, before waveforms are taken.
_SETTLING_S = 2.0
# Where in its clip the wave that it is cut around comes, as shares of its length.
_PEAK_BETWEEN = (0.25, 0.75)


def make_clips(connectome: Connectome, clips: Clips, sources: Sequence[int], seed: int, sfreq: float, n_times: int) -> NDArray[np.float32]:
    """Simulate some regions as sources, side by side, and cut what each fires.

    A clip is the potential y1 - y2 of the source less its median, divided by its largest magnitude. Source: R. Sun et al., "Deep neural
    networks constrained by neural mass models improve electrophysiological source imaging of spatiotemporal brain dynamics", PNAS, 2022.
    They raise waves over the activity of all other regions, which is part of their samples; here other regions are left out, and the
    ratio of sources to noise is set in each sample.

    Parameters
    ----------
    connectome : Connectome
    clips : Clips
    sources : sequence of int
        Regions of the connectome.
    seed : int
        Of noise; each source has its own.
    sfreq : float
        Hz; 1 / `sfreq` is a whole number of steps, a power of two.
    n_times : int
        Samples a clip.

    Returns
    -------
    ndarray, shape (n_clips, n_times)
        Clips of one source after another, in their order in time; they do not overlap.
    """
    keep_every = round(1000 / (clips.neural_masses.step_ms * sfreq))
    n_steps = round((_SETTLING_S + clips.seconds) * 1000 / clips.neural_masses.step_ms)
    network = NeuralMassNetwork(connectome, clips.neural_masses, compiled=clips.compiled)
    generators = [torch.Generator().manual_seed(int(np.random.SeedSequence([seed, source]).generate_state(1)[0])) for source in sources]
    waves, others = [], []
    rows, columns = list(sources), torch.arange(len(sources))
    for potentials_tnb in network.simulate(rows, generators, n_steps, keep_every):
        waves.append(potentials_tnb[:, rows, columns].numpy())
        fires_tnb = potentials_tnb > clips.spike_mv
        fires_tnb[:, rows, columns] = False
        others.append(fires_tnb.any(dim=1).numpy())
    settled = round(_SETTLING_S * sfreq)
    wave_tb, others_tb = np.concatenate(waves)[settled:], np.concatenate(others)[settled:]
    apart = round(clips.apart_s * sfreq)
    found = [
        clip_t
        for column, source in enumerate(sources)
        for clip_t in cut_clips(
            wave_tb[:, column], others_tb[:, column], clips.spike_mv, n_times, apart, np.random.default_rng([seed, source])
        )
    ]
    return np.array(found, dtype=np.float32).reshape(-1, n_times)


def cut_clips(
    wave_t: NDArray[np.floating], others_t: NDArray[np.bool_], spike_mv: float, n_times: int, apart: int, rng: np.random.Generator
) -> list[NDArray[np.floating]]:
    """Cut a wave around its peaks, from front to back, leaving out where others fire.

    Parameters
    ----------
    wave_t : ndarray, shape (n_samples,)
        Potential of a source, mV.
    others_t : bool array, shape (n_samples,)
        Where another region fires.
    spike_mv : float
        Peaks are as high.
    n_times : int
        Samples a clip.
    apart : int
        Nothing else fires from so many samples before a clip to so many after it.
    rng : Generator
        Draws where the peak comes in each clip, between a quarter and three quarters of it.
    """
    found, end, rest_mv = [], 0, float(np.median(wave_t))
    for peak in find_peaks(wave_t, height=spike_mv)[0]:
        start = int(peak) - int(rng.uniform(*_PEAK_BETWEEN) * n_times)
        if start < end or start + n_times > len(wave_t) or others_t[max(0, start - apart) : start + n_times + apart].any():
            continue
        end = start + n_times
        clip_t = wave_t[start:end] - rest_mv
        found.append(clip_t / np.abs(clip_t).max())
    return found
