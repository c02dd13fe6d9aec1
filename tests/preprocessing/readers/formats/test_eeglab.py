"""EEGLAB's chanlocs lead to MNE's head frame wherever the nose points, and a chaninfo that holds nothing stops no recording."""

import numpy as np
import pytest
import scipy.io

from crossmodal.config.preprocessing import FileEntry, FileRecordings
from preprocessing.readers.reading import list_recordings, open_recording

# Right, front, up, m.
_PLACES = {"Fz": (0, 0.06, 0.07), "Cz": (0, 0.01, 0.12), "C3": (-0.065, 0, 0.06), "C4": (0.065, 0, 0.06), "Oz": (0, -0.085, 0.01)}
_FIDUCIALS = {"Nasion": (0, 0.1, 0), "Left periauricular point": (-0.08, 0, 0), "Right periauricular point": (0.08, 0, 0)}
_NOTHING = np.array([])
_NOSES = {
    "+X": lambda r, a, s: (a, -r, s),
    "+Y": lambda r, a, s: (r, a, s),
    "-X": lambda r, a, s: (-a, r, s),
    "-Y": lambda r, a, s: (-r, -a, s),
}


def _structs(rows):
    keys = list(rows[0])
    return np.array([tuple(row[key] for key in keys) for row in rows], dtype=[(key, object) for key in keys]).reshape(1, -1)


def _at(points, nose, metre, label, **more):
    places = {name: np.array(_NOSES[nose](*place), dtype=float) / metre for name, place in points.items()}
    return _structs([{label: name, "X": x, "Y": y, "Z": z, **more} for name, (x, y, z) in places.items()])


@pytest.fixture
def opened(tmp_path):
    """Write a .set of ramps and open it."""

    def write_and_open(chaninfo=None, chanlocs=None, outside=False, flat=False):
        data = np.arange(5 * 400, dtype=np.float32).reshape(5, 400)
        bare = _structs([{"labels": name, "X": _NOTHING, "Y": _NOTHING, "Z": _NOTHING} for name in _PLACES])
        content = {"setname": "x", "nbchan": 5.0, "trials": 1.0, "pnts": 400.0, "srate": 100.0, "xmin": 0.0, "xmax": 3.99, "data": data}
        content |= {"chanlocs": bare if chanlocs is None else chanlocs, "urevent": _NOTHING, "epoch": _NOTHING, "icawinv": _NOTHING}
        content |= {"event": _structs([{"type": "S1", "latency": 101.0, "duration": 0.0}])}
        if chaninfo is not None:
            content["chaninfo"] = chaninfo
        if outside:
            data.T.tofile(tmp_path / "a.fdt")
            content["data"] = "a.fdt"
        scipy.io.savemat(tmp_path / "a.set", content if flat else {"EEG": content}, appendmat=False)
        recordings = FileRecordings(files=(FileEntry(path=str(tmp_path / "a.set"), subject="1"),))
        (entry,) = list_recordings(recordings)
        found = open_recording(entry, recordings, tmp_path)
        np.testing.assert_allclose(found.raw.get_data(), 1e-6 * data)
        assert found.events.trial_type == ("S1",)
        assert found.events.onset_s.tolist() == [1.0]
        return found

    return write_and_open


@pytest.mark.parametrize(
    "chaninfo", [None, _NOTHING, np.zeros((0, 0)), "", np.zeros((1, 0), dtype=[("nosedir", object)]), {"plotrad": _NOTHING}]
)
@pytest.mark.parametrize(("outside", "flat"), [(False, False), (True, False), (True, True)])
def test_recordings_are_read_whatever_their_chaninfo_is(opened, chaninfo, outside, flat):
    raw = opened(chaninfo, outside=outside, flat=flat).raw
    assert raw.ch_names == list(_PLACES)
    assert raw.get_montage() is None or not np.isfinite(list(raw.get_montage().get_positions()["ch_pos"].values())).any()


@pytest.mark.parametrize("nose", _NOSES)
@pytest.mark.parametrize("metre", [1.0, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("fiducials", [True, False])
def test_places_and_fiducials_are_in_metres_in_the_head_wherever_the_nose_points(opened, nose, metre, fiducials):
    points = _at(_FIDUCIALS, nose, metre, "description", type="FID", labels="fid") if fiducials else _NOTHING
    found = opened({"nosedir": nose, "nodatchans": points}, _at(_PLACES, nose, metre, "labels"))
    positions = found.raw.get_montage().get_positions()
    for name, place in _PLACES.items():
        np.testing.assert_allclose(positions["ch_pos"][name], place, atol=1e-6)
    if fiducials:
        np.testing.assert_allclose([positions[key] for key in ("nasion", "lpa", "rpa")], list(_FIDUCIALS.values()), atol=1e-6)
    assert found.notes == ()


def test_fiducials_of_another_unit_are_left_out(opened):
    points = _at(_FIDUCIALS, "+X", 0.001, "labels", type="FID", description="")
    found = opened({"nosedir": "+X", "nodatchans": points}, _at(_PLACES, "+X", 1.0, "labels"))
    np.testing.assert_allclose(found.raw.get_montage().get_positions()["ch_pos"]["C3"], _PLACES["C3"], atol=1e-6)
    assert all(np.linalg.norm(point["r"]) < 0.15 for point in found.raw.info["dig"])


@pytest.mark.parametrize(("nose", "metre", "cause"), [("+Z", 0.001, "nose points along '\\+Z'"), ("+X", 1e-5, "no unit of length")])
def test_places_that_are_not_understood_are_none(opened, nose, metre, cause):
    found = opened({"nosedir": nose, "nodatchans": _NOTHING}, _at(_PLACES, "+X", metre, "labels"))
    assert found.raw.get_montage() is None
    (note,) = found.notes
    assert cause.replace("\\", "") in note
