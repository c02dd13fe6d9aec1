"""A U-Net from a spectrogram of the EEG to the slices of a volume, in the setting of E2fNet (2025).

Source: that paper's setting as its public README describes it: spectra of 20 successive steps of each electrode, two-dimensional
convolutions over electrodes and frequencies, a U-Net, slices. Layers and sizes are ours, except for the 20 steps of 249 frequencies.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from crossmodal.config import UserError
from crossmodal.config.signal_spec import SignalPair, Voxels
from crossmodal.models.base import ModelConfig, Predicts
from crossmodal.models.masked_loss import MaskedModel
from crossmodal.models.scaled_spectra import ScaledSpectra
from crossmodal.models.unet import DecoderBlock, EncoderBlock
from crossmodal.models.voxel_box import VoxelBox

_POOL = (2, 2)


class SpectrogramUnetConfig(ModelConfig):
    """U-Net from spectra of electrodes to slices (the setting of E2fNet)."""

    predicts: ClassVar[tuple[Predicts, ...]] = ("volumes",)

    steps: int = Field(20, ge=1, description="successive parts of the window, a spectrum each")
    frequencies: int = Field(249, ge=1, description="of each spectrum, from the lowest; no more than half a step's samples")
    front_width: int = Field(64, ge=1, description="channels of the convolutions over electrodes and frequencies")
    widths: tuple[int, ...] = Field((64, 128, 256, 512), min_length=1, description="of the U-Net")
    negative_slope: float = Field(0.2, ge=0)
    dropout: float = Field(0.2, ge=0, lt=1)
    region_plane: tuple[int, int] = Field(
        (16, 16),
        description="regions have no slices: each is the mean over a plane of this size; of voxels, the plane is that of their box",
    )

    @property
    def title(self) -> str:
        """Say what it is."""
        return "spectrogram U-Net"


class SpectrogramUnet(MaskedModel):
    """Steps are channels of an image of electrodes by frequencies, which is stretched to the plane of slices; slices are output channels.

    Blocks have no normalisation, since it would take away how strong a window's power is.
    """

    def __init__(self, config: SpectrogramUnetConfig, signals: SignalPair) -> None:
        super().__init__(signals.target)
        n_step = signals.input.n_times // config.steps
        if n_step < 2:
            raise UserError(
                f"model.steps: a window of {signals.input.n_times} samples has no {config.steps} steps of 2 or more; ask for fewer or"
                " lengthen data.windows.length_s"
            )
        n_frequencies = min(config.frequencies, n_step // 2)
        self.spectra = ScaledSpectra(signals.input.n_channels, n_step, n_frequencies, config.steps * n_step)
        self.n_times = config.steps * n_step
        width = config.front_width
        self.front = nn.Sequential(_front_layer(config.steps, width), _front_layer(width, width))
        self.box = VoxelBox(signals.target) if isinstance(signals.target.space, Voxels) else None
        x, y, n_slices = self.box.shape if self.box is not None else (*config.region_plane, signals.target.n_channels)
        multiple = 2 ** len(config.widths)
        self.plane, self.padded = (x, y), (x + -x % multiple, y + -y % multiple)
        self.encoder = nn.ModuleList(
            EncoderBlock(n_in, n_out, (3, 3), _POOL, False, config.negative_slope, config.dropout)
            for n_in, n_out in zip((width, *config.widths), config.widths, strict=False)
        )
        outputs = config.widths[::-1]
        inputs = (outputs[0], *(2 * n_out for n_out in outputs))
        self.decoder = nn.ModuleList(DecoderBlock(n_in, n_out, _POOL, False, False) for n_in, n_out in zip(inputs, outputs, strict=False))
        self.head = nn.Conv2d(2 * config.widths[0], n_slices, 1)

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Predict the volume after each window, shape (batch, n_target, 1)."""
        h_bkcf = self.front(self.spectra(x_bct[..., x_bct.shape[-1] - self.n_times :]))
        h_bkxy = nn.functional.interpolate(h_bkcf, self.padded, mode="bilinear")
        skips = []
        for encode in self.encoder:
            skip_bkxy, h_bkxy = encode(h_bkxy)
            skips.append(skip_bkxy)
        for decode in self.decoder:
            h_bkxy = decode(h_bkxy, skips.pop())
        slices_bzxy: torch.Tensor = self.head(h_bkxy)[..., : self.plane[0], : self.plane[1]]
        y_bs = slices_bzxy.mean((2, 3)) if self.box is None else self.box.take(slices_bzxy.permute(0, 2, 3, 1))
        return y_bs[..., None]


def _front_layer(n_in: int, n_out: int) -> nn.Sequential:
    """A convolution, and half as many frequencies."""
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.AvgPool2d((1, 2), ceil_mode=True))
