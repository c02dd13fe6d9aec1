"""Samples of patches on coarse spheres, small enough to make in seconds: nothing of them lies in a store."""

import functools

import numpy as np

from crossmodal.config.cortex import Brains, Noise, PatchSimulation
from crossmodal.config.heads import Heads
from crossmodal.config.parcellation import RandomRegions
from crossmodal.config.patches import Strip
from crossmodal.datasets.folds import Role
from crossmodal.physics.parcellation import random_regions
from crossmodal.physics.random_heads import draw_head
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.ingredients import lead_fields_of, make
from crossmodal.tasks.cortex.patch_simulator import PatchFeed, mesh_membership

SIMULATION = PatchSimulation(
    subjects=3,
    samples=40,
    test_samples=20,
    electrodes=32,
    regions=RandomRegions(n=40),
    matched=Brains(heads=Heads(grade=3)),
    unmatched=Brains(heads=Heads(grade=4, surface="middle", skull_ratio=(12, 20)), shapes=(Strip(),)),
    n_patches=200,
    noise=Noise(),
)
REGIONS = random_regions(40, 0)
# As long as those of the simulation, and no two alike.
CLIPS = np.sin(np.linspace(0, 20, 250) * np.linspace(0.5, 1.5, 60)[:, None]).astype(np.float32)
_SUBJECTS: dict[Role, tuple[str, ...]] = {"train": ("01", "02"), "validation": ("03",), "test": ("03",)}


@functools.cache
def head(brains: Brains, label: str, sensors: tuple[str, ...] = ("eeg",)) -> SimulatedHead:
    simulation = SIMULATION.model_copy(update={"sensors": sensors})
    field_cv = np.concatenate([make(of_type, None) for of_type in lead_fields_of(simulation, brains.heads, label)]).astype(np.float64)
    info = draw_head(brains.heads, simulation.electrodes, simulation.sfreq, [simulation.seed, int(label)], sensors).info
    return SimulatedHead(label, info, field_cv, mesh_membership(brains, REGIONS))


def feed(role: Role, brains: Brains = SIMULATION.matched, **settings: object) -> PatchFeed:
    """Samples of a role; other settings than SIMULATION's must not concern heads, but for their sensors."""
    simulation = SIMULATION.model_copy(update=settings)
    heads = [head(brains, label, simulation.sensors) for label in _SUBJECTS[role]]
    return PatchFeed(simulation, brains, heads, CLIPS, REGIONS, role)
