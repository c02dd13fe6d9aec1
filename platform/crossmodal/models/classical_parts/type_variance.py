"""How much the channels of each type vary in a window: what their noise is told by, as a share.

Shape suffixes: b batch, k direction.
"""

import torch


def variance_of_types(covariance_bkk: torch.Tensor, sizes: tuple[int, ...]) -> torch.Tensor:
    """Mean variance over the directions of each direction's type, shape (batch, n_directions).

    Parameters
    ----------
    covariance_bkk : Tensor, shape (batch, n_directions, n_directions)
    sizes : tuple of int
        Number of directions of each type, one after the other.
    """
    of_types_bk = covariance_bkk.diagonal(dim1=1, dim2=2).split(sizes, 1)
    return torch.cat([of_type_bk.mean(1, keepdim=True).expand_as(of_type_bk) for of_type_bk in of_types_bk], 1)


def between(variance_bk: torch.Tensor) -> torch.Tensor:
    """What the covariance of two directions grows with: the square root of the product of their variances, shape (batch, n, n)."""
    return (variance_bk[:, :, None] * variance_bk[:, None]).sqrt()
