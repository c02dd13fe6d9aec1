"""A network from EEG to BOLD that unmixes electrodes before it takes power, and lets power act through a haemodynamic response.

Shape suffixes: b batch, c input channel, k band, s source, f frequency, m bin, p feature (band and source), r component, t time.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.band_power import BANDS_HZ, BIN_S
from crossmodal.models.base import Model, ModelConfig, Predicts
from crossmodal.models.running_scaling import RunningScaling
from crossmodal.models.shrinkage import Shrinkage
from crossmodal.physics.haemodynamics import canonical_response
from crossmodal.transforms.band_power import LogBandPower, log_power


class SourcePowerConfig(ModelConfig):
    """Power of learned sources through a learned haemodynamic response."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    bands_hz: dict[str, tuple[float, float]] = Field(default=BANDS_HZ, min_length=1)
    bin_s: float = Field(BIN_S, gt=0, description="power is taken over stretches of this length, which are the lags")
    components: int = Field(16, ge=1, description="time courses that all targets are made of, each with its own response")
    dropout: float = Field(0.5, ge=0, lt=1, description="of the power of sources")

    @property
    def title(self) -> str:
        """Say what it reads and what it is."""
        return "source power network"


class SourcePower(Model):
    """Spatial filters a band, log power of what they pass, a few components that follow it through a response, and a map to targets.

    An electrode sees many sources at once, and logarithms of its power cannot be unmixed any more: so the signal is, by filters that start
    as the electrodes themselves. Each component is a weighted sum of the log power of all filters and bands; its response over bins starts
    as the canonical one. Targets share the components, so a volume of any size takes a few weights a voxel. Validation subjects choose how
    far each target is shrunk towards zero.

    Source: own. Power of a spatial filter as a regressor: Dähne et al. (2014), SPoC, NeuroImage 86:111-122; the response that components
    start with: `physics.haemodynamics`.
    """

    response_start_m: torch.Tensor

    def __init__(self, config: SourcePowerConfig, signals: SignalPair) -> None:
        super().__init__()
        self.power = LogBandPower(config.bands_hz, config.bin_s, signals.input.sfreq, signals.input.n_times)
        inside_kf = (self.power.band_fk > 0).T.tolist()
        self.bands = [(inside_f.index(True), inside_f.index(True) + sum(inside_f)) for inside_f in inside_kf]
        n_features = len(self.bands) * signals.input.n_channels
        identity_cc = torch.eye(signals.input.n_channels)
        self.filter_ksc = nn.Parameter(identity_cc.repeat(len(self.bands), 1, 1))
        self.scaling = RunningScaling(n_features)
        self.dropout = nn.Dropout(config.dropout)
        self.mixing = nn.Linear(n_features, config.components, bias=False)
        self.register_buffer("response_start_m", _response(self.power.n_bins, config.bin_s), persistent=False)
        self.response_change_rm = nn.Parameter(torch.zeros(config.components, self.power.n_bins))
        self.decoder = nn.Linear(config.components, signals.target.n_channels)
        self.shrinkage = Shrinkage(signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        spectra_bcmnf = self.power.spectra(x_bct)
        log_bkm = torch.cat([self._log_power(spectra_bcmnf, *of_band) for of_band in zip(self.filter_ksc, self.bands, strict=True)], dim=1)
        scaled_np = self.scaling(log_bkm.transpose(1, 2).flatten(0, 1))
        driving_bmr = self.mixing(self.dropout(scaled_np)).unflatten(0, (-1, self.power.n_bins))
        component_br = torch.einsum("bmr,rm->br", driving_bmr, self.response_start_m + self.response_change_rm)
        y_bst: torch.Tensor = self.shrinkage(self.decoder(component_br)[..., None])
        return y_bst

    def _log_power(self, spectra_bcmnf: torch.Tensor, filter_sc: torch.Tensor, band: tuple[int, int]) -> torch.Tensor:
        """Log of the mean power that each filter passes in a band, shape (batch, n_sources, n_bins)."""
        # Filters are real, so real and imaginary parts are filtered alike.
        parts_bcl = torch.view_as_real(spectra_bcmnf[..., slice(*band)]).flatten(2)
        passed_bsml = (filter_sc @ parts_bcl).unflatten(2, (self.power.n_bins, -1))
        return log_power(2 * passed_bsml.square().mean(-1))


def _response(n_bins: int, bin_s: float) -> torch.Tensor:
    """The canonical response at the middle of each bin before a volume, the oldest first, with unit norm."""
    lag_m = (torch.arange(n_bins - 1, -1, -1, dtype=torch.float64) + 0.5) * bin_s
    response_m = torch.from_numpy(canonical_response(lag_m.numpy())).float()
    return response_m / response_m.norm()
