"""What predictors are called in scores, tables and figures."""

from crossmodal.models.ridge import LAGGED_RIDGE
from crossmodal.models.training_mean import TrainingMeanConfig

TRAINING_MEAN = TrainingMeanConfig().title
LINEAR_REFERENCE = "linear reference"
ORACLE = "oracle"
EYES_AND_HEART = "EOG and ECG alone"
OWN_FIR = "own FIR"
NOISE_BOUND = "noise-only bound"


def is_lagged_ridge(predictor: str) -> bool:
    """Whether a predictor is the linear model that networks are compared with."""
    return predictor.startswith(LAGGED_RIDGE)
