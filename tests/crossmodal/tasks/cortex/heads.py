"""A few simulated heads, and windows small enough to learn from in seconds."""

from crossmodal.config.cortex import CortexSimulation
from crossmodal.datasets.folds import Role
from crossmodal.tasks.cortex.heads import SimulatedHead, draw_head
from crossmodal.tasks.cortex.simulator import SimulatedFeed

SIMULATION = CortexSimulation(subjects=4, samples=240, sfreq=50.0, frequency_hz=(4, 12), electrodes=32, n_dipoles=1000)
_SUBJECTS: dict[Role, tuple[str, ...]] = {"train": ("01", "02"), "validation": ("03",), "test": ("04",)}


def head(label: str) -> SimulatedHead:
    return draw_head(SIMULATION, label)


def feed(role: Role, **settings: object) -> SimulatedFeed:
    """Samples of a role, with heads of its own; other settings than SIMULATION's must not concern heads."""
    return SimulatedFeed(SIMULATION.model_copy(update=settings), [head(label) for label in _SUBJECTS[role]], role)
