"""Logarithms of any value, and back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crossmodal.transforms.logarithms import Log, Log1p


@pytest.mark.parametrize(("logarithm", "lowest", "of_numpy"), [(Log1p(), 0.0, np.log1p), (Log(1e-3), 1e-3, np.log)])
@given(x=hnp.arrays(np.float64, (20,), elements=st.floats(-1e6, 1e6)))
def test_every_value_has_one_and_inside_the_range_it_can_be_undone(logarithm, lowest, of_numpy, x):
    logarithm.clipped = 0
    found = logarithm(torch.from_numpy(x))
    inside = np.maximum(x, lowest)
    np.testing.assert_allclose(found, of_numpy(inside), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(logarithm.inverse(found), inside, rtol=1e-9, atol=1e-12)
    assert logarithm.clipped == np.sum(x < lowest * (1 - 1e-6) - (1e-6 if lowest == 0 else 0))


@pytest.mark.parametrize("logarithm", [Log1p(), Log(1e-3)])
def test_gradients_pass_inside_the_range(logarithm):
    assert torch.autograd.gradcheck(logarithm, torch.rand(20, dtype=torch.float64).add(0.01).requires_grad_())
