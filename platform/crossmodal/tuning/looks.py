"""Looks at test subjects that searches keep: counted before they happen."""

from crossmodal.evaluation.openings import openings, record_opening
from crossmodal.training.plan import Plan
from crossmodal.tuning.locks import locks


def count_look(plan: Plan, why: str) -> str:
    """Write down that a run is about to be scored on test subjects of searches; say so, or nothing where there are none.

    Parameters
    ----------
    why : str
        What scores them.
    """
    store, manifest = plan.experiment.store, plan.manifest
    scored = {part.subject for fold in plan.folds for part in fold.parts("test")}
    opened = [lock for lock in locks(store, manifest) if scored & set(lock.subjects)]
    if not opened:
        return ""
    searches = f"the search '{opened[0].study}'" + (f" and {len(opened) - 1} more" if len(opened) > 1 else "")
    subjects = tuple(sorted(scored & {subject for lock in opened for subject in lock.subjects}))
    record_opening(store, manifest.fingerprint, plan.run, f"{why}, beside {searches}", subjects)
    return (
        f"LOCKED SUBJECTS SHOWN: {', '.join(subjects)}, which {searches} keeps for the test; counted as a look, of "
        f"{len(openings(store, manifest))} so far."
    )
