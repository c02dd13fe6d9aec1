"""What Ray knows of nodes that are about to be reclaimed: it drains them on SIGTERM, and when an autoscaler says so."""

import time

import ray
import torch
from ray._private.state import state
from ray.train import get_preemption_info

from crossmodal.training.world import World

# Ray answers through an actor that all workers meet at, which takes milliseconds.
_PAUSE_S = 2.0


class Notice:
    """Tells the workers of a group alike whether a node of theirs is about to be reclaimed, asking Ray now and then.

    Parameters
    ----------
    world : World
        The group.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked = time.monotonic()

    def __call__(self) -> bool:
        """For all workers to call after the same steps."""
        # Clocks differ: that of rank 0 decides for all.
        due = self._world.rank == 0 and time.monotonic() - self._asked >= _PAUSE_S
        if not self._world.sum(torch.tensor([due], dtype=torch.float64)).any():
            return False
        self._asked = time.monotonic()
        return get_preemption_info() is not None


class NodeNotice:
    """Tells a worker that has no group, in a process of Ray's, whether its node is about to be reclaimed, asking Ray now and then."""

    def __init__(self) -> None:
        self._node = ray.get_runtime_context().get_node_id()
        self._asked = time.monotonic()

    def __call__(self) -> bool:
        """Whether it is."""
        if time.monotonic() - self._asked < _PAUSE_S:
            return False
        self._asked = time.monotonic()
        # Ray Train asks the same; outside its workers there is no public way.
        return self._node in state.get_draining_nodes()
