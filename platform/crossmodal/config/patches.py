"""Shapes of patches of cortex that are active together; each range is drawn from anew for each patch."""

from typing import Annotated, Literal

from pydantic import Field

from crossmodal.config.base import Config
from crossmodal.config.ranges import PositiveRange


class Disc(Config):
    """A layer of cortex around a vertex and half of the next layer, on one side; weaker the farther from that vertex."""

    kind: Literal["disc"] = "disc"
    layer_m: PositiveRange = Field((0.010, 0.016), description="depth of each layer along the cortex, m")
    half_weight_m: PositiveRange = Field((0.04, 0.06), description="where the Gaussian of the weights has fallen to a half, m")


class Strip(Config):
    """A strip along the cortex that is equally active throughout."""

    kind: Literal["strip"] = "strip"
    length_m: PositiveRange = (0.03, 0.06)
    width_m: PositiveRange = (0.01, 0.02)


class Dumbbell(Config):
    """Two round ends and a narrow strip between them, all equally active."""

    kind: Literal["dumbbell"] = "dumbbell"
    length_m: PositiveRange = Field((0.03, 0.05), description="between the middles of the ends")
    radius_m: PositiveRange = Field((0.008, 0.014), description="of the ends")
    width_m: PositiveRange = Field((0.004, 0.008), description="of the strip")


PatchShape = Annotated[Disc | Strip | Dumbbell, Field(discriminator="kind")]
