"""How well a prediction follows the volumes of one scan: in time, target by target, and as images.

Shape suffixes: v volume, s target.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A convolution with 11 x 11 x 11 weights a volume costs more than all else; so many volumes, evenly spaced, settle two digits.
_IMAGES = 16
# Of a deviation, relative to the mean: below it there is nothing but rounding.
_CONSTANT = 1e-6
# The Gaussian of SSIM reaches five voxels to each side, and images are mirrored at their borders.
_LEAST_SIZE = 6


@dataclass(frozen=True)
class ScanMetrics:
    """Figures of one scan, a number a target, shape (n_targets,); NaN where the truth never changes.

    Attributes
    ----------
    r : float64 array
        Temporal Pearson correlation; 0 where the prediction never changes.
    r2 : float64 array
        1 - squared error / variance, both of what is left when each scan's own mean is taken off.
    skill : float64 array
        1 - squared error / that of the mean volume of training, of values as they are.
    """

    r: Floats
    r2: Floats
    skill: Floats


def score_scan(truth_vs: NDArray[np.floating], predicted_vs: NDArray[np.floating], training_mean_s: NDArray[np.floating]) -> ScanMetrics:
    """Score the prediction of one scan, unfiltered.

    Parameters
    ----------
    truth_vs, predicted_vs : array, shape (n_volumes, n_targets)
        In one unit; good volumes alone.
    training_mean_s : array, shape (n_targets,)
        The mean volume of training.
    """
    change_vs, predicted_change_vs = (demeaned(each_vs.astype(np.float64)) for each_vs in (truth_vs, predicted_vs))
    sum_sq_s = np.square(change_vs).sum(axis=0)
    power_s = sum_sq_s * np.square(predicted_change_vs).sum(axis=0)
    product_s = (change_vs * predicted_change_vs).sum(axis=0)
    defined = sum_sq_s > 0
    r_s = np.divide(product_s, np.sqrt(power_s), out=np.zeros_like(product_s), where=power_s > 0)
    error_s, mean_error_s = (np.square(truth_vs - said, dtype=np.float64).sum(axis=0) for said in (predicted_vs, training_mean_s))
    r2_s = 1 - np.square(change_vs - predicted_change_vs).sum(axis=0) / np.where(defined, sum_sq_s, 1.0)
    skill_s = 1 - error_s / np.where(defined, mean_error_s, 1.0)
    return ScanMetrics(*(np.where(defined, figure_s, np.nan) for figure_s in (r_s, r2_s, skill_s)))


def mean_over_targets(figure_s: Floats, inside_s: NDArray[np.bool_]) -> float:
    """Mean over the targets inside a mask in which a figure is defined; NaN where it is in none."""
    chosen_s = figure_s[inside_s & ~np.isnan(figure_s)]
    return float(chosen_s.mean()) if len(chosen_s) else float("nan")


def mean_over_scans(scans: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each figure over a subject's scans, which are never joined; NaN where it is undefined in one."""
    return {name: float(np.mean([scan[name] for scan in scans])) for name in scans[0]}


def score_images(truth_vs: NDArray[np.floating], predicted_vs: NDArray[np.floating], mask: NDArray[np.bool_]) -> dict[str, float]:
    """Compare volumes as images: structural similarity, peak signal-to-noise ratio (dB) and root mean square error.

    Anatomy makes most of the first two: a subject's mean volume has an SSIM near 1. So they stand beside that of the mean volume.

    Parameters
    ----------
    truth_vs, predicted_vs : array, shape (n_volumes, n_targets)
        Of one scan, in one unit.
    mask : bool array, shape (X, Y, Z)
        Voxels that are compared, in C order.

    Returns
    -------
    dict of str to float
        'ssim', 'psnr' and 'rmse'; the first is NaN on a grid of fewer than six voxels a side.

    Notes
    -----
    Source: torchmetrics; SSIM of Wang et al. (2004), IEEE Trans. Image Process. 13:600-612, in three dimensions with a Gaussian of 1.5
    voxels, over up to 16 volumes. The data range is the true scan's own inside the mask, from its least to its largest value, whoever
    predicts. Outside the mask both images hold the mean of the true scan, and the map of SSIM is averaged over the mask alone. With zeros
    there, both images would share an edge as high as the signal itself: it drowns all contrast inside, and SSIM is 1 whoever predicts.
    A data range that includes zero would raise SSIM's constants, and hide contrast even more.
    """
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    data_range, mean = float(truth_vs.max() - truth_vs.min()), float(truth_vs.mean(dtype=np.float64))
    error_rms = float(np.sqrt(np.square(truth_vs.astype(np.float64) - predicted_vs).mean()))
    truth, predicted = (torch.from_numpy(np.ascontiguousarray(each_vs, dtype=np.float64)) for each_vs in (truth_vs, predicted_vs))
    figures = {"ssim": float("nan"), "psnr": float(peak_signal_noise_ratio(predicted, truth, data_range=data_range)), "rmse": error_rms}
    if min(mask.shape) >= _LEAST_SIZE:
        chosen = np.unique(np.linspace(0, len(truth_vs) - 1, _IMAGES).round().astype(int))
        images, true_images = (_images(each_vs[chosen], mask, mean) for each_vs in (predicted_vs, truth_vs))
        _, similarity = structural_similarity_index_measure(images, true_images, data_range=data_range, return_full_image=True)
        figures["ssim"] = float(similarity[:, 0, torch.from_numpy(mask)].mean())
    return figures


def _images(values_vs: NDArray[np.floating], mask: NDArray[np.bool_], elsewhere: float) -> torch.Tensor:
    """Put voxels where they lie, one value elsewhere, shape (n_volumes, 1, X, Y, Z)."""
    # A convolution in double precision would take a hundred gigabytes.
    images = np.full((len(values_vs), 1, *mask.shape), elsewhere, dtype=np.float32)
    images[:, 0, mask] = values_vs
    return torch.from_numpy(images)


def demeaned(x_vs: Floats) -> Floats:
    """Take each target's mean over volumes off; what is left is zero where it is rounding."""
    left_vs = x_vs - x_vs.mean(axis=0)
    left_vs[:, left_vs.std(axis=0) <= _CONSTANT * np.abs(x_vs).max(axis=0)] = 0.0
    return left_vs
