"""MATLAB files are read as SciPy reads them, and refused where their parts do not fit together, which ends SciPy's process."""

import struct

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from preprocessing.readers.formats.matlab import read_matlab

EVENTS = np.array([(1.0, "go"), (2.0, "stop")], dtype=[("latency", object), ("type", object)])
VARIABLES = {
    "data": np.arange(12.0).reshape(3, 4),
    "short": np.int16([1, 2]),
    "waves": 1j * np.ones(3),
    "few": scipy.sparse.csc_array(np.eye(3)),
    "EEG": {"event": EVENTS, "names": np.array(["Cz", 1.0, [2.0, 3.0]], dtype=object), "nothing": np.zeros((0, 2)), "on": True},
}


@pytest.mark.parametrize("compressed", [False, True])
def test_a_whole_file_is_read_as_scipy_reads_it(tmp_path, compressed):
    scipy.io.savemat(tmp_path / "whole.mat", VARIABLES, do_compression=compressed)
    read, expected = (reader(tmp_path / "whole.mat", squeeze_me=True) for reader in (read_matlab, scipy.io.loadmat))
    assert set(read) == set(expected)
    np.testing.assert_array_equal(read["data"], expected["data"])
    np.testing.assert_array_equal(read["few"].toarray(), np.eye(3))
    assert read["EEG"]["event"].item()["type"].tolist() == ["go", "stop"]


def with_tag(content, kind, size, other_kind, other_size):
    """Turn the last tag of a kind and size into another."""
    at = content.rindex(struct.pack("<II", kind, size))
    return content[:at] + struct.pack("<II", other_kind, other_size) + content[at + 8 :]


@pytest.mark.parametrize(
    ("kind", "size", "other_kind", "other_size"),
    [(9, 96, 1624, 96), (9, 96, 14, 96), (9, 96, 9, 96_000), (14, None, 15, None)],
    ids=["a type that there is not", "a matrix in place of numbers", "more than there is", "packed, and is not"],
)
def test_a_file_whose_parts_do_not_fit_is_refused(tmp_path, kind, size, other_kind, other_size):
    path = tmp_path / "broken.mat"
    scipy.io.savemat(path, {"data": VARIABLES["data"]})
    whole = path.read_bytes()
    size = size or len(whole) - 136
    path.write_bytes(with_tag(whole, kind, size, other_kind, other_size or size))
    with pytest.raises(ValueError, match="do not fit together"):
        read_matlab(path)


def test_a_struct_with_fewer_fields_than_it_names_is_refused(tmp_path):
    path = tmp_path / "broken.mat"
    scipy.io.savemat(path, {"EEG": {"pnts": 3.0, "data": VARIABLES["data"]}})
    content = bytearray(path.read_bytes())
    # How many bytes each name of a field has.
    struct.pack_into("<i", content, content.rindex(struct.pack("<HH", 5, 4)) + 4, 1)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="do not fit together"):
        read_matlab(path)
