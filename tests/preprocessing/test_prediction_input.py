"""A recording for prediction is cleaned as its model's training data were, as far as it was recorded."""

import mne
import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.config.bold import GradientCorrection
from crossmodal.config.cleaning import Ica, Maxwell, Ssp
from crossmodal.config.data import Data, Signals
from crossmodal.config.eeg_fmri import CnEpflRecordings, OddballRecordings
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.models.predictor import Predictor
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.models.synaptech_net import SynaptechNet, SynaptechNetConfig
from crossmodal.physics.template import template_lead_field
from crossmodal.tasks.sensors import export
from crossmodal.transforms.scaling import ChannelScaling, Normaliser
from preprocessing.prediction_input import clean_input
from preprocessing.readers.files import list_files
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from preprocessing.signals.spans import annotations
from preprocessing.simulated.sensors import sensor_info
from tests.preprocessing.readers import layouts
from tests.preprocessing.readers.formats.edf import write_edf

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


def _trained(recorded, input, preprocessing, target_info, sfreq=100.0):
    torch.manual_seed(0)
    n_target = len(target_info["ch_names"])
    config = SynaptechNetConfig(widths=(4, 8), bridge_hidden=4, bridge_layers=1, norm="none")
    kinds = target_info.get_channel_types()
    modality, channels = ("eeg", "all") if "eeg" not in kinds else ("meg", "mag")
    input_spec, target_spec = (
        SignalSpec(names=tuple(names), types=tuple(types), sfreq=sfreq, n_times=100)
        for names, types in ((input, [{"meg": "mag"}.get(modality, modality)] * len(input)), (target_info["ch_names"], kinds))
    )
    signals = SignalPair(input=input_spec, target=target_spec)
    units = {"eeg": 1e5, "mag": 1e13}
    unit = units[{"meg": "mag"}.get(modality, modality)], units[kinds[0]]
    scalings = (ChannelScaling(torch.zeros(n), torch.full((n,), scale)) for n, scale in zip((len(input), n_target), unit, strict=True))
    normaliser = Normaliser(*scalings)
    card = ModelCard(
        run="run",
        fold="sub-01",
        network={"kind": "synaptech_net", **config.model_dump()},
        signals=signals,
        data=Data(input=Signals(modality=modality, channels=channels), target=Signals(modality="eeg" if "eeg" in kinds else "meg")),
        preprocessing=preprocessing,
        recorded_names=tuple(recorded),
        normaliser=normaliser.to_plain(),
        trained_on=("02",),
    )
    return TrainedModel(Predictor(SynaptechNet(config, signals).eval(), normaliser), card), target_info


def virtual_recording(path, trained, types, scratch):
    model, target_info = trained
    recorded = FileRecordings(files=(FileEntry(path=path, subject="02"),), channel_types=types)
    cleaned = clean_input(path, model.card, recorded, scratch)
    return export.virtual_recording(model, target_info, cleaned), cleaned.notes


@pytest.fixture
def trained(make_raw):
    preprocessing = Preprocessing(ica=Ica(references=("eog",)), ssp=Ssp(references=("eog",)))
    return _trained(_ELECTRODES, _ELECTRODES, preprocessing, make_raw().pick("mag").info)


def _scored(path, trained, types, scratch):
    """What comes out of what evaluation gives the network."""
    model, _ = trained
    recordings = FileRecordings(files=(FileEntry(path=str(path), subject="1"),), channel_types=types)
    (entry,) = list_files(recordings)
    signal = preprocess_recording(entry, recordings, model.card.preprocessing, scratch).signals[model.card.data.input.modality]
    x_ct = signal.data_tc[:, [signal.names.index(name) for name in model.card.signals.input.names]].T
    return model.predictor.predict_recording(x_ct, model.card.signals)


def test_few_electrodes_are_referenced_as_evaluation_references_them(make_raw, tmp_path):
    """The shard's reference is the mean of all its electrodes; another one of the recording (P8) has no part in it."""
    raw = make_raw(sfreq=200.0)
    raw.save(tmp_path / "both_raw.fif", verbose="error")
    raw.copy().pick("eeg").save(tmp_path / "eeg_raw.fif", verbose="error")
    few = _trained(_ELECTRODES, ("C3", "Fp1", "O2"), Preprocessing(sfreq=None), raw.copy().pick("mag").info, sfreq=200.0)
    scored_st = _scored(tmp_path / "both_raw.fif", few, {"P8": "misc"}, tmp_path)
    virtual, _ = virtual_recording(str(tmp_path / "eeg_raw.fif"), few, {}, tmp_path)
    np.testing.assert_allclose(virtual.get_data(), scored_st, rtol=0, atol=1e-5 * np.abs(scored_st).max())


def test_a_bad_span_changes_what_is_predicted_only_where_an_artifact_is_in_it(make_raw, tmp_path):
    """What is usual may be asked for, whoever called it bad; an artifact is carried nowhere."""
    raw = make_raw(sfreq=200.0).pick("eeg")
    plain = _trained(_ELECTRODES, _ELECTRODES, Preprocessing(sfreq=None), make_raw().pick("mag").info, sfreq=200.0)
    predicted = {}
    for name, artifact_v, annotated in (("clean", 0.0, False), ("called bad", 0.0, True), ("bad", 5e-3, True)):
        other = raw.copy()
        other._data[:4, 800:1000] += artifact_v
        other.set_annotations(mne.Annotations([4.0], [1.0], "BAD_x") if annotated else None)
        other.save(tmp_path / "eeg_raw.fif", overwrite=True, verbose="error")
        predicted[name] = virtual_recording(str(tmp_path / "eeg_raw.fif"), plain, {}, tmp_path)[0].get_data()
    np.testing.assert_array_equal(predicted["called bad"], predicted["clean"])
    away = np.r_[0:600, 1200:2000]
    assert np.abs(predicted["bad"] - predicted["clean"])[:, away].max() < 0.2 * predicted["clean"].std()


def test_magnetometers_alone_are_maxwell_filtered_with_the_gradiometers(tmp_path):
    info = sensor_info(200.0, 1.0, np.zeros(3), np.zeros(3))
    info = mne.pick_info(info, [index for index, channel in enumerate(info["chs"]) if channel["loc"].any()])
    names, lead_field = template_lead_field(info, 100)
    kinds, rng = np.array(info.get_channel_types()), np.random.default_rng(0)
    noise = np.array([{"eeg": 1e-6, "mag": 2e-14, "grad": 5e-13}[kind] for kind in kinds])[:, None]
    inputs = 5e-9 * rng.standard_normal((100, 1200))
    raw = mne.io.RawArray(lead_field @ inputs + noise * rng.standard_normal((len(names), 1200)), info, verbose="error")
    raw.save(tmp_path / "both_raw.fif", verbose="error")
    raw.copy().pick("meg").save(tmp_path / "meg_raw.fif", verbose="error")
    settings = Preprocessing(highpass_hz=1.0, sfreq=None, maxwell=Maxwell(), bad_channels="interpolate")
    meg, mag = (raw.copy().pick(kind).ch_names for kind in ("meg", "mag"))
    backwards = _trained(meg, mag, settings, raw.copy().pick("eeg").info, sfreq=200.0)
    scored_st = _scored(tmp_path / "both_raw.fif", backwards, {}, tmp_path)
    virtual, _ = virtual_recording(str(tmp_path / "meg_raw.fif"), backwards, {}, tmp_path)
    np.testing.assert_allclose(virtual.get_data(), scored_st, rtol=0, atol=1e-5 * np.abs(scored_st).max())


def test_electrodes_that_the_reference_needs_are_missed_by_name(make_raw, tmp_path):
    raw = make_raw()
    raw.copy().pick("eeg").drop_channels(["O1", "P7"]).save(tmp_path / "eeg_raw.fif", verbose="error")
    target = raw.copy().pick("mag").info
    few = _trained(_ELECTRODES, ("C3", "Fp1"), Preprocessing(), target)
    with pytest.raises(UserError, match=r"lacks 2 of the 7 channels that its training data were referenced or cleaned by: O1, P7"):
        virtual_recording(str(tmp_path / "eeg_raw.fif"), few, {}, tmp_path)
    own = _trained(_ELECTRODES, ("C3", "Fp1"), Preprocessing(average_reference=False), target)
    assert len(virtual_recording(str(tmp_path / "eeg_raw.fif"), own, {}, tmp_path)[0].ch_names) == 3


@pytest.mark.parametrize("dated", [True, False])
def test_seconds_in_which_an_electrode_is_flat_are_annotated(make_raw, tmp_path, dated):
    raw = make_raw(duration_s=100.0)
    raw["O2", 8000:8400] = 0
    if dated:
        raw.set_meas_date(1e9)
    raw.copy().pick("eeg").crop(10.0).save(tmp_path / "eeg_raw.fif", verbose="error")
    few = _trained(_ELECTRODES, _ELECTRODES, Preprocessing(), raw.copy().pick("mag").info)
    virtual, notes = virtual_recording(str(tmp_path / "eeg_raw.fif"), few, {}, tmp_path)
    assert notes[0] == "marked bad where a channel is flat for a while: O2"
    assert [(start, length, text) for start, length, text in annotations(virtual)] == [(pytest.approx(29.0), 4.0, "BAD_input")]


def test_magnetometers_alone_are_maxwell_filtered_with_the_gradiometers_or_not_at_all(make_raw, tmp_path):
    raw = make_raw()
    raw.copy().pick("mag").save(tmp_path / "mag_raw.fif", verbose="error")
    meg, mag = (raw.copy().pick(kind).ch_names for kind in ("meg", "mag"))
    backwards = _trained(meg, mag, Preprocessing(maxwell=Maxwell()), raw.copy().pick("eeg").info)
    with pytest.raises(UserError, match=r"lacks 2 of the 5 channels that its training data were .* cleaned by: MEG0113, MEG0112"):
        virtual_recording(str(tmp_path / "mag_raw.fif"), backwards, {}, tmp_path)


def test_blinks_are_taken_off_by_the_eog_it_has(recording, trained, tmp_path):
    raw, notes = virtual_recording(recording(), trained, _EYES, tmp_path)
    assert raw.get_channel_types() == ["mag"] * 3
    assert np.isfinite(raw.get_data()).all()
    (told,) = [note for note in notes if note.startswith("took independent components off its EEG: ")]
    assert "(P8, " in told
    # An EOG that nobody names is an electrode the model does not know.
    _, unnamed = virtual_recording(recording(), trained, {}, tmp_path)
    assert unnamed[0] == "has no EOG: its artifacts stay, though the training data's were taken off"


def test_without_an_eog_its_artifacts_stay_and_the_run_says_so(recording, trained, tmp_path):
    raw, notes = virtual_recording(recording("P8"), trained, _EYES, tmp_path)
    assert "training subject 02's (dev_head_t)" in export.told_place(trained[0].card)
    (missed,) = notes
    assert missed == "has no EOG: its artifacts stay, though the training data's were taken off"
    cleaned, _ = virtual_recording(recording(), trained, _EYES, tmp_path)
    assert np.linalg.norm(raw.get_data() - cleaned.get_data()) > 0.05 * np.linalg.norm(raw.get_data())


def test_fiducials_of_another_unit_are_not_handed_on(make_raw, tmp_path):
    """MNE's reader of EEGLAB left them in mm, on EEGLAB's axes, and files were saved with them (mne-python#10474)."""
    raw = make_raw().pick("eeg")
    places = raw.get_montage().get_positions()["ch_pos"]
    fiducials = {"nasion": (85.0, 0, 0), "lpa": (0, 80.0, 0), "rpa": (0, -80.0, 0)}
    raw.set_montage(mne.channels.make_dig_montage(places, **fiducials, coord_frame="head"))
    raw.save(tmp_path / "eeg_raw.fif", verbose="error")
    few = _trained(_ELECTRODES, _ELECTRODES, Preprocessing(), make_raw().pick("mag").info)
    virtual, notes = virtual_recording(str(tmp_path / "eeg_raw.fif"), few, {}, tmp_path)
    assert any("nasion and ears are not in metres" in note for note in notes)
    assert {point["kind"] for point in virtual.info["dig"]} == {mne.io.constants.FIFF.FIFFV_POINT_EEG}
    assert all(np.linalg.norm(point["r"]) < 0.15 for point in virtual.info["dig"])


@pytest.mark.parametrize(
    ("unit", "found"),
    [("", "has no known unit of voltage for C3 .blank."), ("V", "20 V rms above 1 Hz .* a factor of 1e-06 would fit")],
)
def test_nothing_is_predicted_from_numbers_that_are_no_volts(make_raw, tmp_path, unit, found):
    few = _trained(_ELECTRODES, _ELECTRODES, Preprocessing(), make_raw().pick("mag").info)
    write_edf(tmp_path / "a.edf", layouts.noise(7, 2000), _ELECTRODES, [unit] * 7, 200)
    with pytest.raises(UserError, match=rf"a\.edf: .*{found}"):
        virtual_recording(str(tmp_path / "a.edf"), few, {}, tmp_path)


def test_microvolts_are_predicted_from_however_they_are_spelled(make_raw, tmp_path):
    few = _trained(_ELECTRODES, _ELECTRODES, Preprocessing(), make_raw().pick("mag").info)
    predicted = []
    for unit in ("uV", "microV"):
        write_edf(tmp_path / f"{unit}.edf", layouts.noise(7, 2000), _ELECTRODES, [unit] * 7, 200)
        predicted.append(virtual_recording(str(tmp_path / f"{unit}.edf"), few, {}, tmp_path)[0].get_data())
    np.testing.assert_array_equal(*predicted)


def _of_scanned(tmp_path, n_volumes=40):
    """Training data in a scanner, whose gradients were taken off: settings, a model's card, and the header of a recording."""
    layouts.cn_epfl(tmp_path / "scanned", "02", n_volumes=n_volumes)
    recorded = CnEpflRecordings(root=str(tmp_path / "scanned"))
    electrodes, target = ("Cz", "Fp1", "O1", "O2"), mne.create_info(["MEG0111"], 100.0, "mag")
    settings = Preprocessing(modalities=("eeg",), gradients=GradientCorrection(), highpass_hz=None, average_reference=False)
    return recorded, _trained(electrodes, electrodes, settings, target)[0].card, next((tmp_path / "scanned").rglob("*.vhdr"))


def test_gradients_are_taken_off_a_recording_to_predict_from_as_off_the_training_data(tmp_path):
    recorded, card, header = _of_scanned(tmp_path)
    cleaned = clean_input(str(header), card, recorded, tmp_path)
    (entry,) = list_recordings(recorded)
    trained_on = preprocess_recording(entry, recorded, card.preprocessing, tmp_path).signals["eeg"].data_tc
    np.testing.assert_allclose(cleaned.x_ct.T, trained_on, rtol=0, atol=1e-6 * np.abs(trained_on).max())
    assert not any("gradients stay" in note for note in cleaned.notes)


def test_eeg_from_outside_a_scanner_is_predicted_from_as_it_is_and_the_run_says_so(tmp_path):
    recorded, card, header = _of_scanned(tmp_path)
    markers = header.with_suffix(".vmrk")
    markers.write_text(markers.read_text().replace("R128", "S  1"))
    cleaned = clean_input(str(header), card, recorded, tmp_path)
    assert "has no markers of volumes: if it was recorded in a scanner, the gradients stay" in cleaned.notes[-1]
    assert np.ptp(cleaned.x_ct[:, 600:5000]) > 5e-3


@pytest.mark.parametrize("name", ["EEG_noGA", "EEG_rereferenced"])
def test_the_matrices_of_ds000116_are_predicted_from(tmp_path, name):
    layouts.oddball(tmp_path, "sub001")
    recorded = OddballRecordings(root=str(tmp_path), eeg=name)
    (entry,) = list_recordings(recorded)
    settings = Preprocessing(modalities=("eeg",), average_reference=False)
    trained_on = preprocess_recording(entry, recorded, settings, tmp_path).signals["eeg"]
    card = _trained(trained_on.names, trained_on.names, settings, mne.create_info(["MEG0111"], 100.0, "mag"))[0].card
    cleaned = clean_input(entry.uri, card, recorded, tmp_path)
    np.testing.assert_allclose(cleaned.x_ct.T, trained_on.data_tc, rtol=0, atol=1e-6 * np.abs(trained_on.data_tc).max())
