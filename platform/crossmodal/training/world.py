"""The workers that train one network together, as the loop sees them."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from crossmodal.config import UserError
from crossmodal.config.training import Training

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class World:
    """One worker's place among all; beyond one worker, torch's default process group connects them.

    Attributes
    ----------
    reclaimed : callable
        Tells whether a machine of theirs is about to be taken away; all workers ask after the same steps, and get the same answer.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    reclaimed: Callable[[], bool] = lambda: False

    def share(self, module: nn.Module) -> nn.Module:
        """Let gradients of `module` be averaged over workers from here on."""
        if self.size == 1:
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices, gradient_as_bucket_view=True)

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Add up float64 values over workers, in the order of their ranks, so that every repetition gives the same bits."""
        return values if self.size == 1 else self.gather(values).sum(0)

    def gather(self, values: torch.Tensor) -> torch.Tensor:
        """Stack the values of all workers, in the order of their ranks, on the CPU."""
        values = values.to(self.device)
        everyone = [values]
        if self.size > 1:
            everyone = [torch.empty_like(values) for _ in range(self.size)]
            dist.all_gather(everyone, values)
        return torch.stack(everyone).cpu()

    def together(self, action: Callable[[], _Value]) -> _Value:
        """Do something on every rank; a UserError of one is raised on all, so that none waits for it in vain."""
        refusal, value = None, None
        try:
            value = action()
        except UserError as error:
            refusal = error
        refusals: list[UserError | None] = [refusal]
        if self.size > 1:
            refusals *= self.size
            dist.all_gather_object(refusals, refusal)
        for refusal in filter(None, refusals):
            raise refusal
        return cast(_Value, value)

    def on_rank_0(self, action: Callable[[], None]) -> None:
        """Do something on rank 0 alone; its UserError is raised on all."""
        self.together(lambda: action() if self.rank == 0 else None)

    def from_rank_0(self, value: _Value) -> _Value:
        """Give every rank what rank 0 holds."""
        shared = [value]
        if self.size > 1:
            dist.broadcast_object_list(shared, device=self.device)
        return shared[0]


def autocast(training: Training, world: World) -> torch.autocast:
    """Compute in bfloat16 what bears it, where that is asked for and the device is a GPU."""
    return torch.autocast(world.device.type, torch.bfloat16, enabled=training.precision == "bfloat16" and world.device.type == "cuda")


def make_reproducible(threads: int) -> None:
    """Have torch repeat its bits in this process: for a worker's entry, before its first CUDA call.

    Operations without a deterministic GPU kernel warn, rather than fail. The number of CPU threads decides in which
    order sums are taken, so it belongs here.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
