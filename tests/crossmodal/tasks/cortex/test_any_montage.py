"""A network that serves any montage predicts from electrodes that it was not trained with."""

import mne
import numpy as np
import pytest

from crossmodal.config import Experiment, UserError
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


def estimates(plan, folder, name, x_ct, info, average=False, projector=False):
    """Predict from electrodes at whatever reference, as a recording or as an average."""
    raw = mne.io.RawArray(x_ct, info, verbose="error")
    if projector:
        raw.set_eeg_reference(projection=True, verbose="error")
    path = folder / f"{name}{'-ave.fif' if average else '_raw.fif'}"
    if average:
        mne.EvokedArray(x_ct, raw.info, comment="only", verbose="error").save(path, verbose="error")
    else:
        raw.save(path, verbose="error")
    predict_recording(plan.experiment, str(path), folder / name, None, clean_input)
    return mne.read_source_estimate(folder / name, "fsaverage5").data


def test_eeg_at_another_reference_is_brought_to_the_average(trained, tmp_path):
    """To the mean of two electrodes, to one that is zero in an average, or with a projector that nobody has applied yet."""
    info, x_ct = standard_cap(CAP[::2], 100.0), 1e-5 * np.random.default_rng(0).standard_normal((35, 800))
    mastoids_ct, one_ct = x_ct - x_ct[[3, 30]].mean(axis=0), x_ct - x_ct[[7]]
    expected, again = (estimates(trained, tmp_path, f"{average}", x_ct, info, average) for average in (False, True))
    for name, other_ct, average, projector, like in (
        ("mastoids", mastoids_ct, False, False, expected),
        ("projector", mastoids_ct, False, True, expected),
        ("one", one_ct, True, False, again),
        ("both", one_ct, True, True, again),
    ):
        found = estimates(trained, tmp_path, name, other_ct, info, average, projector)
        np.testing.assert_allclose(found, like, atol=1e-3 * np.abs(like).max())


def test_channels_that_no_average_reference_can_be_made_of_are_refused(trained, tmp_path):
    info = standard_cap(CAP[::2], 100.0)
    x_ct = 1e-5 * np.random.default_rng(0).standard_normal((35, 800))
    pairs = mne.set_bipolar_reference(mne.io.RawArray(x_ct, info, verbose="error"), CAP[0], CAP[2], verbose="error")
    pairs.save(tmp_path / "pairs_raw.fif", verbose="error")
    stimuli = mne.io.RawArray(x_ct[:2], mne.create_info(["STI1", "STI2"], 100.0, "stim"), verbose="error")
    stimuli.save(tmp_path / "stimuli_raw.fif", verbose="error")
    for name, told in (("pairs", f"{CAP[0]}-{CAP[2]}: is the difference of two electrodes"), ("stimuli", "stimuli_raw.fif: has no EEG")):
        with pytest.raises(UserError, match=told):
            predict_recording(trained.experiment, str(tmp_path / f"{name}_raw.fif"), tmp_path / name, None, clean_input)


def test_its_intervals_are_scored_and_nobody_else_s(trained):
    (evaluation,) = evaluate_folds(trained.experiment, trained.manifest, trained.run, trained.folds)
    values = {score.predictor: score.values for score in evaluation.scores.scores}
    assert 0.3 < values["unrolled Champagne"]["coverage"] <= 1
    assert 0 < values["unrolled Champagne"]["coverage_labelled"] <= 1
    assert not any("coverage" in of for name, of in values.items() if name != "unrolled Champagne")
