"""The pipeline of jobs/experiments/ds000117.yaml as it stands, on a simulated recording laid out as the dataset's."""

from pathlib import Path

import mne
import numpy as np
import pytest

from crossmodal.config import load_experiment
from crossmodal.config.simulation import Simulation
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from preprocessing.simulated.recording import sensor_patterns, simulate_run, subject_truth
from preprocessing.simulated.subject import draw_subject, template_conductor

EXPERIMENT = Path(__file__).resolve().parents[2] / "jobs/experiments/ds000117.yaml"
_CODES = {20.0: 5, 25.0: 14, 30.0: 19}


def record(root):
    """Write 60 s with a trigger line, a button pressed meanwhile, and 50 Hz that is as strong as all else."""
    simulation = Simulation(root="unused", duration_s=60, sfreq=300, n_dipoles=100, source_moment_am=5e-9)
    subject = draw_subject(simulation, "01", template_conductor(simulation))
    run = simulate_run(subject, subject_truth(subject, simulation), sensor_patterns(subject), simulation, 1)
    raw = mne.io.RawArray(run.data, subject.info.copy(), verbose="error")
    raw.apply_function(lambda x_t: x_t + x_t.std() * np.sqrt(2) * np.sin(2 * np.pi * 50 * raw.times), picks=["eeg", "meg"])
    line_t = 4096.0 * ((raw.times > 24) & (raw.times < 27))
    for onset_s, code in _CODES.items():
        line_t[round(onset_s * 300) : round((onset_s + 0.5) * 300)] += code
    stim = mne.io.RawArray(line_t[None], mne.create_info(["STI101"], 300, "stim"), verbose="error")
    raw.add_channels([stim], force_update_info=True)
    folder = root / "sub-01/ses-meg/meg"
    folder.mkdir(parents=True)
    stem = "sub-01_ses-meg_task-facerecognition_run-01"
    raw.save(folder / f"{stem}_meg.fif", verbose="error")
    (folder / f"{stem}_events.tsv").write_text("onset\tduration\tstim_type\n1\t0\tFamous\n")
    return raw


def share_at(x_ct, sfreq, frequency_hz):
    """Largest share of a channel's power within 1 Hz of a frequency."""
    density, frequencies_hz = mne.time_frequency.psd_array_welch(x_ct, sfreq, n_fft=round(4 * sfreq), verbose="error")
    return (density[:, np.abs(frequencies_hz - frequency_hz) <= 1].sum(axis=1) / density.sum(axis=1)).max()


@pytest.mark.slow
def test_the_whole_pipeline_stands_together(tmp_path):
    raw = record(tmp_path / "ds")
    local = (f"recordings.root={tmp_path}/ds", "recordings.anonymous=false", "recordings.endpoint_url=null")
    system = ("preprocessing.maxwell.calibration=null", "preprocessing.maxwell.crosstalk=null")
    experiment = load_experiment(EXPERIMENT, [*local, *system])
    (entry,) = list_recordings(experiment.recordings)
    made = preprocess_recording(entry, experiment.recordings, experiment.preprocessing, tmp_path)
    eeg, meg = made.signals["eeg"], made.signals["meg"]
    assert (made.sfreq, len(eeg.names), len(meg.names)) == (250.0, 70, 306)
    assert made.events.onset_sample.tolist() == [round((onset_s + 0.0345) * 250) for onset_s in _CODES]
    assert made.events.trial_type == ("Famous", "Unfamiliar", "Scrambled")
    order = ("bad_channels", "maxwell", "line_noise", "filtering", "ica")
    assert [step for step in made.provenance["steps"] if step in order] == list(order)
    for kind, signal in (("eeg", eeg), ("meg", meg)):
        inner = signal.data_tc[made.good].T.astype(np.float64)
        assert share_at(raw.get_data(picks=kind), 300.0, 50) > 0.3
        assert share_at(inner, 250.0, 50) < 0.01
        blink_t = raw.copy().pick(["EEG062"]).set_channel_types({"EEG062": "misc"}, verbose="error").load_data()
        blink_t = blink_t.filter(1, 10, picks="all", verbose="error").resample(250, verbose="error").get_data()[0]
        x_ct = mne.filter.filter_data(signal.data_tc.T.astype(np.float64), 250, 1, 10, verbose="error")
        assert max(abs(np.corrcoef(x_t[made.good], blink_t[made.good])[0, 1]) for x_t in x_ct) < 0.2
    assert sorted(made.figures) == ["ica_eeg", "ica_meg"]
    assert all(each["explained_variance"] >= 0.8 for each in made.provenance["ssp"])
