"""The sequence-to-sequence transformer of Bricman and Borst: electrodes in, slices of a volume out, one after the other.

The published scores are of slices decoded from the true ones before them. Here every evaluation decodes from what was said before.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Predicts
from crossmodal.models.bricman_parts.electrode_tokens import ElectrodeConfig, ElectrodeTokens
from crossmodal.models.bricman_parts.slices import Slices
from crossmodal.models.decoder_layer import DecoderLayer, decode_free
from crossmodal.models.masked_loss import MaskedModel, masked_squared_error
from crossmodal.models.transformer_encoder import positions
from crossmodal.physics.places import Places


class BricmanSeq2seqConfig(ElectrodeConfig):
    """Transformer from electrodes to slices (Bricman and Borst); the defaults are theirs, for 30 s of EEG."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    decoder_layers: int = Field(6, ge=1)
    regions_per_token: int = Field(8, ge=1, description="regions have no slices: so many neighbours in the atlas's order are a token")

    @property
    def title(self) -> str:
        """Name it after its authors."""
        return "Bricman slice by slice"


class BricmanSeq2seq(MaskedModel):
    """Encodes electrodes, and decodes slices along the first axis of the grid, each after those before it.

    A slice enters as a linear map of its voxels, zero outside the targets. Training tells the decoder the true slices before each
    (teacher forcing, under a causal mask); whatever else it is asked, it goes by its own.
    """

    def __init__(self, config: BricmanSeq2seqConfig, signals: SignalPair) -> None:
        super().__init__(signals.target)
        self.electrodes = ElectrodeTokens(config, signals.input)
        self.slices = Slices(signals.target, config.regions_per_token)
        self.start_d = nn.Parameter(torch.randn(config.width))
        self.embedding = nn.Linear(self.slices.n_values, config.width)
        self.position_kd = positions(self.slices.n_tokens, config.width)
        self.decoder = nn.ModuleList(
            DecoderLayer(config.width, config.heads, config.expansion, config.dropout) for _ in range(config.decoder_layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, self.slices.n_values)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1), from the input alone."""
        memory_bcd = self.electrodes(x_bct)
        first_b1d = (self.start_d + self.position_kd[0]).expand(len(x_bct), 1, -1)
        said_bkv = decode_free(self.decoder, memory_bcd, first_b1d, len(self.position_kd), self._entered, self._said)
        return self.slices.join(said_bkv)[..., None]

    def teacher_forced(self, x_bct: torch.Tensor, y_bst: torch.Tensor) -> torch.Tensor:
        """Predict each slice from the true slices before it, shape (batch, n_target, 1): for training, and no prediction."""
        true_bkv = self.slices.cut(y_bst[..., 0])
        start_b1d = self.start_d.expand(len(x_bct), 1, -1)
        h_bkd = torch.cat([start_b1d, self.embedding(true_bkv[:, :-1])], dim=1) + self.position_kd
        memory_bcd = self.electrodes(x_bct)
        for layer in self.decoder:
            h_bkd = layer(h_bkd, h_bkd, memory_bcd, causal=True)
        return self.slices.join(self._said(h_bkd))[..., None]

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Squared error over the brain, teacher-forced in training alone."""
        if not self.training:
            return super().loss_terms(x_bct, y_bst)
        return {"masked_mse": masked_squared_error(self.teacher_forced(x_bct, y_bst), y_bst, self.mask_s)}

    def _entered(self, number: int, before_b1v: torch.Tensor) -> torch.Tensor:
        # What training tells is zero where there is no target; the head may say anything there.
        entered_b1d: torch.Tensor = self.embedding(before_b1v * self.slices.filled_kv[number - 1]) + self.position_kd[number]
        return entered_b1d

    def _said(self, h_bkd: torch.Tensor) -> torch.Tensor:
        said_bkv: torch.Tensor = self.head(self.norm(h_bkd))
        return said_bkv
