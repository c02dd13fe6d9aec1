"""True and predicted waveforms of the sensors a model predicts best, typically and worst."""

import numpy as np
from matplotlib.figure import Figure

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.reporting.style import MODEL, TRUTH, drawing
from crossmodal.tasks.sensors.detail import SensorsDetail
from crossmodal.tasks.sensors.metrics import type_slices


def draw_waveforms(detail: SensorsDetail, subject: str, predictor: str) -> Figure:
    """Draw the example window of one subject: a column a channel type; best, median and worst sensor by explained variance."""
    of_subject = detail.subjects[subject]
    slices = type_slices(detail.types)
    explained_s = of_subject.sensors[predictor].explained_variance
    truth_st, predicted_st = of_subject.example["truth"], of_subject.example[predictor]
    time_s = np.arange(truth_st.shape[1]) / detail.sfreq
    with drawing(6.4 if len(slices) == 1 else 4.2 * len(slices), 4.0) as figure:
        axes = figure.subplots(3, len(slices), sharex=True, squeeze=False)
        for column, (channel_type, of_type) in enumerate(slices.items()):
            traits = CHANNEL_TYPES[channel_type]
            ranked = of_type.start + np.argsort(-explained_s[of_type])
            chosen = {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}
            for axis, (rank, sensor) in zip(axes[:, column], chosen.items(), strict=True):
                axis.plot(time_s, traits.shown_scale * truth_st[sensor], color=TRUTH, linewidth=0.8, label="true")
                axis.plot(time_s, traits.shown_scale * predicted_st[sensor], color=MODEL, linewidth=1.3, label=f"predicted ({predictor})")
                name = f"{rank} of the {CHANNEL_TYPES[channel_type].title}: {detail.names[sensor]}"
                axis.set_title(f"{name}, EV {explained_s[sensor]:.2f}", loc="left")
                axis.set_ylabel(traits.shown_unit)
            axes[-1, column].set_xlabel("time in the window (s)")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        figure.suptitle(f"subject {subject}", x=0.01, ha="left", fontsize=9)
        return figure
