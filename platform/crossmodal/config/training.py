"""How a network is trained."""

from typing import Literal

from pydantic import Field

from crossmodal.config.base import Config


class Augmentation(Config):
    """What training adds to its input, in the model's units, anew for each window; Bricman and Borst take offset 0.2 and noise 0.001."""

    offset: float = Field(0.0, ge=0, description="deviation of a constant that is drawn for each channel")
    noise: float = Field(0.0, ge=0, description="deviation of white noise")


class Training(Config):
    """The loop's settings and the workers it runs on."""

    epochs: int = Field(20, ge=1)
    batch_size: int = Field(16, ge=1, description="a worker")
    learning_rate: float = Field(1e-3, gt=0)
    weight_decay: float = Field(0.0, ge=0, description="decoupled, as AdamW; 0 is Adam")
    schedule: Literal["constant", "cosine", "plateau"] = Field(
        "cosine", description="plateau falls tenfold where validation stands still, as Bricman and Borst's"
    )
    # Left out where it is the default, as runs are named that were trained before there was a plateau.
    plateau_epochs: int = Field(
        10, ge=1, exclude_if=lambda epochs: epochs == 10, description="without a better one that the plateau bears before the rate falls"
    )
    warmup_epochs: float = Field(0.5, ge=0)
    gradient_clip: float | None = Field(1.0, gt=0, description="largest norm of the whole gradient")
    patience: int | None = Field(None, ge=1, description="epochs without a better one before stopping; None runs all")
    augmentation: Augmentation = Augmentation()
    choose_epoch_by: str = Field("validation_loss", description="or a metric of the task on validation subjects, as explained_variance")
    check_feed: bool = Field(False, description="reads some samples twice before training, to find a feed that does not repeat itself")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16 is autocast, on GPU only")
    workers: int = Field(2, ge=1, description="that share each step of a fold")
    gpu: Literal["auto", "never", "always"] = Field(
        "auto", description="auto: if the cluster has them now; always: wait for its autoscaler"
    )
    threads_per_worker: int = Field(1, ge=1)
    parallel_folds: int = Field(1, ge=1, description="folds trained at the same time, each by its own workers")
    max_failures: int = Field(2, ge=0, description="worker losses that a group of workers survives; reclaimed spot nodes do not count")
    start_timeout_s: float = Field(600.0, gt=0, description="for workers to start, an autoscaler's new nodes included")
    outage_s: float = Field(1200.0, ge=0, description="that the store or MLflow may be away for before training gives up")
