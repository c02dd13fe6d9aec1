"""Lower the rate of what a network reads by means over neighbouring samples."""

import torch
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalSpec

# A rate such as 999.9999999 Hz is 1 kHz.
_ROUNDING = 1e-6


class PooledRate(nn.Module):
    """Mean over as many samples as keep a rate of at least `rate_hz`; a signal of less than twice that rate stays as it is.

    Parameters
    ----------
    signal : SignalSpec
        The input.
    rate_hz : float
        Wanted, Hz.

    Raises
    ------
    UserError
        A window is shorter than what one mean is taken over.
    """

    def __init__(self, signal: SignalSpec, rate_hz: float) -> None:
        super().__init__()
        self.factor = max(1, int(signal.sfreq / rate_hz + _ROUNDING))
        self.sfreq = signal.sfreq / self.factor
        self.n_times = signal.n_times // self.factor
        if not self.n_times:
            raise UserError(
                f"model.rate_hz: a window of {signal.n_times} samples is shorter than the {self.factor} that give one at {rate_hz:g} Hz;"
                " raise it, or lengthen data.windows.length_s"
            )

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Pool (batch, n_channels, times of the input) to (batch, n_channels, n_times)."""
        return x_bct if self.factor == 1 else nn.functional.avg_pool1d(x_bct, self.factor)
