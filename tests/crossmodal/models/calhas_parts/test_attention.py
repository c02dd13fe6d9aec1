"""Attention among electrodes is what its formulas say."""

import numpy as np
import torch
from scipy.special import softmax

from crossmodal.models.calhas_parts.attention import TopographicalAttention, neglect


def test_each_electrode_is_a_weighted_mean_of_all():
    torch.manual_seed(0)
    attention, x_bcfm = TopographicalAttention(4, 6), torch.randn(2, 4, 3, 2)
    with torch.no_grad():
        attended_bcfm, weight_bcc = attention(x_bcfm)
    for x_cfm, attended_cfm, weight_cc in zip(x_bcfm.numpy(), attended_bcfm, weight_bcc, strict=True):
        x_cp = x_cfm.reshape(4, 6)
        expected_cc = softmax(x_cp @ attention.key_cp.detach().numpy().T, axis=1)
        np.testing.assert_allclose(weight_cc, expected_cc, rtol=1e-5)
        np.testing.assert_allclose(attended_cfm.reshape(4, 6), expected_cc @ x_cp, rtol=1e-4, atol=1e-6)


def test_the_regulariser_is_the_paper_s():
    weight_bcc = torch.tensor([[[0.9, 0.1], [0.7, 0.3]], [[1.0, 0.0], [1.0, 0.0]]])
    of_each = [-(np.log(1.6 + 1e-9) + np.log(0.4 + 1e-9)), -(np.log(2 + 1e-9) + np.log(1e-9))]
    torch.testing.assert_close(neglect(weight_bcc), torch.tensor(np.mean(of_each), dtype=torch.float32))
