"""Scores of several variants of an experiment as those of one run, so that one table tests them all together."""

from collections.abc import Iterator, Mapping, Sequence

from crossmodal.evaluation.scores import FoldScores, Role, Score

# What others, as controls and most oracles, say of each model stands in the variant's own table.
_SHOWN: tuple[Role, ...] = ("model", "baseline", "ceiling")


def side_by_side(variants: Mapping[str, Sequence[FoldScores]], yardsticks: tuple[str, ...] = ()) -> tuple[FoldScores, ...]:
    """Put the folds of all variants together.

    A model is named after its variant. So is a baseline or ceiling, unless each variant that has it gives it the same scores: it is shown
    once then, by its own name.

    Parameters
    ----------
    variants : mapping of str to sequence of FoldScores
        By label.
    yardsticks : tuple of str
        How the titles of oracles begin that are shown, too, since metrics are shares of them.
    """
    alike = _alike(variants)
    shown: set[str] = set()
    folds = []
    for label, of_variant in variants.items():
        names = {score.predictor for fold in of_variant for score in fold.scores}
        left_out, shown = shown & names, shown | (alike & names)
        folds += [fold.model_copy(update={"scores": tuple(_renamed(fold, label, alike, left_out, yardsticks))}) for fold in of_variant]
    return tuple(folds)


def _renamed(fold: FoldScores, label: str, alike: set[str], left_out: set[str], yardsticks: tuple[str, ...]) -> Iterator[Score]:
    for score in fold.scores:
        if (score.role in _SHOWN or score.predictor.startswith(yardsticks)) and score.predictor not in left_out:
            name = score.predictor if score.predictor in alike else row_name(label, score.predictor)
            yield score.model_copy(update={"predictor": name})


def row_name(label: str, predictor: str) -> str:
    """What the row of a variant's own predictor is called."""
    return f"{label}: {predictor}"


def _alike(variants: Mapping[str, Sequence[FoldScores]]) -> set[str]:
    """Predictors beside the models that have the same scores wherever they have any."""
    found: dict[str, list[dict[tuple[str, str, str], Score]]] = {}
    for folds in variants.values():
        of_variant: dict[str, dict[tuple[str, str, str], Score]] = {}
        for fold in folds:
            for score in fold.scores:
                of_variant.setdefault(score.predictor, {})[fold.fold, score.subject, score.channel_type] = score
        for name, scores in of_variant.items():
            found.setdefault(name, []).append(scores)
    return {
        name
        for name, (first, *others) in found.items()
        if all(other == first for other in others) and next(iter(first.values())).role != "model"
    }
