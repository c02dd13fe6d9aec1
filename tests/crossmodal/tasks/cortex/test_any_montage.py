"""A network that serves any montage predicts from electrodes that it was not trained with."""

import mne
import numpy as np
import pytest

from crossmodal.config import Experiment
from crossmodal.config.parsing import parse
from crossmodal.models.checking import checked
from crossmodal.physics.cap import CAP
from crossmodal.physics.standard_cap import standard_cap
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import plan_training
from crossmodal.training.prediction import predict_recording
from crossmodal.training.world import World
from preprocessing.prediction_input import clean_input

_UNPLACED = "has no places of electrodes: those that caps have of their names are taken"
SETTINGS = {
    "name": "any_montage",
    "cortex": {"subjects": 3, "samples": 20, "electrodes": 32},
    "data": {"target": {"modality": "cortex"}},
    "model": {"kind": "unrolled_champagne", "centres": 60, "n_dipoles": 500, "other_heads": 2, "recurrent": 8},
    "training": {"epochs": 1, "workers": 1},
    "split": {"kind": "fixed", "train": ["01"], "validation": ["02"], "test": ["03"]},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    store = tmp_path_factory.mktemp("any_montage") / "store"
    plan = plan_training(checked(parse(Experiment, SETTINGS | {"store": str(store)})))
    train_fold(plan.experiment, plan.manifest, plan.run, plan.folds[0], World(), lambda progress: None)
    return plan


def predicted(plan, info, folder):
    """From 8 s of noise."""
    x_ct = 1e-5 * np.random.default_rng(0).standard_normal((len(info["ch_names"]), 800))
    mne.io.RawArray(x_ct, info, verbose="error").save(folder / "eeg_raw.fif", verbose="error")
    written = predict_recording(plan.experiment, str(folder / "eeg_raw.fif"), folder / "found", None, clean_input)
    estimate = mne.read_source_estimate(folder / "found", "fsaverage5")
    assert estimate.data.shape[1] == 800
    assert np.isfinite(estimate.data).all()
    assert 30 < len(np.unique(estimate.data[:, 400])) <= 61
    return written.notes


def test_more_electrodes_of_other_names_are_read_by_their_places(trained, tmp_path):
    info = standard_cap(CAP, 100.0)
    mne.rename_channels(info, {name: f"EEG{number:03d}" for number, name in enumerate(CAP)}, verbose="error")
    assert _UNPLACED not in predicted(trained, info, tmp_path)


def test_electrodes_without_places_are_read_by_their_names(trained, tmp_path):
    assert _UNPLACED in predicted(trained, mne.create_info(list(CAP[::3]), 100.0, "eeg"), tmp_path)


def test_its_intervals_are_scored_and_nobody_else_s(trained):
    (evaluation,) = evaluate_folds(trained.experiment, trained.manifest, trained.run, trained.folds)
    values = {score.predictor: score.values for score in evaluation.scores.scores}
    assert 0.3 < values["unrolled Champagne"]["coverage"] <= 1
    assert 0 < values["unrolled Champagne"]["coverage_labelled"] <= 1
    assert not any("coverage" in of for name, of in values.items() if name != "unrolled Champagne")
