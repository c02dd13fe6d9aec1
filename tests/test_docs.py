"""Every command that README and documentation show is run, or goes as far as its program's parser; a table says why no farther."""

import importlib.util
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.shown_commands import PAGES, ROOT, Shown, commands_in, shown_commands

# What a reader puts own names in for.
EXPERIMENTS = {"EXPERIMENT.yaml", "my_experiment.yaml"}
COMMANDS = shown_commands()


class Reader:
    """A reader at the repository's root, whose shell has the environment active, and who has an empty folder besides."""

    def __init__(self, scratch: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.scratch = scratch
        self._patch = patch
        self._capture = capture
        patch.chdir(ROOT)
        patch.syspath_prepend(str(ROOT / "jobs"))
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("PYTHONPATH", f"platform{os.pathsep}.")

    def shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, shell=True, capture_output=True, text=True)

    def script(self, words: Sequence[str]) -> tuple[object, str]:
        """Run a script in this process, which has imported already what it needs: its exit code, and what it said went wrong."""
        self._patch.setattr(sys, "argv", list(words))
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(words[0], run_name="__main__")
        return ended.value.code, self._capture.readouterr().err


@pytest.fixture
def reader(tmp_path, monkeypatch, capsys):
    return Reader(tmp_path, monkeypatch, capsys)


def runs(command: str, reader: Reader) -> None:
    """Run it as it stands."""
    done = reader.shell(command)
    assert done.returncode == 0, done.stderr


def reads_its_experiment(command: str, reader: Reader) -> None:
    """Let the job read all its options, experiment and overrides; one more setting, which does not exist, ends it there."""
    words = ["jobs/experiments/demo.yaml" if word in EXPERIMENTS else word for word in shlex.split(command)]
    if words[0] == "python":
        assert Path(words[1]).is_file()
        code, error = reader.script([*words[1:], "no_such_setting=1"])
    else:
        done = reader.shell(shlex.join([*words, "no_such_setting=1"]))
        code, error = done.returncode, done.stderr
    assert (code, "unknown key 'no_such_setting'" in error) == (2, True), error


def reads_its_options(command: str, reader: Reader) -> None:
    """Let the job read all its options; one more, which does not exist, ends it there."""
    code, error = reader.script([*shlex.split(command)[1:], "--no-such-option"])
    assert (code, error.splitlines()[-1].endswith("error: unrecognized arguments: --no-such-option")) == (2, True), error


def make_knows_it(command: str, reader: Reader) -> None:
    """Ask make what it would do, and check each job in that."""
    done = reader.shell(f"{command} --dry-run VENV={reader.scratch}")
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        if line.startswith(f"{reader.scratch}/bin/python jobs/"):
            reads_its_experiment(line.replace(f"{reader.scratch}/bin/", ""), reader)


def ray_takes_it(command: str, reader: Reader) -> None:
    """Let Ray parse its options, and check the job behind them."""
    from ray.dashboard.modules.job.cli import submit

    context = submit.make_context("submit", shlex.split(command.removeprefix("ray job submit")))
    assert Path(context.params["runtime_env"]).is_file()
    reads_its_experiment(shlex.join(context.params["entrypoint"]), reader)


def can_be_imported(command: str, reader: Reader) -> None:
    name = re.findall(r"-m (\S+)", command)[0]
    assert importlib.util.find_spec(name), f"there is no {name}"
    assert callable(importlib.import_module(name).main)


def names_an_extra(command: str, reader: Reader) -> None:
    extras = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(re.findall(r"\.\[(.*)\]", command)) <= set(extras)


def names_what_exists(command: str, reader: Reader) -> None:
    """Look for each of the checkout's files that it names."""
    for path in re.findall(r"(?:infra|jobs|docs)/[\w./-]*\w", command):
        # Secrets stay with the reader, and a brace may follow a name.
        assert path.endswith(".env") or list(Path(path).parent.glob(f"{Path(path).name}*")), path


# For each command the first row that fits: how far it goes here, and why no farther.
CHECKS: list[tuple[str, Callable[[str, Reader], None], str]] = [
    (r"python jobs/preprocess\.py --list", runs, ""),
    (r"python -m benchmarks\.scale", runs, ""),
    (r"(env )?\w+=\$\(git describe", runs, ""),
    (r"(export|umask) (?!.*kubectl)", runs, ""),
    (r"python jobs/reproduce\.py", reads_its_options, "trains a run again; tests/jobs/test_reproduce.py does"),
    (r"python jobs/tune\.py", reads_its_experiment, "a search takes minutes; tests/jobs/test_tune.py runs small ones"),
    (r"python jobs/", reads_its_experiment, "needs recordings, and minutes; tests/jobs/test_journey.py walks the whole way in small"),
    (r"infra/schedule/nightly\.sh", reads_its_experiment, "a night takes minutes; tests/jobs/test_nightly.py runs small ones"),
    (r"make", make_knows_it, "installs, tests or trains: minutes; CI runs install, lint, docs and the tests"),
    (r"ray job submit", ray_takes_it, "needs a cluster; tests/jobs/test_submit.py submits to one"),
    (r".*python -m benchmarks\.", can_be_imported, "measures for minutes, on a machine that does nothing else"),
    (r"python docs/screenshots\.py", names_what_exists, "needs the runs of a demo and a search, and Chromium"),
    (r"pip install", names_an_extra, "changes the environment that the tests run in"),
    (r"source \.venv/bin/activate", names_what_exists, "the environment that the tests run in may lie elsewhere"),
    (r"(cat|grep|sed|cd|\.) |set -a", names_what_exists, "edits the checkout, or makes secrets"),
    (r"(docker|commit=)", names_what_exists, "needs a Docker daemon and a registry; tests/infra parses the files"),
    (r"(kubectl|helm|export .*kubectl)", names_what_exists, "needs Kubernetes; tests/infra holds the files to its schemas"),
    (
        r"(ray (up|down|dashboard|get-auth-token)|aws)\b",
        names_what_exists,
        "needs an AWS account; tests/infra holds the file to Ray's schema",
    ),
    (r"(sudo|systemctl|journalctl) ", names_what_exists, "needs root and systemd; tests/infra verifies the units"),
    (r"ssh ", names_what_exists, "needs another machine"),
]


def check_of(command: str) -> tuple[str, Callable[[str, Reader], None], str]:
    return next(row for row in CHECKS if re.match(row[0], command))


@pytest.mark.parametrize("shown", COMMANDS, ids=lambda shown: f"{shown.page}: {shown.text}"[:100])
def test_a_shown_command_is_right(shown: Shown, reader: Reader):
    check_of(shown.text)[1](shown.text, reader)


def test_every_row_of_the_table_is_needed_and_says_why():
    needed = {check_of(shown.text)[0] for shown in COMMANDS}
    assert [pattern for pattern, _, _ in CHECKS if pattern not in needed] == []
    assert all(bool(why) != (check is runs) for _, check, why in CHECKS)


@pytest.mark.parametrize(
    "wrong",
    [
        "python jobs/train.py jobs/experiments/demo.yaml training.epoch=3",
        "python jobs/train.py jobs/experiments/demo.yaml --epochs 3",
        "python jobs/train.py jobs/experiments/no_such.yaml",
        "python jobs/no_such.py EXPERIMENT.yaml",
        "ray job submit --runtime-env infra/no_such.yaml -- python jobs/train.py EXPERIMENT.yaml",
        "make no-such-target",
        "python -m benchmarks.no_such",
        "pip install '.[no_such]'",
        "kubectl apply --filename infra/kuberay/no_such.yaml",
    ],
)
def test_a_wrong_command_is_found(wrong: str, reader: Reader):
    with pytest.raises(AssertionError):
        check_of(wrong)[1](wrong, reader)


def test_commands_are_found_in_blocks_and_in_text():
    page = (
        "Run `make demo` or `width`:\n\n```\npython a.py \\\n    --b   # why\n\ncat > x <<END\nmake c\nEND\n```\n\n```yaml\nmake: d\n```\n"
    )
    assert list(commands_in(page)) == ["python a.py  --b", "cat > x", "make demo"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_pages_name_exist(page: Path):
    roots = (page.parent, ROOT, ROOT / "platform", ROOT / "platform/crossmodal", ROOT / "preprocessing")
    folders = {folder.name for root in roots for folder in root.iterdir() if folder.is_dir()} - {"runs"}
    named = [path for path in re.findall(r"`([\w-]+(?:/[\w.-]+)+/?)`", page.read_text()) if path.split("/")[0] in folders]
    # The site is there once `make docs` has built it.
    assert [path for path in named if not any((root / path).exists() for root in roots) and not path.startswith("docs/_build/")] == []
