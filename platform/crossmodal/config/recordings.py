"""What every kind of recordings can be told."""

from typing import Literal, Self

from pydantic import Field, model_validator

from crossmodal.config.base import Config

ChannelType = Literal["eeg", "eog", "ecg", "resp", "emg", "misc"]


class Triggers(Config):
    """Events on a trigger line, where they are named by their codes."""

    channel: str = "STI101"
    mask: int = Field(0, ge=0, description="bits that are ignored, as 4352 for the buttons on ds000117's line")
    min_duration_s: float = Field(0.0, ge=0, description="a code that stands for less is a glitch")
    codes: dict[str, tuple[int, ...]] = Field(min_length=1, description="what the codes mean, as Famous: [5, 6, 7]; others are left out")

    @model_validator(mode="after")
    def _codes_can_be_met(self) -> Self:
        named = [code for codes in self.codes.values() for code in codes]
        for code in named:
            if code <= 0 or code & self.mask:
                raise ValueError(f"code {code} can never be met: it is not above 0, or the mask {self.mask} takes bits of it away")
            if named.count(code) > 1:
                raise ValueError(f"code {code} is given two meanings")
        return self

    @property
    def names(self) -> dict[int, str]:
        """What each code means."""
        return {code: name for name, codes in self.codes.items() for code in codes}


class AnyRecordings(Config):
    """Where recordings lie, and what is known of them besides."""

    anonymous: bool = Field(False, description="read s3:// without credentials")
    endpoint_url: str | None = Field(None, description="S3 server of the recordings; None is AWS_ENDPOINT_URL's, or AWS")
    triggers: Triggers | None = Field(None, description="reads events from a trigger line; None from events.tsv, or what the file says")
    allow_copies: tuple[tuple[str, str], ...] = Field(
        (), description="pairs of subjects whose recordings may be copies of each other, as [['01', '05']]; no other copies are taken"
    )
    stimulus_delay_s: float = Field(0.0, description="added once to every event onset")
    channel_types: dict[str, ChannelType] = Field(
        default_factory=dict, description="retype channels by name, as EEG061: eog; 'misc' leaves one out of every recording"
    )
