"""Tell whether places lie on a head, and which unit of length would put them there."""

import numpy as np
from numpy.typing import NDArray

METRES = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001}
# From a newborn's head to a large adult's with thick hair. No two units of length fit the same places: their steps are tens, this one is 3.
_SMALLEST_M, _LARGEST_M = 0.05, 0.15
# A sphere has four unknowns; through fewer places, or places closer together, spheres of any size can be laid.
_FEWEST_PLACES, _LEAST_SPREAD_M = 5, 0.02
# What lies farther, or is no number, as damaged files hold, is in no unit and would overflow where a sphere is fitted.
_ANY_UNIT_M = 1e6


def sphere_of(places_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Centre, shape (3,), and radius, m, of the sphere that fits places, shape (n, 3), best.

    Notes
    -----
    Source: Coope (1993), J. Optim. Theory Appl. 76:381-388: |p|^2 = 2 p.c + (r^2 - |c|^2) is linear in its unknowns.
    """
    middle_m = places_m.mean(axis=0)
    centred = places_m - middle_m
    design = np.column_stack([2 * centred, np.ones(len(centred))])
    solution = np.linalg.lstsq(design, (centred**2).sum(axis=1), rcond=None)[0]
    return middle_m + solution[:3], float(np.sqrt(solution[3] + (solution[:3] ** 2).sum()))


def head_radius_m(places_m: NDArray[np.float64]) -> float:
    """Radius of a head by places on it, shape (n, 3), at least one: their median distance from the origin, as that lies within a head.

    Where it does not, as in coordinates of a scanner, the radius is that of the sphere that fits, if they are enough and apart.
    """
    if not (np.abs(places_m) < _ANY_UNIT_M).all():
        return np.inf
    radius_m = float(np.median(np.linalg.norm(places_m, axis=1)))
    if _is_head(radius_m) or len(places_m) < _FEWEST_PLACES or spread_m(places_m) < _LEAST_SPREAD_M:
        return radius_m
    sphere_m = sphere_of(places_m)[1]
    return sphere_m if _is_head(sphere_m) else radius_m


def fits_head(places_m: NDArray[np.float64]) -> bool:
    """Tell whether places, shape (n, 3), lie on a head of 5 to 15 cm in radius."""
    return not len(places_m) or _is_head(head_radius_m(places_m))


def holds_origin(places_m: NDArray[np.float64]) -> bool:
    """Tell whether the origin lies within the head that places are on."""
    return _is_head(float(np.median(np.linalg.norm(places_m, axis=1))))


def fitting_unit(places: NDArray[np.float64]) -> str | None:
    """Name the unit of length in which places, shape (n, 3), lie on a head; None where none does."""
    return next((unit for unit, metre in METRES.items() if fits_head(metre * places)), None)


def misfit(places_m: NDArray[np.float64], unit: str) -> str:
    """Say how far places that fit no head lie from its middle, and which unit would fit instead of the one they are taken in."""
    fitting = fitting_unit(places_m / METRES[unit])
    if fitting:
        advice = f"the unit '{fitting}' would fit, not '{unit}'"
    else:
        factor = next((factor for factor in (10, 100, 1000) if fits_head(factor * places_m)), None)
        advice = f"the unit is not '{unit}', but {factor} times that" if factor else "no unit of length makes that a head"
    length_m = head_radius_m(places_m)
    return f"would be {length_m:.3g} m from the middle of the head, whose radius is 0.05 to 0.15 m: {advice}"


def spread_m(places_m: NDArray[np.float64]) -> float:
    """Root mean square distance of places, shape (n, 3), from their mean."""
    return float(np.sqrt(((places_m - places_m.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _is_head(radius_m: float) -> bool:
    return _SMALLEST_M <= radius_m <= _LARGEST_M
