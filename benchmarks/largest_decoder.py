"""Steps of the largest decoder, to 122,880 voxels, through the platform's loop against bare ones on the same batches.

It is that of Calhas' network, which has a weight for each latent number and each voxel. Rounds of both alternate, and the median of the
ratios of their times is told, since what else the machine does slows both.
"""

import argparse
import tempfile
from pathlib import Path

import mne
import numpy as np
import torch
from rich.console import Console

from benchmarks.training import platform_share
from benchmarks.volume_models import AFFINE, GRID, N_ELECTRODES, NETWORKS, SFREQ, TR_S, brain, device
from crossmodal.config.data import Data
from crossmodal.config.models import ModelSettings
from crossmodal.config.training import Training
from crossmodal.datasets.folds import Fold, Part
from crossmodal.datasets.manifest import Manifest
from crossmodal.datasets.opening import ShardFold, open_fold
from crossmodal.datasets.recording import Events, Recording, Signal
from crossmodal.datasets.shard import write_shard
from crossmodal.datasets.volumes import Volumes
from crossmodal.models.registry import network_spec
from crossmodal.storage.node_cache import NodeCache

KIND, TARGET = "calhas", 0.9
# Ten TRs of EEG come before the first volume that has a window.
N_VOLUMES = 22


def main() -> None:
    """Measure and say what was reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        fold = _open(Path(scratch))
        network = network_spec(ModelSettings(kind=KIND)).build(fold.signals).to(device())
        training = Training(batch_size=arguments.batch_size, schedule="constant", warmup_epochs=0, gradient_clip=None)
        share = platform_share(fold.train, network, training, arguments.rounds)
    n_steps = arguments.rounds * -(-len(fold.train) // arguments.batch_size)
    reached = "reached" if share >= TARGET else "missed"
    Console(width=120).print(
        f"the platform's steps, {n_steps} of them: {share:.2f} of a bare loop's speed, wanted at least {TARGET}: {reached}"
    )


def _open(folder: Path) -> ShardFold:
    """Write two recordings of noise as shards and open them."""
    entries = [write_shard(_recording(subject), folder / subject) for subject in ("01", "02")]
    (first, second) = (Part(subject=entry.subject) for entry in entries)
    fold = Fold(name="benchmark", train=(first,), validation=(second,), test=(second,))
    windows = {"kind": "volumes", "length_s": NETWORKS[KIND]}
    data = Data.model_validate({"target": {"modality": "bold"}, "windows": windows, "input_scaling": "zscore"})
    return open_fold(Manifest.of(entries, "benchmark"), fold, data, 0, NodeCache(folder / "cache", 2**40))


def _recording(subject: str) -> Recording:
    rng = np.random.default_rng(int(subject))
    n_samples = round((N_VOLUMES + 1) * TR_S * SFREQ)
    names = tuple(f"E{number}" for number in range(N_ELECTRODES))
    data_tc = 1e-5 * rng.standard_normal((n_samples, N_ELECTRODES), dtype=np.float32)
    eeg = Signal("eeg", data_tc, names, ("eeg",) * len(names), ("V",) * len(names), np.full((len(names), 3), np.nan))
    volumes = Volumes(
        data_vs=100 + rng.standard_normal((N_VOLUMES, int(np.prod(GRID))), dtype=np.float32),
        onset_s=TR_S * np.arange(N_VOLUMES),
        good=np.ones(N_VOLUMES, dtype=bool),
        tr_s=TR_S,
        affine=AFFINE,
        brain=brain(),
        names=None,
        stored=np.ones(GRID, dtype=bool),
        in_common_space=True,
    )
    return Recording(
        subject=subject,
        run="01",
        sfreq=SFREQ,
        signals={"eeg": eeg},
        events=Events(np.zeros(0, np.int64), np.zeros(0), ()),
        good=np.ones(n_samples, dtype=bool),
        info=mne.create_info(list(names), SFREQ, "eeg"),
        provenance={},
        volumes=volumes,
    )


if __name__ == "__main__":
    main()
