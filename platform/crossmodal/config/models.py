"""Settings of every model and baseline; `kind` names the class in `crossmodal.models`."""

from typing import Annotated, Literal

from pydantic import Field

from crossmodal.config.base import Config


class SynaptechNetConfig(Config):
    """U-Net over (frequency x time) with a BiLSTM bridge (Synaptech paper, section 3.1)."""

    kind: Literal["synaptech_net"] = "synaptech_net"
    widths: tuple[int, ...] = Field((128, 256, 512, 512), min_length=1)
    kernel: int = Field(3, ge=1)
    negative_slope: float = Field(0.2, ge=0)
    norm: Literal["instance", "none"] = "instance"
    dropout: float = Field(0.2, ge=0, lt=1)
    bridge_hidden: int = Field(512, ge=1, description="a direction")
    bridge_layers: int = Field(2, ge=0)
    bridge_dropout: float = Field(0.2, ge=0, lt=1)


class AimConfig(Config):
    """Encoder-decoder transformer whose decoder never sees the target."""

    kind: Literal["aim"] = "aim"
    width: int = Field(256, ge=1)
    encoder_layers: int = Field(6, ge=1)
    decoder_layers: int = Field(6, ge=1)
    heads: int = Field(8, ge=1)
    expansion: int = Field(4, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    decoding: Literal["queries", "autoregressive"] = "queries"


class TrainingMeanConfig(Config):
    """The mean of the training targets per sensor and epoch time."""

    kind: Literal["training_mean"] = "training_mean"


class RidgeConfig(Config):
    """Linear regression per time point (lag_s 0), or with lags on both sides (an FIR, as mTRF)."""

    kind: Literal["ridge"] = "ridge"
    lag_s: float = Field(0.0, ge=0, description="lags from -lag_s to +lag_s")
    penalties: tuple[float, ...] = Field((1e-4, 1e-3, 1e-2, 1e-1, 1.0), min_length=1, description="in units of the mean source variance; chosen on validation subjects")


class MinimumNormConfig(Config):
    """Minimum-norm source estimate projected to the target sensors through the forward model."""

    kind: Literal["minimum_norm"] = "minimum_norm"
    snr: float = Field(3.0, gt=0)
    n_dipoles: int = Field(1500, ge=10)


NetworkConfig = Annotated[SynaptechNetConfig | AimConfig, Field(discriminator="kind")]
BaselineConfig = Annotated[TrainingMeanConfig | RidgeConfig | MinimumNormConfig, Field(discriminator="kind")]
