"""What an experiment is by default."""

import os
import tempfile

import pytest

from crossmodal.config import Experiment

MINIMAL = {"name": "tiny", "recordings": {"kind": "bids", "root": "cohort"}}


def as_user(number: int, folder: str) -> Experiment:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "getuid", lambda: number)
        patch.setattr(tempfile, "tempdir", folder)
        return Experiment.model_validate(MINIMAL)


def test_users_of_a_machine_do_not_share_folders_that_one_of_them_owns():
    mine, yours = as_user(1000, "/tmp"), as_user(1001, "/tmp")
    assert (mine.tracking.spool, mine.node_cache.root) == ("/tmp/crossmodal-1000/spool", "/tmp/crossmodal-1000/cache")
    assert (yours.tracking.spool, yours.node_cache.root) == ("/tmp/crossmodal-1001/spool", "/tmp/crossmodal-1001/cache")
    assert as_user(1000, "/scratch").node_cache.root == "/scratch/crossmodal-1000/cache"
    assert mine.dataset_recipe == yours.dataset_recipe
