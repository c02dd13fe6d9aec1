"""Samples that are made from their numbers."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from crossmodal.datasets.feed_check import check_feed
from tests.crossmodal.tasks.cortex.heads import SIMULATION, feed, head

ROOT = Path(__file__).resolve().parents[4]


def read(of, order, batch_size=64) -> tuple[torch.Tensor, torch.Tensor]:
    batches = list(of.batches(batch_size, np.asarray(order)))
    return torch.cat([batch.input_bct for batch in batches]), torch.cat([batch.target_bst for batch in batches])


def digest(of, order) -> str:
    return hashlib.sha256(b"".join(signals.numpy().tobytes() for signals in read(of, order))).hexdigest()


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(200, 280)).map(lambda order: np.array(order[:12])))
def test_a_sample_is_the_same_in_every_order_and_batch(order):
    check_feed(feed("train"), order)


def test_a_sample_is_the_same_in_another_process():
    script = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'platform')]}\n" + (
        "from tests.crossmodal.tasks.cortex.test_simulator import digest, feed; print(digest(feed('test'), [5, 3]))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ).stdout.strip()
    assert found == digest(feed("test"), [5, 3])


def test_subjects_follow_one_another_and_keep_their_samples_whoever_else_is_in_the_role():
    both, samples = feed("train"), SIMULATION.samples
    assert len(both) == 2 * samples
    assert both.subjects[[0, samples - 1, samples]].tolist() == ["01", "01", "02"]
    alone = type(both)(SIMULATION, [head("02")], "train")
    assert digest(alone, [0, 7]) == digest(both, [samples, samples + 7])


def test_the_last_batch_takes_what_remains_and_no_sample_makes_no_batch():
    sizes = [len(batch.windows) for batch in feed("train").batches(4, np.arange(9))]
    assert sizes == [4, 4, 1]
    assert list(feed("train").batches(4, np.arange(0))) == []


def test_no_sample_comes_twice():
    """Not within a feed, not in another role, and not with another seed."""
    feeds = [feed("train"), feed("train", seed=1), type(feed("train"))(SIMULATION, [head("01")], "test")]
    targets = np.concatenate([read(of, np.arange(20))[1].numpy().reshape(20, -1) for of in feeds])
    assert len(np.unique(targets, axis=0)) == 60


def test_moments_are_those_asked_for():
    of = feed("train", active_regions=(2, 3), moment_am=(1e-8, 2e-8), samples=400)
    y_bst = of.normaliser.target.inverse(read(of, np.arange(800))[1].double()).numpy()
    assert y_bst.shape == (800, 60, 50)
    active = y_bst.any(axis=2)
    assert set(active.sum(axis=1)) == {2, 3}
    assert active.any(axis=0).all()
    largest_am = np.abs(y_bst).max(axis=2)[active]
    assert largest_am.max() <= 2e-8
    assert np.median(largest_am) > 0.7e-8


@pytest.mark.parametrize("snr_db", [0.0, 12.0])
def test_eeg_is_the_regions_field_and_noise_of_the_power_asked_for(snr_db):
    of = feed("train", snr_db=(snr_db, snr_db))
    x_bct, y_bst = read(of, np.arange(50))
    x_bct, y_bst = of.normaliser.input.inverse(x_bct.double()).numpy(), of.normaliser.target.inverse(y_bst.double()).numpy()
    signal_bct = head("01").region_field_cr @ y_bst
    noise_bct = x_bct - signal_bct
    ratio_b = (signal_bct**2).mean(axis=(1, 2)) / (noise_bct**2).mean(axis=(1, 2))
    np.testing.assert_allclose(10 * np.log10(ratio_b), snr_db, atol=1e-3)
    np.testing.assert_allclose(x_bct.mean(axis=1), 0, atol=1e-5 * np.abs(x_bct).max())


@pytest.mark.parametrize(("share", "slope"), [(0.0, 0.0), (1.0, -1.0)])
def test_noise_is_white_or_falls_with_frequency_as_asked(share, slope):
    of = feed("train", snr_db=(-60.0, -60.0), background=share)
    x_bct = read(of, np.arange(200))[0].numpy()
    x_bct /= x_bct.std(axis=(1, 2), keepdims=True)
    power_f = (np.abs(np.fft.rfft(x_bct * np.hanning(50), axis=2)) ** 2).mean(axis=(0, 1))[3:24]
    found = np.polyfit(np.log(1 + np.arange(3, 24)), np.log(power_f), 1)[0]
    assert found == pytest.approx(slope, abs=0.1)
    if share:
        covariance_cc = np.einsum("bct,bdt->cd", x_bct, x_bct) / (200 * 50)
        expected_cc = head("01").backgrounds_cl["eeg"] @ head("01").backgrounds_cl["eeg"].T
        assert np.corrcoef(covariance_cc.ravel(), expected_cc.ravel())[0, 1] > 0.98
