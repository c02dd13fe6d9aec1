"""What every kind of recordings can be told."""

from typing import Literal

from pydantic import Field

from crossmodal.config.base import Config

ChannelType = Literal["eeg", "eog", "ecg", "emg", "misc"]


class Source(Config):
    """Where recordings lie, and what is known of them besides."""

    anonymous: bool = Field(False, description="read s3:// without credentials")
    endpoint_url: str | None = Field(None, description="S3 server of the recordings; None is AWS_ENDPOINT_URL's, or AWS")
    stimulus_delay_s: float = Field(0.0, description="added once to every event onset")
    channel_types: dict[str, ChannelType] = Field(
        default_factory=dict, description="retype channels by name, as EEG061: eog; 'misc' leaves one out of every recording"
    )
