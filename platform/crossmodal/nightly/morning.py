"""What a night came to, put into the digest, the store and MLflow, and told to whoever listens."""

import json
import logging
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException

import numpy as np
from optuna.trial import TrialState

from crossmodal.config import Experiment
from crossmodal.config.channel_types import CHANNEL_TYPES
from crossmodal.evaluation.cohort import CohortRow, summarise
from crossmodal.evaluation.openings import openings
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldScores, defined
from crossmodal.evaluation.statistics import t_interval
from crossmodal.nightly.models_board import models_board
from crossmodal.nightly.night import NightResult
from crossmodal.nightly.record import NightRecord
from crossmodal.reporting.digest import Digest, Failure, Role, Standing, SubjectBoard, SubjectRow, to_html
from crossmodal.storage.uri import join, write_bytes
from crossmodal.tasks.choosing import task_of
from crossmodal.tracking.describe import without_credentials
from crossmodal.tracking.links import link, way_to_runs
from crossmodal.tracking.runs import Tracker
from crossmodal.tuning.cost import Cost
from crossmodal.tuning.study import called

_LOG = logging.getLogger(__name__)
_WEBHOOK_S = 10


@dataclass(frozen=True)
class Dataset:
    """What preprocessing did this night; nothing where samples are simulated while a model learns."""

    made: int
    cached: int
    failures: tuple[Failure, ...]


def digest_of(experiment: Experiment, record: NightRecord, before: NightRecord | None, dataset: Dataset, night: NightResult) -> Digest:
    """Put a night that came to its end into words and tables."""
    input, target = (signals.modality.upper() for signals in (experiment.data.input, experiment.data.target))
    name, champion = called(night.winner), night.plan.champion
    types = dict.fromkeys(score.channel_type for fold in night.development for score in fold.scores)
    tasks = {channel_type: f"{input} → {target}, {CHANNEL_TYPES[channel_type].title}" for channel_type in types}
    manifest = night.plan.sweep.manifest
    looked = openings(experiment.store, manifest)
    failed = [Failure(what=called(trial), cause=_cause(trial.user_attrs)) for trial in night.tonight if trial.state == TrialState.FAIL]
    card = task_of(night.plan.sweep.experiment).scorecard(night.plan.sweep.experiment)
    return Digest(
        name=experiment.name,
        words=card.words,
        beside_words=card.beside_words,
        date=record.date,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        state="promoted" if night.verdict.promote else "kept",
        verdict=night.verdict.sentence,
        changes=(
            *_changes(record, before, dataset, night),
            _dataset(night),
            f"Told before the night: {night.plan.foresight}",
            _looks(night),
        ),
        leaderboards={
            task: _standings(night.development, card, channel_type, name) + _champion(champion.scores[channel_type] if champion else {})
            for channel_type, task in tasks.items()
        },
        boards={
            task: _board(night.development, channel_type, name, champion.scores[channel_type] if champion else None)
            for channel_type, task in tasks.items()
        },
        models=models_board(night.trials, night.winner),
        test=tuple(standing for channel_type in types for standing in _standings(night.test, card, channel_type, _promoted(night))),
        protocol=PROTOCOL,
        openings=tuple(f"{look.at}: {look.why} ({look.run}; subjects {', '.join(look.subjects)})" for look in looked),
        failures=(*dataset.failures, *failed),
        cost=_cost(record, night),
    )


def failure_digest(name: str, date: str, dataset: Dataset | None, reason: str) -> Digest:
    """Say why a night of an experiment did not come to its end."""
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    failures = dataset.failures if dataset else ()
    return Digest(name=name, date=date, finished=finished, state="failed", verdict=f"Failed: {reason}", failures=failures)


def page_uri(nights: str, date: str) -> str:
    """Where a night's page lies in the store."""
    return join(nights, date, "digest.html")


def keep_page(digest: Digest, nights: str) -> None:
    """Put the page into the store."""
    write_bytes(page_uri(nights, digest.date), to_html(digest).encode())


def log_page(digest: Digest, tracker: Tracker, run_id: str) -> None:
    """Put the page into MLflow."""
    tracker.client.log_text(run_id, to_html(digest), "digest.html")
    tracker.log_tags(run_id, {"state": digest.state, "mlflow.note.content": digest.verdict})
    tracker.log_metrics(run_id, {"test_openings": len(digest.openings), "failures": len(digest.failures)})


def links(tracker: Tracker, run_ids: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Addresses of MLflow runs, where MLflow is a server, and of what lies elsewhere."""
    place = without_credentials(tracker.uri)
    if not place.startswith("http"):
        return {"MLflow": way_to_runs(tracker.uri, tracker.experiment_id), **others}
    runs = {label: link(place, tracker.experiment_id, run_id) for label, run_id in run_ids.items()}
    return {**runs, **others}


def call_webhook(url: str, digest: Digest, where: str) -> None:
    """Tell a chat or pager the verdict and where the digest lies, if it was kept; that it does not answer is no reason to fail."""
    body = {"text": f"{digest.name} {digest.date}: {digest.verdict} {where}".rstrip(), "state": digest.state, "digest": where}
    try:
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=_WEBHOOK_S):
            return
    except (OSError, ValueError, HTTPException) as error:
        # What is said of an address that is none holds it, and with it often a secret.
        reason = without_credentials(str(error)) if isinstance(error, OSError) else type(error).__name__
        _LOG.warning("the webhook was not told (%s)", reason)


def _changes(record: NightRecord, before: NightRecord | None, dataset: Dataset, night: NightResult) -> list[str]:
    recordings = [f"Recordings: {dataset.made} made, {dataset.cached} there already, {len(dataset.failures)} failed."]
    states = [trial.state.name.lower() for trial in night.tonight]
    counts = ", ".join(f"{states.count(state)} {state}" for state in ("complete", "pruned", "fail") if state in states)
    ended = f"{len(states)} ended this night{f' ({counts})' if counts else ''}"
    trials = f"Trials: {ended}, {len(night.trials)} in all; no further one, since {night.reason}."
    changes = [*(recordings if night.plan.sweep.experiment.recordings else []), trials]
    champion = night.plan.champion
    if champion and (before.date if before else "") < champion.night <= record.date:
        told = "which was interrupted before it could tell"
        changes.append(f"Version {champion.version} was promoted in the night of {champion.night}, {told}: {champion.verdict}")
    if before is None:
        return [*changes, f"The first night; code {record.commit}."]
    if before.commit != record.commit:
        changes.append(f"Code: {before.commit[:12]} → {record.commit[:12]}.")
    for key in sorted(before.settings.keys() | record.settings.keys()):
        old, new = before.settings.get(key, "absent"), record.settings.get(key, "absent")
        if old != new:
            changes.append(f"{key}: {old} → {new}.")
    return changes


def _dataset(night: NightResult) -> str:
    plan = night.plan
    manifest, champion = plan.sweep.manifest, plan.champion
    told = f"Dataset {manifest.fingerprint}: {len(manifest.subjects)} subjects."
    if champion and plan.defends:
        told += f" The champion, version {champion.version}, was trained and scored on it anew, under protocol version {champion.protocol}."
        if plan.sweep.test == champion.test:
            told += f" Its test subjects stay {', '.join(champion.test)}; new subjects joined the others."
    return told


def _looks(night: NightResult) -> str:
    looks = [f"{look.night} on {len(look.differences)} subjects: p = {look.p:.2g}, needed {look.level:.2g}" for look in night.title.looks]
    since = f"version {night.title.champion} was promoted" if night.title.champion else "the title was set up"
    return f"Looks at the title since {since}: {'; '.join(looks) or 'none'}."


def _promoted(night: NightResult) -> str:
    challenger = night.title.challenger
    return f"{challenger.name} of {challenger.study}" if challenger else ""


def _standings(folds: Sequence[FoldScores], card: Scorecard, channel_type: str, name: str) -> tuple[Standing, ...]:
    rows = [row for row in summarise(folds, card) if row.channel_type == channel_type] if folds else []
    primary = card.primary
    standings = [_standing(_title(row, name), _role(row), row.means[primary], row.intervals[primary], row.n) for row in rows]
    beside = [defined(row.means[card.beside]) if card.beside else None for row in rows]
    return tuple(standing.model_copy(update={"beside": figure}) for standing, figure in zip(standings, beside, strict=True))


def _role(row: CohortRow) -> Role:
    return "winner" if row.role == "model" else row.role


def _title(row: CohortRow, name: str) -> str:
    """What a row is called; `name` is the model's."""
    return (name if row.role == "model" else row.predictor) + (f" LEAK in {row.leak_in}" if row.leak else "")


def _champion(scores: Mapping[str, float]) -> tuple[Standing, ...]:
    values = list(scores.values())
    return (_standing("champion", "champion", float(np.mean(values)), t_interval(values), len(values)),) if values else ()


def _standing(name: str, role: Role, mean: float, interval: tuple[float, float], n: int) -> Standing:
    low, high = (None if np.isnan(end) else end for end in interval)
    return Standing(name=name, role=role, mean=mean, low=low, high=high, n=n)


def _board(folds: Sequence[FoldScores], channel_type: str, name: str, champion: Mapping[str, float] | None) -> SubjectBoard:
    scores = [score for fold in folds for score in fold.scores if score.channel_type == channel_type]
    predictors = sorted(dict.fromkeys(score.predictor for score in scores), key=lambda predictor: _is_not_model(predictor, folds))
    value = {(score.predictor, score.subject): score.score for score in scores}
    titles = [name if not _is_not_model(predictor, folds) else predictor for predictor in predictors]
    rows = []
    for subject in sorted({score.subject for score in scores}):
        values = [value.get((predictor, subject)) for predictor in predictors]
        if champion is not None:
            values.insert(1, champion.get(subject))
        rows.append(SubjectRow(subject=subject, values=tuple(values)))
    if champion is not None:
        titles.insert(1, "champion")
    return SubjectBoard(columns=tuple(titles), against_champion=champion is not None, rows=tuple(rows))


def _is_not_model(predictor: str, folds: Sequence[FoldScores]) -> bool:
    return not any(score.predictor == predictor and score.role == "model" for fold in folds for score in fold.scores)


def _cost(record: NightRecord, night: NightResult) -> dict[str, str]:
    tonight = Cost.of(night.tonight)
    share = record.search_s / record.budget_s
    return {
        "trials this night": f"{record.search_s / 3600:.2f} h of {record.budget_s / 3600:g} h ({share:.0%})",
        "the champion's defence and the winner's refit": f"{record.beside_s / 3600:.2f} h, beside that budget",
        "core-hours this night": f"{tonight.core_hours:.2f}, {tonight.pruned_share:.0%} of them in pruned trials",
        "GPU-hours this night": f"{tonight.gpu_hours:.2f}",
        "whole study": f"{night.cost.core_hours:.2f} core-hours, {night.cost.gpu_hours:.2f} GPU-hours",
    }


def _cause(attributes: Mapping[str, object]) -> str:
    return str(attributes.get("cause", "see the log of Ray"))
