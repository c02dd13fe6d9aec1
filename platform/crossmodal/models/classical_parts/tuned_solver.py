"""A solver that knows a subject's electrodes and the template's cortex, and has a setting to choose."""

from abc import abstractmethod
from collections.abc import Sequence

import torch

from crossmodal.config import UserError
from crossmodal.config.signal_spec import Cortex, SignalPair
from crossmodal.models.base import Geometry, Model
from crossmodal.models.zero import Zero, ZeroConfig


class TunedSolver(Zero):
    """A `Tuned` baseline: validation subjects choose one of its settings, and the gain that makes its amplitude fit best.

    It is a model for one subject at a time; take `for_subject` before predicting. Without a subject's geometry it predicts zero.

    Parameters
    ----------
    settings : sequence of float
        What validation subjects choose from; until they do it is the one in the middle.
    signals : SignalPair
    """

    def __init__(self, settings: Sequence[float], signals: SignalPair) -> None:
        super().__init__(ZeroConfig(), signals)
        self.settings = tuple(sorted(settings))
        self.chosen, self.gain = self.settings[len(self.settings) // 2], 1.0

    @abstractmethod
    def solvers(self, geometry: Geometry, settings: Sequence[float]) -> list[Model]:
        """Give the models of one subject, in normalised units, by their settings; its target is cortical."""

    def for_each_setting(self, geometry: Geometry) -> dict[float, Model]:
        """Give the models of one subject by their settings.

        Raises
        ------
        UserError
            The target is not cortical, or an electrode has no position.
        """
        if not isinstance(geometry.signals.target.space, Cortex):
            raise UserError(f"evaluation.baselines: a {type(self).__name__} estimates cortical regions and nothing else; leave it out")
        return dict(zip(self.settings, self.solvers(geometry, self.settings), strict=True))

    def choose(self, setting: float, gain: float) -> None:
        """Take a setting from now on, and multiply its predictions by a gain."""
        self.chosen, self.gain = setting, gain

    def for_subject(self, geometry: Geometry) -> Model:
        """Give the model of one subject with the chosen setting; raises as `for_each_setting`."""
        return _Amplified(self.for_each_setting(geometry)[self.chosen], self.gain)


class _Amplified(Model):
    """A model times a number."""

    def __init__(self, model: Model, gain: float) -> None:
        super().__init__()
        self.model, self.gain = model, gain

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        y_bst: torch.Tensor = self.gain * self.model(x_bct)
        return y_bst
