"""Symmetric matrices as vectors."""

import torch

from crossmodal.models.classical_parts.packed import packed, unpacked


def test_a_product_of_vectors_is_the_trace_of_the_product_of_their_matrices():
    a_bkk, b_bkk = (each + each.mT for each in torch.randn(2, 4, 7, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close((packed(a_bkk) * packed(b_bkk)).sum(1), (a_bkk @ b_bkk).diagonal(dim1=1, dim2=2).sum(1))
    torch.testing.assert_close(unpacked(packed(a_bkk)), a_bkk)
