"""What `ray up` is given satisfies Ray's own schema and names what the image holds."""

import re

import jsonschema
import pytest
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.infra.manifests import INFRA, image, load

CLUSTER = load("ray_up/aws.yaml")
TYPES = CLUSTER["available_node_types"]


def test_file_satisfies_ray_with_its_defaults_filled_in():
    validate_config(prepare_config(load("ray_up/aws.yaml")))


def test_ray_refuses_a_misspelt_key():
    wrong = prepare_config(load("ray_up/aws.yaml"))
    wrong["available_node_types"]["driver"]["min_worker"] = 0
    with pytest.raises(jsonschema.ValidationError, match="min_worker"):
        validate_config(wrong)


def test_no_default_of_ray_installs_another_ray():
    filled = prepare_config(load("ray_up/aws.yaml"))
    assert [filled[key] for key in filled if key.endswith("setup_commands") or key == "initialization_commands"] == [[], [], [], []]


def test_images_are_ours():
    images = re.findall(r"image: (\S+)", (INFRA / "ray_up/aws.yaml").read_text())
    assert images == [image("cpu"), image("cuda")]
    assert TYPES["spot_gpu"]["docker"]["worker_image"] == image("cuda")


def test_head_is_spared_and_gpus_are_spot_and_start_at_none():
    assert TYPES[CLUSTER["head_node_type"]]["resources"] == {"CPU": 0}
    spot = {name for name, kind in TYPES.items() if kind["node_config"].get("InstanceMarketOptions") == {"MarketType": "spot"}}
    assert spot == {name for name, kind in TYPES.items() if "GPU" in kind["resources"]} == {"spot_gpu"}
    workers = {name: kind for name, kind in TYPES.items() if name != CLUSTER["head_node_type"]}
    assert all(kind["min_workers"] == 0 for kind in workers.values())
    assert CLUSTER["max_workers"] == sum(kind["max_workers"] for kind in workers.values())


def test_drivers_offer_what_jobs_ask_for():
    (asked,) = set(re.findall(r"--entrypoint-resources '(.*?)'", (INFRA / "ray_up/README.md").read_text()))
    assert asked == '{"driver": 1}'
    assert TYPES["driver"]["resources"]["driver"] == 1


def test_cluster_asks_for_a_token_that_no_file_holds():
    assert "--env RAY_AUTH_MODE=token" in CLUSTER["docker"]["run_options"]
    user = re.search(r"useradd .* (\w+)$", (INFRA / "docker/Dockerfile").read_text(), re.MULTILINE)
    assert user
    assert CLUSTER["file_mounts"] == {f"/home/{user.group(1)}/.ray/auth_token": "~/.ray/auth_token"}


def test_dashboard_is_reached_through_ssh_alone():
    (start,) = (command for command in CLUSTER["head_start_ray_commands"] if "--head" in command)
    assert "--dashboard-host=127.0.0.1" in start


def test_no_machine_image_is_made_up():
    assert {kind["node_config"]["ImageId"] for kind in TYPES.values()} == {"ami-REPLACE"}
    assert "ami-REPLACE" in (INFRA / "ray_up/README.md").read_text()
