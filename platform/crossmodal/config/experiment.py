"""One experiment: everything a job needs to know."""

import os
import tempfile
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from crossmodal.config.base import Config, UserError, fingerprint
from crossmodal.config.cortex import AnyCortexSimulation
from crossmodal.config.data import Data, LeaveOneSubjectOut, Split
from crossmodal.config.evaluation import Evaluation
from crossmodal.config.models import ModelSettings
from crossmodal.config.nightly import Nightly
from crossmodal.config.preprocessing import BidsRecordings, FileRecordings, Preprocessing, Recordings
from crossmodal.config.simulation import AnySimulation
from crossmodal.config.training import Training
from crossmodal.config.tuning import Tuning


def _own_folder(name: str) -> str:
    """Name a local folder that nobody else on the machine writes to."""
    return os.path.join(tempfile.gettempdir(), f"crossmodal-{os.getuid()}", name)


class Tracking(Config):
    """Where MLflow keeps runs."""

    uri: str = "sqlite:///runs/mlflow.db"
    experiment: str = "crossmodal"
    spool: str = Field(
        default_factory=lambda: _own_folder("spool"),
        description="local folder for reports of trainings that the server has not taken yet; by default the user's own in TMPDIR",
    )


class NodeCopies(Config):
    """Where each node keeps copies of remote shards."""

    root: str = Field(default_factory=lambda: _own_folder("cache"), description="by default the user's own in TMPDIR")
    max_gb: float = Field(100.0, gt=0)


class Experiment(Config):
    """The whole way from recordings to a score."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    note: str = Field("", description="printed beside every table")
    seed: int = Field(0, ge=0)
    store: str = Field("runs/store", description="URI under which shards, checkpoints and scores are kept")
    node_cache: NodeCopies = Field(default_factory=NodeCopies)
    simulation: AnySimulation | None = None
    cortex: AnyCortexSimulation | None = Field(None, description="samples of cortical activity, made while a model learns from them")
    recordings: Recordings | None = Field(None, description="None where samples are made meanwhile")
    preprocessing: Preprocessing = Preprocessing()
    data: Data = Data()
    split: Split = LeaveOneSubjectOut()
    model: ModelSettings = ModelSettings(kind="synaptech_net")
    training: Training = Training()
    tuning: Tuning = Tuning()
    nightly: Nightly = Nightly()
    evaluation: Evaluation = Evaluation()
    tracking: Tracking = Field(default_factory=Tracking)

    @field_validator("preprocessing")
    @classmethod
    def _gradients_are_marked(cls, preprocessing: Preprocessing, info: ValidationInfo) -> Preprocessing:
        recordings = info.data.get("recordings")
        if preprocessing.gradients and isinstance(recordings, BidsRecordings | FileRecordings):
            raise ValueError(
                f"gradients are subtracted by the markers of volumes, which recordings.kind '{recordings.kind}' does not read;"
                " choose bids_fmri, cn_epfl, noddi or oddball, or leave gradients out"
            )
        return preprocessing

    @model_validator(mode="after")
    def _samples_come_from_one_place(self) -> Self:
        if (self.cortex is not None) != (self.data.target.modality == "cortex"):
            raise ValueError("the section cortex and data.target.modality 'cortex' go together")
        if self.cortex and self.recordings:
            raise ValueError("recordings: samples of cortical activity are made, not recorded; leave recordings out")
        if not self.cortex and self.recordings is None:
            raise ValueError("recordings: the section is missing; say where recordings lie")
        return self

    @property
    def recorded(self) -> Recordings:
        """Where recordings lie.

        Raises
        ------
        UserError
            Samples are made instead.
        """
        if self.recordings is None:
            raise UserError("recordings: this experiment makes its own samples, so that nothing is simulated or preprocessed before")
        return self.recordings

    @property
    def dataset_recipe(self) -> str:
        """Fingerprint of the settings a dataset is made from; the store keeps its latest manifest under this name."""
        return fingerprint({"recordings": self.recordings, "preprocessing": self.preprocessing})
