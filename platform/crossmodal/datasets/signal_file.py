"""A modality's file in a shard: its samples, a column a channel type, and what they are."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crossmodal.datasets import arrow
from crossmodal.datasets.half import Half
from crossmodal.datasets.recording import Recording, Signal
from crossmodal.datasets.statistics import ChannelStatistics

StoredAs = Literal["float32", "float16"]
# Channels of one type as they lie in the file, shape (T, C).
StoredBlock = NDArray[np.float32] | Half


def write_signal(signal: Signal, recording: Recording, stored_as: StoredAs, folder: Path) -> None:
    """Write `<modality>.arrow`, and the comoment of its channels beside it.

    Parameters
    ----------
    signal : Signal
        Of the recording; equal types are neighbours.
    stored_as : str
        'float16' rounds, and measures by how much; statistics are of what is read back.
    folder : Path
        Of the shard.
    """
    # A column a type: a window of magnetometers alone is then one stretch of memory, which reads twice as fast.
    by_type = {kind: signal.data_tc[:, [other == kind for other in signal.types]] for kind in dict.fromkeys(signal.types)}
    halves = {kind: Half.of(data_tc) for kind, data_tc in by_type.items()} if stored_as == "float16" else {}
    read_tc = np.hstack([half.decoded() for half in halves.values()]) if halves else signal.data_tc
    statistics = ChannelStatistics.of(read_tc, recording.good)
    positions_m = np.asarray(signal.positions_m, dtype=np.float64)
    transform = recording.info["dev_head_t"]
    metadata = {
        "subject": recording.subject,
        "run": recording.run,
        "modality": signal.modality,
        "sfreq": recording.sfreq,
        "names": signal.names,
        "types": signal.types,
        "units": signal.units,
        "positions_m": [[None if np.isnan(value) else value for value in position] for position in positions_m.tolist()],
        "dev_head_t": None if transform is None else transform["trans"].tolist(),
        "statistics": {
            "count": statistics.count,
            "mean": statistics.mean.tolist(),
            "min": statistics.min.tolist(),
            "max": statistics.max.tolist(),
        },
        "provenance": recording.provenance | _rounding(halves, by_type),
    }
    if halves:
        metadata["scale"] = {kind: half.scale_c.tolist() for kind, half in halves.items()}
    stored = {kind: half.data_tc for kind, half in halves.items()} or by_type
    arrow.write_matrices(folder / f"{signal.modality}.arrow", stored, metadata)
    arrow.write_matrices(folder / f"{signal.modality}_comoment.arrow", {"comoment": statistics.comoment}, {"names": signal.names})


def map_signal(path: Path) -> dict[str, StoredBlock]:
    """Memory-map what `write_signal` wrote, by channel type: nothing is copied."""
    matrices = arrow.map_matrices(path)
    if all(data_tc.dtype == np.float32 for data_tc in matrices.values()):
        return dict(matrices)
    scale = arrow.read_metadata(path)["scale"]
    return {kind: Half(data_tc, np.array(scale[kind], dtype=np.float32)) for kind, data_tc in matrices.items()}


def _rounding(halves: dict[str, Half], by_type: dict[str, NDArray[np.float32]]) -> dict[str, Any]:
    return {"float16_error": {kind: half.error(by_type[kind]) for kind, half in halves.items()}} if halves else {}
