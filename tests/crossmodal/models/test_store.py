"""A published model comes back with its weights, or is refused by a sentence."""

import json

import pytest
import torch

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.models.registry import network_spec
from crossmodal.models.store import CARD, WEIGHTS, ModelCard, load_model, load_weights, save_model
from tests.crossmodal.models.pairs import sensor_pair

SIGNALS = sensor_pair(5, 3, 32, 100.0)
# A card's `network` as published models have had it since before models read their own settings.
PUBLISHED = """{"kind":"synaptech_net","representation":{"kind":"waveform"},"target":{"kind":"waveform"},"widths":[4,8],"kernel":3,
"negative_slope":0.2,"norm":"none","dropout":0.2,"bridge_hidden":6,"bridge_layers":1,"bridge_dropout":0.2,
"input_skip":{"filters":3,"taps":5}}"""


def spec(**settings):
    return network_spec(ModelSettings(kind="synaptech_net", **settings))


@pytest.fixture
def published(tmp_path):
    """A folder with a network, and the network."""
    torch.manual_seed(0)
    settings = ModelSettings.model_validate_json(PUBLISHED)
    network = network_spec(settings).build(SIGNALS).eval()
    card = ModelCard(
        run="run",
        fold="sub-01",
        network=settings,
        signals=SIGNALS,
        data={},
        preprocessing={},
        recorded_names=(),
        normaliser={},
        trained_on=("02",),
    )
    save_model(tmp_path, network, card)
    return tmp_path, network


def test_a_published_model_comes_back(published):
    folder, network = published
    assert json.loads((folder / CARD).read_text())["network"] == json.loads(PUBLISHED)
    x_bct = torch.randn(2, 5, 32)
    again, card = load_model(folder)
    with torch.no_grad():
        assert torch.equal(again(x_bct), network(x_bct))
    assert network_spec(card.network).settings == card.network


def test_a_model_whose_package_is_not_there_is_named(published):
    folder, _ = published
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | {"network": {"kind": "lab_elsewhere.nets.MyNet"}}))
    with pytest.raises(UserError, match=rf"^{folder}/model.json: network\.kind: 'lab_elsewhere\.nets\.MyNet' cannot be imported"):
        load_model(folder)


def test_weights_of_another_architecture_are_refused(published):
    folder, _ = published
    with pytest.raises(UserError, match="weights.safetensors: holds weights of another architecture"):
        load_weights(folder / WEIGHTS, spec(widths=(4,), bridge_layers=0), SIGNALS)
    (folder / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be read as weights"):
        load_weights(folder / WEIGHTS, spec(), SIGNALS)
