"""A night after its dataset is made: search, nominate what leads, and promote it if it is better on subjects that no search has seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from optuna.trial import FrozenTrial, TrialState

from crossmodal.config import Experiment, UserError, fingerprint, overridden
from crossmodal.datasets.folds import make_folds
from crossmodal.evaluation.protocol import PROTOCOL
from crossmodal.evaluation.scores import FoldScores, model_scores, over_types
from crossmodal.nightly.defence import defend, meet, must_defend
from crossmodal.nightly.division import check_kept, keep_apart
from crossmodal.nightly.record import NightRecord, spending
from crossmodal.nightly.title import Challenger, Look, Title, read_title, write_title
from crossmodal.nightly.verdict import Lead, Verdict, foresee, lead_of, no_look, verdict_of
from crossmodal.tasks.choosing import task_of
from crossmodal.tracking.champions import Champion, champion_tags, crown, find_champion, find_former
from crossmodal.tracking.outage import retry_while_mlflow_away
from crossmodal.tracking.runs import Tracker
from crossmodal.training.fold import FoldProgress
from crossmodal.tuning.cost import Cost
from crossmodal.tuning.journal import SweepJournal
from crossmodal.tuning.plan import SweepPlan, plan_sweep
from crossmodal.tuning.space import Space
from crossmodal.tuning.study import begun, study_name
from crossmodal.tuning.subjects import least_searched, locked_subjects
from crossmodal.tuning.sweep import search
from crossmodal.tuning.winner import Winner, describe_study, development_scores, open_test, refit, register


@dataclass(frozen=True)
class NightPlan:
    """What a night searches, and whom its winner meets.

    Attributes
    ----------
    model : str
        In MLflow's registry.
    folds : str
        Fingerprint of the folds that all trials and the champion are scored on.
    champion : Champion, optional
        That the night began with.
    title : Title
        As the night began with it, the kept and searched subjects of tonight in it.
    date : str
        Of the night.
    crowned : Champion, optional
        That this very night promoted already, before it was interrupted.
    defends : bool
        The champion's scores are of fewer recordings or of an older protocol, so that its settings are trained and scored anew.
    """

    sweep: SweepPlan
    model: str
    folds: str
    champion: Champion | None
    title: Title
    date: str
    crowned: Champion | None = None
    defends: bool = False

    @property
    def subjects(self) -> tuple[str, ...]:
        """All outside the test."""
        return tuple(subject for subject in self.sweep.manifest.subjects if subject not in self.sweep.test)

    @property
    def whole(self) -> SweepPlan:
        """The search's plan with the kept subjects among the others: what wins is refitted on all of them."""
        return replace(self.sweep, split=self.sweep.split.model_copy(update={"subjects": self.subjects}))

    @property
    def held_by(self) -> str:
        """The champion in a sentence."""
        return f"the champion, version {self.champion.version}," if self.champion else "the training mean (there is no champion yet)"

    @property
    def words(self) -> str:
        """What sentences call a score."""
        return task_of(self.sweep.experiment).scorecard(self.sweep.experiment).words

    @property
    def told(self) -> Look | None:
        """A look that an earlier attempt at this night wrote down, or one that won and was interrupted before the title changed hands."""
        last = self.title.looks[-1] if self.title.looks else None
        return last if last and (last.promoted or last.night == self.date) else None

    @property
    def foresight(self) -> str:
        """What tonight's look at the title can see, and what none can."""
        return self.told.foreseen if self.told else foresee(self.title, self.subjects, self.sweep.test)

    @property
    def fold_names(self) -> list[str]:
        """Folds that may be trained besides those of trials: where champion and challenger meet, and of a winner that is refitted."""
        each = self.sweep.split.model_copy(update={"folds": len(self.subjects), "subjects": self.subjects})
        return [*(fold.name for fold in make_folds(each, self.sweep.manifest)), "fixed"]


@dataclass(frozen=True)
class NightResult:
    """What a night came to.

    Attributes
    ----------
    reason : str
        Why no further trial was begun.
    trials : tuple of FrozenTrial
        Of the whole study; those of this night began after `since`.
    development, test : list of FoldScores
        Of the winner beside baselines and ceilings; on test subjects only where it was promoted.
    version : str
        In the registry, of a promoted winner.
    title : Title
        As the night leaves it.
    """

    plan: NightPlan
    reason: str
    trials: tuple[FrozenTrial, ...]
    since: datetime
    winner: FrozenTrial
    cost: Cost
    sweep_run: str
    verdict: Verdict
    title: Title
    development: Sequence[FoldScores]
    test: Sequence[FoldScores] = ()
    version: str = ""

    @property
    def tonight(self) -> tuple[FrozenTrial, ...]:
        """Trials that ended this night, by themselves or not."""
        return tuple(trial for trial in self.trials if trial.datetime_complete and trial.datetime_complete >= self.since)


def plan_night(experiment: Experiment, space: Space, tracker: Tracker, date: str) -> NightPlan:
    """Look up dataset and champion before anything is spent.

    A study belongs to one dataset and one version of the protocol; its name here says which, so that new recordings begin a new one. Test
    subjects that the experiment does not name are the title's: a quarter drawn anew from more subjects would hold others. A night that goes
    on after its own promotion meets the champion that it began with. Preprocessing may have taken hours, and is not lost for a store or an
    MLflow that is away for a moment.

    Raises
    ------
    UserError
        The champion was scored on other folds or on a dataset that this one does not contain, the search does not go with the
        experiment, or MLflow or the store was away for longer than trainings wait.
    """
    return retry_while_mlflow_away(lambda: _plan_night(experiment, space, tracker, date), experiment.training.outage_s)


def _plan_night(experiment: Experiment, space: Space, tracker: Tracker, date: str) -> NightPlan:
    model = study_name(experiment)
    manifest = task_of(experiment).find_dataset(experiment)
    titled = find_champion(tracker, model)
    crowned = titled if titled and titled.night == date else None
    champion = find_former(tracker, model, crowned) if crowned else titled
    title = read_title(experiment.store, model).held_by(champion.version if champion else "")
    settings: dict[str, object] = {"tuning.study": f"{model}-{manifest.fingerprint}-v{PROTOCOL}"}
    locked = titled.test if titled else title.test
    if locked and experiment.tuning.test_subjects is None and set(locked) <= set(manifest.subjects):
        settings["tuning.test_subjects"] = list(locked)
    experiment = overridden(experiment, settings)
    title = _divided(title, experiment, manifest.subjects)
    defends = champion is not None and must_defend(champion, experiment.store, manifest, title.test)
    if champion and not defends:
        champion.check_dataset(model, manifest.fingerprint)
    sweep = plan_sweep(experiment, space, title.kept)
    folds = fingerprint(sweep.split)
    if champion and not defends:
        champion.check_folds(model, folds)
    return NightPlan(sweep, model, folds, champion, title, date, crowned, defends)


def _divided(title: Title, experiment: Experiment, subjects: Sequence[str]) -> Title:
    """Say which subjects are kept for the title tonight, which for the test, and which its searches have seen."""
    test, named = locked_subjects(experiment, subjects), experiment.nightly.confirmation_subjects
    others = [subject for subject in subjects if subject not in test]
    kept = keep_apart(title, others, least_searched(experiment), experiment.seed) if named is None else check_kept(title, others, named)
    searched = tuple(sorted({*title.searched, *others} - set(kept)))
    return title.model_copy(update={"test": test, "kept": kept, "searched": searched})


def run_night(
    plan: NightPlan,
    nights: str,
    record: NightRecord,
    tracker: Tracker,
    show_trial: Callable[[FrozenTrial], None],
    show_fold: Callable[[FoldProgress], None],
) -> NightResult:
    """Search as long as the night may, nominate what leads, look at the challenger if that is due, and promote it if it wins.

    All of it can be done again: what was searched, trained, looked at, opened and registered is found, and a verdict is told as it was.

    Raises
    ------
    UserError
        No trial was finished, this night or before, or this night promoted one and the store has lost how.
    """
    outage_s = plan.sweep.experiment.training.outage_s
    seconds = max(1.0, record.budget_s - record.search_s)
    # Before any trial sees them: who was searched is never kept.
    retry_while_mlflow_away(lambda: write_title(plan.sweep.experiment.store, plan.model, plan.title), outage_s)
    with spending(nights, record.date, "search_s"):
        study, journal, reason = search(plan.sweep, tracker, show_trial, seconds)
    trials = tuple(begun(study.get_trials(deepcopy=False)))
    winner, cost = describe_study(plan.sweep, study, journal, tracker)
    development = development_scores(plan.sweep, winner, journal, tracker)
    with spending(nights, record.date, "beside_s"):
        if plan.champion and plan.defends:
            plan = replace(plan, champion=defend(plan.champion, plan.sweep, plan.folds, journal, tracker, show_fold))
        title, verdict = _contest(plan, winner, trials, development, journal, tracker, show_fold)
        test, version = _promote(plan, title, verdict, journal, tracker, show_fold) if verdict.promote else ((), "")
    retry_while_mlflow_away(lambda: tracker.end(journal.run_id, "FINISHED"), outage_s)
    since = datetime.fromisoformat(record.began)
    return NightResult(plan, reason, trials, since, winner, cost, journal.run_id, verdict, title, development, test, version)


def _contest(
    plan: NightPlan,
    winner: FrozenTrial,
    trials: Sequence[FrozenTrial],
    development: Sequence[FoldScores],
    journal: SweepJournal,
    tracker: Tracker,
    show: Callable[[FoldProgress], None],
) -> tuple[Title, Verdict]:
    """Nominate and look once a night; a look that was written down tonight, or that won and was interrupted, is told as it was."""
    title, store = plan.title, plan.sweep.experiment.store
    if plan.crowned and not plan.told:
        raise UserError(
            f"champion {plan.model} version {plan.crowned.version}: was promoted this night, and the store no longer knows its look; "
            "begin another night with --date"
        )
    if plan.told:
        verdict = verdict_of(title, plan.held_by, plan.words)
        return title, replace(verdict, sentence=plan.crowned.verdict) if plan.crowned else verdict
    lead = _lead(plan, winner, trials, development)
    overrides = winner.user_attrs["overrides"]
    if lead.deviations >= title.least_lead and not (plan.champion and plan.champion.overrides == overrides):
        title = title.nominate(
            Challenger(
                study=plan.sweep.study,
                trial=winner.number,
                overrides=overrides,
                night=plan.date,
                seen=plan.sweep.split.subjects or (),
                dataset=plan.sweep.manifest.fingerprint,
                folds=plan.folds,
                scores=model_scores(development),
                protocol=PROTOCOL,
            )
        )
    outage_s = plan.sweep.experiment.training.outage_s
    retry_while_mlflow_away(lambda: write_title(store, plan.model, title), outage_s)
    if not (title.challenger and title.is_due(plan.subjects)):
        return title, no_look(title, plan.subjects, plan.held_by, lead)
    differences = meet(title.challenger, plan.champion, plan.sweep, plan.subjects, journal, tracker, show)
    looked = title.look(plan.date, plan.foresight, differences, PROTOCOL)
    # Written before anything follows from it: no night looks twice.
    retry_while_mlflow_away(lambda: write_title(store, plan.model, looked), outage_s)
    return looked, verdict_of(looked, plan.held_by, plan.words)


def _promote(
    plan: NightPlan,
    title: Title,
    verdict: Verdict,
    journal: SweepJournal,
    tracker: Tracker,
    show: Callable[[FoldProgress], None],
) -> tuple[Sequence[FoldScores], str]:
    """Refit the challenger on all subjects outside the test, score it there, and hand it the title; return these scores and its version."""
    challenger = title.challenger
    assert challenger, "who wins stays written down"
    winner = Winner(challenger.study, challenger.trial, challenger.overrides)
    training = refit(plan.whole, winner, journal, tracker, show)
    test = open_test(plan.whole, training, tracker, f"promotion of {plan.date}")
    tags = champion_tags(training.run, challenger.dataset, challenger.folds, challenger.overrides, plan.sweep.test, challenger.scores)
    tags["protocol.version"] = str(challenger.protocol)
    version = register(plan.whole, winner, training, tracker, plan.model, tags)
    outage_s = plan.sweep.experiment.training.outage_s
    retry_while_mlflow_away(lambda: crown(tracker, plan.model, version, plan.date, verdict.sentence, plan.champion), outage_s)
    return test, version


def _lead(plan: NightPlan, winner: FrozenTrial, trials: Sequence[FrozenTrial], development: Sequence[FoldScores]) -> Lead:
    scores = over_types(model_scores(development))
    champion = over_types(plan.champion.scores) if plan.champion else dict.fromkeys(scores, 0.0)
    others = [dict(trial.user_attrs["scores"]) for trial in trials if "scores" in trial.user_attrs and trial.number != winner.number]
    pruned = sum(trial.state == TrialState.PRUNED for trial in trials)
    folds = [[part.subject for part in fold.test] for fold in make_folds(plan.sweep.split, plan.sweep.manifest)]
    return lead_of(scores, others, champion, folds, pruned)
