"""What a ridge explains of MEG, and how many samples stay, where EEG and MEG share four artifacts of half a second a minute.

In the null cohort they share nothing else, so that the interval over subjects should not lie above zero; in the coupled one they share all,
and the score should be what it is without artifacts. Five simulated subjects of two minutes, with eyes and heart, every third electrode and
every fifth magnetometer. Artifacts have one topography in all subjects and either sign; in MEG they are as large beside its deviation as in
EEG. They are annotated, annotated late, or found by their range alone. A line of 50 Hz, where there is one, is shared, too: where it is
left, it is what predicts, with artifacts and without.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy import stats
from threadpoolctl import threadpool_limits

from crossmodal.config.cleaning import Ica, LineNoise
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.config.simulation import Simulation
from crossmodal.datasets.recording import Recording
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording
from preprocessing.simulated.recording import sensor_patterns, simulate_run, subject_truth
from preprocessing.simulated.subject import draw_subject, template_conductor

SFREQ, DURATION_S, SUBJECTS, LENGTH_S, A_MINUTE = 200.0, 120.0, 5, 0.5, 4
LINE_HZ, LATE_S = 50.0, 0.03
TYPES = {"EEG061": "eog", "EEG062": "eog", "EEG063": "ecg", "EEG064": "misc"}
ARTIFACTS = (("none", 0.0), ("pulse", 5e-4), ("box", 5e-4), ("box", 2e-3), ("box", 1e-2), ("step", 2e-3))


@dataclass(frozen=True)
class Condition:
    """A row of the table; without `late_s`, artifacts are not annotated."""

    name: str
    chosen: dict[str, object]
    late_s: float | None = 0.0
    cohort: str = "null"
    line: bool = False


_SLOW: dict[str, object] = {"highpass_hz": 0.1}
_FAST: dict[str, object] = {"lowpass_hz": 80.0, "sfreq": None}
_LIMIT: dict[str, object] = {"peak_to_peak_v": 3e-4}
CONDITIONS = (
    Condition("null, 0.5 Hz", {}),
    Condition("null, 0.1 Hz", _SLOW),
    Condition("null, 0.5 Hz, 30 ms late", {}, LATE_S),
    Condition("null, 0.1 Hz, 30 ms late", _SLOW, LATE_S),
    Condition("null, 0.5 Hz, not annotated", _LIMIT, None),
    Condition("null, 0.1 Hz, not annotated", _LIMIT | _SLOW, None),
    Condition("null, 0.5 Hz, annotated and looked for", _LIMIT),
    Condition("null, 0.1 Hz, annotated and looked for", _LIMIT | _SLOW),
    Condition("null, 0.5 Hz, ICA", {"ica": Ica()}),
    Condition("null, line removed", _FAST | {"line_noise": LineNoise(line_hz=LINE_HZ)}, line=True),
    Condition("null, line left", _FAST, line=True),
    Condition("coupled, 0.5 Hz", {}, cohort="coupled"),
    Condition("coupled, 0.1 Hz", _SLOW, cohort="coupled"),
)


def main() -> None:
    """Measure and print each condition with each kind of artifact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="conditions whose name begins so")
    options = parser.parse_args()
    conditions = [condition for condition in CONDITIONS if condition.name.startswith(options.only)]
    table = Table("", *(f"{shape} {1e3 * amplitude_v:g} mV" for shape, amplitude_v in ARTIFACTS), box=None)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as scratch:
        cohorts = {name: list(simulated(name)) for name in dict.fromkeys(condition.cohort for condition in conditions)}
        for condition in conditions:
            table.add_row(condition.name, *cells(cohorts[condition.cohort], condition, Path(scratch)))
    Console(width=160).print(table)


def simulated(cohort: str) -> Iterator[mne.io.RawArray]:
    """Simulate each subject."""
    simulation = Simulation.model_validate(
        {"root": "unused", "cohort": cohort, "duration_s": DURATION_S, "sfreq": SFREQ, "n_dipoles": 300, "subjects": SUBJECTS}
    )
    conductor = template_conductor(simulation)
    for number in range(1, SUBJECTS + 1):
        subject = draw_subject(simulation, f"{number:02d}", conductor)
        run = simulate_run(subject, subject_truth(subject, simulation), sensor_patterns(subject), simulation, 1)
        raw = mne.io.RawArray(run.data, subject.info.copy(), verbose="error")
        sensors = (*mne.pick_types(raw.info, meg="mag")[::5], *mne.pick_types(raw.info, eeg=True)[:60:3])
        yield raw.pick([*(raw.ch_names[index] for index in sensors), *TYPES])


def cells(cohort: list[mne.io.RawArray], condition: Condition, scratch: Path) -> Iterator[str]:
    """Score one condition with each kind of artifact."""
    for shape, amplitude_v in ARTIFACTS:
        made = []
        for seed, raw in enumerate(cohort):
            copy = raw.copy()
            if condition.line:
                add(copy, np.sin(2 * np.pi * LINE_HZ * copy.times), 5e-5)
            if amplitude_v:
                add_artifacts(copy, shape, amplitude_v, condition.late_s, seed)
            made.append(preprocessed(copy, condition.chosen, scratch))
        mean, half_width = explained(made)
        yield f"{mean:+.4f} ± {half_width:.4f}, {np.mean([each.good.mean() for each in made]):.1%}"


def add_artifacts(raw: mne.io.RawArray, shape: str, amplitude_v: float, late_s: float | None, seed: int) -> None:
    """Add artifacts in place, and annotate them so late."""
    rng, length, n = np.random.default_rng(seed), round(LENGTH_S * SFREQ), round(A_MINUTE * DURATION_S / 60)
    onset_s = DURATION_S / n * (np.arange(n) + rng.uniform(0.1, 0.8, n))
    course_t = np.zeros(len(raw.times))
    for onset in np.round(onset_s * SFREQ).astype(int):
        sign = rng.choice([-1, 1])
        if shape == "step":
            course_t[onset:] += sign
        else:
            inside_t = np.ones(length) if shape == "box" else np.sin(np.pi * (np.arange(length) + 0.5) / length)
            course_t[onset : onset + length] = sign * inside_t
    add(raw, course_t, amplitude_v)
    if late_s is not None:
        raw.set_annotations(mne.Annotations(onset_s + late_s, LENGTH_S, "BAD_artifact"))


def add(raw: mne.io.RawArray, course_t: NDArray[np.float64], amplitude_v: float) -> None:
    """Add a course in place to EEG, up to so many volts, and to MEG, as large beside its deviation, by one topography."""
    kinds, rng = np.array(raw.get_channel_types()), np.random.default_rng(99)
    # Eyes and heart, which are still called EEG here, come last.
    kinds[-len(TYPES) :] = "none"
    deviation_v = raw._data[kinds == "eeg"].std()
    for kind in ("eeg", "mag"):
        rows = np.flatnonzero(kinds == kind)
        gain_c = rng.standard_normal(len(rows))
        amplitude = amplitude_v / deviation_v * raw._data[rows].std()
        raw._data[rows] += amplitude * np.outer(gain_c / np.abs(gain_c).max(), course_t)


def preprocessed(raw: mne.io.RawArray, chosen: dict[str, object], scratch: Path) -> Recording:
    """Take a recording through steps, by way of a file."""
    path = scratch / "a_raw.fif"
    raw.save(path, overwrite=True, verbose="error")
    recordings = FileRecordings(files=(FileEntry(path=str(path), subject="01"),), channel_types=TYPES)
    (entry,) = list_recordings(recordings)
    return preprocess_recording(entry, recordings, Preprocessing.model_validate(chosen), scratch)


def explained(made: list[Recording]) -> tuple[float, float]:
    """Mean over subjects of what the ridge of all others explains, and the half-width of its 95 % interval."""
    signals = [(good_samples(each, "eeg", 1e5), good_samples(each, "meg", 1e12)) for each in made]
    moments = [(x_tc.T @ x_tc, x_tc.T @ y_tc) for x_tc, y_tc in signals]
    scores = []
    for subject, (x_tc, y_tc) in enumerate(signals):
        others = [moment for index, moment in enumerate(moments) if index != subject]
        gram, cross = (np.sum([moment[which] for moment in others], axis=0) for which in (0, 1))
        weights = np.linalg.solve(gram + 1e-3 * np.trace(gram) / len(gram) * np.eye(len(gram)), cross)
        scores.append(1 - np.sum((y_tc - x_tc @ weights) ** 2) / np.sum(y_tc**2))
    half_width = stats.t.ppf(0.975, len(scores) - 1) * np.std(scores, ddof=1) / np.sqrt(len(scores))
    return float(np.mean(scores)), float(half_width)


def good_samples(made: Recording, modality: str, per_unit: float) -> NDArray[np.float64]:
    """Samples of a modality that are not masked, shape (n_good, C)."""
    return per_unit * made.signals[modality].data_tc[made.good].astype(np.float64)


if __name__ == "__main__":
    main()
