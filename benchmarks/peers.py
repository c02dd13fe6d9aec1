"""Other libraries that read shuffled windows, each from its own format and in the way its documentation shows first."""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

BATCH_SIZE = 16

# Reads every window once.
Pass = Callable[[], None]


class Scaled:
    """A batch in a buffer that is used again, scaled by channel as it is copied.

    Parameters
    ----------
    scale_c, offset_c : Tensor, shape (C,)
        Maps `x` to `x * scale_c + offset_c`.
    n_times : int
        Samples a window.
    """

    def __init__(self, scale_c: torch.Tensor, offset_c: torch.Tensor, n_times: int) -> None:
        self._scale_c, self._offset_c = scale_c, offset_c
        self._out_btc = torch.zeros(BATCH_SIZE, n_times, len(scale_c))

    def put(self, row: int, x_tc: NDArray[np.float32]) -> None:
        """Take in a window."""
        torch.addcmul(self._offset_c, torch.from_numpy(x_tc), self._scale_c, out=self._out_btc[row])


def mosaic_streaming(windows_ntc: NDArray[np.float32], scaled: Scaled, folder: Path) -> Pass:
    """MosaicML streaming: MDS files, its default shuffle, samples iterated in this process."""
    _register_without_init("streaming", "streaming.base")
    from streaming.base.dataset import StreamingDataset
    from streaming.base.format import MDSWriter

    shape = ",".join(map(str, windows_ntc.shape[1:]))
    with MDSWriter(out=str(folder), columns={"window": f"ndarray:float32:{shape}"}) as writer:
        for window_tc in windows_ntc:
            writer.write({"window": window_tc})
    dataset = StreamingDataset(local=str(folder), shuffle=True, batch_size=BATCH_SIZE)

    def read() -> None:
        for position, sample in enumerate(dataset):
            scaled.put(position % BATCH_SIZE, sample["window"])

    return read


def ray_data(windows_ntc: NDArray[np.float32], scaled: Scaled, folder: Path) -> Pass:
    """Ray Data: a Parquet tensor column, shuffled over four batches."""
    import ray.data

    from jobs.cluster import start_ray

    start_ray(num_cpus=2)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # The newer reader starts a pool of actors for each pass: that, and not reading, would be measured on few cores.
    context.use_datasource_v2 = False
    ray.data.from_numpy(windows_ntc).write_parquet(str(folder), min_rows_per_file=4 * BATCH_SIZE)
    dataset = ray.data.read_parquet(str(folder))

    def read() -> None:
        for batch in dataset.iter_batches(batch_size=BATCH_SIZE, batch_format="numpy", local_shuffle_buffer_size=4 * BATCH_SIZE):
            for row, window_tc in enumerate(batch["data"]):
                scaled.put(row, window_tc)

    return read


def _register_without_init(*packages: str) -> None:
    """Let modules of packages be imported without what the packages import by themselves.

    Those of streaming import transformers and torchvision for ready-made text and image datasets.
    """
    for name in packages:
        found = importlib.util.find_spec(name)
        assert found is not None
        bare = importlib.machinery.ModuleSpec(name, None, is_package=True)
        bare.submodule_search_locations = found.submodule_search_locations
        sys.modules[name] = importlib.util.module_from_spec(bare)
