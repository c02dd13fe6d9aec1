"""The recordings that make a dataset: what each shard holds, and that they belong together."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Self

from pydantic import Field

from crossmodal.config import Config, UserError, fingerprint
from crossmodal.config.data import Part
from crossmodal.datasets.agreement import traits_of, usual
from crossmodal.datasets.entry import ShardEntry
from crossmodal.storage.uri import exists, join, read_bytes, read_json, write_bytes, write_json


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
            There is none, one comes twice, or one differs from most others in sampling rate, channels or volumes; the sentence names it.
        """
        ordered = tuple(sorted(entries, key=lambda entry: (entry.subject, entry.run)))
        if not ordered:
            raise UserError("no recording became a shard; see the errors of preprocessing")
        _check_unique(ordered)
        for trait in traits_of(ordered):
            most = usual(trait, ordered)
            for entry in ordered:
                if trait.value(entry) != trait.value(most):
                    raise UserError(f"{entry.label} {trait.difference(entry, most)}")
        # As it is read again.
        return cls(preprocessing=preprocessing, entries=tuple(entry.model_copy(update={"landmarks": {}}) for entry in ordered))

    @property
    def fingerprint(self) -> str:
        """The dataset's name: equal content has an equal one wherever it is stored."""
        return fingerprint(self)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects in order."""
        return tuple(dict.fromkeys(entry.subject for entry in self.entries))

    @property
    def durations_s(self) -> dict[Part, float]:
        """How long each recording lasts, s."""
        return {Part(subject=entry.subject, session=entry.session, run=entry.run): entry.n_samples / entry.sfreq for entry in self.entries}

    @property
    def shards(self) -> frozenset[str]:
        """Fingerprints of the recordings' shards: a dataset that has grown still has all that it had."""
        return frozenset(entry.fingerprint for entry in self.entries)


class SimulatedManifest(Manifest):
    """A dataset without shards, whose samples are made when they are asked for; `preprocessing` is the fingerprint of how.

    Attributes
    ----------
    labels : tuple of str
        Of the simulated subjects.
    """

    labels: tuple[str, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects in order."""
        return self.labels

    @property
    def durations_s(self) -> dict[Part, float]:
        """Samples of a subject never end."""
        return {Part(subject=label, run="01"): float("inf") for label in self.labels}


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


def shares_recordings(store: str, name: str, manifest: Manifest) -> bool | None:
    """Tell whether a dataset has recordings in common with another; None where it was deleted, so that nobody can tell."""
    return bool(load(store, name).shards & manifest.shards) if is_published(store, name) else None


def _check_unique(entries: Sequence[ShardEntry]) -> None:
    for before, after in pairwise(entries):
        if (before.subject, before.run) == (after.subject, after.run):
            raise UserError(f"{after.label} comes from two recordings; give each its own run")
