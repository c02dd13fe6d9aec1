"""Solutions of penalised least squares, and the choice among them.

Shape suffixes: s target, l lag, p regressor, lag by lag where there are any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch


@dataclass(frozen=True)
class Products:
    """Mean products of regressors and targets about given means, from which a ridge solution follows.

    Attributes
    ----------
    gram_pp : Tensor, shape (n_regressors, n_regressors)
    cross_ps : Tensor, shape (n_regressors, n_target)
    power_s : Tensor, shape (n_target,)
    """

    gram_pp: torch.Tensor
    cross_ps: torch.Tensor
    power_s: torch.Tensor

    @classmethod
    def of(cls, x_np: torch.Tensor, y_ns: torch.Tensor) -> Self:
        """Take mean products over windows, of what the means are taken off already."""
        return cls(x_np.T @ x_np / len(x_np), x_np.T @ y_ns / len(x_np), y_ns.square().mean(0))


def best_solution(fitted: Products, observed: Products, penalties_l: Sequence[torch.Tensor]) -> torch.Tensor:
    """Solve for each penalty and keep the solution with the least squared error on what is observed, targets weighted alike.

    Parameters
    ----------
    fitted, observed : Products
        Of training and of validation windows.
    penalties_l : sequence of Tensor, shape (n_lags,)
        In units of the mean variance of a regressor.

    Returns
    -------
    Tensor, shape (n_regressors, n_target)
    """
    solutions = [_solution(fitted, penalty_l) for penalty_l in penalties_l]
    power_s = observed.power_s.clamp_min(torch.finfo(torch.float64).tiny)
    errors = [float((((observed.gram_pp @ w_ps - 2 * observed.cross_ps) * w_ps).sum(0) / power_s).sum()) for w_ps in solutions]
    return solutions[errors.index(min(errors))]


def _solution(products: Products, penalty_l: torch.Tensor) -> torch.Tensor:
    """Solve the penalised normal equations; the penalty also settles the directions that an average reference leaves without variance.

    Parameters
    ----------
    penalty_l : Tensor, shape (lags,)
        In units of the mean variance of an input channel.
    """
    variances_p = products.gram_pp.diagonal()
    penalised_pp = products.gram_pp.clone()
    penalised_pp.diagonal().add_((penalty_l * variances_p.mean()).repeat_interleave(len(variances_p) // len(penalty_l)))
    return torch.cholesky_solve(products.cross_ps, torch.linalg.cholesky(penalised_pp))
