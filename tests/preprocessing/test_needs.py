"""What a recording is estimated to need, from sizes alone."""

import nibabel
import numpy as np
import pytest

from crossmodal.config import load_experiment
from crossmodal.config.bold import Bold
from crossmodal.config.cleaning import Ica, LineNoise, Maxwell, Ssp
from crossmodal.config.eeg_fmri import NoddiRecordings
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from preprocessing.needs import BOLD_CORE_S_PER_GB, BOLD_MEMORY_PER_BYTE, CORE_S_PER_GB, MEMORY_PER_BYTE, Needs
from preprocessing.readers.entry import BoldFiles, Entry, SourceFile
from tests.preprocessing.test_ds000117 import EXPERIMENT

GB = 10**9
FILES = FileRecordings(files=(FileEntry(path="x", subject="1"),))
NODDI = NoddiRecordings(root="unused")


def entry(uri="/x_raw.fif", size_bytes=GB, bold=None):
    return Entry(subject="1", run="01", files=(SourceFile(uri=uri, size_bytes=size_bytes, version="1"),), bold=bold)


def image(uri, size_bytes):
    return BoldFiles(image=SourceFile(uri=str(uri), size_bytes=size_bytes, version="1"))


def test_time_is_the_sum_of_the_steps_that_are_on():
    assert Needs.of(FILES, Preprocessing()).core_s(entry()) == {"basic": CORE_S_PER_GB["basic"]}
    cleaned = Preprocessing(maxwell=Maxwell(), line_noise=LineNoise(line_hz=20))
    assert list(Needs.of(FILES, cleaned).core_s(entry())) == ["basic", "maxwell", "line_noise"]
    assert Needs.of(FILES, cleaned).core_s(entry(size_bytes=2 * GB))["maxwell"] == 2 * CORE_S_PER_GB["maxwell"]
    whole = load_experiment(EXPERIMENT).preprocessing
    assert Needs.of(FILES, whole).core_s(entry()) == CORE_S_PER_GB


@pytest.mark.parametrize("step", [{"ica": Ica()}, {"ssp": Ssp()}, {"maxwell": Maxwell()}])
def test_memory_follows_steps_and_width_of_samples(step):
    (name,) = step
    basic = Needs.of(FILES, Preprocessing()).memory_bytes(entry())
    assert basic == 2 * MEMORY_PER_BYTE["basic"] * GB
    assert Needs.of(FILES, Preprocessing()).memory_bytes(entry("/x.vhdr")) == basic
    assert Needs.of(FILES, Preprocessing(**step)).memory_bytes(entry()) == max(MEMORY_PER_BYTE[name] * GB, basic)
    assert Needs.of(FILES, Preprocessing(**step)).memory_bytes(entry("/x.vhdr")) == 2 * MEMORY_PER_BYTE[name] * GB


@pytest.mark.parametrize(("form", "width"), [("single", 1), ("int", 1), ("short", 2)])
def test_a_fif_tells_the_width_of_its_samples(make_raw, tmp_path, form, width):
    path = tmp_path / "x_raw.fif"
    make_raw().save(path, fmt=form, verbose="error")
    needs = Needs.of(FILES, Preprocessing(ica=Ica()))
    size = path.stat().st_size
    assert needs.memory_bytes(entry(str(path), size)) == width * MEMORY_PER_BYTE["ica"] * size
    # Cut before its first samples it tells nothing, and is not read on for ever.
    path.write_bytes(path.read_bytes()[:2000])
    assert needs.memory_bytes(entry(str(path), size)) == MEMORY_PER_BYTE["ica"] * size


def test_an_image_counts_as_it_is_in_memory():
    both = Preprocessing(modalities=("eeg", "bold"))
    packed, plain = (entry("/x.vhdr", 0, image(uri, GB)) for uri in ("/x.nii.gz", "/x.nii"))
    assert Needs.of(NODDI, both).memory_bytes(packed) == 6 * GB * BOLD_MEMORY_PER_BYTE
    assert Needs.of(NODDI, both).memory_bytes(plain) == 2 * GB * BOLD_MEMORY_PER_BYTE
    assert Needs.of(NODDI, both).core_s(packed)["bold"] == 6 * BOLD_CORE_S_PER_GB["bold"]
    assert Needs.of(NODDI, Preprocessing(modalities=("eeg",))).memory_bytes(packed) == 0


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_on_a_grid_an_image_counts_by_the_grids_voxels(tmp_path, ending):
    series, grid = tmp_path / f"bold.{ending}", tmp_path / f"grid.{ending}"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4, 50), dtype=np.int16), np.eye(4)), series)
    nibabel.save(nibabel.Nifti1Image(np.zeros((40, 40, 30), dtype=np.int8), np.eye(4)), grid)
    recording = entry("/x.vhdr", 0, image(series, series.stat().st_size))
    settings = Preprocessing(modalities=("eeg", "bold"), bold=Bold(grid=str(grid)))
    in_float32 = 40 * 40 * 30 * 50 * 4
    assert Needs.of(NODDI, settings).memory_bytes(recording) == in_float32 * BOLD_MEMORY_PER_BYTE
    assert Needs.of(NODDI, settings).core_s(recording)["grid"] == pytest.approx(in_float32 / 1e9 * BOLD_CORE_S_PER_GB["grid"])
    series.write_bytes(b"broken")
    as_stored = Needs.of(NODDI, settings.model_copy(update={"bold": Bold()})).memory_bytes(recording)
    assert Needs.of(NODDI, settings).memory_bytes(recording) == as_stored > 0
