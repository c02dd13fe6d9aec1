"""A model between SI units."""

from dataclasses import dataclass

import mne
import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model
from crossmodal.models.continuous import predict_continuous
from crossmodal.transforms.scaling import Normaliser


@dataclass(frozen=True)
class Predictor:
    """A model with the scaling that it was trained with: what evaluation, `predict` and MLflow run."""

    model: Model
    normaliser: Normaliser

    def __call__(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Map windows of shape (windows, n_input, n_times) to (windows, n_target, n_times), both in SI units."""
        return self.normaliser.target.inverse(self.model(self.normaliser.input(x_bct)))

    def for_subject(self, info: mne.Info, signals: SignalPair, average_reference: bool) -> "Predictor":
        """Give the predictor to use for one subject, in evaluation mode; parameters as in `Geometry`.

        Raises
        ------
        UserError
            The model needs what the subject's recording does not tell, as where the head was.
        """
        geometry = Geometry(info, signals, self.normaliser, average_reference)
        return Predictor(self.model.for_subject(geometry).eval(), self.normaliser)

    @torch.inference_mode()
    def predict(self, x_bct: NDArray[np.float32]) -> NDArray[np.float32]:
        """Do the same for arrays; MLflow asks for a method of this name."""
        predicted: NDArray[np.float32] = self(torch.from_numpy(x_bct)).numpy()
        return predicted

    def predict_recording(self, x_ct: NDArray[np.float64], signals: SignalPair) -> NDArray[np.float64]:
        """Map a preprocessed recording of any length, shape (n_input, n_samples), to (n_target, n_samples), both in SI units."""
        input_ct = self.normaliser.input(torch.as_tensor(x_ct, dtype=torch.float32)[None])[0]
        predicted_st = predict_continuous(self.model, input_ct, signals.input.n_times, signals.target.n_channels)
        return self.normaliser.target.inverse(predicted_st[None].double())[0].numpy()
