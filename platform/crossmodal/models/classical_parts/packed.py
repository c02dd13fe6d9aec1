"""Symmetric matrices as vectors: the product of two such vectors is the trace of the product of their matrices.

Weighted sums of many matrices, and the product of one with each of them, are then single products of matrices.
"""

import torch


def packed(matrix_bkk: torch.Tensor) -> torch.Tensor:
    """Upper triangles, of which what is off the diagonal is multiplied by sqrt(2), shape (..., n (n + 1) / 2)."""
    rows, columns, scale_p = _upper_triangle(matrix_bkk.shape[-1], matrix_bkk)
    return matrix_bkk[..., rows, columns] * scale_p


def unpacked(vector_bp: torch.Tensor) -> torch.Tensor:
    """Symmetric matrices of what `packed` gave, shape (..., n, n)."""
    n = round((2 * vector_bp.shape[-1] + 0.25) ** 0.5 - 0.5)
    rows, columns, scale_p = _upper_triangle(n, vector_bp)
    upper_bkk = vector_bp.new_zeros(*vector_bp.shape[:-1], n, n)
    # The diagonal is added to itself.
    upper_bkk[..., rows, columns] = vector_bp * scale_p / 2
    return upper_bkk + upper_bkk.mT


def _upper_triangle(n: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows and columns of an upper triangle, and 1 on the diagonal and sqrt(2) off it."""
    rows, columns = torch.triu_indices(n, n, device=like.device)
    return rows, columns, torch.where(rows == columns, like.new_ones(()), like.new_full((), 2**0.5))
