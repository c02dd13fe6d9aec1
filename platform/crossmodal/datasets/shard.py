"""A recording on disk: Arrow files that memory-map, whole or absent, with checksums."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.signal_spec import Sensors, Space
from crossmodal.datasets import arrow
from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.half import Half
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.signal_file import StoredAs, StoredBlock, map_signal, write_signal
from crossmodal.datasets.statistics import ChannelStatistics
from crossmodal.datasets.trace_files import write_traces
from crossmodal.datasets.volumes import BOLD, StoredVolumes, Volumes, write_volumes
from crossmodal.storage.atomic import new_folder
from crossmodal.storage.uri import join, read_json

# Written last: a folder that has it is complete.
LAST_FILE = "shard.json"
# A shard of another format is made again.
FORMAT = 5
_AGAIN = "delete the folder and run jobs/preprocess.py again"
# Fields of an mne.Info that tell who was recorded, by whom or when.
_WHO = ("subject_info", "experimenter", "helium_info", "proj_id", "proj_name", "description")
_WHEN = ("meas_date", "meas_id", "file_id", "acq_pars")


def write_shard(recording: Recording, folder: Path, stored_as: StoredAs = "float32") -> ShardEntry:
    """Write a recording as a shard.

    Parameters
    ----------
    recording : Recording
        All samples finite; at least one good.
    folder : Path
        Named by the shard's fingerprint. When it exists already it stays as it is.
    stored_as : str
        'float16' takes half the room of 'float32' and rounds to eleven bits.

    Returns
    -------
    ShardEntry
        Of the shard that lies in `folder`.
    """
    signals = {modality: signal.ordered_by_type() for modality, signal in recording.signals.items()}
    _check(recording, signals)
    with new_folder(folder) as aside:
        for signal in signals.values():
            write_signal(signal, recording, stored_as, aside)
        if recording.volumes:
            about = {"subject": recording.subject, "run": recording.run, "provenance": recording.provenance}
            write_volumes(recording.volumes, about, aside)
        _write_events(recording.events, aside / "events.arrow")
        arrow.write(aside / "good.arrow", pa.table({"good": recording.good}))
        _write_info(recording.info, [name for signal in signals.values() for name in signal.names], aside / "info.fif")
        for name, png in recording.figures.items():
            (aside / f"{name}.png").write_bytes(png)
        landmarks = write_traces(recording, aside)
        _write_listing(recording, signals, landmarks, folder.name, aside)
    return read_entry(str(folder))


def read_entry(uri: str) -> ShardEntry:
    """Read what is known of a published shard, local or remote."""
    return _entry(uri, read_json(join(uri, LAST_FILE)))


def read_key(uri: str) -> dict[str, Any]:
    """Read all that a published shard's fingerprint was taken from."""
    return read_json(join(uri, LAST_FILE))["key"]


class Shard:
    """A shard in a local folder, memory-mapped when first read.

    It travels to another process as its folder's name.
    """

    def __init__(self, folder: Path, entry: ShardEntry) -> None:
        self.folder = folder
        self.entry = entry
        self._signals: dict[str, dict[str, StoredBlock]] = {}

    @classmethod
    def open(cls, folder: Path, verify: bool = False) -> "Shard":
        """Open a shard.

        Parameters
        ----------
        folder : Path
            A local folder, as the node cache returns it.
        verify : bool
            Read every file and compare its checksum; otherwise only sizes are compared.

        Raises
        ------
        UserError
            A file is missing or is not what was written; the sentence names it.
        """
        folder = Path(folder)
        listing = _read_listing(folder)
        for name, expected in listing["files"].items():
            _check_file(folder / name, expected, verify)
        return cls(folder, _entry(str(folder), listing))

    def __reduce__(self) -> tuple[Any, ...]:
        return Shard, (self.folder, self.entry)

    @property
    def subject(self) -> str:
        """Subject label."""
        return self.entry.subject

    @property
    def run(self) -> str:
        """Run label."""
        return self.entry.run

    @property
    def session(self) -> str:
        """Session label; empty where the source tells none."""
        return self.entry.session

    @property
    def sfreq(self) -> float:
        """Sampling rate, Hz."""
        return self.entry.sfreq

    @property
    def n_samples(self) -> int:
        """Samples of every signal."""
        return self.entry.n_samples

    def names(self, modality: str) -> tuple[str, ...]:
        """Names of channels, or of a volume's targets, in column order."""
        return self.volumes.target_names if modality == BOLD else self.entry.channels[modality]

    def types(self, modality: str) -> tuple[str, ...]:
        """Channel types in column order; equal types are neighbours."""
        return (BOLD,) * len(self.names(BOLD)) if modality == BOLD else self.entry.types[modality]

    def rate_hz(self, modality: str) -> float:
        """Rows a second of a modality's file."""
        return 1 / self.volumes.tr_s if modality == BOLD else self.sfreq

    def space(self, modality: str) -> Space:
        """Say where channels or targets of a modality lie."""
        return self.volumes.space if modality == BOLD else Sensors()

    def stored(self, modality: str) -> dict[str, StoredBlock]:
        """Samples by channel type as they lie in the file, shapes (T, C): read-only views, nothing is copied."""
        if modality not in self._signals:
            self._signals[modality] = map_signal(self.folder / f"{modality}.arrow")
        return self._signals[modality]

    def is_half(self, modality: str) -> bool:
        """Tell whether samples are stored as float16."""
        return any(isinstance(block, Half) for block in self.stored(modality).values())

    def signal(self, modality: str) -> dict[str, NDArray[np.float32]]:
        """Samples in SI units (volumes in per cent) by channel type, shapes (T, C): read-only views, or copies of float16."""
        return {kind: block.decoded() if isinstance(block, Half) else block for kind, block in self.stored(modality).items()}

    @cached_property
    def volumes(self) -> StoredVolumes:
        """BOLD recorded meanwhile; the entry tells whether there is any."""
        assert self.entry.volumes
        return StoredVolumes(self.folder)

    @cached_property
    def events(self) -> Events:
        """Events of the recording."""
        table = arrow.read(self.folder / "events.arrow")
        return Events(table["onset_sample"].to_numpy(), table["duration_s"].to_numpy(), tuple(table["trial_type"].to_pylist()))

    @cached_property
    def good(self) -> NDArray[np.bool_]:
        """Samples outside bad segments, shape (T,)."""
        return arrow.read(self.folder / "good.arrow")["good"].to_numpy()

    def good_rows(self, modality: str) -> NDArray[np.bool_]:
        """Rows of a modality's file that count: samples outside bad segments, or volumes that are not masked."""
        return self.volumes.good if modality == BOLD else self.good

    def metadata(self, modality: str) -> dict[str, Any]:
        """What a signal's file says of itself: units, positions_m, dev_head_t, provenance and more."""
        return arrow.read_metadata(self.folder / f"{modality}.arrow")

    def positions_m(self, modality: str) -> NDArray[np.float64]:
        """Sensor positions in head coordinates, shape (C, 3), m; NaN where unknown."""
        return np.array(self.metadata(modality)["positions_m"], dtype=np.float64)

    def info(self) -> mne.Info:
        """Describe the channels of all signals, in their order."""
        return mne.io.read_info(self.folder / "info.fif", verbose="error")

    def statistics(self, modality: str) -> ChannelStatistics:
        """Moments and extremes over good samples, or volumes."""
        if modality == BOLD:
            return self.volumes.statistics()
        stored = self.metadata(modality)["statistics"]
        comoment = arrow.map_matrices(self.folder / f"{modality}_comoment.arrow")["comoment"]
        return ChannelStatistics(stored["count"], np.array(stored["mean"]), comoment, np.array(stored["min"]), np.array(stored["max"]))


def _check(recording: Recording, signals: dict[str, Signal]) -> None:
    """Refuse what no model could use, and hold what the caller owes."""
    if not recording.good.any():
        raise UserError(f"{recording.label}: every sample is masked as bad; relax preprocessing.peak_to_peak_v or leave the recording out")
    for signal in signals.values():
        assert signal.data_tc.dtype == np.float32
        assert signal.data_tc.shape == (len(recording.good), len(signal.names))
        assert len(signal.names) == len(signal.types) == len(signal.units) == len(signal.positions_m)
        broken = [signal.names[column] for column in np.flatnonzero(~np.isfinite(signal.data_tc).all(axis=0))]
        if broken:
            raise UserError(f"{recording.label}: {', '.join(broken)} hold samples that are not finite; interpolate or drop these channels")
    if recording.volumes:
        _check_volumes(recording.volumes, recording.label)


def _check_volumes(volumes: Volumes, label: str) -> None:
    assert volumes.data_vs.dtype == np.float32
    assert len(volumes.data_vs) == len(volumes.onset_s) == len(volumes.good)
    if not volumes.good.any():
        raise UserError(f"{label}: every volume is masked for motion; relax preprocessing.bold.fd_mm and dvars_iqr or leave it out")
    if not np.isfinite(volumes.data_vs).all():
        raise UserError(f"{label}: its BOLD image holds values that are not finite; replace the file or leave the recording out")


def _write_events(events: Events, path: Path) -> None:
    columns = {
        "onset_sample": pa.array(events.onset_sample, pa.int64()),
        "duration_s": pa.array(events.duration_s, pa.float64()),
        "trial_type": pa.array(events.trial_type, pa.string()),
    }
    arrow.write(path, pa.table(columns))


def _write_info(info: mne.Info, names: list[str], path: Path) -> None:
    """Save what describes sensors and head, nothing that tells who was recorded, by whom or when."""
    kept = mne.pick_info(info, [info["ch_names"].index(name) for name in names])
    with kept._unlock():
        for field in _WHO + _WHEN:
            kept[field] = None
        kept["hpi_meas"] = []
        kept["proc_history"] = [{key: record[key] for key in ("creator", "max_info") if key in record} for record in kept["proc_history"]]
    kept.save(path, verbose="error")
    # MNE stamps each file with this machine's hardware address and the time, in the first tag after its 16-byte header and 4-byte version:
    # private, and the only bytes in which two writers of the same shard would differ.
    with path.open("r+b") as file:
        file.seek(20)
        file.write(bytes(16))


def _write_listing(recording: Recording, signals: dict[str, Signal], landmarks: dict[str, str], fingerprint: str, folder: Path) -> None:
    files = {path.name: {"sha256": _checksum(path), "size_bytes": path.stat().st_size} for path in sorted(folder.iterdir())}
    entry = ShardEntry(
        uri=str(folder),
        subject=recording.subject,
        run=recording.run,
        session=recording.session,
        fingerprint=fingerprint,
        n_samples=len(recording.good),
        sfreq=recording.sfreq,
        size_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        sha256=hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest(),
        samples=_samples(signals, recording.volumes),
        channels={modality: signal.names for modality, signal in signals.items()},
        types={modality: signal.types for modality, signal in signals.items()},
        lost=recording.provenance.get("lost", {}),
        volumes=recording.volumes.entry if recording.volumes else None,
    )
    listing = {"format": FORMAT, "entry": entry.model_dump(mode="json"), "landmarks": landmarks, "key": recording.key, "files": files}
    (folder / LAST_FILE).write_text(json.dumps(listing, indent=1))


def _samples(signals: dict[str, Signal], volumes: Volumes | None) -> dict[str, str]:
    samples = {modality: signal.data_tc for modality, signal in signals.items()} | ({BOLD: volumes.data_vs} if volumes else {})
    return {modality: hashlib.sha256(data.tobytes()).hexdigest() for modality, data in samples.items()}


def _entry(uri: str, listing: dict[str, Any]) -> ShardEntry:
    return ShardEntry(uri=uri, landmarks=listing.get("landmarks", {}), **listing["entry"])


def _read_listing(folder: Path) -> dict[str, Any]:
    path = folder / LAST_FILE
    if not path.exists():
        raise UserError(f"{folder}: is not a shard, it has no {LAST_FILE}; {_AGAIN}")
    listing = read_json(str(path))
    if listing.get("format") != FORMAT:
        raise UserError(f"{path}: written in format {listing.get('format')}, this version reads {FORMAT}; {_AGAIN}")
    return listing


def _check_file(path: Path, expected: dict[str, Any], verify: bool) -> None:
    if not path.exists():
        raise UserError(f"{path}: is missing from its shard; {_AGAIN}")
    intact = path.stat().st_size == expected["size_bytes"] and (not verify or _checksum(path) == expected["sha256"])
    if not intact:
        raise UserError(f"{path}: does not match its checksum, the file was damaged; {_AGAIN}")


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
