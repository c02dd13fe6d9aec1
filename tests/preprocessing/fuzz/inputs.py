"""Inputs of the fuzzer: recordings of a format, and what becomes of one whose file is edited."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.preprocessing.fuzz.child import outcome_of
from tests.preprocessing.fuzz.edits import Edit
from tests.preprocessing.fuzz.seeds import FORMATS, Seed, real_seed


def made_seeds(name: str, folder: Path) -> list[Seed]:
    """Write a format's recordings, and copy the real ones where the environment names their folder."""
    (folder / "made").mkdir()
    seeds = [FORMATS[name](folder / "made")]
    data = os.environ.get("CROSSMODAL_TEST_DATA")
    if data:
        (folder / "real").mkdir()
        real = real_seed(name, Path(data), folder / "real")
        seeds += [real] if real else []
    return seeds


def edited_outcome(seed: Seed, path: Path, edits: Sequence[Edit], folder: Path) -> tuple[str, str]:
    """Read a recording one of whose files is edited, which is whole again afterwards."""
    whole = path.read_bytes()
    content = whole
    for edit in edits:
        content = edit(content)
    scratch = folder / "scratch"
    scratch.mkdir()
    try:
        path.write_bytes(content)
        return outcome_of(seed, scratch)
    finally:
        path.write_bytes(whole)
        shutil.rmtree(scratch)
