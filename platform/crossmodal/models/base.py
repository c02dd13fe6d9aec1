"""What networks and baselines have in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self, cast, runtime_checkable

import mne
import torch
from torch import nn

from crossmodal.config import Config
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.intervals import Intervals
from crossmodal.models.shrinkage import Shrinkage
from crossmodal.physics.own_lead_field import OwnLeadField
from crossmodal.physics.places import Places
from crossmodal.transforms.scaling import Normaliser

# Signals on the input's clock, or one value a target after each window.
Predicts = Literal["signals", "volumes"]


class ModelConfig(Config):
    """Settings of a model or baseline; the constructor of its class takes them.

    Attributes
    ----------
    predicts : tuple of str
        What the model can be trained to predict.
    """

    predicts: ClassVar[tuple[Predicts, ...]] = ("signals",)

    @property
    def title(self) -> str:
        """What tables and figures call a model with these settings."""
        return type(self).__name__.removesuffix("Config")

    @property
    def predicts_waveforms(self) -> bool:
        """Whether the output is the target's signal, which alone is scored."""
        return True


@dataclass(frozen=True)
class Geometry:
    """Where one subject's sensors are, for models that need it.

    Attributes
    ----------
    info : mne.Info
        Describes all channels of the subject's recording, with their positions and the device-to-head transform.
    signals : SignalPair
        What the model reads and predicts.
    normaliser : Normaliser
        Of the fold; physics works in SI units.
    average_reference : bool
        Whether EEG is referred to the mean of all its electrodes in `info`, those that are no channels of the model included.
    """

    info: mne.Info
    signals: SignalPair
    normaliser: Normaliser
    average_reference: bool


class Model(nn.Module, ABC):
    """Maps input windows to target windows, both in the fold's normalised units.

    A subclass is built from `(config, signals)`: `config` is annotated with its own subclass of `ModelConfig`, and `signals` is a
    `SignalPair`.

    Attributes
    ----------
    training_only : tuple of str
        Names of submodules that the loss alone needs, such as an encoder of the target. They are trained and kept in checkpoints, and
        left out of the published model.
    uses_places : bool
        Whether `forward` and `loss_terms` also take where the sensors and heads of the windows' subjects are: in training, validation,
        evaluation, prediction and serving alike.
    any_montage : bool
        Whether the input may be other electrodes than those of training, as long as their places are told.
    """

    training_only: ClassVar[tuple[str, ...]] = ()
    uses_places: ClassVar[bool] = False
    any_montage: ClassVar[bool] = False

    @abstractmethod
    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict from the input alone.

        Parameters
        ----------
        x_bct : Tensor, shape (batch, input channels, times of the input)

        Returns
        -------
        Tensor, shape (batch, target channels, times of the target)
            Networks with a band target give (batch, target channels, bands, times).
        """

    def run(self, x_bct: torch.Tensor, places: Places | None) -> torch.Tensor:
        """Predict, with places if the model uses them."""
        if not self.uses_places:
            return cast(torch.Tensor, self(x_bct))
        assert places, f"{type(self).__name__} is told where sensors are"
        return cast(torch.Tensor, self(x_bct, places))

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Scalars whose sum training minimises and validation watches, each logged by its name; here the mean squared error.

        Training and validation may have other terms, but each has the same ones in every batch.
        """
        return {"mse": nn.functional.mse_loss(self.run(x_bct, places), y_bst)}

    def terms_at(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None) -> dict[str, torch.Tensor]:
        """Terms of the loss, with places if the model uses them."""
        return self.loss_terms(x_bct, y_bst, *((places,) if self.uses_places else ()))

    def loss(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> torch.Tensor:
        """Loss of a batch, a scalar."""
        return torch.stack(list(self.terms_at(x_bct, y_bst, places).values())).sum()

    def for_inference(self) -> Self:
        """Drop what only the loss needs, in place, and evaluate from now on."""
        for name in self.training_only:
            delattr(self, name)
        return self.eval()

    def for_subject(self, geometry: Geometry) -> "Model":
        """Give the model to use for one subject; most do not depend on where its sensors are."""
        del geometry
        return self


@runtime_checkable
class TeacherForced(Protocol):
    """A model that is told parts of the truth in training, and never where it predicts."""

    def teacher_forced(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> torch.Tensor:
        """What it says when told the parts of the target before each; a score of it is void."""


@runtime_checkable
class Shrunk(Protocol):
    """A model whose predictions pass a shrinkage, which validation subjects choose once it is trained."""

    shrinkage: Shrinkage


@runtime_checkable
class Uncertain(Protocol):
    """A model that says with each prediction how far off it may be; validation subjects scale that to intervals once it is trained."""

    intervals: Intervals

    def run_with_deviation(self, x_bct: torch.Tensor, places: Places | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict, and give a positive deviation of each value's error; both have the target's shape and the model's units."""


@runtime_checkable
class ReadsLeadField(Protocol):
    """A model that may be given a subject's own lead field, in place of the template's as it is fitted to the electrodes."""

    def with_lead_field(self, own: OwnLeadField) -> "Model":
        """Give the model to use for that subject, whose input are the electrodes of the lead field, in its order.

        Raises
        ------
        UserError
            The lead field has too few vertices.
        """


@runtime_checkable
class Tuned(Protocol):
    """A baseline of physics that has a setting, which validation subjects choose, and an amplitude, which they scale."""

    settings: tuple[float, ...]

    def for_each_setting(self, geometry: Geometry) -> dict[float, Model]:
        """Give the models of one subject by their settings, all with an amplitude of their own."""

    def choose(self, setting: float, gain: float) -> None:
        """Take a setting from now on, and multiply its predictions by a gain."""


class Statistics(Protocol):
    """What a baseline needs to know of its data; additive, so each subject is read once and folds sum."""

    def accumulate(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> None:
        """Take in a batch of windows; its targets may be kept, so their memory is not written again."""

    def __add__(self, other: Self, /) -> Self:
        """Statistics of both sets of windows together."""


class Baseline(Model):
    """A model solved in closed form from additive statistics of the training windows."""

    @abstractmethod
    def new_statistics(self) -> Statistics:
        """Statistics of no window yet."""

    @abstractmethod
    def solve(self, training: Statistics, validation: Statistics) -> None:
        """Fit to training statistics, choosing settings on validation statistics; both from `new_statistics`."""


@runtime_checkable
class Calibrated(Protocol):
    """A baseline that knows the test subject's own input, though not its target, before it predicts; its row says so."""

    def of_subject(self, statistics: Statistics) -> Statistics:
        """Make of the statistics of one subject what is added to those of others."""

    def calibrated(self, own: Statistics) -> Model:
        """Give the baseline for one subject; of its statistics, as `of_subject` makes them, those of targets are left alone."""
