"""One look for all figures: colours that colour-blind readers tell apart, and no global matplotlib state."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Okabe & Ito, Color Universal Design (2008).
TRUTH = "#000000"
MODEL = "#0072B2"
SECOND = "#D55E00"
BASELINES = ("#999999", "#E69F00", "#56B4E9", "#CC79A7", "#009E73")
CEILING = "#000000"

_SETTINGS: dict[Any, Any] = {
    "figure.dpi": 150,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.0,
}


@contextmanager
def drawing(width_in: float, height_in: float) -> Iterator[Figure]:
    """Give a figure of the house style, in inches; texts are kept from overlapping by constrained layout."""
    with matplotlib.rc_context(_SETTINGS):
        yield Figure(figsize=(width_in, height_in), layout="constrained")


def render_png(figure: Figure) -> bytes:
    """Render a figure whole, also what stands outside it; texts made while rendering, as those of ticks, get the house style too."""
    packed = io.BytesIO()
    with matplotlib.rc_context(_SETTINGS):
        figure.savefig(packed, format="png", bbox_inches="tight")
    return packed.getvalue()
