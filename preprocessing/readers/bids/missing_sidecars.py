"""Sidecars that recordings lack: a flaw where others of the same task have theirs, else only worth a note."""

from collections.abc import Sequence

from preprocessing.readers.bids.tree import BidsFile
from preprocessing.readers.entry import Entry

# What is done without each.
_INSTEAD = {
    "events": "its events are what the recording itself says",
    "channels": "types of channels and bad ones are what the recording itself says",
}


def tell_missing_sidecars(files: Sequence[BidsFile], entries: Sequence[Entry], reads_events: bool) -> list[Entry]:
    """Tell of each recording which of events.tsv and channels.tsv it lacks.

    Parameters
    ----------
    files : sequence of BidsFile
        What each entry is opened by.
    entries : sequence of Entry
        With the sidecars that apply to them, wherever in the dataset those lie.
    reads_events : bool
        False where events come from a trigger line.
    """
    suffixes = ("events", "channels") if reads_events else ("channels",)
    tasks = [file.entities.get("task", "") for file in files]
    examples: dict[tuple[str, str], str] = {}
    for task, entry in zip(tasks, entries, strict=True):
        for suffix in suffixes:
            if sidecar := getattr(entry, suffix):
                examples.setdefault((task, suffix), sidecar.name)
    told = []
    for file, entry, task in zip(files, entries, tasks, strict=True):
        lacking = [suffix for suffix in suffixes if getattr(entry, suffix) is None]
        flaws = [_flaw(file, suffix, task, examples[task, suffix]) for suffix in lacking if (task, suffix) in examples]
        notes = tuple(f"has no {suffix}.tsv: {_INSTEAD[suffix]}" for suffix in lacking if (task, suffix) not in examples)
        told.append(entry.model_copy(update={"notes": notes, "flaw": entry.flaw or "".join(flaws[:1])}))
    return told


def _flaw(file: BidsFile, suffix: str, task: str, example: str) -> str:
    of_task = f"of task-{task} " if task else ""
    advice = "fetch or add it, or leave the recording out"
    return f"{_beside(file, suffix)}: is missing, and other recordings {of_task}have theirs ({example}); {advice}"


def _beside(file: BidsFile, suffix: str) -> str:
    """Where the sidecar of a recording should be, if not above it."""
    folder = file.recording_uri.rpartition("/")[0]
    entities = "_".join(f"{entity}-{value}" for entity, value in file.entities.items() if entity != "split")
    return f"{folder}/{entities}_{suffix}.tsv"
