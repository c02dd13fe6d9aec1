"""A night after its dataset is made: search, compare, and promote what is better beyond chance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from optuna.trial import FrozenTrial

from crossmodal.config import Experiment, UserError, fingerprint, overridden
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.manifest import load_latest
from crossmodal.evaluation.scores import FoldScores, model_scores, over_types
from crossmodal.nightly.defence import defend, has_grown
from crossmodal.nightly.record import NightRecord, spending
from crossmodal.nightly.verdict import Verdict, judge
from crossmodal.tracking.champions import Champion, champion_tags, crown, find_champion, find_former
from crossmodal.tracking.outage import outlast
from crossmodal.tracking.runs import Tracker
from crossmodal.training.experiment import plan_training
from crossmodal.training.fold import FoldProgress
from crossmodal.tuning.cost import Cost
from crossmodal.tuning.space import Space
from crossmodal.tuning.study import begun, study_name
from crossmodal.tuning.sweep import SweepPlan, plan_sweep, search
from crossmodal.tuning.winner import describe_study, development_scores, open_test, refit, register, winner_experiment


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
    crowned : Champion, optional
        That this very night promoted already, before it was interrupted.
    defends : bool
        The dataset has grown since the champion was promoted, so that its settings are trained and scored anew.
    """

    sweep: SweepPlan
    model: str
    folds: str
    champion: Champion | None
    crowned: Champion | None = None
    defends: bool = False

    @property
    def fold_names(self) -> list[str]:
        """Folds that are trained besides those of trials: of a champion that defends its title, and of a winner that is refitted."""
        defended = [fold.name for fold in make_folds(self.sweep.split, self.sweep.manifest)] if self.defends else []
        return [*defended, "fixed"]


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
    """

    plan: NightPlan
    reason: str
    trials: tuple[FrozenTrial, ...]
    since: datetime
    winner: FrozenTrial
    cost: Cost
    sweep_run: str
    verdict: Verdict
    development: Sequence[FoldScores]
    test: Sequence[FoldScores] = ()
    version: str = ""

    @property
    def tonight(self) -> tuple[FrozenTrial, ...]:
        """Trials that ended this night, by themselves or not."""
        return tuple(trial for trial in self.trials if trial.datetime_complete and trial.datetime_complete >= self.since)


def plan_night(experiment: Experiment, space: Space, tracker: Tracker, date: str) -> NightPlan:
    """Look up dataset and champion before anything is spent.

    A study belongs to one dataset; its name here says which, so that new recordings begin a new one. Test subjects that the experiment
    does not name are the champion's, if there is one: a quarter drawn anew from more subjects would hold others. A night that goes on
    after its own promotion meets the champion that it began with. Preprocessing may have taken hours, and is not lost for a store or an
    MLflow that is away for a moment.

    Raises
    ------
    UserError
        The champion was scored on other folds or on a dataset that this one does not contain, the search does not go with the
        experiment, or MLflow or the store was away for longer than trainings wait.
    """
    return outlast(lambda: _plan_night(experiment, space, tracker, date), experiment.training.outage_s)


def _plan_night(experiment: Experiment, space: Space, tracker: Tracker, date: str) -> NightPlan:
    model = study_name(experiment)
    manifest = load_latest(experiment.store, experiment.dataset_recipe)
    titled = find_champion(tracker, model)
    settings: dict[str, object] = {"tuning.study": f"{model}-{manifest.fingerprint}"}
    if titled and experiment.tuning.test_subjects is None and set(titled.test) <= set(manifest.subjects):
        settings["tuning.test_subjects"] = list(titled.test)
    sweep = plan_sweep(overridden(experiment, settings), space)
    folds = fingerprint(sweep.split)
    crowned = titled if titled and (titled.night, titled.dataset) == (date, manifest.fingerprint) else None
    if crowned:
        crowned.check_comparable(model, manifest.fingerprint, folds)
    champion = find_former(tracker, model, crowned) if crowned else titled
    defends = champion is not None and has_grown(champion, sweep.experiment.store, manifest, sweep.test)
    if champion and not defends:
        champion.check_comparable(model, manifest.fingerprint, folds)
    return NightPlan(sweep, model, folds, champion, crowned, defends)


def run_night(
    plan: NightPlan,
    nights: str,
    record: NightRecord,
    tracker: Tracker,
    show_trial: Callable[[FrozenTrial], None],
    show_fold: Callable[[FoldProgress], None],
) -> NightResult:
    """Search as long as the night may, judge the winner, and promote it if it is better beyond chance.

    All of it can be done again: what was searched, trained, opened and registered is found, and a promotion is told as it was.

    Raises
    ------
    UserError
        No trial was finished, this night or before, or the one that this night promoted is no longer in the study.
    """
    outage_s = plan.sweep.experiment.training.outage_s
    seconds = max(1.0, record.budget_s - record.search_s)
    with spending(nights, record.date, "search_s"):
        study, journal, reason = search(plan.sweep, tracker, show_trial, seconds)
    trials = tuple(begun(study.get_trials(deepcopy=False)))
    winner, cost = describe_study(plan.sweep, study, journal, tracker)
    if plan.crowned:
        winner = trial_of(plan.crowned, plan, trials)
    development = development_scores(plan.sweep, winner, journal, tracker)
    if plan.champion and plan.defends:
        with spending(nights, record.date, "beside_s"):
            plan = replace(plan, champion=defend(plan.champion, plan.sweep, plan.folds, journal, tracker, show_fold))
    scores = model_scores(development)
    run = plan_training(winner_experiment(plan.sweep, winner)).run
    others = [dict(trial.user_attrs["scores"]) for trial in trials if "scores" in trial.user_attrs and trial.number != winner.number]
    verdict = _judge(plan, run, scores, others)
    test: list[FoldScores] = []
    version = ""
    if verdict.promote:
        with spending(nights, record.date, "beside_s"):
            training = refit(plan.sweep, winner, journal, tracker, show_fold)
        test = open_test(plan.sweep, training, tracker, f"promotion of {record.date}")
        overrides = winner.user_attrs["overrides"]
        tags = champion_tags(run, plan.sweep.manifest.fingerprint, plan.folds, overrides, plan.sweep.test, scores)
        version = register(plan.sweep, winner, training, tracker, plan.model, tags)
        outlast(lambda: crown(tracker, plan.model, version, record.date, verdict.sentence, plan.champion), outage_s)
    outlast(lambda: tracker.end(journal.run_id, "FINISHED"), outage_s)
    since = datetime.fromisoformat(record.began)
    return NightResult(plan, reason, trials, since, winner, cost, journal.run_id, verdict, development, test, version)


def trial_of(crowned: Champion, plan: NightPlan, trials: Sequence[FrozenTrial]) -> FrozenTrial:
    """Find the trial that a version was made from.

    Raises
    ------
    UserError
        The study has been deleted since, or is another.
    """
    for trial in trials:
        if trial.number == crowned.trial and plan_training(winner_experiment(plan.sweep, trial)).run == crowned.run:
            return trial
    raise UserError(
        f"champion {plan.model} version {crowned.version}: was promoted this night, and its trial is no longer in the study; "
        "begin another night with --date"
    )


def _judge(plan: NightPlan, run: str, scores: Mapping[str, Mapping[str, float]], others: Sequence[Mapping[str, float]]) -> Verdict:
    champion = plan.champion
    verdict = judge(over_types(scores), others, over_types(champion.scores) if champion else None)
    if plan.crowned:
        # Trials may have ended since; what was promoted stays promoted.
        return replace(verdict, promote=True, sentence=plan.crowned.verdict)
    if champion and champion.run == run:
        return replace(verdict, promote=False, sentence=f"Kept: the champion, version {champion.version}, is still the best trial.")
    return verdict
