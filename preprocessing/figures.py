"""What was taken off a recording, to look at: stored with its shard."""

from collections.abc import Sequence

import mne
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossmodal.reporting.style import MODEL, TRUTH, drawing
from preprocessing.steps.ica import Removed

# A map needs a few sensors whose position is known.
_LEAST_SENSORS = 4


def draw_removed(removed: Sequence[Removed], info: mne.Info, label: str) -> Figure:
    """Draw each component that was taken off a modality: its map, and its course beside that of the reference it follows.

    Parameters
    ----------
    removed : sequence of Removed
        Of one modality.
    info : mne.Info
        Has their sensors, in any order.
    label : str
        What tables call the recording.
    """
    seen = mne.pick_info(info, [info["ch_names"].index(name) for name in removed[0].names])
    with drawing(7.0, 0.3 + 1.3 * len(removed)) as figure:
        rows = figure.subplots(len(removed), 2, squeeze=False, width_ratios=[1, 5])
        for (chart, course), each in zip(rows, removed, strict=True):
            _draw_map(chart, each, seen)
            times_s = np.arange(len(each.course_t)) / each.sfreq
            sign = np.sign(np.vdot(each.course_t, each.reference_t)) or 1.0
            course.plot(times_s, each.reference_t, color=TRUTH, linewidth=0.6, label=each.reference)
            course.plot(times_s, sign * each.course_t, color=MODEL, linewidth=0.6, label=f"component {each.component}")
            course.set_ylabel("standard deviations")
            course.legend(loc="upper right", ncols=2, title=f"score {each.score:.2f}")
        rows[-1, 1].set_xlabel("s")
        figure.suptitle(f"{label}: independent components taken off {removed[0].modality.upper()}", fontsize=9)
        return figure


def _draw_map(axis: Axes, removed: Removed, info: mne.Info) -> None:
    """Draw the pattern over EEG electrodes or magnetometers, where enough of them are placed."""
    kind = "eeg" if removed.modality == "eeg" else "mag"
    picks = [index for index, each in enumerate(info.get_channel_types()) if each == kind and _is_placed(info["chs"][index]["loc"])]
    places_m = {tuple(np.round(info["chs"][index]["loc"][:3], 4)) for index in picks}
    axis.axis("off")
    if len(places_m) >= _LEAST_SENSORS and len(places_m) == len(picks):
        limit = np.abs(removed.pattern[picks]).max()
        mne.viz.plot_topomap(
            removed.pattern[picks], mne.pick_info(info, picks), axes=axis, show=False, vlim=(-limit, limit), sensors=False, contours=4
        )


def _is_placed(loc: np.ndarray) -> bool:
    return bool(np.isfinite(loc[:3]).all() and loc[:3].any())
