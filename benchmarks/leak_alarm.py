"""How often the leak alarm is raised without a leak, and how often with one: `python -m benchmarks.leak_alarm RUNS`.

Signals are as hard as real ones: aperiodic (1/f^slope) above a high-pass filter, of sources that many sensors share, in few windows.
Predictions are other people's signals, which is cheap, or learned as models are: by ridges of all other subjects from an input that is
independent of the target. Suffixes: b window, s sensor, t time.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, stats

from crossmodal.datasets.windows import WindowSet
from crossmodal.evaluation.leaks import FALSE_ALARMS, find_leaks
from crossmodal.evaluation.scores import FoldScores, Score
from crossmodal.tasks.sensors.own_windows import OwnWindows

Array = NDArray[np.float64]

ROWS = tuple(f"row {number}" for number in range(1, 6))


@dataclass(frozen=True)
class Kind:
    """Windows of one subject.

    Attributes
    ----------
    slope : float
        Power falls as 1/f^slope above `highpass_hz`.
    evoked : float
        Standard deviations of a response that recurs in each window, with a gain of each window's own; then windows are 2 s apart.
    learned : bool
        Predictions without a leak are learned.
    """

    name: str
    n_windows: int = 24
    length_s: float = 2.0
    sfreq: float = 50.0
    n_sensors: int = 30
    n_sources: int = 30
    slope: float = 1.0
    highpass_hz: float = 0.1
    evoked: float = 0.0
    learned: bool = False


KINDS = (
    Kind("24 windows of 2 s"),
    Kind("8 windows of 2 s", n_windows=8),
    Kind("48 windows of 1 s, 1/f^2", n_windows=48, length_s=1.0, slope=2.0),
    Kind("24 windows of 1 s, 4 sensors, 1/f^3", length_s=1.0, n_sensors=4, n_sources=4, slope=3.0),
    Kind("24 epochs of 1 s, evoked", length_s=1.0, highpass_hz=0.5, evoked=3.0),
    Kind("24 windows of 2 s, learned", learned=True),
)
# Samples before each sample that rows of learned predictions read of so many input sensors.
LAGS, INPUTS = (1, 2, 4, 8, 16), 8


def draw(kind: Kind, rng: np.random.Generator) -> Array:
    """Draw windows of one subject, (n_windows, n_sensors, n_times)."""
    n_times = round(kind.length_s * kind.sfreq)
    step = n_times + (round(2 * kind.sfreq) if kind.evoked else 0)
    n_samples = kind.n_windows * step
    # Twice as long as needed: the end does not lead into the beginning.
    frequencies_hz = fft.rfftfreq(2 * n_samples, 1 / kind.sfreq)
    amplitude_f = np.where(frequencies_hz < kind.highpass_hz, 0, np.maximum(frequencies_hz, kind.highpass_hz) ** (-kind.slope / 2))
    noise_cf = rng.standard_normal((2, kind.n_sources, len(frequencies_hz)))
    sources_ct = fft.irfft(amplitude_f * (noise_cf[0] + 1j * noise_cf[1]), axis=1)[:, :n_samples]
    strength_c = np.exp(-3 * np.arange(kind.n_sources) / kind.n_sources)
    y_st = (rng.standard_normal((kind.n_sensors, kind.n_sources)) * strength_c) @ sources_ct
    y_bst = y_st.reshape(kind.n_sensors, kind.n_windows, step)[..., :n_times].transpose(1, 0, 2) / y_st.std()
    if kind.evoked:
        response_t = np.exp(-(((np.arange(n_times) / kind.sfreq - 0.3) / 0.05) ** 2))
        gain_b = 1 + 0.5 * rng.standard_normal(kind.n_windows)
        y_bst = y_bst + kind.evoked * np.einsum("b,s,t->bst", gain_b, rng.standard_normal(kind.n_sensors), response_t)
    return y_bst


def leaking(truth_bst: Array, other_bst: Array, explained: float) -> Array:
    """The prediction that knows so much of the truth as to explain that share of its variance, and nothing else."""
    noise = np.sqrt(explained * (1 - explained)) * truth_bst.std() / other_bst.std()
    return explained * truth_bst + noise * other_bst


def chances(truth_bst: Array, predicted: dict[str, Array]) -> dict[str, float]:
    """What `OwnWindows` tells of each prediction."""
    n_windows, n_sensors, n_times = truth_bst.shape
    windows = WindowSet(np.zeros(n_windows, dtype=np.int64), np.arange(n_windows) * n_times, n_times, None)
    types = ("mag",) * n_sensors
    own = OwnWindows(types, windows)
    own.add(np.arange(n_windows), truth_bst, predicted)
    return {name: own.p(name, "mag") for name in predicted}


def fold_of(subject: str, p_of_row: dict[str, float], explained: float = 0.1) -> FoldScores:
    """Scores of one subject where the oracle knows nothing; all are above 0, which by chance only some would be."""
    about = {"subject": subject, "channel_type": "mag"}
    scores = [Score(predictor=name, role="baseline", score=explained, chance_p=p, **about) for name, p in p_of_row.items()]
    oracle = Score(predictor="oracle", role="ceiling", score=0.0, standard_error=0.0, **about)
    return FoldScores(run="r", fold=subject, label="", bounded=True, scores=(*scores, oracle))


def null_run(kind: Kind, n_subjects: int, rng: np.random.Generator) -> list[FoldScores]:
    """One run without a leak: each subject has a target and a prediction a row, which knows nothing of it.

    Predictions that are not learned are other people's signals, of whom no two are compared twice.
    """
    people = [draw(kind, rng) for _ in range(n_subjects if kind.learned else n_subjects + len(ROWS))]
    truths = people[:n_subjects]
    if kind.learned:
        predicted = learned(kind, truths, rng)
    else:
        predicted = [dict(zip(ROWS, people[subject + 1 :], strict=False)) for subject in range(n_subjects)]
    return [fold_of(str(subject), chances(*both)) for subject, both in enumerate(zip(truths, predicted, strict=True))]


def learned(kind: Kind, truths: list[Array], rng: np.random.Generator) -> list[dict[str, Array]]:
    """Predict each subject by ridges of all others, a row a number of lags, from an input that knows nothing of any target."""
    inputs = [draw(kind, rng)[:, :INPUTS] for _ in truths]
    predicted: list[dict[str, Array]] = [{} for _ in truths]
    for name, n_lags in zip(ROWS, LAGS, strict=True):
        lagged = [_lagged(x_bst, n_lags) for x_bst in inputs]
        grams = [np.einsum("bpt,bqt->pq", x_bpt, x_bpt, optimize=True) for x_bpt in lagged]
        crosses = [np.einsum("bpt,bst->ps", x_bpt, y_bst, optimize=True) for x_bpt, y_bst in zip(lagged, truths, strict=True)]
        for subject, x_bpt in enumerate(lagged):
            gram, cross = sum(grams) - grams[subject], sum(crosses) - crosses[subject]
            weights_ps = np.linalg.solve(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)), cross)
            predicted[subject][name] = np.einsum("ps,bpt->bst", weights_ps, x_bpt, optimize=True)
    return predicted


def _lagged(x_bst: Array, n_lags: int) -> Array:
    """Sensors at so many lags, (n_windows, n_sensors * n_lags, n_times), zero before a window begins."""
    n_times = x_bst.shape[2]
    return np.concatenate([np.pad(x_bst, ((0, 0), (0, 0), (lag, 0)))[..., :n_times] for lag in range(n_lags)], axis=1)


def finds(kind: Kind, n_subjects: int, explained: float, rng: np.random.Generator) -> bool:
    """Whether one leaking subject among many is named, and nobody else."""
    truth_bst = draw(kind, rng)
    predicted = {ROWS[0]: leaking(truth_bst, draw(kind, rng), explained)}
    innocent = [fold_of(str(subject), dict.fromkeys(ROWS, 1.0)) for subject in range(1, n_subjects)]
    leaky = fold_of("0", dict.fromkeys(ROWS, 1.0) | chances(truth_bst, predicted), explained)
    return find_leaks([leaky, *innocent]) == {("mag", ROWS[0]): ("0",)}


def interval(alarms: int, runs: int) -> str:
    """Tell the exact 95 % interval of a rate (Clopper and Pearson 1934)."""
    low, high = stats.binomtest(alarms, runs).proportion_ci()
    return f"{alarms} false alarms in {runs} runs (95 % interval of the rate {low:.1e} to {high:.1e}, wanted {FALSE_ALARMS:.0e})"


def main() -> None:
    """Print both, a line a kind of signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int, help="runs without a leak of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="kinds whose name begins so")
    options = parser.parse_args()
    rng, runs, alarms = np.random.default_rng(options.seed), options.runs, 0
    kinds = [kind for kind in KINDS if kind.name.startswith(options.only)]
    for kind in kinds:
        null = [null_run(kind, 8, rng) for _ in range(runs)]
        of_kind = sum(bool(find_leaks(folds)) for folds in null)
        p = np.array([score.chance_p for folds in null for fold in folds for score in fold.scores[:-1]], dtype=float)
        below = ", ".join(f"{level:g}: {np.mean(p < level):.2g}" for level in (0.1, 0.01, 1e-3, 1e-4))
        print(f"{kind.name}: {interval(of_kind, runs)}; share of {len(p)} p below {below}; least {p.min():.1e}", flush=True)
        alarms += of_kind
        for explained in () if kind.learned else (0.01, 0.05, 0.2, 0.999):
            shares = [np.mean([finds(kind, n, explained, rng) for _ in range(50)]) for n in (4, 8, 16)]
            print(
                f"  explained variance {explained:g}: found in one of 4, 8, 16: {', '.join(f'{share:.2f}' for share in shares)}", flush=True
            )
    print(f"all kinds: {interval(alarms, runs * len(kinds))}")


if __name__ == "__main__":
    main()
