"""Maps over the head: the true and the predicted field at a few moments, and where the model explains how much."""

from collections.abc import Sequence

import mne
import numpy as np
from matplotlib.figure import Figure, SubFigure
from mne.io.constants import FIFF
from numpy.typing import NDArray
from scipy.signal import find_peaks

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.reporting.style import drawing
from crossmodal.tasks.sensors.detail import SensorsDetail
from crossmodal.tasks.sensors.metrics import type_slices

_MOMENTS = 4
_LEAST_SENSORS = 4  # fewer do not span a map
# The head drawn under the sensors: x, y, z of its middle and its radius, m. MNE draws MEG sensors in device coordinates.
_MEG_SPHERE = (0.0, 0.0, -0.02, 0.1)
_EEG_SPHERE = (0.0, 0.0, 0.0, 0.095)


def draw_topographies(detail: SensorsDetail, subject: str, predictor: str) -> Figure | None:
    """Draw, for each channel type, the field at the strongest moments of the example window, and explained variance a sensor.

    Parameters
    ----------
    detail : SensorsDetail
        Of the fold that tests the subject.
    subject, predictor : str
        Whose prediction of whom.

    Returns
    -------
    Figure or None
        None where no channel type has enough sensors of known position.
    """
    info = detail.subjects[subject].info
    slices = {kind: of_type for kind, of_type in type_slices(detail.types).items() if _mappable(info, detail.names[of_type])}
    if not slices:
        return None
    of_subject = detail.subjects[subject]
    with drawing(8.4, 3.1 * len(slices)) as figure:
        parts = figure.subfigures(len(slices), 1, squeeze=False)[:, 0]
        for part, (channel_type, of_type) in zip(parts, slices.items(), strict=True):
            sensors, groups = _locations(info, detail.names[of_type], channel_type)
            truth_st, predicted_st = (_fields(of_subject.example[name][of_type], groups) for name in ("truth", predictor))
            explained_s = _at_locations(of_subject.sensors[predictor].explained_variance[of_type], groups)
            _draw_type(part, truth_st, predicted_st, explained_s, sensors, channel_type, detail.sfreq)
            part.suptitle(f"subject {subject}, {CHANNEL_TYPES[channel_type].title}, {predictor}", fontsize=9)
        return figure


def _draw_type(
    figure: SubFigure,
    truth_lt: NDArray[np.float64],
    predicted_lt: NDArray[np.float64],
    explained_l: NDArray[np.float64],
    sensors: mne.Info,
    channel_type: str,
    sfreq: float,
) -> None:
    """One row of maps for the truth, one for the prediction, and a larger map of explained variance; l location."""
    traits = CHANNEL_TYPES[channel_type]
    unit = traits.shown_unit + (", norm of the pair" if channel_type == "grad" else "")
    moments = _strongest(truth_lt, sfreq)
    axes = figure.subplot_mosaic(
        [[*(f"truth {at}" for at in moments), "field", "ev", "scale"], [*(f"predicted {at}" for at in moments), "field", "ev", "scale"]],
        width_ratios=[1] * len(moments) + [0.07, 2.0, 0.07],
    )
    limit = traits.shown_scale * max(np.abs(truth_lt[:, moments]).max(), np.abs(predicted_lt[:, moments]).max())
    limits, colours = ((0, limit), "Reds") if channel_type == "grad" else ((-limit, limit), "RdBu_r")
    common = {"show": False, "sphere": _EEG_SPHERE if channel_type == "eeg" else _MEG_SPHERE}
    for row, values_lt in (("truth", truth_lt), ("predicted", predicted_lt)):
        for at in moments:
            axis = axes[f"{row} {at}"]
            field = {"vlim": limits, "cmap": colours, "sensors": False, "contours": 4}
            image, _ = mne.viz.plot_topomap(traits.shown_scale * values_lt[:, at], sensors, axes=axis, **field, **common)
            axis.set_title(f"{at / sfreq:.2f} s" if row == "truth" else "")
        axes[f"{row} {moments[0]}"].set_ylabel("true" if row == "truth" else row)
    figure.colorbar(image, cax=axes["field"], label=unit)
    range_l = (min(0.0, explained_l.min()), max(0.01, explained_l.max()))
    image, _ = mne.viz.plot_topomap(explained_l, sensors, axes=axes["ev"], vlim=range_l, cmap="viridis", contours=0, **common)
    axes["ev"].set_title("explained variance")
    figure.colorbar(image, cax=axes["scale"])


def _strongest(truth_lt: NDArray[np.float64], sfreq: float) -> list[int]:
    """Moments of the highest field power, at least a twentieth of a second and of the window apart, in order of time."""
    power_t = np.var(truth_lt, axis=0)
    apart = max(1, int(0.05 * sfreq), len(power_t) // 20)
    peaks, found = find_peaks(power_t, distance=apart, height=0)
    strongest = peaks[np.argsort(-found["peak_heights"])[:_MOMENTS]] if len(peaks) else np.array([power_t.argmax()])
    return sorted(int(at) for at in strongest)


def _mappable(info: mne.Info, names: Sequence[str]) -> bool:
    positions = np.array([info["chs"][info["ch_names"].index(name)]["loc"][:3] for name in names])
    known = np.isfinite(positions).all() and (np.linalg.norm(positions, axis=1) > 0).all()
    return bool(known) and len(np.unique(positions.round(4), axis=0)) >= _LEAST_SENSORS


def _locations(info: mne.Info, names: Sequence[str], channel_type: str) -> tuple[mne.Info, list[list[int]]]:
    """One sensor a location, and which of `names` lie there: planar gradiometers come in pairs."""
    sensors = mne.pick_info(info, [info["ch_names"].index(name) for name in names], copy=True)
    groups: dict[tuple[float, ...], list[int]] = {}
    for index, channel in enumerate(sensors["chs"]):
        groups.setdefault(tuple(np.round(channel["loc"][:3], 4)), []).append(index)
    first_of_each = mne.pick_info(sensors, [members[0] for members in groups.values()])
    if channel_type == "grad":
        # MNE would look for the other half of each pair; as magnetometers they are drawn where they lie.
        with first_of_each._unlock():
            for channel in first_of_each["chs"]:
                channel["unit"] = FIFF.FIFF_UNIT_T
    return first_of_each, list(groups.values())


def _fields(values_st: NDArray[np.floating], groups: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """The field at each location: a sensor's value, or the norm of a pair."""
    fields = [values_st[members[0]] if len(members) == 1 else np.linalg.norm(values_st[members], axis=0) for members in groups]
    return np.array(fields, dtype=float)


def _at_locations(values_s: NDArray[np.floating], groups: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    return np.array([values_s[members].mean() for members in groups], dtype=float)
