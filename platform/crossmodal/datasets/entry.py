"""What is known of one shard without opening it."""

from pydantic import Field

from crossmodal.config import Config
from crossmodal.datasets.volumes import BOLD, VolumesEntry


class ShardEntry(Config):
    """What is known of one shard without opening it."""

    # Where a shard lies is not what it is: the place is neither stored nor fingerprinted, and `load` fills it in.
    uri: str = Field(exclude=True)
    subject: str
    run: str
    fingerprint: str = Field(description="names the shard: its source's identity and its preprocessing")
    n_samples: int = Field(ge=1)
    sfreq: float = Field(gt=0, description="Hz")
    size_bytes: int
    sha256: str = Field(description="of the listing of its files and their checksums")
    samples: dict[str, str] = Field(description="sha256 of the samples by modality: no two recordings have the same")
    channels: dict[str, tuple[str, ...]] = Field(description="names by modality, in column order")
    types: dict[str, tuple[str, ...]] = Field(description="types by modality, in column order")
    volumes: VolumesEntry | None = Field(None, description="BOLD recorded meanwhile")

    @property
    def label(self) -> str:
        """What sentences call this recording."""
        return f"sub-{self.subject} run {self.run}"

    @property
    def modalities(self) -> tuple[str, ...]:
        """What was recorded."""
        return (*self.channels, *((BOLD,) if self.volumes else ()))
