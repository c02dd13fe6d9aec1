"""Open a fold of samples that are mixed from clips and lead fields in the store."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.config.cortex import Brains, PatchSimulation
from crossmodal.datasets.folds import Fold, Role, make_folds
from crossmodal.datasets.manifest import SimulatedManifest
from crossmodal.physics.connectome import Connectome
from crossmodal.physics.cortical_regions import CorticalRegions
from crossmodal.physics.neural_masses import delay_steps
from crossmodal.physics.parcellation import packed_regions
from crossmodal.physics.random_heads import draw_head
from crossmodal.tasks.cortex.fold import CortexFold, Matched
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.ingredients import (
    Ingredient,
    clips_of,
    fetch,
    ingredients,
    is_kept,
    lead_fields_of,
    regions_and_connectome,
)
from crossmodal.tasks.cortex.patch_simulator import PatchFeed, mesh_membership, mesh_regions
from crossmodal.tasks.cortex.signals import normaliser, signal_pair


@dataclass(frozen=True)
class IngredientsPlan:
    """What samples of an experiment are mixed from.

    Attributes
    ----------
    manifest : SimulatedManifest
        Of the subjects.
    connectome : Connectome
    present, missing : tuple of Ingredient
        In the store, and to be made.
    """

    manifest: SimulatedManifest
    connectome: Connectome
    present: tuple[Ingredient, ...]
    missing: tuple[Ingredient, ...]


def plan_ingredients(experiment: Experiment) -> IngredientsPlan:
    """See what is in the store; nothing is made.

    Raises
    ------
    UserError
        A file of regions or connections cannot be read, a tract takes longer than what is kept of the past, a region has no vertex of a
        cortex, or the split names subjects that are not there.
    """
    simulation = experiment.cortex
    assert isinstance(simulation, PatchSimulation)
    regions, connectome = regions_and_connectome(simulation)
    # Refused here rather than by each of the workers.
    delay_steps(connectome, simulation.clips.neural_masses)
    for brains in (simulation.matched, simulation.unmatched):
        reached = set(mesh_regions(brains, regions))
        empty = [name for number, name in enumerate(regions.names) if number not in reached]
        if empty:
            raise UserError(
                f"cortex.regions: {', '.join(empty[:5])} has no vertex of a cortex of grade {brains.heads.grade};"
                " take larger regions or a finer grade"
            )
    manifest = SimulatedManifest(preprocessing=fingerprint([simulation, packed_regions(regions)]), entries=(), labels=simulation.labels)
    wanted = ingredients(simulation, connectome, make_folds(experiment.split, manifest))
    present = tuple(each for each in wanted if is_kept(each, experiment.store))
    return IngredientsPlan(manifest, connectome, present, tuple(each for each in wanted if each not in present))


def open_patch_fold(simulation: PatchSimulation, fold: Fold, store: str) -> CortexFold:
    """Read clips and lead fields, and make the feeds of all roles.

    Raises
    ------
    UserError
        Some were not made yet.
    """
    regions, connectome = regions_and_connectome(simulation)
    clips_kt = np.concatenate([fetch(clips, store) for clips in clips_of(simulation, connectome)])
    signals = signal_pair(simulation, regions)

    def subjects(role: Role) -> list[str]:
        return list(dict.fromkeys(part.subject for part in fold.parts(role)))

    def heads(brains: Brains, labels: Iterable[str]) -> dict[str, SimulatedHead]:
        return {label: _head(simulation, brains, regions, label, store) for label in labels}

    def feed(brains: Brains, of: dict[str, SimulatedHead], role: Role) -> PatchFeed:
        return PatchFeed(simulation, brains, [of[label] for label in subjects(role)], clips_kt, regions, role)

    matched = heads(simulation.matched, (*subjects("train"), *subjects("validation"), *subjects("test")))
    unmatched = heads(simulation.unmatched, subjects("test"))
    return CortexFold(
        fold=fold,
        train=feed(simulation.matched, matched, "train"),
        validation=feed(simulation.matched, matched, "validation"),
        test=feed(simulation.unmatched, unmatched, "test"),
        normaliser=normaliser(signals),
        signals=signals,
        recorded_names=signals.input.names,
        heads=matched | unmatched,
        matched=Matched(feed(simulation.matched, matched, "test"), {label: matched[label] for label in subjects("test")}),
    )


def _head(simulation: PatchSimulation, brains: Brains, regions: CorticalRegions, label: str, store: str) -> SimulatedHead:
    drawn = draw_head(brains.heads, simulation.electrodes, simulation.sfreq, [simulation.seed, int(label)], simulation.sensors)
    lead_field_cv = np.concatenate([fetch(field, store) for field in lead_fields_of(simulation, brains.heads, label)])
    return SimulatedHead(label, drawn.info, lead_field_cv.astype(np.float64), mesh_membership(brains, regions))
