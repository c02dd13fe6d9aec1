"""Steps that take off what no brain made: each is off where an experiment does not set it."""

from typing import Literal

from pydantic import Field

from crossmodal.config.base import Config


class Maxwell(Config):
    """Signal space separation of raw MEG: keeps what comes from inside the helmet."""

    calibration: str | None = Field(None, description="fine calibration (.dat); None takes BIDS's acq-calibration where there is one")
    crosstalk: str | None = Field(None, description="cross-talk (.fif); None takes BIDS's acq-crosstalk where there is one")
    st_duration_s: float | None = Field(
        None, gt=0, description="also takes off what is inside and outside at once, over so long; None: not"
    )
    destination_m: tuple[float, float, float] | None = Field(
        None, description="where in the helmet every head is moved to (its origin, device coordinates), as [0, 0, 0.04]; None: nowhere"
    )


class LineNoise(Config):
    """Notches at the power line's frequency and its harmonics, as far as the low-pass reaches."""

    line_hz: float = Field(50.0, gt=0)
    width_hz: float = Field(0.5, ge=0, description="stopped altogether, around each harmonic")
    transition_hz: float = Field(1.0, gt=0, description="on either side; the filter is 3.3 / transition_hz seconds long")


class Artifacts(Config):
    """Eyes and heart, and the channels they are found by."""

    references: tuple[Literal["eog", "ecg"], ...] = Field(("eog", "ecg"), min_length=1)


class Ica(Artifacts):
    """Independent components of each recording and modality that follow EOG or ECG are taken off."""

    explained_variance: float = Field(0.99, gt=0, lt=1, description="share of the variance that components are made of; the rest is kept")
    eog_correlation: float = Field(0.5, gt=0, lt=1, description="a component that follows an EOG as closely, at 1-10 Hz, is an eye's")
    seed: int = Field(0, ge=0)


class Ssp(Artifacts):
    """Directions of each recording's mean blink and heartbeat are projected out of each channel type."""

    explained_variance: float = Field(0.8, ge=0, le=1, description="a direction that explains less of the mean artifact is left")
    n_eeg: int = Field(1, ge=0, description="most directions a reference takes off EEG")
    n_mag: int = Field(1, ge=0)
    n_grad: int = Field(1, ge=0)
