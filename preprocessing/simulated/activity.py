"""What regions do over a run: power that EEG shows, power that it does not, and which of them BOLD follows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.simulation import EegFmriSimulation
from crossmodal.physics.haemodynamics import RESPONSE_LENGTH_S
from preprocessing.simulated.oddball import OddballEvents, draw_events, log_power_changes
from preprocessing.simulated.rhythms import POWER_RATE_HZ, PersonCoupling, Rhythms


@dataclass(frozen=True)
class Activity:
    """Activity at `POWER_RATE_HZ`, from a response's length before the EEG begins: blood follows what happened before, too.

    Attributes
    ----------
    power_gt : float64 array, shape (n_rhythms, n_powers)
        Relative power of each rhythm in the EEG.
    driving_rt : float64 array, shape (n_regions, n_powers)
        What BOLD follows, in units of `change_percent`.
    events : OddballEvents, optional
        None at rest.
    """

    power_gt: NDArray[np.float64]
    driving_rt: NDArray[np.float64]
    events: OddballEvents | None


def draw_activity(
    simulation: EegFmriSimulation,
    rhythms: Rhythms,
    coupling: PersonCoupling,
    run: int,
    duration_s: float,
    rng: np.random.Generator,
    seeds: Sequence[int],
) -> Activity:
    """Draw the activity of a run.

    Parameters
    ----------
    run : int
        Its number within the session, which says whether there are events.
    rng : numpy.random.Generator
        Draws the power that EEG shows.
    seeds : sequence of int
        Of all else that is drawn: it comes from generators of its own, so that a null cohort's EEG is its twin's to the last sample.
    """
    n_powers = round((RESPONSE_LENGTH_S + duration_s) * POWER_RATE_HZ) + 1
    log_power_gt = rhythms.draw_power(simulation, n_powers, rng)
    hidden_gt = np.exp(rhythms.draw_power(simulation, n_powers, np.random.default_rng([*seeds, 1])))
    events = None
    if simulation.oddball and run in simulation.oddball.runs:
        events = draw_events(simulation.oddball, duration_s, simulation.sfreq, np.random.default_rng([*seeds, 3]))
        log_power_gt += log_power_changes(events, simulation.oddball, rhythms, -RESPONSE_LENGTH_S, n_powers)
    power_gt = np.exp(log_power_gt)
    shown_rt, hidden_rt = (coupling.strength_rg @ (each_gt - 1) for each_gt in (power_gt, hidden_gt))
    return Activity(power_gt, np.where(coupling.is_shown_r[:, None], shown_rt, hidden_rt), events)
