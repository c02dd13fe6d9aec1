"""Models are found by kind, checked like any other setting, and named by all their settings."""

import sys
from pathlib import Path

import pytest
import yaml

from crossmodal.config import Experiment, UserError, fingerprint, load_experiment, overridden
from crossmodal.datasets.manifest import Manifest
from crossmodal.models.checking import checked
from crossmodal.models.registry import network_spec, package_of
from crossmodal.models.synaptech_net import SynaptechNetConfig
from crossmodal.training.runs import run_name
from tests.crossmodal.models.pairs import sensor_pair

EXPERIMENTS = Path(__file__).resolve().parents[3] / "jobs" / "experiments"
MINIMAL = {"name": "tiny", "recordings": {"kind": "bids", "root": "cohort"}}
NETS = """
from __future__ import annotations

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Baseline, Model, ModelConfig


class MyNetConfig(ModelConfig):
    width: int = 3


class MyNet(Model):
    def __init__(self, config: MyNetConfig, signals: SignalPair) -> None:
        super().__init__()
        self.width = config.width

    def forward(self, x_bct):
        return x_bct


class Undecided(Model):
    def __init__(self, config: Unknown, signals: SignalPair) -> None:
        super().__init__()

    def forward(self, x_bct):
        return x_bct


class Unfinished(Model):
    def __init__(self, config: MyNetConfig, signals: SignalPair) -> None:
        super().__init__()


class MyMean(Baseline):
    def __init__(self, config: MyNetConfig, signals: SignalPair) -> None:
        super().__init__()

    def new_statistics(self):
        raise NotImplementedError

    def solve(self, training, validation):
        raise NotImplementedError

    def forward(self, x_bct):
        return x_bct
"""


@pytest.fixture
def my_lab(tmp_path, monkeypatch):
    """A package of somebody else's, on the path of this process."""
    folder = tmp_path / "my_lab"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "nets.py").write_text(NETS)
    (folder / "broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in ("my_lab", "my_lab.nets", "my_lab.broken"):
        sys.modules.pop(name, None)


def load(tmp_path, settings, *overrides):
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(MINIMAL | settings))
    return load_experiment(path, overrides, checked)


def test_defaults_are_filled_in(tmp_path):
    experiment = load(tmp_path, {"model": {"widths": [4, 8]}}, "model.representation.kind=stft")
    expected = SynaptechNetConfig(widths=(4, 8), representation={"kind": "stft"})
    assert network_spec(experiment.model).config == expected
    assert experiment.model.model_dump() == {"kind": "synaptech_net", **expected.model_dump(mode="json")}
    assert experiment.evaluation.baselines[2].penalties[0] == 1e-6
    assert checked(experiment) == experiment


def test_a_model_of_somebody_else_is_found_by_its_path(my_lab, tmp_path):
    experiment = load(tmp_path, {"model": {"kind": "my_lab.nets.MyNet"}}, "model.width=5")
    spec = network_spec(experiment.model)
    assert experiment.model.model_dump() == {"kind": "my_lab.nets.MyNet", "width": 5}
    assert spec.config.title == "MyNet"
    assert spec.build(sensor_pair(1, 1, 10, 100.0)).width == 5
    assert (package_of(spec.kind), package_of("aim")) == (my_lab, None)
    baselines = {"evaluation": {"baselines": [{"kind": "my_lab.nets.MyMean"}]}}
    assert load(tmp_path, baselines).evaluation.baselines[0].width == 3


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.widht=8", r"a\.yaml: unknown key 'model\.widht'; the nearest valid name is 'widths'$"),
        ("model.input_skip.tabs=8", r"unknown key 'model\.input_skip\.tabs'; the nearest valid name is 'taps'$"),
        ("model={representation: {kind: stft, window: 1}}", r"unknown key 'model\.representation\.window'; .* is 'window_s'$"),
        ("model.dropout=2", r"model\.dropout: input should be less than 1 \(got 2\)$"),
        (
            "model.kind=unet",
            r"a\.yaml: model\.kind: there is no 'unet'; known are aim, band_power, .*synaptech_net, .*or give the dotted",
        ),
        ("model.kind=ridge", r"model\.kind: there is no 'ridge'; known are aim, band_power, .*synaptech_net, .*or"),
        (
            "evaluation.baselines=[{kind: aim}]",
            r"evaluation\.baselines\.0\.kind: there is no 'aim'; known are calibrated_band_power_ridge, champagne, ",
        ),
        ("evaluation.baselines=[{kind: ridge, lags: 3}]", r"unknown key 'evaluation\.baselines\.0\.lags'; .* is 'lag_s'$"),
        ("evaluation.baselines=[{kind: ridge}, {kind: ridge, penalties: [1]}]", r"evaluation\.baselines: two rows would be called 'ridge'"),
        ("evaluation.physiology={kind: training_mean}", r"evaluation\.physiology\.kind: 'training_mean' does not map EOG and ECG"),
        (
            "data={target: {modality: bold}, windows: {kind: volumes}}",
            r"model\.kind: 'synaptech_net' predicts signals, and windows of kind volumes have volumes to predict; choose band_power, .*",
        ),
        ("model={kind: band_power}", r"model\.kind: 'band_power' predicts volumes, .* sliding have signals to predict; choose aim, "),
        (
            "evaluation.baselines=[{kind: training_mean}, {kind: vigilance}]",
            r"evaluation\.baselines\.1\.kind: 'vigilance' predicts volumes, .* choose champagne, inverse_operator, lcmv, ",
        ),
        (
            "evaluation.teacher_forcing=true",
            r"evaluation\.teacher_forcing: a prediction that was told the truth is void; ask for it by that",
        ),
        ("evaluation.teacher_forcing=void", r"evaluation\.teacher_forcing: 'synaptech_net' is told nothing of its target in training"),
        ("model={kind: nowhere.Net}", r"model\.kind: 'nowhere\.Net' cannot be imported \(ModuleNotFoundError: No module named 'nowhere' "),
        ("model={kind: my_lab.broken.Net}", r"'my_lab\.broken\.Net' cannot be imported \(ZeroDivisionError: division by zero "),
        ("model={kind: my_lab.nets.YourNet}", r"module 'my_lab\.nets' has no 'YourNet'; models in it: MyNet, Undecided, MyMean"),
        (
            "model={kind: my_lab.nets.MyNetConfig}",
            r"MyNetConfig' is no model; derive it from crossmodal\.models\.base\.Model",
        ),
        ("model={kind: my_lab.nets.Unfinished}", r"'my_lab\.nets\.Unfinished' is no model; .* and define forward$"),
        ("model={kind: my_lab.nets.Undecided}", r"'my_lab\.nets\.Undecided' does not say what its settings are; its constructor takes"),
        ("model={kind: my_lab.nets.MyMean}", r"model\.kind: there is no 'my_lab\.nets\.MyMean'; known are aim"),
        ("model={kind: my_lab.nets.MyNet, widht: 3}", r"unknown key 'model\.widht'; the nearest valid name is 'width'$"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(my_lab, tmp_path, override, sentence):
    with pytest.raises(UserError, match=sentence):
        load(tmp_path, {}, override)


# A name that changes orphans what was trained under it: these change with the settings alone.
@pytest.mark.parametrize(
    ("name", "overrides", "expected"),
    [
        ("demo", [], "demo-6db91643b7689338"),
        ("benchmark", [], "benchmark-8246cb92c5181a0b"),
        ("search", ["model.representation={kind: stft}"], "search-1d036a9706356a2b"),
        ("demo", ["model={kind: aim, width: 16, dropout: 0}"], "demo-70413430845f608f"),
        ("demo", ["model={}"], "demo-e4a5cbd5c6a2a08b"),
    ],
)
def test_runs_keep_their_names(name, overrides, expected):
    manifest = Manifest(preprocessing="steps", entries=())
    experiment = load_experiment(EXPERIMENTS / f"{name}.yaml", overrides)
    assert run_name(experiment, manifest) == run_name(checked(experiment), manifest) == expected


def test_settings_that_spell_a_default_out_make_the_same_run():
    manifest = Manifest(preprocessing="steps", entries=())
    one, two = (checked(Experiment.model_validate(MINIMAL | {"model": {"kind": "aim", **more}})) for more in ({}, {"width": 256.0}))
    assert run_name(one, manifest) == run_name(two, manifest)
    assert fingerprint(one) == fingerprint(two)
    assert run_name(overridden(one, {"model.width": 128}), manifest) != run_name(one, manifest)
