"""Several variants of an experiment that are shown in one table, read from YAML."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from crossmodal.config.base import Config, UserError
from crossmodal.config.experiment import Experiment
from crossmodal.config.loading import apply_override, read_settings
from crossmodal.config.parsing import merge, parse

_TAKEN = ("data", "model", "training")


class Comparison(Config):
    """One experiment with some settings changed, variant by variant."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    note: str = Field("", description="printed beside the table")
    experiment: str = Field(description="path of the YAML file that all variants refine, relative to this one")
    primary: str | None = Field(
        None,
        description="label of the variant whose model is compared with the lagged ridge alone, uncorrected: the one comparison that was"
        " declared before",
    )
    variants: dict[str, dict[str, Any]] = Field(
        min_length=2,
        description="settings by label, as an experiment has them; rows of the table are named by the label. `takes` is the path of an"
        " experiment whose sections data, model and training come before them",
    )


def load_comparison(
    path: str | Path, overrides: Sequence[str] = (), check: Callable[[Experiment], Experiment] = lambda experiment: experiment
) -> tuple[Comparison, Mapping[str, Experiment]]:
    """Read a comparison and the experiment that each variant is.

    Parameters
    ----------
    path : str or Path
        A YAML file.
    overrides : sequence of str
        `training.epochs=3` and the like, of every variant.
    check : callable
        As of `load_experiment`.

    Raises
    ------
    UserError
        As `load_experiment` does; the sentence names the variant.
    """
    try:
        comparison = parse(Comparison, read_settings(Path(path)))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    if comparison.primary is not None and comparison.primary not in comparison.variants:
        raise UserError(f"{path}: primary: there is no variant '{comparison.primary}'; known are {', '.join(comparison.variants)}")
    experiments = {}
    for label, changes in comparison.variants.items():
        settings = merge(read_settings(Path(path).parent / comparison.experiment), _with_taken(changes, Path(path).parent))
        for override in overrides:
            apply_override(settings, override)
        try:
            experiments[label] = check(parse(Experiment, settings))
        except UserError as error:
            raise UserError(f"{path}: variant '{label}': {error}") from None
    return comparison, experiments


def _with_taken(changes: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Put what is taken from another experiment before the variant's own settings."""
    own = dict(changes)
    other = own.pop("takes", None)
    return own if other is None else merge({name: part for name, part in read_settings(folder / other).items() if name in _TAKEN}, own)
