import os
import subprocess
import sys
from pathlib import Path

import mne
import numpy as np
import pytest
import yaml

_JOB = Path(__file__).resolve().parents[2] / "jobs/preprocess.py"


@pytest.fixture
def experiment(tmp_path):
    """Write an experiment of one whole recording and one that is broken."""
    info = mne.create_info(["C3", "C4", "MEG0111", "MEG0121"], 200.0, ["eeg", "eeg", "mag", "mag"])
    info["dev_head_t"] = mne.transforms.Transform("meg", "head")
    noise = np.random.default_rng(0).normal(size=(4, 2000)) * [[1e-5], [1e-5], [1e-13], [1e-13]]
    mne.io.RawArray(noise, info, verbose="error").save(tmp_path / "whole_raw.fif", verbose="error")
    (tmp_path / "broken_raw.fif").write_bytes((tmp_path / "whole_raw.fif").read_bytes()[:500])
    files = [{"path": str(tmp_path / f"{name}_raw.fif"), "subject": name} for name in ("whole", "broken")]
    settings = {"name": "test", "store": str(tmp_path / "store"), "recordings": {"kind": "files", "files": files}}
    (tmp_path / "both.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump(settings | {"recordings": {"kind": "files", "files": files[:1]}}))
    return tmp_path


def _run(folder, *arguments, **variables):
    # From another folder and without the paths that pytest adds: the job finds the project by itself.
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "RAY_ADDRESS"}} | variables
    return subprocess.run([sys.executable, str(_JOB), *arguments], capture_output=True, text=True, cwd=folder, env=environment)


def test_broken_recording_ends_in_a_table_and_what_is_there_is_not_made_again(experiment):
    long = experiment / "as-long-as-the-folder-of-a-slurm-job"
    long.mkdir()
    first = _run(experiment, "both.yaml", TMPDIR=str(long))
    assert first.stdout, first.stderr
    assert f"TMPDIR={long} is too long for Ray" in first.stderr
    assert first.returncode == 1
    summary, *table = first.stdout.splitlines()
    assert summary.startswith("made 1, cached 0, failed 1; dataset ")
    assert any(line.strip().startswith(f"sub-broken run 01  {experiment}/broken_raw.fif: cannot be read") for line in table)
    assert "2/2" in first.stderr
    assert "1 failed" in first.stderr

    before = sorted(path for path in experiment.rglob("*"))
    planned = _run(experiment, "both.yaml", "--plan", "--price", "3600")
    assert planned.returncode == 0, planned.stderr
    _, broken_row = (line for line in planned.stdout.splitlines() if line.rstrip().endswith("_raw.fif"))
    assert broken_row.split()[:5] == ["sub-broken", "run", "01", "to", "be"]
    assert "cached 1, 0.000 GB of shards in " in planned.stdout
    assert "to be made 1, from 0.000 GB into about 0.000 GB of shards: about " in planned.stdout
    assert "core-hours counted by step: basic " in planned.stdout
    why = _run(experiment, "both.yaml", "preprocessing.sfreq=125", "--why", "sub-whole")
    assert why.returncode == 0, why.stderr
    assert why.stdout.splitlines()[1] == "  preprocessing.sfreq: 100.0 -> 125.0"
    assert sorted(path for path in experiment.rglob("*")) == before

    second = _run(experiment, "whole.yaml")
    assert second.returncode == 0, second.stderr
    assert second.stdout.startswith("nothing to make: made 0, cached 1, failed 0; dataset ")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("preprocessing.higpass_hz=1", "unknown key 'preprocessing.higpass_hz'; the nearest valid name is 'highpass_hz'"),
        ("preprocessing.sfreq=60", "lowpass_hz must be below half of sfreq (30 Hz)"),
        ("recordings={kind: bids, root: nowhere}", "nowhere: no such dataset; set recordings.root"),
    ],
)
def test_mistake_is_one_sentence(experiment, override, sentence):
    done = _run(experiment, "whole.yaml", override)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (experiment / "store").exists()


@pytest.mark.parametrize(("options", "n_rows"), [((), 20), (("--all",), 23)])
def test_a_long_plan_is_told_by_its_first_rows_unless_all_are_asked_for(experiment, options, n_rows):
    files = [{"path": "whole_raw.fif", "subject": f"{number:02}"} for number in range(23)]
    override = f"recordings.files={yaml.safe_dump(files, default_flow_style=True, width=10_000).strip()}"
    planned = _run(experiment, "whole.yaml", override, "--plan", *options)
    assert planned.returncode == 0, planned.stderr
    assert sum("to be made  " in line for line in planned.stdout.splitlines()) == n_rows
    assert ("and 3 more recordings" in planned.stdout) == (n_rows < len(files))
    assert "to be made 23, from" in planned.stdout
