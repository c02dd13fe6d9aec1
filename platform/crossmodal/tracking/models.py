"""Models in MLflow: a folder of files, the module that reads them, and a signature with names and units."""

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from crossmodal.config.signal_spec import SignalPair, SignalSpec
from crossmodal.physics.places import unknown_places
from crossmodal.tracking.runs import Tracker

# What the code that is logged beside the weights imports.
_PACKAGES = (
    "filelock",
    "fsspec",
    "mne",
    "nibabel",
    "nilearn",
    "numpy",
    "pyarrow",
    "pydantic",
    "pywavelets",
    "pyyaml",
    "safetensors",
    "scipy",
    "torch",
)


def log_model(
    tracker: Tracker,
    run_id: str,
    loader: str,
    folder: Path,
    signals: SignalPair,
    uses_places: bool,
    packages: Sequence[Path] = (),
) -> str:
    """Log a model so that `mlflow.pyfunc.load_model` gives it back, and return its URI.

    Parameters
    ----------
    loader : str
        Module of this package whose `_load_pyfunc` reads `folder`; nothing is pickled.
    uses_places : bool
        Whether the model takes where sensors and heads are, besides its windows.
    packages : sequence of Path
        Further code that the model needs, logged beside it as this package is.
    """
    mlflow.set_tracking_uri(tracker.uri)
    with mlflow.start_run(run_id=run_id), warnings.catch_warnings():
        # The signature is stated, not guessed from an example.
        warnings.simplefilter("ignore", UserWarning)
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module=loader,
            data_path=str(folder),
            code_paths=[str(path) for path in (Path(__file__).parent.parent, *packages)],
            signature=ModelSignature(_inputs(signals, uses_places), Schema([_tensor(signals.target)])),
            pip_requirements=[f"{package}=={version(package)}" for package in _PACKAGES],
            metadata={"input": _described(signals.input), "target": _described(signals.target)},
        )
    return str(logged.model_uri)


def _tensor(spec: SignalSpec, name: str | None = None) -> TensorSpec:
    """Windows of shape (windows, channels, times), float32; any number of them."""
    return TensorSpec(np.dtype(np.float32), (-1, spec.n_channels, spec.n_times), name)


def _described(spec: SignalSpec) -> dict[str, object]:
    return {"unit": spec.unit, "channels": spec.names, "n_times": spec.n_times, "sfreq": spec.sfreq}


def _inputs(signals: SignalPair, uses_places: bool) -> Schema:
    """Windows alone, or named, beside the places of their subjects."""
    if not uses_places:
        return Schema([_tensor(signals.input)])
    places = unknown_places(signals).tensors()
    named = [TensorSpec(np.dtype(np.float32), (-1, *tensor.shape[1:]), name) for name, tensor in places.items()]
    return Schema([_tensor(signals.input, "input"), *named])


def register_model(tracker: Tracker, model_uri: str, name: str, tags: Mapping[str, str]) -> str:
    """Register a logged model, unless it is already, and return its version.

    Parameters
    ----------
    model_uri : str
        From `log_model`.
    tags : mapping of str to str
        Of the version; its 'run' says whether the model is registered already.
    """
    for known in tracker.client.search_model_versions(f"name = '{name}'"):
        if known.tags.get("run") == tags["run"]:
            return str(known.version)
    mlflow.set_tracking_uri(tracker.uri)
    # MLflow tells on stderr what it creates.
    with contextlib.redirect_stderr(io.StringIO()):
        return str(mlflow.register_model(model_uri, name, tags=dict(tags)).version)
