"""Figures of volumes: time courses of some targets, a map of r on slices, and r against lag."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from crossmodal.reporting.style import MODEL, TRUTH, drawing
from crossmodal.tasks.volumes.detail import ScanDetail, VolumesDetail
from crossmodal.tasks.volumes.grid import paint
from crossmodal.tasks.volumes.metrics import score_scan

_SLICES = 7
_MOST_LAG = 10


def draw_courses(detail: VolumesDetail, subject: str, predictor: str) -> Figure:
    """Draw truth and prediction of the best, median and worst target of a subject's first scan, about their means."""
    scan = detail.scans[subject]
    ranked = np.argsort(-np.nan_to_num(scan.r_s, nan=-np.inf))
    ranked = ranked[: max(1, int(np.isfinite(scan.r_s).sum()))]
    chosen = {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}
    with drawing(6.4, 4.4) as figure:
        axes = figure.subplots(3, 1, sharex=True)
        for axis, (rank, target) in zip(axes, chosen.items(), strict=True):
            for values_vs, colour, width, label in ((scan.truth_vs, TRUTH, 0.8, "true"), (scan.predicted_vs, MODEL, 1.3, predictor)):
                axis.plot(scan.onset_s, values_vs[:, target] - values_vs[:, target].mean(), color=colour, linewidth=width, label=label)
            axis.set_title(f"{rank}: {detail.target.names[target]}, r {scan.r_s[target]:.2f}", loc="left")
            axis.set_ylabel("change (%)")
        axes[-1].set_xlabel("time in the recording (s)")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
        figure.suptitle(f"subject {subject}", x=0.01, ha="left", fontsize=9)
        return figure


def draw_map(scan: ScanDetail, subject: str, predictor: str, numbers: NDArray[np.int32], affine: NDArray[np.float64]) -> Figure:
    """Draw r of each target where it lies, on axial slices from below to above.

    Parameters
    ----------
    numbers : int array, shape (X, Y, Z)
        Of targets, from 1; 0 where there is none.
    affine : float64 array, shape (4, 4)
        From voxels to mm.
    """
    width_mm, height_mm = np.linalg.norm(affine[:3, :2], axis=0)
    painted = paint(scan.r_s, numbers, elsewhere=np.nan)
    levels = np.flatnonzero((numbers > 0).any(axis=(0, 1)))
    levels = np.unique(levels[np.linspace(0, len(levels) - 1, _SLICES).round().astype(int)])
    limit = max(0.1, float(np.nanmax(np.abs(scan.r_s))))
    with drawing(1.3 * len(levels) + 0.8, 2.0) as figure:
        axes = figure.subplots(1, len(levels), squeeze=False)[0]
        for axis, level in zip(axes, levels, strict=True):
            image = axis.imshow(painted[:, :, level].T, origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit, aspect=height_mm / width_mm)
            axis.set_facecolor("#dddddd")
            axis.set(xticks=[], yticks=[], title=f"slice {level}")
        figure.colorbar(image, ax=list(axes), label="temporal r", shrink=0.8)
        figure.suptitle(f"subject {subject}, {predictor}", x=0.01, ha="left", fontsize=9)
        return figure


def draw_lags(detail: VolumesDetail, predictor: str) -> Figure:
    """Draw the mean r over targets against a lag of the prediction, a line a test subject: it should peak at zero."""
    # Of a scan of which a part is tested, there may be few volumes.
    most = min(_MOST_LAG, *(len(scan.truth_vs) - 2 for scan in detail.scans.values()))
    lags = np.arange(-most, most + 1)
    with drawing(4.8, 2.8) as figure:
        axis = figure.subplots()
        for subject, scan in detail.scans.items():
            axis.plot(lags / detail.target.sfreq, [_r_at(scan, int(lag)) for lag in lags], label=f"sub-{subject}", color=MODEL, marker=".")
        axis.axvline(0, color=TRUTH, linewidth=0.6)
        axis.axhline(0, color=TRUTH, linewidth=0.6)
        axis.set_xlabel("prediction later by (s)")
        axis.set_ylabel("mean temporal r")
        axis.set_title(f"{predictor}: {', '.join(f'sub-{subject}' for subject in detail.scans)}", loc="left")
        return figure


def _r_at(scan: ScanDetail, lag: int) -> float:
    """Mean r over targets with the prediction moved later by some volumes."""
    n_volumes = len(scan.truth_vs)
    truth_vs = scan.truth_vs[max(lag, 0) : n_volumes + min(lag, 0)]
    predicted_vs = scan.predicted_vs[max(-lag, 0) : n_volumes - max(lag, 0)]
    return float(np.nanmean(score_scan(truth_vs, predicted_vs, truth_vs.mean(axis=0)).r))
