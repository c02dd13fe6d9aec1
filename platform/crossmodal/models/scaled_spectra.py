"""Log spectra of windows, each electrode and frequency standardised over training."""

import torch
from torch import nn

from crossmodal.models.running_scaling import RunningScaling
from crossmodal.transforms.window_spectra import WindowSpectra


class ScaledSpectra(nn.Module):
    """`WindowSpectra` of each electrode, standardised by the mean and deviation over all windows of training so far."""

    def __init__(self, n_channels: int, n_window: int, n_frequencies: int, n_times: int) -> None:
        super().__init__()
        self.spectra = WindowSpectra(n_window, n_frequencies, n_times)
        self.scaling = RunningScaling(n_channels * n_frequencies)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Transform (batch, n_channels, n_times) to (batch, n_windows, n_channels, n_frequencies)."""
        spectra_bmcf = self.spectra(x_bct).transpose(1, 2)
        scaled_np: torch.Tensor = self.scaling(spectra_bmcf.flatten(2).flatten(0, 1))
        return scaled_np.view(spectra_bmcf.shape)
