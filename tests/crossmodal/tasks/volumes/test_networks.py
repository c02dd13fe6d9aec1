"""Regions are told apart by what atlases call them."""

from dataclasses import replace

import numpy as np
import pytest

from crossmodal.datasets.shard import Shard, write_shard
from crossmodal.physics.spheres import load_spheres
from crossmodal.tasks.volumes.networks import groups_of, network_groups
from crossmodal.tasks.volumes.scorecard import VOLUMES_SCORECARD
from tests.crossmodal.datasets.conftest import make_recording
from tests.crossmodal.datasets.test_volumes import make_volumes


def found(names, networks=None):
    return {
        group: [name for name, is_in in zip(names, inside_s, strict=True) if is_in]
        for group, inside_s in groups_of(names, networks).items()
    }


def test_names_and_networks_are_understood_however_they_are_written():
    names = ["Occipital Pole", "Left Thalamus", "Hypothalamus", "Brain-Stem", "7", "insula", "Frontal Pole"]
    networks = ["", "", "", "", "VisCent visual", "CinguloOpercular", "DefaultMode"]
    assert found(names, networks) == {
        "visual": ["Occipital Pole", "7"],
        "thalamus": ["Left Thalamus"],
        "arousal": ["Brain-Stem", "insula"],
    }
    assert found(["region01", "region02"]) == {}


@pytest.mark.parametrize(
    ("coordinates", "counts"),
    [
        ("power_264", {}),
        ("dosenbach_160", {"visual": 27, "thalamus": 3, "arousal": 32}),
        ("seitzman_300", {"visual": 37, "thalamus": 12, "arousal": 35}),
    ],
)
def test_published_networks_are_found(coordinates, counts):
    spheres = load_spheres(coordinates)
    assert {group: len(names) for group, names in found(spheres.names, spheres.networks).items()} == counts


def test_networks_of_a_shard_name_metrics_of_the_table(tmp_path):
    volumes = make_volumes(names=("thalamus 47", "V1", "insula"))
    shards = {}
    for name, networks in (("plain", None), ("known", ("", "occipital", "cingulo-opercular"))):
        write_shard(replace(make_recording("01"), volumes=replace(volumes, networks=networks)), tmp_path / name)
        shards[name] = Shard.open(tmp_path / name)
    assert shards["known"].volumes.networks == ("", "occipital", "cingulo-opercular")
    assert shards["plain"].volumes.networks is None
    groups = network_groups(shards["known"], np.array([0, 2]))
    assert {name: inside_s.tolist() for name, inside_s in groups.items()} == {"r_thalamus": [True, False], "r_arousal": [False, True]}
    assert [VOLUMES_SCORECARD[name].title for name in groups] == ["r thalamus", "r arousal"]
    assert set(network_groups(shards["plain"], np.arange(3))) == {"r_thalamus"}
    write_shard(replace(make_recording("01"), volumes=make_volumes()), tmp_path / "voxels")
    assert network_groups(Shard.open(tmp_path / "voxels"), np.arange(3)) == {}
