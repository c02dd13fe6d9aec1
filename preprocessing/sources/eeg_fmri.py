"""What readers of EEG-fMRI datasets share."""

from collections.abc import Collection, Sequence

from crossmodal.config import UnavailableError, UserError
from crossmodal.config.eeg_fmri import BidsFmriRecordings, CnEpflRecordings, NoddiRecordings, OddballRecordings
from preprocessing.sources.base import BoldFiles, SourceFile

EegFmriRecordings = NoddiRecordings | OddballRecordings | CnEpflRecordings | BidsFmriRecordings


def bold_files(recordings: EegFmriRecordings, subject: str, run: str, image: SourceFile, sidecar: SourceFile | None = None) -> BoldFiles:
    """Add to an image what an experiment says lies elsewhere.

    Raises
    ------
    UnavailableError
        A store does not answer.
    """

    def file(pattern: str | None) -> SourceFile | None:
        if pattern is None:
            return None
        uri = _filled(pattern, subject, run)
        try:
            return SourceFile.at(uri, recordings.anonymous, recordings.endpoint_url)
        except UnavailableError:
            raise
        except UserError:
            # Its store forbids this file: whoever fetches it is told so, too, and stops no other recording.
            return SourceFile.missing(uri)

    return BoldFiles(image=image, sidecar=sidecar, motion=file(recordings.motion), transform=file(recordings.transforms))


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


def _filled(pattern: str, subject: str, run: str) -> str:
    return pattern.replace("{subject}", subject).replace("{run}", run)
