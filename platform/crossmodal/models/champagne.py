"""Champagne: sparse Bayesian learning of how strong each region, or each patch of the cortex, is.

Shape suffixes: b batch, k direction, a atom, r region.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Geometry, Model, ModelConfig
from crossmodal.models.classical_parts.atoms import Atoms, atoms_of
from crossmodal.models.classical_parts.cortical_field import cortical_field, input_info
from crossmodal.models.classical_parts.evidence import evidence, first_variance, model_inverse
from crossmodal.models.classical_parts.patch_dictionary import disc_dictionary, patch_dictionary
from crossmodal.models.classical_parts.tuned_solver import TunedSolver
from crossmodal.models.classical_parts.window_solver import WindowSolver, noise_covariance
from crossmodal.transforms.scaling import Normaliser


class ChampagneConfig(ModelConfig):
    """Sparse Bayesian learning over regions or patches of the template's cortex, in each window anew."""

    dictionary: Literal["regions", "patches", "discs"] = Field(
        "regions", description="patches fall off as Gaussians; discs are drawn as the simulator draws those of training"
    )
    centres: int = Field(300, ge=1, description="of patches or discs, spread over the cortex; each has a patch of each size, or a disc")
    spreads_m: tuple[float, ...] = Field((0.008, 0.014), min_length=1, description="standard deviations of patches along the cortex, m")
    other_heads: int = Field(0, ge=0, description="heads over which fields spread; 0 takes the fitted one for certain")
    noises: tuple[float, ...] = Field(
        (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
        min_length=1,
        description="variances of noise, as shares of the mean variance over electrodes, to choose from",
    )
    background: float = Field(0.0, ge=0, le=1, description="share of the noise that comes from all over the cortex; the rest is white")
    iterations: int = Field(50, ge=1)
    n_dipoles: int = Field(1500, ge=10)

    @property
    def title(self) -> str:
        """Name it, its dictionary, and whether it knows that heads differ."""
        of_what = {"regions": "", "patches": "patch ", "discs": "disc "}[self.dictionary]
        return f"{of_what}Champagne{', uncertain head' if self.other_heads else ''}"


class Champagne(TunedSolver):
    """Variances of atoms that make the covariance of a window most likely, and the activity that is expected under them.

    Atoms are regions or patches. With their fields d_a, variances v_a and the noise's covariance N, the covariance is
    S = sum_a v_a M_a + N, where M_a = d_a d_a' + E_a, and E_a is how the field spreads over other heads, or zero. Each iteration multiplies
    v_a by sqrt(tr(M_a S^-1 C S^-1) / tr(M_a S^-1)), where C is the window's covariance; activity is v_a d_a' S^-1 y.
    Source: Wipf et al. (2010), "Robust Bayesian estimation of the location, orientation, and time course of multiple correlated neural
    sources using MEG", NeuroImage 49:641-655; the update is that of convex bounding, in Cai et al. (2021), NeuroImage 225:117411, which is
    for any M_a. E_a: own.
    """

    def __init__(self, config: ChampagneConfig, signals: SignalPair) -> None:
        super().__init__(config.noises, signals)
        self.config = config

    def solvers(self, geometry: Geometry, settings: Sequence[float]) -> list[Model]:
        """See the dictionary with the electrodes of one subject."""
        config, field = self.config, cortical_field(geometry, self.config.n_dipoles)
        match config.dictionary:
            case "regions":
                weights_ad = field.mean_rd
            case "patches":
                weights_ad = patch_dictionary(config.n_dipoles, config.centres, config.spreads_m).weights_ad
            case "discs":
                weights_ad = disc_dictionary(config.n_dipoles, config.centres).weights_ad
        atoms = atoms_of(field, input_info(geometry), weights_ad, config.other_heads)
        return [_Champagne(atoms, noise, config, geometry.normaliser) for noise in settings]


class _Champagne(WindowSolver):
    """Champagne of one subject."""

    def __init__(self, atoms: Atoms, noise: float, config: ChampagneConfig, normaliser: Normaliser) -> None:
        super().__init__(atoms, normaliser)
        self.atoms, self.noise, self.iterations = atoms, noise, config.iterations
        white_kk = torch.eye(len(atoms.basis_kc), dtype=atoms.background_kk.dtype)
        self.noise_shape_kk = (1 - config.background) * white_kk + config.background * atoms.background_kk

    def region_map(self, covariance_bkk: torch.Tensor) -> torch.Tensor:
        products_ap = self.atoms.products_ap
        noise_bkk = noise_covariance(self.noise, self.noise_shape_kk, covariance_bkk, self.sizes)
        variance_ba = first_variance(covariance_bkk, products_ap)
        for _ in range(self.iterations):
            found = evidence(variance_ba, products_ap, noise_bkk, covariance_bkk)
            variance_ba = variance_ba * (found.power_ba / found.sensitivity_ba).clamp_min(0).sqrt()
        inverse_bkk = model_inverse(variance_ba, products_ap, noise_bkk)
        return (self.atoms.moments_ra * variance_ba[:, None]) @ self.atoms.field_ka.T @ inverse_bkk
