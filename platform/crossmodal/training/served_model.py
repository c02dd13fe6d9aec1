"""The script MLflow runs to load a model that was logged: volts (or tesla) in, tesla (or volts) out, as its signature says."""

from pathlib import Path
from typing import Any

import mlflow.models
import numpy as np
import torch
from mlflow.pyfunc.model import PythonModel
from numpy.typing import NDArray

from crossmodal.datasets.normaliser import Normaliser
from crossmodal.models.store import load_model


class ServedModel(PythonModel):
    """A trained network with the scaling it was trained with."""

    def load_context(self, context: Any) -> None:
        """Read the model's folder."""
        self.network, card = load_model(Path(context.artifacts["model"]))
        self.normaliser = Normaliser.from_plain(card.normaliser)

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> NDArray[np.float32]:
        """Map windows of shape (windows, n_source, n_times) to (windows, n_target, n_times), both in SI units."""
        with torch.inference_mode():
            x_bct = self.normaliser.source(torch.from_numpy(model_input))
            y_bst: NDArray[np.float32] = self.normaliser.target.inverse(self.network(x_bct)).numpy()
        return y_bst


mlflow.models.set_model(ServedModel())
