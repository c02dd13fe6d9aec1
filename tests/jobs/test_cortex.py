"""EEG to cortex as users run it: nothing is simulated or preprocessed before."""

import csv
from pathlib import Path

import mne
import numpy as np
import pytest

from crossmodal.physics.standard_cap import standard_cap
from crossmodal.tasks.cortex.heads import electrode_names
from tests.jobs.conftest import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
QUICK = ("cortex={subjects: 5, samples: 100}", "training.epochs=2", "split.held_out=['01']")


def test_two_workers_train_and_the_model_is_scored_and_searched_for(tmp_path):
    experiment = ROOT / "jobs/experiments/cortex.yaml"
    for job, more in (("train", ()), ("evaluate", ())):
        done = run(job, experiment, *QUICK, *more, cwd=tmp_path)
        assert done.returncode == 0, f"{job}: {done.stdout}\n{done.stderr}"
    assert "own-head minimum norm (oracle)" in done.stdout
    (written,) = Path(tmp_path / "runs/cortex/store/scores").rglob("scores.csv")
    rows = {row["predictor"]: row for row in csv.DictReader(written.read_text().splitlines())}
    assert float(rows["zero"]["explained_variance"]) == 0
    info = standard_cap(electrode_names(70), 100.0)
    x_ct = 1e-5 * np.random.default_rng(0).standard_normal((70, 800))
    for name, factor, n_electrodes in (("good", 1, 70), ("microvolts", 1e6, 70), ("few", 1, 69)):
        raw = mne.io.RawArray(factor * x_ct, info, verbose="error").pick(info["ch_names"][:n_electrodes])
        raw.save(tmp_path / f"{name}_raw.fif", verbose="error")
    for options, told in (
        (("--recording", "microvolts_raw.fif"), "a factor of 1e-06 would fit"),
        (("--recording", "few_raw.fif"), f"lacks 1 of the model's 70 channels: {info['ch_names'][69]}"),
        (("--recording", "good_raw.fif", "--forward", "own-fwd.fif"), "source_net has learned what the electrodes of its training see"),
        (("--recording", "good_raw.fif", "--spheres", "lh.sphere.reg", "rh.sphere.reg"), "--spheres: say where the vertices of --forward"),
    ):
        refused = run("predict", experiment, *QUICK, *options, cwd=tmp_path)
        assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
    assert not list(tmp_path.glob("*.stc"))
    search = ("training.workers=1", "tuning.folds=2", "tuning.stop.trials=2", "tuning.test_subjects=['05']", *QUICK[:2])
    done = run("tune", experiment, *search, cwd=tmp_path, timeout_s=600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "registered as cortex version 1" in done.stdout


@pytest.mark.parametrize("job", ["simulate", "preprocess"])
def test_there_is_nothing_to_prepare(tmp_path, job):
    done = run(job, ROOT / "jobs/experiments/cortex.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "samples" in done.stderr
    assert not (tmp_path / "runs").exists()
