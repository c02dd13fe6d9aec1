"""Models in MLflow: a folder of files, the module that reads them, and a signature with names and units."""

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import mlflow
import numpy as np
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from crossmodal.tracking.runs import Tracker

# What the code that is logged beside the weights imports.
_PACKAGES = ("filelock", "fsspec", "mne", "numpy", "pyarrow", "pydantic", "pywavelets", "pyyaml", "safetensors", "scipy", "torch")


@dataclass(frozen=True)
class SignalSpec:
    """What goes into a model or comes out of it: windows of shape (windows, channels, times), float32."""

    unit: str
    channels: tuple[str, ...]
    n_times: int
    sfreq: float

    @property
    def schema(self) -> Schema:
        """As MLflow writes it; any number of windows."""
        return Schema([TensorSpec(np.dtype(np.float32), (-1, len(self.channels), self.n_times))])


def log_model(
    tracker: Tracker, run_id: str, loader: str, folder: Path, source: SignalSpec, target: SignalSpec, packages: Sequence[Path] = ()
) -> str:
    """Log a model so that `mlflow.pyfunc.load_model` gives it back, and return its URI.

    Parameters
    ----------
    loader : str
        Module of this package whose `_load_pyfunc` reads `folder`; nothing is pickled.
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
            signature=ModelSignature(source.schema, target.schema),
            pip_requirements=[f"{package}=={version(package)}" for package in _PACKAGES],
            metadata={"source": asdict(source), "target": asdict(target)},
        )
    return str(logged.model_uri)


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
