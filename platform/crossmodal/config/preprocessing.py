"""Where recordings come from and what is done to them before they become shards."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from crossmodal.config.base import Config

ChannelType = Literal["eeg", "eog", "ecg", "emg", "misc"]


class _Source(Config):
    """What every kind of recordings can be told."""

    anonymous: bool = Field(False, description="read s3:// without credentials")
    endpoint_url: str | None = Field(None, description="S3 server of the recordings; None is AWS_ENDPOINT_URL's, or AWS")
    stimulus_delay_s: float = Field(0.0, description="added once to every event onset")
    channel_types: dict[str, ChannelType] = Field(
        default_factory=dict, description="retype channels by name, as EEG061: eog; 'misc' leaves one out of every recording"
    )


class BidsRecordings(_Source):
    """A BIDS dataset with simultaneous EEG and MEG in FIF, local or s3://."""

    kind: Literal["bids"] = "bids"
    root: str
    task: str | None = None
    subjects: tuple[str, ...] | None = Field(None, description="labels without 'sub-'; None takes all but empty-room recordings")
    processing: str | None = Field(None, description="the proc- entity, 'sss' for MaxFiltered derivatives; None is raw")


class FileEntry(Config):
    """One plain recording."""

    path: str
    subject: str
    run: str = "01"


class FileRecordings(_Source):
    """Plain recordings named one by one."""

    kind: Literal["files"] = "files"
    files: tuple[FileEntry, ...] = Field(min_length=1)


Recordings = Annotated[BidsRecordings | FileRecordings, Field(discriminator="kind")]


class Preprocessing(Config):
    """The steps from a recording to a shard, in the order they run."""

    modalities: tuple[Literal["eeg", "meg"], ...] = Field(("eeg", "meg"), min_length=1)
    bad_channels: Literal["refuse", "interpolate"] = "refuse"
    flat_v: float = Field(1e-9, ge=0, description="an EEG channel is flat when most segments range over less than this")
    flat_t: float = Field(1e-18, ge=0, description="the same for MEG channels (T, or T/m)")
    highpass_hz: float | None = Field(0.5, gt=0)
    lowpass_hz: float | None = Field(40.0, gt=0)
    sfreq: float | None = Field(100.0, gt=0, description="None keeps the recording's own rate")
    average_reference: bool = True
    peak_to_peak_v: float | None = Field(None, gt=0, description="EEG segments that range over more are masked; None masks none")
    peak_to_peak_t: float | None = Field(None, gt=0, description="the same for magnetometers")
    peak_to_peak_t_per_m: float | None = Field(None, gt=0, description="the same for gradiometers")
    segment_s: float = Field(1.0, gt=0, description="length of the segments that are flat or masked")

    @model_validator(mode="after")
    def _filter_fits(self) -> Self:
        if self.sfreq and (self.lowpass_hz is None or self.lowpass_hz >= self.sfreq / 2):
            raise ValueError(f"lowpass_hz must be below half of sfreq ({self.sfreq / 2:g} Hz), or resampling would cut the band unseen")
        if self.highpass_hz and self.lowpass_hz and self.highpass_hz >= self.lowpass_hz:
            raise ValueError("highpass_hz must be below lowpass_hz")
        return self
