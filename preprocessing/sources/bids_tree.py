"""Files of a BIDS dataset: their names taken apart, and which apply to which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem

from crossmodal.config import UserError
from preprocessing.sources.base import SourceFile
from preprocessing.sources.listing import is_folder

EMPTY_ROOM = "emptyroom"
_PARTS = {".vhdr": (".vmrk", ".eeg", ".dat"), ".set": (".fdt",)}
# Tells in which coordinates positions are, not of which recordings.
_SPACE = "space"
# Entities that tell recordings of one subject and run apart where they vary.
_VARYING = ("ses", "task", "acq")


@dataclass(frozen=True)
class BidsFile:
    """A file of a dataset: its name taken apart, and its folder below the dataset or derivative it belongs to."""

    source: SourceFile
    folder: PurePosixPath
    entities: Mapping[str, str]
    suffix: str

    def applies_to(self, recording: "BidsFile") -> bool:
        """Tell whether this is a sidecar of `recording` by BIDS's inheritance principle."""
        above = self.folder == recording.folder or self.folder in recording.folder.parents
        return above and all(recording.entities.get(key) == value for key, value in self.entities.items() if key != _SPACE)


def list_tree(filesystem: AbstractFileSystem, tree: str, root: str, subjects: Sequence[str] | None) -> list[BidsFile]:
    """List the files at the top of a dataset and of its wanted subjects."""
    try:
        top = filesystem.ls(tree, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{root}: no such dataset; set recordings.root to the folder that holds sub-*/") from None
    details = [entry for entry in top if not is_folder(filesystem, entry)]
    for entry in top:
        subject = PurePosixPath(entry["name"]).name.removeprefix("sub-")
        is_subject = PurePosixPath(entry["name"]).name.startswith("sub-") and is_folder(filesystem, entry)
        if is_subject and (subject in subjects if subjects else subject != EMPTY_ROOM):
            details += filesystem.find(entry["name"], detail=True).values()
    return [_parse(filesystem, entry, tree) for entry in details]


def _parse(filesystem: AbstractFileSystem, details: dict[str, Any], tree: str) -> BidsFile:
    path = PurePosixPath(details["name"])
    *pairs, suffix = path.name.partition(".")[0].split("_")
    entities = dict(pair.split("-", 1) for pair in pairs if "-" in pair)
    return BidsFile(SourceFile.listed(filesystem, details), path.parent.relative_to(tree), entities, suffix)


def run_labels(groups: Sequence[tuple[BidsFile, ...]]) -> Iterator[str]:
    """Name each recording within its subject: its run, and the session, task or acquisition where the subject has several."""
    values: dict[tuple[str, str], set[str]] = {}
    for first, *_ in groups:
        for entity in _VARYING:
            values.setdefault((first.entities["sub"], entity), set()).add(first.entities.get(entity, ""))
    for first, *_ in groups:
        varying = [entity for entity in _VARYING if len(values[first.entities["sub"], entity]) > 1 and entity in first.entities]
        yield "_".join([f"{entity}-{first.entities[entity]}" for entity in varying] + [first.entities.get("run", "01")])


def find_sidecar(suffix: str, extension: str, recording: BidsFile, *trees: Sequence[BidsFile]) -> SourceFile | None:
    """Find the most specific sidecar, in the recording's own tree before others."""
    for tree in trees:
        found = _most_specific(suffix, extension, recording, tree)
        if found:
            return found.source
    return None


def find_positions(recording: BidsFile, tree: Sequence[BidsFile]) -> tuple[SourceFile | None, SourceFile | None]:
    """Find electrodes.tsv of a recording, and coordsystem.json of the same space."""
    table = _most_specific("electrodes", ".tsv", recording, tree)
    if table is None:
        return None, None
    same_space = [file for file in tree if file.entities.get(_SPACE) == table.entities.get(_SPACE)]
    system = _most_specific("coordsystem", ".json", recording, same_space)
    return table.source, system.source if system else SourceFile.missing(table.source.uri.replace("electrodes.tsv", "coordsystem.json"))


def parts_of(recording: BidsFile, tree: Sequence[BidsFile]) -> list[SourceFile]:
    """Find the files beside a recording that hold parts of it: BrainVision's markers and data, EEGLAB's data, a CTF folder's all."""
    if recording.source.name.endswith(".res4"):
        return [file.source for file in tree if file.folder == recording.folder and file is not recording]
    stem = recording.source.name.partition(".")[0]
    beside = [file.source for file in tree if file.folder == recording.folder and file.source.name.partition(".")[0] == stem]
    suffixes = _PARTS.get(PurePosixPath(recording.source.name).suffix, ())
    return sorted((file for file in beside if file.name.endswith(suffixes)), key=lambda file: file.name)


def _most_specific(suffix: str, extension: str, recording: BidsFile, tree: Sequence[BidsFile]) -> BidsFile | None:
    fitting = [file for file in tree if file.suffix == suffix and file.source.name.endswith(extension) and file.applies_to(recording)]
    return max(fitting, key=lambda file: len(file.entities), default=None)
