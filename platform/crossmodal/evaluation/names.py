"""What predictors of every task are called in scores, tables and figures."""

from crossmodal.models.training_mean import TrainingMeanConfig

TRAINING_MEAN = TrainingMeanConfig().title
LINEAR_REFERENCE = "linear reference"
ORACLE = "oracle"
