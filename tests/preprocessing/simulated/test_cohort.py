"""A cohort on disk: BIDS that others read, whole or absent, made once."""

import json
from pathlib import Path

import mne
import mne_bids
import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.simulation import Simulation
from crossmodal.physics.cortex import template_head
from crossmodal.physics.geometry import Dipoles
from crossmodal.physics.head import lead_field, sphere_head, upper_scalp
from crossmodal.physics.truth import SubjectTruth, truth_path
from preprocessing.simulated.cohort import simulate_cohort


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated") / "cohort"
    return Simulation(root=str(root), subjects=2, runs=2, duration_s=8, sfreq=100, n_dipoles=30)


@pytest.fixture(scope="module")
def root(simulation):
    done = []
    assert simulate_cohort(simulation, done.append) == 2
    assert sorted(done) == ["01", "02"]
    return Path(simulation.root)


def recording(root, subject="02", run="01"):
    return mne_bids.BIDSPath(subject=subject, session="meg", task="facerecognition", run=run, datatype="meg", suffix="meg", root=root)


def test_mne_bids_reads_it_and_learns_the_true_types(root):
    assert mne_bids.get_entity_vals(root, "subject") == ["01", "02"]
    raw = mne_bids.read_raw_bids(recording(root), verbose="ERROR")
    counts = {kind: raw.get_channel_types().count(kind) for kind in set(raw.get_channel_types())}
    assert counts == {"mag": 102, "grad": 204, "eeg": 70, "eog": 2, "ecg": 1, "misc": 1}
    assert raw.info["sfreq"] == 100
    assert raw.n_times == 800
    assert raw.info["line_freq"] == 50
    assert set(raw.annotations.description) <= {"Famous", "Unfamiliar", "Scrambled"}
    assert len(raw.annotations) >= 2


def test_file_sets_the_trap_of_ds000117(root):
    raw = mne.io.read_raw_fif(recording(root).fpath, verbose="ERROR")
    types = raw.get_channel_types()
    assert types.count("eeg") == 74
    assert raw.ch_names[types.index("eeg") :] == [f"EEG{number:03d}" for number in range(1, 75)]
    assert raw.ch_names[0] == "MEG0113"
    kinds = [point["kind"] for point in raw.info["dig"]]
    assert kinds.count(mne.io.constants.FIFF.FIFFV_POINT_CARDINAL) == 3
    assert kinds.count(mne.io.constants.FIFF.FIFFV_POINT_EXTRA) > 100


def test_positions_in_the_file_reproduce_the_lead_field_of_the_truth(root):
    info = mne.io.read_info(recording(root).fpath, verbose="ERROR")
    with np.load(root / "derivatives" / "truth" / "sub-02" / "sub-02_sources.npz") as sources:
        head = sphere_head(upper_scalp(template_head().scalp_m) * float(sources["head_scale"]))
        located = mne.pick_info(info, [info["ch_names"].index(name) for name in sources["names"]])
        again = lead_field(located, Dipoles(sources["positions_m"], sources["orientations"]), head)
        largest = np.abs(sources["lead_field"]).max(axis=1, keepdims=True)
        np.testing.assert_allclose(again / largest, sources["lead_field"] / largest, atol=1e-3)
        truth = SubjectTruth.load(truth_path(root, "02"))
        assert truth.names == tuple(sources["names"])


def test_events_lie_where_their_table_says(root):
    header, *rows = (
        line.split("\t") for line in recording(root).copy().update(suffix="events", extension=".tsv").fpath.read_text().splitlines()
    )
    assert header == ["onset", "duration", "onset_sample", "trial_type", "stim_type", "trigger"]
    for onset, _, sample, *_ in rows:
        assert float(onset) == int(sample) / 100


def test_runs_share_the_head_and_nothing_else(root):
    one, other = (mne.io.read_raw_fif(recording(root, run=run).fpath, verbose="ERROR") for run in ("01", "02"))
    np.testing.assert_array_equal(one.info["dev_head_t"]["trans"], other.info["dev_head_t"]["trans"])
    assert abs(np.corrcoef(one.get_data()[5], other.get_data()[5])[0, 1]) < 0.5


def test_second_run_makes_nothing(root, simulation):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert simulate_cohort(simulation, lambda label: pytest.fail("made a subject again")) == 0
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def test_other_settings_are_refused(root, simulation):
    with pytest.raises(UserError, match=r"was made with another duration_s, seed; remove it"):
        simulate_cohort(simulation.model_copy(update={"seed": 5, "duration_s": 9.0}), print)


def test_foreign_folder_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match="holds no simulated cohort"):
        simulate_cohort(Simulation(root=str(tmp_path / "photos")), print)
    with pytest.raises(UserError, match="not a local folder"):
        simulate_cohort(Simulation(root="s3://bucket/cohort"), print)


def test_interrupted_simulation_leaves_nothing(tmp_path):
    def interrupt(label):
        raise KeyboardInterrupt

    small = Simulation(root=str(tmp_path / "cohort"), subjects=1, duration_s=6, sfreq=50, n_dipoles=10)
    with pytest.raises(KeyboardInterrupt):
        simulate_cohort(small, interrupt)
    assert not list(tmp_path.iterdir())


def test_settings_are_kept_with_the_truth(root, simulation):
    kept = json.loads((root / "derivatives" / "truth" / "simulation.json").read_text())
    assert Simulation(root=simulation.root, **kept) == simulation
