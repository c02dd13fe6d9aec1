"""What a score is compared with."""

from typing import Any, Literal

from pydantic import Field, field_validator

from crossmodal.config.base import Config
from crossmodal.config.bold import RegionTargets
from crossmodal.config.models import ModelSettings


class Evaluation(Config):
    """Baselines, ceilings and statistics of an evaluation."""

    baselines: tuple[ModelSettings, ...] = (
        ModelSettings(kind="training_mean"),
        ModelSettings(kind="ridge"),
        ModelSettings(kind="ridge", lag_s=0.1),
        ModelSettings(kind="minimum_norm"),
    )
    physiology: ModelSettings = Field(
        ModelSettings(kind="ridge", lag_s=0.1), description="map from EOG and ECG alone, a row wherever these are recorded"
    )
    own_ridge: ModelSettings | None = Field(
        None,
        description="of volumes, a baseline on band power that is fitted to the test subject's own scans, block by block with gaps: an"
        " oracle of what EEG tells; None leaves the row out",
    )
    regions: RegionTargets | None = Field(
        None,
        description="of volumes, an atlas to whose regions predictions are brought before they are scored, whatever the targets are; the"
        " truth is the dataset of these regions, on the same preprocessing.bold.grid. None scores the targets themselves",
    )
    ceilings: bool = Field(True, description="oracle and linear reference, where the cohort's truth is known")
    fir_lag_s: float = Field(0.1, gt=0, description="half-length of the subject-fitted FIR; its cost grows with the square")
    confidence: float = Field(0.95, gt=0.5, lt=1)
    teacher_forcing: Literal["none", "void"] = Field(
        "none", description="void adds a row, labelled so: the network told what it is to predict, as some published figures were made"
    )
    bands_hz: dict[str, tuple[float, float]] = Field(default={"delta": (1, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30)})

    @field_validator("teacher_forcing", mode="before")
    @classmethod
    def _is_labelled(cls, value: Any) -> Any:
        if value not in ("none", "void"):
            raise ValueError("a prediction that was told the truth is void; ask for it by that label, void, or leave it at none")
        return value
