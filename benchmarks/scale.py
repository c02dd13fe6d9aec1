"""What ds000117 takes on clusters of different sizes: arithmetic on measured figures, with every assumption an option.

Its runs go through all steps of ds000117.yaml. `python -m benchmarks.steps` measures the first two options; the others describe a
cloud's node of 16 cores and its prices.
"""

import argparse
import math
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from preprocessing.needs import CORE_S_PER_GB, MEMORY_PER_BYTE

NODES = (1, 4, 16, 64)
# 16 subjects x 6 runs of 404 channels x 540 100 samples, 4 bytes each; a shard holds 376 channels at 250 Hz in float32.
RECORDINGS, RECORDING_GB, SHARD_GB = 96, 404 * 540_100 * 4e-9, 376 * 122_750 * 4e-9


@dataclass(frozen=True)
class Projection:
    """What one cluster takes.

    Attributes
    ----------
    tasks : int
        At a time on all nodes.
    rounds : int
        Of tasks, one after another on a worker.
    stage_s : float
        To fetch a recording while all workers of a node fetch theirs.
    total_s : float
    memory_gb : float
        Of all tasks at a time, as declared.
    traffic_gb_s : float
        From the object store while recordings are fetched.
    usd : float
        For all nodes from the start of the first to the end of the job.
    """

    nodes: int
    tasks: int
    rounds: int
    stage_s: float
    total_s: float
    memory_gb: float
    traffic_gb_s: float
    usd: float


def project(nodes: int, assumed: argparse.Namespace) -> Projection:
    """Compute what `nodes` nodes take; every recording is as long as any other, and none fails."""
    slots = min(assumed.cores, int(assumed.memory_gb / (RECORDING_GB * assumed.memory_per_byte)))
    tasks = min(nodes * slots, RECORDINGS)
    busiest = math.ceil(tasks / nodes)
    stage_s = RECORDING_GB / min(assumed.stream_gb_s, assumed.network_gb_s / busiest)
    rounds = math.ceil(RECORDINGS / tasks)
    total_s = assumed.start_s + rounds * (stage_s + RECORDING_GB * assumed.core_s_per_gb)
    usd = nodes * total_s / 3600 * assumed.node_usd
    return Projection(
        nodes=nodes,
        tasks=tasks,
        rounds=rounds,
        stage_s=stage_s,
        total_s=total_s,
        memory_gb=tasks * RECORDING_GB * assumed.memory_per_byte,
        traffic_gb_s=tasks * RECORDING_GB / stage_s,
        usd=usd,
    )


def main() -> None:
    """Print the projection for each size of cluster."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value, what in (
        ("core-s-per-gb", sum(CORE_S_PER_GB.values()), "measured: time of one core, all steps"),
        ("memory-per-byte", max(MEMORY_PER_BYTE.values()), "declared; what is measured is less"),
        ("cores", 16, "of a node"),
        ("memory-gb", 90.0, "of a node that Ray gives to tasks"),
        ("network-gb-s", 1.5, "of a node"),
        ("stream-gb-s", 0.2, "that one task fetches alone"),
        ("start-s", 120.0, "until nodes and workers are up"),
        ("node-usd", 1.06, "an hour"),
    ):
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"{what} (default %(default)s)")
    assumed = parser.parse_args()
    table = Table("nodes", "tasks at once", "rounds", "time", "memory", "from the store", "USD", box=None)
    for row in (project(nodes, assumed) for nodes in NODES):
        table.add_row(
            str(row.nodes),
            str(row.tasks),
            str(row.rounds),
            f"{row.total_s / 60:.1f} min",
            f"{row.memory_gb:.0f} GB",
            f"{row.traffic_gb_s:.1f} GB/s",
            f"{row.usd:.2f}",
        )
    console = Console()
    console.print(table)
    console.print(f"read {RECORDINGS * RECORDING_GB:.1f} GB, written {RECORDINGS * SHARD_GB:.1f} GB (float16: half)")


if __name__ == "__main__":
    main()
