"""EEG and BOLD recorded at once, in BIDS: sub-*/**/eeg/*_eeg.* beside sub-*/**/func/*_bold.nii.gz."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from crossmodal.config.eeg_fmri import BidsFmriRecordings, CnEpflRecordings
from preprocessing.sources.base import BoldFiles, Entry, SourceFile
from preprocessing.sources.bids_tree import BidsFile, BidsTree, find_positions, find_sidecar, group_splits, list_tree, run_labels
from preprocessing.sources.eeg_fmri import wanted_subjects, with_files_elsewhere
from preprocessing.sources.listing import open_root
from preprocessing.sources.missing_sidecars import tell_missing_sidecars
from preprocessing.sources.parts import flaw_of_parts, opens_recording, parts_of
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
    candidates = [file for file in tree.files if _is_wanted(file, recordings)]
    groups = group_splits(file for file in candidates if opens_recording(file, "eeg"))
    found = [splits[0] for splits in groups]
    unread = unread_recordings(candidates, groups)
    wanted_subjects(recordings, {*(file.entities["sub"] for file in found), *(entry.subject for entry in unread)}, _expected(recordings))
    images = _images_by_recording(tree)
    outside_func = BidsTree(file for file in tree.files if "func" not in file.folder.parts)
    labels = run_labels(groups)
    entries = [
        _entry(splits, run, tree, outside_func, images[_shared(splits[0].entities)]) for splits, run in zip(groups, labels, strict=True)
    ]
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


def _entry(splits: Sequence[BidsFile], run: str, tree: BidsTree, outside_func: BidsTree, images: Sequence[BidsFile]) -> Entry:
    eeg, image = splits[0], images[0] if len(images) == 1 else None
    sidecar = find_sidecar("bold", ".json", image, tree) if image else None
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
        events=find_sidecar("events", ".tsv", eeg, outside_func),
        channels=find_sidecar("channels", ".tsv", eeg, tree),
        electrodes=electrodes,
        coordsystem=coordsystem,
        bold=BoldFiles(image=source, sidecar=sidecar),
        flaw=_several(eeg, images) if len(images) > 1 else flaw_of_parts(splits),
    )


def _images_by_recording(tree: BidsTree) -> defaultdict[tuple[str | None, ...], list[BidsFile]]:
    """Gather images by session, task and run: in func/ beside eeg/, where there should be one of each."""
    images = defaultdict[tuple[str | None, ...], list[BidsFile]](list)
    for file in tree.files:
        if file.suffix == "bold" and file.source.name.endswith(_IMAGES) and "echo" not in file.entities:
            images[_shared(file.entities)].append(file)
    return images


def _several(eeg: BidsFile, images: Sequence[BidsFile]) -> str:
    names = ", ".join(sorted(file.source.name for file in images))
    return f"{eeg.source.uri}: has several images ({names}); keep one, or leave the recording out"


def _shared(entities: Mapping[str, str]) -> tuple[str | None, ...]:
    return tuple(entities.get(key) for key in _SHARED)


def _beside(eeg_uri: str) -> str:
    """Where the image of an EEG should be."""
    folder, _, name = eeg_uri.rpartition("/eeg/")
    return f"{folder}/func/{name.rpartition('_eeg.')[0]}_bold.nii.gz"
