"""Every setting of an experiment, and how it is read."""

from crossmodal.config.base import Config, UnavailableError, UserError, fingerprint, told
from crossmodal.config.experiment import Experiment
from crossmodal.config.loading import load_experiment, overridden

__all__ = ["Config", "Experiment", "UnavailableError", "UserError", "fingerprint", "load_experiment", "overridden", "told"]
