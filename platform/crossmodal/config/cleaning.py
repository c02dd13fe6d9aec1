"""Steps that take off what no brain made: each is off where an experiment does not set it."""

from pydantic import Field

from crossmodal.config.base import Config


class LineNoise(Config):
    """Notches at the power line's frequency and its harmonics, as far as the low-pass reaches."""

    line_hz: float = Field(50.0, gt=0)
    width_hz: float = Field(0.5, ge=0, description="stopped altogether, around each harmonic")
    transition_hz: float = Field(1.0, gt=0, description="on either side; the filter is 3.3 / transition_hz seconds long")
