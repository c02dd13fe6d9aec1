"""What each step of ds000117.yaml takes: core time and memory of one recording, its steps switched on one after another.

The recording is a simulated one, since components need eyes and a heart: ds000117's sensors at their places in the helmet, its 404 channels
at 1100 Hz as FIF in float32. Each chain of steps runs in a process of its own that has imported everything, keeps the memory it frees as
workers do, and has one core; the median of core times and the largest peak are told. Core time of everything but independent components
goes with samples, so that a recording may be shorter than a run; components are fitted until they settle, which takes as long as it takes.
The two files of the MEG system, which are not at hand, would add the product of a matrix with the samples.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import mne
import nibabel
import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.alone import alone, through_steps
from crossmodal.config import load_experiment
from crossmodal.config.bold import Bold
from crossmodal.config.eeg_fmri import NoddiRecordings
from crossmodal.config.preprocessing import FileEntry, FileRecordings, Preprocessing
from crossmodal.config.simulation import Simulation
from crossmodal.storage.heap import KEEP_FREED_MEMORY
from preprocessing.bold import to_volumes
from preprocessing.readers.eeg_fmri.image import OpenedBold
from preprocessing.simulated.recording import sensor_patterns, simulate_run, subject_truth
from preprocessing.simulated.subject import draw_subject, template_conductor
from preprocessing.steps.bold.resampling import to_grid
from preprocessing.steps.maxwell import Calibration, noisy_channels

EXPERIMENT = Path(__file__).resolve().parent.parent / "jobs/experiments/ds000117.yaml"
SFREQ, CHANNELS, RUN_S = 1100.0, 404, 491.0
_STEPS = ("maxwell", "line_noise", "ica", "ssp")


def main() -> None:
    """Measure and print each chain, and what its last step adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help=f"length of the recording (default %(default)s; a run has {RUN_S:g})")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole-chain", action="store_true", help="measure only the last chain, with all steps")
    options = parser.parse_args()
    console = Console()
    os.environ.update(KEEP_FREED_MEMORY)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "run_raw.fif"
        alone(write_recording, path, options.seconds)
        size = path.stat().st_size
        console.print(f"a recording of {options.seconds:g} s, {size / 1e9:.3f} GB")
        recordings = _recordings(path)
        table, before_s = Table("steps", "core-s/GB", "added", "peak bytes a byte", "shard GB", box=None), 0.0
        for name, preprocessing in list(chains())[-1 if options.whole_chain else 0 :]:
            rounds = [alone(through_steps, recordings, preprocessing) for _ in range(options.rounds)]
            core_s = statistics.median(took.core_s for took in rounds) / size * 1e9
            peak = max(took.peak_bytes for took in rounds) / size
            table.add_row(name, f"{core_s:.1f}", f"{core_s - before_s:.1f}", f"{peak:.2f}", f"{rounds[0].shard_bytes / 1e9:.4f}")
            before_s = core_s
        console.print(table)
        stored, resampled = (alone(measure_image, Path(scratch), on_grid) for on_grid in (False, True))
        console.print(f"BOLD in float32: {stored:.1f} core-s/GB; to a grid of 2 mm, in its voxels: {resampled:.1f} more")
        console.print(f"of maxwell, to find noisy sensors: {alone(find_noisy, path) / size * 1e9:.1f} core-s/GB")
        for note in rounds[0].notes:
            console.print(f"    {note}")
    loads = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    console.print(f"load of this machine (1, 5, 15 min): {loads} on {os.cpu_count()} cores")


def chains() -> Iterator[tuple[str, Preprocessing]]:
    """Name chains of steps, each with one more than the one before: the defaults, the experiment's band and rate, and its steps."""
    own_files = ("preprocessing.maxwell.calibration=null", "preprocessing.maxwell.crosstalk=null")
    whole = load_experiment(EXPERIMENT, own_files).preprocessing
    yield "defaults: 0.5-40 Hz, 100 Hz", Preprocessing(bad_channels="interpolate")
    yield "0.1-100 Hz, 250 Hz", whole.model_copy(update=dict.fromkeys(_STEPS))
    for number, step in enumerate(_STEPS, start=1):
        yield f"+ {step}", whole.model_copy(update=dict.fromkeys(_STEPS[number:]))


def write_recording(path: Path, duration_s: float) -> None:
    """Simulate one subject with eyes and heart, and write it as FIF in float32."""
    simulation = Simulation(root="unused", duration_s=duration_s, sfreq=SFREQ)
    subject = draw_subject(simulation, "01", template_conductor(simulation))
    run = simulate_run(subject, subject_truth(subject, simulation), sensor_patterns(subject), simulation, 1)
    raw = mne.io.RawArray(run.data, subject.info.copy(), copy="auto", verbose="error")
    names = [f"MISC{index:03d}" for index in range(CHANNELS - len(raw.ch_names))]
    others = mne.io.RawArray(np.zeros((len(names), len(raw.times))), mne.create_info(names, SFREQ, "misc"), verbose="error")
    raw.add_channels([others], force_update_info=True)
    raw.save(path, fmt="single", verbose="error")


def find_noisy(path: Path) -> float:
    """Tell how long noisy sensors are looked for, s."""
    raw = mne.io.read_raw_fif(path, verbose="error").pick("meg").load_data(verbose="error")
    with threadpool_limits(1):
        started_s = time.process_time()
        noisy_channels(raw, Calibration(), path.name)
        return time.process_time() - started_s


def measure_image(scratch: Path, on_grid: bool) -> float:
    """Take 60 volumes of NODDI's shape to targets, or resample them alone; s for a GB of what comes out."""
    image = nibabel.Nifti1Image(np.random.default_rng(0).integers(0, 20, (64, 64, 30, 60), dtype=np.int16), np.diag([3.0, 3.0, 4.0, 1.0]))
    image.dataobj[10:-10, 10:-10, 4:-4] += 1000
    path, times_s = scratch / "bold.nii.gz", 2.16 * np.arange(60)
    nibabel.save(image, path)
    grid = nibabel.Nifti1Image(np.zeros((96, 96, 60), dtype=np.int8), np.diag([2.0, 2.0, 2.0, 1.0]))
    opened = OpenedBold(str(path), nibabel.load(path), 2.16, times_s, times_s, None, None, ())
    with threadpool_limits(1):
        started_s = time.process_time()
        if on_grid:
            n_bytes = 4 * np.prod(to_grid(opened.image, grid, None)[0].shape)
        else:
            n_bytes = to_volumes(opened, Bold(), NoddiRecordings(root="unused"), scratch, path.name)[0].data_vs.nbytes
        return (time.process_time() - started_s) / float(n_bytes) * 1e9


def _recordings(path: Path) -> FileRecordings:
    types = load_experiment(EXPERIMENT).recordings.channel_types
    return FileRecordings(files=(FileEntry(path=str(path), subject="01"),), channel_types=types)


if __name__ == "__main__":
    main()
