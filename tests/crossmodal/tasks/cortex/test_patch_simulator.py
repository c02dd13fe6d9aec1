"""Samples of patches: what is in them, that each follows from its number, and that no role knows another's clips or patches."""

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

from crossmodal.config.cortex import Noise
from crossmodal.datasets.feed_check import check_feed
from crossmodal.datasets.folds import ROLES
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.helmet import helmet_info
from crossmodal.tasks.cortex.noise import ColouredNoise
from crossmodal.tasks.cortex.patch_simulator import _moments, of_role, region_moments
from tests.crossmodal.tasks.cortex.patches import CLIPS, REGIONS, SIMULATION, feed, head

ROOT = Path(__file__).resolve().parents[4]


def read(of, order) -> tuple[np.ndarray, np.ndarray]:
    """In SI units."""
    (batch,) = of.batches(len(order), np.asarray(order))
    return of.normaliser.input.inverse(batch.input_bct.double()).numpy(), of.normaliser.target.inverse(batch.target_bst.double()).numpy()


def digest(of, order) -> str:
    return hashlib.sha256(b"".join(signals.tobytes() for signals in read(of, order))).hexdigest()


@settings(max_examples=5, deadline=None)
@given(st.permutations(range(80)).map(lambda order: np.array(order[:12])))
def test_a_sample_is_the_same_in_every_order_and_batch(order):
    check_feed(feed("train"), order)


@pytest.mark.slow
def test_a_sample_is_the_same_in_another_process():
    script = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'platform')]}\n" + (
        "from tests.crossmodal.tasks.cortex.test_patch_simulator import digest, feed; print(digest(feed('test'), [5, 3]))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ).stdout.strip()
    assert found == digest(feed("test"), [5, 3])


def test_clips_and_patches_are_divided_between_roles():
    for n in (60, 200):
        parts = [of_role(n, 0, role) for role in ROLES]
        assert [len(part) for part in parts] == [round(0.7 * n), round(0.15 * n), round(0.15 * n)]
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    used = {role: _moments(SIMULATION, SIMULATION.matched, role).toarray() for role in ROLES}
    every = np.concatenate(list(used.values()))
    assert len(np.unique(every, axis=0)) == len(every) == 200


def test_training_never_reads_a_clip_of_another_role():
    of = feed("train", noise=Noise(snr_db=(60, 60)), sources=(1, 1))
    _, y_bst = read(of, np.arange(80))
    strongest_bt = np.array([y_st[np.abs(y_st).max(axis=1).argmax()] for y_st in y_bst])
    alike_bk = np.abs(np.corrcoef(strongest_bt, CLIPS)[: len(strongest_bt), len(strongest_bt) :])
    assert set(alike_bk.argmax(axis=1)) <= set(of_role(len(CLIPS), SIMULATION.seed, "train"))
    np.testing.assert_allclose(alike_bk.max(axis=1), 1, atol=1e-5)


def test_nothing_of_a_sample_stays_in_the_next_one():
    of = feed("train")
    before, clips = digest(of, [3]), CLIPS.copy()
    for _ in range(3):
        digest(of, np.arange(80))
    assert digest(of, [3]) == before
    np.testing.assert_array_equal(CLIPS, clips)


@pytest.mark.parametrize("brains", [SIMULATION.matched, SIMULATION.unmatched])
def test_a_region_s_moment_is_that_of_its_vertices_unless_it_is_a_mere_rim(brains):
    moments_pv = _moments(SIMULATION, brains, "validation")
    moments_pr = region_moments(moments_pv, brains, REGIONS)
    region_v = REGIONS.of_vertices(cortex_mesh(brains.heads.grade, brains.heads.surface).vertices)
    for number, moment_v in enumerate(moments_pv.toarray()):
        expected_r = np.bincount(region_v, moment_v, len(REGIONS.names))
        expected_r[expected_r < 0.1 * expected_r.max()] = 0
        np.testing.assert_allclose(moments_pr[number], expected_r, atol=1e-12)
    assert 1 <= np.median((moments_pr > 0).sum(axis=1)) <= 4


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_noise_has_the_power_asked_for_in_each_sample_and_is_at_the_average_reference(snr_db):
    loud, silent = (read(feed("validation", noise=Noise(snr_db=(level, level))), np.arange(20)) for level in (snr_db, 200.0))
    np.testing.assert_array_equal(loud[1], silent[1])
    noise_bct = loud[0] - silent[0]
    ratio_b = (silent[0] ** 2).mean(axis=(1, 2)) / (noise_bct**2).mean(axis=(1, 2))
    np.testing.assert_allclose(10 * np.log10(ratio_b), snr_db, atol=1e-3)
    np.testing.assert_allclose(loud[0].mean(axis=1), 0, atol=1e-5 * np.abs(loud[0]).max())


def test_what_electrodes_see_of_patches_is_their_vertices_field():
    of = feed("validation", noise=Noise(snr_db=(200, 200)), sources=(1, 1))
    x_bct, y_bst = read(of, np.arange(20))
    field_pc = _moments(SIMULATION, SIMULATION.matched, "validation") @ head(SIMULATION.matched, "03").lead_field_cd.T
    for x_ct, y_st in zip(x_bct, y_bst, strict=True):
        u_cs, s_s, _ = np.linalg.svd(x_ct, full_matrices=False)
        assert s_s[1] < 1e-3 * s_s[0]
        assert np.abs(np.corrcoef(u_cs[:, 0], field_pc)[0, 1:]).max() > 0.9999
        assert 1 <= y_st.any(axis=1).sum() <= 6


def test_as_many_sources_as_asked_are_active():
    x_bct, _ = read(feed("train", noise=Noise(snr_db=(200, 200)), sources=(2, 3)), np.arange(60))
    ranks = {int((np.linalg.svd(x_ct, compute_uv=False) > 1e-4 * np.linalg.norm(x_ct)).sum()) for x_ct in x_bct}
    assert ranks == {2, 3}


def test_coloured_noise_is_correlated_over_time_and_electrodes():
    rng = np.random.default_rng(0)
    positions_m = np.c_[np.arange(8) * 0.02, np.zeros((8, 2))]
    noise = ColouredNoise(positions_m, 0.05, steps=5.0)
    drawn_bct = np.array([noise.draw(200, rng) for _ in range(400)])
    np.testing.assert_allclose(drawn_bct.mean(axis=1), 0, atol=1e-5)
    referenced = np.eye(8) - 1 / 8
    expected_cc = referenced @ np.exp(-np.abs(np.subtract.outer(positions_m[:, 0], positions_m[:, 0])) / 0.05) @ referenced
    # From the first sample on.
    for times in (slice(0, 20), slice(100, 200)):
        found_cc = np.einsum("bct,bdt->cd", drawn_bct[..., times], drawn_bct[..., times]) / (400 * len(range(200)[times]))
        np.testing.assert_allclose(found_cc, expected_cc, atol=0.12 * expected_cc.max())
    lagged = (drawn_bct[..., 5:] * drawn_bct[..., :-5]).mean() / (drawn_bct**2).mean()
    assert lagged == pytest.approx(np.exp(-1), abs=0.03)


def test_matched_and_unmatched_samples_have_the_same_sources_on_other_brains():
    matched, unmatched = (read(feed("test", brains), np.arange(20)) for brains in (SIMULATION.matched, SIMULATION.unmatched))
    assert matched[0].shape == unmatched[0].shape == (20, 32, 250)
    assert not np.allclose(matched[1], unmatched[1])
    strongest = [y_bst[np.arange(20), np.abs(y_bst).max(axis=2).argmax(axis=1)] for _, y_bst in (matched, unmatched)]
    alike = [abs(np.corrcoef(one, other)[0, 1]) for one, other in zip(*strongest, strict=True)]
    assert np.median(alike) > 0.9


def test_eeg_has_the_same_bits_with_and_without_meg_beside_it():
    alone, both = (next(feed("validation", sensors=sensors).batches(5, np.arange(5))) for sensors in (("eeg",), ("eeg", "mag", "grad")))
    assert both.input_bct.shape == (5, 32 + 102 + 204, 250)
    assert torch.equal(alone.input_bct, both.input_bct[:, :32])
    assert torch.equal(alone.target_bst, both.target_bst)


def test_noise_of_each_type_of_channels_has_the_power_asked_for_in_its_own_unit():
    loud, silent = (
        read(feed("validation", sensors=("eeg", "mag", "grad"), noise=Noise(snr_db=(level, level))), np.arange(10))
        for level in (10.0, 200.0)
    )
    magnitudes = []
    for rows in (slice(32), slice(32, 134), slice(134, None)):
        clean_bct = silent[0][:, rows]
        ratio_b = (clean_bct**2).mean(axis=(1, 2)) / ((loud[0][:, rows] - clean_bct) ** 2).mean(axis=(1, 2))
        np.testing.assert_allclose(10 * np.log10(ratio_b), 10, atol=1e-3)
        magnitudes.append(np.sqrt((clean_bct**2).mean()))
    # V, T and T/m of the size that cortical sources have.
    for magnitude, unit in zip(magnitudes, (1e-6, 3e-14, 6e-13), strict=True):
        assert 0.2 < magnitude / unit < 5


def test_magnetometers_see_their_vertices_field():
    x_bct, _ = read(feed("validation", sensors=("mag",), noise=Noise(snr_db=(200, 200)), sources=(1, 1)), np.arange(5))
    field_pc = _moments(SIMULATION, SIMULATION.matched, "validation") @ head(SIMULATION.matched, "03", ("mag",)).lead_field_cd.T
    for x_ct in x_bct:
        pattern_c = np.linalg.svd(x_ct, full_matrices=False)[0][:, 0]
        assert np.abs(np.corrcoef(pattern_c, field_pc)[0, 1:]).max() > 0.9999


def test_coloured_noise_of_gradiometers_differs_between_the_two_of_a_place():
    info, rng = helmet_info(("grad",), 1.0), np.random.default_rng(0)
    locs = np.array([channel["loc"] for channel in info["chs"]])
    noise = ColouredNoise(locs[:, :3], 0.05, steps=5.0, directions_c3=locs[:, 3:6])
    drawn_ct = np.concatenate([noise.draw(200, rng) for _ in range(100)], axis=1)
    found_cc = np.corrcoef(drawn_ct)
    assert np.abs(found_cc[::2, 1::2].diagonal()).max() < 0.1
    away_m = np.linalg.norm(locs[0, :3] - locs[2, :3])
    assert found_cc[0, 2] == pytest.approx(np.exp(-away_m / 0.05) * (locs[0, 3:6] @ locs[2, 3:6]), abs=0.1)
    assert drawn_ct.var() == pytest.approx(1, rel=0.05)
