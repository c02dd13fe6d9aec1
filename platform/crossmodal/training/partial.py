"""The middle of an epoch, where workers leave because a machine of theirs is about to be taken away."""

from dataclasses import dataclass
from typing import Self

import torch

from crossmodal.training.world import World


@dataclass(frozen=True)
class PartialEpoch:
    """How far an epoch is; r rank.

    Attributes
    ----------
    steps : int
        Taken.
    seconds : float
        Spent on them.
    totals_r : dict of str to Tensor, shape (ranks,)
        Sum of each term of the loss over the windows of each rank so far, float64; no term is known before the first step.
    random_rn : dict of str to Tensor, shape (ranks, n_bytes)
        States of the random number generators, by device type.
    """

    steps: int
    seconds: float
    totals_r: dict[str, torch.Tensor]
    random_rn: dict[str, torch.Tensor]

    @classmethod
    def nothing(cls) -> Self:
        """An epoch without a step."""
        return cls(0, 0.0, {}, {})

    def to_tensors(self) -> dict[str, torch.Tensor]:
        """What a file of tensors can hold."""
        totals = {f"total.{term}": total_r for term, total_r in self.totals_r.items()}
        random = {f"random.{kind}": states_rn for kind, states_rn in self.random_rn.items()}
        numbers = torch.tensor([self.steps, self.seconds], dtype=torch.float64)
        return {"steps_seconds": numbers, **totals, **random}

    @classmethod
    def from_tensors(cls, tensors: dict[str, torch.Tensor]) -> Self:
        """Back from `to_tensors`."""
        steps, seconds = tensors["steps_seconds"].tolist()
        # Files of before terms had names hold one "total", which is the sum of what its loss was.
        totals = {name.removeprefix("total."): total_r for name, total_r in tensors.items() if name.startswith("total")}
        random = {name.removeprefix("random."): states_rn for name, states_rn in tensors.items() if name.startswith("random.")}
        return cls(int(steps), seconds, totals, random)


def random_states(world: World) -> dict[str, torch.Tensor]:
    """Gather the states that random numbers of all ranks are drawn from; for all ranks to call."""
    states = {"cpu": torch.get_rng_state()}
    if world.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(world.device)
    return {kind: world.gather(state_n) for kind, state_n in states.items()}


def set_random_states(states_rn: dict[str, torch.Tensor], world: World) -> None:
    """Let this rank draw its random numbers from where it left."""
    # Copies: torch 2.13 reads a row from the start of the memory that it is a view of.
    torch.set_rng_state(states_rn["cpu"][world.rank].clone())
    if world.device.type == "cuda" and "cuda" in states_rn:
        torch.cuda.set_rng_state(states_rn["cuda"][world.rank].clone(), world.device)
