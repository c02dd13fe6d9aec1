"""An experiment on patches: planned, made piece by piece, trained, and scored on heads unlike those of training."""

import mne
import numpy as np
import pytest

from crossmodal.config import Experiment, UserError
from crossmodal.config.parsing import parse
from crossmodal.models.checking import checked
from crossmodal.physics.random_heads import draw_head
from crossmodal.reporting.table import ScoreTable
from crossmodal.tasks.choosing import task_of
from crossmodal.tasks.contract import ForwardFiles
from crossmodal.tasks.cortex.ingredients import ClipsOf, keep, make
from crossmodal.tasks.cortex.patch_fold import plan_ingredients
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import plan_training
from crossmodal.training.prediction import predict_recording
from crossmodal.training.world import World
from preprocessing.prediction_input import clean_input

CLIPS = {"seconds": 5, "together": 8, "neural_masses": {"step_ms": 1.0}}
SETTINGS = {
    "name": "patches",
    "cortex": {
        "kind": "patches",
        "subjects": 3,
        "samples": 150,
        "test_samples": 30,
        "electrodes": 32,
        "regions": {"kind": "random", "n": 8},
        "sources": [1, 2],
        "n_patches": 200,
        "matched": {"heads": {"grade": 3}},
        "unmatched": {"heads": {"grade": 4, "surface": "middle", "skull_ratio": [12, 20]}, "shapes": [{"kind": "strip"}]},
        "clips": CLIPS,
    },
    "preprocessing": {"sfreq": 250.0},
    "data": {"target": {"modality": "cortex"}},
    "split": {"kind": "fixed", "train": ["01"], "validation": ["02"], "test": ["03"]},
    "model": {"kind": "source_net", "width": 16},
    "training": {"epochs": 2, "workers": 1, "learning_rate": 3e-3},
    "evaluation": {"baselines": [{"kind": "ridge"}]},
}


def experiment(store, **changes):
    cortex = SETTINGS["cortex"] | changes
    return checked(parse(Experiment, SETTINGS | {"store": str(store), "cortex": cortex}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The experiment, with clips and lead fields in its store."""
    found = experiment(tmp_path_factory.mktemp("patches") / "store")
    plan = plan_ingredients(found)
    for ingredient in plan.missing:
        keep(ingredient, make(ingredient, plan.connectome), found.store)
    return found


def test_what_is_missing_is_told_before_training_and_made_once(made, tmp_path):
    empty = experiment(tmp_path / "store")
    with pytest.raises(UserError, match=r"store: 5 of 5 parts of the simulation are not made; run jobs/simulate.py first"):
        plan_training(empty)
    names = [each.told for each in plan_ingredients(empty).missing]
    assert names == [
        "clips of regions 1 to 8",
        "lead field of sub-01 (spheres)",
        "lead field of sub-02 (spheres)",
        "lead field of sub-03 (spheres)",
        "lead field of sub-03 (spheres)",
    ]
    assert plan_ingredients(made).missing == ()
    # More heads take what is there already.
    more = experiment(made.store, subjects=4)
    assert len(plan_ingredients(more).missing) == 0
    louder = experiment(made.store, noise={"snr_db": [5, 5]})
    assert len(plan_ingredients(louder).missing) == 0
    other = experiment(made.store, clips=CLIPS | {"seconds": 7})
    assert [type(each) for each in plan_ingredients(other).missing] == [ClipsOf]


def test_tests_are_scored_on_unmatched_heads_with_the_gap_beside_them(made):
    plan = plan_training(made)
    train_fold(plan.experiment, plan.manifest, plan.run, plan.folds[0], World(), lambda progress: None)
    (evaluation,) = evaluate_folds(plan.experiment, plan.manifest, plan.run, plan.folds)
    scores = {score.predictor: score for score in evaluation.scores.scores}
    assert set(scores) == {"source net", "zero", "ridge", "own-head minimum norm"}
    for score in scores.values():
        assert {"spatial_pcc_gap", "average_precision_gap"} <= set(score.values)
    assert scores["ridge"].score > 0.05
    # What knows the head has no advantage of a matched one but that of easier patches.
    assert scores["ridge"].values["spatial_pcc_gap"] > -0.1
    table = ScoreTable.of(plan.experiment, [evaluation.scores], task_of(plan.experiment).scorecard(plan.experiment))
    assert {"inverse-crime gap sPCC", "gap AP"} <= set(table.header("cortex"))
    figures = task_of(plan.experiment).draw_fold(evaluation, plan.experiment)
    assert set(figures) == {"waveforms_sub-03", "regions_sub-03"}


def test_roles_read_their_own_heads(made):
    task, plan = task_of(made), plan_training(made)
    data = task.open_fold(plan.experiment, plan.manifest, plan.folds[0], None)
    assert (len(data.train), len(data.validation), len(data.test), len(data.matched.test)) == (150, 30, 30, 30)
    assert data.signals.target.n_channels == 8
    unmatched, matched = data.heads["03"], data.matched.heads["03"]
    assert unmatched.lead_field_cd.shape[1] > 3 * matched.lead_field_cd.shape[1]
    # The same person: cap and size are drawn alike, and electrodes are told a few mm off.
    apart_m = [
        np.linalg.norm(one["loc"][:3] - other["loc"][:3]) for one, other in zip(unmatched.info["chs"], matched.info["chs"], strict=True)
    ]
    assert np.median(apart_m) < 0.001


@pytest.fixture(scope="module")
def trained_with_meg(made):
    """EEG and magnetometers, in the store that has clips and EEG already."""
    small = {"kind": "unrolled_champagne", "centres": 60, "n_dipoles": 500, "other_heads": 0, "recurrent": 8}
    cortex = SETTINGS["cortex"] | {"sensors": ["mag", "eeg"], "samples": 10, "test_samples": 6}
    settings = SETTINGS | {"store": made.store, "cortex": cortex, "model": small, "training": {"epochs": 1, "workers": 1}}
    both = checked(parse(Experiment, settings))
    plan = plan_ingredients(both)
    assert [each.told for each in plan.missing] == [
        "lead field of magnetometers of sub-01 (spheres)",
        "lead field of magnetometers of sub-02 (spheres)",
        "lead field of magnetometers of sub-03 (spheres)",
        "lead field of magnetometers of sub-03 (spheres)",
    ]
    for ingredient in plan.missing:
        keep(ingredient, make(ingredient, plan.connectome), both.store)
    plan = plan_training(both)
    train_fold(plan.experiment, plan.manifest, plan.run, plan.folds[0], World(), lambda progress: None)
    return plan


def test_meg_is_scored_beside_eeg(trained_with_meg):
    plan = trained_with_meg
    (evaluation,) = evaluate_folds(plan.experiment, plan.manifest, plan.run, plan.folds)
    scores = {score.predictor: score for score in evaluation.scores.scores}
    assert scores["unrolled Champagne"].values["spatial_pcc"] > 0.3
    assert "ridge" in scores


def recording(plan):
    """Noise of 8 s at other electrodes than those of training, and at magnetometers that are called as in older files."""
    info = draw_head(plan.experiment.cortex.matched.heads, 40, 250.0, [5], ("eeg", "mag")).info
    size_c1 = np.where(np.array(info.get_channel_types()) == "eeg", 1e-5, 1e-12)[:, None]
    raw = mne.io.RawArray(size_c1 * np.random.default_rng(0).standard_normal((len(size_c1), 2000)), info, verbose="error")
    return raw.rename_channels({name: name.replace("MEG", "MEG ") for name in raw.ch_names[40:]}, verbose="error")


def predicted(plan, raw, folder):
    raw.save(folder / "meg_raw.fif", verbose="error")
    predict_recording(plan.experiment, str(folder / "meg_raw.fif"), folder / "found", None, clean_input)
    return mne.read_source_estimate(folder / "found", "fsaverage5").data


def test_a_recording_with_meg_is_read_by_the_names_of_its_sensors(trained_with_meg, tmp_path):
    raw, (one, other) = recording(trained_with_meg), (tmp_path / name for name in ("one", "other"))
    for folder in (one, other):
        folder.mkdir()
    found_vt = predicted(trained_with_meg, raw, one)
    assert found_vt.shape[1] == 2000
    assert np.isfinite(found_vt).all()
    turned = raw.copy().reorder_channels([*raw.ch_names[:40], *raw.ch_names[:39:-1]])
    np.testing.assert_allclose(predicted(trained_with_meg, turned, other), found_vt, atol=1e-4 * np.abs(found_vt).max())


def test_a_recording_without_a_sensor_or_a_head_position_is_refused(trained_with_meg, tmp_path):
    raw = recording(trained_with_meg)
    few, lost = raw.copy().drop_channels(["MEG 0111"]), raw.copy()
    with lost.info._unlock():
        lost.info["dev_head_t"] = None
    for wrong, told in ((few, r"lacks 1 of the model's 142 channels: MEG0111"), (lost, r"has MEG but no head position \(dev_head_t\)")):
        with pytest.raises(UserError, match=rf"meg_raw.fif: {told}"):
            predicted(trained_with_meg, wrong, tmp_path)
        (tmp_path / "meg_raw.fif").unlink()


def test_a_lead_field_of_eeg_is_refused_by_a_model_that_reads_meg(trained_with_meg, tmp_path):
    files = ForwardFiles(str(tmp_path / "own-fwd.fif"))
    with pytest.raises(UserError, match="--forward: a subject's own lead field is taken for EEG alone, and the model reads MEG"):
        predict_recording(trained_with_meg.experiment, "meg_raw.fif", tmp_path / "found", None, clean_input, files)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"regions": {"kind": "annot", "left": "lh.annot", "right": "rh.annot"}}, "^cortex: lh.annot is not there; check its name"),
        ({"clips": {"tvb_file": "brain.zip"}}, "^cortex: brain.zip is not there; check its name"),
        (
            {"clips": {"neural_masses": {"conduction_m_per_s": 0.5}}},
            r"the connectome of 8 regions: its longest tract takes \d+ ms at 0.5 m/s, and longest_delay_ms = 100; raise it, or conduction",
        ),
        (
            {"regions": {"kind": "random", "n": 2000}},
            r"^cortex.regions: .* has no vertex of a cortex of grade 3; take larger regions or a finer",
        ),
    ],
)
def test_regions_and_connections_that_cannot_be_are_refused(made, changes, told):
    wrong = experiment(made.store, **changes)
    with pytest.raises(UserError, match=told):
        plan_ingredients(wrong)


def test_too_few_clips_for_the_sources_are_refused(made):
    few = made.model_copy(update={"cortex": made.cortex.model_copy(update={"sources": (1, 10)})})
    plan = plan_training(few)
    with pytest.raises(UserError, match=r"^cortex.clips: validation has \d clips for up to 10 sources; raise cortex.clips.seconds"):
        task_of(few).open_fold(few, plan.manifest, plan.folds[0], None)


def test_a_sampling_rate_must_divide_the_steps_of_neural_masses(tmp_path):
    with pytest.raises(UserError, match="a sample must last 1, 2, 4, 8, 16 or 32 steps of 1 ms"):
        experiment(tmp_path, sfreq=200.0)
