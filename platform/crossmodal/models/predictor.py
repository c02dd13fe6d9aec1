"""A model between SI units."""

from collections.abc import Mapping
from dataclasses import dataclass

import mne
import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model, Uncertain
from crossmodal.models.continuous import predict_continuous
from crossmodal.models.intervals import Bounds
from crossmodal.physics.places import Places, places_of
from crossmodal.transforms.scaling import Normaliser


@dataclass(frozen=True)
class Predictor:
    """A model with the scaling that it was trained with: what evaluation, `predict` and MLflow run."""

    model: Model
    normaliser: Normaliser
    places: Places | None = None

    def __call__(self, x_bct: torch.Tensor, places: Places | None = None) -> torch.Tensor:
        """Map windows of shape (windows, n_input, n_times) to (windows, n_target, n_times), both in SI units.

        Parameters
        ----------
        places : Places, optional
            A row a window; by default those of the subject that the predictor is for.
        """
        return self.normaliser.target.inverse(self.model.run(self.normaliser.input(x_bct), places or self._own_places(x_bct)))

    def bounds(self, x_bct: torch.Tensor) -> tuple[Bounds, Bounds]:
        """Give the intervals around predictions of windows of the predictor's subject, in SI units.

        Returns
        -------
        tuple of Bounds
            Those of the model, which is an `Uncertain` one, and those of constant width that they are compared with. Both are to hold
            `intervals.LEVEL` of new values.
        """
        assert isinstance(self.model, Uncertain), f"{type(self.model).__name__} gives no intervals"
        said = self.model.run_with_deviation(self.normaliser.input(x_bct), self._own_places(x_bct))
        inverse = self.normaliser.target.inverse
        own, constant = (Bounds(inverse(each.lower_bst), inverse(each.upper_bst)) for each in self.model.intervals(*said))
        return own, constant

    def for_subject(self, info: mne.Info, signals: SignalPair, average_reference: bool, target_info: mne.Info | None = None) -> "Predictor":
        """Give the predictor to use for one subject, in evaluation mode; parameters as in `Geometry` and `places_of`.

        Raises
        ------
        UserError
            The model needs what the subject's recording does not tell, as where the head was.
        """
        geometry = Geometry(info, signals, self.normaliser, average_reference)
        model = self.model.for_subject(geometry).eval()
        return Predictor(model, self.normaliser, places_of(info, signals, target_info) if model.uses_places else None)

    @torch.inference_mode()
    def predict(self, windows: NDArray[np.float32] | Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Do the same for arrays; MLflow asks for a method of this name.

        Parameters
        ----------
        windows : array, or mapping of str to array
            Of a model that uses places, 'input' and the tensors of `Places` by name.
        """
        named = {"input": windows} if isinstance(windows, np.ndarray) else windows
        tensors = {name: torch.from_numpy(array) for name, array in named.items()}
        x_bct = tensors.pop("input")
        predicted: NDArray[np.float32] = self(x_bct, Places(**tensors) if tensors else None).numpy()
        return predicted

    def predict_recording(self, x_ct: NDArray[np.float64], signals: SignalPair) -> NDArray[np.float64]:
        """Map a preprocessed recording of any length, shape (n_input, n_samples), to (n_target, n_samples), both in SI units."""
        input_ct = self.normaliser.input(torch.as_tensor(x_ct, dtype=torch.float32)[None])[0]
        predicted_st = predict_continuous(self._run, input_ct, signals.input.n_times, signals.target.n_channels)
        return self.normaliser.target.inverse(predicted_st[None].double())[0].numpy()

    def _run(self, x_bct: torch.Tensor) -> torch.Tensor:
        """From normalised windows to normalised windows."""
        return self.model.run(x_bct, self._own_places(x_bct))

    def _own_places(self, x_bct: torch.Tensor) -> Places | None:
        """Those of the predictor's subject, a row a window."""
        return self.places.repeated(len(x_bct)) if self.places else None
