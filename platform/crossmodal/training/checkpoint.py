"""Checkpoints of one fold, in the store: named by the fold and not by a Ray run, so that any group of workers can take it up."""

import json
import tempfile
from pathlib import Path

import safetensors.torch
import torch

from crossmodal.storage.uri import exists, fetch_folder, join, list_names, publish_folder, read_json, remove_folder
from crossmodal.training.partial import PartialEpoch
from crossmodal.training.state import EpochMetrics, TrainingState

# Uploaded last: on an object store, a folder without it was interrupted.
_HISTORY = "history.json"
_PARTIAL = "partial.safetensors"
_KEPT = 2


def save_checkpoint(state: TrainingState, fold_uri: str) -> None:
    """Publish a state, whole or not at all, then drop all but the newest ones."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        safetensors.torch.save_file(state.weights, folder / "weights.safetensors")
        safetensors.torch.save_file(state.best_weights, folder / "best.safetensors")
        torch.save(state.optimiser, folder / "optimiser.pt")
        (folder / _HISTORY).write_text(json.dumps([metrics.model_dump() for metrics in state.history]))
        name = f"epochs-{state.epochs:05d}"
        if state.partial:
            safetensors.torch.save_file(state.partial.to_tensors(), folder / _PARTIAL)
            name += f"-steps-{state.partial.steps:08d}"
        publish_folder(folder, join(fold_uri, name), last=_HISTORY)
    for uri in _published(fold_uri)[:-_KEPT]:
        remove_folder(uri)


def latest_checkpoint(fold_uri: str) -> str | None:
    """Name the newest whole checkpoint of a fold, if there is one."""
    published = _published(fold_uri)
    return published[-1] if published else None


def remove_checkpoints(uri: str) -> None:
    """Drop all that a fold, or a whole run, kept for a resume."""
    remove_folder(uri)


def load_checkpoint(uri: str) -> TrainingState:
    """Read a state back, with its tensors on the CPU."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "checkpoint"
        fetch_folder(uri, folder)
        partial = folder / _PARTIAL
        return TrainingState(
            weights=safetensors.torch.load_file(folder / "weights.safetensors"),
            best_weights=safetensors.torch.load_file(folder / "best.safetensors"),
            optimiser=torch.load(folder / "optimiser.pt", map_location="cpu", weights_only=True),
            history=[EpochMetrics.model_validate(metrics) for metrics in read_json(str(folder / _HISTORY))],
            partial=PartialEpoch.from_tensors(safetensors.torch.load_file(partial)) if partial.exists() else None,
        )


def _published(fold_uri: str) -> list[str]:
    places = [join(fold_uri, name) for name in list_names(fold_uri) if name.startswith("epochs-")]
    return [place for place in places if exists(join(place, _HISTORY))]
