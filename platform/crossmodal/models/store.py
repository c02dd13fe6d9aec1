"""A trained network in a folder: weights as safetensors, and what it is as JSON."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from crossmodal.config import Config, UserError
from crossmodal.config.data import Data
from crossmodal.config.models import ModelSettings
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model
from crossmodal.models.predictor import Predictor
from crossmodal.models.registry import ModelSpec, network_spec
from crossmodal.transforms.scaling import Normaliser

WEIGHTS, CARD = "weights.safetensors", "model.json"


class ModelCard(Config):
    """What must be known to use a trained network.

    Attributes
    ----------
    recorded_names : tuple of str
        All channels of the input modality in the training data, those that are no input included: preprocessing takes them together
        where it refers EEG to their mean, or filters MEG by what a field can be.
    normaliser : dict
        The fold's scaling, as `Normaliser.to_plain` gives it.
    trained_on : tuple of str
        Subjects whose recordings taught the network or chose its epoch.
    weights_sha256 : str
        Of the file of weights; empty in models of earlier versions.
    """

    run: str
    fold: str
    network: ModelSettings
    signals: SignalPair
    data: Data
    preprocessing: Preprocessing
    recorded_names: tuple[str, ...]
    normaliser: dict[str, Any]
    trained_on: tuple[str, ...]
    weights_sha256: str = ""


def save_model(folder: Path, network: Model, card: ModelCard) -> None:
    """Write weights and card of a network for inference into a folder that exists."""
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}, folder / WEIGHTS)
    card = card.model_copy(update={"weights_sha256": _sha256(folder / WEIGHTS)})
    (folder / CARD).write_text(card.model_dump_json(indent=1))


def load_model(folder: Path) -> tuple[Model, ModelCard]:
    """Read a trained network, on the CPU and in evaluation mode.

    Raises
    ------
    UserError
        A file is missing or broken, the model's class cannot be imported, or the weights are not those that the card was written with.
    """
    try:
        card = ModelCard.model_validate_json((folder / CARD).read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / CARD}: cannot be read as a trained model ({str(error).splitlines()[0]}); train it again") from None
    try:
        spec = network_spec(card.network, "network")
    except UserError as error:
        raise UserError(f"{folder / CARD}: {error}") from error
    network = load_weights(folder / WEIGHTS, spec, card.signals)
    if card.weights_sha256 and card.weights_sha256 != _sha256(folder / WEIGHTS):
        raise UserError(
            f"{folder / WEIGHTS}: holds other weights than those that {CARD} of fold {card.fold} of {card.run} was written with; train the"
            " model again"
        )
    return network, card


@dataclass(frozen=True)
class TrainedModel:
    """What training published of a fold: a predictor and what must be known to use it."""

    predictor: Predictor
    card: ModelCard

    @classmethod
    def load(cls, folder: Path) -> "TrainedModel":
        """Read what lies in a folder; raises as `load_model` does."""
        network, card = load_model(folder)
        return cls(Predictor(network, Normaliser.from_plain(card.normaliser)), card)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_weights(path: Path, spec: ModelSpec, signals: SignalPair) -> Model:
    """Build a network and fill it with stored weights.

    Raises
    ------
    UserError
        The weights are missing, broken, or those of another architecture; the sentence names the file and the first difference.
    """
    network = spec.build(signals).for_inference()
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: cannot be read as weights ({error}); train the model again") from None
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in stored.items()}
    differing = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if differing:
        name = differing[0]
        described = json.dumps(spec.settings.model_dump())
        raise UserError(
            f"{path}: holds weights of another architecture ({name} is {found.get(name, 'absent')}, not {expected.get(name, 'absent')}, in"
            f" {len(differing)} of {len(expected)} tensors); give the model it was trained as, not {described}"
        )
    network.load_state_dict(stored)
    return network
