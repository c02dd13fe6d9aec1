"""EEG and BOLD recorded at once, in BIDS: sub-*/**/eeg/*_eeg.* beside sub-*/**/func/*_bold.nii.gz."""

from collections.abc import Mapping, Sequence

from crossmodal.config.eeg_fmri import BidsFmriRecordings, CnEpflRecordings
from preprocessing.sources.base import BoldFiles, Entry, SourceFile
from preprocessing.sources.bids_tree import BidsFile, find_positions, find_sidecar, list_tree, run_labels
from preprocessing.sources.eeg_fmri import wanted_subjects, with_files_elsewhere
from preprocessing.sources.listing import open_root
from preprocessing.sources.missing_sidecars import tell_missing_sidecars
from preprocessing.sources.parts import opens_recording, parts_of
from preprocessing.sources.unread import unread_recordings

_IMAGES = (".nii.gz", ".nii")
# Entities that an EEG and its image have in common.
_SHARED = ("sub", "ses", "task", "run")


def list_bids_fmri(recordings: BidsFmriRecordings | CnEpflRecordings) -> list[Entry]:
    """List recordings by their EEG.

    One in a format that is not read, or that lacks its image or the sidecar that states the repetition time, is told when it is read.

    Raises
    ------
    UserError
        There is no such dataset, subject, task or run.
    """
    filesystem, root = open_root(recordings.root, recordings.anonymous, recordings.endpoint_url)
    tree = list_tree(filesystem, root, recordings.root, recordings.subjects)
    candidates = [file for file in tree if _is_wanted(file, recordings)]
    found = sorted((file for file in candidates if opens_recording(file, "eeg")), key=lambda file: file.source.uri)
    groups = [(file,) for file in found]
    unread = unread_recordings(candidates, groups)
    wanted_subjects(recordings, {*(file.entities["sub"] for file in found), *(entry.subject for entry in unread)}, _expected(recordings))
    entries = [_entry(file, run, tree, recordings) for file, run in zip(found, run_labels(groups), strict=True)]
    entries = with_files_elsewhere(entries, recordings)
    return tell_missing_sidecars(found, entries, reads_events=recordings.triggers is None) + unread


def _is_wanted(file: BidsFile, recordings: BidsFmriRecordings | CnEpflRecordings) -> bool:
    return (
        file.suffix == "eeg"
        and "sub" in file.entities
        and (recordings.task is None or file.entities.get("task") == recordings.task)
        and (recordings.runs is None or file.entities.get("run") in recordings.runs)
    )


def _expected(recordings: BidsFmriRecordings | CnEpflRecordings) -> str:
    task = recordings.task or "*"
    return f"sub-*/**/eeg/*_task-{task}*_eeg.* of the runs {', '.join(recordings.runs)}" if recordings.runs else f"*_task-{task}*_eeg.*"


def _entry(eeg: BidsFile, run: str, tree: Sequence[BidsFile], recordings: BidsFmriRecordings | CnEpflRecordings) -> Entry:
    images = _images(eeg, tree)
    image = images[0] if len(images) == 1 else None
    files = list(tree)
    sidecar = find_sidecar("bold", ".json", image, files) if image else None
    if image is None:
        source = SourceFile.missing(_beside(eeg.source.uri))
    else:
        source = image.source
        sidecar = sidecar or SourceFile.missing(source.uri.replace(".nii.gz", ".json").replace(".nii", ".json"))
    electrodes, coordsystem = find_positions(eeg, tree)
    return Entry(
        subject=eeg.entities["sub"],
        run=run,
        files=(eeg.source, *parts_of(eeg, tree)),
        events=find_sidecar("events", ".tsv", eeg, [file for file in files if "func" not in file.folder.parts]),
        channels=find_sidecar("channels", ".tsv", eeg, files),
        electrodes=electrodes,
        coordsystem=coordsystem,
        bold=BoldFiles(image=source, sidecar=sidecar),
        flaw=_several(eeg, images) if len(images) > 1 else "",
    )


def _images(eeg: BidsFile, tree: Sequence[BidsFile]) -> list[BidsFile]:
    """Find the images of the same session, task and run: in func/ beside eeg/, where there should be one."""
    wanted = _shared(eeg.entities)
    return [
        file
        for file in tree
        if file.suffix == "bold" and file.source.name.endswith(_IMAGES) and _shared(file.entities) == wanted and "echo" not in file.entities
    ]


def _several(eeg: BidsFile, images: Sequence[BidsFile]) -> str:
    names = ", ".join(sorted(file.source.name for file in images))
    return f"{eeg.source.uri}: has several images ({names}); keep one, or leave the recording out"


def _shared(entities: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(entities.get(key) for key in _SHARED)


def _beside(eeg_uri: str) -> str:
    """Where the image of an EEG should be."""
    folder, _, name = eeg_uri.rpartition("/eeg/")
    return f"{folder}/func/{name.rpartition('_eeg.')[0]}_bold.nii.gz"
