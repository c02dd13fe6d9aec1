"""Figures of a signal that sensors record: explained variance before all else."""

from collections.abc import Mapping

from crossmodal.evaluation.names import LINEAR_REFERENCE
from crossmodal.evaluation.scorecard import Metric, Scorecard
from crossmodal.models.ridge import LAGGED_RIDGE

EXPLAINED = "explained_variance"
RATIO = "ratio_to_linear_reference"
BEYOND = "beyond_physiology"
EYES_AND_HEART = "EOG and ECG alone"
OWN_FIR = "own FIR"
NOISE_BOUND = "noise-only bound"


def band_figure(band: str) -> str:
    """What the log-PSD error of a band is called."""
    return f"log_psd_error_db_{band}"


def sensors_scorecard(bands_hz: Mapping[str, tuple[float, float]]) -> Scorecard:
    """Declare the figures; spectra are compared in the named bands, Hz."""
    bands = tuple(band_figure(band) for band in bands_hz)
    beyond = Metric(
        BEYOND,
        "beyond EOG, ECG",
        has_interval=True,
        told="beyond EOG, ECG: explained variance of what lagged EOG and ECG leave, regressed out of truth and prediction;"
        f" {EYES_AND_HEART}: what these predict without any EEG.",
        absent="No EOG or ECG is recorded, so nobody can tell how much of a score eyes and heart make.",
    )
    return Scorecard(
        metrics=(
            Metric(
                EXPLAINED,
                "EV",
                has_interval=True,
                shows_interval=True,
                told="EV: explained variance of the sensors' signal about the training mean",
            ),
            beyond,
            Metric(RATIO, "of lin. ref.", pattern="{:.2f}", share_of=LINEAR_REFERENCE),
            Metric("r", "r"),
            Metric("r2"),
            Metric("topography_r", "topogr. r"),
            Metric("nmse", "NMSE", better="lower"),
            *(Metric(band, better="lower") for band in bands),
            Metric("log_psd_error_db", "PSD err. dB", better="lower", pattern="{:.1f}", mean_of=bands),
            Metric("rms_error", "error", better="lower", pattern="{:#.3g}", has_unit=True),
        ),
        primary=EXPLAINED,
        words="explained variance",
        beside=BEYOND,
        beside_words="beyond EOG, ECG",
        rival=LAGGED_RIDGE,
    )
