"""An experiment without recordings: checked, trained, scored and predicted from like any other."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import mne
import numpy as np
import pytest

from crossmodal.config import Experiment, UserError
from crossmodal.config.parsing import parse
from crossmodal.config.signal_spec import Cortex
from crossmodal.datasets.folds import make_folds
from crossmodal.models.checking import checked
from crossmodal.models.store import CARD, ModelCard
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.physics.parcellation import packed_regions
from crossmodal.tasks.choosing import task_of
from crossmodal.tasks.cortex.heads import draw_head
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import find_dataset, plan_training
from crossmodal.training.prediction import predict_recording
from crossmodal.training.runs import model_uri, run_name
from crossmodal.training.world import World
from preprocessing.plan import plan_dataset
from preprocessing.prediction_input import clean_input

SETTINGS = {
    "name": "cortex",
    "cortex": {"subjects": 5, "samples": 250},
    "data": {"target": {"modality": "cortex"}},
    "model": {"kind": "source_net", "width": 16},
    "training": {"epochs": 5, "workers": 1, "learning_rate": 3e-3},
    "evaluation": {"baselines": [{"kind": "minimum_norm"}, {"kind": "inverse_operator"}]},
}


def experiment(tmp_path, **changes):
    return checked(parse(Experiment, SETTINGS | {"store": str(tmp_path / "store")} | changes))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    made = experiment(tmp_path_factory.mktemp("cortex"))
    plan = plan_training(made)
    for fold in plan.folds[:1]:
        train_fold(plan.experiment, plan.manifest, plan.run, fold, World(), lambda progress: None)
    return plan


def test_a_new_head_is_told_better_than_silence_does(trained):
    (evaluation,) = evaluate_folds(trained.experiment, trained.manifest, trained.run, trained.folds[:1])
    scores = {score.predictor: score for score in evaluation.scores.scores}
    assert {name: score.role for name, score in scores.items()} == {
        "source net": "model",
        "zero": "baseline",
        "minimum norm": "baseline",
        "eLORETA": "baseline",
        "own-head minimum norm": "oracle",
    }
    assert scores["zero"].score == 0
    assert scores["source net"].score > 0.02
    assert scores["source net"].values["auc"] > 0.7
    # Its regularisation and amplitude are those of the validation heads.
    assert scores["eLORETA"].score > scores["minimum norm"].score
    figures = task_of(trained.experiment).draw_fold(evaluation, trained.experiment)
    assert set(figures) == {"waveforms_sub-01", "regions_sub-01"}


def eeg(plan, n_samples):
    """Noise of 10 uV at 250 Hz, at the electrodes of a head."""
    info = draw_head(plan.experiment.cortex, "01").info.copy()
    with info._unlock():
        info["sfreq"], info["lowpass"] = 250.0, 125.0
    x_ct = 1e-5 * np.random.default_rng(0).standard_normal((len(info["ch_names"]), n_samples))
    return mne.io.RawArray(x_ct, info, verbose="error")


def test_a_recording_becomes_a_source_estimate_that_mne_opens(trained, tmp_path):
    eeg(trained, 2500).save(tmp_path / "eeg_raw.fif", verbose="error")
    written = predict_recording(trained.experiment, str(tmp_path / "eeg_raw.fif"), tmp_path / "found", "sub-01", clean_input)
    estimate = mne.read_source_estimate(tmp_path / "found", "fsaverage5")
    assert written.told == "60 regions of fsaverage5, 10.0 s"
    assert estimate.data.shape[1] == 1000
    assert len(np.unique(estimate.data[:, 500])) <= 60
    with pytest.raises(UserError, match="several files, such as -lh.stc"):
        predict_recording(trained.experiment, str(tmp_path / "eeg_raw.fif"), tmp_path / "found.stc", "sub-01", clean_input)


def predicted(plan, path, output, **options):
    clean = partial(clean_input, **options)
    predict_recording(plan.experiment, str(path), output, "sub-01", clean)
    return mne.read_source_estimate(output, "fsaverage5")


def test_channels_are_found_by_their_names(trained, tmp_path):
    """Another order, and channels that the model does not read, change nothing."""
    raw = eeg(trained, 2000)
    raw.save(tmp_path / "eeg_raw.fif", verbose="error")
    other = raw.copy().reorder_channels(raw.ch_names[::-1])
    trigger = mne.io.RawArray(np.ones((1, 2000)), mne.create_info(["STI"], 250.0, "stim"), verbose="error")
    other.add_channels([trigger], force_update_info=True)
    other.save(tmp_path / "other_raw.fif", verbose="error")
    first, second = (predicted(trained, tmp_path / f"{name}_raw.fif", tmp_path / name) for name in ("eeg", "other"))
    np.testing.assert_allclose(first.data, second.data, atol=1e-5 * np.abs(first.data).max())
    raw.drop_channels(["Fz", "Cz"]).save(tmp_path / "few_raw.fif", verbose="error")
    with pytest.raises(UserError, match="few_raw.fif: lacks 2 of the model's 70 channels: Fz, Cz"):
        predicted(trained, tmp_path / "few_raw.fif", tmp_path / "few")


def test_a_condition_of_averages_becomes_an_estimate_on_its_own_clock(trained, tmp_path):
    raw = eeg(trained, 200)
    averages = [
        mne.EvokedArray(factor * raw.get_data(), raw.info, tmin=-0.2, comment=name, verbose="error")
        for factor, name in ((1, "left"), (2, "right"))
    ]
    both = tmp_path / "both-ave.fif"
    mne.write_evokeds(both, averages, verbose="error")
    one, two = (predicted(trained, both, tmp_path / name, condition=name) for name in ("left", "right"))
    np.testing.assert_allclose(one.times[[0, -1]], (-0.2, 0.59), atol=1e-6)
    np.testing.assert_allclose(two.data, 2 * one.data, atol=0.1 * np.abs(two.data).max())
    with pytest.raises(UserError, match=r"both-ave.fif: has several conditions; choose one by --condition: 'left', 'right'"):
        predicted(trained, both, tmp_path / "any")
    with pytest.raises(UserError, match=r"has no condition 'middle'; .* 'left', 'right'"):
        predicted(trained, both, tmp_path / "any", condition="middle")


@pytest.mark.parametrize(("factor", "told"), [(1e6, "a factor of 1e-06 would fit"), (1e-6, r"a factor of 1e\+06 would fit")])
def test_eeg_in_another_unit_is_refused_with_the_factor_that_would_fit(factor, told, trained, tmp_path):
    raw = eeg(trained, 2000)
    raw._data *= factor
    raw.save(tmp_path / "eeg_raw.fif", verbose="error")
    mne.EvokedArray(raw.get_data(), raw.info, verbose="error").save(tmp_path / "eeg-ave.fif", verbose="error")
    for name in ("eeg_raw.fif", "eeg-ave.fif"):
        with pytest.raises(UserError, match=told):
            predicted(trained, tmp_path / name, tmp_path / "found")


def refusal(plan, folder, changed):
    """What is said of the trained model, whose card says something else."""
    shutil.copytree(Path(model_uri(plan.experiment.store, plan.run, "sub-01")), folder)
    (folder / CARD).write_text(changed((folder / CARD).read_text()))
    with pytest.raises(UserError) as refused:
        task_of(plan.experiment).predict(folder, plan.experiment, "eeg_raw.fif", folder / "v", clean_input, folder)
    return str(refused.value)


def test_a_model_of_other_regions_is_refused(trained, tmp_path):
    told = refusal(trained, tmp_path / "named", lambda card: card.replace('"right-30"', '"right-31"'))
    assert "knows 60 regions, left-01 to right-31, and cortex asks for 60 regions, left-01 to right-30; train it again" in told
    regions = cortical_regions()
    turned = packed_regions(replace(regions, region_of=tuple(np.where(of_v >= 0, (of_v + 1) % 60, -1) for of_v in regions.region_of)))

    def laid_elsewhere(card):
        model = ModelCard.model_validate_json(card)
        target = model.signals.target.model_copy(update={"space": Cortex(regions=turned)})
        return model.model_copy(update={"signals": model.signals.model_copy(update={"target": target})}).model_dump_json()

    assert "cortex asks for 60 regions, left-01 to right-30, which lie elsewhere" in refusal(trained, tmp_path / "laid", laid_elsewhere)


def test_the_dataset_is_how_samples_are_made(tmp_path):
    one, two = (find_dataset(experiment(tmp_path, cortex={"subjects": 3, "seed": seed}))[1] for seed in (0, 1))
    assert one.subjects == ("01", "02", "03")
    assert one.fingerprint != two.fingerprint
    made = experiment(tmp_path)
    assert run_name(made, one) != run_name(made, two)
    fixed = experiment(tmp_path, split={"kind": "fixed", "train": ["01"], "validation": ["02"], "test": ["03"]})
    assert [part.subject for part in make_folds(fixed.split, one)[0].test] == ["03"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cortex": None}, "the section cortex and data.target.modality 'cortex' go together"),
        ({"recordings": {"kind": "bids", "root": "cohort"}}, "recordings: samples of cortical activity are made, not recorded"),
        ({"data": {"target": {"modality": "cortex"}, "input": {"modality": "cortex"}}}, "nobody records the cortex itself"),
        ({"cortex": {"subject": 3}}, r"unknown key 'cortex\.subject'; the nearest valid name is 'subjects'"),
    ],
)
def test_a_section_that_does_not_fit_is_refused_when_read(tmp_path, changes, told):
    with pytest.raises(UserError, match=told):
        experiment(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data": SETTINGS["data"] | {"windows": {"kind": "sliding", "length_s": 2}}}, r"^data\.windows: samples of cortical activity"),
        ({"data": SETTINGS["data"] | {"input_scaling": "zscore"}}, r"^data\.input_scaling: samples of cortical activity"),
        ({"data": SETTINGS["data"] | {"input": {"modality": "meg"}}}, "^data: samples of cortical activity are EEG of"),
        ({"split": {"kind": "leaky_windows"}}, "^split: samples are made anew for each role"),
        ({"split": {"kind": "within_recordings", "gap_s": 1}}, "^split: samples are made anew for each role"),
        ({"preprocessing": {"average_reference": False}}, r"^preprocessing\.average_reference: samples .* at the average reference"),
        ({"cortex": {"sfreq": 200.0}}, "^preprocessing.sfreq: .* make both the same"),
    ],
)
def test_settings_of_another_task_are_refused_by_name(tmp_path, changes, told):
    with pytest.raises(UserError, match=told):
        plan_training(experiment(tmp_path, **changes))


def test_nothing_is_preprocessed(tmp_path):
    with pytest.raises(UserError, match="makes its own samples"):
        plan_dataset(experiment(tmp_path))


def test_other_tasks_need_recordings(tmp_path):
    with pytest.raises(UserError, match="^recordings: the section is missing; say where recordings lie$"):
        parse(Experiment, {"name": "tiny"})
