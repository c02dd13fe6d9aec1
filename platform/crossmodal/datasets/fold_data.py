"""A fold's data as training, evaluation and prediction know them, wherever they come from."""

from dataclasses import dataclass

from crossmodal.config.signal_spec import SignalPair
from crossmodal.datasets.feed import Feed
from crossmodal.datasets.folds import Fold
from crossmodal.transforms.scaling import Normaliser


@dataclass(frozen=True)
class FoldData:
    """A fold opened on this node.

    Attributes
    ----------
    train, validation, test : Feed
    normaliser : Normaliser
        Fitted on the training role alone.
    signals : SignalPair
        What batches hold.
    recorded_names : tuple of str
        All channels of the input's modality in the training data, those that are no input included.
    """

    fold: Fold
    train: Feed
    validation: Feed
    test: Feed
    normaliser: Normaliser
    signals: SignalPair
    recorded_names: tuple[str, ...]
