"""What a model reads from shards, and which subjects teach, choose and judge."""

from itertools import combinations, product
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from crossmodal.config.base import Config


class Signals(Config):
    """Channels of one modality: 'all', a channel type, or names; of BOLD all targets, or regions by name; all regions of the cortex."""

    modality: Literal["eeg", "meg", "bold", "cortex"]
    channels: Literal["all", "mag", "grad"] | tuple[str, ...] = "all"


class SlidingWindows(Config):
    """Windows that slide over the continuous recording."""

    kind: Literal["sliding"] = "sliding"
    length_s: float = Field(5.0, gt=0)
    hop_s: float = Field(2.5, gt=0)


class EpochWindows(Config):
    """Windows locked to events; both ends of the epoch and of its baseline are included, as in MNE."""

    kind: Literal["epochs"] = "epochs"
    tmin_s: float = -0.5
    tmax_s: float = 1.5
    baseline_s: tuple[float, float] | None = Field((-0.5, 0.0), description="its mean is subtracted from input and target")
    conditions: tuple[str, ...] | None = Field(None, min_length=1, description="trial types; None takes all")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.tmin_s >= self.tmax_s:
            raise ValueError("tmin_s must be below tmax_s")
        if self.baseline_s and not self.tmin_s <= self.baseline_s[0] <= self.baseline_s[1] <= self.tmax_s:
            raise ValueError(
                f"baseline_s must lie in order within the epoch, from {self.tmin_s:g} to {self.tmax_s:g} s; null subtracts none"
            )
        return self

    @property
    def length_s(self) -> float:
        """From the first sample to the last one."""
        return self.tmax_s - self.tmin_s


class VolumeWindows(Config):
    """The input before each volume of BOLD, which is the target."""

    kind: Literal["volumes"] = "volumes"
    length_s: float = Field(20.0, gt=0, description="BOLD follows neural activity for as long, at the least")
    lag_s: float = Field(0.0, description="the input ends so long before the volume's onset; below 0 it reaches past it, as a control")


Windows = Annotated[SlidingWindows | EpochWindows | VolumeWindows, Field(discriminator="kind")]


class Data(Config):
    """Source, target, windows and scaling: all of it decided at load time."""

    input: Signals = Signals(modality="eeg")
    target: Signals = Signals(modality="meg", channels="mag")
    windows: Windows = SlidingWindows()
    input_scaling: Literal["zscore", "robust", "minmax", "whiten", "common"] = Field(
        "whiten", description="common divides all channels by one deviation, so that topographies keep their form"
    )
    target_scaling: Literal["zscore", "robust", "minmax", "minmax_log1p"] = "zscore"

    @model_validator(mode="after")
    def _volumes_are_targets(self) -> Self:
        if self.input.modality == "bold":
            raise ValueError("input must be eeg or meg: BOLD is slower than what it would have to predict")
        if self.input.modality == "cortex":
            raise ValueError("input must be eeg or meg: nobody records the cortex itself")
        if (self.target.modality == "bold") != (self.windows.kind == "volumes"):
            raise ValueError("target.modality bold and windows.kind volumes go together")
        if self.input_scaling == "common" and self.input.modality == "meg" and self.input.channels == "all":
            raise ValueError("input_scaling: common is for channels of one unit; choose input.channels mag or grad")
        return self


class Part(Config):
    """A stretch of one subject's recordings."""

    subject: str
    # Left out where it says nothing, as runs are named that were trained before sessions were kept.
    session: str | None = Field(None, exclude_if=lambda session: session is None, description="None takes all sessions")
    run: str | None = Field(None, description="None takes all runs")
    start_s: float | None = Field(None, ge=0)
    stop_s: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.stop_s is not None and (self.start_s or 0) >= self.stop_s:
            raise ValueError("start_s must be below stop_s")
        return self

    @property
    def label(self) -> str:
        """The subject, and the session where it is of one."""
        return f"{self.subject} ses-{self.session}" if self.session else self.subject

    def takes(self, subject: str, session: str, run: str) -> bool:
        """Tell whether a recording is among those that this is a stretch of."""
        return self.subject == subject and self.session in (None, session) and self.run in (None, run)

    def may_share_recording(self, other: "Part") -> bool:
        """Tell whether both may be stretches of one recording."""
        alike = (a is None or b is None or a == b for a, b in ((self.session, other.session), (self.run, other.run)))
        return self.subject == other.subject and all(alike)


class LeaveOneSubjectOut(Config):
    """Each subject is the test once; the next ones in order validate."""

    kind: Literal["leave_one_subject_out"] = "leave_one_subject_out"
    validation_subjects: int = Field(1, ge=1)
    held_out: tuple[str, ...] | None = Field(None, min_length=1, description="only these folds; None makes one a subject")
    # Left out where they say nothing, as runs are named that were trained before these settings were there.
    training_subjects: int | None = Field(
        None, ge=1, exclude_if=lambda limit: limit is None, description="so many of the others train, for a learning curve; None takes all"
    )
    training_minutes: float | None = Field(
        None, gt=0, exclude_if=lambda limit: limit is None, description="of the beginning of each training recording; None takes all"
    )


class CrossValidation(Config):
    """Subjects dealt into groups, each of which is the test once; the next ones in order validate."""

    kind: Literal["cross_validation"] = "cross_validation"
    folds: int = Field(5, ge=2)
    validation_subjects: int = Field(1, ge=1)
    subjects: tuple[str, ...] | None = Field(None, min_length=1, description="only these are read; None takes all")


class LeaveOneSessionOut(Config):
    """Each session of a subject who has several is the test once, sessions of the next subjects validate, all others train."""

    kind: Literal["leave_one_session_out"] = "leave_one_session_out"
    validation_sessions: int = Field(1, ge=1)


class FixedSplit(Config):
    """Named subjects, or stretches of recordings, for each role."""

    kind: Literal["fixed"] = "fixed"
    train: tuple[str | Part, ...] = Field(min_length=1)
    validation: tuple[str | Part, ...] = Field(min_length=1)
    test: tuple[str | Part, ...] = Field(min_length=1)
    gap_s: float = Field(0.0, ge=0, description="least distance between parts of one recording with different roles")

    @property
    def divides_recordings(self) -> bool:
        """Whether a recording may have several roles."""
        roles = [
            [Part(subject=part) if isinstance(part, str) else part for part in role] for role in (self.train, self.validation, self.test)
        ]
        return any(one.may_share_recording(other) for a, b in combinations(roles, 2) for one, other in product(a, b))


class _Shares(Config):
    validation: float = Field(0.1, gt=0, lt=1)
    test: float = Field(0.2, gt=0, lt=1)

    @model_validator(mode="after")
    def _leaves_some_to_train(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test must leave a share to train on")
        return self


class WithinRecordings(_Shares):
    """Each recording is cut into training, validation and test, in this order; labelled within recording everywhere."""

    kind: Literal["within_recordings"] = "within_recordings"
    gap_s: float = Field(ge=0, description="left out between the parts; volumes need a window and a haemodynamic response of 32 s")
    # Of what gaps leave of a short scan, a smaller part would hold no window.
    validation: float = Field(0.2, gt=0, lt=1)
    test: float = Field(0.3, gt=0, lt=1)
    divides_recordings: ClassVar[bool] = True


class LeakyWindows(_Shares):
    """Windows shuffled across subjects, as published systems do; labelled leaky everywhere."""

    kind: Literal["leaky_windows"] = "leaky_windows"


Split = Annotated[
    LeaveOneSubjectOut | CrossValidation | LeaveOneSessionOut | FixedSplit | WithinRecordings | LeakyWindows,
    Field(discriminator="kind"),
]
