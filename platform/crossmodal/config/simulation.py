"""Settings of a simulated cohort."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from crossmodal.config.base import Config
from crossmodal.config.coupling import BoldNoise, Coupling, Oddball, check_bands


class SourceSpectrum(Config):
    """Power spectra of cortical sources: an aperiodic part everywhere, alpha mostly at the back.

    The aperiodic density falls as 1 / (knee_hz + f)^exponent; alpha is a Gaussian peak.
    """

    exponent: float = Field(1.0, ge=0, le=3)
    knee_hz: float = Field(1.0, gt=0)
    alpha_hz: float = Field(10.0, gt=0)
    alpha_width_hz: float = Field(1.5, gt=0)
    alpha_power_ratio: float = Field(1.0, ge=0, description="mean alpha power over mean aperiodic power, over dipoles")


class Anatomy(Config):
    """How subjects differ, as standard deviations over the cohort."""

    rotation_deg: float = Field(4.0, ge=0)
    translation_m: float = Field(0.004, ge=0)
    head_size: float = Field(0.03, ge=0, lt=0.2, description="relative")
    normal_deg: float = Field(15.0, ge=0, description="tilt of each dipole from the template's normal")


class Simulation(Config):
    """A physics-based BIDS dataset of simultaneous EEG and MEG, with its ground truth.

    In a null cohort each modality has sources, stimuli and artifacts of its own. In a shifted one they are shared, but MEG runs ahead of
    EEG by another amount in each recording, so that nothing learned from some recordings holds in others.
    """

    kind: Literal["eeg_meg"] = "eeg_meg"
    root: str
    cohort: Literal["coupled", "null", "shifted"] = "coupled"
    subjects: int = Field(8, ge=1)
    runs: int = Field(1, ge=1)
    duration_s: float = Field(120.0, gt=5)
    sfreq: float = Field(250.0, gt=0)
    seed: int = 0
    head_model: Literal["sphere", "bem"] = "sphere"
    n_dipoles: int = Field(1500, ge=10)
    correlation_length_m: float = Field(0.02, ge=0)
    # With white sources, 6e-10 explains as much of the magnetometers as the field's own calculations do: .11, .25, .49 at 0, 1, 2 cm.
    source_moment_am: float = Field(6e-10, gt=0, description="rms aperiodic moment of a dipole, A m; signals grow with n_dipoles")
    spectrum: SourceSpectrum = SourceSpectrum()
    anatomy: Anatomy = Anatomy()
    evoked: bool = True
    artifacts: bool = True
    mains_hz: float | None = Field(None, gt=0, description="hum of the power line and its harmonics in all sensors; None is silent")
    eeg_noise_v: float = Field(0.5e-6, ge=0, description="rms over the recorded band")
    mag_noise_t: float = Field(20e-15, ge=0)
    grad_noise_t_per_m: float = Field(5e-13, ge=0)


class Physiology(Config):
    """Heartbeat, breath and head movement in a scanner, which ECG, respiratory belt and motion parameters record in every cohort.

    What they do to EEG and BOLD, they do in a confounded cohort alone.
    """

    heart_rate_hz: float = Field(1.1, gt=0.5, lt=3)
    heart_rate_spread_hz: float = Field(0.1, gt=0, lt=0.3, description="standard deviation of the slow changes of heart rate")
    breath_hz: float = Field(0.25, gt=0.1, lt=1)
    breath_depth: float = Field(0.4, gt=0, description="standard deviation of the logarithm of a breath's depth")
    change_time_s: float = Field(8.0, gt=0, description="standard deviation of the Gaussian that smooths both in time")
    movement_mm: float = Field(0.15, ge=0, description="mean size of a nod; drifts are as large")
    pulse_v: float = Field(4e-6, ge=0, description="amplitude of the pulse artifact at the electrode that shows it most")
    muscle_v: float = Field(1.5e-6, ge=0, description="rms of muscles that breathe along, likewise")
    movement_v_s_per_mm: float = Field(3e-5, ge=0, description="voltage of a head that moves by 1 mm/s, likewise")
    cardiac_percent: float = Field(1.0, ge=0, description="standard deviation of the change of BOLD that heart rate makes")
    respiratory_percent: float = Field(1.0, ge=0, description="the same of respiration volume")
    movement_percent_per_mm: float = Field(1.0, ge=0, description="of a region's BOLD with the head, standard deviation over regions")


Grid = tuple[Annotated[int, Field(ge=6)], Annotated[int, Field(ge=6)], Annotated[int, Field(ge=6)]]


class EegFmriSimulation(Config):
    """A BIDS dataset of EEG and BOLD whose regions follow the EEG's band power through a haemodynamic response.

    As it stands, each region has one band, of which all follow the canonical response on white noise. The sections coupling, noise and
    oddball, and sessions, each add what makes real recordings harder.

    In a null cohort the regions follow power of the same kind that no EEG shows. In a confounded one they do, too, but
    heartbeat, breath and head movement show in EEG and BOLD alike.
    """

    kind: Literal["eeg_fmri"] = "eeg_fmri"
    root: str
    cohort: Literal["coupled", "null", "confounded"] = "coupled"
    subjects: int = Field(8, ge=1)
    sessions: int | None = Field(None, ge=1, description="of each subject; None writes no ses- folders")
    runs: int = Field(1, ge=1, description="of each session")
    n_volumes: int = Field(240, ge=20)
    tr_s: float = Field(2.0, gt=0.1)
    sfreq: float = Field(250.0, ge=50)
    seed: int = 0
    n_dipoles: int = Field(500, ge=50)
    anatomy: Anatomy = Anatomy()
    regions: int = Field(6, ge=1, le=20)
    band_hz: tuple[float, float] = (8.0, 12.0)
    power_time_s: float = Field(6.0, gt=0, description="standard deviation of the Gaussian that smooths log power in time")
    power_depth: float = Field(0.7, gt=0, description="standard deviation of log power")
    region_moment_am: float = Field(3e-9, gt=0, description="rms moment of each dipole of a region in the band, A m")
    background_moment_am: float = Field(6e-10, ge=0, description="rms aperiodic moment of every dipole, A m")
    eeg_noise_v: float = Field(0.5e-6, ge=0)
    voxel_mm: float = Field(8.0, gt=1)
    change_percent: float = Field(2.0, gt=0, description="change of a region's BOLD when its power doubles for long")
    noise_percent: float = Field(1.0, ge=0, description="standard deviation of a voxel's white noise")
    drift_percent: float = Field(1.0, ge=0, description="linear drift of every voxel over a run")
    lead_in_s: tuple[float, float] = Field((5.0, 40.0), description="between them the scanner starts after the EEG")
    physiology: Physiology = Physiology()
    # Null where they change nothing, so that cohorts that were made before they came are still theirs.
    coupling: Coupling | None = Field(None, description="None couples all regions alike, in band_hz")
    noise: BoldNoise | None = Field(None, description="colours the noise of noise_percent; None leaves it white")
    oddball: Oddball | None = Field(None, description="events in some runs; None has none")
    grid: Grid | None = Field(
        None, description="voxels of an image along each axis, about the middle of the brain; None is as many as hold it"
    )
    anatomy_percent: float | None = Field(
        None,
        gt=0,
        description="standard deviation over the brain of what voxels are on average, most of it alike in all people; None is flat",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 < self.band_hz[0] < self.band_hz[1] < self.sfreq / 2:
            raise ValueError(f"band_hz must lie in order between 0 and half of sfreq ({self.sfreq / 2:g} Hz)")
        if not 0 <= self.lead_in_s[0] <= self.lead_in_s[1]:
            raise ValueError("lead_in_s must lie in order")
        return self

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for name, band in self.coupling.bands.items() if self.coupling else ():
            if band.hz[1] >= self.sfreq / 2:
                raise ValueError(f"coupling.bands.{name}.hz must lie below half of sfreq ({self.sfreq / 2:g} Hz)")
        if self.oddball:
            if self.coupling is None:
                raise ValueError("oddball: events change power in bands of coupling; give that section, too")
            check_bands(self.oddball.log_power, self.coupling, "oddball.log_power")
            if not set(self.oddball.runs) <= set(range(1, self.runs + 1)):
                raise ValueError(f"oddball.runs: a session has runs 1 to {self.runs}")
        return self


def _kind(settings: Any) -> str:
    return str(settings.get("kind", "eeg_meg") if isinstance(settings, dict) else settings.kind)


AnySimulation = Annotated[
    Annotated[Simulation, Tag("eeg_meg")] | Annotated[EegFmriSimulation, Tag("eeg_fmri")],
    Discriminator(_kind),
]
