"""What readers of EEG-fMRI datasets share."""

from collections.abc import Collection, Sequence

from crossmodal.config import UnavailableError, UserError
from crossmodal.config.eeg_fmri import BidsFmriRecordings, CnEpflRecordings, NoddiRecordings, OddballRecordings
from preprocessing.readers.entry import Entry, SourceFile
from preprocessing.readers.stores import asked_at_once

EegFmriRecordings = NoddiRecordings | OddballRecordings | CnEpflRecordings | BidsFmriRecordings


def with_files_elsewhere(entries: Sequence[Entry], recordings: EegFmriRecordings) -> list[Entry]:
    """Add to each image what an experiment says lies elsewhere, each file being asked for once.

    Raises
    ------
    UnavailableError
        A store does not answer.
    """
    uris = sorted({uri for entry in entries for uri in _elsewhere(entry, recordings).values()})
    found = dict(zip(uris, asked_at_once(lambda uri: _found(uri, recordings), uris), strict=True))

    def completed(entry: Entry) -> Entry:
        assert entry.bold
        files = {kind: found[uri] for kind, uri in _elsewhere(entry, recordings).items()}
        return entry.model_copy(update={"bold": entry.bold.model_copy(update=files)})

    return [completed(entry) for entry in entries]


def wanted_subjects(recordings: EegFmriRecordings, present: Collection[str], expected: str) -> Sequence[str]:
    """Choose subjects in order.

    Raises
    ------
    UserError
        The folder holds none, or lacks one that is asked for.
    """
    if not present:
        raise UserError(f"{recordings.root}: holds no {expected}; set recordings.root to the folder that does")
    for subject in recordings.subjects or ():
        if subject not in present:
            raise UserError(f"recordings.subjects: '{subject}' is not in {recordings.root}; it has {', '.join(sorted(present))}")
    return sorted(present) if recordings.subjects is None else recordings.subjects


def _elsewhere(entry: Entry, recordings: EegFmriRecordings) -> dict[str, str]:
    """URIs of what belongs to an image, by its name in `BoldFiles`."""
    patterns = {"motion": recordings.motion, "transform": recordings.transforms}
    labels = {"subject": entry.subject, "session": entry.session, "run": entry.run, "name": entry.files[0].name.rpartition("_")[0]}

    def filled(pattern: str) -> str:
        for word, label in labels.items():
            pattern = pattern.replace(f"{{{word}}}", label)
        return pattern

    return {kind: filled(pattern) for kind, pattern in patterns.items() if pattern}


def _found(uri: str, recordings: EegFmriRecordings) -> SourceFile:
    try:
        return SourceFile.at(uri, recordings.anonymous, recordings.endpoint_url)
    except UnavailableError:
        raise
    except UserError:
        # Its store forbids this file: whoever fetches it is told so, too, and stops no other recording.
        return SourceFile.missing(uri)
