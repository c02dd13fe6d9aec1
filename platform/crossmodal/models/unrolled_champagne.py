"""Champagne that knows that heads differ, unrolled into a network that learns to correct it; our own.

Shape suffixes: b batch, c electrode, k direction, a atom, r region, t time, f feature, s stage.
"""

import copy
from typing import NamedTuple, Self

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.channel_types import SIMULATED_UNITS
from crossmodal.config.signal_spec import Cortex, SignalPair
from crossmodal.models.base import Model, ModelConfig
from crossmodal.models.classical_parts.atoms import Atoms
from crossmodal.models.classical_parts.evidence import Evidence, evidence, first_variance
from crossmodal.models.classical_parts.patch_dictionary import nearness, patch_dictionary, patches_over
from crossmodal.models.classical_parts.placed_atoms import PlacedAtoms
from crossmodal.models.classical_parts.type_variance import between, variance_of_types
from crossmodal.models.intervals import ActiveIntervals
from crossmodal.physics.own_lead_field import OwnLeadField
from crossmodal.physics.parcellation import regions_of
from crossmodal.physics.places import Places

# Patches and regions are told what those within about so far are like, m.
_NEAR_PATCHES_M, _NEAR_REGIONS_M = 0.012, 0.025
# Logarithms of what has died out end here.
_LEAST = 1e-12
_ATOM_FEATURES, _REGION_FEATURES, _STAGES = 8, 7, 3
_MAP_WEIGHT, _LIKELIHOOD_WEIGHT = 0.3, 0.01
# Of variances, as shares of what a window's activity is.
_MOST_LOG_DEVIATION = 6.0


class UnrolledChampagneConfig(ModelConfig):
    """Iterations of Champagne over patches, with corrections, a gate of regions and a recurrent residual, all learned."""

    centres: int = Field(200, ge=1, description="of patches, as of Champagne")
    spreads_m: tuple[float, ...] = Field((0.008, 0.014), min_length=1, description="standard deviations of patches along the cortex, m")
    other_heads: int = Field(12, ge=0, description="heads over which the fields of patches spread; 0 takes the fitted one for certain")
    n_dipoles: int = Field(1500, ge=10)
    noise: float = Field(0.1, gt=0, description="at first, variance of noise as a share of the mean variance over electrodes")
    background: float = Field(0.5, gt=0, lt=1, description="at first, share of the noise that comes from all over the cortex")
    iterations: int = Field(8, ge=4)
    hidden: int = Field(16, ge=1, description="units of what corrects an atom, and of what gates a region")
    recurrent: int = Field(64, ge=1, description="units of the recurrent residual in each direction of time")

    @property
    def title(self) -> str:
        """Name the network."""
        return "unrolled Champagne"


class _Inferred(NamedTuple):
    """What the iterations say of windows.

    Attributes
    ----------
    course_bsrt : Tensor, shape (batch, 3, n_regions, n_times)
        Moments of regions after a quarter, five eighths and all of the iterations.
    belief_brf : Tensor, shape (batch, n_regions, n_features)
        How strong and how certain each region is.
    """

    course_bsrt: torch.Tensor
    belief_brf: torch.Tensor


class UnrolledChampagne(Model):
    """Starts as `Champagne` with patches, an uncertain head and a fixed noise, and learns what to do otherwise.

    Each iteration adds to the logarithm of an atom's variance half the logarithm of power over sensitivity, as Champagne does, times a
    learned step, and what a perceptron says of the atom and its neighbours. Noise, white and from all over the cortex, may follow by the
    same rule. Another perceptron weighs the regions, and mixes their courses after some and after all iterations; a recurrent network adds
    what the courses tell beside. All that depends on electrodes and head is the dictionary, which follows from their places: the network
    serves any of them without being trained anew. Half the EEG is half the activity.

    Source: own; the iteration is that of `champagne`. Learned iterations: Gregor and LeCun (2010), "Learning fast approximations of sparse
    coding", ICML.
    """

    uses_places = True
    any_montage = True
    near_aa: torch.Tensor
    near_rr: torch.Tensor

    def __init__(self, config: UnrolledChampagneConfig, signals: SignalPair) -> None:
        super().__init__()
        self._config = config
        if not isinstance(signals.target.space, Cortex) or not set(signals.input.types) <= set(SIMULATED_UNITS):
            raise UserError("model.kind: unrolled_champagne maps EEG and MEG to cortical regions and nothing else; choose another")
        patches = patch_dictionary(config.n_dipoles, config.centres, config.spreads_m)
        self.atoms = PlacedAtoms(signals, patches.weights_ad, config.other_heads)
        self.iterations = config.iterations
        self.stages = (config.iterations // 4, 5 * config.iterations // 8, config.iterations)
        regions = regions_of(signals.target.space, signals.target.names)
        near_rr = nearness(torch.from_numpy(regions.centres_m), _NEAR_REGIONS_M)
        self.register_buffer("near_aa", nearness(patches.centres_a3, _NEAR_PATCHES_M).float(), persistent=False)
        self.register_buffer("near_rr", near_rr.float(), persistent=False)
        shares = torch.tensor([1 - config.background, config.background])
        self.log_noise_n = nn.Parameter((config.noise * shares).log())
        self.noise_step_in = nn.Parameter(torch.zeros(config.iterations, 2))
        self.step_i = nn.Parameter(torch.ones(config.iterations))
        self.correction = _perceptron(_ATOM_FEATURES, config.hidden, 1)
        self.gate = _perceptron(_REGION_FEATURES, config.hidden, _STAGES)
        self.recurrent = nn.GRU(signals.target.n_channels, config.recurrent, batch_first=True, bidirectional=True)
        self.residual = _zeroed(nn.Linear(2 * config.recurrent, signals.target.n_channels))
        self.log_gain = nn.Parameter(torch.zeros(()))
        self.log_deviation = _perceptron(_REGION_FEATURES, config.hidden, 2)
        self.intervals = ActiveIntervals(signals.target.n_channels)

    def forward(self, x_bct: torch.Tensor, places: Places | None = None) -> torch.Tensor:
        """Predict (batch, n_regions, n_times)."""
        return self._said(x_bct, places)[0]

    def with_lead_field(self, own: OwnLeadField) -> Self:
        """Take what a subject's electrodes see of its own cortex, in place of the template's; weights are shared."""
        config, given = self._config, copy.copy(self)
        given.atoms = self.atoms.with_lead_field(own, patches_over(own.vertices, config.n_dipoles, config.centres, config.spreads_m))
        return given

    def run_with_deviation(self, x_bct: torch.Tensor, places: Places | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict, and give a deviation of each value's error: one part is that of the region, the other grows with its activity."""
        y_brt, belief_brf = self._said(x_bct, places)
        # The likelihood moves deviations alone, so the prediction stays the one with the least loss.
        log_br2 = self.log_deviation(belief_brf.detach()).clamp(-_MOST_LOG_DEVIATION, _MOST_LOG_DEVIATION)
        constant_br1, growing_br1 = log_br2.exp().split(1, 2)
        squared_brt = y_brt.detach().square()
        level_b11 = squared_brt.mean((1, 2), keepdim=True)
        power_brt = (squared_brt + squared_brt.mean(2, keepdim=True)) / 2
        return y_brt, (constant_br1 * level_b11 + growing_br1 * power_brt + _LEAST).sqrt()

    def _said(self, x_bct: torch.Tensor, places: Places | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Predictions, and what is believed of regions."""
        assert places, "it is told where electrodes are"
        level_b11 = x_bct.square().mean((1, 2), keepdim=True).sqrt()
        x_bct = x_bct / torch.where(level_b11 > 0, level_b11, 1.0)
        # Inverses want all digits.
        with torch.autocast(x_bct.device.type, enabled=False):
            of_heads = self.atoms.by_head(places)
            parts = [self.infer(x_bct[rows].float(), atoms) for rows, atoms in of_heads]
        order = torch.cat([rows for rows, _ in of_heads]).argsort()
        course_bsrt, belief_brf = (torch.cat(tensors)[order] for tensors in zip(*parts, strict=True))
        return level_b11 * self.log_gain.exp() * self._combined(course_bsrt, belief_brf), belief_brf

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Squared error of each window as a share of its power, and how far maps of power are from correlating with the true ones.

        In training also the negative log likelihood of errors of the regions that are called active, normal with their deviations.
        """
        predicted_bst, deviation_bst = self.run_with_deviation(x_bct, places)
        error_bst = predicted_bst - y_bst
        error_b = error_bst.square().sum((1, 2)) / y_bst.square().sum((1, 2)).clamp_min(_LEAST)
        map_b = 1 - _correlation(_power(predicted_bst), _power(y_bst))
        terms = {"nmse": error_b.mean(), "map": _MAP_WEIGHT * map_b.mean()}
        if self.training:
            scale_b11 = y_bst.square().mean((1, 2), keepdim=True).clamp_min(_LEAST).sqrt()
            likelihood_bst = (deviation_bst / scale_b11).log() + 0.5 * (error_bst.detach() / deviation_bst).square()
            active_bs = self.intervals.counted(predicted_bst.detach())
            of_active = (likelihood_bst.mean(2) * active_bs).sum() / active_bs.sum().clamp_min(1)
            terms["negative_log_likelihood"] = _LIKELIHOOD_WEIGHT * of_active
        return terms

    def infer(self, x_bct: torch.Tensor, atoms: Atoms) -> _Inferred:
        """Run the iterations on windows of one head, whose mean power is one."""
        x_bkt = atoms.basis_kc @ x_bct
        covariance_bkk = x_bkt @ x_bkt.mT / x_bkt.shape[2]
        variance_b = covariance_bkk.diagonal(dim1=1, dim2=2).mean(1).clamp_min(_LEAST)
        # Noise has the same share in each type of channels.
        relative_bkk = between(variance_of_types(covariance_bkk, atoms.sizes).clamp_min(_LEAST) / variance_b[:, None])
        noises_nkk = torch.stack([torch.eye(len(atoms.basis_kc)).to(x_bkt), atoms.background_kk])
        log_noise_bn = variance_b.log()[:, None] + self.log_noise_n
        log_variance_ba = first_variance(covariance_bkk, atoms.products_ap).clamp_min(_LEAST).log()
        maps_brk, found = [], None
        for iteration in range(self.iterations + 1):
            noise_bkk = relative_bkk * torch.einsum("bn,nkl->bkl", log_noise_bn.exp(), noises_nkk)
            found = evidence(log_variance_ba.exp(), atoms.products_ap, noise_bkk, covariance_bkk)
            if iteration in self.stages:
                maps_brk.append(_region_map(log_variance_ba.exp(), atoms, found))
            if iteration < self.iterations:
                noise_ratio_bn = _noise_ratio(found, covariance_bkk, relative_bkk, noises_nkk)
                correction_ba = self._correction(log_variance_ba, found, log_noise_bn - variance_b.log()[:, None], iteration)
                log_noise_bn = log_noise_bn + self.noise_step_in[iteration] * noise_ratio_bn / 2
                log_variance_ba = log_variance_ba + self.step_i[iteration] * _log_ratio(found) / 2 + correction_ba
        assert found is not None
        course_bsrt = torch.stack([map_brk @ x_bkt for map_brk in maps_brk], 1)
        known_br = _known(log_variance_ba.exp(), atoms, maps_brk[-1])
        return _Inferred(course_bsrt, self._belief(course_bsrt, known_br, log_noise_bn - variance_b.log()[:, None]))

    def _correction(self, log_variance_ba: torch.Tensor, found: Evidence, log_noise_bn: torch.Tensor, iteration: int) -> torch.Tensor:
        """What is learned to add to the logarithms of variances, shape (batch, n_atoms)."""
        ratio_ba = _log_ratio(found).clamp(-5, 5)
        explained_ba = log_variance_ba.exp() * found.sensitivity_ba
        relative_ba = (log_variance_ba - log_variance_ba.amax(1, keepdim=True)).clamp_min(-12) / 4
        sensitivity_ba = found.sensitivity_ba.clamp_min(_LEAST).log()
        features = [
            ratio_ba,
            explained_ba,
            relative_ba,
            ratio_ba @ self.near_aa.T,
            relative_ba @ self.near_aa.T,
            (sensitivity_ba - sensitivity_ba.mean(1, keepdim=True)) / 2,
            torch.logsumexp(log_noise_bn, 1, keepdim=True).expand_as(ratio_ba),
            torch.full_like(ratio_ba, iteration / self.iterations),
        ]
        correction_ba: torch.Tensor = self.correction(torch.stack(features, 2))[..., 0]
        return correction_ba

    def _belief(self, course_bsrt: torch.Tensor, known_br: torch.Tensor, log_noise_bn: torch.Tensor) -> torch.Tensor:
        """Features of regions: their power at each stage and beside neighbours', how well they are known, and the noise."""
        power_bsr = course_bsrt.square().mean(3)
        share_bsr = (power_bsr / power_bsr.amax(2, keepdim=True).clamp_min(_LEAST)).clamp_min(1e-6).log() / 4
        last_br = share_bsr[:, -1]
        noise_br = torch.logsumexp(log_noise_bn, 1, keepdim=True).expand_as(last_br)
        features = [*share_bsr.unbind(1), last_br @ self.near_rr.T, known_br, known_br @ self.near_rr.T, noise_br]
        return torch.stack(features, 2)

    def _combined(self, course_bsrt: torch.Tensor, belief_brf: torch.Tensor) -> torch.Tensor:
        """Weigh regions, mix stages, and add the recurrent residual; at first the last stage as it is."""
        gate_brs = self.gate(belief_brf)
        early_bsrt, last_brt = course_bsrt[:, :-1], course_bsrt[:, -1]
        mixed_brt = gate_brs[..., -1:].exp() * last_brt + torch.einsum("brs,bsrt->brt", gate_brs[..., :-1], early_bsrt - last_brt[:, None])
        scale_b11 = mixed_brt.square().mean((1, 2), keepdim=True).clamp_min(_LEAST).sqrt()
        residual_btr: torch.Tensor = self.residual(self.recurrent((mixed_brt / scale_b11).mT)[0])
        return mixed_brt + scale_b11 * residual_btr.mT


def _region_map(variance_ba: torch.Tensor, atoms: Atoms, found: Evidence) -> torch.Tensor:
    """From directions to the moments of regions, shape (batch, n_regions, n_directions)."""
    return (atoms.moments_ra * variance_ba[:, None]) @ atoms.field_ka.T @ found.inverse_bkk


def _known(variance_ba: torch.Tensor, atoms: Atoms, map_brk: torch.Tensor) -> torch.Tensor:
    """Share of the variance of each region that the window determines, between 0 and 1, shape (batch, n_regions)."""
    prior_br = variance_ba @ atoms.moments_ra.square().T
    cross_brk = (atoms.moments_ra * variance_ba[:, None]) @ atoms.field_ka.T
    return (map_brk * cross_brk).sum(2) / prior_br.clamp_min(_LEAST)


def _log_ratio(found: Evidence) -> torch.Tensor:
    return found.power_ba.clamp_min(_LEAST).log() - found.sensitivity_ba.clamp_min(_LEAST).log()


def _noise_ratio(found: Evidence, covariance_bkk: torch.Tensor, relative_bkk: torch.Tensor, noises_nkk: torch.Tensor) -> torch.Tensor:
    """The same of kinds of noise, shape (batch, n_kinds)."""
    compared = (relative_bkk * (found.inverse_bkk @ covariance_bkk @ found.inverse_bkk), relative_bkk * found.inverse_bkk)
    power_bn, sensitivity_bn = (torch.einsum("bkl,nkl->bn", each_bkk, noises_nkk).clamp_min(_LEAST) for each_bkk in compared)
    return power_bn.log() - sensitivity_bn.log()


def _power(y_brt: torch.Tensor) -> torch.Tensor:
    return y_brt.square().mean(2)


def _correlation(one_br: torch.Tensor, other_br: torch.Tensor) -> torch.Tensor:
    """Pearson's, over regions, shape (batch,)."""
    one_br, other_br = (each - each.mean(1, keepdim=True) for each in (one_br, other_br))
    return (one_br * other_br).sum(1) / (one_br.norm(dim=1) * other_br.norm(dim=1)).clamp_min(_LEAST)


def _perceptron(n_input: int, hidden: int, n_output: int) -> nn.Sequential:
    """One hidden layer; it says zero until it has learned."""
    return nn.Sequential(nn.Linear(n_input, hidden), nn.GELU(), _zeroed(nn.Linear(hidden, n_output)))


def _zeroed(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
