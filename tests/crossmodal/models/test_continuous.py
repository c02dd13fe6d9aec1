"""Windows put together again give the recording."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crossmodal.models.continuous import predict_continuous


@given(n_samples=st.integers(1, 300), n_times=st.integers(1, 64), batch_size=st.integers(1, 5))
def test_a_model_that_acts_on_single_samples_acts_on_the_whole_recording(n_samples, n_times, batch_size):
    x_ct = torch.randn(3, n_samples, dtype=torch.float64)
    mixing_sc = torch.randn(2, 3, dtype=torch.float64)
    y_st = predict_continuous(lambda x_bct: mixing_sc @ x_bct, x_ct, n_times, 2, batch_size)
    torch.testing.assert_close(y_st, mixing_sc @ x_ct)


@pytest.mark.parametrize("n_samples", [100, 101, 199])
def test_window_edges_weigh_least(n_samples):
    """A model that errs at the first sample of its window leaves a small step, except at the recording's own start."""

    def errs_at_its_edge(x_bct):
        y_bct = x_bct.clone()
        y_bct[..., 0] += 1
        return y_bct

    x_ct = torch.zeros(1, n_samples)
    error_t = predict_continuous(errs_at_its_edge, x_ct, 40, 1)[0]
    assert error_t[0] == 1
    assert error_t[1:].max() < 0.1
