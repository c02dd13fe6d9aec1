"""Which subjects teach, which choose, and which judge."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal, get_args

from crossmodal.config import Config, UserError
from crossmodal.config.data import CrossValidation, FixedSplit, LeakyWindows, LeaveOneSubjectOut, Part, Split
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
        if any(_same_recording(one, other) for one in self.test for other in others):
            return "within recording"
        return "within subject" if {part.subject for part in self.test} & {part.subject for part in others} else ""


def make_folds(split: Split, manifest: Manifest) -> tuple[Fold, ...]:
    """Divide a dataset as the experiment asks.

    Raises
    ------
    UserError
        A subject or run is not in the dataset, is named twice, has two roles in overlapping or too close stretches, or there
        are too few subjects for the roles; the sentence names it.
    """
    match split:
        case LeaveOneSubjectOut():
            return _leave_one_subject_out(split, manifest.subjects)
        case CrossValidation():
            return _cross_validation(split, manifest.subjects)
        case FixedSplit():
            return (_fixed(split, manifest),)
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
    held_out = subjects if split.held_out is None else split.held_out
    _check_named(held_out, subjects, "split.held_out")
    folds = []
    for subject in held_out:
        position = subjects.index(subject)
        others = [*subjects[position + 1 :], *subjects[:position]]
        validation, train = others[: split.validation_subjects], others[split.validation_subjects :]
        folds.append(Fold(name=f"sub-{subject}", train=_whole(sorted(train)), validation=_whole(validation), test=_whole([subject])))
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


def _fixed(split: FixedSplit, manifest: Manifest) -> Fold:
    parts = {role: tuple(Part(subject=part) if isinstance(part, str) else part for part in getattr(split, role)) for role in ROLES}
    runs = manifest.durations_s
    for role, named in parts.items():
        for part in named:
            _check_present(part, runs, manifest.subjects, f"split.{role}")
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


def _check_present(part: Part, runs: dict[tuple[str, str], float], subjects: Sequence[str], key: str) -> None:
    if part.subject not in subjects:
        raise UserError(f"{key}: subject '{part.subject}' is not in the dataset; it has {', '.join(subjects)}")
    own = {run: duration for (subject, run), duration in runs.items() if subject == part.subject}
    if part.run is not None and part.run not in own:
        raise UserError(f"{key}: subject '{part.subject}' has no run '{part.run}'; it has {', '.join(own)}")
    longest = max(own.values()) if part.run is None else own[part.run]
    start, stop = _stretch(part)
    if start >= min(stop, longest):
        raise UserError(f"{key}: sub-{part.subject} from {start:g} s to {stop:g} s holds nothing, the recording lasts {longest:g} s")


def _check_apart(role: str, part: Part, other_role: str, other: Part, gap_s: float) -> None:
    if not _same_recording(part, other):
        return
    (start, stop), (other_start, other_stop) = _stretch(part), _stretch(other)
    distance = max(other_start - stop, start - other_stop)
    if distance < (gap_s if role != other_role else 0) - _ROUNDING_S:
        where = f"in split.{role}" if role == other_role else f"in split.{role} and split.{other_role}"
        apart = f" less than {gap_s:g} s apart" if distance >= 0 else ""
        raise UserError(f"sub-{part.subject} is named twice {where}{apart}; each stretch of a recording has one role")


def _same_recording(part: Part, other: Part) -> bool:
    return part.subject == other.subject and (part.run is None or other.run is None or part.run == other.run)


def _stretch(part: Part) -> tuple[float, float]:
    return part.start_s or 0.0, float("inf") if part.stop_s is None else part.stop_s


def _whole(subjects: Iterable[str]) -> tuple[Part, ...]:
    return tuple(Part(subject=subject) for subject in subjects)
