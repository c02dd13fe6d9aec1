"""How MLflow loads a model that was logged: volts (or tesla) in, tesla (or volts) out, as its signature says."""

from pathlib import Path

from crossmodal.models.predictor import Predictor
from crossmodal.models.store import TrainedModel


def _load_pyfunc(path: str) -> Predictor:
    """Load a model's folder; MLflow asks for a function of this name."""
    return TrainedModel.load(Path(path)).predictor
