"""Delayed Jansen-Rit networks: core time, in ms, for a simulated second of one region in one simulation, against other simulators.

Connectomes fall off with distance, over regions of the template cortex, 36 connections each; steps are of half a millisecond. All run on
one core. What is compared alternates, and a row tells the median of the ratios: what else the machine does slows both. The first run,
which compiles, is told apart. Where there is a GPU, its time is told as well.
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.neural_mass_peers import Simulate, tvb, tvboptim
from crossmodal.config.cortex import DecayConnectome, NeuralMasses
from crossmodal.physics.connectome import Connectome, decay_connectome
from crossmodal.physics.cortex import template_cortex
from crossmodal.physics.neural_masses import NeuralMassNetwork

N_REGIONS, N_SIMULATIONS = 994, 32
# (regions, simulations), to show how time grows with either.
SIZES = ((100, 32), (994, 8), (994, 100))
N_STEPS, ROUNDS = 512, 5
# Times as fast as each, and how many of its simulations and steps are measured.
PEERS: dict[str, tuple[Simulate, float, int, int]] = {
    "tvboptim, sparse": (tvboptim, 2.5, N_SIMULATIONS, 256),
    "tvb-library": (tvb, 100.0, 1, 64),
}

Run = Callable[[], object]


@dataclass(frozen=True)
class Job:
    """Something to measure: what runs it, and how many seconds of one region a run simulates."""

    run: Run
    region_s: float

    def ms(self) -> float:
        """Run it; ms of core time a simulated second of a region."""
        started_s = time.process_time()
        self.run()
        return 1e3 * (time.process_time() - started_s) / self.region_s


def main() -> None:
    """Measure and print a table."""
    console, settings = Console(), NeuralMasses()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    connectome = _connectome(N_REGIONS)
    table = Table(title=f"{N_REGIONS} regions, {N_SIMULATIONS} simulations; ms a simulated second of one region")
    for column in ("", "first run (s)", "ms", "times ours"):
        table.add_column(column, justify="right" if column else "left")
    ours = _ours(connectome, settings, N_SIMULATIONS, compiled=True)
    table.add_row("crossmodal, compiled", f"{_first_s(ours):.1f}", f"{statistics.median(ours.ms() for _ in range(ROUNDS)):.3f}", "1")
    others: dict[str, Callable[[], Job]] = {"crossmodal, eager": lambda: _ours(connectome, settings, N_SIMULATIONS, compiled=False)}
    for name, (simulate, _, n_simulations, n_steps) in PEERS.items():
        others[name] = lambda of=simulate, b=n_simulations, t=n_steps: _peer(of, connectome, settings, b, t)
    ratios = {}
    for name, build in others.items():
        console.print(f"measuring {name} ...")
        try:
            job = build()
            first_s = _first_s(job)
        except ImportError as error:
            console.print(f"{name} is left out: {error}")
            continue
        pairs = [(ours.ms(), job.ms()) for _ in range(ROUNDS)]
        ratios[name] = statistics.median(theirs / our for our, theirs in pairs)
        table.add_row(name, f"{first_s:.1f}", f"{statistics.median(theirs for _, theirs in pairs):.3g}", f"{ratios[name]:.3g}")
    console.print(table)
    for name, (_, wanted, *_) in PEERS.items():
        if name in ratios:
            reached = "reached" if ratios[name] >= wanted else "missed"
            console.print(f"{ratios[name]:.3g} times as fast as {name}, wanted {wanted:g}: {reached}")
    for n_regions, n_simulations in SIZES:
        _tell_size(console, settings, n_regions, n_simulations, "cpu")
    if torch.cuda.is_available():
        _tell_size(console, settings, N_REGIONS, 1000, "cuda")


def _tell_size(console: Console, settings: NeuralMasses, n_regions: int, n_simulations: int, device: str) -> None:
    """Tell how time grows; a GPU's is that of one core that waits for it."""
    job = _ours(_connectome(n_regions), settings, n_simulations, compiled=True, device=device)
    _first_s(job)
    ms = statistics.median(job.ms() for _ in range(ROUNDS))
    console.print(f"{n_regions} regions, {n_simulations} simulations, {device}: {ms:.3g} ms")


def _connectome(n_regions: int) -> Connectome:
    return decay_connectome(template_cortex(n_regions).positions_m, DecayConnectome())


def _ours(connectome: Connectome, settings: NeuralMasses, n_simulations: int, compiled: bool, device: str = "cpu") -> Job:
    network = NeuralMassNetwork(connectome, settings, device, compiled)
    generators = [torch.Generator(device).manual_seed(seed) for seed in range(n_simulations)]

    def run() -> None:
        for _ in network.simulate([None] * n_simulations, generators, N_STEPS):
            pass
        if device == "cuda":
            torch.cuda.synchronize()

    return Job(run, len(connectome) * n_simulations * N_STEPS * settings.step_ms / 1e3)


def _peer(simulate: Simulate, connectome: Connectome, settings: NeuralMasses, n_simulations: int, n_steps: int) -> Job:
    run = simulate(connectome, settings, n_simulations, n_steps)
    return Job(run, len(connectome) * n_simulations * n_steps * settings.step_ms / 1e3)


def _first_s(job: Job) -> float:
    started_s = time.process_time()
    job.run()
    return time.process_time() - started_s


if __name__ == "__main__":
    main()
