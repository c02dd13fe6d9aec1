"""What samples are mixed from and takes long to compute, clips of neural masses and lead fields: made once and kept in the store."""

import io
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crossmodal.config import Config, UserError, fingerprint
from crossmodal.config.cortex import Clips, CortexSimulation, PatchSimulation
from crossmodal.config.heads import Heads
from crossmodal.datasets.folds import Fold
from crossmodal.physics.cap import CAP
from crossmodal.physics.clips import make_clips
from crossmodal.physics.connectome import Connectome, decay_connectome, read_tvb_connectome
from crossmodal.physics.cortical_regions import CorticalRegions, cortical_regions
from crossmodal.physics.parcellation import parcellate
from crossmodal.physics.random_heads import draw_head
from crossmodal.storage.uri import exists, join, read_bytes, write_bytes

# Of a core: a region of a simulation for a second, without and with compiled equations; a vertex and an electrode of a lead field in
# spheres; a solution with boundary elements, and a vertex of it.
_MASS_S, _COMPILED_MASS_S, _COMPILING_S = 6e-4, 2e-4, 30.0
_SPHERE_S, _ELEMENTS_S, _ELEMENTS_VERTEX_S = 6e-6, 4.0, 3e-4
# A vertex of the lead field of all magnetometers, or of all gradiometers.
_HELMET_SPHERE_S, _HELMET_ELEMENTS_S = 3e-4, 4e-4
_VERTICES = {3: 1155, 4: 4610, 5: 18426}


class ClipsOf(Config):
    """Clips of some regions of a connectome, simulated side by side."""

    kind: Literal["clips"] = "clips"
    version: int = 1
    clips: Clips
    connectome: str
    n_regions: int
    sources: tuple[int, ...]
    seed: int
    sfreq: float
    n_times: int

    @property
    def told(self) -> str:
        """Name it."""
        return f"clips of regions {self.sources[0] + 1} to {self.sources[-1] + 1}"

    @property
    def core_s(self) -> float:
        """Estimate how long a core takes, s."""
        of_region_s = _COMPILED_MASS_S if self.clips.compiled else _MASS_S
        return self.n_regions * len(self.sources) * self.clips.seconds * of_region_s + _COMPILING_S * self.clips.compiled


class LeadFieldOf(Config):
    """The lead field of one head, of its electrodes."""

    kind: Literal["lead_field"] = "lead_field"
    version: int = 1
    heads: Heads
    electrodes: int
    seed: int
    label: str

    @property
    def told(self) -> str:
        """Name it."""
        return f"lead field of sub-{self.label} ({'spheres' if self.heads.model == 'sphere' else 'boundary elements'})"

    @property
    def core_s(self) -> float:
        """Estimate how long a core takes, s."""
        n_vertices = _VERTICES[self.heads.grade]
        if self.heads.model == "bem":
            return _ELEMENTS_S + n_vertices * _ELEMENTS_VERTEX_S
        return n_vertices * self.electrodes * _SPHERE_S


class HelmetFieldOf(Config):
    """The lead field of one head in a helmet, of the sensors of one type."""

    kind: Literal["helmet_field"] = "helmet_field"
    version: int = 1
    heads: Heads
    channels: Literal["mag", "grad"]
    seed: int
    label: str

    @property
    def told(self) -> str:
        """Name it."""
        of_what = "magnetometers" if self.channels == "mag" else "gradiometers"
        return f"lead field of {of_what} of sub-{self.label} ({'spheres' if self.heads.model == 'sphere' else 'boundary elements'})"

    @property
    def core_s(self) -> float:
        """Estimate how long a core takes, s."""
        n_vertices = _VERTICES[self.heads.grade]
        if self.heads.model == "bem":
            return _ELEMENTS_S + n_vertices * _HELMET_ELEMENTS_S
        return n_vertices * _HELMET_SPHERE_S


Ingredient = ClipsOf | LeadFieldOf | HelmetFieldOf


def asked_regions(simulation: CortexSimulation | PatchSimulation) -> CorticalRegions:
    """Divide the cortex as a simulation asks.

    Raises
    ------
    UserError
        A file is not there, or is no parcellation.
    """
    return cortical_regions() if isinstance(simulation, CortexSimulation) else parcellate(simulation.regions, _read)


def regions_and_connectome(simulation: PatchSimulation) -> tuple[CorticalRegions, Connectome]:
    """Divide the cortex, and connect its regions unless a file of connections is given.

    Raises
    ------
    UserError
        A file is not there, or is no parcellation or connectome.
    """
    regions = asked_regions(simulation)
    if simulation.clips.tvb_file:
        return regions, read_tvb_connectome(_read(simulation.clips.tvb_file), simulation.clips.tvb_file)
    return regions, decay_connectome(regions.centres_m, simulation.clips.connectome)


def clips_of(simulation: PatchSimulation, connectome: Connectome) -> list[ClipsOf]:
    """List the clips of all regions, some regions at a time."""
    n_regions, together = len(connectome), simulation.clips.together
    weights_and_lengths = fingerprint([table.tolist() for table in (connectome.weights_nn, connectome.lengths_m_nn.round(9))])
    return [
        ClipsOf(
            clips=simulation.clips,
            connectome=weights_and_lengths,
            n_regions=n_regions,
            sources=tuple(range(first, min(first + together, n_regions))),
            seed=simulation.seed,
            sfreq=simulation.sfreq,
            n_times=simulation.n_times,
        )
        for first in range(0, n_regions, together)
    ]


def lead_fields_of(simulation: PatchSimulation, heads: Heads, label: str) -> list[LeadFieldOf | HelmetFieldOf]:
    """Name the lead fields of a subject's head among some heads, one of each type of channels, in their order."""
    about: dict[str, Any] = {"heads": heads, "seed": simulation.seed, "label": label}
    return [
        LeadFieldOf(electrodes=simulation.electrodes, **about) if kind == "eeg" else HelmetFieldOf(channels=kind, **about)
        for kind in simulation.sensors
    ]


def ingredients(simulation: PatchSimulation, connectome: Connectome, folds: Sequence[Fold]) -> list[Ingredient]:
    """List all that the folds of an experiment need: unmatched heads of test subjects alone."""
    parts = [part.subject for fold in folds for part in (*fold.train, *fold.validation, *fold.test)]
    tested = [part.subject for fold in folds for part in fold.test]
    return [
        *clips_of(simulation, connectome),
        *(field for label in sorted(set(parts)) for field in lead_fields_of(simulation, simulation.matched.heads, label)),
        *(field for label in sorted(set(tested)) for field in lead_fields_of(simulation, simulation.unmatched.heads, label)),
    ]


def make(ingredient: Ingredient, connectome: Connectome) -> NDArray[np.float32]:
    """Compute clips (n_clips, n_times), or a lead field (n_channels, n_vertices) in V/(A m), T/(A m) or T/(A m^2)."""
    if isinstance(ingredient, ClipsOf):
        return make_clips(connectome, ingredient.clips, ingredient.sources, ingredient.seed, ingredient.sfreq, ingredient.n_times)
    electrodes, sensors = (ingredient.electrodes, "eeg") if isinstance(ingredient, LeadFieldOf) else (len(CAP), ingredient.channels)
    head = draw_head(ingredient.heads, electrodes, 1.0, [ingredient.seed, int(ingredient.label)], (sensors,))
    return head.lead_field().astype(np.float32)


def is_kept(ingredient: Ingredient, store: str) -> bool:
    """Tell whether a store has it."""
    return exists(_uri(ingredient, store))


def keep(ingredient: Ingredient, array: NDArray[np.float32], store: str) -> None:
    """Put it into a store, whole."""
    content = io.BytesIO()
    np.save(content, array)
    write_bytes(_uri(ingredient, store), content.getvalue())


def fetch(ingredient: Ingredient, store: str) -> NDArray[np.float32]:
    """Read it from a store.

    Raises
    ------
    UserError
        It was not made yet.
    """
    try:
        array: NDArray[np.float32] = np.load(io.BytesIO(read_bytes(_uri(ingredient, store))))
    except FileNotFoundError:
        raise UserError(f"{store}: holds no {ingredient.told}; run jobs/simulate.py first") from None
    return array


def _uri(ingredient: Ingredient, store: str) -> str:
    return join(store, "cortex", f"{fingerprint(ingredient)}.npy")


def _read(file: str) -> bytes:
    try:
        return read_bytes(file)
    except FileNotFoundError:
        raise UserError(f"cortex: {file} is not there; check its name") from None
