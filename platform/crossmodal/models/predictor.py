"""A model between SI units."""

from dataclasses import dataclass

import mne
import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.models.base import Geometry, Model, Shapes
from crossmodal.models.continuous import predict_continuous
from crossmodal.transforms.scaling import Normaliser


@dataclass(frozen=True)
class Predictor:
    """A model with the scaling that it was trained with: what evaluation, `predict` and MLflow run."""

    model: Model
    normaliser: Normaliser

    def __call__(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Map windows of shape (windows, n_source, n_times) to (windows, n_target, n_times), both in SI units."""
        return self.normaliser.target.inverse(self.model(self.normaliser.source(x_bct)))

    def for_subject(
        self, info: mne.Info, source_names: tuple[str, ...], target_names: tuple[str, ...], average_reference: bool
    ) -> "Predictor":
        """Give the predictor to use for one subject, in evaluation mode; parameters as in `Geometry`.

        Raises
        ------
        UserError
            The model needs what the subject's recording does not tell, as where the head was.
        """
        geometry = Geometry(info, source_names, target_names, self.normaliser, average_reference)
        return Predictor(self.model.for_subject(geometry).eval(), self.normaliser)

    @torch.inference_mode()
    def predict(self, x_bct: NDArray[np.float32]) -> NDArray[np.float32]:
        """Do the same for arrays; MLflow asks for a method of this name."""
        predicted: NDArray[np.float32] = self(torch.from_numpy(x_bct)).numpy()
        return predicted

    def predict_recording(self, x_ct: NDArray[np.float64], shapes: Shapes) -> NDArray[np.float64]:
        """Map a preprocessed recording of any length, shape (n_source, n_samples), to (n_target, n_samples), both in SI units."""
        source_ct = self.normaliser.source(torch.as_tensor(x_ct, dtype=torch.float32)[None])[0]
        predicted_st = predict_continuous(self.model, source_ct, shapes.n_times, shapes.n_target)
        return self.normaliser.target.inverse(predicted_st[None].double())[0].numpy()
