"""A model is scored by the fold that it was trained in, and by no other: one that has seen a test subject would know too much."""

import torch

from crossmodal.config import UserError
from crossmodal.datasets.fold_data import FoldData
from crossmodal.models.store import ModelCard
from crossmodal.transforms.scaling import ChannelScaling, Normaliser

# Relative. Another machine may round otherwise; inverting a covariance makes more of that.
_ROUNDING = {"offset_c": 1e-4, "scale_c": 1e-4, "mixing_cc": 1e-2, "unmixing_cc": 1e-2}


def check_own_fold(card: ModelCard, run: str, data: FoldData, uri: str) -> None:
    """Compare what a model says of itself with the fold that is to score it.

    Parameters
    ----------
    run : str
        That the model is to belong to.
    data : FoldData
        The fold, opened.
    uri : str
        Of the model, for messages.

    Raises
    ------
    UserError
        It is of another run or fold, was trained on other subjects or channels, or is scaled by other recordings.
    """
    fold = data.fold
    way_out = "put the right one there, or delete it and run jobs/train.py again"
    if (card.run, card.fold) != (run, fold.name):
        raise UserError(f"{uri}: holds the model of fold {card.fold} of {card.run}, not that of fold {fold.name} of {run}; {way_out}")
    seen, own = (sorted(subjects) for subjects in (set(card.trained_on), {part.subject for part in (*fold.train, *fold.validation)}))
    if seen != own:
        raise UserError(
            f"{uri}: the model was trained on subjects {', '.join(seen)}, and fold {fold.name} trains on {', '.join(own)}; {way_out}"
        )
    if card.signals != data.signals:
        raise UserError(f"{uri}: the model was trained on other channels or windows than fold {fold.name} of {run} has; {way_out}")
    if not _same(Normaliser.from_plain(card.normaliser), data.normaliser):
        raise UserError(f"{uri}: the model's scaling is not that of the training recordings of fold {fold.name} of {run}; {way_out}")


def _same(one: Normaliser, two: Normaliser) -> bool:
    return _same_scaling(one.input, two.input) and _same_scaling(one.target, two.target)


def _same_scaling(one: ChannelScaling, two: ChannelScaling) -> bool:
    if (one.log1p is None) != (two.log1p is None):
        return False
    return all(_close(getattr(one, name), getattr(two, name), tolerance) for name, tolerance in _ROUNDING.items())


def _close(one: torch.Tensor | None, two: torch.Tensor | None, tolerance: float) -> bool:
    if one is None or two is None:
        return one is two
    return one.shape == two.shape and bool(torch.linalg.norm(one - two) <= tolerance * torch.linalg.norm(two))
