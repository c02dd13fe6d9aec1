"""Where recordings come from and what is done to them before they become shards."""

from typing import Annotated, Literal

from pydantic import Field

from crossmodal.config.base import Config


class BidsRecordings(Config):
    """A BIDS dataset with simultaneous EEG and MEG in FIF, local or s3://."""

    kind: Literal["bids"] = "bids"
    root: str
    task: str | None = None
    subjects: tuple[str, ...] | None = Field(None, description="labels without 'sub-'; None takes all")
    processing: str | None = Field(None, description="the proc- entity, 'sss' for MaxFiltered derivatives; None is raw")
    anonymous: bool = Field(False, description="read s3:// without credentials")
    stimulus_delay_s: float = Field(0.0, description="added once to every event onset")
    channel_types: dict[str, str] = Field(default_factory=dict, description="retype channels by name, as EEG061: eog")


class FileEntry(Config):
    """One plain recording."""

    path: str
    subject: str
    run: str = "01"


class FileRecordings(Config):
    """Plain recordings named one by one."""

    kind: Literal["files"] = "files"
    files: tuple[FileEntry, ...] = Field(min_length=1)
    channel_types: dict[str, str] = Field(default_factory=dict)


Recordings = Annotated[BidsRecordings | FileRecordings, Field(discriminator="kind")]


class Preprocessing(Config):
    """The steps from a recording to a shard, in the order they run."""

    modalities: tuple[Literal["eeg", "meg"], ...] = ("eeg", "meg")
    highpass_hz: float | None = Field(0.5, gt=0)
    lowpass_hz: float | None = Field(40.0, gt=0)
    sfreq: float | None = Field(100.0, gt=0, description="None keeps the recording's own rate")
    average_reference: bool = True
    bad_channels: Literal["refuse", "interpolate"] = "refuse"
    flat_v: float = Field(1e-9, ge=0, description="an EEG channel whose range is below this is flat")
    flat_t: float = Field(1e-18, ge=0, description="a MEG channel whose range is below this is flat (T, or T/m)")
    peak_to_peak_v: float | None = Field(None, gt=0, description="EEG segments above this are masked; None masks annotations only")
    segment_s: float = Field(1.0, gt=0, description="length of the segments the mask is made of")
