"""Eyes and heart are taken off a simulated recording whose brain signal alone is known."""

import functools
import tracemalloc

import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.cleaning import Ica, Ssp
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.config.simulation import Simulation
from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.reporting.style import render_png
from preprocessing.figures import draw_removed
from preprocessing.readers.reading import list_recordings
from preprocessing.readers.stores import file_finder
from preprocessing.recording import preprocess_recording, shard_fingerprint
from preprocessing.simulated.recording import sensor_patterns, simulate_run, subject_truth
from preprocessing.simulated.subject import draw_subject, template_conductor
from preprocessing.steps.channel_types import keep_brain_channels
from preprocessing.steps.ica import remove_components, take_off
from preprocessing.steps.references import split_references, to_fit
from preprocessing.steps.ssp import project_artifacts

_TYPES = {"EEG061": "eog", "EEG062": "eog", "EEG063": "ecg", "EEG064": "misc"}
_SENSORS = ("eeg", "meg")


@functools.cache
def simulated(artifacts):
    """40 s of one subject with or without artifacts; brain and noise are the same in both."""
    settings = {"duration_s": 40.0, "sfreq": 100.0, "n_dipoles": 100, "source_moment_am": 5e-9, "evoked": False}
    simulation = Simulation(root="unused", artifacts=artifacts, **settings)
    subject = draw_subject(simulation, "01", template_conductor(simulation))
    run = simulate_run(subject, subject_truth(subject, simulation), sensor_patterns(subject), simulation, 1)
    return mne.io.RawArray(run.data, subject.info.copy(), verbose="error")


@functools.cache
def filtered(artifacts):
    raw = simulated(artifacts).copy()
    keep_brain_channels(raw, _SENSORS, _TYPES, {}, "a.fif")
    references = split_references(raw, ("eog", "ecg"), "a.fif")
    return raw.filter(0.5, 40, verbose="error"), references


def of(raw, kind):
    """Signals of a channel type, EEG at its average."""
    x_ct = raw.get_data(picks=kind)
    return x_ct - x_ct.mean(axis=0) if kind == "eeg" else x_ct


def share_of_artifact(raw, kind):
    """Power of what differs from the brain alone, relative to the brain's."""
    brain_ct = of(filtered(False)[0], kind)
    return np.sum((of(raw, kind) - brain_ct) ** 2) / np.sum(brain_ct**2)


def closest(raw, reference, kind):
    """Largest correlation of a channel with a reference at 1-10 Hz."""
    eog_t = filtered(True)[1].copy().filter(1, 10, picks="all", verbose="error").get_data(picks=[reference])[0]
    return max(abs(np.corrcoef(x_t, eog_t)[0, 1]) for x_t in of(raw, kind))


@functools.cache
def without_components():
    raw = filtered(True)[0].copy()
    return raw, *remove_components(raw, _SENSORS, filtered(True)[1], [], Ica(), "a.fif")


def test_blinks_fall_and_the_brain_stays():
    raw, removed, notes = without_components()
    for kind in ("eeg", "mag", "grad"):
        assert closest(filtered(True)[0], "EEG062", kind) > 0.9
        assert closest(raw, "EEG062", kind) < 0.15
        assert share_of_artifact(raw, kind) < 0.15 * share_of_artifact(filtered(True)[0], kind)
        assert share_of_artifact(raw, kind) < 0.08
    assert {(each.modality, each.reference) for each in removed} >= {("eeg", "EEG062"), ("meg", "EEG062")}
    assert any(note.startswith("took independent components off its EEG: ") and "(EEG062, 0.9" in note for note in notes)


def test_a_component_is_drawn_over_its_own_sensors_whatever_their_order():
    raw, removed, _ = without_components()
    of_meg = [each for each in removed if each.modality == "meg"]
    backwards = mne.pick_info(raw.info, range(len(raw.ch_names))[::-1])
    assert render_png(draw_removed(of_meg, raw.info, "a")) == render_png(draw_removed(of_meg, backwards, "a"))


def test_what_is_taken_off_eeg_does_not_depend_on_meg():
    raw, references = filtered(True)[0].copy(), filtered(True)[1]
    raw.apply_function(lambda x_t: x_t[::-1], picks="meg")
    remove_components(raw, _SENSORS, references, [], Ica(), "a.fif")
    # Equal to the bit: the fit is seeded, too.
    np.testing.assert_array_equal(raw.get_data("eeg"), without_components()[0].get_data("eeg"))


def test_components_are_taken_off_without_copies_of_the_recording():
    raw = filtered(True)[0].copy().pick("eeg")
    ica = mne.preprocessing.ICA(5, method="fastica", rng=0, fit_params={"tol": 1.0}).fit(raw, verbose="error")
    long = mne.concatenate_raws([raw.copy() for _ in range(8)], verbose="error")
    whole = ica.apply(long.copy(), exclude=[0, 2], verbose="error").get_data()
    tracemalloc.start()
    take_off(ica, long, [0, 2])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.5 * whole.nbytes
    np.testing.assert_allclose(long.get_data(), whole, rtol=1e-9, atol=1e-15)


def test_what_components_are_fitted_to_is_not_filtered_across_a_boundary():
    raw, references = filtered(True)
    made = []
    for sign in (1, -1):
        other = raw.copy()
        other._data[:, :2000] *= sign
        other.set_annotations(mne.Annotations([20.0], 0.0, "EDGE boundary"))
        made.append(to_fit(other, "eeg", references, []).get_data(picks="eeg"))
    np.testing.assert_array_equal(made[0][:, 2000:], made[1][:, 2000:])
    np.testing.assert_allclose(made[0][:, :2000], -made[1][:, :2000])


def test_nothing_is_taken_off_where_no_component_follows_closely():
    raw, references = filtered(True)[0].copy().pick("eeg"), filtered(True)[1]
    before = raw.get_data()
    removed, notes = remove_components(raw, ("eeg",), references, [], Ica(references=("eog",), eog_correlation=0.999), "a.fif")
    assert removed == []
    assert notes[-1] == "no independent component of its EEG follows eyes or heart"
    np.testing.assert_array_equal(raw.get_data(), before)


def test_projection_takes_blinks_and_leaves_what_is_mostly_brain():
    raw, references = filtered(True)[0].copy(), filtered(True)[1]
    directions = project_artifacts(raw, _SENSORS, references, [], Ssp(), "a.fif")
    for kind in ("eeg", "mag", "grad"):
        assert closest(raw, "EEG062", kind) < 0.15
        assert share_of_artifact(raw, kind) < share_of_artifact(filtered(True)[0], kind) / 1.5
    assert [each["direction"].split("-")[:2] for each in directions] == [["EOG", "eeg"], ["EOG", "planar"], ["EOG", "axial"]]
    assert len(raw.info["projs"]) == 3
    assert all(each["active"] for each in raw.info["projs"])
    # The simulated heart is weaker than the brain: its mean beat has no one direction.
    loose = filtered(True)[0].copy()
    project_artifacts(loose, _SENSORS, references, [], Ssp(explained_variance=0.0), "a.fif")
    assert share_of_artifact(loose, "grad") > share_of_artifact(raw, "grad")
    # After independent components, nothing is left that would be worth a dimension.
    assert project_artifacts(without_components()[0].copy(), _SENSORS, references, [], Ssp(), "a.fif") == []


def _experiment(raw, folder, **types):
    path = folder / "a_raw.fif"
    raw.save(path, overwrite=True, verbose="error")
    settings = FileRecordings(files=(FileEntry(path=str(path), subject="1"),), channel_types=_TYPES | types)
    (entry,) = list_recordings(settings)
    return entry, settings


def test_a_shard_says_and_shows_what_was_taken_off(tmp_path):
    entry, settings = _experiment(simulated(True), tmp_path)
    both = Preprocessing(modalities=("eeg",), sfreq=None, ica=Ica(), ssp=Ssp())
    made = preprocess_recording(entry, settings, both, tmp_path)
    assert {tuple(each) for each in made.provenance["ica"]} == {("modality", "component", "reference", "score")}
    assert made.provenance["ssp"] == []
    steps = list(made.provenance["steps"])
    assert steps.index("filtering") < steps.index("ica") < steps.index("ssp")
    assert not {"EEG061", "EEG062", "EEG063"} & set(made.signals["eeg"].names)
    write_shard(made, tmp_path / "shard")
    shard = Shard.open(tmp_path / "shard", verify=True)
    assert sorted(path.name for path in shard.folder.glob("*.png")) == ["ica_eeg.png"]
    assert (shard.folder / "ica_eeg.png").read_bytes().startswith(b"\x89PNG")
    assert shard.metadata("eeg")["provenance"]["ica"] == made.provenance["ica"]
    chosen = (Preprocessing(), both, Preprocessing(ica=Ica(seed=1)))
    names = {shard_fingerprint(entry, settings, each, file_finder(settings)) for each in chosen}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("types", "sentence"),
    [
        ({"EEG063": "misc"}, "has no ECG channel to find artifacts by; name one in recordings.channel_types"),
        ({"EEG064": "eog"}, r"EEG064 is flat or not finite, .* \(recordings.channel_types.EEG064=misc\)"),
    ],
)
def test_references_that_are_missing_or_dead_are_named(tmp_path, types, sentence):
    raw = simulated(True).copy().crop(0, 10)
    raw["EEG064"] = 0.0
    entry, settings = _experiment(raw, tmp_path, **types)
    with pytest.raises(UserError, match=f"a_raw.fif: {sentence}"):
        preprocess_recording(entry, settings, Preprocessing(ica=Ica()), tmp_path)


def test_a_reference_of_too_few_heartbeats_is_told():
    raw, references = filtered(True)[0].copy().pick("eeg").crop(0, 3), filtered(True)[1].copy().crop(0, 3)
    references._data[2] = 1e-3 * (references.times > 1.5)
    with pytest.raises(UserError, match="a.fif: has 0 heartbeats in EEG063, .* 30 are needed; leave ecg out"):
        remove_components(raw, ("eeg",), references, [], Ica(references=("ecg",)), "a.fif")
    with pytest.raises(UserError, match=r"a.fif: has no heartbeat to average \(.*; leave ecg out of preprocessing.ssp.references"):
        project_artifacts(raw, ("eeg",), references, [], Ssp(references=("ecg",)), "a.fif")
