"""List the recordings of a BIDS dataset, local or on S3, with the sidecars that apply to each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings
from crossmodal.storage.uri import check_reachable, is_local, open_fs
from preprocessing.sources.base import Entry, SourceFile

# Calibration files of MaxFilter bear the suffix of recordings.
_NOT_RECORDINGS = {"calibration", "crosstalk"}
_EMPTY_ROOM = "emptyroom"
# Entities that tell recordings of one subject and run apart where they vary.
_VARYING = ("ses", "task", "acq")


@dataclass(frozen=True)
class _File:
    """A file of a dataset: its name taken apart, and its folder below the dataset or derivative it belongs to."""

    source: SourceFile
    folder: PurePosixPath
    entities: Mapping[str, str]
    suffix: str

    def applies_to(self, recording: "_File") -> bool:
        """Tell whether this is a sidecar of `recording` by BIDS's inheritance principle."""
        above = self.folder == recording.folder or self.folder in recording.folder.parents
        return above and all(recording.entities.get(key) == value for key, value in self.entities.items())


def list_bids(recordings: BidsRecordings) -> list[Entry]:
    """List a dataset's recordings.

    Those with a proc- entity are looked for in the dataset and below its derivatives, the raw ones in the dataset alone. Sidecars of the
    raw dataset apply to its derivatives, too. Only the folders of wanted subjects are listed.

    Raises
    ------
    UserError
        There is no such dataset, no such subject, or no such recording.
    """
    if not is_local(recordings.root):
        check_reachable(recordings.root, recordings.anonymous, recordings.endpoint_url)
    filesystem, root = open_fs(recordings.root, recordings.anonymous, recordings.endpoint_url)
    raw_files = _list_tree(filesystem, root, recordings)
    trees = [raw_files]
    if recordings.processing:
        trees += [_list_tree(filesystem, derivative, recordings) for derivative in _folders(filesystem, f"{root}/derivatives")]
    found = [file for tree in trees for file in tree if _is_wanted(file, recordings)]
    if not found:
        raise UserError(f"{recordings.root}: no recording found ({_wanted(recordings)}); check recordings.subjects, task and processing")
    _check_subjects(found, recordings)
    own_tree = {id(file): tree for tree in trees for file in tree}
    groups = _group_splits(found)
    runs = _run_labels(groups)
    return [
        Entry(
            subject=parts[0].entities["sub"],
            run=run,
            files=tuple(part.source for part in parts),
            events=_sidecar("events", parts[0], own_tree[id(parts[0])], raw_files),
            channels=_sidecar("channels", parts[0], own_tree[id(parts[0])], raw_files),
        )
        for parts, run in zip(groups, runs, strict=True)
    ]


def _list_tree(filesystem: AbstractFileSystem, tree: str, recordings: BidsRecordings) -> list[_File]:
    """List the files at the top of a dataset and of its wanted subjects."""
    try:
        top = filesystem.ls(tree, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{recordings.root}: no such dataset; set recordings.root to the folder that holds sub-*/") from None
    details = [entry for entry in top if entry["type"] == "file"]
    for entry in top:
        subject = PurePosixPath(entry["name"]).name.removeprefix("sub-")
        is_subject = entry["type"] == "directory" and PurePosixPath(entry["name"]).name.startswith("sub-")
        if is_subject and (subject in recordings.subjects if recordings.subjects else subject != _EMPTY_ROOM):
            details += filesystem.find(entry["name"], detail=True).values()
    return [_parse(filesystem, entry, tree) for entry in details]


def _folders(filesystem: AbstractFileSystem, folder: str) -> list[str]:
    try:
        return sorted(entry["name"] for entry in filesystem.ls(folder, detail=True) if entry["type"] == "directory")
    except FileNotFoundError:
        return []


def _parse(filesystem: AbstractFileSystem, details: dict[str, Any], tree: str) -> _File:
    path = PurePosixPath(details["name"])
    *pairs, suffix = path.name.partition(".")[0].split("_")
    entities = dict(pair.split("-", 1) for pair in pairs if "-" in pair)
    return _File(SourceFile.listed(filesystem, details), path.parent.relative_to(tree), entities, suffix)


def _is_wanted(file: _File, recordings: BidsRecordings) -> bool:
    entities = file.entities
    return (
        file.suffix == "meg"
        and file.source.name.endswith(".fif")
        and "sub" in entities
        and entities.get("proc") == recordings.processing
        and entities.get("acq") not in _NOT_RECORDINGS
        and (recordings.task is None or entities.get("task") == recordings.task)
    )


def _wanted(recordings: BidsRecordings) -> str:
    subjects = "|".join(recordings.subjects) if recordings.subjects else "*"
    task = f"_task-{recordings.task}" if recordings.task else ""
    processing = f"_proc-{recordings.processing}" if recordings.processing else ""
    return f"sub-{subjects}/**/meg/*{task}*{processing}_meg.fif"


def _check_subjects(found: Iterable[_File], recordings: BidsRecordings) -> None:
    present = {file.entities["sub"] for file in found}
    absent = [subject for subject in recordings.subjects or () if subject not in present]
    if absent:
        raise UserError(f"{recordings.root}: no recording of subject {', '.join(absent)}; check recordings.subjects, task and processing")


def _group_splits(found: Iterable[_File]) -> list[tuple[_File, ...]]:
    """Gather the splits of each recording, in order."""
    groups: dict[tuple[tuple[str, str], ...], list[_File]] = {}
    for file in sorted(found, key=lambda file: file.source.uri):
        key = tuple(sorted((entity, value) for entity, value in file.entities.items() if entity != "split"))
        groups.setdefault(key, []).append(file)
    return [tuple(group) for group in groups.values()]


def _run_labels(groups: Sequence[tuple[_File, ...]]) -> Iterator[str]:
    """Name each recording within its subject: its run, and the session, task or acquisition where the subject has several."""
    values: dict[tuple[str, str], set[str]] = {}
    for first, *_ in groups:
        for entity in _VARYING:
            values.setdefault((first.entities["sub"], entity), set()).add(first.entities.get(entity, ""))
    for first, *_ in groups:
        varying = [entity for entity in _VARYING if len(values[first.entities["sub"], entity]) > 1 and entity in first.entities]
        yield "_".join([f"{entity}-{first.entities[entity]}" for entity in varying] + [first.entities.get("run", "01")])


def _sidecar(suffix: str, recording: _File, *trees: list[_File]) -> SourceFile | None:
    """Find the most specific sidecar, in the recording's own tree before others."""
    for tree in trees:
        fitting = [file for file in tree if file.suffix == suffix and file.source.name.endswith(".tsv") and file.applies_to(recording)]
        if fitting:
            return max(fitting, key=lambda file: len(file.entities)).source
    return None
