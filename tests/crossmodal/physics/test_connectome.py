"""Connectomes from files of The Virtual Brain, and by distance."""

import bz2
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.config.cortex import DecayConnectome
from crossmodal.physics.connectome import decay_connectome, read_tvb_connectome

WEIGHTS, LENGTHS_MM = np.array([[0, 2, 1], [2, 0, 0], [1, 0, 0.5]]), np.array([[0, 30, 60], [30, 0, 0], [60, 0, 0]])


def zipped(**tables):
    """A zip with a member of each name, numbers as text."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, table in tables.items():
            text = io.BytesIO()
            np.savetxt(text, table, fmt="%s")
            whole = text.getvalue()
            archive.writestr(name, bz2.compress(whole) if name.endswith(".bz2") else whole)
    return content.getvalue()


@pytest.mark.parametrize("names", [("weights.txt", "tract_lengths.txt"), ("c_3/weights.txt.bz2", "c_3/tract_lengths.txt.bz2")])
def test_a_file_is_read_as_it_is(names):
    connectome = read_tvb_connectome(zipped(**dict(zip(names, (WEIGHTS, LENGTHS_MM), strict=True))), "c_3.zip")
    assert len(connectome) == 3
    np.testing.assert_array_equal(connectome.weights_nn, WEIGHTS)
    np.testing.assert_allclose(connectome.lengths_m_nn, LENGTHS_MM / 1000)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"weights", r"c\.zip: is no zip file"),
        (zipped(**{"weights.txt": WEIGHTS, "tract_lengths.txt": LENGTHS_MM})[:-200], r"c\.zip: is no zip file"),
        (zipped(**{"weights.txt": WEIGHTS}), r"c\.zip: holds no tract_lengths\.txt"),
        (zipped(**{"weights.txt": [["a", "b"]], "tract_lengths.txt": LENGTHS_MM}), r"weights\.txt is no table of numbers"),
        (zipped(**{"weights.txt.bz2": WEIGHTS, "tract_lengths.txt": LENGTHS_MM[:2]}), r"weights are 3 x 3 and tract lengths 2 x 3"),
        (zipped(**{"weights.txt": WEIGHTS, "tract_lengths.txt": -LENGTHS_MM}), "tract_lengths holds values below 0"),
        (zipped(**{"weights.txt": WEIGHTS * np.nan, "tract_lengths.txt": LENGTHS_MM}), "weights holds values below 0, or none"),
    ],
)
def test_what_is_no_connectome_is_refused_by_name(content, sentence):
    with pytest.raises(UserError, match=sentence):
        read_tvb_connectome(content, "c.zip")


def test_connections_fall_off_with_distance():
    centres_m = np.array([[0.0, 0, 0], [0.01, 0, 0], [0.03, 0, 0], [0.5, 0, 0]])
    connectome = decay_connectome(centres_m, DecayConnectome(neighbours=2, decay_m=0.02, input_weight=10))
    weights_nn = connectome.weights_nn
    np.testing.assert_allclose(weights_nn.sum(axis=1), 10)
    assert ((weights_nn > 0).sum(axis=1) == 2).all()
    assert np.isclose(weights_nn[0, 1] / weights_nn[0, 2], np.e)
    np.testing.assert_allclose(connectome.lengths_m_nn[0], [0, 0.01, 0.03, 0])
    # Every region is reached, however far it is.
    assert np.isclose(weights_nn[3, 2] / weights_nn[3, 1], np.e)


def test_few_regions_are_all_connected():
    centres_m = np.random.default_rng(0).normal(size=(5, 3))
    assert ((decay_connectome(centres_m, DecayConnectome()).weights_nn > 0) == ~np.eye(5, dtype=bool)).all()


@pytest.mark.parametrize("n_regions", [66, 68, 76, 96, 192])
def test_the_files_of_tvb_data_are_read(n_regions):
    """A check for developers, as `make bench` installs that package."""
    folder = pytest.importorskip("tvb_data", reason="tvb-data is not installed; `make bench` puts it into .venv/peers").__path__[0]
    file = Path(folder) / "connectivity" / f"connectivity_{n_regions}.zip"
    connectome = read_tvb_connectome(file.read_bytes(), file.name)
    assert len(connectome) == n_regions
    assert 0.05 < connectome.lengths_m_nn.max() < 0.4
