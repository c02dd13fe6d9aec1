"""What noise recordings of BOLD have, in time and space: `python -m benchmarks.bold_noise IMAGES`; BoldNoise has its defaults from here.

Voxels are those at least half as bright as the brightest ones, in per cent of their mean, each without its linear drift. Suffixes: n voxel,
v volume, k lag.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.spatial.distance import pdist

Floats = NDArray[np.float64]

# Autocorrelations of shorter runs are too low by about one over their number of volumes.
_FEWEST_VOLUMES = 100
_LAGS = np.arange(1, 6)
_DISTANCES_MM = (0, 3, 5, 8, 12, 20, 40, 90)


def voxels(path: Path) -> tuple[Floats, Floats, float, float]:
    """Read voxels, shape (n_voxels, n_volumes), with their places, mm, the TR, s, and the median of their drifts over the run, per cent."""
    image = nibabel.load(path)
    data = np.asarray(image.dataobj, dtype=np.float64)  # type: ignore[attr-defined]
    *size_mm, tr_s = map(float, image.header.get_zooms())  # type: ignore[no-untyped-call]
    mean = data.mean(axis=3)
    inside = mean > 0.5 * np.percentile(mean, 95)
    percent_nv = 100 * (data[inside] / mean[inside][:, None] - 1)
    trend_v = np.linspace(-1, 1, data.shape[3])
    slope_n = percent_nv @ trend_v / (trend_v @ trend_v)
    return percent_nv - np.outer(slope_n, trend_v), np.argwhere(inside) * size_mm, tr_s, float(np.median(np.abs(2 * slope_n)))


def in_time(percent_nv: Floats, tr_s: float) -> str:
    """Fit the autocorrelation of a coloured part, an AR(1), and a white one."""
    power_n = (percent_nv**2).mean(axis=1)
    found_k = np.array([((percent_nv[:, k:] * percent_nv[:, :-k]).mean(axis=1) / power_n).mean() for k in _LAGS])
    (share, time_s), _ = curve_fit(lambda k, share, time_s: share * np.exp(-k * tr_s / time_s), _LAGS, found_k, p0=(0.6, 4.0))
    told = ", ".join(f"{r:.2f}" for r in found_k)
    return f"autocorrelation {told}: {share:.2f} of the variance with {time_s:.1f} s; sd {np.median(np.sqrt(power_n)):.2f} %"


def in_space(percent_nv: Floats, places_mm: Floats) -> str:
    """Correlation of voxels by their distance."""
    unit_nv = percent_nv / np.linalg.norm(percent_nv, axis=1, keepdims=True)
    distance, r = pdist(places_mm), (unit_nv @ unit_nv.T)[np.triu_indices(len(unit_nv), 1)]
    parts = []
    for low, high in pairwise(_DISTANCES_MM):
        chosen = (distance > low) & (distance <= high)
        if chosen.any():
            parts.append(f"{distance[chosen].mean():.0f} mm {r[chosen].mean():.3f}")
    return "r at " + ", ".join(parts)


def main() -> None:
    """Print the figures of each image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="+", type=Path)
    for path in parser.parse_args().images:
        percent_nv, places_mm, tr_s, drift = voxels(path)
        time = in_time(percent_nv, tr_s) if percent_nv.shape[1] >= _FEWEST_VOLUMES else "too short for its autocorrelation"
        print(f"{path.name}: {time}; drift {drift:.2f} %; {in_space(percent_nv, places_mm)}")


if __name__ == "__main__":
    main()
