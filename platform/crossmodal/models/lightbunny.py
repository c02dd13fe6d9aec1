"""LightBunny: from EEG to the activity of cortical regions by a recurrent layer and a light network over time."""

from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.source_imaging_parts.light_ts import LightTS
from crossmodal.models.source_imaging_parts.peak_scaling import PeakScaledConfig
from crossmodal.models.source_imaging_parts.region_courses import RegionCourses
from crossmodal.models.source_imaging_parts.residual_linear import initialise


class LightBunnyConfig(PeakScaledConfig):
    """LightBunny (Hwang et al. 2024); the defaults are its authors'."""

    width: int = Field(256, ge=16, multiple_of=16, description="features of each time")
    chunk: int = Field(25, ge=1, description="samples that are seen together")

    @property
    def title(self) -> str:
        """Name it."""
        return "LightBunny"


class LightBunny(RegionCourses):
    """Residual linear layers at each time, a GRU with a unit a region, and LightTS over the courses of all regions.

    With 64 electrodes, 994 regions and 500 times it has 5,064,360 parameters, as published.
    Source: Hwang, Eo, Lee and Park (2024), "Electrophysical Source Imaging based on the Spatiotemporal Neural Network", KOSOMBE, and its
    code (github.com/hareeen/LightBunny).
    """

    def __init__(self, config: LightBunnyConfig, signals: SignalPair) -> None:
        super().__init__(config.scale, config.width, signals)
        self.courses = LightTS(signals.target.n_channels, signals.target.n_times, config.chunk, config.width // 2)
        self.apply(initialise)
