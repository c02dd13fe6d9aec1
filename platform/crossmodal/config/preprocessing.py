"""Where recordings come from and what is done to them before they become shards."""

from operator import not_
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from crossmodal.config.base import Config
from crossmodal.config.bold import Bold, GradientCorrection
from crossmodal.config.cleaning import Ica, LineNoise, Maxwell, Ssp
from crossmodal.config.eeg_fmri import BidsFmriRecordings, CnEpflRecordings, NoddiRecordings, OddballRecordings
from crossmodal.config.recordings import AnyRecordings


class BidsRecordings(AnyRecordings):
    """A BIDS dataset of EEG, MEG or both at once, local or s3://."""

    kind: Literal["bids"] = "bids"
    root: str
    datatype: Literal["meg", "eeg"] = Field(
        "meg", description="meg/ in FIF, CTF, KIT or BTi, EEG recorded with it included; or eeg/ in any of BIDS's formats"
    )
    task: str | None = None
    subjects: tuple[str, ...] | None = Field(None, description="labels without 'sub-'; None takes all but empty-room recordings")
    processing: str | None = Field(None, description="the proc- entity, 'sss' for MaxFiltered derivatives; None is raw")


class FileEntry(Config):
    """One plain recording."""

    path: str
    subject: str
    session: str = Field("", exclude_if=not_, description="on which day or occasion it was recorded")
    run: str = "01"


class FileRecordings(AnyRecordings):
    """Plain recordings named one by one."""

    kind: Literal["files"] = "files"
    files: tuple[FileEntry, ...] = Field(min_length=1)


Recordings = Annotated[
    BidsRecordings | FileRecordings | NoddiRecordings | OddballRecordings | CnEpflRecordings | BidsFmriRecordings,
    Field(discriminator="kind"),
]


class Preprocessing(Config):
    """The steps from a recording to a shard, in the order they run."""

    modalities: tuple[Literal["eeg", "meg", "bold"], ...] = Field(("eeg", "meg"), min_length=1)
    gradients: GradientCorrection | None = Field(None, description="subtracts the scanner's gradients from raw EEG; None leaves them")
    bad_channels: Literal["refuse", "interpolate"] = "refuse"
    flat_v: float = Field(1e-9, ge=0, description="an EEG channel is flat in segments that range over less than this")
    flat_t: float = Field(1e-18, ge=0, description="the same for MEG channels (T, or T/m)")
    maxwell: Maxwell | None = Field(None, description="MaxFilters raw MEG; None takes it as it is")
    line_noise: LineNoise | None = Field(None, description="notches the power line out; None leaves it")
    highpass_hz: float | None = Field(0.5, gt=0)
    lowpass_hz: float | None = Field(40.0, gt=0)
    ica: Ica | None = Field(None, description="takes eyes and heart off by independent components; None leaves them")
    ssp: Ssp | None = Field(None, description="takes eyes and heart off by signal space projection; None leaves them")
    sfreq: float | None = Field(100.0, gt=0, description="None keeps the recording's own rate")
    average_reference: bool = True
    peak_to_peak_v: float | None = Field(None, gt=0, description="EEG segments that range over more are masked; None masks none")
    peak_to_peak_t: float | None = Field(None, gt=0, description="the same for magnetometers")
    peak_to_peak_t_per_m: float | None = Field(None, gt=0, description="the same for gradiometers")
    segment_s: float = Field(1.0, gt=0, description="length of the segments that are flat or masked")
    bold: Bold = Bold()
    stored_as: Literal["float32", "float16"] = Field(
        "float32", description="float16 halves shards and rounds EEG and MEG to 1/2048 of a channel's largest sample or better"
    )

    @property
    def sensors(self) -> tuple[str, ...]:
        """Modalities that are sampled like EEG."""
        return tuple(modality for modality in self.modalities if modality != "bold")

    @property
    def references(self) -> tuple[str, ...]:
        """Channel types that show eyes and heart, as far as steps ask for them."""
        return tuple(sorted({kind for step in (self.ica, self.ssp) if step for kind in step.references}, reverse=True))

    @model_validator(mode="after")
    def _has_sensors(self) -> Self:
        if not self.sensors:
            raise ValueError("modalities must name eeg or meg besides bold: volumes are timed on their clock")
        return self

    @model_validator(mode="after")
    def _has_fields(self) -> Self:
        if self.maxwell and "meg" not in self.modalities:
            raise ValueError("maxwell needs meg among modalities; leave it out for EEG")
        return self

    @model_validator(mode="after")
    def _filter_fits(self) -> Self:
        if self.sfreq and (self.lowpass_hz is None or self.lowpass_hz >= self.sfreq / 2):
            raise ValueError(f"lowpass_hz must be below half of sfreq ({self.sfreq / 2:g} Hz), or resampling would cut the band unseen")
        if self.highpass_hz and self.lowpass_hz and self.highpass_hz >= self.lowpass_hz:
            raise ValueError("highpass_hz must be below lowpass_hz")
        if self.line_noise and self.lowpass_hz and self.line_noise.line_hz >= self.lowpass_hz:
            raise ValueError(f"line_noise does nothing beyond lowpass_hz ({self.lowpass_hz:g} Hz); leave it out")
        return self
