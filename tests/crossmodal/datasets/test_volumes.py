"""Volumes on disk: what was written is what is read, by this project and by any reader."""

from dataclasses import replace

import nibabel
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossmodal.config import UserError
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.datasets.volumes import Volumes

GRID = (5, 4, 3)


def make_volumes(n_volumes=12, names=None, stored=None, seed=0, common=False, affine=None):
    """Random voxels of a grid, or regions where they are named."""
    rng = np.random.default_rng(seed)
    stored = np.ones(GRID, dtype=bool) if stored is None and names is None else stored
    n_targets = len(names) if names else int(stored.sum())
    return Volumes(
        data_vs=rng.standard_normal((n_volumes, n_targets)).astype(np.float32),
        onset_s=1.7 + 2.0 * np.arange(n_volumes),
        good=rng.random(n_volumes) > 0.2,
        tr_s=2.0,
        affine=np.diag([3.0, 3.0, 4.0, 1.0]) if affine is None else affine,
        brain=rng.random(GRID) > 0.5,
        names=names,
        stored=stored,
        in_common_space=common,
    )


def with_volumes(make_recording, subject, volumes):
    return replace(make_recording(subject), volumes=volumes)


@given(n_volumes=st.integers(2, 30), regions=st.booleans(), seed=st.integers(0, 1000))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_read_is_what_was_written(make_recording, tmp_path_factory, n_volumes, regions, seed):
    stored = np.random.default_rng(seed + 1).random(GRID) > 0.3
    volumes = make_volumes(n_volumes, names=("a", "b") if regions else None, stored=None if regions else stored, seed=seed)
    volumes.good[0] = True
    folder = tmp_path_factory.mktemp("shards") / "shard"
    write_shard(with_volumes(make_recording, "1", volumes), folder)
    read = Shard.open(folder, verify=True).volumes
    np.testing.assert_array_equal(read.data_vs, volumes.data_vs)
    np.testing.assert_array_equal(read.onset_s, volumes.onset_s)
    np.testing.assert_array_equal(read.good, volumes.good)
    np.testing.assert_array_equal(read.brain, volumes.brain)
    assert read.names == volumes.names
    assert (read.stored is None) == regions
    if not regions:
        np.testing.assert_array_equal(read.stored, stored)
        np.testing.assert_array_equal(read.space.mask, stored)
    statistics = read.statistics()
    good = volumes.data_vs[volumes.good].astype(np.float64)
    assert statistics.count == len(good)
    np.testing.assert_allclose(statistics.mean, good.mean(axis=0))
    np.testing.assert_allclose(statistics.variance, good.var(axis=0))


def test_affines_that_differ_by_rounding_are_one_place():
    same, other = (np.diag([3.0, 3.0, 4.0, 1.0]) for _ in range(2))
    same[0, 1], other[0, 3] = -1e-9, 0.1
    exact, rounded, moved = (make_volumes(common=True, affine=affine).entry for affine in (None, same, other))
    assert exact == rounded
    assert exact != moved


def test_any_arrow_reader_and_any_nifti_reader_open_it(make_recording, tmp_path):
    volumes = make_volumes()
    write_shard(with_volumes(make_recording, "1", volumes), tmp_path / "shard")
    with pa.memory_map(str(tmp_path / "shard/bold.arrow")) as source:
        table = pa.ipc.open_file(source).read_all()
    assert table.num_rows == 12
    np.testing.assert_array_equal(np.array(table["bold"].to_pylist(), dtype=np.float32), volumes.data_vs)
    mask = nibabel.load(tmp_path / "shard/bold_mask.nii")
    np.testing.assert_allclose(mask.affine, volumes.affine)
    # A row laid into the stored voxels is the volume it was taken from.
    volume = np.zeros(GRID)
    volume[np.asarray(mask.dataobj) & 2 > 0] = volumes.data_vs[3]
    np.testing.assert_array_equal(volume.ravel(), volumes.data_vs[3])


def test_two_writers_of_the_same_volumes_write_the_same_bytes(make_recording, tmp_path):
    entries = [write_shard(with_volumes(make_recording, "1", make_volumes()), tmp_path / name / "shard") for name in ("a", "b")]
    assert entries[0].sha256 == entries[1].sha256


def test_volumes_that_do_not_belong_together_are_refused(make_recording, tmp_path):
    def dataset(*volumes):
        entries = [
            write_shard(with_volumes(make_recording, str(number), each), tmp_path / f"{number}-{len(list(tmp_path.iterdir()))}")
            for number, each in enumerate(volumes, start=1)
        ]
        return Manifest.of(entries, "test")

    moved = np.diag([3.0, 3.0, 4.0, 1.0])
    moved[0, 3] = 5.0
    other = np.random.default_rng(0).random(GRID) > 0.5
    assert len(dataset(make_volumes(), make_volumes(n_volumes=20, affine=moved)).entries) == 2  # native: compared by index
    with pytest.raises(UserError, match="sub-3 run 01 has no BOLD, others have 60 voxels on a grid of 5 x 4 x 3, one every 2 s"):
        dataset(make_volumes(), make_volumes(), None)
    with pytest.raises(UserError, match="sub-3 run 01 has .* voxels on a grid"):
        dataset(make_volumes(), make_volumes(), make_volumes(stored=other))
    with pytest.raises(UserError, match="sub-3 run 01 has 60 voxels .*, as others have, but not the same ones;"):
        dataset(make_volumes(common=True), make_volumes(common=True), make_volumes(common=True, affine=moved))
    with pytest.raises(UserError, match="sub-3 run 01 has 2 regions"):
        dataset(make_volumes(names=("a", "b")), make_volumes(names=("a", "b")), make_volumes(names=("a", "c")))
    with pytest.raises(UserError, match="one every 3 s"):
        dataset(make_volumes(), make_volumes(), replace(make_volumes(), tr_s=3.0))


def test_volumes_no_model_could_use_are_refused(make_recording, tmp_path):
    still = replace(make_volumes(), good=np.zeros(12, dtype=bool))
    with pytest.raises(UserError, match="sub-1 run 01: every volume is masked for motion"):
        write_shard(with_volumes(make_recording, "1", still), tmp_path / "still")
    broken = make_volumes()
    broken.data_vs[3, 3] = np.nan
    with pytest.raises(UserError, match="holds values that are not finite"):
        write_shard(with_volumes(make_recording, "1", broken), tmp_path / "broken")
    assert list(tmp_path.iterdir()) == []
