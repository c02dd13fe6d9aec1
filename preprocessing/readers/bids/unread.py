"""Recordings of a BIDS dataset in formats that are not read: each is told, so that none is left out in silence."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from preprocessing.readers.bids.tree import BidsFile, run_labels
from preprocessing.readers.entry import Entry, SourceFile

# What bears the name of a recording and only speaks of it.
_SPEAKS_OF_IT = (".json", ".tsv", ".tsv.gz", ".txt", ".md", ".html", ".pdf", ".png", ".jpg", ".svg")
# Of formats that are read, what holds no recording without its header.
_HEADERS = {".eeg": ".vhdr", ".vmrk": ".vhdr", ".dat": ".vhdr", ".fdt": ".set", ".ds": ".res4"}


def unread_recordings(candidates: Iterable[BidsFile], groups: Sequence[tuple[BidsFile, ...]]) -> list[Entry]:
    """List what is named as a recording and is not read, with a flaw that says so.

    Parameters
    ----------
    candidates : iterable of BidsFile
        Files with the suffix of recordings that are wanted, in whatever format, read ones among them.
    groups : sequence of tuples of BidsFile
        The recordings that are read, each by what opens it.
    """
    read = {_place(file) for group in groups for file in group}
    found: dict[str, list[BidsFile]] = {}
    for file in sorted(candidates, key=lambda file: file.source.uri):
        if _place(file) not in read and (file.inside or not file.source.name.lower().endswith(_SPEAKS_OF_IT)):
            found.setdefault(_place(file), []).append(file)
    unread = [tuple(files) for files in found.values()]
    # Those that are read are called as if these were not there: their shards keep their names.
    labels = list(run_labels([*groups, *unread]))[len(groups) :]
    return [_entry(files, run) for files, run in zip(unread, labels, strict=True)]


def _place(file: BidsFile) -> str:
    """Where a recording lies, whatever its format: what holds its samples, and what lies beside that as a part of it."""
    return file.recording_uri.removesuffix(file.recording_name) + file.recording_name.partition(".")[0]


def _entry(files: Sequence[BidsFile], run: str) -> Entry:
    # Samples take more than what else belongs to them.
    largest = max(files, key=lambda file: file.source.size_bytes)
    uri = largest.recording_uri
    whole = SourceFile(uri=uri, size_bytes=sum(file.source.size_bytes for file in files), version=largest.source.version)
    return Entry(subject=largest.entities["sub"], run=run, files=(whole,), flaw=f"{uri}: {_why(largest)}")


def _why(file: BidsFile) -> str:
    extension = PurePosixPath(file.recording_name).suffix.lower()
    if extension in _HEADERS:
        return f"its header ({_HEADERS[extension]}) is missing; fetch it, or leave the recording out"
    if not extension:
        return "is a folder without what a 4D/BTi recording is opened by (c,rf*); fetch it, or leave the recording out"
    return f"is in a format that is not read ({extension}); convert it to FIF, or leave the recording out"
