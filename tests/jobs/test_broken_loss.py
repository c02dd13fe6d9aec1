"""A network whose loss becomes no number on one of two workers: the job says where, and goes on from the epoch before once it is mended."""

import json
import re

import pytest

from tests.jobs.conftest import ROOT, run

pytestmark = pytest.mark.slow
EXPERIMENT = ROOT / "jobs/experiments/eeg_fmri.yaml"
SETTINGS = (
    "simulation.subjects=3",
    "simulation.n_volumes=30",
    "simulation.sfreq=100",
    "simulation.n_dipoles=60",
    "simulation.regions=3",
    "simulation.voxel_mm=16",
    "simulation.lead_in_s=[20, 25]",
    "model={kind: lab.net.Net}",
    "split.held_out=['01']",
    "training.epochs=3",
    "training.batch_size=4",
    "training.workers=2",
    "tracking.uri=sqlite:///mlflow.db",
)
NET = """
import torch
from torch import distributed, nn

from crossmodal.models.base import Model, ModelConfig


class NetConfig(ModelConfig):
    predicts = ("volumes",)


class Net(Model):
    def __init__(self, config: NetConfig, signals):
        super().__init__()
        self.layer = nn.Linear(signals.input.n_channels, signals.target.n_channels)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x_bct):
        return self.layer(x_bct.std(2))[..., None]

    def loss_terms(self, x_bct, y_bst, places=None):
        terms = super().loss_terms(x_bct, y_bst)
        self.steps += self.training
        broken = BROKEN and self.training and distributed.get_rank() == 1 and self.steps > 5
        return {"mse": terms["mse"] * (torch.nan if broken else 1)}
"""


def test_the_batch_is_named_nothing_is_published_and_a_mended_network_goes_on(tmp_path):
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "net.py").write_text(f"BROKEN = True\n{NET}")

    def job(name):
        return run(name, EXPERIMENT, *SETTINGS, cwd=tmp_path, PYTHONPATH=str(tmp_path))

    for name in ("simulate", "preprocess"):
        assert job(name).returncode == 0
    refused = job("train")
    assert refused.returncode == 2, refused.stderr
    told = r"error: the loss was no longer finite in epoch 2, at a batch of \d windows, of which sub-03 run 01 volume \d+ has the largest"
    assert re.match(told, refused.stderr.splitlines()[-1])
    assert "Traceback" not in refused.stderr
    store = tmp_path / "runs/eeg_fmri/store"
    assert not list(store.rglob("models/*/*"))
    (kept,) = store.rglob("epochs-*/history.json")
    before = json.loads(kept.read_text())
    assert len(before) == 1

    (lab / "net.py").write_text(f"BROKEN = False\n{NET}")
    mended = job("train")
    assert mended.returncode == 0, mended.stderr
    (result,) = store.rglob("models/*/sub-01/training.json")
    history = json.loads(result.read_text())["history"]
    assert len(history) == 3
    # Its seconds, too: the first epoch was not trained again.
    assert history[:1] == before
