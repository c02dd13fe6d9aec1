"""How a network is trained."""

from typing import Literal

from pydantic import Field

from crossmodal.config.base import Config


class Training(Config):
    """The loop's settings and the workers it runs on."""

    epochs: int = Field(20, ge=1)
    batch_size: int = Field(16, ge=1, description="a worker")
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "cosine"] = "cosine"
    warmup_epochs: float = Field(0.5, ge=0)
    gradient_clip: float | None = Field(1.0, gt=0)
    patience: int | None = Field(None, ge=1, description="epochs without a better validation loss before stopping; None runs all")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16 is autocast, on GPU only")
    workers: int = Field(2, ge=1)
    gpu: Literal["auto", "never"] = "auto"
    threads_per_worker: int = Field(1, ge=1)
    max_failures: int = Field(2, ge=0, description="worker losses a fold survives")
