"""A network whose weights follow from where electrodes stand, and one rank of its training: `python placed.py RANK SIZE RENDEZVOUS FOLDER`.

Rank 0 prints the losses as JSON.
"""

import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model, ModelConfig
from crossmodal.training.loop import fit
from crossmodal.training.state import TrainingState
from crossmodal.training.world import World, make_reproducible
from tests.crossmodal.training.cohort import open_first_fold, publish_cohort, small_experiment


class PlacedConfig(ModelConfig):
    width: int = 8


class Placed(Model):
    """A linear map from electrodes to sensors whose weights a perceptron computes from both places."""

    uses_places = True

    def __init__(self, config: PlacedConfig, signals: SignalPair) -> None:
        super().__init__()
        self.weight = nn.Sequential(nn.Linear(6, config.width), nn.GELU(), nn.Linear(config.width, 1))

    def forward(self, x_bct, places=None):
        input_bc3, target_bs3 = 10 * places.input_bc3, 10 * places.target_bs3
        pairs_bsc6 = torch.cat(
            [
                input_bc3[:, None].expand(-1, target_bs3.shape[1], -1, -1),
                target_bs3[:, :, None].expand(-1, -1, input_bc3.shape[1], -1),
            ],
            dim=3,
        )
        return self.weight(pairs_bsc6)[..., 0] @ x_bct


def main(rank: int, size: int, rendezvous: str, folder: str) -> None:
    make_reproducible(threads=1)
    if size > 1:
        dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=size)
    root = Path(folder) / f"rank-{rank}-of-{size}"
    experiment = small_experiment(root, batch_size=16 // size, workers=size)
    data = open_first_fold(experiment, publish_cohort(experiment), root)
    torch.manual_seed(0)
    model = Placed(PlacedConfig(), data.signals)
    state = fit(model, data.train, data.validation, experiment.training, 0, World(rank, size), lambda state: None, TrainingState())
    if rank == 0:
        json.dump([[metrics.loss, metrics.validation_loss] for metrics in state.history], sys.stdout)
        sys.stdout.flush()
    if size > 1:
        dist.barrier()
    os._exit(0)


if __name__ == "__main__":
    rank, size, rendezvous, folder = sys.argv[1:]
    main(int(rank), int(size), rendezvous, folder)
