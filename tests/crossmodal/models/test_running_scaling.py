"""Standardising by all that training showed."""

import torch

from crossmodal.models.running_scaling import RunningScaling


def test_batches_of_any_size_give_the_moments_of_all_windows():
    x_bp = 5 + 3 * torch.randn(21, 4, generator=torch.Generator().manual_seed(0))
    scaling = RunningScaling(4)
    for batch_bp in x_bp.split([8, 1, 12]):
        scaling(batch_bp)
    scaled_bp = scaling.eval()(x_bp)
    torch.testing.assert_close(scaled_bp.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled_bp.square().mean(0), torch.ones(4))


def test_a_feature_that_never_varies_stays_finite():
    scaling = RunningScaling(2)
    assert not scaling(torch.ones(5, 2)).any()


def test_pareto_scaling_leaves_what_varies_more_some_of_its_lead():
    x_bp = torch.tensor([1.0, 4.0, 9.0]) * torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    scaling = RunningScaling(3, pareto=True)
    scaled_bp = scaling(x_bp)
    deviation_p = x_bp.std(0, unbiased=False)
    torch.testing.assert_close(scaled_bp.std(0, unbiased=False), (deviation_p / deviation_p.mean()).sqrt())
    torch.testing.assert_close(scaled_bp.square().mean(), torch.ones(()))
