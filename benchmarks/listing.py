"""Core time to list a BIDS dataset and to plan it, and how it grows with the number of recordings.

Datasets of subjects with four runs of MEG each lie on the local disk: one small FIF under many names, with the sidecars that recordings
have, and an empty room for every eight subjects. What is measured is `list_recordings`, and the whole of `preprocess.py --plan`: once
with nothing made yet, and once with every shard there already. The slope between two sizes is free of what starting takes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import mne
import numpy as np
from rich.console import Console
from rich.table import Table

from crossmodal.config import Experiment
from crossmodal.config.preprocessing import BidsRecordings
from crossmodal.datasets.manifest import shard_uri
from crossmodal.datasets.shard import LAST_FILE, write_shard
from preprocessing.plan import plan_dataset
from preprocessing.readers.reading import list_recordings
from preprocessing.recording import preprocess_recording

TARGET_MS = 2.0
RUNS, SUBJECTS_A_DAY = 4, 8
JOB = Path(__file__).resolve().parent.parent / "jobs" / "preprocess.py"


def main() -> None:
    """Measure each size, print the table, and tell the slope between the smallest and the largest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, nargs="+", default=[1_200, 24_000], help="sizes of datasets (default %(default)s)")
    sizes = sorted(parser.parse_args().recordings)
    console = Console()
    measured = [measure(size) for size in sizes]
    table = Table("recordings", *(f"{what}, core-s" for what in measured[0]), box=None)
    for size, took in zip(sizes, measured, strict=True):
        table.add_row(str(size), *(f"{core_s:.2f}" for core_s in took.values()))
    console.print(table)
    for what in measured[0]:
        first_ms, last_ms = (1000 * measured[at][what] / sizes[at] for at in (0, -1))
        line = f"C1: {what}: {first_ms:.2f} ms a recording of {sizes[0]}, {last_ms:.2f} of {sizes[-1]}"
        if len(sizes) > 1:
            slope_ms = 1000 * (measured[-1][what] - measured[0][what]) / (sizes[-1] - sizes[0])
            line += f"; slope {slope_ms:.2f} ms, wanted at most {TARGET_MS:g}: {'reached' if slope_ms <= TARGET_MS else 'missed'}"
        console.print(line)


def measure(n_recordings: int) -> dict[str, float]:
    """Seconds of cores that listing and planning a dataset take."""
    with tempfile.TemporaryDirectory() as scratch:
        root = write_dataset(Path(scratch) / "ds", n_recordings // RUNS)
        settings = Experiment(name="listing", store=f"{scratch}/store", recordings=BidsRecordings(root=str(root), task="rest"))
        experiment = Path(scratch) / "listing.yaml"
        experiment.write_text(settings.model_dump_json(include={"name", "store", "recordings"}))
        started = time.process_time()
        found = list_recordings(settings.recordings)
        took = {"listing": time.process_time() - started}
        assert len(found) == n_recordings
        took["--plan, none made"] = job_core_s(str(experiment), "--plan")
        publish_all(settings, Path(scratch))
        took["--plan, all made"] = job_core_s(str(experiment), "--plan")
        took["--plan --all, all made"] = job_core_s(str(experiment), "--plan", "--all")
    return took


def job_core_s(*arguments: str) -> float:
    """Run the job, and return what it took of cores."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, str(JOB), *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write_dataset(root: Path, n_subjects: int) -> Path:
    """Write a dataset whose recordings and sidecars are the same few files under many names."""
    root.mkdir()
    recording = root.parent / "small_raw.fif"
    info = mne.create_info(["C3", "C4", "MEG0111", "MEG0121"], 200.0, ["eeg", "eeg", "mag", "mag"])
    noise = np.random.default_rng(0).normal(size=(4, 2000)) * [[1e-5], [1e-5], [1e-13], [1e-13]]
    mne.io.RawArray(noise, info, verbose="error").save(recording, verbose="error")
    texts = {"events.tsv": "onset\tduration\ttrial_type\n1\t0\tgo\n", "meg.json": "{}", "channels.tsv": "name\ttype\nC3\tEEG\nC4\tEEG\n"}
    sidecars = {suffix: root.parent / suffix for suffix in texts}
    for suffix, path in sidecars.items():
        path.write_text(texts[suffix])
    first_day = date(2020, 1, 1)
    for number in range(n_subjects):
        day = first_day + timedelta(days=number // SUBJECTS_A_DAY)
        subject = f"sub-{number:05}"
        folder = root / subject / "meg"
        folder.mkdir(parents=True)
        names = [f"{subject}_task-rest_run-{run:02}" for run in range(1, RUNS + 1)]
        for name in names:
            _link(recording, folder / f"{name}_meg.fif")
            for suffix, path in sidecars.items():
                _link(path, folder / f"{name}_{suffix}")
        _link(sidecars["meg.json"], folder / f"{subject}_coordsystem.json")
        rows = "".join(f"meg/{name}_meg.fif\t{day}T10:00:00\n" for name in names)
        (folder.parent / f"{subject}_scans.tsv").write_text(f"filename\tacq_time\n{rows}")
        if number % SUBJECTS_A_DAY == 0:
            room = root / "sub-emptyroom" / f"ses-{day:%Y%m%d}" / "meg"
            room.mkdir(parents=True)
            _link(recording, room / f"sub-emptyroom_ses-{day:%Y%m%d}_task-noise_meg.fif")
    return root


def _link(file: Path, name: Path) -> None:
    """Give a file one more name, or its copy where it has as many as a file system allows."""
    try:
        os.link(file, name)
    except OSError:
        name.write_bytes(file.read_bytes())


def publish_all(experiment: Experiment, scratch: Path) -> None:
    """Put the shard of the first recording in place of all."""
    plan = plan_dataset(experiment)
    entry = next(iter(plan.entries.values()))
    made = scratch / "made"
    write_shard(preprocess_recording(entry, experiment.recorded, experiment.preprocessing, scratch), made)
    for name in plan.entries:
        folder = Path(shard_uri(plan.store, name))
        folder.mkdir(parents=True)
        _link(made / LAST_FILE, folder / LAST_FILE)


if __name__ == "__main__":
    main()
