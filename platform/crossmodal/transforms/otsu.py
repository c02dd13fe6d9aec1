"""Divide values into a lower and an upper class.

Shapes: b samples, r values of a sample.
"""

import numpy as np
from numpy.typing import NDArray


def above_otsu(values_br: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Values of the upper class, where two classes differ most in mean: between-class variance is largest.

    It is exact, without a histogram. Source: Otsu (1979), "A threshold selection method from gray-level histograms", IEEE Trans. Syst. Man
    Cybern. 9:62-66.

    Returns
    -------
    bool array, shape (n_samples, n_regions)
        None of values that are all the same.
    """
    n_values = values_br.shape[1]
    descending_br = -np.sort(-values_br, axis=1)
    n_upper = np.arange(1, n_values)
    sum_br = descending_br.cumsum(axis=1)
    upper_br, lower_br = sum_br[:, :-1] / n_upper, (sum_br[:, -1:] - sum_br[:, :-1]) / (n_values - n_upper)
    split_b1 = (n_upper * (n_values - n_upper) * (upper_br - lower_br) ** 2).argmax(axis=1, keepdims=True)
    threshold_b1 = np.take_along_axis(descending_br, split_b1, axis=1)
    found_br: NDArray[np.bool_] = (values_br >= threshold_b1) & (threshold_b1 > descending_br[:, -1:])
    return found_br
