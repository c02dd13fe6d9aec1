"""AIM predicts from the input alone: whatever it says of a time depends on no true sample from then on."""

import pytest
import torch

from crossmodal.config import UserError
from crossmodal.models.aim import Aim, AimConfig
from tests.crossmodal.models.pairs import sensor_pair

AUTOREGRESSIVE = AimConfig(width=8, encoder_layers=1, decoder_layers=1, heads=2, expansion=2, decoding="autoregressive")


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(UserError, match=r"model\.width 10 must be a multiple of model\.heads 4"):
        Aim(AimConfig(width=10, heads=4), sensor_pair(5, 3, 32, 100.0))


class TestAimNeverSeesItsTarget:
    """While training it may read the true past; whatever it predicts at t depends on no true sample from t on."""

    def test_teacher_forcing_is_shifted(self):
        torch.manual_seed(0)
        model = Aim(AUTOREGRESSIVE, sensor_pair(5, 3, 16, 100.0)).eval()
        memory_btd = model._encode(torch.randn(1, 5, 16))
        y_bst = torch.randn(1, 3, 16, requires_grad=True)
        predicted_bst = model._decode_after(y_bst, memory_btd)
        for t in range(16):
            (gradient_bst,) = torch.autograd.grad(predicted_bst[..., t].sum(), y_bst, retain_graph=True)
            assert not gradient_bst[..., t:].any()
            assert t == 0 or gradient_bst[..., t - 1].any()

    def test_evaluation_runs_free_even_when_asked_for_a_loss(self):
        torch.manual_seed(0)
        model = Aim(AUTOREGRESSIVE, sensor_pair(5, 3, 16, 100.0)).eval()
        x_bct, y_bst = torch.randn(1, 5, 16), torch.randn(1, 3, 16)
        with torch.no_grad():
            expected = (model(x_bct) - y_bst).square().mean()
            torch.testing.assert_close(model.loss(x_bct, y_bst), expected)

    def test_running_free_reads_what_it_said(self):
        torch.manual_seed(0)
        model = Aim(AUTOREGRESSIVE, sensor_pair(5, 3, 16, 100.0)).eval()
        x_bct = torch.randn(1, 5, 16)
        with torch.no_grad():
            y_bst = model(x_bct)
            torch.testing.assert_close(model._decode_after(y_bst, model._encode(x_bct)), y_bst)
