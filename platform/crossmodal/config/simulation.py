"""Settings of a simulated cohort."""

from typing import Literal

from pydantic import Field

from crossmodal.config.base import Config


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
    """A physics-based BIDS dataset of simultaneous EEG and MEG, with its ground truth."""

    root: str
    cohort: Literal["coupled", "null"] = "coupled"
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
    eeg_noise_v: float = Field(0.5e-6, ge=0, description="rms over the recorded band")
    mag_noise_t: float = Field(20e-15, ge=0)
    grad_noise_t_per_m: float = Field(5e-13, ge=0)
