"""Which subjects teach, which choose, and which judge."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import combinations
from typing import Literal, get_args

from crossmodal.config import Config, UserError
from crossmodal.config.data import (
    CrossValidation,
    FixedSplit,
    LeakyWindows,
    LeaveOneSessionOut,
    LeaveOneSubjectOut,
    Part,
    Split,
    WithinRecordings,
)
from crossmodal.datasets.manifest import Manifest

Role = Literal["train", "validation", "test"]
ROLES: tuple[Role, ...] = get_args(Role)
Label = Literal["", "leaky", "within recording", "within subject"]
# 1.4 - 1.3 is less than 0.1 in floating point; no recording is sampled this finely.
_ROUNDING_S = 1e-9


class Fold(Config):
    """One assignment of recordings to roles.

    A leaky fold gives every role all recordings and deals their windows out at random.
    """

    name: str
    train: tuple[Part, ...]
    validation: tuple[Part, ...]
    test: tuple[Part, ...]
    leaky: LeakyWindows | None = None

    def parts(self, role: Role) -> tuple[Part, ...]:
        """Stretches of recordings that a role reads."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[role]

    @property
    def label(self) -> Label:
        """What every reader must know of scores that say nothing about a new subject: what test and other roles have in common."""
        others = (*self.train, *self.validation)
        if self.leaky:
            return "leaky"
        if any(one.may_share_recording(other) for one in self.test for other in others):
            return "within recording"
        return "within subject" if {part.subject for part in self.test} & {part.subject for part in others} else ""


def make_folds(split: Split, manifest: Manifest) -> tuple[Fold, ...]:
    """Divide a dataset as the experiment asks.

    Raises
    ------
    UserError
        A subject, session or run is not in the dataset, is named twice, has two roles in overlapping or too close stretches, or is too
        short, or there are too few subjects or sessions for the roles; the sentence names it.
    """
    match split:
        case LeaveOneSubjectOut():
            return _leave_one_subject_out(split, manifest.subjects)
        case CrossValidation():
            return _cross_validation(split, manifest.subjects)
        case LeaveOneSessionOut():
            return _leave_one_session_out(split, manifest)
        case FixedSplit():
            return (_fixed(split, manifest),)
        case WithinRecordings():
            return (_within_recordings(split, manifest),)
        case LeakyWindows():
            everyone = tuple(Part(subject=subject) for subject in manifest.subjects)
            return (Fold(name="leaky", train=everyone, validation=everyone, test=everyone, leaky=split),)


def _leave_one_subject_out(split: LeaveOneSubjectOut, subjects: Sequence[str]) -> tuple[Fold, ...]:
    needed = split.validation_subjects + 2
    if len(subjects) < needed:
        raise UserError(
            f"split: leaving one subject out with {split.validation_subjects} for validation needs {needed} subjects, the dataset has "
            f"{len(subjects)} ({', '.join(subjects)})"
        )
    most = len(subjects) - needed + 1
    if (split.training_subjects or 0) > most:
        raise UserError(f"split.training_subjects: {split.training_subjects} are more than the {most} who are left to train")
    stop_s = None if split.training_minutes is None else 60 * split.training_minutes
    held_out = subjects if split.held_out is None else split.held_out
    _check_named(held_out, subjects, "split.held_out")
    folds = []
    for subject in held_out:
        position = subjects.index(subject)
        others = [*subjects[position + 1 :], *subjects[:position]]
        validation, train = others[: split.validation_subjects], others[split.validation_subjects :][: split.training_subjects]
        teaching = tuple(Part(subject=teacher, stop_s=stop_s) for teacher in sorted(train))
        folds.append(Fold(name=f"sub-{subject}", train=teaching, validation=_whole(validation), test=_whole([subject])))
    return tuple(folds)


def _cross_validation(split: CrossValidation, present: Sequence[str]) -> tuple[Fold, ...]:
    subjects = present if split.subjects is None else split.subjects
    _check_named(subjects, present, "split.subjects")
    largest = -(-len(subjects) // split.folds)
    if len(subjects) < max(split.folds, largest + split.validation_subjects + 1):
        raise UserError(
            f"split: {split.folds} folds with {split.validation_subjects} for validation need more subjects than the {len(subjects)} "
            f"there are ({', '.join(subjects)})"
        )
    folds = []
    for first in range(split.folds):
        test = subjects[first :: split.folds]
        others = [subject for subject in (*subjects[first + 1 :], *subjects[: first + 1]) if subject not in test]
        validation, train = others[: split.validation_subjects], others[split.validation_subjects :]
        folds.append(Fold(name=f"cv-{first + 1:02d}", train=_whole(sorted(train)), validation=_whole(validation), test=_whole(test)))
    return tuple(folds)


def _leave_one_session_out(split: LeaveOneSessionOut, manifest: Manifest) -> tuple[Fold, ...]:
    sessions = tuple(dict.fromkeys(Part(subject=recording.subject, session=recording.session) for recording in manifest.durations_s))
    held_out = _repeated(sessions)
    if not held_out:
        raise UserError(
            "split: leaving one session out needs a subject with several sessions, and the dataset has none; leave out subjects"
        )
    needed = split.validation_sessions + 2
    if len(sessions) < needed:
        raise UserError(
            f"split: leaving one session out with {split.validation_sessions} for validation needs {needed} sessions, the dataset has "
            f"{len(sessions)} ({', '.join(session.label for session in sessions)})"
        )
    folds = []
    for session in held_out:
        position = sessions.index(session)
        others = [*sessions[position + 1 :], *sessions[:position]]
        # The subject's own other sessions teach: without them this would be leaving the subject out.
        others.sort(key=lambda other: other.subject == session.subject)
        validation, train = others[: split.validation_sessions], others[split.validation_sessions :]
        name = f"sub-{session.subject}_ses-{session.session}"
        folds.append(Fold(name=name, train=tuple(sorted(train, key=sessions.index)), validation=tuple(validation), test=(session,)))
    return tuple(folds)


def has_repeated_sessions(manifest: Manifest) -> bool:
    """Tell whether any subject has several sessions."""
    return bool(_repeated({Part(subject=recording.subject, session=recording.session) for recording in manifest.durations_s}))


def _repeated(sessions: Collection[Part]) -> list[Part]:
    """Sessions of subjects who have several."""
    n_sessions = Counter(session.subject for session in sessions)
    return [session for session in sessions if n_sessions[session.subject] > 1]


def _within_recordings(split: WithinRecordings, manifest: Manifest) -> Fold:
    parts: dict[Role, list[Part]] = {role: [] for role in ROLES}
    shares: dict[Role, float] = {"train": 1 - split.validation - split.test, "validation": split.validation, "test": split.test}
    for recording, duration_s in manifest.durations_s.items():
        used_s = duration_s - 2 * split.gap_s
        if used_s <= 0:
            raise UserError(
                f"split: sub-{recording.subject} run {recording.run} lasts {duration_s:g} s, which cannot be cut into three with gaps of "
                f"{split.gap_s:g} s; leave it out of recordings or change split.gap_s"
            )
        start_s = 0.0
        for role, share in shares.items():
            stop_s = start_s + share * used_s
            parts[role].append(recording.model_copy(update={"start_s": start_s, "stop_s": stop_s}))
            start_s = stop_s + split.gap_s
    return Fold(name="within", train=tuple(parts["train"]), validation=tuple(parts["validation"]), test=tuple(parts["test"]))


def _fixed(split: FixedSplit, manifest: Manifest) -> Fold:
    parts = {role: tuple(Part(subject=part) if isinstance(part, str) else part for part in getattr(split, role)) for role in ROLES}
    for role, named in parts.items():
        for part in named:
            _check_present(part, manifest, f"split.{role}")
    everything = [(role, part) for role in ROLES for part in parts[role]]
    for (role, part), (other_role, other) in combinations(everything, 2):
        _check_apart(role, part, other_role, other, split.gap_s)
    return Fold(name="fixed", train=parts["train"], validation=parts["validation"], test=parts["test"])


def _check_named(named: Sequence[str], subjects: Sequence[str], key: str) -> None:
    for subject in named:
        if subject not in subjects:
            raise UserError(f"{key}: subject '{subject}' is not in the dataset; it has {', '.join(subjects)}")
        if list(named).count(subject) > 1:
            raise UserError(f"{key}: subject '{subject}' is named twice; name each once")


def _check_present(part: Part, manifest: Manifest, key: str) -> None:
    if part.subject not in manifest.subjects:
        raise UserError(f"{key}: subject '{part.subject}' is not in the dataset; it has {', '.join(manifest.subjects)}")
    own = {recording: duration for recording, duration in manifest.durations_s.items() if recording.subject == part.subject}
    for kind in ("session", "run"):
        wanted, present = getattr(part, kind), [getattr(recording, kind) for recording in own]
        if wanted is not None and wanted not in present:
            there = ", ".join(dict.fromkeys(filter(None, present))) or "none"
            raise UserError(f"{key}: subject '{part.subject}' has no {kind} '{wanted}'; it has {there}")
    taken = [duration for recording, duration in own.items() if part.may_share_recording(recording)]
    if not taken:
        raise UserError(f"{key}: subject '{part.subject}' has no run '{part.run}' in session '{part.session}'")
    longest = max(taken)
    start, stop = _stretch(part)
    if start >= min(stop, longest):
        raise UserError(f"{key}: sub-{part.subject} from {start:g} s to {stop:g} s holds nothing, the recording lasts {longest:g} s")


def _check_apart(role: str, part: Part, other_role: str, other: Part, gap_s: float) -> None:
    if not part.may_share_recording(other):
        return
    (start, stop), (other_start, other_stop) = _stretch(part), _stretch(other)
    distance = max(other_start - stop, start - other_stop)
    if distance < (gap_s if role != other_role else 0) - _ROUNDING_S:
        where = f"in split.{role}" if role == other_role else f"in split.{role} and split.{other_role}"
        apart = f" less than {gap_s:g} s apart" if distance >= 0 else ""
        raise UserError(f"sub-{part.subject} is named twice {where}{apart}; each stretch of a recording has one role")


def _stretch(part: Part) -> tuple[float, float]:
    return part.start_s or 0.0, float("inf") if part.stop_s is None else part.stop_s


def _whole(subjects: Iterable[str]) -> tuple[Part, ...]:
    return tuple(Part(subject=subject) for subject in subjects)
