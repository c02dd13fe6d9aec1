"""What preprocessing will take, told from the sizes of files, and from the headers of images that are to lie on one grid."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from preprocessing.needs import Needs
from preprocessing.plan import Plan
from preprocessing.readers.stores import asked_at_once


@dataclass(frozen=True)
class Estimate:
    """What a plan takes.

    Attributes
    ----------
    bytes_cached : int
        Of shards that are there already.
    bytes_read : int
        Of recordings that are to be read.
    bytes_written : float, optional
        Of shards to be made; None where none of these settings is there to tell their size by.
    core_hours_by_step : mapping of str to float
        Of the steps that are counted: those that are on and take time worth telling.
    cost : float
        In the currency of the price.
    """

    bytes_cached: int
    bytes_read: int
    bytes_written: float | None
    core_hours_by_step: Mapping[str, float]
    cost: float

    @property
    def core_hours(self) -> float:
        """Of all steps."""
        return sum(self.core_hours_by_step.values())


def estimate(plan: Plan, price: float) -> Estimate:
    """Estimate what the missing shards of a plan take.

    Parameters
    ----------
    plan : Plan
        Of the experiment, just made.
    price : float
        Of a core-hour, in any currency.
    """
    bytes_cached = sum(shard.size_bytes for shard in plan.present.values())
    bytes_read = sum(entry.size_bytes for entry in plan.missing.values())
    measured = sum(plan.entries[name].size_bytes for name in plan.present)
    core_hours = defaultdict[str, float](float)
    needs = Needs.of(plan.experiment.recorded, plan.experiment.preprocessing)
    for needed in asked_at_once(needs.core_s, plan.missing.values()):
        for step, core_s in needed.items():
            core_hours[step] += core_s / 3600
    bytes_written = bytes_read * bytes_cached / measured if measured else None
    return Estimate(bytes_cached, bytes_read, bytes_written, core_hours, sum(core_hours.values()) * price)
