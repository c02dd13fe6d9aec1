"""The Optuna study of a search: where it lies, whose it is, and what a killed search left in it."""

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from crossmodal.config import Experiment, UserError, fingerprint
from crossmodal.config.data import CrossValidation
from crossmodal.config.tuning import Objective
from crossmodal.datasets.manifest import Manifest
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.storage.process import Process
from crossmodal.storage.uri import exists, is_local, join, read_bytes, write_bytes
from crossmodal.tracking.describe import without_credentials
from crossmodal.training.runs import settings_of_result
from crossmodal.tuning.locks import Lock, sweep_uri, write_lock
from crossmodal.tuning.space import trial_name

DIRECTIONS: dict[Objective, Literal["minimize", "maximize"]] = {
    "score": "maximize",
    "parameters": "minimize",
    "latency": "minimize",
    "gpu_hours": "minimize",
}
_LOG = logging.getLogger(__name__)
_IDENTITY = "crossmodal"
_OWNER = "owner"
_SENTENCES = {
    "dataset": "of another dataset",
    "objectives": "with other objectives",
    "space": "over another search space",
    "subjects": "with other development and test subjects",
    "settings": "with other settings of data, model or training",
    "protocol": "scored under another version of the protocol",
}


def study_name(experiment: Experiment) -> str:
    """What a study is called in its storage and in MLflow."""
    return experiment.tuning.study or experiment.name


@dataclass(frozen=True)
class StudyFile:
    """A study's storage. A SQLite file of a remote store is worked on beside the driver, and copied to the store after each change.

    Attributes
    ----------
    url : str
        What SQLAlchemy opens; it never holds a password.
    local, remote : str or None
        Of a SQLite file that has to be copied.
    """

    url: str
    local: str | None = None
    remote: str | None = None

    @classmethod
    def of(cls, experiment: Experiment) -> "StudyFile":
        """Name the storage an experiment asks for, its SQLite file in place."""
        if experiment.tuning.storage is not None:
            return cls(_checked(experiment.tuning.storage))
        uri = join(sweep_uri(experiment.store, study_name(experiment)), "study.db")
        if is_local(uri):
            Path(uri).parent.mkdir(parents=True, exist_ok=True)
            return cls(f"sqlite:///{os.path.abspath(uri)}")
        # Of this process alone: a second command, which is refused later, must not touch the first one's.
        folder = tempfile.mkdtemp(prefix="study-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        local = Path(folder) / "study.db"
        if exists(uri):
            local.write_bytes(read_bytes(uri))
        return cls(f"sqlite:///{local}", str(local), uri)

    def copy(self) -> None:
        """Copy what changed to where it outlives this node."""
        if self.local and self.remote:
            write_bytes(self.remote, Path(self.local).read_bytes())

    def keep(self) -> None:
        """Copy what changed, but not at the price of the search: the next copy holds all that this one does."""
        try:
            self.copy()
        except UserError as error:
            _LOG.warning("the search goes on without a copy of its study (%s)", error)

    def storage(self) -> RDBStorage:
        """Open it.

        Raises
        ------
        UserError
            It cannot be reached, or refuses the credentials, or its driver is not installed.
        """
        options = {"connect_args": {"timeout": 60}} if self.url.startswith("sqlite") else {"pool_pre_ping": True}
        try:
            return RDBStorage(self.url, engine_kwargs=options)
        except ImportError:
            raise UserError(
                f"tuning.storage: the driver of {self.url.partition('://')[0]} is not installed; pip install '.[postgresql]' brings psycopg"
            ) from None
        except (SQLAlchemyError, OSError) as error:
            reason = without_credentials(" ".join(str(error).split("\n(Background")[0].split()))
            raise UserError(
                f"tuning.storage: {without_credentials(self.url)} cannot be used; check the address, the user and PGPASSWORD ({reason})"
            ) from None


def open_study(
    experiment: Experiment, manifest: Manifest, space: Mapping[str, str], split: CrossValidation, test: tuple[str, ...], file: StudyFile
) -> optuna.Study:
    """Open the study of an experiment, or create it and write down whose it is, and which subjects it keeps for its winner.

    Parameters
    ----------
    space : mapping of str to str
        What tells the search space from others: Optuna takes no parameter whose choices have changed.

    Raises
    ------
    UserError
        Its name is taken by another search, or another process is at it.
    """
    name = study_name(experiment)
    identity = {
        "dataset": manifest.fingerprint,
        "objectives": list(experiment.tuning.objectives),
        "space": dict(space),
        "subjects": {"development": list(split.subjects or ()), "test": list(test)},
        "settings": fingerprint(settings_of_result(experiment.model_copy(update={"split": split}), manifest)),
        "protocol": PROTOCOL,
    }
    study = optuna.create_study(
        study_name=name,
        storage=file.storage(),
        directions=[DIRECTIONS[objective] for objective in experiment.tuning.objectives],
        load_if_exists=True,
    )
    known = study.user_attrs.get(_IDENTITY)
    if known is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(_IDENTITY, identity)
    else:
        _check_same(known, identity, name, without_credentials(file.url))
    _take(study)
    write_lock(experiment.store, Lock(study=name, dataset=manifest.fingerprint, subjects=test))
    file.copy()
    return study


def interrupted_trials(study: optuna.Study) -> list[Trial]:
    """Trials that were running when a search was killed, ready to go on: their parameters are in the storage."""
    running = study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
    return [Trial(study, trial._trial_id) for trial in running]


def begun(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Leave out those that only wait in a queue."""
    return [trial for trial in trials if trial.state != TrialState.WAITING]


def best_trial(trials: list[FrozenTrial]) -> FrozenTrial | None:
    """The finished trial with the best score, the first of equals."""
    finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return max(finished, key=lambda trial: (trial.values[0], -trial.number), default=None)


def called(trial: FrozenTrial) -> str:
    """Name a trial of a study, as `trial_name` does."""
    return trial_name(trial.number, trial.user_attrs.get("overrides", {}))


def how_it_ended(trial: FrozenTrial, objectives: Sequence[Objective]) -> str:
    """Tell the values of a finished trial, or why it has none."""
    if trial.state == TrialState.COMPLETE:
        return ", ".join(f"{name} {value:.4g}" for name, value in zip(objectives, trial.values, strict=True))
    return str(trial.user_attrs.get("cause", trial.state.name.lower()))


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        scheme, password = parts.scheme, parts.password or parse_qs(parts.query).get("password")
    except ValueError:
        raise UserError("tuning.storage: not a URL; give postgresql://user@host/database") from None
    if password:
        raise UserError("tuning.storage: holds a password, which logs and the store would keep; leave it out and set PGPASSWORD")
    if not scheme.startswith("postgresql"):
        raise UserError(f"tuning.storage: '{scheme}://' is not supported; give postgresql://user@host/database, or null for a SQLite file")
    return url


def _check_same(known: Mapping[str, Any] | None, identity: Mapping[str, Any], name: str, place: str) -> None:
    if known is None:
        raise UserError(f"tuning.study: '{name}' in {place} is a study of another program; choose another name")
    known = {"protocol": 1, **known}
    for key, sentence in _SENTENCES.items():
        if known[key] != identity[key]:
            raise UserError(f"tuning.study: '{name}' in {place} is a search {sentence}; choose another name, or go back to what it had")


def _take(study: optuna.Study) -> None:
    """Mark the study as this process's; a process of another machine cannot be asked whether it lives."""
    own, known = Process.this(), study.user_attrs.get(_OWNER)
    owner = Process(*known) if known else own
    if owner != own and owner.is_here and owner.is_alive:
        raise UserError(f"tuning.study: '{study.study_name}' is being searched by process {owner.number}; wait for it, or stop it")
    study.set_user_attr(_OWNER, own)
