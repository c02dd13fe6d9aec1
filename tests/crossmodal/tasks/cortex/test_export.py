"""Activity of regions, written for MNE."""

import mne
import nibabel
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.tasks.cortex.export import save_whole, source_estimate


@pytest.fixture
def moment_rt():
    return 1e-8 * np.random.default_rng(0).standard_normal((60, 20))


def test_mne_opens_what_was_predicted(moment_rt, tmp_path):
    save_whole(source_estimate(moment_rt, cortical_regions(), sfreq=100.0, tmin_s=0.5), tmp_path / "sub-01_task-rest.2")
    endings = ("-lh.func.gii", "-lh.stc", "-rh.func.gii", "-rh.stc")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"sub-01_task-rest.2{ending}" for ending in endings]
    read = mne.read_source_estimate(tmp_path / "sub-01_task-rest.2")
    np.testing.assert_allclose(read.times, 0.5 + np.arange(20) / 100)
    regions = cortical_regions()
    for vertices, expected in zip(read.vertices, regions.vertices, strict=True):
        assert np.array_equal(vertices, expected)
    for hemisphere, data_vt in enumerate((read.lh_data, read.rh_data)):
        region_v = regions.region_of[hemisphere][read.vertices[hemisphere]]
        np.testing.assert_allclose(data_vt, moment_rt[region_v], rtol=1e-6)


@pytest.mark.parametrize(("hemisphere", "side", "structure"), [("lh", 0, "CortexLeft"), ("rh", 1, "CortexRight")])
def test_viewers_without_mne_open_a_map_a_time(hemisphere, side, structure, moment_rt, tmp_path):
    save_whole(source_estimate(moment_rt, cortical_regions(), sfreq=100.0, tmin_s=0.5), tmp_path / "v")
    image = nibabel.load(tmp_path / f"v-{hemisphere}.func.gii")
    assert image.meta["AnatomicalStructurePrimary"] == structure
    assert [array.meta["Name"] for array in image.darrays][:2] == ["0.500 s, A m", "0.510 s, A m"]
    region_v = cortical_regions().region_of[side]
    maps_vt = image.agg_data()
    assert maps_vt.shape == (10242, 20)
    np.testing.assert_allclose(maps_vt[region_v >= 0], moment_rt[region_v[region_v >= 0]], rtol=1e-6)
    assert not maps_vt[region_v < 0].any()


def test_nothing_is_written_over_another_hemisphere(moment_rt, tmp_path):
    (tmp_path / "v-rh.stc").write_text("mine")
    with pytest.raises(UserError, match=r"v-rh.stc: exists already"):
        save_whole(source_estimate(moment_rt, cortical_regions(), 100.0), tmp_path / "v")
    assert [path.name for path in tmp_path.iterdir()] == ["v-rh.stc"]


def test_a_recording_too_long_for_memory_is_refused():
    with pytest.raises(UserError, match="300 s of cortical activity at 100 Hz are 2.3 GB as STC; .* at most 264 s"):
        source_estimate(np.broadcast_to(0.0, (60, 30_000)), cortical_regions(), 100.0)
