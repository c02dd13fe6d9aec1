"""Between SI units and a model's units, channel by channel."""

from typing import Any

import torch
from torch import nn

from crossmodal.transforms.logarithms import Log1p


class ChannelScaling(nn.Module):
    """An affine map of each channel, then a mixing of channels (whitening) or log1p where asked for.

    Values outside the fitted range are scaled like any other; log1p clips what lies below the fitted minimum and counts it.

    Attributes
    ----------
    offset_c, scale_c : float32 tensors, shape (C,)
        The affine part is `x * scale_c + offset_c`.
    mixing_cc, unmixing_cc : float32 tensors, shape (C, C), or None
        Whitening and its inverse on the whitened directions.
    log1p : Log1p or None
    """

    offset_c: torch.Tensor
    scale_c: torch.Tensor
    mixing_cc: torch.Tensor | None
    unmixing_cc: torch.Tensor | None

    def __init__(
        self,
        offset_c: torch.Tensor,
        scale_c: torch.Tensor,
        mixing_cc: torch.Tensor | None = None,
        unmixing_cc: torch.Tensor | None = None,
        log1p: bool = False,
    ) -> None:
        super().__init__()
        self.register_buffer("offset_c", offset_c.float())
        self.register_buffer("scale_c", scale_c.float())
        self.register_buffer("mixing_cc", None if mixing_cc is None else mixing_cc.float())
        self.register_buffer("unmixing_cc", None if unmixing_cc is None else unmixing_cc.float())
        self.log1p = Log1p() if log1p else None

    @property
    def clipped(self) -> int:
        """Values that log1p clipped so far."""
        return self.log1p.clipped if self.log1p is not None else 0

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        """From SI units to a model's, shape (batch, C, time)."""
        return self.after_affine(x_bct * self.scale_c[:, None] + self.offset_c[:, None])

    def after_affine(self, x_bct: torch.Tensor) -> torch.Tensor:
        """Do what follows the affine part, which the reader does while it copies."""
        if self.mixing_cc is not None:
            return self.mixing_cc @ x_bct
        return x_bct if self.log1p is None else self.log1p(x_bct)

    def inverse(self, x_bct: torch.Tensor) -> torch.Tensor:
        """From a model's units to SI, shape (batch, C, time), in the dtype given."""
        if self.unmixing_cc is not None:
            x_bct = self.unmixing_cc.to(x_bct.dtype) @ x_bct
        if self.log1p is not None:
            x_bct = self.log1p.inverse(x_bct)
        return (x_bct - self.offset_c[:, None]) / self.scale_c[:, None]

    def to_plain(self) -> dict[str, Any]:
        """Everything as what JSON can hold."""
        tensors = {name: None if tensor is None else tensor.tolist() for name, tensor in self._buffers.items()}
        return {**tensors, "log1p": self.log1p is not None}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "ChannelScaling":
        """Undo `to_plain`."""
        arguments: dict[str, Any] = {name: torch.tensor(value) if isinstance(value, list) else value for name, value in plain.items()}
        return cls(**arguments)


class Normaliser(nn.Module):
    """Scaling of input and target, as a fold was fitted with."""

    def __init__(self, input: ChannelScaling, target: ChannelScaling) -> None:
        super().__init__()
        self.input = input
        self.target = target

    def to_plain(self) -> dict[str, Any]:
        """Everything as what JSON can hold."""
        return {"input": self.input.to_plain(), "target": self.target.to_plain()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Normaliser":
        """Undo `to_plain`."""
        return cls(ChannelScaling.from_plain(plain["input"]), ChannelScaling.from_plain(plain["target"]))
