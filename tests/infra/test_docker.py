"""The Dockerfile names what exists, pins what the project pins, and does not run as root."""

import re
import subprocess
import sys
import tomllib

import pytest
from dockerfile_parse import DockerfileParser

from tests.infra.manifests import INFRA, ROOT, image, pinned

DOCKERFILE = INFRA / "docker/Dockerfile"


@pytest.fixture
def instructions(tmp_path):
    # The parser writes to the file it is given.
    parser = DockerfileParser(path=str(tmp_path / "Dockerfile"))
    parser.content = DOCKERFILE.read_text()
    return [(step["instruction"], step["value"]) for step in parser.structure if step["instruction"] != "COMMENT"]


def values(instructions, name):
    return [value for instruction, value in instructions if instruction == name]


def test_copied_files_exist_and_are_let_into_the_build(instructions):
    allowed = {line[1:] for line in (INFRA / "docker/Dockerfile.dockerignore").read_text().split("\n") if line.startswith("!")}
    for copied in values(instructions, "COPY"):
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists()
            assert source == "." or source in allowed


def test_build_leaves_out_everything_it_does_not_name():
    lines = [line for line in (INFRA / "docker/Dockerfile.dockerignore").read_text().split("\n") if line and line[0] != "#"]
    assert lines[0] == "*"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    folders = {path.split("/")[0] for path in tracked if "/" in path}
    shipped = {line[1:] for line in lines if line.startswith("!")}
    assert {"platform", "preprocessing", "jobs", "infra"} <= shipped & folders
    assert not shipped & {"tests", "runs", ".git", ".venv"}
    assert lines.index("**/.env") > lines.index("!infra")


def test_base_image_is_pinned_to_the_python_that_tests_run_on(instructions):
    (base,) = (value.split("=", 1)[1] for value in values(instructions, "ARG") if value.startswith("PYTHON_IMAGE="))
    version = re.fullmatch(r"python:(\d+\.\d+)\.\d+-slim-bookworm@sha256:[0-9a-f]{64}", base)
    assert version
    with open(ROOT / "pyproject.toml", "rb") as file:
        required = tomllib.load(file)["project"]["requires-python"]
    assert required == f">={version.group(1)}"


def test_every_install_obeys_the_constraints(instructions):
    installs = [part.strip() for run in values(instructions, "RUN") for part in run.split("&&") if "pip install" in part]
    assert len(installs) == 3
    assert all("--constraint constraints.txt" in install for install in installs)
    named = [word for install in installs for word in install.split() if "==" in word]
    assert {word.split("+")[0] for word in named} == {f"torch=={pinned()['torch']}"}


def test_image_has_what_ray_runs_on_it(instructions):
    (install,) = (part for run in values(instructions, "RUN") for part in run.split("&&") if "apt-get install" in part)
    # KubeRay's probes; and Ray's autoscaler, whose ssh starts nodes and whose rsync goes through it.
    assert {"wget", "rsync", "openssh-client"} <= set(install.split())


def test_dependencies_are_those_of_the_project(instructions):
    (run,) = (value for value in values(instructions, "RUN") if "tomllib" in value)
    code = re.search(r'python -c "(.*)" > ', run)
    assert code
    done = subprocess.run([sys.executable, "-c", code.group(1)], cwd=ROOT, capture_output=True, text=True, check=True)
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    # MLflow's server and the studies of the lab are kept in PostgreSQL.
    assert done.stdout.split() == project["dependencies"] + project["optional-dependencies"]["postgresql"]


def test_both_accelerators_have_a_stage(instructions):
    stages = [value.split()[-1] for value in values(instructions, "FROM")]
    assert stages == ["base", "torch-cpu", "torch-cuda", "image"]
    assert "ACCELERATOR=cpu" in values(instructions, "ARG")


def test_image_does_not_run_as_root(instructions):
    assert instructions[-1] == ("USER", "1000:1000")


def test_python_path_holds_both_source_roots(instructions):
    (path,) = (re.search(r"PYTHONPATH=(\S+)", value) for value in values(instructions, "ENV") if "PYTHONPATH" in value)
    home = values(instructions, "WORKDIR")[0]
    assert path
    assert path.group(1).split(":") == [f"{home}/platform", home]


def test_image_knows_its_commit_beside_its_code(instructions):
    names = [f"{instruction} {value}" for instruction, value in instructions]
    copied, told = names.index("COPY . /opt/crossmodal/"), names.index('RUN echo "${COMMIT}" > COMMIT')
    # In the environment, it would be that of submitted jobs too, whose code is another.
    assert copied < names.index("ARG COMMIT=unknown") < told
    assert not [value for value in values(instructions, "ENV") if "COMMIT" in value]
    for text in (DOCKERFILE.read_text(), (INFRA / "docker/README.md").read_text()):
        assert text.count("docker build --file infra/docker/Dockerfile --build-arg COMMIT=$commit ") == 2


@pytest.mark.parametrize("accelerator", ["cpu", "cuda"])
def test_tags_name_the_versions_inside(accelerator):
    assert image(accelerator) in DOCKERFILE.read_text()
    assert image(accelerator) in (INFRA / "docker/README.md").read_text()
