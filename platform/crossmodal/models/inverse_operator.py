"""Noise-normalised and exact-resolution linear inverses, as MNE computes them: dSPM, sLORETA, eLORETA."""

from collections.abc import Sequence
from typing import Literal

import mne
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model, ModelConfig
from crossmodal.models.classical_parts.cortical_field import input_info
from crossmodal.models.classical_parts.tuned_solver import TunedSolver
from crossmodal.models.minimum_norm import linear_map, region_membership
from crossmodal.physics.head import average_referenced
from crossmodal.physics.template import template_forward

# Of noise, V, T and T/m, as MNE has them.
_DEVIATIONS = {"eeg": 0.2e-6, "mag": 20e-15, "grad": 5e-13}


class InverseOperatorConfig(ModelConfig):
    """A linear inverse of MNE on the template's cortex, with dipoles along its normals and without depth weighting."""

    method: Literal["dSPM", "sLORETA", "eLORETA"] = "eLORETA"
    snrs: tuple[float, ...] = Field(
        (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0),
        min_length=1,
        description="amplitude ratios to white noise, to choose from",
    )
    n_dipoles: int = Field(1500, ge=10)

    @property
    def title(self) -> str:
        """Name the method."""
        return self.method


class InverseOperator(TunedSolver):
    """What the method says of the dipoles of each region: their mean, or of eLORETA, which estimates moments, their sum.

    Sources: Dale et al. (2000), Neuron 26:55-67 (dSPM); Pascual-Marqui (2002), Methods Find. Exp. Clin. Pharmacol. 24D:5-12 (sLORETA);
    Pascual-Marqui (2007), arXiv 0710.3341 (eLORETA); all as `mne.minimum_norm.apply_inverse` has them.
    """

    def __init__(self, config: InverseOperatorConfig, signals: SignalPair) -> None:
        super().__init__(config.snrs, signals)
        self.method = config.method
        self.n_dipoles = config.n_dipoles

    def solvers(self, geometry: Geometry, settings: Sequence[float]) -> list[Model]:
        """Compute the map of one subject for each signal-to-noise ratio."""
        info = input_info(geometry)
        forward = template_forward(info, self.n_dipoles)
        membership_rd = region_membership(geometry.signals.target, self.n_dipoles)
        if self.method != "eLORETA":
            # Statistics of dipoles are averaged, and moments add up.
            membership_rd /= np.maximum(membership_rd.sum(axis=1, keepdims=True), 1)
        kernels = (inverse_kernel(info, forward, self.method, snr) for snr in settings)
        return [linear_map(membership_rd @ kernel_dc, geometry.normaliser) for kernel_dc in kernels]


def inverse_kernel(info: mne.Info, forward: mne.Forward, method: str, snr: float) -> NDArray[np.float64]:
    """Matrix from channels to dipoles, shape (n_dipoles, n_channels): what the method says of each channel alone.

    Noise is white within a type of channels, and as much of the cortex's power in one type as in another.

    Parameters
    ----------
    info : mne.Info
        Channels, in the order of columns; EEG is at the average reference.
    forward : mne.Forward
        With fixed orientations.
    method : str
        As `mne.minimum_norm.apply_inverse` takes it.
    snr : float
        Amplitude ratio.
    """
    single = mne.EvokedArray(np.eye(len(info["ch_names"])), info, verbose=False)
    if "eeg" in single:
        single.set_eeg_reference(projection=True, verbose=False)
    noise = mne.make_ad_hoc_cov(single.info, _noise_deviations(info, forward), verbose=False)
    operator = mne.minimum_norm.make_inverse_operator(single.info, forward, noise, fixed=True, depth=None, verbose="error")
    kernel_dc: NDArray[np.float64] = mne.minimum_norm.apply_inverse(single, operator, 1 / snr**2, method, verbose="error").data
    return kernel_dc


def _noise_deviations(info: mne.Info, forward: mne.Forward) -> dict[str, float]:
    """Standard deviations of noise by type, of which the first is MNE's."""
    type_of = dict(zip(info["ch_names"], info.get_channel_types(), strict=True))
    rows = [type_of[name] for name in forward["sol"]["row_names"]]
    power_c = (average_referenced(forward["sol"]["data"], rows) ** 2).mean(axis=1)
    sizes = {kind: float(np.sqrt(power_c[np.array(rows) == kind].mean())) for kind in dict.fromkeys(type_of.values())}
    first = next(iter(sizes))
    return {kind: _DEVIATIONS[first] * (size / sizes[first]) for kind, size in sizes.items()}
