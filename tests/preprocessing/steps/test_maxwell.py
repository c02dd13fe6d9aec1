"""What Maxwell filtering does to fields that are known: a dipole in the head, another one beside the helmet."""

from pathlib import Path

import mne
import numpy as np
import pytest
import scipy.sparse
from mne._fiff.constants import FIFF
from mne._fiff.write import (
    end_block,
    start_and_end_file,
    start_block,
    write_float_sparse,
    write_int,
    write_name_list_sanitized,
    write_string,
)
from pydantic import ValidationError

from crossmodal.config import UserError
from crossmodal.config.cleaning import Maxwell
from crossmodal.config.preprocessing import BidsRecordings, FileEntry, FileRecordings, Preprocessing
from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, sphere_head, upper_scalp
from preprocessing.readers.reading import list_recordings
from preprocessing.readers.stores import file_finder
from preprocessing.recording import preprocess_recording, shard_fingerprint
from preprocessing.simulated.sensors import sensor_info
from preprocessing.steps.maxwell import Calibration, noisy_channels, separate_fields

_RATE_HZ = 100.0
_BASELINE_M = 0.0168  # Between the coils of a VectorView planar gradiometer.
_BRAIN_AM = 3e-8
_MAGNET_AM2 = 2e-3


def recording(duration_s=10.0, rotation=(0.0, 0.0, 0.0), shift_m=(0.0, 0.0, 0.0), brain=1.0, magnet=0.0, noise=0.0):
    """306 sensors that see a cortical source at 11 Hz, a magnet 2 m to the side at 4 Hz, and noise."""
    info = sensor_info(_RATE_HZ, 1.0, np.array(rotation), np.array(shift_m))
    info = mne.pick_info(info, mne.pick_types(info, meg=True))
    times = np.arange(round(duration_s * _RATE_HZ)) / _RATE_HZ
    source = Dipoles(np.array([[0.03, 0.02, 0.085]]), np.array([[0.6, -0.8, 0.0]]))
    x_ct = brain * _BRAIN_AM * lead_field(info, source, sphere_head(upper_scalp(template_head().scalp_m))) * np.sin(2 * np.pi * 11 * times)
    x_ct += magnet * magnet_field(info)[:, None] * np.sin(2 * np.pi * 4 * times)
    scale = np.where(np.array(info.get_channel_types()) == "mag", 3e-15, 8e-14)
    x_ct += noise * scale[:, None] * np.random.default_rng(0).standard_normal(x_ct.shape)
    return mne.io.RawArray(x_ct, info, verbose="error")


def magnet_field(info):
    """Field of a magnetic dipole beside the helmet at every sensor: mu0 / 4 pi (3 (m.r) r / r^5 - m / r^3)."""
    moment, place_m = np.array([0.0, 1.0, 1.0]) * _MAGNET_AM2, np.array([2.0, 0.0, 0.0])

    def along(position_m, normal):
        offset_m = position_m - place_m
        distance_m = np.linalg.norm(offset_m)
        return 1e-7 * (3 * offset_m * (offset_m @ moment) / distance_m**5 - moment / distance_m**3) @ normal

    field = []
    for channel, kind in zip(info["chs"], info.get_channel_types(), strict=True):
        position_m, across, normal = channel["loc"][:3], channel["loc"][3:6], channel["loc"][9:12]
        if kind == "mag":
            field.append(along(position_m, normal))
        else:
            step = across * _BASELINE_M / 2
            field.append((along(position_m + step, normal) - along(position_m - step, normal)) / _BASELINE_M)
    return np.array(field)


def pattern(raw, frequency_hz, kind):
    """Amplitude and phase at a frequency over the sensors of a type."""
    return raw.get_data(picks=kind) @ np.exp(-2j * np.pi * frequency_hz * raw.times) * 2 / len(raw.times)


def amplitude(raw, frequency_hz, kind):
    """Root mean square of the amplitude over sensors."""
    return np.sqrt(np.mean(np.abs(pattern(raw, frequency_hz, kind)) ** 2))


def test_a_magnet_beside_the_helmet_is_suppressed_and_the_brain_stays():
    raw = recording(magnet=1.0)
    filtered = separate_fields(raw, Maxwell(), Calibration(), "a.fif")
    for kind, least_db in (("mag", 45), ("grad", 25)):
        assert 20 * np.log10(amplitude(raw, 4, kind) / amplitude(filtered, 4, kind)) > least_db
        np.testing.assert_allclose(amplitude(filtered, 11, kind), amplitude(raw, 11, kind), rtol=0.03)
        seen, kept = (pattern(each, 11, kind) for each in (raw, filtered))
        assert np.abs(np.vdot(seen, kept)) / (np.linalg.norm(seen) * np.linalg.norm(kept)) > 0.99
    assert amplitude(raw, 4, "mag") > 10 * amplitude(raw, 11, "mag")


def test_calibration_lets_it_suppress_what_miscalibrated_sensors_would_keep(tmp_path):
    raw = recording(magnet=1.0)
    gains = np.where(np.array(raw.get_channel_types()) == "mag", 1 + 0.03 * np.random.default_rng(1).standard_normal(306), 1.0)
    # MaxFilter's file states what a magnetometer's output is multiplied by, and a gradiometer's imbalance, here none.
    imbalances = [[1 / gain] if kind == "mag" else [0.0] for gain, kind in zip(gains, raw.get_channel_types(), strict=True)]
    miscalibrated = raw.copy()
    miscalibrated._data *= gains[:, None]
    locations = np.array([channel["loc"] for channel in raw.info["chs"]])
    path = tmp_path / "sss_cal.dat"
    mne.preprocessing.write_fine_calibration(path, {"ch_names": raw.ch_names, "locs": locations, "imb_cals": imbalances})
    without = separate_fields(miscalibrated, Maxwell(), Calibration(), "a.fif")
    calibrated = separate_fields(miscalibrated, Maxwell(), Calibration(fine=path), "a.fif")
    assert amplitude(without, 4, "mag") > 10 * amplitude(calibrated, 4, "mag")


def write_crosstalk(path, names, decoupler):
    """Write what a MEG system's signals are multiplied by, as MaxFilter's ct_sparse.fif has it."""
    with start_and_end_file(path) as file:
        start_block(file, FIFF.FIFFB_DATA_CORRECTION)
        write_string(file, FIFF.FIFF_COMMENT, "cross-talk compensation matrix")
        write_string(file, FIFF.FIFF_CREATOR, "test")
        write_int(file, FIFF.FIFF_MEAS_DATE, [0, 0])
        start_block(file, FIFF.FIFFB_CHANNEL_DECOUPLER)
        write_float_sparse(file, FIFF.FIFF_DECOUPLER_MATRIX, scipy.sparse.csc_array(decoupler))
        write_name_list_sanitized(file, FIFF.FIFF_PROJ_ITEM_CH_NAME_LIST, list(names), name="ch_names")
        end_block(file, FIFF.FIFFB_CHANNEL_DECOUPLER)
        end_block(file, FIFF.FIFFB_DATA_CORRECTION)


def test_a_crosstalk_file_undoes_what_neighbouring_sensors_pass_to_each_other(tmp_path):
    raw = recording(magnet=1.0)
    # A sensor receives two percent of the next one of its type, in its own unit: not symmetric.
    coupling = np.eye(306)
    for kind in ("mag", "grad"):
        picks = mne.pick_types(raw.info, meg=kind)
        coupling[picks[:-1], picks[1:]] = 0.02
    coupled = raw.copy()
    coupled._data = coupling @ raw._data
    write_crosstalk(tmp_path / "ct_sparse.fif", raw.ch_names, np.linalg.inv(coupling))

    def filtered(each, **files):
        return separate_fields(each, Maxwell(), Calibration(**files), "a.fif").get_data()

    truth, kept = filtered(raw), filtered(coupled)
    undone = filtered(coupled, crosstalk=tmp_path / "ct_sparse.fif")
    assert np.linalg.norm(kept - truth) > 0.05 * np.linalg.norm(truth)
    assert np.linalg.norm(undone - truth) < 1e-4 * np.linalg.norm(truth)


def test_heads_are_moved_to_one_place():
    here, there = recording(), recording(rotation=(0.0, 0.1, 0.1), shift_m=(0.005, 0.0, 0.005))

    def distance(first, second):
        return np.linalg.norm(first.get_data("mag") - second.get_data("mag")) / np.linalg.norm(first.get_data("mag"))

    moved = [separate_fields(raw, Maxwell(destination_m=(0.0, 0.0, 0.04)), Calibration(), "a.fif") for raw in (here, there)]
    assert distance(*moved) < 0.5 * distance(here, there)
    np.testing.assert_allclose(moved[0].info["dev_head_t"]["trans"], moved[1].info["dev_head_t"]["trans"], atol=1e-6)


def test_a_noisy_and_a_marked_sensor_are_mended_in_a_whole_recording(tmp_path):
    raw = recording(duration_s=26.0, noise=1.0)
    truth = raw.copy()
    noise_t = 1e-11 * np.random.default_rng(2).standard_normal(len(raw.times))
    noisy, marked = raw.ch_names[20], raw.ch_names[100]
    raw[noisy] = raw[noisy][0] + noise_t
    raw[marked] = np.nan
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    settings = FileRecordings(files=(FileEntry(path=str(tmp_path / "a_raw.fif"), subject="1"),))
    (entry,) = list_recordings(settings)
    chosen = {"modalities": ("meg",), "highpass_hz": None, "lowpass_hz": 40, "sfreq": None, "maxwell": Maxwell()}
    with pytest.raises(UserError, match=f"bad channels {noisy} \\(noisy\\)|bad channels {marked} \\(NaN\\)"):
        preprocess_recording(entry, settings, Preprocessing(**chosen), tmp_path)
    made = preprocess_recording(entry, settings, Preprocessing(bad_channels="interpolate", **chosen), tmp_path)
    assert set(made.provenance["interpolated"]) == {noisy, marked}
    assert made.provenance["maxwell"] == {"calibration": None, "crosstalk": None}
    steps = list(made.provenance["steps"])
    assert steps.index("bad_channels") < steps.index("maxwell") < steps.index("filtering")
    meg = made.signals["meg"]
    for name in (noisy, marked):
        true_t = truth.get_data(picks=name)[0]
        assert np.corrcoef(meg.data_tc[300:-300, meg.names.index(name)], true_t[300:-300])[0, 1] > 0.8


def test_what_happens_in_a_bad_span_changes_no_sample_outside_in_any_bit(tmp_path):
    settings = FileRecordings(files=(FileEntry(path=str(tmp_path / "a_raw.fif"), subject="1"),))
    chosen = {"modalities": ("meg",), "highpass_hz": 1, "lowpass_hz": 40, "sfreq": None, "maxwell": Maxwell(st_duration_s=4)}
    made = []
    for inside in (0.0, 1e-9):
        raw = recording(duration_s=10.0, noise=1.0, magnet=1.0)
        raw._data[:, 330:410] += inside * np.random.default_rng(3).standard_normal((306, 80))
        raw.set_annotations(mne.Annotations(3.3, 0.8, "BAD_jump"))
        raw.save(tmp_path / "a_raw.fif", fmt="double", overwrite=True, verbose="error")
        (entry,) = list_recordings(settings)
        made.append(preprocess_recording(entry, settings, Preprocessing(bad_channels="interpolate", **chosen), tmp_path))
    one, other = made
    assert one.good.mean() > 0.85
    np.testing.assert_array_equal(one.good, other.good)
    np.testing.assert_array_equal(one.signals["meg"].data_tc, other.signals["meg"].data_tc)
    assert one.provenance["interpolated"] == other.provenance["interpolated"] == []


def test_an_empty_room_needs_no_head():
    raw = recording(magnet=1.0, brain=0.0)
    with raw.info._unlock():
        raw.info["dev_head_t"] = None
    filtered = separate_fields(raw, Maxwell(), Calibration(), "a.fif")
    assert amplitude(filtered, 4, "mag") < 0.02 * amplitude(raw, 4, "mag")
    with pytest.raises(UserError, match=r"a.fif: has no head position to be moved from; leave preprocessing.maxwell.destination_m out"):
        separate_fields(raw, Maxwell(destination_m=(0.0, 0.0, 0.04)), Calibration(), "a.fif")


def test_what_was_maxfiltered_is_not_again(real_data):
    raw = mne.io.read_raw_fif(real_data / "paired_eeg_meg/sample_audvis_trunc_raw_sss.fif", verbose="error").pick("meg").load_data()
    with pytest.raises(UserError, match=r"a.fif: was MaxFiltered already; leave preprocessing.maxwell out"):
        noisy_channels(raw, Calibration(), "a.fif")


def test_files_of_the_system_are_found_beside_the_recording_or_where_settings_say(tmp_path):
    folder = tmp_path / "sub-01/ses-a/meg"
    folder.mkdir(parents=True)
    for name in ("task-x_meg.fif", "acq-calibration_meg.dat", "acq-crosstalk_meg.fif"):
        (folder / f"sub-01_ses-a_{name}").write_text(name)
    recordings = BidsRecordings(root=str(tmp_path))
    (entry,) = list_recordings(recordings)
    assert entry.calibration.name == "sub-01_ses-a_acq-calibration_meg.dat"
    assert entry.crosstalk.name == "sub-01_ses-a_acq-crosstalk_meg.fif"

    def name(**maxwell):
        return shard_fingerprint(entry, recordings, Preprocessing(maxwell=Maxwell(**maxwell)), file_finder(recordings))

    found = name()
    own = tmp_path / "sss_cal.dat"
    own.write_text("1")
    assert name(calibration=str(own)) != found
    absent = Preprocessing(maxwell=Maxwell(calibration=str(Path("nowhere.dat"))))
    whole = recording()
    whole.save(folder / "sub-01_ses-a_task-x_meg.fif", overwrite=True, verbose="error")
    with pytest.raises(UserError, match=r"nowhere.dat: no such file; correct preprocessing.maxwell.calibration"):
        preprocess_recording(entry, recordings, absent.model_copy(update={"modalities": ("meg",)}), tmp_path)
    with pytest.raises(UserError, match=r"task-x_meg.fif: cannot be Maxwell filtered \(.*; correct preprocessing.maxwell"):
        preprocess_recording(entry, recordings, Preprocessing(modalities=("meg",), maxwell=Maxwell(calibration=str(own))), tmp_path)


def test_it_needs_meg():
    with pytest.raises(ValidationError, match="maxwell needs meg among modalities"):
        Preprocessing(modalities=("eeg",), maxwell=Maxwell())
