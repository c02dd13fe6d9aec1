"""D1, D2: spaces are found by name, begin with the paper's configuration, and make only experiments that can be run."""

import pytest
from optuna.trial import FixedTrial

from crossmodal.config import Experiment, UserError, overridden
from crossmodal.models.checking import checked
from crossmodal.models.registry import config_class, network_spec, registered
from crossmodal.physics.cap import CAP
from crossmodal.tuning.space import Space
from search_spaces import common, eeg_fmri_models
from search_spaces.finding import find_space
from tests.crossmodal.models.pairs import cortex_pair, sensor_pair, volume_pair

OF_VOLUMES = {
    "data": {"target": {"modality": "bold"}, "windows": {"kind": "volumes"}},
    "evaluation": {"baselines": [{"kind": "training_mean"}]},
}
VOLUMES = (
    "band_power",
    "bricman_cnn",
    "bricman_fc",
    "bricman_mixed",
    "bricman_seq2seq",
    "bricman_transformer",
    "calhas",
    "multiscale_attention",
    "source_power",
    "spectrogram_unet",
)
SIGNALS = ("synaptech_net", "aim", "source_net", "lightbunny", "bunny", "deepsif", "pointwise_mlp", "unrolled_champagne")
DATA = {**{kind: {} for kind in SIGNALS}, **dict.fromkeys(VOLUMES, OF_VOLUMES)}
# Of the papers that state one, and of our own network; all else begins with what trains most networks.
LEARNING_RATES = {
    "calhas": 2.98e-3,
    "source_power": 3e-3,
    "lightbunny": 5e-4,
    "bunny": 5e-4,
    "deepsif": 3e-4,
    "unrolled_champagne": 3e-3,
    **{kind: 1e-4 for kind in VOLUMES if kind.startswith("bricman_")},
}


def experiment(**settings: object) -> Experiment:
    return Experiment.model_validate({"name": "tiny", "recordings": {"kind": "bids", "root": "cohort"}, **settings})


@pytest.mark.parametrize("kind", DATA)
def test_a_model_s_space_makes_models_that_can_be_built(kind):
    base = experiment(model={"kind": kind}, **DATA[kind])
    space = find_space(base)
    assert space.name == f"search_spaces.{kind}"
    space.rehearse(base)


@pytest.mark.parametrize("kind", DATA)
def test_the_first_trial_is_the_paper_s(kind):
    base = experiment(model={"kind": kind}, **DATA[kind])
    space = find_space(base)
    first = overridden(base, space.suggest(FixedTrial(dict(space.first[0])), base))
    assert network_spec(first.model) == network_spec(base.model)
    assert first.training.learning_rate == LEARNING_RATES.get(kind, 1e-3)


def test_a_narrow_draw_of_each_space_runs():
    draws = {
        "synaptech_net": {"width": 8, "depth": 2, "bridge_hidden": 16, "skip_taps": 21, "skip_filters": 2, "representation": "stft"},
        "aim": {"heads": 2, "head_width": 8, "encoder_layers": 1, "decoder_layers": 1},
        "band_power": {"width": 16, "bin_s": 1.0},
        "calhas": {"attention": "learned style", "latent": 64, "block_channels": 2},
        "source_power": {"components": 4, "bin_s": 1.0},
        "source_net": {"width": 32, "layers": 4, "taps": 15},
        "lightbunny": {"width": 64, "chunk": 50, "batch_size": 32},
        "bunny": {"width": 64, "segment": 10, "dropout": 0.0},
        "deepsif": {"width": 125, "layers": 1},
        "pointwise_mlp": {"width": 64, "depth": 4},
        "unrolled_champagne": {"centres": 100, "iterations": 4, "hidden": 8},
        "bricman_cnn": {"filters": 64, "features": 25, "width": 125, "depth": 2, "rank": 13, "volume_width": 2},
        "bricman_fc": {"channel_width": 13, "width": 125, "depth": 1, "rank": 13},
        "bricman_mixed": {"filters": 64, "taps": 25, "heads": 2, "head_width": 4, "layers": 1},
        "bricman_seq2seq": {"heads": 2, "head_width": 4, "encoder_layers": 1, "decoder_layers": 1, "regions_per_token": 4},
        "bricman_transformer": {"heads": 2, "head_width": 4, "encoder_layers": 1, "rank": 16},
        "multiscale_attention": {"heads": 2, "head_width": 4, "time_layers": 1, "electrode_layers": 1, "scales": "short"},
        "spectrogram_unet": {"width": 8, "depth": 2, "front_width": 8, "steps": 10},
    }
    for kind, drawn in draws.items():
        base = experiment(model={"kind": kind}, **DATA[kind])
        space = find_space(base)
        changed = overridden(base, space.suggest(FixedTrial({**space.first[0], **drawn}), base))
        spec = network_spec(changed.model)
        pair = (volume_pair if DATA[kind] else sensor_pair)(6, 5, 200, 100.0)
        spec.build(cortex_pair(32, 200, 100.0) if spec.model.uses_places else pair)


def test_the_search_over_all_networks_of_volumes_begins_with_one_trial_of_each():
    base = experiment(model={"kind": "band_power", "bands_hz": {"gamma": [30, 40]}}, tuning={"space": "eeg_fmri_models"}, **OF_VOLUMES)
    space = find_space(base)
    known = [kind for kind, model in registered(is_baseline=False).items() if "volumes" in config_class(model, kind, "model").predicts]
    assert sorted(parameters["model"] for parameters in space.first) == sorted(known)
    parameters = space.rehearse(base)
    assert {"model", "calhas.latent", "bricman_mixed.taps", "source_power.exponent"} <= parameters.keys()
    pair = volume_pair(len(CAP), 5, 3000, 100.0)
    pair = pair.model_copy(update={"input": pair.input.model_copy(update={"names": CAP})})
    for first in space.first:
        trial = checked(overridden(base, space.suggest(FixedTrial(dict(first)), base)))
        assert trial.model.kind == first["model"]
        network = network_spec(trial.model).build(pair)
        # Reduced, as for two cores.
        assert sum(weights.numel() for weights in network.parameters()) < 3e6
        if first["model"] in ("band_power", "source_power"):
            assert trial.model.bands_hz == {"gamma": [30, 40]}


def test_a_model_s_parameters_are_drawn_for_that_model_alone():
    first = next(parameters for parameters in eeg_fmri_models.FIRST if parameters["model"] == "bricman_fc")
    trial = FixedTrial(dict(first))
    settings = eeg_fmri_models.suggest(trial, experiment(**OF_VOLUMES))
    assert {name.split(".")[0] for name in trial.params} == {"model", "bricman_fc"}
    assert settings["data.windows.length_s"] == 30
    assert settings["model"] == {
        "kind": "bricman_fc",
        "channel_width": 13,
        "widths": [125, 125, 125],
        "channel_dropout": 0.5,
        "dropout": 0.5,
        "rank": 13,
    }


def test_epochs_keep_the_windows_that_events_ask_for():
    base = experiment(data={"windows": {"kind": "epochs"}})
    assert not [key for key in common.suggest(FixedTrial(common.FIRST), base) if key.startswith("data.")]


def test_a_model_without_a_module_of_its_own_is_searched_by_what_all_have():
    assert find_space(experiment(model={"kind": "my_lab.nets.MyNet", "width": 3})).name == "search_spaces.common"


@pytest.mark.parametrize("name", ["synaptech", "nowhere.at_all"])
def test_an_unknown_space_is_refused_with_those_that_are_known(name):
    with pytest.raises(UserError, match=rf"there is no space '{name}'; known are aim, band_power, .*common, .*synaptech_net"):
        find_space(experiment(tuning={"space": name}))


def test_a_module_that_is_no_space_is_refused():
    with pytest.raises(UserError, match=r"'json\.decoder' is no space"):
        find_space(experiment(tuning={"space": "json.decoder"}))


def test_a_setting_that_the_model_has_not_is_named():
    def suggest(trial, base):
        wide = trial.suggest_categorical("wide", [False, True])
        return {"model.widht": 8} if wide else {}

    with pytest.raises(UserError, match=r"search space mine: unknown key 'model.widht'; the nearest valid name is 'widths'"):
        Space("mine", suggest, ({"wide": False},)).rehearse(experiment())


def test_a_value_that_the_model_refuses_is_named():
    space = Space("mine", lambda trial, base: {"model.dropout": trial.suggest_float("dropout", 0.5, 2.0)}, ({"dropout": 0.5},))
    with pytest.raises(UserError, match=r"search space mine: model\.dropout"):
        space.rehearse(experiment())


def test_a_first_trial_that_lacks_a_parameter_is_refused():
    space = Space("mine", lambda trial, base: {"model.dropout": trial.suggest_float("dropout", 0.0, 0.5)}, ({},))
    with pytest.raises(UserError, match="FIRST lacks a parameter"):
        space.rehearse(experiment())
