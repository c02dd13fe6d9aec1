"""EEG and BOLD recorded at once, in BIDS: sub-*/**/eeg/*_eeg.* beside sub-*/**/func/*_bold.nii.gz."""

from collections.abc import Sequence

from crossmodal.config.eeg_fmri import BidsFmriRecordings, CnEpflRecordings
from preprocessing.readers.bids.missing_sidecars import tell_missing_sidecars
from preprocessing.readers.bids.parts import flaw_of_parts, opens_recording, parts_of
from preprocessing.readers.bids.tree import BidsFile, BidsTree, find_positions, find_sidecar, group_splits, list_tree, run_labels
from preprocessing.readers.bids.unread import unread_recordings
from preprocessing.readers.eeg_fmri.bids_images import Found, find_images
from preprocessing.readers.eeg_fmri.shared import wanted_subjects, with_files_elsewhere
from preprocessing.readers.entry import BoldFiles, Entry, SourceFile
from preprocessing.readers.stores import open_root


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
    images = find_images(found, tree)
    outside_func = BidsTree(file for file in tree.files if "func" not in file.folder.parts)
    labels = run_labels(groups)
    entries = [_entry(splits, run, tree, outside_func, image) for splits, run, image in zip(groups, labels, images, strict=True)]
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


def _entry(splits: Sequence[BidsFile], run: str, tree: BidsTree, outside_func: BidsTree, found: Found) -> Entry:
    eeg, image = splits[0], found.image
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
        session=eeg.entities.get("ses", ""),
        files=(eeg.source, *parts_of(eeg, tree)),
        events=find_sidecar("events", ".tsv", eeg, outside_func),
        channels=find_sidecar("channels", ".tsv", eeg, tree),
        electrodes=electrodes,
        coordsystem=coordsystem,
        bold=BoldFiles(image=source, sidecar=sidecar),
        flaw=found.flaw or flaw_of_parts(splits),
    )


def _beside(eeg_uri: str) -> str:
    """Where the image of an EEG should be."""
    folder, _, name = eeg_uri.rpartition("/eeg/")
    return f"{folder}/func/{name.rpartition('_eeg.')[0]}_bold.nii.gz"
