"""Synaptech-Net: a U-Net over (frequency x time) with a BiLSTM bridge.

Source: "Super-Resoluting BCIs Via Cross-Modal Transfer" (Synaptech), section 3.1.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair
from crossmodal.models.base import Model, ModelConfig
from crossmodal.models.bridge import Bridge
from crossmodal.models.input_skip import InputSkip, InputSkipConfig
from crossmodal.models.representations import Representation, TargetRepresentation, Waveform, build_representation
from crossmodal.models.unet import DecoderBlock, EncoderBlock
from crossmodal.physics.places import Places


class SynaptechNetConfig(ModelConfig):
    """U-Net over (frequency x time) with a BiLSTM bridge (Synaptech paper, section 3.1).

    The defaults are the paper's. InstanceNorm takes the amplitude of every window away; `norm: none` keeps it, and an
    `input_skip` adds the linear map that most of a waveform's prediction is.
    """

    representation: Representation = Waveform()
    target: TargetRepresentation = Waveform()
    widths: tuple[int, ...] = Field((128, 256, 512, 512), min_length=1)
    kernel: int = Field(3, ge=1, description="odd")
    negative_slope: float = Field(0.2, ge=0)
    norm: Literal["instance", "none"] = "instance"
    dropout: float = Field(0.2, ge=0, lt=1)
    bridge_hidden: int = Field(512, ge=1, description="a direction")
    bridge_layers: int = Field(2, ge=0)
    bridge_dropout: float = Field(0.2, ge=0, lt=1)
    input_skip: InputSkipConfig | None = Field(None, description="the U-Net's outermost skip, from the input straight to the output")

    @property
    def title(self) -> str:
        """Name it as its authors do."""
        return "Synaptech-Net"

    @property
    def predicts_waveforms(self) -> bool:
        """Bands are no waveforms."""
        return self.target.kind == "waveform"


class SynaptechNet(Model):
    """Electrodes are input channels, sensors output channels; the frequency axis collapses in the head.

    Where the representation has fewer rows than 2^depth, only time is pooled; with a single row every kernel is one row
    high, since the others would see nothing but padding. Lengths that 2^depth does not divide are padded with zeros and
    cropped. With 74 electrodes, 102 sensors and the waveform this is 16.8 million parameters.
    """

    def __init__(self, config: SynaptechNetConfig, signals: SignalPair) -> None:
        super().__init__()
        _check(config)
        self.n_target = signals.target.n_channels
        self.rows = build_representation(config.representation, signals.input.sfreq)
        self.target_rows = build_representation(config.target, signals.input.sfreq)
        single_row = self.rows.n_rows == 1
        depth = len(config.widths)
        pool = (2 if self.rows.n_rows >= 2**depth else 1, 2)
        self.multiples = (pool[0] ** depth, pool[1] ** depth)
        n_rows = self.rows.n_rows + -self.rows.n_rows % self.multiples[0]
        instance_norm = config.norm == "instance"

        kernel = (1 if single_row else config.kernel, config.kernel)
        inputs = (signals.input.n_channels * self.rows.n_parts, *config.widths)
        self.encoder = nn.ModuleList(
            EncoderBlock(n_in, n_out, kernel, pool, instance_norm, config.negative_slope, config.dropout)
            for n_in, n_out in zip(inputs, config.widths, strict=False)
        )
        n_bridge = config.widths[-1] * n_rows // self.multiples[0]
        self.bridge = Bridge(n_bridge, config.bridge_hidden, config.bridge_layers, config.bridge_dropout)
        outputs = config.widths[::-1]
        inputs = (outputs[0], *(2 * width for width in outputs))
        self.decoder = nn.ModuleList(
            DecoderBlock(n_in, n_out, pool, single_row, instance_norm) for n_in, n_out in zip(inputs, outputs, strict=False)
        )
        self.head = nn.Conv2d(2 * config.widths[0], signals.target.n_channels * self.target_rows.n_rows, (n_rows, 1))
        self.input_skip = None
        if config.input_skip is not None:
            self.input_skip = InputSkip(config.input_skip, signals.input.n_channels, signals.target.n_channels, signals.input.sfreq)
            # The linear path learns first; the U-Net starts as no correction at all.
            nn.init.zeros_(self.head.weight)
            assert self.head.bias is not None
            nn.init.zeros_(self.head.bias)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict (batch, n_target, n_times), or (batch, n_target, n_bands, n_times) of a band target."""
        n_times = x_bct.shape[-1]
        h_bcft = self.rows(x_bct)
        h_bcft = nn.functional.pad(h_bcft, (0, -n_times % self.multiples[1], 0, -self.rows.n_rows % self.multiples[0]))
        skips = []
        for encode in self.encoder:
            skip_bcft, h_bcft = encode(h_bcft)
            skips.append(skip_bcft)
        h_bcft = self.bridge(h_bcft)
        for decode in self.decoder:
            h_bcft = decode(h_bcft, skips.pop())
        y_bst = self.head(h_bcft)[:, :, 0, :n_times]
        if self.input_skip is not None:
            y_bst = y_bst + self.input_skip(x_bct)
        n_rows = self.target_rows.n_rows
        return y_bst if n_rows == 1 else y_bst.unflatten(1, (self.n_target, n_rows))

    def loss_terms(self, x_bct: torch.Tensor, y_bst: torch.Tensor, places: Places | None = None) -> dict[str, torch.Tensor]:
        """Mean squared error against the target's waveform, or its band amplitudes where those are predicted."""
        wanted_bsnt = self.target_rows(y_bst)
        return {"mse": nn.functional.mse_loss(self(x_bct), wanted_bsnt if self.target_rows.n_rows > 1 else y_bst)}


def _check(config: SynaptechNetConfig) -> None:
    if config.kernel % 2 == 0 or (config.input_skip is not None and config.input_skip.taps % 2 == 0):
        raise UserError("model.kernel and model.input_skip.taps must be odd, so that an output sample lies on its input sample")
    if config.input_skip is not None and not config.predicts_waveforms:
        raise UserError("model.input_skip predicts waveforms; set model.target to waveform, or drop the skip")
