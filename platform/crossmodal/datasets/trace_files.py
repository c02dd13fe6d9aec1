"""Traces in shards, a file a modality."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crossmodal.datasets.entry import ShardEntry
from crossmodal.datasets.landmarks import landmarks_of
from crossmodal.datasets.recording import PHYSIOLOGY, Recording
from crossmodal.datasets.traces import Trace, trace_of, trace_rate_hz
from crossmodal.datasets.volumes import BOLD
from crossmodal.storage.uri import join, read_bytes


def write_traces(recording: Recording, folder: Path) -> dict[str, str]:
    """Write the trace of each modality into a shard's folder, and return what its entry holds of them: their landmarks, in base64."""
    traces = {
        modality: trace_of(signal.data_tc, signal.names, recording.good, recording.sfreq)
        for modality, signal in recording.signals.items()
        # Two people's hearts may beat alike for a while.
        if modality != PHYSIOLOGY
    }
    if recording.volumes:
        volumes = recording.volumes
        names = volumes.names or [str(target) for target in range(volumes.data_vs.shape[1])]
        traces[BOLD] = trace_of(volumes.data_vs, names, volumes.good, 1 / volumes.tr_s)
    for modality, trace in traces.items():
        np.save(folder / _file(modality), trace.data_kt)
    return {modality: encoded(landmarks_of(trace)) for modality, trace in traces.items()}


def encoded(landmarks: NDArray[np.uint8]) -> str:
    """Write landmarks as an entry holds them."""
    return b64encode(landmarks.tobytes()).decode()


def read_trace(entry: ShardEntry, modality: str) -> Trace:
    """Read the trace of a modality of a published shard, local or remote."""
    sfreq = 1 / entry.volumes.tr_s if modality == BOLD and entry.volumes else entry.sfreq
    data_kt = np.load(BytesIO(read_bytes(join(entry.uri, _file(modality)))), allow_pickle=False)
    return Trace(data_kt, trace_rate_hz(sfreq))


def _file(modality: str) -> str:
    return f"{modality}_trace.npy"
