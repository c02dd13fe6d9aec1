"""What predictors are called in scores, tables and figures."""

from crossmodal.config.models import AimConfig, MinimumNormConfig, RidgeConfig, SynaptechNetConfig, TrainingMeanConfig

TRAINING_MEAN = "training mean"
LINEAR_REFERENCE = "linear reference"
ORACLE = "oracle"
EYES_AND_HEART = "EOG and ECG alone"
OWN_FIR = "own FIR"
NOISE_BOUND = "noise-only bound"
_LAGGED_RIDGE = "lagged ridge"


def predictor_name(config: SynaptechNetConfig | AimConfig | TrainingMeanConfig | RidgeConfig | MinimumNormConfig) -> str:
    """Name a model or baseline; ridges of different lags get different names."""
    match config:
        case RidgeConfig(lag_s=0):
            return "ridge"
        case RidgeConfig():
            return f"{_LAGGED_RIDGE} {1000 * config.lag_s:g} ms"
        case TrainingMeanConfig():
            return TRAINING_MEAN
        case MinimumNormConfig():
            return "minimum norm"
        case SynaptechNetConfig():
            return "Synaptech-Net"
        case AimConfig():
            return "AIM transformer"


def is_lagged_ridge(predictor: str) -> bool:
    """Whether a predictor is the linear model that networks are compared with."""
    return predictor.startswith(_LAGGED_RIDGE)
