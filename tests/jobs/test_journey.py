"""The whole way, from simulated recordings to a score and a virtual recording, as commands."""

import mlflow
import mne
import numpy as np
import pytest


def test_evaluation_prints_the_model_beside_baselines_and_n(journey):
    experiment, printed = journey
    for row in (
        "Synaptech-Net",
        "training mean",
        "lagged ridge",
        "minimum norm",
        "n = 3: with fewer than 6 subjects nothing is called significant",
    ):
        assert row in printed["evaluate"]
    assert f" -m mlflow server --backend-store-uri sqlite:///{experiment.parent}/mlflow.db\n" in printed["evaluate"]


def test_everything_is_found_in_mlflow(journey):
    experiment, _ = journey
    client = mlflow.MlflowClient(f"sqlite:///{experiment.parent}/mlflow.db")
    (found,) = (each for each in client.search_experiments() if each.name == "tiny")
    runs = client.search_runs([found.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert len(runs) == 4
    assert len(children) == 3
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_a_second_run_makes_nothing_and_says_so(journey, run_job):
    experiment, _ = journey
    assert "made 0, cached 3, failed 0" in run_job("preprocess", experiment, cwd=experiment.parent).stdout
    assert "3 of 3 folds are trained already" in run_job("train", experiment, cwd=experiment.parent).stdout


@pytest.fixture(scope="module")
def eeg_only(journey):
    """A subject's EEG without MEG, with an annotation, cut so that it begins late."""
    experiment, _ = journey
    path = next((experiment.parent / "cohort").glob("sub-01/**/*_meg.fif"))
    raw = mne.io.read_raw_fif(path, preload=True, verbose="error").pick([f"EEG{number:03d}" for number in range(1, 75)])
    raw.crop(2.0, 27.0).set_annotations(mne.Annotations([3.0], [0.5], ["blink"], orig_time=raw.info["meas_date"]))
    return raw


@pytest.mark.parametrize("extension", ["_raw.fif", ".edf", ".vhdr", ".set"])
def test_eeg_becomes_a_virtual_recording_that_mne_opens(journey, run_job, eeg_only, extension, tmp_path):
    experiment, _ = journey
    recording, virtual = tmp_path / f"eeg{extension}", tmp_path / "virtual_raw.fif"
    if extension == "_raw.fif":
        eeg_only.save(recording, verbose="error")
    elif extension == ".vhdr":
        pytest.importorskip("pybv")
        mne.export.export_raw(recording, eeg_only, verbose="error")
    else:
        mne.export.export_raw(recording, eeg_only, verbose="error")
    done = run_job("predict", experiment, "--recording", recording, "--output", virtual, "--fold", "sub-01")
    assert done.returncode == 0, done.stderr
    raw = mne.io.read_raw_fif(virtual, verbose="error")
    source = eeg_only if extension == "_raw.fif" else None
    assert set(raw.get_channel_types()) == {"mag"}
    assert len(raw.ch_names) == 102
    assert raw.info["sfreq"] == pytest.approx(250)
    assert abs(len(raw.times) - len(eeg_only.times)) <= (0 if source is not None else 250)
    assert raw.info["dev_head_t"] is not None
    assert 1e-15 < np.abs(raw.get_data()).max() < 1e-9
    assert any(each.endswith("blink") for each in raw.annotations.description)  # BrainVision prefixes the marker's type
    if source is not None:
        assert raw.first_samp == source.first_samp
        np.testing.assert_allclose(raw.annotations.onset, source.annotations.onset)


def test_a_virtual_recording_resembles_the_real_one(journey, run_job, eeg_only, tmp_path):
    """The tiny network has barely learned; what it predicts is nevertheless what evaluation scored, in place and in time."""
    experiment, _ = journey
    eeg_only.save(tmp_path / "eeg_raw.fif", verbose="error")
    done = run_job("predict", experiment, "--recording", "eeg_raw.fif", "--fold", "sub-01", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    virtual = mne.io.read_raw_fif(tmp_path / "eeg_raw_virtual_raw.fif", preload=True, verbose="error")
    path = next((experiment.parent / "cohort").glob("sub-01/**/*_meg.fif"))
    real = mne.io.read_raw_fif(path, preload=True, verbose="error").pick(virtual.ch_names).filter(0.5, 40, verbose="error").crop(2.0, 27.0)
    predicted, true = virtual.get_data(), real.get_data()
    in_place = np.corrcoef(predicted.ravel(), true.ravel())[0, 1]
    shifted = np.corrcoef(predicted[:, 50:].ravel(), true[:, :-50].ravel())[0, 1]
    assert in_place > 0.1
    assert in_place > shifted


def test_a_virtual_recording_is_never_written_over_another(journey, run_job, eeg_only, tmp_path):
    experiment, _ = journey
    eeg_only.save(tmp_path / "eeg_raw.fif", verbose="error")
    (tmp_path / "there_raw.fif").write_text("mine")
    done = run_job("predict", experiment, "--recording", tmp_path / "eeg_raw.fif", "--output", tmp_path / "there_raw.fif")
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert (tmp_path / "there_raw.fif").read_text() == "mine"


def test_a_recording_that_lacks_the_model_s_channels_is_refused_by_name(journey, run_job, eeg_only, tmp_path):
    experiment, _ = journey
    eeg_only.copy().drop_channels(["EEG003", "EEG017"]).save(tmp_path / "eeg_raw.fif", verbose="error")
    done = run_job("predict", experiment, "--recording", tmp_path / "eeg_raw.fif", "--output", tmp_path / "v_raw.fif")
    assert done.returncode == 2
    assert "lacks 2 of the model's 70 channels: EEG003, EEG017" in done.stderr
    assert not (tmp_path / "v_raw.fif").exists()


@pytest.mark.slow
def test_meg_predicts_eeg_the_same_way(journey, run_job):
    experiment, _ = journey
    backwards = ("data.input={modality: meg, channels: mag}", "data.target={modality: eeg}", "split.held_out=['01']")
    for job in ("train", "evaluate"):
        done = run_job(job, experiment, *backwards, cwd=experiment.parent)
        assert done.returncode == 0, done.stderr
    assert "MEG → EEG" in done.stdout
