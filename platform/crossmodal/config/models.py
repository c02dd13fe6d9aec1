"""Settings of every model and baseline; `kind` names the class in `crossmodal.models`."""

from typing import Annotated, Literal

from pydantic import Field

from crossmodal.config.base import Config

Band = tuple[float, float]


class Waveform(Config):
    """The signal itself: one row."""

    kind: Literal["waveform"] = "waveform"


class Scalogram(Config):
    """Continuous wavelet transform, a row a frequency; those above Nyquist are left out."""

    kind: Literal["scalogram"] = "scalogram"
    parts: Literal["log_amplitude", "complex"] = Field(
        "log_amplitude", description="complex keeps phase: real and imaginary parts as channels"
    )
    wavelet: str = "cmor1.5-1.0"
    frequencies: int = Field(60, ge=1, description="log-spaced")
    lowest_hz: float = Field(1.0, gt=0)
    highest_hz: float = Field(100.0, gt=0)


class Bands(Config):
    """Mean wavelet amplitude over the frequencies of each band, a row a band, as log1p."""

    kind: Literal["bands"] = "bands"
    bands_hz: dict[str, Band] = Field(default={"alpha": (8, 13), "beta": (13, 30), "gamma": (30, 100)}, min_length=1)
    wavelet: str = "cmor1.5-1.0"
    frequencies: int = Field(60, ge=1, description="log-spaced")
    lowest_hz: float = Field(1.0, gt=0)
    highest_hz: float = Field(100.0, gt=0)


class Stft(Config):
    """Short-time Fourier transform at every sample, a row a frequency."""

    kind: Literal["stft"] = "stft"
    parts: Literal["log_amplitude", "complex"] = "log_amplitude"
    window_s: float = Field(0.62, gt=0, description="a Hann window, rounded to an even number of samples")


Representation = Annotated[Waveform | Scalogram | Bands | Stft, Field(discriminator="kind")]
TargetRepresentation = Annotated[Waveform | Bands, Field(discriminator="kind")]


class InputSkip(Config):
    """A bank of temporal filters shared by all source channels, then a linear map of the filtered channels to the sensors."""

    filters: int = Field(8, ge=1)
    taps: int = Field(61, ge=1, description="odd")


class SynaptechNetConfig(Config):
    """U-Net over (frequency x time) with a BiLSTM bridge (Synaptech paper, section 3.1).

    The defaults are the paper's. InstanceNorm takes the amplitude of every window away; `norm: none` keeps it, and an
    `input_skip` adds the linear map that most of a waveform's prediction is.
    """

    kind: Literal["synaptech_net"] = "synaptech_net"
    representation: Representation = Waveform()
    target: TargetRepresentation = Waveform()
    widths: tuple[int, ...] = Field((128, 256, 512, 512), min_length=1)
    kernel: int = Field(3, ge=1, description="odd")
    negative_slope: float = Field(0.2, ge=0)
    norm: Literal["instance", "none"] = "instance"
    dropout: float = Field(0.2, ge=0, lt=1)
    bridge_hidden: int = Field(512, ge=1, description="a direction")
    bridge_layers: int = Field(2, ge=0)
    bridge_dropout: float = Field(0.2, ge=0, lt=1)
    input_skip: InputSkip | None = Field(None, description="the U-Net's outermost skip, from the source straight to the output")


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
    penalties: tuple[float, ...] = Field(
        (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        min_length=1,
        description="in units of the mean source variance; chosen on validation subjects",
    )


class MinimumNormConfig(Config):
    """Minimum-norm source estimate projected to the target sensors through the forward model."""

    kind: Literal["minimum_norm"] = "minimum_norm"
    snr: float = Field(3.0, gt=0)
    n_dipoles: int = Field(1500, ge=10)


NetworkConfig = Annotated[SynaptechNetConfig | AimConfig, Field(discriminator="kind")]
BaselineConfig = Annotated[TrainingMeanConfig | RidgeConfig | MinimumNormConfig, Field(discriminator="kind")]
ModelConfig = SynaptechNetConfig | AimConfig | TrainingMeanConfig | RidgeConfig | MinimumNormConfig
