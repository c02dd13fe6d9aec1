"""Samples in which patches of the cortex are active, vertex by vertex, with waveforms of neural masses.

Shape suffixes: c channel, k clip, n source, p patch, r region, t time, v vertex.
"""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from crossmodal.config import UserError
from crossmodal.config.cortex import Brains, PatchSimulation
from crossmodal.datasets.folds import ROLES, Role
from crossmodal.physics.cortex_mesh import cortex_mesh
from crossmodal.physics.cortical_regions import CorticalRegions
from crossmodal.physics.patches import draw_patches
from crossmodal.tasks.cortex.heads import SimulatedHead
from crossmodal.tasks.cortex.noise import HeadNoise
from crossmodal.tasks.cortex.sampled_feed import SampledFeed, with_noise
from crossmodal.tasks.cortex.signals import MOMENT_UNIT_AM, signal_pair

# Of clips and of patches: training, validation, test.
_SHARES = (0.7, 0.15, 0.15)
# A region belongs to a source where it has at least this share of what the source's strongest region has: no label counts a mere rim.
_LEAST_SHARE = 0.1


class PatchFeed(SampledFeed):
    """A feed of simulated windows in which one or a few patches are active: what sensors show, and the moment of each region.

    Activity is simulated at vertices. A region's moment is the sum of those of its vertices; a region that a patch barely reaches counts
    as silent. All else that sensors see is noise, of which no label tells; its ratio is the same for each type of channels.

    Parameters
    ----------
    simulation : PatchSimulation
    brains : Brains
        Matched or unmatched ones of the simulation.
    heads : sequence of SimulatedHead
        Subjects of the role, with lead fields of the vertices of `cortex_mesh(brains.heads.grade, brains.heads.surface)`.
    clips_kt : ndarray, shape (n_clips, n_times)
        Of all roles.
    regions : CorticalRegions
    role : 'train', 'validation' or 'test'
        Each has clips and patches of its own.

    Raises
    ------
    UserError
        The role has fewer clips than a sample may have sources.
    """

    def __init__(
        self,
        simulation: PatchSimulation,
        brains: Brains,
        heads: Sequence[SimulatedHead],
        clips_kt: NDArray[np.float32],
        regions: CorticalRegions,
        role: Role,
    ) -> None:
        samples = simulation.samples if role == "train" else simulation.test_samples
        super().__init__(heads, samples, signal_pair(simulation, regions))
        self._simulation, self._role = simulation, ROLES.index(role)
        self._clips_kt = clips_kt[of_role(len(clips_kt), simulation.seed, role)]
        if len(self._clips_kt) < simulation.sources[1]:
            clips = f"{role} has {len(self._clips_kt)} clips"
            raise UserError(f"cortex.clips: {clips} for up to {simulation.sources[1]} sources; raise cortex.clips.seconds")
        moments_pv = _moments(simulation, brains, role)
        self._moments_pr = region_moments(moments_pv, brains, regions).astype(np.float32)
        self._fields_cp = [
            {kind: (moments_pv @ field_cd.T).T.astype(np.float32) for kind, field_cd in head.fields_cd.items()} for head in heads
        ]
        self._noises = [HeadNoise(simulation.noise, head.info, head.backgrounds_cl, simulation.sfreq, simulation.n_times) for head in heads]

    def _sample(self, head: int, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        simulation = self._simulation
        rng = np.random.default_rng([simulation.seed, int(self._heads[head].label), self._role, number])
        n_sources = int(rng.integers(*simulation.sources, endpoint=True))
        clips, patches = (rng.choice(len(of), n_sources, replace=False) for of in (self._clips_kt, self._moments_pr))
        density_n1 = rng.choice([-1, 1], (n_sources, 1)) * rng.uniform(*simulation.density_am_per_m2, (n_sources, 1))
        wave_nt = (density_n1 * self._clips_kt[clips]).astype(np.float32)
        target_rt = self._moments_pr[patches].T @ wave_nt / np.float32(MOMENT_UNIT_AM)
        # The last bits of a product depend on its shape, so that each type of channels has its own: no type changes with those beside it.
        signals_ct = {kind: field_cp[:, patches] @ wave_nt for kind, field_cp in self._fields_cp[head].items()}
        noises_ct, snr_db = self._noises[head].draw(rng), rng.uniform(*simulation.noise.snr_db)
        sample_ct = [with_noise(signal_ct, noises_ct[kind], snr_db, kind) for kind, signal_ct in signals_ct.items()]
        return np.concatenate(sample_ct), target_rt


def of_role(n: int, seed: int, role: Role) -> NDArray[np.intp]:
    """Choose some of n things for a role at random, so that no other role has them."""
    ends = np.rint(np.cumsum((0, *_SHARES)) * n).astype(int)
    position = ROLES.index(role)
    return np.sort(np.random.default_rng(seed).permutation(n)[ends[position] : ends[position + 1]])


def region_moments(moments_pv: csr_array, brains: Brains, regions: CorticalRegions) -> NDArray[np.float64]:
    """Moment of each region in each patch of unit density, m2, shape (n_patches, n_regions); 0 where a patch barely reaches a region."""
    moments_pr = moments_pv @ mesh_membership(brains, regions).T
    moments_pr[moments_pr < _LEAST_SHARE * moments_pr.max(axis=1, keepdims=True)] = 0
    return moments_pr


@functools.lru_cache(maxsize=4)
def mesh_membership(brains: Brains, regions: CorticalRegions) -> NDArray[np.float64]:
    """1 where a vertex of the brains' cortex lies in a region, else 0, shape (n_regions, n_vertices)."""
    return (np.arange(len(regions.names))[:, None] == mesh_regions(brains, regions)).astype(np.float64)


def mesh_regions(brains: Brains, regions: CorticalRegions) -> NDArray[np.int64]:
    """Region of each vertex of the brains' cortex, shape (n_vertices,); -1 where there is none."""
    return regions.of_vertices(cortex_mesh(brains.heads.grade, brains.heads.surface).vertices)


@functools.lru_cache(maxsize=8)
def _moments(simulation: PatchSimulation, brains: Brains, role: Role) -> csr_array:
    """Moment of each vertex in each patch of a role at a density of 1 A m / m2, shape (n_patches, n_vertices)."""
    mesh = cortex_mesh(brains.heads.grade, brains.heads.surface)
    centres = np.random.default_rng(simulation.seed).permutation(len(mesh))[: simulation.n_patches]
    weights_pv = draw_patches(mesh, brains.shapes, centres[of_role(len(centres), simulation.seed, role)], simulation.seed)
    return csr_array(weights_pv.multiply(mesh.areas_m2))
