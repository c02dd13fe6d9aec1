"""Bunny: LightBunny's larger relative, which reads and writes each region's course by segments."""

from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.source_imaging_parts.peak_scaling import PeakScaledConfig
from crossmodal.models.source_imaging_parts.region_courses import RegionCourses
from crossmodal.models.source_imaging_parts.residual_linear import initialise
from crossmodal.models.source_imaging_parts.segment_rnn import SegmentRNN


class BunnyConfig(PeakScaledConfig):
    """Bunny (Hwang et al. 2024); the defaults are its authors'."""

    width: int = Field(256, ge=2, multiple_of=2, description="features of each time, and of each segment")
    segment: int = Field(25, ge=1, description="samples")
    dropout: float = Field(0.2, ge=0, lt=1)

    @property
    def title(self) -> str:
        """Name it."""
        return "Bunny"


class Bunny(RegionCourses):
    """Residual linear layers at each time, a GRU with a unit a region, and SegRNN over the course of each region.

    With 64 electrodes, 994 regions and 500 times it has 4,316,849 parameters, as published. Source: as LightBunny's.
    """

    def __init__(self, config: BunnyConfig, signals: SignalPair) -> None:
        super().__init__(config.scale, config.width, signals)
        self.courses = SegmentRNN(signals.target.n_channels, signals.target.n_times, config.segment, config.width, config.dropout)
        self.apply(initialise)
