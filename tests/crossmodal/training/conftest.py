import pytest
import torch

from crossmodal.training.world import make_reproducible


@pytest.fixture(autouse=True)
def _one_thread():
    """As in a worker of one thread; more would only wait for each other on networks this small."""
    before = torch.get_num_threads()
    make_reproducible(threads=1)
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(before)
