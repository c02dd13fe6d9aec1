"""Power spectra of the truth and of what a model predicts of it."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.reporting.style import MODEL, SECOND, TRUTH, drawing
from crossmodal.tasks.sensors.detail import SensorsDetail
from crossmodal.tasks.sensors.metrics import type_slices


def draw_spectra(detail: SensorsDetail, subject: str, predictor: str, linear: str | None, highest_hz: float) -> Figure:
    """Draw amplitude densities, root mean square over the sensors of a type, over all test windows of one subject.

    Parameters
    ----------
    detail : SensorsDetail
        Of the fold that tests the subject.
    subject : str
        Its label.
    predictor, linear : str
        The model and, if there is one, the linear baseline beside it.
    highest_hz : float
        Where the preprocessing's low-pass leaves nothing more to see.
    """
    of_subject = detail.subjects[subject]
    slices = type_slices(detail.types)
    shown = (of_subject.frequencies_hz > 0) & (of_subject.frequencies_hz <= highest_hz)
    curves = {"truth": (TRUTH, "-"), predictor: (MODEL, "-")} | ({linear: (SECOND, "--")} if linear else {})
    with drawing(4.2 * len(slices), 2.8) as figure:
        for axis, (channel_type, of_type) in zip(figure.subplots(1, len(slices), squeeze=False)[0], slices.items(), strict=True):
            traits = CHANNEL_TYPES[channel_type]
            for name, (colour, line) in curves.items():
                density_f = traits.shown_scale * np.sqrt(of_subject.psd[name][of_type].mean(axis=0))
                axis.loglog(of_subject.frequencies_hz[shown], density_f[shown], color=colour, linestyle=line, label=name)
            axis.set(
                title=f"subject {subject}, {CHANNEL_TYPES[channel_type].title}",
                xlabel="frequency (Hz)",
                ylabel=f"{traits.shown_unit} / √Hz",
            )
            for scaled in (axis.xaxis, axis.yaxis):
                scaled.set_major_locator(LogLocator(subs=(1, 2, 5)))
                scaled.set_major_formatter("{x:g}")
                scaled.set_minor_formatter(NullFormatter())
            axis.legend()
        return figure
