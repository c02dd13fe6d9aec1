"""How simulated heads are drawn, beyond how people differ in size and in how a cap sits on them."""

from typing import Literal

from pydantic import Field

from crossmodal.config.base import Config
from crossmodal.config.ranges import PositiveRange
from crossmodal.config.simulation import Anatomy


class Heads(Config):
    """Heads whose skull, shape and electrodes are drawn anew for each person."""

    model: Literal["sphere", "bem"] = Field("sphere", description="four spherical shells, or boundary elements of three layers")
    grade: Literal[3, 4, 5] = Field(4, description="spacing of the cortex: neighbouring vertices are about 12, 6 or 3 mm apart")
    surface: Literal["white", "middle"] = Field("white", description="white surface, or midway between it and the pial surface")
    skull_ratio: PositiveRange = Field((25.0, 80.0), description="conductivity of the brain over that of the skull")
    skull_thickness: PositiveRange = Field((0.7, 1.3), description="relative to the template")
    axes: float = Field(0.03, ge=0, lt=0.2, description="standard deviation of the relative length of a head along each axis")
    electrode_error_m: float = Field(
        0.003, ge=0, description="between measured and true place of an electrode, standard deviation along each axis"
    )
    anatomy: Anatomy = Anatomy()
