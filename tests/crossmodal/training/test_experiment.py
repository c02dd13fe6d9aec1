import pytest

from crossmodal.config import UserError
from crossmodal.config.data import Data
from crossmodal.training.plan import plan_training
from tests.crossmodal.training.cohort import small_experiment


def test_a_model_of_signals_is_not_trained_on_volumes(tmp_path):
    data = Data.model_validate({"target": {"modality": "bold"}, "windows": {"kind": "volumes"}})
    with pytest.raises(UserError, match=r"data\.target: 'synaptech_net' predicts signals"):
        plan_training(small_experiment(tmp_path).model_copy(update={"data": data}))
