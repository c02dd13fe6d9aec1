"""One rank of a training on simulated samples: `python ranks.py RANK SIZE RENDEZVOUS CHECKPOINTS QUESTIONS`, for test_ranks.py.

Resumes from CHECKPOINTS, and leaves where it is asked the QUESTIONS-th time whether a machine goes. Rank 0 prints a digest of the weights.
"""

import hashlib
import os
import sys

import torch
import torch.distributed as dist

from crossmodal.config.training import Training
from crossmodal.models.source_net import SourceNet, SourceNetConfig
from crossmodal.tasks.cortex.signals import signal_pair
from crossmodal.training.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from crossmodal.training.loop import ReclaimedError, fit
from crossmodal.training.state import TrainingState
from crossmodal.training.world import World, make_reproducible
from tests.crossmodal.tasks.cortex.heads import SIMULATION, feed


def main(rank: int, size: int, rendezvous: str, checkpoints: str, questions: int) -> None:
    make_reproducible(threads=1)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=size)
    torch.manual_seed(0)
    model = SourceNet(SourceNetConfig(dropout=0.05), signal_pair(SIMULATION))
    latest = latest_checkpoint(checkpoints)
    answers = iter([False] * (questions - 1) + [True])

    def keep(state):
        if rank == 0:
            save_checkpoint(state, checkpoints)

    world = World(rank, size, reclaimed=lambda: next(answers, False))
    training, resume = Training(epochs=2, batch_size=16, learning_rate=0.01), load_checkpoint(latest) if latest else TrainingState()
    try:
        fit(model, feed("train", samples=160), feed("validation", samples=40), training, 0, world, keep, resume)
        told = hashlib.sha256(b"".join(weights.detach().numpy().tobytes() for weights in model.parameters())).hexdigest()
    except ReclaimedError:
        told = "left"
    if rank == 0:
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()
    dist.barrier()
    # Left as it is: rank 0 may be gone before the others have said goodbye to it.
    os._exit(0)


if __name__ == "__main__":
    rank, size, rendezvous, checkpoints, questions = sys.argv[1:]
    main(int(rank), int(size), rendezvous, checkpoints, int(questions))
