"""Training of networks from EEG to volumes of 64 x 64 x 30 voxels: samples a second, memory, and what options of torch bring.

All have their published sizes. Each network trains in a process of its own, on the GPU where there is one and otherwise on one core.
Steps as they are and steps with an option alternate, and medians of their ratios are told, of core time where there is no GPU, since other
processes take from the clock alone. What a compiler takes before the first step is told apart, by the clock.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.alone import alone, status_bytes
from benchmarks.training import seconds
from crossmodal.config.models import ModelSettings
from crossmodal.config.signal_spec import SignalPair, SignalSpec, Voxels
from crossmodal.models.base import Model
from crossmodal.models.registry import network_spec

GRID, AFFINE = (64, 64, 30), np.diag([3.3, 3.3, 4.0, 1.0])
N_ELECTRODES, SFREQ, TR_S = 64, 250.0, 2.16
# Seconds of EEG before a volume.
NETWORKS = {
    "calhas": 10 * TR_S,
    "bricman_fc": 30.0,
    "bricman_cnn": 30.0,
    "bricman_transformer": 30.0,
    "bricman_seq2seq": 30.0,
    "bricman_mixed": 30.0,
    "multiscale_attention": 16.0,
    "spectrogram_unet": 20.0,
    "source_power": 20.0,
}


@dataclass(frozen=True)
class Way:
    """How a network is trained: with the optimiser's steps in one kernel, compiled, with channels last in memory, in bfloat16."""

    fused: bool = True
    compiled: bool = False
    channels_last: bool = False
    bfloat16: bool = False


# What each option is held against is the way that the platform has by default, or, of what it has, to do without it.
OPTIONS = {
    "fused": (Way(fused=False), Way()),
    "compiled": (Way(), Way(compiled=True)),
    "channels last": (Way(), Way(channels_last=True)),
    "bfloat16": (Way(), Way(bfloat16=True)),
}


@dataclass(frozen=True)
class Trained:
    """Weights, samples a second, and the memory of training at its peak, bytes."""

    n_weights: int
    samples_per_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Gain:
    """How many times as fast steps are with an option, and how many seconds longer the first one takes, as where it is compiled."""

    times: float
    first_s: float


def main() -> None:
    """Measure all networks and options that are asked for, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS, metavar="KIND")
    parser.add_argument("--options", nargs="*", default=list(OPTIONS), choices=OPTIONS, metavar="OPTION")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    console = Console(width=120)
    title = f"Training on {machine()}, batches of {arguments.batch_size}, to {' x '.join(map(str, GRID))} voxels"
    table = Table("network", title=title, box=None)
    for column in ("weights, million", "samples/s", "peak, GB", *(f"{name}, times" for name in arguments.options)):
        table.add_column(column, justify="right")
    for kind in arguments.networks:
        console.print(f"measuring {kind} ...")
        measured = alone(train, kind, arguments.batch_size, arguments.rounds)
        gains = {name: alone(gain, kind, arguments.batch_size, arguments.rounds, *OPTIONS[name]) for name in arguments.options}
        table.add_row(
            kind,
            f"{measured.n_weights / 1e6:.1f}",
            f"{measured.samples_per_s:.2f}",
            f"{measured.peak_bytes / 1e9:.2f}",
            *("-" if each is None else f"{each.times:.2f}" for each in gains.values()),
        )
        if compiled := gains.get("compiled"):
            console.print(f"compiling the step of {kind}: {compiled.first_s:.0f} s")
    console.print(table)


def train(kind: str, batch_size: int, rounds: int) -> Trained:
    """Train a network as the platform does by default."""
    return trained(lambda: _network(kind), lambda network: _stepper(network, kind, batch_size, Way()), batch_size, rounds)


def trained(build: Callable[[], Model], stepper: Callable[[Model], Callable[[], object]], batch_size: int, rounds: int) -> Trained:
    """Measure the training of a network in this process, which has done nothing before; `stepper` makes a function that takes a step."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    before = status_bytes("VmRSS")
    network = build().to(device())
    step = stepper(network)
    step()
    step_s = statistics.median(_seconds(step) for _ in range(rounds))
    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else status_bytes("VmHWM") - before
    return Trained(sum(weight.numel() for weight in network.parameters()), batch_size / step_s, peak)


def gain(kind: str, batch_size: int, rounds: int, without: Way, with_option: Way) -> Gain | None:
    """Compare steps without an option and with it; None where a network has no use for it, or no compiler is there."""
    if with_option.channels_last and not _convolutions(_network(kind)):
        return None
    if with_option.compiled and not shutil.which("g++"):
        return None
    torch.set_num_threads(1)
    steps = [_stepper(_network(kind).to(device()), kind, batch_size, way) for way in (without, with_option)]
    # The first ones also compile, and pay for memory that later ones use again.
    first_s = [seconds(step) for step in steps]
    for step in steps:
        step()
    return Gain(statistics.median(_seconds(steps[0]) / _seconds(steps[1]) for _ in range(rounds)), first_s[1] - first_s[0])


def machine() -> str:
    """What trains."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "one core"


def device() -> str:
    """Name it as torch does."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _network(kind: str) -> Model:
    torch.manual_seed(0)
    return network_spec(ModelSettings(kind=kind)).build(_signals(NETWORKS[kind]))


def _stepper(network: Model, kind: str, batch_size: int, way: Way) -> Callable[[], None]:
    """Give a function that takes one step of training, always on the same windows of noise."""
    network.train()
    for convolution in _convolutions(network) if way.channels_last else ():
        is_volume = isinstance(convolution, nn.Conv3d)
        convolution.to(memory_format=torch.channels_last_3d if is_volume else torch.channels_last)
    rng = torch.Generator().manual_seed(0)
    x_bct = torch.randn(batch_size, N_ELECTRODES, round(NETWORKS[kind] * SFREQ), generator=rng).to(device())
    y_bst = torch.randn(batch_size, int(np.prod(GRID)), 1, generator=rng).to(device())
    optimiser = torch.optim.AdamW(network.parameters(), fused=way.fused)
    loss = torch.compile(network.loss) if way.compiled else network.loss

    def step() -> None:
        with torch.autocast(device(), torch.bfloat16, enabled=way.bfloat16):
            of_batch = loss(x_bct, y_bst)
        optimiser.zero_grad()
        of_batch.backward()
        optimiser.step()

    return step


def _seconds(step: Callable[[], None]) -> float:
    """How long a step takes a GPU, or a core."""
    if torch.cuda.is_available():
        return seconds(step)
    started = time.process_time()
    step()
    return time.process_time() - started


def _convolutions(network: nn.Module) -> list[nn.Module]:
    """Those over images and volumes; weights whose channels are last make all that follows them so."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Conv3d)]


def brain() -> np.ndarray:
    """An ellipsoid that fills a third of the grid."""
    places = np.moveaxis(np.indices(GRID), 0, -1)
    middle = (np.array(GRID) - 1) / 2
    inside: np.ndarray = (((places - middle) / (0.86 * middle)) ** 2).sum(-1) < 1
    return inside


def _signals(length_s: float) -> SignalPair:
    """Describe electrodes, and all voxels of the grid."""
    space = Voxels.of(np.ones(GRID, dtype=bool), AFFINE.tolist(), brain())
    n_voxels = int(np.prod(GRID))
    names = tuple(f"E{number}" for number in range(N_ELECTRODES))
    return SignalPair(
        input=SignalSpec(names=names, types=("eeg",) * N_ELECTRODES, sfreq=SFREQ, n_times=round(length_s * SFREQ)),
        target=SignalSpec(names=tuple(map(str, range(n_voxels))), types=("bold",) * n_voxels, sfreq=1 / TR_S, n_times=1, space=space),
    )


if __name__ == "__main__":
    main()
