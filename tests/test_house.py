"""The layout keeps the promises the design makes of it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NO_SCRIPTS = {"command", "cluster", "several"}


def test_source_root_does_not_shadow_the_standard_platform_module():
    code = "import platform, sys; print(platform.system()); import crossmodal; print(crossmodal.__file__)"
    path = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'platform')!r}]; {code}"
    done = subprocess.run([sys.executable, "-c", path], capture_output=True, text=True, check=True, cwd=ROOT)
    system, package = done.stdout.split()
    assert system == "Linux" or system == "Darwin"
    assert Path(package) == ROOT / "platform/crossmodal/__init__.py"


@pytest.mark.parametrize("folder", ["platform", "tests/platform"])
def test_no_package_is_named_platform(folder):
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("job", sorted(path.stem for path in (ROOT / "jobs").glob("*.py") if path.stem not in NO_SCRIPTS))
def test_help_needs_no_heavy_import(job):
    code = (
        f"import runpy, sys; sys.argv = ['{job}.py', '--help'];\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'torch', 'ray', 'mne', 'mlflow', 'pydantic', 'numpy'} & set(sys.modules); sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT / "jobs")
    assert done.returncode == 0, done.stderr
    assert {"reproduce": "RUN_ID", "compare": "COMPARISON.yaml", "tune_variants": "COMPARISON.yaml"}.get(
        job, "EXPERIMENT.yaml"
    ) in done.stdout
