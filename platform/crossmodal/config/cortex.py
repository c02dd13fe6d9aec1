"""Settings of samples of cortical activity that are made while a model learns from them."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from crossmodal.config.base import Config
from crossmodal.config.simulation import Anatomy


def _in_order(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("the lower end comes first")
    return ends


_Range = Annotated[tuple[float, float], AfterValidator(_in_order)]


class DecayConnectome(Config):
    """Connections that fall off with distance; the defaults are those of TVB's connectome of 998 regions where it has them."""

    neighbours: int = Field(36, ge=1, description="of each region, the nearest; all of them where there are fewer")
    decay_m: float = Field(0.02, gt=0, description="over this distance a connection falls to 1/e, m")
    input_weight: float = Field(17.4, ge=0, description="sum of the weights that lead into a region")


class NeuralMasses(Config):
    """A network of Jansen-Rit neural masses, one a region; a source region is more excitable than the others."""

    excitation_mv: float = Field(3.25, gt=0, description="largest excitatory postsynaptic potential, mV")
    source_excitation_mv: float = Field(3.5, gt=0, description="the same in a source region, mV")
    drive_per_ms: float = Field(0.087, ge=0, description="mean firing rate of the input from elsewhere, 1/ms")
    noise: float = Field(1.9e-4, ge=0, description="half the variance that excitatory slopes gain in a ms, as TVB's nsig")
    step_ms: float = Field(0.5, gt=0, le=1)
    conduction_m_per_s: float = Field(3.0, gt=0, description="speed along tracts")
    longest_delay_ms: float = Field(100.0, gt=0, description="of any tract; the past is kept so long")


class CortexSimulation(Config):
    """Windows of EEG in which one or a few regions of the cortex are active, before a background of activity and sensor noise.

    Each subject is a head of its own, so that leaving one out shows what holds for a new head. An active region carries a sine of one
    frequency in a Gaussian envelope.
    """

    seed: int = Field(0, ge=0)
    subjects: int = Field(6, ge=3)
    samples: int = Field(500, ge=1, description="of each subject, in each role; an epoch takes them all")
    sfreq: float = Field(100.0, gt=0)
    length_s: float = Field(1.0, gt=0)
    electrodes: int = Field(70, ge=16, le=70, description="so many of the extended 10-10 system, spread evenly")
    n_dipoles: int = Field(5000, ge=1000)
    anatomy: Anatomy = Anatomy()
    active_regions: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=60)]] = Field((1, 2), description="fewest and most")
    moment_am: _Range = Field((5e-8, 2e-7), description="largest moment of an active region, A m")
    frequency_hz: _Range = (4.0, 20.0)
    envelope_s: _Range = Field((0.05, 0.15), description="standard deviation of the envelope")
    snr_db: _Range = Field((5.0, 20.0), description="power of the regions over that of background and noise, over electrodes and times")
    background: float = Field(0.7, ge=0, le=1, description="share of background in the power of background and noise")
    background_exponent: float = Field(1.0, ge=0, le=3, description="background power falls as 1 / (1 Hz + f) to this exponent")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.active_regions[0] > self.active_regions[1]:
            raise ValueError("active_regions: the fewest come first")
        if min(*self.moment_am, *self.frequency_hz, *self.envelope_s) <= 0:
            raise ValueError("moment_am, frequency_hz and envelope_s must be above 0")
        if self.frequency_hz[1] >= self.sfreq / 2:
            raise ValueError(f"frequency_hz must lie below half of sfreq ({self.sfreq / 2:g} Hz)")
        return self

    @property
    def n_times(self) -> int:
        """Samples a window."""
        return round(self.length_s * self.sfreq)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the subjects: 01, 02 and so on."""
        return tuple(f"{number:02d}" for number in range(1, self.subjects + 1))
