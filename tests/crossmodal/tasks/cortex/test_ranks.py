"""Two processes share the samples of a simulator, leave in the middle of an epoch, and others go on to the same bits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossmodal.training.checkpoint import latest_checkpoint, load_checkpoint

ROOT = Path(__file__).resolve().parents[4]
RANKS = Path(__file__).with_name("ranks.py")
_NEVER = 1000


def train(folder: Path, name: str, questions: int) -> str:
    """What rank 0 prints."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    arguments = [str(folder / f"rendezvous-{name}"), str(folder), str(questions)]
    ranks = [
        subprocess.Popen([sys.executable, str(RANKS), str(rank), "2", *arguments], stdout=subprocess.PIPE, text=True, env=environment)
        for rank in range(2)
    ]
    printed = [rank.communicate(timeout=300)[0] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0]
    return printed[0].split()[-1]


@pytest.mark.slow
def test_two_ranks_go_on_in_the_middle_of_an_epoch_with_the_same_bits(tmp_path):
    undisturbed, left = tmp_path / "undisturbed", tmp_path / "left"
    for folder in (undisturbed, left):
        folder.mkdir()
    expected = train(undisturbed, "whole", _NEVER)
    # Asked after the 8th and the last of 10 steps an epoch.
    assert train(left, "first", 3) == "left"
    resume = load_checkpoint(latest_checkpoint(str(left)))
    assert (resume.epochs, resume.partial.steps) == (1, 8)
    assert train(left, "then", _NEVER) == expected
