"""What makes a simulated EEG-fMRI cohort as hard as a real one: coupling in several bands, responses that vary, BOLD noise, events."""

from typing import Self

from pydantic import Field, model_validator

from crossmodal.config.base import Config


class Band(Config):
    """A band in which the cortex of every region oscillates."""

    hz: tuple[float, float]
    moment: float = Field(1.0, gt=0, description="rms moment of a region's dipoles in the band, in units of region_moment_am")


class RegionCoupling(Config):
    """How BOLD of a region follows power of its own cortex, band by band."""

    strength: dict[str, float] = Field(
        min_length=1, description="by band, in units of change_percent; below 0 BOLD falls when power rises, bands not named have no part"
    )
    is_shown: bool = Field(
        True,
        description="whether EEG shows the power that BOLD follows; if not, BOLD follows power of the same kind that no EEG shows, and EEG"
        " shows power that no BOLD follows",
    )


class Coupling(Config):
    """Several bands and signs in each region, regions whose BOLD no EEG shows, and people who differ."""

    bands: dict[str, Band] = Field(
        default={"alpha": Band(hz=(8, 12)), "beta": Band(hz=(15, 25), moment=0.7), "gamma": Band(hz=(30, 40), moment=0.5)}, min_length=1
    )
    regions: tuple[RegionCoupling, ...] = Field(
        (
            RegionCoupling(strength={"alpha": -1.0, "gamma": 0.7}),
            RegionCoupling(strength={"alpha": -1.0}),
            RegionCoupling(strength={"beta": -0.7, "gamma": 1.0}),
            RegionCoupling(strength={"alpha": -1.0, "gamma": 0.7}, is_shown=False),
        ),
        min_length=1,
        description="the regions of the atlas take them in turn, again from the first one where there are more regions",
    )
    subject_spread: float = Field(0.3, ge=0, description="standard deviation over subjects of the logarithm of each strength")
    session_spread: float = Field(0.1, ge=0, description="the same over sessions of a subject")
    peak_s: tuple[float, float] = Field((4.0, 8.0), description="between them the response of blood in each region peaks after an impulse")
    peak_spread_s: float = Field(0.5, ge=0, description="standard deviation of a subject's own peaks about the regions'")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, band in self.bands.items():
            if not 0 < band.hz[0] < band.hz[1]:
                raise ValueError(f"bands.{name}.hz must lie in order above 0")
        for region in self.regions:
            check_bands(region.strength, self, "regions.strength")
        if not 1 <= self.peak_s[0] <= self.peak_s[1] <= 12:
            raise ValueError("peak_s must lie in order between 1 and 12 s")
        return self


class BoldNoise(Config):
    """What a voxel's BOLD does by itself, in time and in space.

    Notes
    -----
    The defaults are fitted to recordings, by benchmarks/bold_noise.py. Those in time are of four runs of Haxby et al. (2001), Science
    293:2425-2430, 121 volumes of TR 2.5 s in voxels of 25 mm: autocorrelations of .39, .22 and .12 at lags of 1 to 3 volumes fall as those
    of an AR(1) of 4.3 s (3.8 to 5.4), which makes .70 of the variance (.65 to .76), and of white noise, which makes the rest; voxels 4 to
    9 cm apart still correlate by .05, and a voxel drifts by .6 % in 5 minutes. The smoothness is that of the 4 mm voxels of nibabel's
    example image, of which neighbours correlate by .32.
    """

    autocorrelation_s: float = Field(4.3, gt=0, description="time in which the autocorrelation of the coloured part falls to 1/e")
    coloured_share: float = Field(0.7, ge=0, le=1, description="of the variance; the rest is white")
    fwhm_mm: float = Field(4.4, ge=0, description="of the Gaussian that smooths noise in space")
    global_share: float = Field(0.05, ge=0, le=1, description="of the variance, which all voxels share")
    slow_percent: float = Field(0.4, ge=0, description="standard deviation of the slow drift of a voxel")
    slow_s: float = Field(100.0, gt=0, description="standard deviation of the Gaussian that smooths slow drifts in time")


class Oddball(Config):
    """Targets among standards in some runs, which evoke potentials and change the power that BOLD follows; targets are answered."""

    runs: tuple[int, ...] = Field((2,), min_length=1, description="numbers within a session; other runs are at rest")
    interval_s: tuple[float, float] = Field((1.5, 2.5), description="between them lie the intervals of events")
    target_share: float = Field(0.2, gt=0, lt=1)
    evoked_moment: float = Field(2.0, ge=0, description="peak of the potential after a target, in units of region_moment_am")
    log_power: dict[str, float] = Field(
        default={"alpha": -0.8, "gamma": 0.6}, description="greatest change of log power after a target, by band"
    )
    standard_ratio: float = Field(0.25, ge=0, le=1, description="what a standard does, in units of what a target does")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0.2 <= self.interval_s[0] <= self.interval_s[1]:
            raise ValueError("interval_s must lie in order, from 0.2 s on")
        return self


def check_bands(named: dict[str, float], coupling: Coupling, key: str) -> None:
    """Refuse bands that the cortex does not have."""
    unknown = sorted(named.keys() - coupling.bands.keys())
    if unknown:
        raise ValueError(f"{key}: there is no band '{unknown[0]}'; coupling.bands has {', '.join(coupling.bands)}")
