"""What is asked of every network and of every baseline, whoever wrote it: functions of a `ModelSpec` that fail by assertion."""

import tempfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Baseline, Model
from crossmodal.models.registry import ModelSpec
from crossmodal.models.store import load_weights
from crossmodal.physics.places import Places
from tests.crossmodal.models.pairs import cap_places, cortex_pair, sensor_pair, volume_pair

N_INPUT, N_TARGET, SFREQ = 5, 3, 100.0
# The template head is fitted to no fewer.
N_CAP = 32
_OVERFIT_STEPS = 200
_SAMPLES_BEFORE_A_VOLUME = 50


def signals(spec: ModelSpec, n_times: int) -> SignalPair:
    """What a model can predict: signals on the input's clock, or volumes, which need seconds of it where those need samples.

    A model that uses places is asked for the cortex below its electrodes.
    """
    if spec.model.uses_places:
        return cortex_pair(N_CAP, n_times, SFREQ)
    if "signals" in spec.config.predicts:
        return sensor_pair(N_INPUT, N_TARGET, n_times, SFREQ)
    return volume_pair(N_INPUT, N_TARGET, _SAMPLES_BEFORE_A_VOLUME * n_times, SFREQ)


def windows(pair: SignalPair, n_windows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised noise, and targets that follow from it, or from its power, but for noise and a constant."""
    rng = torch.Generator().manual_seed(0)
    n_input, n_target = pair.input.n_channels, pair.target.n_channels
    x_bct = torch.randn(n_windows, n_input, pair.input.n_times, generator=rng)
    mixing_sc = torch.randn(n_target, n_input, generator=rng)
    driving_bct = x_bct if pair.target.n_times > 1 else x_bct.square().mean(2, keepdim=True)
    return x_bct, mixing_sc @ driving_bct + torch.randn(n_windows, n_target, pair.target.n_times, generator=rng) + 1


def said(model: Model, x_bct: torch.Tensor, spec: ModelSpec) -> torch.Tensor:
    """What a model says, told where electrodes are if it asks."""
    return model.run(x_bct, places(spec, x_bct))


def places(spec: ModelSpec, x_bct: torch.Tensor) -> Places | None:
    return cap_places(signals(spec, x_bct.shape[2]), len(x_bct)).to(x_bct.device) if spec.model.uses_places else None


def ready(spec: ModelSpec, n_times: int) -> Model:
    """A network with random weights, or a fitted baseline, in evaluation mode."""
    torch.manual_seed(0)
    pair = signals(spec, n_times)
    model = spec.build(pair)
    if isinstance(model, Baseline):
        _fit(model, pair)
    return model.for_inference()


def _fit(baseline: Baseline, pair: SignalPair, batches: int = 1) -> None:
    statistics = [baseline.new_statistics() for _ in range(batches)]
    for part, x_bct, y_bst in zip(statistics, *(tensor.chunk(batches) for tensor in windows(pair, 8)), strict=True):
        part.accumulate(x_bct, y_bst)
    whole = sum(statistics[1:], start=statistics[0])
    baseline.solve(whole, whole)


@torch.no_grad()
def check_windows_map_to_windows(spec: ModelSpec) -> None:
    for n_times in (32, 37):
        pair = signals(spec, n_times)
        y_bst = said(ready(spec, n_times), windows(pair, 2)[0], spec)
        assert (*y_bst.shape[:2], y_bst.shape[-1]) == (2, pair.target.n_channels, pair.target.n_times)
        assert y_bst.isfinite().all()
        assert y_bst.ndim == 3 or not spec.config.predicts_waveforms


@torch.no_grad()
def check_windows_of_a_batch_do_not_influence_each_other(spec: ModelSpec) -> None:
    model, (x_bct, _) = ready(spec, 32), windows(signals(spec, 32), 4)
    torch.testing.assert_close(torch.cat([said(model, window_bct, spec) for window_bct in x_bct.split(1)]), said(model, x_bct, spec))


@torch.no_grad()
def check_weights_come_back_from_a_file(spec: ModelSpec) -> None:
    model, (x_bct, _) = ready(spec, 32), windows(signals(spec, 32), 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)
        again = load_weights(path, spec, signals(spec, 32))
    assert torch.equal(said(again, x_bct, spec), said(model, x_bct, spec))


@torch.no_grad()
def check_a_gpu_agrees(spec: ModelSpec) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    model, (x_bct, _) = ready(spec, 32), windows(signals(spec, 32), 2)
    expected = said(model, x_bct, spec)
    torch.testing.assert_close(said(model.cuda(), x_bct.cuda(), spec).cpu(), expected, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def check_compiled_it_says_the_same(spec: ModelSpec) -> None:
    """Where the graph breaks, as it does at an LSTM, the pieces are compiled."""
    model, (x_bct, _) = ready(spec, 4), windows(signals(spec, 4), 2)
    torch.compiler.reset()
    given = (x_bct, places(spec, x_bct)) if spec.model.uses_places else (x_bct,)
    torch.testing.assert_close(torch.compile(model, backend="aot_eager")(*given), model(*given))


@torch.no_grad()
def check_exported_it_says_the_same(spec: ModelSpec) -> None:
    model, (x_bct, _) = ready(spec, 4), windows(signals(spec, 4), 2)
    torch.testing.assert_close(torch.export.export(model, (x_bct,)).module()(x_bct), model(x_bct))


def check_gradients_reach_every_parameter(spec: ModelSpec) -> None:
    model = _trained(spec)
    silent = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    # Ahead of a normalisation over time, a bias has no effect.
    assert not [name for name in silent if not name.endswith("bias")]


def check_a_seed_decides_everything(spec: ModelSpec) -> None:
    one, two = _trained(spec).state_dict(), _trained(spec).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def _trained(spec: ModelSpec) -> Model:
    """A few steps; a head that starts at zero hides what is below it from the first gradient."""
    torch.manual_seed(0)
    model, (x_bct, y_bst) = spec.build(signals(spec, 32)).train(), windows(signals(spec, 32), 4)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(3):
        optimiser.zero_grad()
        model.loss(x_bct, y_bst, places(spec, x_bct)).backward()
        optimiser.step()
    return model


def check_it_overfits_one_batch(spec: ModelSpec) -> None:
    """In evaluation mode: dropout would forbid it."""
    torch.manual_seed(0)
    model, (x_bct, y_bst) = spec.build(signals(spec, 4)).eval(), windows(signals(spec, 4), 2)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    losses: list[float] = []
    while not losses or losses[-1] > 0.1 * losses[0]:
        assert len(losses) < _OVERFIT_STEPS, f"the loss on one batch is still {losses[-1] / losses[0]:.2f} of what it was at first"
        optimiser.zero_grad()
        loss = model.loss(x_bct, y_bst, places(spec, x_bct))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())


@torch.no_grad()
def check_statistics_add_up(spec: ModelSpec) -> None:
    x_bct, _ = windows(signals(spec, 32), 2)
    at_once, in_parts = spec.build(signals(spec, 32)), spec.build(signals(spec, 32))
    for baseline, batches in ((at_once, 1), (in_parts, 4)):
        assert isinstance(baseline, Baseline)
        _fit(baseline, signals(spec, 32), batches)
    torch.testing.assert_close(in_parts(x_bct), at_once(x_bct))


@torch.no_grad()
def check_it_is_no_worse_than_silence(spec: ModelSpec) -> None:
    x_bct, y_bst = windows(signals(spec, 32), 8)
    assert (ready(spec, 32)(x_bct) - y_bst).square().mean() <= y_bst.square().mean()


@torch.no_grad()
def check_fitting_again_gives_the_same_bits(spec: ModelSpec) -> None:
    x_bct, _ = windows(signals(spec, 32), 2)
    assert torch.equal(ready(spec, 32)(x_bct), ready(spec, 32)(x_bct))


_EVERY_CHECK = (
    check_windows_map_to_windows,
    check_windows_of_a_batch_do_not_influence_each_other,
    check_weights_come_back_from_a_file,
    check_a_gpu_agrees,
    check_compiled_it_says_the_same,
    check_exported_it_says_the_same,
)
NETWORK_CHECKS = (
    *_EVERY_CHECK,
    check_gradients_reach_every_parameter,
    check_a_seed_decides_everything,
    check_it_overfits_one_batch,
)
BASELINE_CHECKS = (
    *_EVERY_CHECK,
    check_statistics_add_up,
    check_it_is_no_worse_than_silence,
    check_fitting_again_gives_the_same_bits,
)
