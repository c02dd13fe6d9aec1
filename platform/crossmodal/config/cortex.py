"""Settings of samples of cortical activity that are made while a model learns from them."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from crossmodal.config.base import Config
from crossmodal.config.heads import Heads
from crossmodal.config.parcellation import Parcellation, RandomRegions
from crossmodal.config.patches import Disc, Dumbbell, PatchShape, Strip
from crossmodal.config.ranges import PositiveRange, Range
from crossmodal.config.simulation import Anatomy


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


class Clips(Config):
    """Waveforms of sources: stretches around the large waves that neural masses fire now and then, made once and kept in the store."""

    neural_masses: NeuralMasses = NeuralMasses()
    connectome: DecayConnectome = DecayConnectome()
    tvb_file: str | None = Field(
        None, description="connectivity file (zip) of The Virtual Brain in place of connectome, which connects cortex.regions"
    )
    seconds: float = Field(20.0, gt=0, description="simulated with each region as the source")
    together: int = Field(25, ge=1, description="sources simulated at once by a worker")
    compiled: bool = Field(False, description="compile the equations: half a minute a worker, then several times as fast")
    spike_mv: float = Field(8.0, gt=0, description="a wave is as high, mV")
    apart_s: float = Field(0.4, ge=0, description="no other region fires from so long before to so long after a clip")


class Noise(Config):
    """What EEG shows beside the sources of a sample, all of it drawn anew for each sample."""

    snr_db: Range = Field((5.0, 20.0), description="power of the sources over that of all noise, over electrodes and times, in each sample")
    background: float = Field(
        0.5, ge=0, le=1, description="share of cortical background activity, which no label holds, in the power of noise"
    )
    background_exponent: float = Field(1.0, ge=0, le=3, description="background power falls as 1 / (1 Hz + f) to this exponent")
    coloured: float = Field(0.5, ge=0, le=1, description="share of noise of sensors that is coloured; the rest is white")
    coloured_time_s: float = Field(0.02, gt=0, description="correlation over time falls to 1/e, as of a first-order autoregression")
    coloured_length_m: float = Field(0.05, gt=0, description="correlation over electrodes falls to 1/e")


class Brains(Config):
    """Heads, and the shapes of what is active in them."""

    heads: Heads = Heads()
    shapes: tuple[PatchShape, ...] = Field((Disc(),), min_length=1, description="of patches, by turns")


class PatchSimulation(Config):
    """Windows of EEG in which patches of the cortex are active with waveforms of neural masses, before background and noise.

    Each subject is a head of its own. Clips and patches of the cortex are divided between training, validation and test. Test samples are
    made twice: on heads like those of training (matched) and on others (unmatched), which is what scores are of.
    """

    kind: Literal["patches"] = "patches"
    seed: int = Field(0, ge=0)
    subjects: int = Field(20, ge=3)
    samples: int = Field(500, ge=1, description="of each training head in an epoch")
    test_samples: int = Field(100, ge=1, description="of each validation or test head")
    sfreq: float = Field(250.0, gt=0)
    length_s: float = Field(1.0, gt=0)
    electrodes: int = Field(64, ge=16, le=70, description="so many of the extended 10-10 system, spread evenly")
    # Left out where it says nothing, as stores and runs are named that were made before there was MEG.
    sensors: tuple[Literal["eeg", "mag", "grad"], ...] = Field(
        ("eeg",),
        min_length=1,
        exclude_if=lambda sensors: sensors == ("eeg",),
        description="what a sample has: the electrodes, magnetometers or gradiometers of a VectorView helmet, or several of them",
    )
    regions: Parcellation = RandomRegions()
    matched: Brains = Field(Brains(), description="of training, validation and matched tests")
    unmatched: Brains = Field(
        Brains(
            heads=Heads(model="bem", grade=5, surface="middle", skull_ratio=(12.0, 20.0), electrode_error_m=0.004),
            shapes=(Strip(), Dumbbell()),
        ),
        description="of tests, unlike those of training in all that a solver has to assume, so that no score is an inverse crime",
    )
    n_patches: int = Field(2000, ge=100, description="of all roles together, each from another vertex of the cortex")
    sources: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=10)]] = Field((1, 3), description="fewest and most")
    density_am_per_m2: PositiveRange = Field((2e-5, 8e-5), description="largest moment of a source, A m of each m2 of cortex")
    noise: Noise = Noise()
    clips: Clips = Clips()

    @field_validator("sensors")
    @classmethod
    def _in_the_order_of_channels(cls, sensors: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(kind for kind in ("eeg", "mag", "grad") if kind in sensors)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.sources[0] > self.sources[1]:
            raise ValueError("sources: the fewest come first")
        steps = 1000 / (self.clips.neural_masses.step_ms * self.sfreq)
        if steps not in (1, 2, 4, 8, 16, 32):
            raise ValueError(f"sfreq: a sample must last 1, 2, 4, 8, 16 or 32 steps of {self.clips.neural_masses.step_ms:g} ms")
        return self

    @property
    def n_times(self) -> int:
        """Samples a window."""
        return round(self.length_s * self.sfreq)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the subjects: 01, 02 and so on."""
        return tuple(f"{number:02d}" for number in range(1, self.subjects + 1))


class CortexSimulation(Config):
    """Windows of EEG in which one or a few regions of the cortex are active, before a background of activity and sensor noise.

    Each subject is a head of its own, so that leaving one out shows what holds for a new head. An active region carries a sine of one
    frequency in a Gaussian envelope.
    """

    kind: Literal["bursts"] = "bursts"
    seed: int = Field(0, ge=0)
    subjects: int = Field(6, ge=3)
    samples: int = Field(500, ge=1, description="of each subject, in each role; an epoch takes them all")
    sfreq: float = Field(100.0, gt=0)
    length_s: float = Field(1.0, gt=0)
    electrodes: int = Field(70, ge=16, le=70, description="so many of the extended 10-10 system, spread evenly")
    n_dipoles: int = Field(5000, ge=1000)
    anatomy: Anatomy = Anatomy()
    active_regions: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(le=60)]] = Field((1, 2), description="fewest and most")
    moment_am: Range = Field((5e-8, 2e-7), description="largest moment of an active region, A m")
    frequency_hz: Range = (4.0, 20.0)
    envelope_s: Range = Field((0.05, 0.15), description="standard deviation of the envelope")
    snr_db: Range = Field((5.0, 20.0), description="power of the regions over that of background and noise, over electrodes and times")
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


def _kind(settings: Any) -> str:
    return str(settings.get("kind", "bursts") if isinstance(settings, dict) else settings.kind)


AnyCortexSimulation = Annotated[
    Annotated[CortexSimulation, Tag("bursts")] | Annotated[PatchSimulation, Tag("patches")],
    Discriminator(_kind),
]
