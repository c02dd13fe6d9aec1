"""Sixteen bits are within their bound of thirty-two, and batches read from either hold the same."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossmodal.config.data import Data, EpochWindows, LeaveOneSubjectOut, Signals, SlidingWindows
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.half import BOUND, Half
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import open_fold
from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.storage.node_cache import NodeCache

# From a tenth of a femtotesla in gradiometers to a volt of drift in an amplifier, and channels that are zero.
_SAMPLES = st.one_of(st.just(0.0), st.floats(-1, 1, width=32).filter(lambda x: abs(x) > 1e-25))


@given(data_tc=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=_SAMPLES))
def test_no_sample_is_off_by_more_than_the_bound(data_tc):
    half = Half.of(data_tc)
    range_c = np.abs(data_tc).max(axis=0).astype(np.float64)
    error_tc = np.abs(half.decoded().astype(np.float64) - data_tc)
    assert (error_tc <= BOUND * range_c).all()
    assert np.isfinite(half.data_tc).all()
    stated = half.error(data_tc)
    assert stated["largest_of_range"] <= stated["bound_of_range"] == BOUND
    assert stated["largest_of_range"] == pytest.approx((error_tc / np.where(range_c > 0, range_c, 1)).max(), rel=1e-6)


def test_femtotesla_survive_and_the_error_is_no_smaller_than_eleven_bits_can_be():
    data_tc = (3e-12 * np.random.default_rng(0).standard_normal((10_000, 3))).astype(np.float32)
    stated = Half.of(data_tc).error(data_tc)
    assert BOUND / 16 < stated["largest_of_range"] <= BOUND
    assert BOUND / 8 < stated["rms"] < BOUND


def test_a_shard_in_half_is_half_as_large_and_says_its_error(make_recording, tmp_path):
    recording = make_recording("01", n_samples=20_000)
    full, half = (write_shard(recording, tmp_path / kind, kind) for kind in ("float32", "float16"))
    assert half.size_bytes < 0.55 * full.size_bytes
    shard = Shard.open(tmp_path / "float16", verify=True)
    told = shard.metadata("meg")
    assert 0 < told["provenance"]["float16_error"]["mag"]["largest_of_range"] <= BOUND
    assert "float16_error" not in Shard.open(tmp_path / "float32").metadata("meg")["provenance"]
    meg_tc = np.hstack(list(shard.signal("meg").values()))
    np.testing.assert_allclose(meg_tc, recording.signals["meg"].data_tc, atol=BOUND * np.abs(recording.signals["meg"].data_tc).max())
    np.testing.assert_array_equal(shard.statistics("meg").max, meg_tc.max(axis=0))
    with pa.ipc.open_file(tmp_path / "float16/meg.arrow") as reader:
        first = np.array(reader.get_batch(0).column("mag")[0].as_py()) * told["scale"]["mag"]
    np.testing.assert_allclose(first, meg_tc[0, :3])


@pytest.mark.parametrize("windows", [SlidingWindows(length_s=1, hop_s=0.5), EpochWindows(tmin_s=-0.2, tmax_s=0.5, baseline_s=(-0.2, 0))])
@pytest.mark.parametrize("channels", ["mag", "all", ("MEG0", "MEG2")])
def test_batches_are_the_same_but_for_the_rounding(make_recording, tmp_path, windows, channels):
    data = Data(windows=windows, target=Signals(modality="meg", channels=channels))
    batches = {}
    for kind in ("float32", "float16"):
        # Scales that differ between recordings, so that one's cannot pass for another's.
        recordings = [make_recording(subject, scale=10.0 ** int(subject)) for subject in ("01", "02", "03")]
        manifest = Manifest.of([write_shard(r, tmp_path / kind / r.subject, kind) for r in recordings], "test")
        fold = make_folds(LeaveOneSubjectOut(held_out=("01",)), manifest)[0]
        opened = open_fold(manifest, fold, data, 0, NodeCache(Path(tmp_path / "cache"), 1 << 30))
        (batch,) = opened.test.batches(len(opened.test), np.arange(len(opened.test)))
        batches[kind] = (batch.input_bct.clone(), batch.target_bst.clone())
    for full, half in zip(batches["float32"], batches["float16"], strict=True):
        assert not np.array_equal(half, full)
        np.testing.assert_allclose(half, full, atol=8 * BOUND * np.abs(full).max())
