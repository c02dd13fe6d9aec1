"""Memory that an image takes, against what is declared for it."""

import tracemalloc

import nibabel
import numpy as np
import pytest

from crossmodal.config.bold import Bold
from crossmodal.config.eeg_fmri import NoddiRecordings
from preprocessing.bold import to_volumes
from preprocessing.needs import BOLD_MEMORY_PER_BYTE
from preprocessing.readers.eeg_fmri.image import OpenedBold


@pytest.mark.parametrize("on_grid", [False, True])
def test_an_image_takes_no_more_memory_than_is_declared(tmp_path, on_grid):
    """Of its voxels, or of the grid's, all of them in the brain but for a margin."""
    shape, grid, n_volumes = (40, 40, 30), (48, 48, 36), 100
    rng = np.random.default_rng(0)
    data = rng.integers(0, 20, (*shape, n_volumes), dtype=np.int16)
    data[2:-2, 2:-2, 1:-1] += 1000
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), tmp_path / "bold.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.zeros(grid, dtype=np.int8), np.diag([40 / 48, 40 / 48, 30 / 36, 1])), tmp_path / "grid.nii.gz")
    times_s = 2.0 * np.arange(n_volumes)
    opened = OpenedBold("bold.nii.gz", nibabel.load(tmp_path / "bold.nii.gz"), 2.0, times_s, None, None, ())
    settings = Bold(grid=str(tmp_path / "grid.nii.gz") if on_grid else None)
    tracemalloc.start()
    volumes, _ = to_volumes(opened, settings, NoddiRecordings(root="unused"), tmp_path, "run")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert volumes.brain.mean() > 0.5
    assert volumes.data_vs.shape == (n_volumes, np.prod(grid if on_grid else shape))
    assert peak < BOLD_MEMORY_PER_BYTE * volumes.data_vs.nbytes
