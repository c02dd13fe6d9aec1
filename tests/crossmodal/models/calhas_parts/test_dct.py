"""The inverse cosine transform is SciPy's of coefficients padded with zeros."""

import numpy as np
import pytest
import scipy.fft
import torch

from crossmodal.models.calhas_parts.dct import InverseDct


@pytest.mark.parametrize(("shape", "given"), [((8, 6, 4), (4, 3, 2)), ((7, 5, 3), (4, 3, 2)), ((5, 4, 1), (5, 4, 1))])
def test_it_is_scipy_s_inverse_of_padded_coefficients(shape, given):
    coefficients = np.random.default_rng(0).standard_normal((2, *given))
    padded = np.zeros((2, *shape))
    padded[:, : given[0], : given[1], : given[2]] = coefficients
    expected = scipy.fft.idctn(padded, axes=(1, 2, 3), norm="ortho")
    found = InverseDct(shape, given)(torch.from_numpy(coefficients).float())
    np.testing.assert_allclose(found, expected, atol=1e-5)
