"""Targets among standards: when they come, what they evoke, and what they do to power."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossmodal.config.coupling import Oddball
from preprocessing.simulated.rhythms import POWER_RATE_HZ, Rhythms

TARGET, STANDARD, RESPONSE = "target", "standard", "response"
# The potential (P300) and the change of power peak so long after an event, s.
_EVOKED_S, _EVOKED_WIDTH_S = 0.35, 0.08
_POWER_PEAK_S, _POWER_ENDS_S = 0.6, 5.0
# Of the button, after a target: median, and standard deviation of its logarithm.
_REACTION_S, _REACTION_SPREAD = 0.45, 0.2
_FIRST_S = 5.0


@dataclass(frozen=True)
class OddballEvents:
    """What happened in a run, in order.

    Attributes
    ----------
    onset_s : float64 array, shape (n_events,)
        s from the EEG's first sample.
    trial_type : tuple of str, length n_events
        'target', 'standard', or 'response' for the button that answers a target.
    """

    onset_s: NDArray[np.float64]
    trial_type: tuple[str, ...]

    def sizes(self, settings: Oddball) -> NDArray[np.float64]:
        """What each event does, in units of what a target does; a button does nothing, shape (n_events,)."""
        size = {TARGET: 1.0, STANDARD: settings.standard_ratio, RESPONSE: 0.0}
        return np.array([size[kind] for kind in self.trial_type])


def draw_events(settings: Oddball, duration_s: float, sfreq: float, rng: np.random.Generator) -> OddballEvents:
    """Draw the events of a run that lasts so long; all begin on samples of the EEG."""
    most = int(duration_s / settings.interval_s[0])
    onset_s = _FIRST_S + np.cumsum(rng.uniform(*settings.interval_s, most))
    onset_s = onset_s[onset_s < duration_s - _POWER_ENDS_S]
    is_target = rng.random(len(onset_s)) < settings.target_share
    pressed_s = onset_s[is_target] + _REACTION_S * np.exp(_REACTION_SPREAD * rng.standard_normal(is_target.sum()))
    named = [(onset, TARGET if target else STANDARD) for onset, target in zip(onset_s, is_target, strict=True)]
    ordered = sorted([*named, *((onset, RESPONSE) for onset in pressed_s)])
    return OddballEvents(np.round(np.array([onset for onset, _ in ordered]) * sfreq) / sfreq, tuple(kind for _, kind in ordered))


def log_power_changes(events: OddballEvents, settings: Oddball, rhythms: Rhythms, begin_s: float, n_powers: int) -> NDArray[np.float64]:
    """What events add to the logarithm of power at `POWER_RATE_HZ`, from `begin_s` on, shape (n_rhythms, n_powers)."""
    times_s = begin_s + np.arange(n_powers) / POWER_RATE_HZ
    change_t = np.zeros(n_powers)
    for onset_s, size in zip(events.onset_s, events.sizes(settings), strict=True):
        since = np.clip((times_s - onset_s) / _POWER_PEAK_S, 0.0, None)
        change_t += size * since * np.exp(1 - since)
    return np.outer([settings.log_power.get(band, 0.0) for band in rhythms.bands_g], change_t)


def evoked(events: OddballEvents, settings: Oddball, n_times: int, sfreq: float) -> NDArray[np.float64]:
    """The potential that events evoke, in units of a region's rms, shape (n_times,)."""
    times_s = np.arange(n_times) / sfreq
    potential_t = np.zeros(n_times)
    for onset_s, size in zip(events.onset_s, events.sizes(settings), strict=True):
        inside = slice(*np.searchsorted(times_s, [onset_s, onset_s + _EVOKED_S + 4 * _EVOKED_WIDTH_S]))
        potential_t[inside] += size * np.exp(-0.5 * ((times_s[inside] - onset_s - _EVOKED_S) / _EVOKED_WIDTH_S) ** 2)
    return settings.evoked_moment * potential_t
