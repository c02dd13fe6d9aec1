"""What oscillates in a simulated cortex, and how the BOLD of regions follows its power.

A rhythm is one band of one region. Shape suffixes: r region, g rhythm, t power in time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.physics.haemodynamics import PEAK_S
from preprocessing.simulated.body import slow_noise

# Power changes within seconds and blood slower still.
POWER_RATE_HZ = 10.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rhythms:
    """All rhythms of a cohort, the bands of the first region first.

    Attributes
    ----------
    region_g : int array
        Counted from 0.
    bands_g : tuple of str
        Names.
    hz_g2 : float64 array
        Lower and upper end.
    moment_g : float64 array
        Rms, in units of the cohort's `region_moment_am`.
    """

    region_g: NDArray[np.intp]
    bands_g: tuple[str, ...]
    hz_g2: Floats
    moment_g: Floats

    @classmethod
    def of(cls, simulation: EegFmriSimulation) -> "Rhythms":
        """Lay out the rhythms: one in each region, where nothing is said of coupling."""
        if simulation.coupling is None:
            bands = {"{:g}-{:g} Hz".format(*simulation.band_hz): (*simulation.band_hz, 1.0)}
        else:
            bands = {name: (*band.hz, band.moment) for name, band in simulation.coupling.bands.items()}
        of_region = np.array(list(bands.values()))
        all_g3 = np.tile(of_region, (simulation.regions, 1))
        region_g = np.repeat(np.arange(simulation.regions), len(bands))
        return cls(region_g, tuple(bands) * simulation.regions, all_g3[:, :2], all_g3[:, 2])

    def draw_power(self, simulation: EegFmriSimulation, n_powers: int, rng: np.random.Generator) -> Floats:
        """Draw the logarithm of power that has a mean of one, shape (n_rhythms, n_powers)."""
        width = simulation.power_time_s * POWER_RATE_HZ
        return slow_noise(len(self.region_g), n_powers, width, rng, simulation.power_depth) - simulation.power_depth**2 / 2


@dataclass(frozen=True)
class PersonCoupling:
    """How BOLD of one person follows power.

    Attributes
    ----------
    strength_rg : float64 array
        In units of `change_percent`, whether EEG shows the power or not.
    is_shown_r : bool array
        Whether EEG shows the power that a region follows.
    peak_s_r : float64 array
        When the response to an impulse peaks.
    """

    strength_rg: Floats
    is_shown_r: NDArray[np.bool_]
    peak_s_r: Floats


def draw_coupling(simulation: EegFmriSimulation, rhythms: Rhythms, label: str, session: int) -> PersonCoupling:
    """Draw how one person's BOLD follows power in a session; the same every time."""
    n_regions, coupling = simulation.regions, simulation.coupling
    own_rg = rhythms.region_g == np.arange(n_regions)[:, None]
    if coupling is None:
        shown_r = np.full(n_regions, simulation.cohort == "coupled")
        return PersonCoupling(own_rg.astype(np.float64), shown_r, np.full(n_regions, PEAK_S))
    settings = [coupling.regions[region % len(coupling.regions)] for region in range(n_regions)]
    strength_rg = np.array([[each.strength.get(band, 0.0) for band in rhythms.bands_g] for each in settings]) * own_rg
    is_shown_r = np.array([each.is_shown for each in settings]) & (simulation.cohort == "coupled")
    # No person has the number 0, and no session.
    of_cohort, of_person, of_session = (
        np.random.default_rng([simulation.seed, *numbers]) for numbers in ((0, 6), (int(label), 6), (int(label), 6, session))
    )
    n_rhythms = len(rhythms.region_g)
    log_gain_g = coupling.subject_spread * of_person.standard_normal(n_rhythms)
    log_gain_g += coupling.session_spread * of_session.standard_normal(n_rhythms)
    peak_s_r = of_cohort.uniform(*coupling.peak_s, n_regions) + coupling.peak_spread_s * of_person.standard_normal(n_regions)
    return PersonCoupling(strength_rg * np.exp(log_gain_g), is_shown_r, np.clip(peak_s_r, *coupling.peak_s))
