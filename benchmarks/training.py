"""D2: steps through the platform against a bare PyTorch loop. D3: two workers of one thread against one, paper widths.

Both alternate rounds of what they compare and tell the median of the ratios, since what else the machine does slows both. D3
needs two idle cores to mean anything: one step of a worker is 48 windows through 17 million parameters.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from rich.console import Console

from benchmarks.batches import SFREQ, open_reader
from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.config.training import Training
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.feed import Batch
from crossmodal.models.base import Model
from crossmodal.models.synaptech_net import SynaptechNet, SynaptechNetConfig
from crossmodal.storage.heap import KEEP_FREED_MEMORY
from crossmodal.training.loop import train_epoch
from crossmodal.training.loss_watch import LossWatch
from crossmodal.training.world import World

D2_TARGET, D2_ROUNDS = 0.95, 7
D3_TARGET, D3_ROUNDS, D3_STEPS = 1.7, 5, 6
# Where a step is short, what surrounds it weighs most.
NARROW = SynaptechNetConfig(widths=(16, 32, 64, 64), bridge_hidden=64)


def main() -> None:
    """Measure both and say what was reached."""
    console = Console()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        console.print("D2: steps through the platform and bare ones ...")
        reader = open_reader(Path(scratch), "whiten")
        share = platform_share(reader, _model(reader), Training(batch_size=16, schedule="constant", warmup_epochs=0))
        _tell(console, "D2", "of a bare loop's speed", share, D2_TARGET)
        console.print("D3: two workers and one, paper widths, three minutes ...")
        together, apart = two_workers_speedup(Path(scratch))
        _tell(console, "D3", "times one worker", together, D3_TARGET)
        console.print(f"    Two workers that share nothing reach {apart:.2f} times one on this machine.")


def platform_share(reader: BatchReader, model: Model, training: Training, rounds: int = D2_ROUNDS) -> float:
    """Speed of the platform's steps, as a share of that of bare ones on batches that lie ready in memory, on the model's device."""
    order, world = np.arange(len(reader)), World(device=next(model.parameters()).device)
    ready = [(batch.input_bct.clone(), batch.target_bst.clone()) for batch in reader.batches(training.batch_size, order, world.device)]
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)

    def bare() -> None:
        for x_bct, y_bst in ready:
            loss = model.loss(x_bct, y_bst)
            optimiser.zero_grad()
            loss.backward()
            if training.gradient_clip is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), training.gradient_clip)
            optimiser.step()

    def platform() -> None:
        batches = reader.batches(training.batch_size, order, world.device)
        train_epoch(model, optimiser, batches, training, (), len(order), world, LossWatch(reader, 0, world))

    model.train()
    bare()
    return statistics.median(seconds(bare) / seconds(platform) for _ in range(rounds))


def two_workers_speedup(folder: Path) -> tuple[float, float]:
    """Windows per second of two processes over those of one of them alone: training together, and each for itself."""
    os.environ.update(KEEP_FREED_MEMORY)
    torch.multiprocessing.spawn(_measure_worker, (folder,), nprocs=2)
    together, apart = np.loadtxt(folder / "speedups")
    return float(together), float(apart)


def _measure_worker(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2)
    training = Training(batch_size=48, schedule="constant", warmup_epochs=0)
    rng = torch.Generator().manual_seed(rank)
    x_bct, y_bst = (torch.randn(training.batch_size, n, 500, generator=rng) for n in (70, 102))
    batches = [Batch(x_bct, y_bst, np.arange(training.batch_size))] * D3_STEPS
    model = SynaptechNet(SynaptechNetConfig(), _signals(x_bct, y_bst))
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)

    def train(world: World) -> None:
        train_epoch(model, optimiser, batches, training, (), training.batch_size * D3_STEPS, world)

    train(World(rank, 2))  # The first steps also pay for memory that later ones use again.
    speedups = []
    for _ in range(D3_ROUNDS):
        dist.barrier()
        alone_s = seconds(lambda: train(World())) if rank == 0 else 0.0
        dist.barrier()
        together_s = seconds(lambda: train(World(rank, 2)))
        dist.barrier()
        apart_s = seconds(lambda: train(World()))
        speedups.append((2 * alone_s / together_s, 2 * alone_s / apart_s))
    if rank == 0:
        np.savetxt(folder / "speedups", np.median(speedups, axis=0))
    dist.barrier()
    dist.destroy_process_group()


def _signals(x_bct: torch.Tensor, y_bst: torch.Tensor) -> SignalPair:
    """Describe windows of electrodes and magnetometers."""
    input, target = (
        SignalSpec(names=tuple(map(str, range(x.shape[1]))), types=(kind,) * x.shape[1], sfreq=SFREQ, n_times=x.shape[2])
        for x, kind in ((x_bct, "eeg"), (y_bst, "mag"))
    )
    return SignalPair(input=input, target=target)


def _model(reader: BatchReader) -> Model:
    batch = next(reader.batches(1, np.arange(1)))
    return SynaptechNet(NARROW, _signals(batch.input_bct, batch.target_bst))


def seconds(action: Callable[[], None]) -> float:
    """How long something takes, with what it leaves a GPU to do."""
    started = time.perf_counter()
    action()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _tell(console: Console, name: str, what: str, reached: float, wanted: float) -> None:
    console.print(f"{name}: {reached:.2f} {what}, wanted at least {wanted:g}: {'reached' if reached >= wanted else 'missed'}")


if __name__ == "__main__":
    main()
