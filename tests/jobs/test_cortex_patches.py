"""Patches of cortex as users run them: clips and lead fields are planned, made by Ray, made on after a kill, and trained on."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from crossmodal.physics.medial_wall import medial_wall
from tests.jobs.conftest import ROOT, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EXPERIMENT = ROOT / "jobs/experiments/cortex_patches.yaml"
CORTEX = (
    "cortex={kind: patches, subjects: 4, samples: 96, test_samples: 24, electrodes: 32, regions: {kind: random, n: 12},"
    " matched: {heads: {grade: 3}}, clips: {seconds: 5, together: 2, neural_masses: {step_ms: 1.0}}}"
)
SPLIT = "split={kind: fixed, train: ['01', '02'], validation: ['03'], test: ['04']}"
QUICK = (CORTEX, SPLIT, "training.epochs=2", "training.workers=2")


@pytest.mark.parametrize(
    ("cortex", "told"),
    [
        ("clips: {neural_masses: {conduction_m_per_s: 0.5}}", "ms at 0.5 m/s, and longest_delay_ms = 100; raise it, or conduction_m_per_s"),
        ("regions: {kind: annot, left: lh.annot, right: lh.annot}", "lh.annot: region 'middle' lies in the medial wall (100% of it)"),
        ("regions: {kind: annot, left: few.annot, right: few.annot}", "few.annot: region 'middle' has no vertex of fsaverage5"),
    ],
)
def test_a_brain_that_cannot_be_is_refused_before_anything_is_made(tmp_path, cortex, told):
    table = np.array([[20 * number + 1, 0, 0, 0, 0] for number in range(2)])
    for file, label_v in (("lh", np.where(medial_wall("left"), 1, 0)), ("few", np.zeros(10242, dtype=int))):
        nib.freesurfer.write_annot(tmp_path / f"{file}.annot", label_v, table, ["front", "middle"], fill_ctab=True)
    refused = run("simulate", EXPERIMENT, f"cortex={{kind: patches, {cortex}}}", SPLIT, cwd=tmp_path)
    assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
    assert not (tmp_path / "runs").exists()


def kept(folder: Path) -> set[str]:
    return {file.name for file in (folder / "runs/cortex_patches/store/cortex").glob("*.npy")}


def test_what_a_killed_job_has_made_stays_and_two_workers_train_on_it(tmp_path):
    planned = run("simulate", EXPERIMENT, *QUICK, "--plan", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "0 are there, 11 to be made in about" in planned.stdout
    assert "lead field of sub-04 (boundary elements): to be made, about 10 s of a core" in planned.stdout
    too_early = run("train", EXPERIMENT, *QUICK, cwd=tmp_path)
    assert (too_early.returncode, "11 of 11 parts of the simulation are not made" in too_early.stderr) == (2, True)

    command = [sys.executable, str(ROOT / "jobs/simulate.py"), str(EXPERIMENT), *QUICK]
    job = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    while job.poll() is None and len(kept(tmp_path)) < 2:
        time.sleep(0.1)
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()

    again = run("simulate", EXPERIMENT, *QUICK, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    made, before = map(int, re.search(r"(\d+) made, (\d+) there before", again.stdout).groups())
    assert made + before == len(kept(tmp_path)) == 11
    # Workers of the killed job may have finished what they were at.
    assert 2 <= before < 11

    for job_name in ("train", "evaluate"):
        done = run(job_name, EXPERIMENT, *QUICK, cwd=tmp_path)
        assert done.returncode == 0, f"{job_name}: {done.stdout}\n{done.stderr}"
    assert "inverse-crime gap: how much larger the figure is" in done.stdout
    (written,) = Path(tmp_path / "runs/cortex_patches/store/scores").rglob("scores.csv")
    rows = {row["predictor"]: row for row in csv.DictReader(written.read_text().splitlines())}
    assert {"source net", "ridge", "zero", "own-head minimum norm"} <= set(rows)
    assert all(row["spatial_pcc_gap"] for row in rows.values())
