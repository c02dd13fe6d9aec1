"""A subject's own forward solution in place of the template's lead field."""

import mne
import numpy as np
import pytest
from scipy.spatial import cKDTree

from crossmodal.config import Experiment, UserError
from crossmodal.config.parsing import parse
from crossmodal.models.checking import checked
from crossmodal.physics.cap import CAP
from crossmodal.physics.cortex import template_cortex
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.cortical_regions import cortical_regions
from crossmodal.physics.standard_cap import standard_cap
from crossmodal.tasks.contract import ForwardFiles
from crossmodal.training.fold import train_fold
from crossmodal.training.plan import plan_training
from crossmodal.training.prediction import predict_recording
from crossmodal.training.world import World
from preprocessing.prediction_input import clean_input
from tests.crossmodal.physics.forwards import N_VERTICES, forward, saved
from tests.crossmodal.tasks.cortex.test_any_montage import SETTINGS

N_DIPOLES = SETTINGS["model"]["n_dipoles"]


def trained_plan(store, **changes):
    plan = plan_training(checked(parse(Experiment, SETTINGS | changes | {"store": str(store)})))
    train_fold(plan.experiment, plan.manifest, plan.run, plan.folds[0], World(), lambda progress: None)
    return plan


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return trained_plan(tmp_path_factory.mktemp("own_forward") / "store")


def at_dipoles():
    """Vertices of fsaverage5 at which the model's dipoles lie."""
    all_m = cortical_regions().vertices_m
    number_d = np.sort(cKDTree(all_m).query(template_cortex(N_DIPOLES).positions_m)[1])
    return number_d[number_d < N_VERTICES], number_d[number_d >= N_VERTICES] - N_VERTICES


@pytest.fixture(scope="module")
def info():
    return standard_cap(CAP[::2], 100.0)


@pytest.fixture(scope="module")
def fitted(info):
    """The template's own lead field, as a user would hand it in."""
    return forward(info, at_dipoles())


def predicted(plan, folder, info, name, solution=None, **changes):
    """From 8 s of the same noise, whatever else the recording has."""
    x_ct = 1e-5 * np.random.default_rng(0).standard_normal((len(info["ch_names"]), 800))
    raw = mne.io.RawArray(x_ct, info, verbose="error")
    raw = raw.reorder_channels(raw.ch_names[::-1]) if changes.get("backwards") else raw
    raw.save(folder / f"{name}_raw.fif", verbose="error")
    files = None if solution is None else ForwardFiles(str(saved(solution, folder, f"{name}-fwd.fif")))
    written = predict_recording(plan.experiment, str(folder / f"{name}_raw.fif"), folder / name, None, clean_input, files)
    return mne.read_source_estimate(folder / name, "fsaverage5").data, written


def test_a_lead_field_that_is_the_template_s_changes_nothing_in_any_order_of_channels(trained, info, fitted, tmp_path):
    expected, _ = predicted(trained, tmp_path, info, "template")
    mixed = fitted.copy().pick_channels(info["ch_names"][::-1], ordered=True)
    for name, solution, backwards in (("own", fitted, False), ("mixed", mixed, False), ("both", mixed, True)):
        found, written = predicted(trained, tmp_path, info, name, solution, backwards=backwards)
        np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())
    assert "both-fwd.fif of 500 vertices" in written.told
    assert sorted(path.name for path in tmp_path.glob("own-?h*")) == [
        f"own-{side}.{kind}" for side in ("lh", "rh") for kind in ("func.gii", "stc")
    ]


def test_another_lead_field_is_used(trained, info, fitted, tmp_path):
    """Turned inside out; and one of all vertices says nearly what few of them say."""
    expected, _ = predicted(trained, tmp_path, info, "template")
    turned = fitted.copy()
    turned["_orig_sol"] *= -1
    turned["sol"]["data"] *= -1
    found, _ = predicted(trained, tmp_path, info, "turned", turned)
    np.testing.assert_allclose(found, -expected, atol=2e-3 * np.abs(expected).max())
    finer, _ = predicted(trained, tmp_path, info, "finer", forward(info, cortex_mesh(4).vertices))
    assert 0.5 < np.corrcoef(finer.ravel(), expected.ravel())[0, 1] < 0.999


def test_a_recording_without_places_gets_those_of_the_forward_solution(trained, info, fitted, tmp_path):
    expected, _ = predicted(trained, tmp_path, info, "placed", fitted)
    found, written = predicted(trained, tmp_path, mne.create_info(info["ch_names"], 100.0, "eeg"), "unplaced", fitted)
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())
    assert any("has no places of electrodes: those of" in note and "same subject" in note for note in written.notes)


def test_another_montage_and_missing_electrodes_are_refused(trained, info, fitted, tmp_path):
    other = info.copy()
    for channel in other["chs"]:
        channel["loc"][:3] *= 1.08
    with pytest.raises(
        UserError, match=r"moved-fwd.fif: its electrodes stand \d mm on average from .* more than 5 mm is another subject's"
    ):
        predicted(trained, tmp_path, other, "moved", fitted)
    few = fitted.copy().pick_channels(info["ch_names"][2:])
    with pytest.raises(UserError, match=f"few-fwd.fif: lacks 2 of the 35 electrodes of the recording: {CAP[0]}, {CAP[2]}; compute it"):
        predicted(trained, tmp_path, info, "few", few)
    sparse = forward(info, (at_dipoles()[0][:5], at_dipoles()[1][:5]))
    with pytest.raises(UserError, match=r"sparse-fwd.fif: has no vertex in region left-.*; compute it for the whole cortex at a finer"):
        predicted(trained, tmp_path, info, "sparse", sparse)
    assert not list(tmp_path.glob("*.stc"))


def test_a_model_that_reads_no_lead_field_refuses_one(info, fitted, tmp_path):
    plan = trained_plan(tmp_path / "store", model={"kind": "source_net", "width": 8})
    with pytest.raises(UserError, match="^--forward: source_net has learned what .* reads no lead field; leave it out"):
        predicted(plan, tmp_path, info, "eeg", fitted)


def test_a_file_that_is_not_there_is_named(trained, tmp_path):
    with pytest.raises(UserError, match="none-fwd.fif: no such file"):
        predict_recording(trained.experiment, "eeg_raw.fif", tmp_path / "v", None, clean_input, ForwardFiles("none-fwd.fif"))
