"""`python jobs/compare_splits.py`: one table of four splits, and what shuffling windows makes of it."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from crossmodal.config import Experiment, UserError, overridden
from crossmodal.datasets.manifest import Manifest, publish, shard_uri
from crossmodal.datasets.shard import write_shard
from crossmodal.training.compared_splits import plan_compared
from crossmodal.training.plan import plan_training
from tests.crossmodal.datasets.conftest import make_recording
from tests.crossmodal.datasets.test_volumes import make_volumes
from tests.jobs.conftest import ROOT, run

KINDS = ["leave_one_subject_out", "leave_one_session_out", "within_recordings", "leaky_windows"]
N_VOLUMES = 100
# Two subjects came once.
SESSIONS = [("01", "a"), ("01", "b"), ("02", "a"), ("03", "a")]


def small_experiment(root: Path) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "small",
            "store": str(root / "store"),
            "node_cache": {"root": str(root / "cache")},
            "recordings": {"kind": "bids_fmri", "root": str(root)},
            "preprocessing": {"modalities": ["eeg", "bold"]},
            "data": {"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 4}, "input_scaling": "zscore"},
            "split": {"kind": "leave_one_subject_out", "held_out": ["01"]},
            "model": {"kind": "band_power", "width": 3},
            "training": {"epochs": 1, "batch_size": 32, "workers": 1},
            "evaluation": {"baselines": [{"kind": "lagged_band_power_ridge"}]},
            "tracking": {"uri": f"sqlite:///{root}/mlflow.db", "experiment": "tests"},
        }
    )


def publish_sessions(experiment: Experiment, sessions: list[tuple[str, str]]) -> None:
    """Noise in EEG and BOLD, a recording a session."""
    entries = []
    for seed, (subject, session) in enumerate(sessions):
        recording = make_recording(subject, run=f"ses-{session}_01", n_samples=100 * (2 * N_VOLUMES + 2), seed=seed)
        recording = replace(recording, session=session, volumes=make_volumes(N_VOLUMES, seed=seed))
        entries.append(write_shard(recording, Path(shard_uri(experiment.store, f"shard-{seed}"))))
    publish(Manifest.of(entries, "test"), experiment.store, experiment.dataset_recipe)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    experiment = small_experiment(tmp_path_factory.mktemp("splits"))
    publish_sessions(experiment, SESSIONS)
    return experiment


def test_each_split_divides_the_same_recordings_in_its_way(experiment):
    plans = plan_compared(experiment)
    assert [plan.experiment.split.kind for plan in plans] == KINDS
    assert [[fold.name for fold in plan.folds] for plan in plans] == [
        ["sub-01"],
        ["sub-01_ses-a", "sub-01_ses-b"],
        ["within"],
        ["leaky"],
    ]
    assert [{fold.label for fold in plan.folds} for plan in plans] == [{""}, {"within subject"}, {"within recording"}, {"leaky"}]
    assert plans[2].experiment.split.gap_s == 36
    assert len({plan.run for plan in plans}) == 4


def test_without_sessions_that_column_is_left_out(tmp_path):
    experiment = small_experiment(tmp_path)
    publish_sessions(experiment, [("01", "a"), ("02", "a"), ("03", "a")])
    assert [plan.experiment.split.kind for plan in plan_compared(experiment)] == [kind for kind in KINDS if "session" not in kind]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"split": {"kind": "within_recordings", "gap_s": 20}}, "split.gap_s: 20 s between parts of a recording are too few for volumes"),
        (
            {
                "split": {
                    "kind": "fixed",
                    "train": [{"subject": "01", "stop_s": 60}],
                    "validation": ["02"],
                    "test": [{"subject": "01", "start_s": 70}],
                    "gap_s": 5,
                }
            },
            "a window of 4 s and a haemodynamic response of 32 s need 36 s",
        ),
        ({"split": {"kind": "within_recordings", "gap_s": 150}}, "which cannot be cut into three with gaps of 150 s"),
        (
            {"data.windows": {"kind": "volumes", "length_s": 250}},
            "sub-01 run ses-a_01: its 100 volumes last 200 s, less than the window of 250 s",
        ),
    ],
)
def test_what_would_mislead_is_refused_in_a_sentence(experiment, changes, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        plan_training(overridden(experiment, changes))


@pytest.mark.slow
def test_one_table_shows_all_and_that_shuffling_flatters_where_nothing_can_be_learned(tmp_path):
    """Windows overlap and blood is slow: who has seen the neighbours of a test volume need not read the EEG at all."""
    settings = (
        "simulation.subjects=4",
        "simulation.n_volumes=120",
        "simulation.sfreq=100",
        "simulation.n_dipoles=60",
        "simulation.regions=3",
        "simulation.voxel_mm=16",
        "training.epochs=3",
        "tracking.uri=sqlite:///mlflow.db",
    )
    experiment = ROOT / "jobs/experiments/eeg_fmri_null.yaml"
    for job in ("simulate", "preprocess", "compare_splits"):
        done = run(job, experiment, *settings, cwd=tmp_path, timeout_s=900)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    for told in ("(within recording, n = 4)", "(leaky, n = 4)", "band power network", "No subject has several sessions"):
        assert told in done.stdout
    (table,) = (tmp_path / "runs/eeg_fmri_null/store/scores").rglob("splits.csv")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    r = {(row["split"], row["predictor"]): float(row["r"]) for row in rows}
    flexible = "lagged ridge on band power"
    assert r["leaky_windows", flexible] > r["leave_one_subject_out", flexible] + 0.1
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    logged = client.search_runs([client.get_experiment_by_name("eeg_fmri_null").experiment_id], "tags.level = 'comparison'")
    assert [run.info.status for run in logged] == ["FINISHED"]
    assert logged[0].data.metrics[f"leaky_windows/test/bold/{flexible}/r"] == pytest.approx(r["leaky_windows", flexible])
    again = run("compare_splits", experiment, *settings, cwd=tmp_path, timeout_s=900)
    assert again.returncode == 0, again.stderr
    for kind, n_folds in (("leave_one_subject_out", 4), ("within_recordings", 1), ("leaky_windows", 1)):
        assert f"{kind}: 0 of {n_folds} folds to train" in again.stderr
