"""List the recordings of a BIDS dataset, local or on S3, with the sidecars that apply to each."""

from collections.abc import Collection, Mapping
from functools import cache

from fsspec import AbstractFileSystem

from crossmodal.config import UserError
from crossmodal.config.preprocessing import BidsRecordings
from crossmodal.storage.uri import open_fs, translate_store_errors
from preprocessing.readers.bids.empty_room import EmptyRooms
from preprocessing.readers.bids.missing_sidecars import tell_missing_sidecars
from preprocessing.readers.bids.parts import flaw_of_parts, opens_recording, parts_of
from preprocessing.readers.bids.tree import (
    EMPTY_ROOM,
    BidsFile,
    BidsTree,
    find_positions,
    find_sidecar,
    group_splits,
    list_tree,
    run_labels,
)
from preprocessing.readers.bids.unread import unread_recordings
from preprocessing.readers.entry import Entry, SourceFile
from preprocessing.readers.stores import asked_at_once, folders, open_root
from preprocessing.readers.text import decode

# Files that MaxFilter takes bear the suffix of recordings.
_CALIBRATION, _CROSSTALK = "calibration", "crosstalk"
_OF_SYSTEM = {_CALIBRATION: ".dat", _CROSSTALK: ".fif"}
# Subject, session where there is one, and which of them.
_System = tuple[str, str | None, str]


def list_bids(recordings: BidsRecordings) -> list[Entry]:
    """List a dataset's recordings; one in a format that is not read is told when it would be.

    Those with a proc- entity are looked for in the dataset and below its derivatives, the raw ones in the dataset alone. Sidecars of the
    raw dataset apply to its derivatives, too. Only the folders of wanted subjects are listed.

    Names and inheritance are read here, not by MNE-BIDS, which needs a local dataset; where electrodes are, in its terms.

    Raises
    ------
    UserError
        There is no such dataset, no such subject, or no such recording.
    """
    filesystem, root = open_root(recordings.root, recordings.anonymous, recordings.endpoint_url)
    raw_files = list_tree(filesystem, root, recordings.root, recordings.subjects)
    trees = [raw_files]
    if recordings.processing:
        trees += [
            list_tree(filesystem, derivative, recordings.root, recordings.subjects)
            for derivative in folders(filesystem, f"{root}/derivatives")
        ]
    candidates = [file for tree in trees for file in tree.files if _is_wanted(file, recordings)]
    groups = group_splits(file for file in candidates if opens_recording(file, recordings.datatype))
    unread = unread_recordings(candidates, groups)
    if not groups and not unread:
        raise UserError(f"{recordings.root}: no recording found ({_wanted(recordings)}); check recordings.subjects, task and processing")
    _check_subjects({*(parts[0].entities["sub"] for parts in groups), *(entry.subject for entry in unread)}, recordings)
    own_tree = {id(file): tree for tree in trees for file in tree.files}
    system_files = _system_files(raw_files)
    labels = run_labels(groups)
    entries = [_entry(parts, run, own_tree[id(parts[0])], raw_files, system_files) for parts, run in zip(groups, labels, strict=True)]
    entries = tell_missing_sidecars([parts[0] for parts in groups], entries, reads_events=recordings.triggers is None)
    if recordings.datatype != "meg":
        return entries + unread

    @cache
    def text_of(file: SourceFile) -> str:
        with translate_store_errors(file.uri, recordings.endpoint_url):
            try:
                return decode(filesystem.cat_file(open_fs(file.uri)[1]))
            except (FileNotFoundError, PermissionError, ValueError):
                # As datalad leaves what it did not fetch: no sample depends on it, so that it stops no recording.
                return ""

    rooms = EmptyRooms(_empty_rooms(filesystem, root, recordings.root), text_of)
    found_rooms = asked_at_once(lambda parts: rooms.find(parts[0], (own_tree[id(parts[0])], raw_files)), groups)
    return [entry.model_copy(update={"empty_room": room}) for entry, room in zip(entries, found_rooms, strict=True)] + unread


def _empty_rooms(filesystem: AbstractFileSystem, root: str, called: str) -> list[BidsFile]:
    tree = list_tree(filesystem, root, called, (EMPTY_ROOM,))
    return [file for file in tree.files if opens_recording(file, "meg") and file.entities.get("sub") == EMPTY_ROOM]


def _entry(
    splits: tuple[BidsFile, ...], run: str, own_tree: BidsTree, raw_files: BidsTree, system_files: Mapping[_System, SourceFile]
) -> Entry:
    first = splits[0]
    session = first.entities["sub"], first.entities.get("ses")
    # MEG recordings know where their own electrodes are.
    electrodes, coordsystem = (None, None) if first.suffix == "meg" else find_positions(first, own_tree)
    return Entry(
        subject=first.entities["sub"],
        run=run,
        session=first.entities.get("ses", ""),
        files=tuple(dict.fromkeys((*(split.source for split in splits), *parts_of(first, own_tree)))),
        events=find_sidecar("events", ".tsv", first, own_tree, raw_files),
        channels=find_sidecar("channels", ".tsv", first, own_tree, raw_files),
        electrodes=electrodes,
        coordsystem=coordsystem,
        calibration=system_files.get((*session, _CALIBRATION)),
        crosstalk=system_files.get((*session, _CROSSTALK)),
        flaw=flaw_of_parts(splits),
    )


def _is_wanted(file: BidsFile, recordings: BidsRecordings) -> bool:
    """Tell whether a file is called as a wanted recording, whatever its format."""
    entities = file.entities
    return (
        file.suffix == recordings.datatype
        and "sub" in entities
        and entities.get("proc") == recordings.processing
        and entities.get("acq") not in _OF_SYSTEM
        and (recordings.task is None or entities.get("task") == recordings.task)
    )


def _system_files(tree: BidsTree) -> dict[_System, SourceFile]:
    """Gather what BIDS keeps beside each session's recordings of the MEG system that made them."""
    found: dict[_System, SourceFile] = {}
    for file in tree.files:
        acquisition = file.entities.get("acq", "")
        if file.suffix == "meg" and "sub" in file.entities and file.source.name.endswith(_OF_SYSTEM.get(acquisition, "/")):
            found.setdefault((file.entities["sub"], file.entities.get("ses"), acquisition), file.source)
    return found


def _wanted(recordings: BidsRecordings) -> str:
    subjects = "|".join(recordings.subjects) if recordings.subjects else "*"
    task = f"_task-{recordings.task}" if recordings.task else ""
    processing = f"_proc-{recordings.processing}" if recordings.processing else ""
    return f"sub-{subjects}/**/{recordings.datatype}/*{task}*{processing}_{recordings.datatype}.*"


def _check_subjects(present: Collection[str], recordings: BidsRecordings) -> None:
    absent = [subject for subject in recordings.subjects or () if subject not in present]
    if absent:
        raise UserError(f"{recordings.root}: no recording of subject {', '.join(absent)}; check recordings.subjects, task and processing")
