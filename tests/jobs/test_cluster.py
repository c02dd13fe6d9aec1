"""Where Ray's folder lies: its sockets cannot be opened below a long TMPDIR."""

import pytest

from crossmodal.config import UserError
from jobs import cluster

_SLURM = "/scratch/users/somebody/slurm/job-1234567/tmp"


@pytest.mark.parametrize("variables", [{}, {"TMPDIR": "/tmp"}, {"TMPDIR": ""}, {"TMPDIR": _SLURM, "RAY_TMPDIR": "/ray"}])
def test_short_folders_are_left(variables):
    assert cluster._short_folder(variables) == {}


@pytest.mark.parametrize("variable", ["TMPDIR", "RAY_TMPDIR"])
def test_a_long_folder_is_told_and_avoided(variable, capsys):
    assert cluster._short_folder({variable: _SLURM}) == {"RAY_TMPDIR": "/tmp"}
    assert f"{variable}={_SLURM} is too long for Ray" in capsys.readouterr().err


def test_where_no_folder_is_short_the_way_out_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "_SHORT_FOLDERS", ("/nowhere",))
    with pytest.raises(UserError, match="is too long for Ray.*export RAY_TMPDIR="):
        cluster._short_folder({"TMPDIR": _SLURM})


def test_a_path_of_bytes_that_just_fits_is_left():
    longest = 107 - len(cluster._IN_RAYS_FOLDER)
    assert cluster._short_folder({"TMPDIR": "/" + "a" * (longest - 1)}) == {}
    assert cluster._short_folder({"TMPDIR": "/" + "é" * (longest - 1)}) != {}
