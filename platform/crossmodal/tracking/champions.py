"""The champion of a registered model: the version that the alias points to, and the scores it was promoted for."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode

from crossmodal.config import UserError
from crossmodal.tracking.runs import Tracker

ALIAS = "champion"
_ABSENT = {ErrorCode.Name(INVALID_PARAMETER_VALUE), ErrorCode.Name(RESOURCE_DOES_NOT_EXIST)}


@dataclass(frozen=True)
class Champion:
    """A promoted model.

    Attributes
    ----------
    version : str
        In MLflow's registry.
    run, trial : str, int
        The training run that made it, and of which trial of its search.
    dataset, folds : str
        Fingerprints of what its scores were taken on.
    overrides : dict of str to any
        What its search varied.
    test : tuple of str
        Subjects that were locked when it was searched.
    scores : dict of str to dict of str to float
        By channel type, the score of each development subject, where it was left out.
    night, verdict : str
        The date of the night that promoted it, and why; empty where it was promoted before these were kept.
    protocol : int
        The version that its scores were made under.
    former : str
        The version that it took the title from; empty where there was none, or it was promoted before this was kept.
    """

    version: str
    run: str
    trial: int
    dataset: str
    folds: str
    overrides: Mapping[str, Any]
    test: tuple[str, ...]
    scores: Mapping[str, Mapping[str, float]]
    night: str
    verdict: str
    protocol: int = 1
    former: str = ""

    def check_dataset(self, name: str, dataset: str) -> None:
        """Refuse to compare scores of other subjects.

        Raises
        ------
        UserError
            The champion was scored on another dataset.
        """
        if self.dataset != dataset:
            raise UserError(
                f"champion {name} version {self.version}: was scored on dataset {self.dataset}, and this is {dataset}, so that no "
                f"comparison is fair; {_advice(name)}"
            )

    def check_folds(self, name: str, folds: str) -> None:
        """Refuse to compare scores of other folds.

        Raises
        ------
        UserError
            The champion was scored on other folds of the dataset.
        """
        if self.folds != folds:
            raise UserError(f"champion {name} version {self.version}: was scored on other folds of the dataset; {_advice(name)}")


def _advice(name: str) -> str:
    return f"go back to what it had, or remove the alias '{ALIAS}' of '{name}' in MLflow's registry to start anew"


def find_champion(tracker: Tracker, name: str) -> Champion | None:
    """Look up whom the alias of a registered model points to.

    Raises
    ------
    UserError
        It points to a version that no night has promoted.
    """
    return _look_up(name, lambda: tracker.client.get_model_version_by_alias(name, ALIAS))


def find_former(tracker: Tracker, name: str, champion: Champion) -> Champion | None:
    """Look up whom a champion took the title from; None where there was none, or it was deleted since."""
    return _look_up(name, lambda: tracker.client.get_model_version(name, champion.former)) if champion.former else None


def _look_up(name: str, ask: Callable[[], ModelVersion]) -> Champion | None:
    try:
        version = ask()
    except MlflowException as error:
        if error.error_code in _ABSENT:
            return None
        raise
    try:
        tags = version.tags
        return Champion(
            version=str(version.version),
            run=tags["run"],
            trial=int(tags["trial"]),
            dataset=tags["dataset.fingerprint"],
            folds=tags["folds"],
            overrides=json.loads(tags["overrides"]),
            test=tuple(json.loads(tags["test"])),
            scores=json.loads(tags["scores"]),
            night=tags.get("night", ""),
            verdict=tags.get("verdict", ""),
            protocol=int(tags.get("protocol.version", "1")),
            former=tags.get("former", ""),
        )
    except KeyError as error:
        told = f"champion {name} version {version.version}: lacks the tag {error}, so it was not promoted by a night"
        raise UserError(f"{told}; remove its alias '{ALIAS}'") from None


def crown(tracker: Tracker, name: str, version: str, night: str, verdict: str, former: Champion | None = None) -> None:
    """Let the alias point to a version, the last step of a promotion; by its tags a night that is interrupted then can still tell it."""
    for key, value in (("night", night), ("verdict", verdict), ("former", former.version if former else "")):
        tracker.client.set_model_version_tag(name, version, key, value)
    tracker.client.set_registered_model_alias(name, ALIAS, version)


def champion_tags(
    run: str,
    dataset: str,
    folds: str,
    overrides: Mapping[str, Any],
    test: Sequence[str],
    scores: Mapping[str, Mapping[str, float]],
) -> dict[str, str]:
    """Tags that a version must have to become champion."""
    written = {"overrides": overrides, "test": test, "scores": scores}
    return {"run": run, "dataset.fingerprint": dataset, "folds": folds, **{key: json.dumps(value) for key, value in written.items()}}
