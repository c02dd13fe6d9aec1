"""Run a network made for windows over a recording of any length."""

from collections.abc import Callable

import torch


@torch.no_grad()
def predict_continuous(
    model: Callable[[torch.Tensor], torch.Tensor], x_ct: torch.Tensor, n_times: int, n_target: int, batch_size: int = 32
) -> torch.Tensor:
    """Predict a whole recording from windows that overlap by half and fade into one another.

    Parameters
    ----------
    model : callable
        Maps (batch, input channel, n_times) to (batch, target channel, n_times); should be in evaluation mode.
    x_ct : Tensor, shape (n_input, n_samples)
        The recording in the model's units. One shorter than a window is padded with its last sample.
    n_times : int
        Length of a window.
    n_target : int
        Number of target channels.

    Returns
    -------
    Tensor, shape (n_target, n_samples)
        Each sample is the average of the windows that hold it, weighted by a triangle so that no window ends abruptly.
    """
    n_samples = x_ct.shape[1]
    if n_samples < n_times:
        x_ct = torch.cat([x_ct, x_ct[:, -1:].expand(-1, n_times - n_samples)], dim=1)
    starts = list(range(0, x_ct.shape[1] - n_times, max(1, n_times // 2)))
    starts.append(x_ct.shape[1] - n_times)
    ramp = torch.arange(1, n_times + 1, dtype=x_ct.dtype, device=x_ct.device)
    fade_t = torch.minimum(ramp, ramp.flip(0))
    weighted_st = x_ct.new_zeros(n_target, x_ct.shape[1])
    weight_t = x_ct.new_zeros(x_ct.shape[1])
    for first in range(0, len(starts), batch_size):
        chosen = starts[first : first + batch_size]
        y_bst = model(torch.stack([x_ct[:, start : start + n_times] for start in chosen]))
        for start, y_st in zip(chosen, y_bst, strict=True):
            weighted_st[:, start : start + n_times] += y_st * fade_t
            weight_t[start : start + n_times] += fade_t
    return (weighted_st / weight_t)[:, :n_samples]
