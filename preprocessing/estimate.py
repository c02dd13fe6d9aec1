"""What preprocessing will take, told from the sizes of files alone."""

from dataclasses import dataclass

from preprocessing.plan import Plan

# Seconds of one core for a gigabyte of FIF in float32, from reading to a published shard at 100 Hz, as benchmarks/preprocessing.py measures
# it; docs/scale.md says on what. It goes with samples: 2-byte files take twice as long a byte.
CORE_S_PER_GB = 13.5


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
    core_hours : float
    cost : float
        In the currency of the price.
    """

    bytes_cached: int
    bytes_read: int
    bytes_written: float | None
    core_hours: float
    cost: float


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
    core_hours = bytes_read / 1e9 * CORE_S_PER_GB / 3600
    bytes_written = bytes_read * bytes_cached / measured if measured else None
    return Estimate(bytes_cached, bytes_read, bytes_written, core_hours, core_hours * price)
