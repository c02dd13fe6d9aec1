"""How simulated people differ from the template."""

import numpy as np
from numpy.typing import NDArray

# Rarer people would hardly fit a helmet or a cap.
_LARGEST_DEVIATION = 2.5


def deviates(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Draw standard normal deviates, shape (size,), none farther from the mean than 2.5 standard deviations."""
    return np.clip(rng.standard_normal(size), -_LARGEST_DEVIATION, _LARGEST_DEVIATION)


def tilted(normals: NDArray[np.float64], sd_deg: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Turn unit normals (n, 3), each by an angle of standard deviation `sd_deg` towards a random side."""
    sideways = np.cross(normals, rng.standard_normal(normals.shape))
    sideways /= np.linalg.norm(sideways, axis=1, keepdims=True)
    angle = np.deg2rad(sd_deg) * rng.standard_normal((len(normals), 1))
    return np.cos(angle) * normals + np.sin(angle) * sideways
