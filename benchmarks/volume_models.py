"""Training of networks from EEG to volumes of 64 x 64 x 30 voxels: samples a second, memory, and what options of torch bring.

All have their published sizes. Each network trains in a process of its own, on the GPU where there is one and otherwise on one core.
Steps as they are and steps with an option alternate, and medians of their ratios are told, of core time where there is no GPU, since other
processes take from the clock alone. The largest decoder, with a weight for each latent number and voxel, also goes through the platform's
loop, against a bare one on the same batches.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from benchmarks.alone import alone, status_bytes
from benchmarks.training import platform_share, seconds
from crossmodal.config.data import Data
from crossmodal.config.models import ModelSettings
from crossmodal.config.signal_spec import SignalPair, SignalSpec, Voxels
from crossmodal.config.training import Training
from crossmodal.datasets.folds import Fold, Part
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import ShardFold, open_fold
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.shard import write_shard
from crossmodal.datasets.volumes import Volumes
from crossmodal.models.base import Model
from crossmodal.models.registry import network_spec
from crossmodal.storage.node_cache import NodeCache

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
LARGEST = "calhas"
PLATFORM_TARGET = 0.9
N_VOLUMES = 22


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
    """Weights in millions, samples a second, and the memory of training at its peak, bytes."""

    parameters: float
    samples_per_s: float
    peak_bytes: int


def main() -> None:
    """Measure all networks and options that are asked for, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS, metavar="KIND")
    parser.add_argument("--options", nargs="*", default=list(OPTIONS), choices=OPTIONS, metavar="OPTION")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    console = Console(width=120)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "one core"
    table = Table(title=f"Training on {device}, batches of {arguments.batch_size}, to {' x '.join(map(str, GRID))} voxels", box=None)
    for column in ("network", "weights, million", "samples/s", "peak, GB", *(f"{name}, times" for name in arguments.options)):
        table.add_column(column, justify="left" if column == "network" else "right")
    for kind in arguments.networks:
        console.print(f"measuring {kind} ...")
        trained = alone(train, kind, arguments.batch_size, arguments.rounds)
        gains = [alone(gain, kind, arguments.batch_size, arguments.rounds, *OPTIONS[name]) for name in arguments.options]
        table.add_row(
            kind,
            f"{trained.parameters:.1f}",
            f"{trained.samples_per_s:.2f}",
            f"{trained.peak_bytes / 1e9:.2f}",
            *("-" if each is None else f"{each:.2f}" for each in gains),
        )
    console.print(table)
    if LARGEST in arguments.networks:
        share = alone(share_of_bare_loop, arguments.batch_size)
        reached = "reached" if share >= PLATFORM_TARGET else "missed"
        console.print(
            f"the platform's steps of {LARGEST}: {share:.2f} of a bare loop's speed, wanted at least {PLATFORM_TARGET}: {reached}"
        )


def train(kind: str, batch_size: int, rounds: int) -> Trained:
    """Train a network as the platform does by default."""
    before = status_bytes("VmRSS")
    network = _network(kind)
    parameters = sum(weight.numel() for weight in network.parameters()) / 1e6
    step = _stepper(network, kind, batch_size, Way())
    step()
    step_s = statistics.median(_seconds(step) for _ in range(rounds))
    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else status_bytes("VmHWM") - before
    return Trained(parameters, batch_size / step_s, peak)


def gain(kind: str, batch_size: int, rounds: int, without: Way, with_option: Way) -> float | None:
    """How many times as fast a network trains with an option as without it; None where it has no use for it, or no compiler is there."""
    if with_option.channels_last and not _convolutions(_network(kind)):
        return None
    if with_option.compiled and not shutil.which("g++"):
        return None
    steps = [_stepper(_network(kind), kind, batch_size, way) for way in (without, with_option)]
    for step in steps:
        # The first ones also compile, and pay for memory that later ones use again.
        step()
        step()
    return statistics.median(_seconds(steps[0]) / _seconds(steps[1]) for _ in range(rounds))


def share_of_bare_loop(batch_size: int) -> float:
    """Speed of the platform's steps of the largest decoder, as a share of that of bare ones."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        fold = _open(Path(scratch), NETWORKS[LARGEST])
        network = network_spec(ModelSettings(kind=LARGEST)).build(fold.signals).to(_device())
        training = Training(batch_size=batch_size, schedule="constant", warmup_epochs=0, gradient_clip=None)
        return platform_share(fold.train, network, training)


def _network(kind: str) -> Model:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = network_spec(ModelSettings(kind=kind)).build(_signals(NETWORKS[kind]))
    return network.to(_device())


def _stepper(network: Model, kind: str, batch_size: int, way: Way) -> Callable[[], None]:
    """Give a function that takes one step of training, always on the same windows of noise."""
    network.train()
    for convolution in _convolutions(network) if way.channels_last else ():
        is_volume = isinstance(convolution, nn.Conv3d)
        convolution.to(memory_format=torch.channels_last_3d if is_volume else torch.channels_last)
    rng = torch.Generator().manual_seed(0)
    x_bct = torch.randn(batch_size, N_ELECTRODES, round(NETWORKS[kind] * SFREQ), generator=rng).to(_device())
    y_bst = torch.randn(batch_size, int(np.prod(GRID)), 1, generator=rng).to(_device())
    optimiser = torch.optim.AdamW(network.parameters(), fused=way.fused)
    loss = torch.compile(network.loss) if way.compiled else network.loss

    def step() -> None:
        with torch.autocast(_device(), torch.bfloat16, enabled=way.bfloat16):
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


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _convolutions(network: nn.Module) -> list[nn.Module]:
    """Those over images and volumes; weights whose channels are last make all that follows them so."""
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Conv3d)]


def _brain() -> np.ndarray:
    """An ellipsoid that fills a third of the grid."""
    places = np.moveaxis(np.indices(GRID), 0, -1)
    middle = (np.array(GRID) - 1) / 2
    brain: np.ndarray = (((places - middle) / (0.86 * middle)) ** 2).sum(-1) < 1
    return brain


def _signals(length_s: float) -> SignalPair:
    """Describe electrodes, and all voxels of the grid."""
    space = Voxels.of(np.ones(GRID, dtype=bool), AFFINE.tolist(), _brain())
    n_voxels = int(np.prod(GRID))
    names = tuple(f"E{number}" for number in range(N_ELECTRODES))
    return SignalPair(
        input=SignalSpec(names=names, types=("eeg",) * N_ELECTRODES, sfreq=SFREQ, n_times=round(length_s * SFREQ)),
        target=SignalSpec(names=tuple(map(str, range(n_voxels))), types=("bold",) * n_voxels, sfreq=1 / TR_S, n_times=1, space=space),
    )


def _open(folder: Path, length_s: float) -> ShardFold:
    """Write two recordings of noise as shards and open them."""
    entries = [write_shard(_recording(subject), folder / subject) for subject in ("01", "02")]
    (first, second) = (Part(subject=entry.subject) for entry in entries)
    fold = Fold(name="benchmark", train=(first,), validation=(second,), test=(second,))
    windows = {"kind": "volumes", "length_s": length_s}
    data = Data.model_validate({"target": {"modality": "bold"}, "windows": windows, "input_scaling": "zscore"})
    return open_fold(Manifest.of(entries, "benchmark"), fold, data, 0, NodeCache(folder / "cache", 2**40))


def _recording(subject: str) -> Recording:
    rng = np.random.default_rng(int(subject))
    n_samples = round((N_VOLUMES + 1) * TR_S * SFREQ)
    names = tuple(f"E{number}" for number in range(N_ELECTRODES))
    data_tc = 1e-5 * rng.standard_normal((n_samples, N_ELECTRODES), dtype=np.float32)
    eeg = Signal("eeg", data_tc, names, ("eeg",) * len(names), ("V",) * len(names), np.full((len(names), 3), np.nan))
    volumes = Volumes(
        data_vs=100 + rng.standard_normal((N_VOLUMES, int(np.prod(GRID))), dtype=np.float32),
        onset_s=TR_S * np.arange(N_VOLUMES),
        good=np.ones(N_VOLUMES, dtype=bool),
        tr_s=TR_S,
        affine=AFFINE,
        brain=_brain(),
        names=None,
        stored=np.ones(GRID, dtype=bool),
        in_common_space=True,
    )
    return Recording(
        subject=subject,
        run="01",
        sfreq=SFREQ,
        signals={"eeg": eeg},
        events=Events(np.zeros(0, np.int64), np.zeros(0), ()),
        good=np.ones(n_samples, dtype=bool),
        info=mne.create_info(list(names), SFREQ, "eeg"),
        provenance={},
        volumes=volumes,
    )


if __name__ == "__main__":
    main()
