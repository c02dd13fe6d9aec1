"""Files that were damaged end as a right shard, or as one sentence that names them."""

import os
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.preprocessing.fuzz.child import GOOD
from tests.preprocessing.fuzz.edits import KINDS, TOKENS, Edit, drawn
from tests.preprocessing.fuzz.inputs import edited_outcome, made_seeds
from tests.preprocessing.fuzz.seeds import FORMATS

_EDITS = st.lists(
    st.builds(Edit, st.sampled_from(KINDS), st.floats(0, 1), st.integers(1, 128), st.sampled_from(TOKENS)), min_size=1, max_size=3
)


@pytest.fixture
def seeds(request, tmp_path):
    return made_seeds(request.param, tmp_path)


@pytest.mark.parametrize("seeds", FORMATS, indirect=True)
def test_whole_files_are_right_shards(seeds, tmp_path):
    for seed in seeds:
        assert edited_outcome(seed, seed.edited[0], [], tmp_path) == ("shard", "")


@pytest.mark.parametrize("seeds", FORMATS, indirect=True)
def test_damaged_files_are_right_shards_or_told_in_a_sentence(seeds, tmp_path):
    @settings(max_examples=5, suppress_health_check=list(HealthCheck))
    @given(_EDITS, st.data())
    def tried(edits, data):
        seed = data.draw(st.sampled_from(seeds[:1]))
        kind, told = edited_outcome(seed, data.draw(st.sampled_from(seed.edited)), edits, tmp_path)
        assert kind in GOOD, told

    tried()


@pytest.mark.fuzz
@pytest.mark.timeout(0)
@pytest.mark.parametrize(("name", "seeds"), [(name, name) for name in FORMATS], indirect=["seeds"])
def test_of_many_damaged_files_all_are(name, seeds, tmp_path):
    ended, faults = Counter[str](), list[str]()
    for number in range(int(os.environ.get("FUZZ_INPUTS", "2000"))):
        rng = np.random.default_rng([number, *name.encode()])
        seed = seeds[rng.integers(len(seeds))]
        path = seed.edited[rng.integers(len(seed.edited))]
        edits = drawn(rng)
        kind, told = edited_outcome(seed, path, edits, tmp_path)
        ended[kind] += 1
        if kind not in GOOD:
            faults.append(f"input {number}, {path.name}, {edits}: {kind}: {told}")
    sys.stdout.write(f"{name}: {dict(ended)}\n")
    assert not faults, "\n".join(faults)
