"""One rank of a training without Ray: `python ranks.py RANK SIZE RENDEZVOUS CHECKPOINTS STOP BATCH_SIZE DROPOUT`, for test_ranks.py.

Resumes from CHECKPOINTS, and dies in the middle of epoch STOP. Rank 0 prints the history as JSON.
"""

import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from crossmodal.training.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from crossmodal.training.loop import fit
from crossmodal.training.state import TrainingState
from crossmodal.training.world import World, make_reproducible
from tests.crossmodal.training.cohort import SmallNet, open_first_fold, publish_cohort, small_experiment


class Mortal(SmallNet):
    steps_left = -1

    def loss_terms(self, x_bct, y_bst):
        Mortal.steps_left -= 1
        if Mortal.steps_left == 0:
            os._exit(9)
        return super().loss_terms(x_bct, y_bst)


def main(rank: int, size: int, rendezvous: str, checkpoints: str, stop: int, batch_size: int, dropout: float) -> None:
    make_reproducible(threads=1)
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=size)
    root = Path(checkpoints) / f"rank-{rank}"
    experiment = small_experiment(root, batch_size=batch_size, workers=size)
    data = open_first_fold(experiment, publish_cohort(experiment), root)
    torch.manual_seed(0)
    model = Mortal(data, dropout)
    latest = latest_checkpoint(checkpoints)

    def after_epoch(state):
        if rank == 0:
            save_checkpoint(state, checkpoints)
        if state.epochs == stop:
            Mortal.steps_left = 3

    resume = load_checkpoint(latest) if latest else TrainingState()
    state = fit(model, data.train, data.validation, experiment.training, 0, World(rank, size), after_epoch, resume)
    if rank == 0:
        json.dump([[metrics.loss, metrics.validation_loss] for metrics in state.history], sys.stdout)
        sys.stdout.flush()
    dist.barrier()
    # Left as it is: rank 0 may be gone before the others have said goodbye to it.
    os._exit(0)


if __name__ == "__main__":
    rank, size, rendezvous, checkpoints, stop, batch_size, dropout = sys.argv[1:]
    main(int(rank), int(size), rendezvous, checkpoints, int(stop), int(batch_size), float(dropout))
