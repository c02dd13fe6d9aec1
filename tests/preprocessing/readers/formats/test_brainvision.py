"""What a header of BrainVision says of places."""

import pytest

from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from tests.preprocessing.readers.layouts import noise, write_brainvision

_NAMES = ["Fz", "C3", "C4", "FT9"]
_PLACES = "\n\n[Coordinates]\nCh1=1,45,90\nCh2=1,-45,0\nCh3=1,45,0\nCh4=0,0,0\n"


@pytest.mark.parametrize("retyped", [False, True])
def test_channel_that_it_places_nowhere_is_told_and_may_be_retyped(tmp_path, retyped):
    """MNE takes such a one as misc, and says so where nobody reads it."""
    path = tmp_path / "a.vhdr"
    write_brainvision(path, noise(4, 2000), _NAMES, 100, [("Stimulus", "S  1", 400)], units=["uV"] * 4)
    path.write_text(path.read_text(encoding="utf-8") + _PLACES, encoding="utf-8")
    types = {"FT9": "eeg"} if retyped else {}
    recordings = FileRecordings(files=(FileEntry(path=str(path), subject="1"),), channel_types=types)
    (entry,) = list_recordings(recordings)
    made = preprocess_recording(entry, recordings, Preprocessing(modalities=("eeg",), average_reference=False), tmp_path)
    assert made.signals["eeg"].names == tuple(sorted(_NAMES if retyped else _NAMES[:3]))
    if retyped:
        size_v = made.signals["eeg"].data_tc.std(axis=0)
        assert size_v.max() < 1.5 * size_v.min()
    else:
        assert any("takes FT9 as misc" in note for note in made.provenance["notes"])
