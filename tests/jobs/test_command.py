"""How a job ends."""

import subprocess
import sys

import pytest

from tests.checkout import ROOT


@pytest.mark.parametrize(
    ("action", "code", "told"),
    [
        ("return 0", 0, ""),
        ("return None", 0, ""),
        ("return 1", 1, ""),
        ("from crossmodal.config import UserError; raise UserError('mend this')", 2, "error: mend this\n"),
        ("raise RuntimeError('a bug')", 70, "RuntimeError: a bug\n"),
    ],
)
def test_a_bug_is_not_taken_for_a_job_that_partly_failed(action, code, told):
    program = f"from command import run_action\ndef action(arguments):\n    {action}\nrun_action('', action, lambda parser: None)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT / "jobs", capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr.endswith(told)
    assert ("Traceback" in done.stderr) == (code == 70)
