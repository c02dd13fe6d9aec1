"""How MLflow loads a model that was logged: volts (or tesla) in, tesla (or volts) out, as its signature says."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.datasets.normaliser import Normaliser
from crossmodal.models.base import Model
from crossmodal.models.store import load_model


class ServedModel:
    """A trained network with the scaling it was trained with."""

    def __init__(self, network: Model, normaliser: Normaliser) -> None:
        self._network = network
        self._normaliser = normaliser

    @torch.inference_mode()
    def predict(self, x_bct: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map windows of shape (windows, n_source, n_times) to (windows, n_target, n_times), both in SI units."""
        y_bst = self._network(self._normaliser.source(torch.from_numpy(x_bct)))
        predicted: NDArray[np.float32] = self._normaliser.target.inverse(y_bst).numpy()
        return predicted


def _load_pyfunc(path: str) -> ServedModel:
    """Load a model's folder; MLflow asks for a function of this name."""
    network, card = load_model(Path(path))
    return ServedModel(network, Normaliser.from_plain(card.normaliser))
