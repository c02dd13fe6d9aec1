"""A network from EEG to BOLD that takes sources apart by sums of power, and lets power act through a haemodynamic response.

Shape suffixes: b batch, c input channel, q source (cortical region or electrode), k band, m bin, n bin of a window, p feature (source and
band), r component, s target, t time.
"""

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.models.band_power import BANDS_HZ, BIN_S
from crossmodal.models.base import Model, ModelConfig, Predicts
from crossmodal.models.intervals import Intervals
from crossmodal.models.minimum_norm import minimum_norm_projection
from crossmodal.models.running_scaling import RunningScaling
from crossmodal.models.shrinkage import Shrinkage
from crossmodal.physics.cortex import template_cortex
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.physics.haemodynamics import canonical_response
from crossmodal.physics.places import Places
from crossmodal.physics.standard_cap import standard_cap
from crossmodal.physics.template import template_lead_field
from crossmodal.transforms.band_power import LogBandPower

# Targets have a deviation of about one: between a twentieth and twenty times of that lie all that make sense.
_MOST_LOG_DEVIATION = 3.0
# Of the template cortex, about 25 in each region.
_N_DIPOLES = 1500


class SourcePowerConfig(ModelConfig):
    """Power of sources through a learned haemodynamic response."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    bands_hz: dict[str, tuple[float, float]] = Field(default=BANDS_HZ, min_length=1)
    bin_s: float = Field(BIN_S, gt=0, description="power is taken over stretches of this length, which are the lags")
    regions: bool = Field(
        False,
        description="reads the power of 60 cortical regions, which minimum norm estimates from where electrodes of these names stand on the"
        " template head; take data.input_scaling common with it. False reads the power of electrodes",
    )
    snr: float = Field(3.0, gt=0, description="of minimum norm")
    exponent: float = Field(
        0.7, gt=0, le=1, description="components are sums of power to this one: 1 is power, 0.5 amplitude, near 0 like a logarithm"
    )
    components: int = Field(16, ge=1, description="time courses that all targets are made of, each with its own response")
    dropout: float = Field(0.5, ge=0, lt=1, description="of the power of sources")

    @property
    def title(self) -> str:
        """Say what it reads and what it is."""
        return "source power network"


class SourcePower(Model):
    """Power of sources in bands, a few components that follow it through a response each, and a map from components to targets.

    An electrode sees much of the cortex, and power of one moment, unlike its waveform, cannot be unmixed any more: so the sensors'
    geometry takes waveforms apart first, as far as it can. Powers of independent sources add up in what is left mixed, as their
    logarithms do not: so sums of power, or of a root of it, which is steadier, take them apart further. Each component is such a sum over
    all sources and bands; its response over bins starts as the canonical one. Targets share the components, so a volume of any size takes
    a few weights a voxel. Validation subjects choose how far each target is shrunk towards zero. The deviation of an error depends on the
    prediction, since a power is known the worse the larger it is.

    Source: own. The response that components start with: `physics.haemodynamics`; regions: `physics.cortical_regions`.
    """

    filters_qc: torch.Tensor | None
    response_start_m: torch.Tensor

    def __init__(self, config: SourcePowerConfig, signals: SignalPair) -> None:
        super().__init__()
        self.log_power = LogBandPower(config.bands_hz, config.bin_s, signals.input.sfreq, signals.input.n_times)
        self.exponent = config.exponent
        self.register_buffer("filters_qc", _region_filters(signals.input, config.snr) if config.regions else None)
        n_sources = signals.input.n_channels if self.filters_qc is None else len(self.filters_qc)
        n_features = n_sources * len(config.bands_hz)
        self.scaling = RunningScaling(n_features, pareto=True)
        self.dropout = nn.Dropout(config.dropout)
        self.mixing = nn.Linear(n_features, config.components, bias=False)
        # Directions in which training shows nothing stay out of the components.
        nn.init.zeros_(self.mixing.weight)
        self.register_buffer("response_start_m", _response(self.log_power.n_bins, config.bin_s), persistent=False)
        self.response_change_rm = nn.Parameter(torch.zeros(config.components, self.log_power.n_bins))
        self.decoder = nn.Linear(config.components, signals.target.n_channels)
        self.shrinkage = Shrinkage(signals.target.n_channels)
        self.log_deviation_s = nn.Parameter(torch.zeros(signals.target.n_channels))
        self.log_deviation_slope_s = nn.Parameter(torch.zeros(signals.target.n_channels))
        self.intervals = Intervals(signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        return self.run_with_deviation(x_bct)[0]

    def run_with_deviation(self, x_bct: torch.Tensor, places: Places | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict, and give a deviation of each value's error, the logarithm of which is linear in the prediction."""
        y_bs: torch.Tensor = self.decoder(self._components(x_bct))
        # The likelihood moves deviations alone, so the prediction stays the one with the least squared error.
        log_bs = self.log_deviation_s + self.log_deviation_slope_s * y_bs.detach()
        shrunk_bst: torch.Tensor = self.shrinkage(y_bs[..., None])
        return shrunk_bst, log_bs.clamp(-_MOST_LOG_DEVIATION, _MOST_LOG_DEVIATION).exp()[..., None]

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Mean squared error; in training, the negative log likelihood of errors, which is normal with their deviations, too."""
        if not self.training:
            return super().loss_terms(x_bct, y_bst)
        predicted_bst, deviation_bst = self.run_with_deviation(x_bct)
        error_bst = (predicted_bst - y_bst).detach()
        likelihood = deviation_bst.log() + 0.5 * (error_bst / deviation_bst).square()
        return {"mse": nn.functional.mse_loss(predicted_bst, y_bst), "negative_log_likelihood": likelihood.mean()}

    def _components(self, x_bct: torch.Tensor) -> torch.Tensor:
        """What targets are made of, shape (batch, n_components)."""
        sources_bqt = x_bct if self.filters_qc is None else self.filters_qc @ x_bct
        power_bqkm = (self.exponent * self.log_power(sources_bqt)).exp()
        scaled_np = self.scaling(power_bqkm.permute(0, 3, 1, 2).flatten(2).flatten(0, 1))
        driving_bmr = self.mixing(self.dropout(scaled_np)).unflatten(0, (-1, self.log_power.n_bins))
        return torch.einsum("bmr,rm->br", driving_bmr, self.response_start_m + self.response_change_rm)


def _region_filters(input: SignalSpec, snr: float) -> torch.Tensor:
    """Weights of electrodes that estimate each cortical region by minimum norm, of unit norm, shape (n_regions, n_channels).

    They sum to zero in each region, so that the recording's reference does not matter.
    """
    if set(input.types) != {"eeg"}:
        raise UserError("model.regions: geometry is known of EEG electrodes alone; model.regions=false reads channels as they are")
    try:
        names, field_cd = template_lead_field(standard_cap(input.names, input.sfreq), _N_DIPOLES)
    except UserError as error:
        raise UserError(f"model.regions: {error}; model.regions=false reads electrodes as they are") from None
    assert names == input.names
    field_cd -= field_cd.mean(axis=0)
    membership_qd = cortical_regions().membership(template_cortex(_N_DIPOLES).positions_m)
    filters_qc = minimum_norm_projection(field_cd, membership_qd, np.array(input.types), snr)
    return torch.from_numpy(filters_qc / np.linalg.norm(filters_qc, axis=1, keepdims=True)).float().contiguous()


def _response(n_bins: int, bin_s: float) -> torch.Tensor:
    """The canonical response at the middle of each bin before a volume, the oldest first, with unit norm."""
    lag_m = (torch.arange(n_bins - 1, -1, -1, dtype=torch.float64) + 0.5) * bin_s
    response_m = torch.from_numpy(canonical_response(lag_m.numpy())).float()
    return response_m / response_m.norm()
