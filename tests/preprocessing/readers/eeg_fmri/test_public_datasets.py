"""The checked-in experiments on the public EEG-fMRI datasets, on recordings in their layouts."""

from pathlib import Path

import pytest

from crossmodal.config import load_experiment
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from tests.preprocessing.readers import layouts

_EXPERIMENTS = Path(__file__).resolve().parents[4] / "jobs/experiments"
_LOCAL = ("recordings.anonymous=false", "recordings.endpoint_url=null")


@pytest.mark.parametrize(
    ("name", "subject", "label", "n_eeg"),
    [
        ("noddi", "32", "sub-32 run 01", 5),
        ("oddball", "sub001", "sub-sub001 run task001_run001", 43),
        ("cn_epfl", "02", "sub-02 run 001", 4),
    ],
)
def test_each_public_dataset_has_an_experiment_that_reads_it(tmp_path, name, subject, label, n_eeg):
    getattr(layouts, name)(tmp_path, subject)
    experiment = load_experiment(_EXPERIMENTS / f"{name}.yaml", (f"recordings.root={tmp_path}", *_LOCAL))
    (entry,) = list_recordings(experiment.recordings)
    assert entry.label == label
    made = preprocess_recording(entry, experiment.recordings, experiment.preprocessing, tmp_path)
    assert len(made.signals["eeg"].names) == n_eeg
    assert made.volumes.data_vs.shape[0] == len(made.volumes.onset_s)
    assert not any("gradients still in its EEG" in note for note in made.provenance["notes"])
    assert (experiment.data.target.modality, experiment.data.windows.kind) == ("bold", "volumes")
