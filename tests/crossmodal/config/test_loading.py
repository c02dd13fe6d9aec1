"""E1 and the way an experiment is put together."""

import pytest
import yaml

from crossmodal.config import UserError, fingerprint, load_experiment

MINIMAL = {"name": "tiny", "recordings": {"kind": "bids", "root": "cohort"}}


def write(path, settings):
    path.write_text(yaml.safe_dump(settings))
    return path


def test_defaults_complete_a_minimal_experiment(tmp_path):
    experiment = load_experiment(write(tmp_path / "a.yaml", MINIMAL))
    assert experiment.model.kind == "synaptech_net"
    assert experiment.data.target.modality == "meg"


def test_overrides_reach_nested_settings_and_are_read_as_yaml(tmp_path):
    path = write(tmp_path / "a.yaml", MINIMAL)
    experiment = load_experiment(path, ["training.epochs=3", "data.windows.hop_s=3", "recordings.subjects=['01']"])
    assert experiment.training.epochs == 3
    assert experiment.data.windows.hop_s == 3.0
    assert experiment.recordings.subjects == ("01",)


@pytest.mark.parametrize(
    ("settings", "unknown", "nearest"),
    [
        ({"trainig": {}}, "trainig", "training"),
        ({"training": {"epohcs": 3}}, "training.epohcs", "epochs"),
        ({"recordings": {"kind": "bids", "root": "a", "tsk": "rest"}}, "recordings.tsk", "task"),
        ({"data": {"windows": {"hop": 3}}}, "data.windows.hop", "hop_s"),
    ],
)
def test_unknown_key_is_refused_with_the_nearest_valid_name(tmp_path, settings, unknown, nearest):
    with pytest.raises(UserError, match=rf"unknown key '{unknown}'; the nearest valid name is '{nearest}'"):
        load_experiment(write(tmp_path / "a.yaml", MINIMAL | settings))


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.epochs=0", "training.epochs: .*greater than or equal to 1"),
        ("training.epochs", "write key=value"),
        ("name.first=a", "'name' is a value, not a section"),
        ("training.epochs=[", "not a YAML value"),
        ("training.learning_rate=.inf", "finite number"),
        ("split.kind=random", r"a\.yaml: split\.kind: there is no 'random'; known are leave_one_subject_out, .*leaky_windows"),
        ("data.windows.hop_s=-1", r"a\.yaml: data\.windows\.hop_s: input should be greater than 0 \(got -1\)$"),
        ("preprocessing.gradients={}", r"preprocessing: gradients are .* which recordings.kind 'bids' does not read; choose bids_fmri, "),
        ("data.source={modality: meg}", r"a\.yaml: 'data\.source' is called 'data\.input' now$"),
        ("data.source_scaling=zscore", r"a\.yaml: 'data\.source_scaling' is called 'data\.input_scaling' now$"),
        ("tuning.objectives=[latency]", r"tuning: objectives must begin with 'score', and name each once$"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path, override, sentence):
    with pytest.raises(UserError, match=sentence):
        load_experiment(write(tmp_path / "a.yaml", MINIMAL), [override])


def test_gradients_are_taken_off_where_volumes_are_marked(tmp_path):
    path = write(tmp_path / "a.yaml", MINIMAL)
    named = "recordings={kind: files, files: [{path: a.fif, subject: '1'}]}"
    with pytest.raises(UserError, match="which recordings.kind 'files' does not read"):
        load_experiment(path, [named, "preprocessing.gradients={}"])
    assert load_experiment(path, ["recordings.kind=cn_epfl", "preprocessing.gradients={}"]).preprocessing.gradients


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: [", "not valid YAML"),
        (b"- 1", "a mapping of settings"),
        (b"\x00\x00\x00$\xff\xd8", "holds no text"),
        (b"extends: 5", r"extends is the path of one YAML file \(got 5\)"),
        (b"extends: [b.yaml]", r"extends is the path of one YAML file \(got \['b.yaml'\]\)"),
        (b"extends: a.yaml", "extends a.yaml, which in the end extends this file"),
        (b"extends: missing.yaml", "missing.yaml: cannot read the experiment"),
    ],
)
def test_a_file_that_is_no_experiment_is_refused(tmp_path, content, sentence):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{tmp_path}/.*{sentence}"):
        load_experiment(path)


def test_files_that_extend_each_other_in_a_ring_are_refused(tmp_path):
    first = write(tmp_path / "a.yaml", MINIMAL | {"extends": "b.yaml"})
    write(tmp_path / "b.yaml", {"extends": "c.yaml"})
    last = write(tmp_path / "c.yaml", {"extends": "b.yaml"})
    with pytest.raises(UserError, match=f"^{last}: extends b.yaml, which in the end extends this file; let one of them extend nothing$"):
        load_experiment(first)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="nothing.yaml: cannot read the experiment"):
        load_experiment(tmp_path / "nothing.yaml")


def test_extends_refines_and_a_changed_kind_replaces_its_section(tmp_path):
    write(tmp_path / "base.yaml", MINIMAL | {"training": {"epochs": 7, "batch_size": 3}, "model": {"kind": "synaptech_net", "widths": [4]}})
    child = write(tmp_path / "child.yaml", {"extends": "base.yaml", "training": {"epochs": 2}, "model": {"kind": "aim", "width": 16}})
    experiment = load_experiment(child)
    assert (experiment.training.epochs, experiment.training.batch_size) == (2, 3)
    assert experiment.model.kind == "aim"


def test_equal_settings_have_equal_fingerprints_whatever_their_order(tmp_path):
    first = load_experiment(write(tmp_path / "a.yaml", MINIMAL))
    second = load_experiment(write(tmp_path / "b.yaml", dict(reversed(MINIMAL.items()))))
    assert fingerprint(first) == fingerprint(second)
    assert fingerprint(first) != fingerprint(load_experiment(tmp_path / "a.yaml", ["seed=1"]))


def test_environment_variables_are_filled_in_and_missed(tmp_path, monkeypatch):
    path = tmp_path / "a.yaml"
    path.write_text("name: tiny\nrecordings: {kind: bids, root: '${DATA_FOR_TEST}/cohort'}\n")
    monkeypatch.setenv("DATA_FOR_TEST", "/somewhere")
    assert load_experiment(path).recordings.root == "/somewhere/cohort"
    monkeypatch.delenv("DATA_FOR_TEST")
    with pytest.raises(UserError, match="environment variable DATA_FOR_TEST, which is not set"):
        load_experiment(path)
