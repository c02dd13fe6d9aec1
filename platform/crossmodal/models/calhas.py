"""The network of Calhas and Henriques: from spectra of the EEG to a volume of BOLD, through a latent vector.

Source: "EEG to fMRI Synthesis Benefits from Attentional Graphs of Electrode Relationships" (arXiv 2203.03481), and its authors' code.
"""

from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from crossmodal.config import Config, UserError
from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.models.base import Model, ModelConfig, Predicts
from crossmodal.models.calhas_parts.attention import TopographicalAttention, neglect
from crossmodal.models.calhas_parts.decoders import DctDecoder, Decoder, DenseDecoder
from crossmodal.models.calhas_parts.random_fourier import RandomFourierFeatures
from crossmodal.models.calhas_parts.res_blocks import Block, PaperBlock, ResEncoder
from crossmodal.models.calhas_parts.target_encoder import build_target_encoder
from crossmodal.models.calhas_parts.variational_dct import VariationalDctDecoder
from crossmodal.physics.places import Places
from crossmodal.transforms.tr_spectra import TrSpectra

# Of spectra of 64 electrodes, 134 frequencies and 10 TRs.
_BLOCKS = (
    PaperBlock(size=(64, 134, 10), kernel=(7, 37, 2), stride=(3, 5, 1)),
    PaperBlock(size=(19, 19, 9), kernel=(7, 7, 2), stride=(2, 2, 1)),
)
_POOL = (2, 2, 1)
_SAME_TR_S = 1e-3


class Dense(Config):
    """A weight for each latent number and target: 42.3 million from 343 numbers to 64 x 64 x 30 voxels."""

    kind: Literal["dense"] = "dense"


class Dct(Config):
    """The lower half of the volume's cosine coefficients along each axis, the upper ones zero; voxels only."""

    kind: Literal["dct"] = "dct"


class VariationalDct(Config):
    """As `dct`, with distributions of the upper coefficients and of each voxel; voxels only."""

    kind: Literal["variational_dct"] = "variational_dct"
    heads: int = Field(20, ge=1, description="angles that all upper coefficients follow from")


class CalhasConfig(ModelConfig):
    """Residual network from spectra of the EEG to BOLD (Calhas and Henriques, arXiv 2203.03481).

    The defaults are the paper's best row: topographical attention, random Fourier features and a dense decoder.
    """

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    tr_s: float | None = Field(None, gt=0, description="of the spectra, s; None is the volumes', and any other than that is refused")
    frequencies: int = Field(134, ge=1, description="at most so many, 1 / TR apart from 1 / TR on; fewer where Nyquist's comes before")
    attention: bool = Field(True, description="among electrodes, ahead of the encoder")
    attention_regulariser: float = Field(0.0, ge=0, description="weight in the loss of -sum_j log(sum_i W_ij)")
    blocks: tuple[Block, ...] | None = Field(None, min_length=1, description="of the encoder; None scales the paper's to the input")
    block_channels: int = Field(4, ge=1, description="of the convolutions in all blocks")
    latent: int = Field(343, ge=1, description="length of the latent vector")
    projection: Literal["linear", "random_fourier"] = Field("random_fourier", description="of the latent vector")
    style: Literal["none", "learned", "attention"] = Field(
        "attention",
        description="what the projected vector is multiplied by: one, a learned vector, or a linear map of the attention's weights",
    )
    decoder: Annotated[Dense | Dct | VariationalDct, Field(discriminator="kind")] = Dense()
    alignment: float = Field(1.0, ge=0, description="weight in the loss of 1 - cos between latent vectors of EEG and BOLD")
    alignment_dropout: float = Field(0.5, ge=0, lt=1, description="of the latent vector of BOLD")

    @property
    def title(self) -> str:
        """Name it by its authors, and by what their table tells apart."""
        projection = {"linear": "linear", "random_fourier": "random Fourier features"}[self.projection]
        return f"Calhas & Henriques, {'attention, ' * self.attention}{projection}"

    @model_validator(mode="after")
    def _style_has_a_source(self) -> Self:
        if self.style == "attention" and not self.attention:
            raise ValueError("style: attention needs attention: true; choose none or learned without it")
        return self


class Calhas(Model):
    """Spectra, attention among electrodes, residual blocks, latent vector, projection, style, decoder.

    The spectra are of the whole TRs that end with the window. In training, an encoder of BOLD is learned beside it, and latent vectors of
    both are drawn together. What validation watches is the decoder's part of the loss alone: the rest shapes the network and is no score.
    With 64 electrodes, 134 frequencies, 10 TRs and 64 x 64 x 30 voxels, the default has 44.2 million parameters when it is published.
    """

    training_only = ("target_encoder",)

    def __init__(self, config: CalhasConfig, signals: SignalPair) -> None:
        super().__init__()
        self.spectra, n_trs = _spectra(config, signals)
        n_channels, n_frequencies = signals.input.n_channels, self.spectra.n_frequencies
        self.n_samples = n_trs * self.spectra.n_window
        self.attention = TopographicalAttention(n_channels, n_frequencies * n_trs) if config.attention else None
        self.encoder = ResEncoder((n_channels, n_frequencies, n_trs), config.blocks or _BLOCKS, _POOL, config.block_channels, config.latent)
        is_linear = config.projection == "linear"
        self.projection = nn.Linear(config.latent, config.latent) if is_linear else RandomFourierFeatures(config.latent, config.latent)
        self.attention_style = nn.Linear(n_channels**2, config.latent, bias=False) if config.style == "attention" else None
        self.learned_style_d = nn.Parameter(torch.ones(config.latent)) if config.style == "learned" else None
        self.decoder = _decoder(config, signals.target)
        self.regulariser, self.alignment = config.attention_regulariser, config.alignment
        self.target_encoder = None
        if config.alignment:
            self.target_encoder = build_target_encoder(signals.target, config.block_channels, config.latent, config.alignment_dropout)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        x_bcfm, weight_bcc = self._attend(x_bct)
        y_bs: torch.Tensor = self.decoder(self._styled(self.encoder(x_bcfm), weight_bcc))
        return y_bs[..., None]

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """The decoder's terms, mostly the mean absolute error; in training also attention and alignment, each by its weight."""
        x_bcfm, weight_bcc = self._attend(x_bct)
        z_bd, y_bs = self.encoder(x_bcfm), y_bst[..., 0]
        terms: dict[str, torch.Tensor] = self.decoder.loss_terms(self._styled(z_bd, weight_bcc), y_bs)
        if not self.training:
            return terms
        if weight_bcc is not None and self.regulariser:
            terms["attention"] = self.regulariser * neglect(weight_bcc)
        if self.target_encoder is not None:
            terms["alignment"] = self.alignment * (1 - torch.cosine_similarity(z_bd, self.target_encoder(y_bs))).mean()
        return terms

    def _attend(self, x_bct: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Spectra, shape (batch, electrodes, frequencies, TRs), and weights of the attention."""
        x_bcfm = self.spectra(x_bct[..., -self.n_samples :])
        return (x_bcfm, None) if self.attention is None else self.attention(x_bcfm)

    def _styled(self, z_bd: torch.Tensor, weight_bcc: torch.Tensor | None) -> torch.Tensor:
        """Project the latent vector, and multiply it by its style."""
        projected_bd: torch.Tensor = self.projection(z_bd)
        if self.attention_style is not None:
            assert weight_bcc is not None
            return projected_bd * self.attention_style(weight_bcc.flatten(1))
        return projected_bd if self.learned_style_d is None else projected_bd * self.learned_style_d


def _spectra(config: CalhasConfig, signals: SignalPair) -> tuple[TrSpectra, int]:
    """What makes spectra, and the number of whole TRs in a window."""
    sfreq, tr_s, length_s = signals.input.sfreq, 1 / signals.target.sfreq, signals.input.n_times / signals.input.sfreq
    if config.tr_s is not None and abs(config.tr_s - tr_s) > _SAME_TR_S:
        raise UserError(f"model.tr_s: spectra of {config.tr_s:g} s do not go with volumes every {tr_s:g} s; leave it out or set {tr_s:g}")
    spectra = TrSpectra(sfreq, tr_s, min(config.frequencies, round(tr_s * sfreq) // 2))
    n_trs = signals.input.n_times // spectra.n_window
    if not n_trs:
        raise UserError(f"data.windows.length_s: {length_s:g} s hold no spectrum of a TR of {tr_s:g} s; make windows longer, as 10 TRs")
    return spectra, n_trs


def _decoder(config: CalhasConfig, target: SignalSpec) -> Decoder:
    decoder = config.decoder
    if isinstance(decoder, Dense):
        return DenseDecoder(config.latent, target.n_channels)
    if target.space.kind != "voxels":
        raise UserError(f"model.decoder.kind: {decoder.kind} makes voxels, and the targets are {target.space.kind}; choose dense")
    return DctDecoder(config.latent, target) if isinstance(decoder, Dct) else VariationalDctDecoder(config.latent, target, decoder.heads)
