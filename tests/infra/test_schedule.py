"""A night runs its job and ends as it does; the units and the crontab that start it are sound."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.infra.manifests import INFRA, ROOT

NIGHTLY = INFRA / "schedule/nightly.sh"
HOME = "/opt/crossmodal"


def night(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    command = [str(NIGHTLY), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=500)


def experiment(folder: Path) -> Path:
    small = {
        "name": "night",
        "store": str(folder / "store"),
        "recordings": {"kind": "bids", "root": str(folder / "cohort")},
        "tracking": {"uri": f"sqlite:///{folder}/mlflow.db", "experiment": "night"},
    }
    path = folder / "night.yaml"
    path.write_text(yaml.safe_dump(small))
    return path


def test_night_ends_with_the_code_of_the_job_that_refused(tmp_path):
    assert os.access(NIGHTLY, os.X_OK)
    done = night(experiment(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert re.match(r"\S+Z nightly ", done.stdout)
    assert str(tmp_path / "cohort") in done.stderr.splitlines()[-1]
    (page,) = tmp_path.glob("store/nights/night/*/digest.html")
    assert str(tmp_path / "cohort") in page.read_text()


def test_night_without_an_experiment_says_what_it_takes(tmp_path):
    done = night(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: nightly.sh EXPERIMENT.yaml [key=value ...] [--date YYYY-MM-DD]\n"


@pytest.mark.parametrize("unit", ["crossmodal-nightly.service", "crossmodal-nightly.timer"])
def test_systemd_accepts_the_units(unit, tmp_path):
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        pytest.skip("systemd-analyze is not installed")
    for name in ("crossmodal-nightly.service", "crossmodal-nightly.timer"):
        # It looks for the program, which is here and not in /opt.
        (tmp_path / name).write_text((INFRA / "schedule" / name).read_text().replace(f"ExecStart={HOME}", f"ExecStart={ROOT}"))
    done = subprocess.run([verifier, "verify", "--man=no", str(tmp_path / unit)], capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "crossmodal" in line]) == (0, [])


@pytest.mark.parametrize("name", ["crossmodal-nightly.service", "crontab"])
def test_schedules_start_the_script_of_a_checkout(name):
    (script,) = re.findall(rf"{HOME}/(infra/\S+)", (INFRA / "schedule" / name).read_text())
    assert ROOT / script == NIGHTLY


def test_crontab_line_has_five_fields_and_refuses_a_second_night(tmp_path):
    (line,) = (line for line in (INFRA / "schedule/crontab").read_text().splitlines() if re.match(r"[\d*]", line))
    schedule, command = line.split(" ", 5)[:5], line.split(" ", 5)[5]
    assert schedule == ["0", "1", "*", "*", "*"]
    assert "%" not in command  # cron would take it for a line break
    (tmp_path / "nightly.env").write_text("AWS_DEFAULT_REGION=here\n")
    script = tmp_path / "nightly.sh"
    script.write_text('#!/bin/sh\necho "in $AWS_DEFAULT_REGION"\n')
    script.chmod(0o755)
    for place in ("/etc/crossmodal", "/var/log/crossmodal", f"{HOME}/infra/schedule"):
        command = command.replace(f"{place}/", f"{tmp_path}/")
    lock, log = tmp_path / "nightly.lock", tmp_path / "nightly.log"
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert log.read_text() == "in here\n"
    held = subprocess.run(["flock", str(lock), "/bin/sh", "-c", command])
    assert held.returncode == 1
    assert log.read_text() == "in here\n"
