"""The settings that a simulated cohort was made with, which lie beside its truth."""

import json
from pathlib import Path
from typing import Any

from crossmodal.config import UserError
from crossmodal.config.simulation import AnySimulation, EegFmriSimulation


def settings_path(root: Path) -> Path:
    """Where a simulated cohort keeps them."""
    return root / "derivatives" / "truth" / "simulation.json"


def settings_of(simulation: AnySimulation) -> dict[str, Any]:
    """All that decides what the cohort is, as JSON holds it."""
    exclude = {"root"} if isinstance(simulation, EegFmriSimulation) else {"root", "kind"}
    plain: dict[str, Any] = json.loads(simulation.model_dump_json(exclude=exclude))
    return plain


def write_settings(root: Path, simulation: AnySimulation) -> None:
    """Keep them with a cohort."""
    settings_path(root).write_text(json.dumps(settings_of(simulation), indent=1) + "\n")


def changed_settings(root: Path, simulation: AnySimulation) -> list[str]:
    """Name the settings in which the cohort at `root` differs, as `anatomy.head_size`.

    Raises
    ------
    OSError, ValueError
        There are none, or they cannot be read.
    """
    made, asked = _flat(json.loads(settings_path(root).read_text())), _flat(settings_of(simulation))
    # A setting that is younger than the cohort is null where it changes nothing.
    return sorted(key for key in made.keys() | asked.keys() if made.get(key) != asked.get(key))


def check_settings(root: Path, simulation: AnySimulation) -> None:
    """Refuse to compute ceilings of a cohort that was made with other settings, or does not tell with which.

    Raises
    ------
    UserError
    """
    where = settings_path(root)
    try:
        changed = changed_settings(root, simulation)
    except (OSError, ValueError):
        raise UserError(f"{where}: cannot be read, so that nobody knows which ceilings hold; simulate the cohort anew") from None
    if changed:
        named = ", ".join(f"simulation.{name}" for name in changed)
        raise UserError(f"{where}: the cohort was made with another {named} than the experiment gives; ceilings would be wrong")


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
