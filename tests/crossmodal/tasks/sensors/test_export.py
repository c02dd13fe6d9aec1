"""A virtual recording is written whole or not at all."""

import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.tasks.sensors.export import save_whole


@pytest.fixture
def raw():
    """Samples of 3.5 MB, as FIF has them."""
    info = mne.create_info([f"EEG{index:03}" for index in range(12)], 200.0, "eeg")
    return mne.io.RawArray(1e-5 * np.random.default_rng(0).standard_normal((12, 72_000)), info, verbose="error")


def test_a_recording_too_large_for_one_file_is_opened_whole(raw, tmp_path):
    save_whole(raw, tmp_path / "v_raw.fif", split_size="2MB")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v_raw-1.fif", "v_raw-2.fif", "v_raw-3.fif", "v_raw.fif"]
    np.testing.assert_allclose(mne.io.read_raw_fif(tmp_path / "v_raw.fif", verbose="error").get_data(), raw.get_data(), rtol=1e-6)


def test_a_large_recording_is_not_written_over_a_part_of_another(raw, tmp_path):
    (tmp_path / "v_raw-1.fif").write_text("mine")
    with pytest.raises(UserError, match=r"v_raw-1.fif: exists already"):
        save_whole(raw, tmp_path / "v_raw.fif", split_size="2MB")
    assert [path.name for path in tmp_path.iterdir()] == ["v_raw-1.fif"]
