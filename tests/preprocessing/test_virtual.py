"""A recording for prediction is cleaned as its model's training data were, as far as it was recorded."""

import mne
import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.config.cleaning import Ica, Ssp
from crossmodal.config.data import Data
from crossmodal.config.models import SynaptechNetConfig
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.datasets.normaliser import ChannelScaling, Normaliser
from crossmodal.models.base import Shapes
from crossmodal.models.registry import build_model
from crossmodal.models.store import ModelCard
from preprocessing.virtual import Translator, save_whole, virtual_recording

_ELECTRODES = ("C3", "C4", "Fp1", "Fp2", "O1", "O2", "P7")
_EYES = {"P8": "eog"}


@pytest.fixture
def recording(make_raw, tmp_path):
    """Write EEG whose frontal electrodes see blinks, as P8 does, which is an EOG."""
    raw = make_raw(duration_s=30.0).pick("eeg")
    blink_t = np.exp(-(((raw.times[:, None] - np.arange(2, 30, 3)) / 0.1) ** 2)).sum(axis=1)
    for name, gain in (("Fp1", 2e-4), ("Fp2", 2e-4), ("C3", 5e-5), ("P8", 4e-4)):
        raw[name] = raw[name][0] + gain * blink_t

    def write(*dropped):
        path = tmp_path / f"eeg{len(dropped)}_raw.fif"
        raw.copy().drop_channels(list(dropped)).save(path, overwrite=True, verbose="error")
        return str(path)

    return write


@pytest.fixture
def translator(make_raw):
    torch.manual_seed(0)
    shapes = Shapes(n_source=len(_ELECTRODES), n_target=3, n_times=100, sfreq=100.0)
    config = SynaptechNetConfig(widths=(4, 8), bridge_hidden=4, bridge_layers=1, norm="none")
    scalings = (ChannelScaling(torch.zeros(n), torch.full((n,), scale)) for n, scale in ((shapes.n_source, 1e5), (3, 1e13)))
    normaliser = Normaliser(*scalings)
    info = make_raw().pick("mag").info
    card = ModelCard(
        run="run",
        fold="sub-01",
        network=config,
        shapes=shapes,
        data=Data(),
        preprocessing=Preprocessing(ica=Ica(references=("eog",)), ssp=Ssp(references=("eog",))),
        source_names=_ELECTRODES,
        target_names=tuple(info["ch_names"]),
        target_types=("mag",) * 3,
        normaliser=normaliser.to_plain(),
        trained_on=("02",),
    )
    return Translator(build_model(config, shapes).eval(), normaliser, card, info)


def test_blinks_are_taken_off_by_the_eog_it_has(recording, translator, tmp_path):
    raw, notes = virtual_recording(recording(), translator, _EYES, tmp_path)
    assert raw.get_channel_types() == ["mag"] * 3
    assert np.isfinite(raw.get_data()).all()
    (told,) = [note for note in notes if note.startswith("took independent components off its EEG: ")]
    assert "(P8, " in told
    # An EOG that nobody names is an electrode the model does not know.
    _, unnamed = virtual_recording(recording(), translator, {}, tmp_path)
    assert unnamed[0] == "has no EOG: its artifacts stay, though the training data's were taken off"


def test_without_an_eog_its_artifacts_stay_and_the_run_says_so(recording, translator, tmp_path):
    raw, notes = virtual_recording(recording("P8"), translator, _EYES, tmp_path)
    assert notes == ("has no EOG: its artifacts stay, though the training data's were taken off",)
    cleaned, _ = virtual_recording(recording(), translator, _EYES, tmp_path)
    assert np.linalg.norm(raw.get_data() - cleaned.get_data()) > 0.05 * np.linalg.norm(raw.get_data())


def test_a_recording_too_large_for_one_file_is_opened_whole(make_raw, tmp_path):
    raw = make_raw(duration_s=300.0)
    save_whole(raw, tmp_path / "v_raw.fif", split_size="2MB")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v_raw-1.fif", "v_raw-2.fif", "v_raw-3.fif", "v_raw.fif"]
    np.testing.assert_allclose(mne.io.read_raw_fif(tmp_path / "v_raw.fif", verbose="error").get_data(), raw.get_data(), rtol=1e-6)


def test_a_large_recording_is_not_written_over_a_part_of_another(make_raw, tmp_path):
    (tmp_path / "v_raw-1.fif").write_text("mine")
    with pytest.raises(UserError, match=r"v_raw-1.fif: exists already"):
        save_whole(make_raw(duration_s=300.0), tmp_path / "v_raw.fif", split_size="2MB")
    assert [path.name for path in tmp_path.iterdir()] == ["v_raw-1.fif"]
