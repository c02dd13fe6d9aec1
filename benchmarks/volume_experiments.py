"""Training of each network from EEG to BOLD as its experiment has it: samples a second, and memory at the peak.

Model, window, batch and augmentation are the experiment's, the cap and the regions those of its simulated cohort; batches are noise. Steps
are the platform's own. Each network trains in a process of its own, on the GPU where there is one and otherwise on one core; medians are
told, of core time where there is no GPU, since other processes take from the clock alone.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.alone import alone
from benchmarks.volume_models import AFFINE, Trained, device, machine, trained
from crossmodal.config import Experiment, load_experiment
from crossmodal.config.data import VolumeWindows
from crossmodal.config.signal_spec import Regions, SignalPair, SignalSpec
from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.datasets.feed import Batch
from crossmodal.models.base import Model
from crossmodal.models.registry import network_spec
from crossmodal.physics.cap import CAP
from crossmodal.training.loop import train_epoch
from crossmodal.training.world import World

FOLDER = Path(__file__).resolve().parent.parent / "jobs/experiments"
EXPERIMENTS = (
    *("eeg_fmri", "source_power", "multiscale_attention", "spectrogram_unet"),
    *("calhas", "calhas_linear", "calhas_attention", "calhas_fourier"),
    *("bricman_fc", "bricman_cnn", "bricman_transformer", "bricman_seq2seq", "bricman"),
)


def main() -> None:
    """Measure all experiments that are asked for, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", nargs="+", default=EXPERIMENTS, choices=EXPERIMENTS, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    table = Table("experiment", "model", title=f"Training on {machine()}", box=None)
    for column in ("weights, thousand", "batch", "samples/s", "peak, GB"):
        table.add_column(column, justify="right")
    for name in arguments.experiments:
        experiment = load_experiment(FOLDER / f"{name}.yaml")
        measured = alone(measure, experiment, arguments.rounds)
        table.add_row(
            name,
            network_spec(experiment.model).config.title,
            f"{measured.n_weights / 1e3:.0f}",
            str(experiment.training.batch_size),
            f"{measured.samples_per_s:.1f}",
            f"{measured.peak_bytes / 1e9:.2f}",
        )
    Console(width=140).print(table)


def measure(experiment: Experiment, rounds: int) -> Trained:
    """Train one experiment's network on noise for some steps."""
    signals, training, world = _signals(experiment), experiment.training, World(device=torch.device(device()))
    rng = torch.Generator().manual_seed(0)
    x_bct, y_bst = (
        torch.randn(training.batch_size, spec.n_channels, spec.n_times, generator=rng).to(world.device)
        for spec in (signals.input, signals.target)
    )
    batch = Batch(x_bct, y_bst, np.arange(training.batch_size))

    def stepper(network: Model) -> Callable[[], object]:
        optimiser = torch.optim.AdamW(network.parameters(), fused=True)
        return lambda: train_epoch(network, optimiser, [batch], training, (), training.batch_size, world)

    return trained(lambda: network_spec(experiment.model).build(signals), stepper, training.batch_size, rounds)


def _signals(experiment: Experiment) -> SignalPair:
    """Describe the simulated cap, and the regions of the cohort."""
    simulation, windows, sfreq = experiment.simulation, experiment.data.windows, experiment.preprocessing.sfreq
    assert isinstance(simulation, EegFmriSimulation)
    assert isinstance(windows, VolumeWindows)
    assert sfreq
    names = tuple(f"region{number:02d}" for number in range(1, simulation.regions + 1))
    space = Regions(grid=(24, 28, 24), affine=AFFINE.tolist())
    return SignalPair(
        input=SignalSpec(names=CAP, types=("eeg",) * len(CAP), sfreq=sfreq, n_times=round(windows.length_s * sfreq)),
        target=SignalSpec(names=names, types=("bold",) * len(names), sfreq=1 / simulation.tr_s, n_times=1, space=space),
    )


if __name__ == "__main__":
    main()
