"""A cap described in any frame and unit comes out in MNE's head frame, or is refused with what would fit."""

import mne
import numpy as np
import pytest

from crossmodal.config import UserError
from preprocessing.readers.bids.electrodes import place_electrodes
from preprocessing.readers.heads.points import check_points

# m; right, front, up from between the ears.
_CAP = {
    "Fz": (0, 0.06, 0.07),
    "Cz": (0, 0.01, 0.12),
    "C3": (-0.065, 0, 0.06),
    "C4": (0.065, 0, 0.06),
    "Pz": (0, -0.06, 0.09),
    "Oz": (0, -0.085, 0),
}
_LANDMARKS = {"NAS": (0, 0.1, 0), "LPA": (-0.08, 0, 0), "RPA": (0.08, 0, 0)}

_RAS, _ALS = np.eye(3), np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])


def _raw(names=tuple(_CAP)):
    return mne.io.RawArray(np.zeros((len(names), 100)), mne.create_info(list(names), 100.0, "eeg"), verbose="error")


def _table(turn=_RAS, metres=1.0, shift=(0, 0, 0), places=_CAP):
    rows = {name: turn @ np.array(place) / metres + np.array(shift) / metres for name, place in places.items()}
    return "name\tx\ty\tz\n" + "".join(f"{name}\t" + "\t".join(f"{value:.9f}" for value in place) + "\n" for name, place in rows.items())


def _system(frame, unit="m", **more):
    return {"EEGCoordinateSystem": frame, "EEGCoordinateUnits": unit, **more}


def _landmarks(turn=_RAS, metres=1.0, unit="m", shift=(0, 0, 0)):
    points = {name: ((turn @ np.array(place) + np.array(shift)) / metres).tolist() for name, place in _LANDMARKS.items()}
    return {"AnatomicalLandmarkCoordinates": points, "AnatomicalLandmarkCoordinateUnits": unit}


def _places(raw):
    return {channel["ch_name"]: channel["loc"][:3] for channel in raw.info["chs"]}


@pytest.mark.parametrize("frame", ["CTF", "4DBti", "KitYokogawa", "EEGLAB", "EEGLAB-HJ", "eeglab", "CapTrak", "Captrak", "ElektaNeuromag"])
@pytest.mark.parametrize("landmarks", [True, False, "n/a", [], {"NAS": "n/a", "LPA": [], "RPA": [0, 0, 0]}])
def test_axes_of_every_frame_between_the_ears_are_turned_with_or_without_landmarks(frame, landmarks):
    turn = np.eye(3) if frame.casefold() in {"captrak", "elektaneuromag"} else _ALS
    more = _landmarks(turn) if landmarks is True else {"AnatomicalLandmarkCoordinates": landmarks} if landmarks is not False else {}
    raw = _raw()
    assert place_electrodes(raw, _table(turn, 0.001), _system(frame, "mm", **more), "t") == ()
    for name, place in _CAP.items():
        np.testing.assert_allclose(_places(raw)[name], place, atol=1e-6)
    assert check_points(raw, "r") == ()


@pytest.mark.parametrize("frame", ["MNI152NLin2009cAsym", "fsaverage", "ICBM452AirSpace", "Talairach", "MNIColin27"])
def test_templates_lead_to_the_head_of_their_landmarks(frame):
    """In MNI coordinates the origin is in the brain, 4 cm above and 3 cm before the line between the ears."""
    raw = _raw()
    (note,) = place_electrodes(raw, _table(shift=(0, -0.03, -0.04)), _system(frame), "t")
    assert "the head is the template's" in note
    for name, place in _CAP.items():
        np.testing.assert_allclose(_places(raw)[name], place, atol=0.009)


@pytest.mark.parametrize("system", [_system("ScanRAS"), _system("Other", EEGCoordinateSystemDescription="RAS, origin of the CT")])
def test_a_scanner_s_coordinates_keep_their_axes_wherever_their_origin_is(system):
    raw = _raw()
    (note,) = place_electrodes(raw, _table(shift=(0.12, -0.2, 0.3)), system, "t")
    assert "places may be off" in note
    places = _places(raw)
    for name, place in _CAP.items():
        np.testing.assert_allclose(places[name] - places["Cz"], np.subtract(place, _CAP["Cz"]), atol=1e-6)
    assert np.linalg.norm(places["Cz"] - _CAP["Cz"]) < 0.03


def test_landmarks_lead_home_from_a_far_origin_and_unknown_axes():
    angle = 0.7
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]) @ _ALS
    raw = _raw()
    more = _landmarks(turn, 0.001, "millimetres", shift=(0.4, 0.3, -0.2))
    assert place_electrodes(raw, _table(turn, 0.01, (0.4, 0.3, -0.2)), _system("Other", "CM", **more), "t") == ()
    for name, place in _CAP.items():
        np.testing.assert_allclose(_places(raw)[name], place, atol=1e-6)


@pytest.mark.parametrize("stated", ["n/a", "Other", "my cap", "Pixels"])
def test_axes_that_nobody_knows_place_nothing(stated):
    raw = _raw()
    (note,) = place_electrodes(raw, _table(), _system(stated), "t")
    assert "nobody knows which way these run" in note
    assert not any(np.isfinite(place).all() and place.any() for place in _places(raw).values())


@pytest.mark.parametrize(("true", "stated"), [("mm", "m"), ("m", "mm"), ("cm", "mm"), ("mm", "cm"), ("m", "cm"), ("cm", "m")])
@pytest.mark.parametrize("names", [tuple(_CAP), ("Fz",), ("Fz", "Cz", "C3")])
@pytest.mark.parametrize("landmarks", [True, False])
def test_a_wrong_unit_is_refused_with_the_one_that_fits(true, stated, names, landmarks):
    metres = {"m": 1, "cm": 0.01, "mm": 0.001}[true]
    table = _table(metres=metres, places={name: _CAP[name] for name in names})
    more = _landmarks() if landmarks else {}
    with pytest.raises(UserError, match=rf"t: its electrodes would be .* the unit '{true}' would fit, not '{stated}'"):
        place_electrodes(_raw(), table, _system("CapTrak", stated, **more), "t")
    if landmarks:
        with pytest.raises(UserError, match=rf"t: the nasion .* the unit '{true}' would fit, not '{stated}'"):
            place_electrodes(_raw(), _table(), _system("CapTrak", **_landmarks(metres=metres, unit=stated)), "t")


def test_the_unit_is_told_of_a_cap_at_the_forehead_far_from_the_origin():
    cap = mne.channels.make_standard_montage("colin27_1005").get_positions()["ch_pos"]
    front = {name: place + np.array([0.2, 0.1, 0]) for name, place in cap.items() if name.startswith(("AF", "Fp"))}
    place_electrodes(_raw(front), _table(metres=0.001, places=front), _system("ScanRAS", "mm"), "t")
    with pytest.raises(UserError, match="the unit 'mm' would fit, not 'cm'"):
        place_electrodes(_raw(front), _table(metres=0.001, places=front), _system("ScanRAS", "cm"), "t")


@pytest.mark.parametrize(
    ("turn", "would"), [(_ALS, "front, left"), (np.diag([-1, 1, 1]), "left, front"), (np.diag([-1, -1, 1]), "left, back")]
)
def test_electrodes_that_do_not_lie_where_their_names_say_are_refused(turn, would):
    """Axes that are not those of the stated frame keep all distances; a mirror does, too."""
    with pytest.raises(UserError, match=rf"Fz, Cz, C3 and others do not lie where caps .* were {would} and top"):
        place_electrodes(_raw(), _table(turn), _system("CapTrak"), "t")


def test_other_layouts_use_names_of_one_letter_for_other_places():
    places = {"A1": (0, 0, 0.12), "B1": (0.06, -0.03, 0.09), "C3": (0.06, 0.03, 0.09), "D4": (-0.03, 0.03, 0.1), "F3": (0.08, 0, 0.05)}
    assert place_electrodes(_raw(places), _table(places=places), _system("CapTrak"), "t") == ()


def test_landmarks_listed_with_the_electrodes_are_used():
    turned = {**{name: _ALS @ place for name, place in (_CAP | _LANDMARKS).items()}}
    raw = _raw()
    place_electrodes(raw, _table(places=turned), _system("Other"), "t")
    np.testing.assert_allclose(_places(raw)["C3"], _CAP["C3"], atol=1e-6)
    fiducials = raw.get_montage().get_positions()
    np.testing.assert_allclose(fiducials["nasion"], _LANDMARKS["NAS"], atol=1e-6)


def test_a_recording_s_own_places_are_checked():
    raw = _raw()
    raw.set_montage(mne.channels.make_dig_montage({name: 1000 * np.array(place) for name, place in _CAP.items()}, coord_frame="head"))
    with pytest.raises(UserError, match=r"r: its electrodes .* the unit 'mm' would fit, not 'm'"):
        check_points(raw, "r")
    raw = _raw()
    raw.set_montage(mne.channels.make_dig_montage({name: _ALS @ place for name, place in _CAP.items()}, coord_frame="head"))
    assert "do not lie where caps have electrodes of these names" in check_points(raw, "r")[0]


@pytest.mark.parametrize("nasion", [(0, 85.0, 0), (0.085, 0, 0), (0, -0.085, 0)])
def test_fiducials_in_another_unit_or_on_other_axes_are_left_out(nasion):
    raw = _raw()
    montage = mne.channels.make_dig_montage(_CAP, nasion=nasion, lpa=(-0.08, 0, 0), rpa=(0.08, 0, 0), coord_frame="head")
    raw.set_montage(montage)
    assert "are left out" in check_points(raw, "r")[0]
    assert {point["kind"] for point in raw.info["dig"]} == {mne.io.constants.FIFF.FIFFV_POINT_EEG}
    np.testing.assert_allclose(_places(raw)["C3"], _CAP["C3"])


@pytest.mark.parametrize(
    ("metre", "told"), [(0.001, "the unit 'mm' would fit"), (0.01, "the unit 'cm' would fit"), (100, "100 times that")]
)
def test_digitised_points_in_another_unit_are_refused(metre, told):
    raw, shape = _raw(), np.array(list(_CAP.values()))
    raw.set_montage(mne.channels.make_dig_montage(hsp=shape / metre, coord_frame="head"), on_missing="ignore")
    with pytest.raises(UserError, match=f"r: its digitised points would be .*{told}"):
        check_points(raw, "r")


@pytest.mark.parametrize("broken", [np.nan, np.inf, 1e300])
def test_one_digitised_point_that_is_no_place_is_refused(broken):
    """Damaged files hold such numbers, which no sphere fits."""
    raw, shape = _raw(), np.array(list(_CAP.values()))
    shape[2, 1] = broken
    raw.set_montage(mne.channels.make_dig_montage(hsp=shape, coord_frame="head"), on_missing="ignore")
    with pytest.raises(UserError, match=r"r: its digitised points would be inf m .*no unit of length"):
        check_points(raw, "r")


@pytest.mark.parametrize("broken", [np.nan, 0.0, 5.0])
def test_a_head_that_is_turned_by_no_turn_is_refused(broken):
    raw = _raw()
    matrix = np.eye(4)
    matrix[1, 1] = broken
    raw.info["dev_head_t"] = mne.transforms.Transform("meg", "head", matrix)
    with pytest.raises(UserError, match="r: where the head was in the dewar is given by no turn and shift"):
        check_points(raw, "r")
