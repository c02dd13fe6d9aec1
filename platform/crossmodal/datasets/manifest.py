"""The recordings that make a dataset: what each shard holds, and that they belong together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Self, TypeVar

from pydantic import Field

from crossmodal.config import Config, UserError, fingerprint
from crossmodal.datasets.volumes import BOLD, VolumesEntry
from crossmodal.storage.uri import exists, join, read_bytes, read_json, write_bytes, write_json

_Value = TypeVar("_Value")


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


class Manifest(Config):
    """A dataset: shards with the same channels and sampling rate, ordered by subject and run."""

    preprocessing: str = Field(description="fingerprint of the preprocessing settings")
    entries: tuple[ShardEntry, ...]

    @classmethod
    def of(cls, entries: Iterable[ShardEntry], preprocessing: str) -> Self:
        """Put shards together.

        Raises
        ------
        UserError
            There is none, one comes twice, or one differs from most others in sampling rate or channels; the sentence names it.
        """
        ordered = tuple(sorted(entries, key=lambda entry: (entry.subject, entry.run)))
        if not ordered:
            raise UserError("no recording became a shard; see the errors of preprocessing")
        _check_unique(ordered)
        _check_sampling(ordered)
        for modality in sorted({modality for entry in ordered for modality in entry.channels}):
            _check_channels(ordered, modality)
        _check_volumes(ordered)
        return cls(preprocessing=preprocessing, entries=ordered)

    @property
    def fingerprint(self) -> str:
        """The dataset's name: equal content has an equal one wherever it is stored."""
        return fingerprint(self)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects in order."""
        return tuple(dict.fromkeys(entry.subject for entry in self.entries))

    @property
    def shards(self) -> frozenset[str]:
        """Fingerprints of the recordings' shards: a dataset that has grown still has all that it had."""
        return frozenset(entry.fingerprint for entry in self.entries)


def shard_uri(store: str, shard_fingerprint: str) -> str:
    """Where a store keeps a shard."""
    return join(store, "shards", shard_fingerprint)


def publish(manifest: Manifest, store: str, config_fingerprint: str) -> str:
    """Store a manifest under its content's name, then point the settings that made it to it; return the name."""
    write_json(join(store, "datasets", f"{manifest.fingerprint}.json"), manifest.model_dump(mode="json"))
    write_bytes(join(store, "datasets", f"{config_fingerprint}.ref"), manifest.fingerprint.encode())
    return manifest.fingerprint


def remember_last(store: str, experiment: str, name: str) -> None:
    """Note which manifest an experiment published last, whatever its settings were."""
    write_bytes(_last(store, experiment), name.encode())


def load_last(store: str, experiment: str) -> Manifest | None:
    """Read the manifest that an experiment of this name published last; None when it never did."""
    pointer = _last(store, experiment)
    return load(store, read_bytes(pointer).decode()) if exists(pointer) else None


def _last(store: str, experiment: str) -> str:
    return join(store, "datasets", f"{experiment}.last")


def is_published(store: str, name: str) -> bool:
    """Whether a store holds a manifest of this name."""
    return exists(join(store, "datasets", f"{name}.json"))


def load(store: str, name: str) -> Manifest:
    """Read a manifest by its name.

    Raises
    ------
    UserError
        The store does not hold it.
    """
    uri = join(store, "datasets", f"{name}.json")
    try:
        document = read_json(uri)
    except FileNotFoundError:
        raise UserError(f"{uri}: the dataset is no longer there; run jobs/preprocess.py on its recordings again") from None
    for entry in document["entries"]:
        entry["uri"] = shard_uri(store, entry["fingerprint"])
    return Manifest.model_validate(document)


def load_latest(store: str, config_fingerprint: str) -> Manifest:
    """Read the manifest published last for some settings of recordings and preprocessing."""
    pointer = join(store, "datasets", f"{config_fingerprint}.ref")
    if not exists(pointer):
        raise UserError(f"{store}: holds no dataset for these recordings and preprocessing settings; run jobs/preprocess.py first")
    return load(store, read_bytes(pointer).decode())


def _check_unique(entries: Sequence[ShardEntry]) -> None:
    for before, after in pairwise(entries):
        if (before.subject, before.run) == (after.subject, after.run):
            raise UserError(f"{after.label} comes from two recordings; give each its own run")


def _check_sampling(entries: Sequence[ShardEntry]) -> None:
    usual = _most_common([entry.sfreq for entry in entries])
    for entry in entries:
        if entry.sfreq != usual:
            rates = f"{entry.sfreq:g} Hz, the others at {usual:g} Hz"
            raise UserError(f"{entry.label} is sampled at {rates}; set preprocessing.sfreq or leave it out")


def _check_channels(entries: Sequence[ShardEntry], modality: str) -> None:
    usual = _most_common([_typed_channels(entry, modality) for entry in entries])
    for entry in entries:
        channels = _typed_channels(entry, modality)
        if channels != usual:
            difference = _difference(channels, usual, modality.upper())
            raise UserError(f"{entry.label} {difference}; leave it out, or retype or interpolate so that all agree")


def _check_volumes(entries: Sequence[ShardEntry]) -> None:
    usual = _most_common([_targets(entry) for entry in entries])
    other = next(entry for entry in entries if _targets(entry) == usual)
    for entry in entries:
        if _targets(entry) != usual:
            advice = "give preprocessing.bold a grid, a mask or an atlas in one space, or leave it out"
            raise UserError(f"{entry.label} has {_described(entry)}, the others have {_described(other)}; {advice}")


def _described(entry: ShardEntry) -> str:
    return entry.volumes.describe() if entry.volumes else "no BOLD"


def _targets(entry: ShardEntry) -> tuple[str, float] | None:
    return (entry.volumes.targets, round(entry.volumes.tr_s, 3)) if entry.volumes else None


def _typed_channels(entry: ShardEntry, modality: str) -> tuple[tuple[str, str], ...]:
    return tuple(zip(entry.channels.get(modality, ()), entry.types.get(modality, ()), strict=True))


def _most_common(values: Sequence[_Value]) -> _Value:
    return Counter(values).most_common(1)[0][0]


def _difference(channels: tuple[tuple[str, str], ...], usual: tuple[tuple[str, str], ...], modality: str) -> str:
    own, others = dict(channels), dict(usual)
    missing = [name for name in others if name not in own]
    extra = [name for name in own if name not in others]
    retyped = [f"{name} ({own[name]}, not {others[name]})" for name in own if others.get(name, own[name]) != own[name]]
    clauses = [f"lacks {', '.join(missing)}"] * bool(missing)
    clauses += [f"has {', '.join(extra)} besides"] * bool(extra)
    clauses += [f"has other types for {', '.join(retyped)}"] * bool(retyped)
    differences = " and ".join(clauses) or "has them in another order"
    return f"differs from the other recordings in its {modality} channels: it {differences}"
