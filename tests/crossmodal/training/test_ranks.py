"""Several processes train together, by torch.distributed alone."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
RANKS, PLACED = (Path(__file__).with_name(name) for name in ("ranks.py", "placed.py"))


def train(folder: Path, size: int, stop: int = -1, batch_size: int = 8, dropout: float = 0.2) -> list[list[float]] | None:
    """Return training and validation loss after each epoch, or None if a rank died."""
    folder.mkdir(exist_ok=True)
    rendezvous = folder / uuid.uuid4().hex
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
    ranks = [
        subprocess.Popen(
            [sys.executable, str(RANKS), *map(str, (rank, size, rendezvous, folder, stop, batch_size, dropout))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for rank in range(size)
    ]
    ended = [rank.communicate(timeout=300) for rank in ranks]
    if stop >= 0:
        assert 9 in [rank.returncode for rank in ranks]
        return None
    assert [rank.returncode for rank in ranks] == [0] * size, ended
    return json.loads(ended[0][0])


@pytest.mark.slow
def test_three_ranks_resume_with_the_same_bits(tmp_path):
    """Three, because two sum to the same bits in whatever order."""
    undisturbed = train(tmp_path / "undisturbed", size=3)
    train(tmp_path / "killed", size=3, stop=2)
    assert train(tmp_path / "killed", size=3) == undisturbed


@pytest.mark.slow
def test_world_size_changes_losses_by_rounding_alone(tmp_path):
    """Of the same windows a step and without dropout; the tolerance is that of loop.py."""
    alone = train(tmp_path / "alone", size=1, batch_size=16, dropout=0.0)
    together = train(tmp_path / "together", size=2, batch_size=8, dropout=0.0)
    np.testing.assert_allclose(together, alone, rtol=1e-4)


@pytest.mark.slow
def test_workers_share_a_model_whose_weights_follow_from_the_places_of_mixed_subjects(tmp_path):
    losses = []
    for size in (1, 2):
        rendezvous, environment = tmp_path / f"meet-{size}", {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
        command = [sys.executable, str(PLACED)]
        ranks = [
            subprocess.Popen([*command, *map(str, (rank, size, rendezvous, tmp_path))], stdout=subprocess.PIPE, text=True, env=environment)
            for rank in range(size)
        ]
        ended = [rank.communicate(timeout=300)[0] for rank in ranks]
        losses.append(json.loads(ended[0]))
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    assert losses[0][-1][1] < losses[0][0][1]
