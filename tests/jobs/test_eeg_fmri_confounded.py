"""The confounded control, made small by the commands and the file that users take: its shards hold heartbeat, breath and movement."""

import numpy as np

from crossmodal.config import load_experiment
from crossmodal.datasets.manifest import load_latest
from crossmodal.datasets.shard import Shard
from crossmodal.tasks.volumes.physiology import regressors
from tests.jobs.conftest import ROOT, run

SMALL = (
    "simulation.subjects=1",
    "simulation.runs=1",
    "simulation.regions=3",
    "simulation.n_volumes=40",
    "simulation.sfreq=100",
    "simulation.n_dipoles=60",
    "simulation.voxel_mm=16",
)
EXPERIMENT = ROOT / "jobs/experiments/eeg_fmri_confounded.yaml"


def test_shards_hold_what_is_recorded_of_the_body(tmp_path):
    for job in ("simulate", "preprocess"):
        made = run(job, EXPERIMENT, *SMALL, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    assert "made 1, cached 0, failed 0; dataset " in made.stdout
    recipe = load_experiment(EXPERIMENT, SMALL).dataset_recipe
    (entry,) = load_latest(str(tmp_path / "runs/eeg_fmri_confounded/store"), recipe).entries
    shard = Shard.open(tmp_path / entry.uri, verify=True)
    assert shard.types("physiology") == ("ecg", "resp")
    assert shard.metadata("physiology")["units"] == ["V", "arbitrary"]
    motion = np.loadtxt(next(tmp_path.rglob(f"sub-{shard.subject}_run-01_motion.tsv")), skiprows=1)
    np.testing.assert_allclose(shard.volumes.motion, motion * [1e-3, 1e-3, 1e-3, 1, 1, 1])
    found = regressors(shard)
    assert {name.split(",")[0] for name in found.names} >= {"heart rate", "respiration", "motion x", "motion rotation z"}
    assert np.isfinite(found.values_vk).all()
