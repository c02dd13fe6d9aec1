"""What a search refuses before anything starts."""

import pytest

from crossmodal.config import UserError
from crossmodal.config.data import Data
from crossmodal.tuning.plan import plan_sweep
from tests.crossmodal.training.cohort import small_experiment
from tests.crossmodal.tuning.conftest import SMALL


def test_volumes_are_searched_by_no_network(tmp_path):
    data = Data.model_validate({"target": {"modality": "bold"}, "windows": {"kind": "volumes"}})
    with pytest.raises(UserError, match=r"data\.target: 'synaptech_net' predicts signals"):
        plan_sweep(small_experiment(tmp_path).model_copy(update={"data": data}), SMALL)
