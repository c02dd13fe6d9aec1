"""What is known of one shard without opening it."""

from base64 import b64decode
from operator import not_

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crossmodal.config import Config
from crossmodal.datasets.landmarks import BYTES
from crossmodal.datasets.volumes import BOLD, VolumesEntry


class ShardEntry(Config):
    """What is known of one shard without opening it."""

    # Where a shard lies is not what it is: the place is neither stored nor fingerprinted, and `load` fills it in.
    uri: str = Field(exclude=True)
    subject: str
    run: str
    # Left out where there is none, as datasets are named that were published before sessions were kept.
    session: str = Field("", exclude_if=not_, description="on which day or occasion it was recorded; empty where the source tells none")
    fingerprint: str = Field(description="names the shard: its source's identity and its preprocessing")
    n_samples: int = Field(ge=1)
    sfreq: float = Field(gt=0, description="Hz")
    size_bytes: int
    sha256: str = Field(description="of the listing of its files and their checksums")
    samples: dict[str, str] = Field(description="sha256 of the samples by modality: no two recordings have the same")
    channels: dict[str, tuple[str, ...]] = Field(description="names by modality, in column order")
    types: dict[str, tuple[str, ...]] = Field(description="types by modality, in column order")
    lost: dict[str, float] = Field({}, description="share of its samples that are masked, by the first cause that masks them")
    volumes: VolumesEntry | None = Field(None, description="BOLD recorded meanwhile")
    # Large beside the rest, and nothing that a dataset is told by.
    landmarks: dict[str, str] = Field(
        {}, exclude=True, repr=False, description="of its traces by modality, in base64: what its copies share"
    )

    @property
    def label(self) -> str:
        """What sentences call this recording."""
        return f"sub-{self.subject} run {self.run}"

    def codes(self, modality: str) -> NDArray[np.uint8]:
        """Give the landmarks of a modality, shape (n, BYTES)."""
        return np.frombuffer(b64decode(self.landmarks[modality]), dtype=np.uint8).reshape(-1, BYTES)

    @property
    def modalities(self) -> tuple[str, ...]:
        """What was recorded."""
        return (*self.channels, *((BOLD,) if self.volumes else ()))
