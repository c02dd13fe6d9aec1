"""What a submitted job takes along: the code, and nothing that is large, made by a run, or secret."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
from ray._private.ray_constants import get_runtime_env_default_excludes
from ray._private.runtime_env.packaging import GCS_STORAGE_MAX_SIZE, create_package
from ray.runtime_env import RuntimeEnv

from crossmodal.storage.heap import KEEP_FREED_MEMORY
from crossmodal.tracking.describe import git_commit
from tests.checkout import copy_checkout, git
from tests.infra.manifests import ROOT, load

LEFT_AT_HOME = (
    ".git/config",
    ".git/index",
    ".git/logs/HEAD",
    ".git/objects/pack/all.pack",
    ".venv/lib/torch.so",
    ".env",
    "infra/compose/.env",
    "runs/demo/store/shards/eeg.arrow",
    "mlruns/0/meta.yaml",
    ".pytest_cache/README.md",
    ".hypothesis/examples",
    "platform/crossmodal/__pycache__/config.pyc",
    "preprocessing/__pycache__/plan.pyc",
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """The working tree as a user has it, with runs and secrets that git does not know."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder)
    for name in LEFT_AT_HOME:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("not for the cluster")
    return folder


def uploaded(folder: Path, target: Path, defaults: Sequence[str] = ()) -> tuple[set[str], int]:
    """What Ray itself packs of a folder, and how large the package is."""
    create_package(str(folder), target, include_gitignore=True, excludes=[*defaults, *load("runtime_env.yaml")["excludes"]])
    with ZipFile(target) as package:
        return set(package.namelist()), target.stat().st_size


def test_runtime_env_is_one_that_ray_accepts(monkeypatch):
    monkeypatch.chdir(ROOT)
    RuntimeEnv(**load("runtime_env.yaml"))


def test_working_dir_holds_code_and_no_runs_or_secrets(checkout, tmp_path):
    names, size = uploaded(checkout, tmp_path / "working_dir.zip", get_runtime_env_default_excludes())
    assert {"jobs/train.py", "jobs/experiments/demo.yaml", "infra/schedule/nightly.sh", "platform/crossmodal/__init__.py"} <= names
    assert not names & set(LEFT_AT_HOME)
    assert not [name for name in names if name.split("/")[0] in {"tests", "docs", "benchmarks", ".venv"}]
    assert size < GCS_STORAGE_MAX_SIZE / 50


def test_working_dir_names_its_commit_and_brings_no_history(tmp_path):
    folder, arrived = tmp_path / "checkout", tmp_path / "arrived"
    commit = copy_checkout(folder)
    for _ in range(2):
        names, _ = uploaded(folder, tmp_path / "working_dir.zip", get_runtime_env_default_excludes())
        of_git = {name for name in names if name.startswith(".git/") and not name.startswith(".git/refs/")}
        assert of_git <= {".git/", ".git/HEAD", ".git/packed-refs"}
        with ZipFile(tmp_path / "working_dir.zip") as package:
            package.extractall(arrived)
        assert git_commit(arrived) == f"{commit}-changes-unknown"
        shutil.rmtree(arrived)
        git(folder, "pack-refs", "--all")


@pytest.mark.parametrize("module", load("runtime_env.yaml")["py_modules"])
def test_packages_hold_no_bytecode(checkout, tmp_path, module):
    names, _ = uploaded(checkout / module, tmp_path / "module.zip")
    assert "__init__.py" in names
    assert not [name for name in names if "__pycache__" in name]


def test_workers_of_submitted_jobs_keep_freed_memory():
    assert load("runtime_env.yaml")["env_vars"] == KEEP_FREED_MEMORY
