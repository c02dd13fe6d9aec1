"""What a score is compared with."""

from typing import Self

from pydantic import Field, model_validator

from crossmodal.config.base import Config
from crossmodal.config.models import BaselineConfig, MinimumNormConfig, RidgeConfig, TrainingMeanConfig


class Evaluation(Config):
    """Baselines, ceilings and statistics of an evaluation."""

    baselines: tuple[BaselineConfig, ...] = (TrainingMeanConfig(), RidgeConfig(), RidgeConfig(lag_s=0.1), MinimumNormConfig())
    physiology: RidgeConfig = Field(RidgeConfig(lag_s=0.1), description="map from EOG and ECG alone, a row wherever these are recorded")
    ceilings: bool = Field(True, description="oracle and linear reference, where the cohort's truth is known")
    fir_lag_s: float = Field(0.1, gt=0, description="half-length of the subject-fitted FIR; its cost grows with the square")
    confidence: float = Field(0.95, gt=0.5, lt=1)
    bands_hz: dict[str, tuple[float, float]] = Field(default={"delta": (1, 4), "theta": (4, 8), "alpha": (8, 13), "beta": (13, 30)})

    @model_validator(mode="after")
    def _check_names_differ(self) -> Self:
        named = [(baseline.kind, getattr(baseline, "lag_s", None)) for baseline in self.baselines]
        if len(set(named)) < len(named):
            raise ValueError("two baselines of one kind and lag would be one row; leave one out, or give it several penalties")
        return self
