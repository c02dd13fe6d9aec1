"""How hyperparameters are searched for."""

from typing import Literal, Self

from pydantic import Field, model_validator

from crossmodal.config.base import Config

Objective = Literal["score", "parameters", "latency", "gpu_hours"]


class Halving(Config):
    """Asynchronous successive halving (ASHA, Li et al. 2020) on the loss of validation subjects; time is epochs over all folds."""

    grace_epochs: int = Field(1, ge=1, description="no trial is stopped before")
    reduction_factor: float = Field(3.0, gt=1, description="one in so many goes on at each rung")


class StopRules(Config):
    """When no further trial is begun; those that run are finished."""

    trials: int = Field(50, ge=1, description="in the whole study, pruned and failed ones included")
    wall_hours: float | None = Field(None, gt=0, description="of this command")
    gpu_hours: float | None = Field(None, gt=0, description="of the whole study")
    chance: float | None = Field(None, gt=0, lt=1, description="that another trial changes the winner falls to this; 0.05 takes 18 in vain")


class Tuning(Config):
    """A study: what its trials vary is a module of `search_spaces`, all else is the experiment's."""

    study: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", description="None is the experiment's name")
    space: str | None = Field(None, description="a module of search_spaces; None is that of the model's kind, or else 'common'")
    sampler: Literal["tpe", "random"] = "tpe"
    objectives: tuple[Objective, ...] = Field(("score",), min_length=1, description="more than one give a Pareto front")
    halving: Halving | None = Field(Halving(), description="None runs all epochs; so do several objectives, whatever it says")
    stop: StopRules = StopRules()
    folds: int = Field(5, ge=2, description="of cross-validation over development subjects; at most one each")
    test_subjects: tuple[str, ...] | None = Field(None, min_length=1, description="that no trial sees; None draws a quarter by the seed")
    parallel_trials: int = Field(1, ge=1, description="at the same time, as far as the cluster has room")
    storage: str | None = Field(
        None, description="postgresql://user@host/database, its password in PGPASSWORD; None keeps a SQLite file in the store"
    )

    @model_validator(mode="after")
    def _objectives_make_sense(self) -> Self:
        if self.objectives[0] != "score" or len(set(self.objectives)) < len(self.objectives):
            raise ValueError("objectives must begin with 'score', and name each once")
        return self
