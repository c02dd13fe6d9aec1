"""Manifests satisfy KubeRay's own definitions and Kubernetes' schemas, and agree with each other and with what is pinned."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from ray.runtime_env import RuntimeEnv

from crossmodal.config import load_experiment
from crossmodal.nightly.record import NightRecord, nights_uri, write_record
from tests.infra.manifests import INFRA, ROOT, check_kuberay, containers, image, load, pinned

KUBERNETES = "1.37"
CLUSTER = load("kuberay/raycluster.yaml")
JOB = load("kuberay/nightly/job/rayjob.yaml")
CRON = load("kuberay/nightly/cronjob.yaml")
RBAC = list(yaml.safe_load_all((INFRA / "kuberay/nightly/rbac.yaml").read_text()))
GROUPS = {group["groupName"]: group for group in CLUSTER["spec"]["workerGroupSpecs"]}
POD_OF_CRON = CRON["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def build(folder: str) -> list[dict[str, Any]]:
    """What `kubectl apply --kustomize` would send."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run([kubectl, "kustomize", str(INFRA / "kuberay" / folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def pods() -> list[dict[str, Any]]:
    head = CLUSTER["spec"]["headGroupSpec"]["template"]["spec"]
    return [head, *(group["template"]["spec"] for group in GROUPS.values())]


@pytest.mark.parametrize("manifest", [CLUSTER, JOB], ids=lambda manifest: manifest["kind"])
def test_manifest_satisfies_kuberay(manifest):
    check_kuberay(manifest)


def test_definition_refuses_what_it_does_not_know():
    wrong = yaml.safe_load(yaml.safe_dump(JOB))
    wrong["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["minReplica"] = 0
    with pytest.raises(jsonschema.ValidationError, match="minReplica"):
        check_kuberay(wrong)


@pytest.mark.parametrize("manifest", [CRON, *RBAC], ids=lambda manifest: manifest["kind"])
def test_manifest_satisfies_kubernetes(manifest):
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@pytest.mark.parametrize("pod", pods(), ids=["head", *GROUPS])
def test_pods_of_the_cluster_satisfy_kubernetes(pod):
    # KubeRay's definition leaves much of a pod open.
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "ray"}, "spec": pod}, KUBERNETES, strict=True)


def test_night_has_the_cluster_that_stays():
    assert JOB["spec"]["rayClusterSpec"] == CLUSTER["spec"]


def test_ray_is_what_is_pinned_and_what_the_images_hold():
    assert CLUSTER["spec"]["rayVersion"] == pinned()["ray"]
    assert {container["image"] for container in containers([CLUSTER, CRON])} == {image("cpu"), image("cuda")}


def test_cluster_scales_asks_for_a_token_and_spares_its_head():
    spec = CLUSTER["spec"]
    assert spec["enableInTreeAutoscaling"] is True
    assert spec["autoscalerOptions"]["version"] == "v2"
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert all("restartPolicy" not in pod for pod in pods())  # The second autoscaler wants none.


def test_groups_are_those_that_the_work_needs():
    assert set(GROUPS) == {"drivers", "preprocessing", "spot-gpus"}
    assert all(group["minReplicas"] == 0 < group["maxReplicas"] for group in GROUPS.values())
    limits = {name: group["template"]["spec"]["containers"][0]["resources"]["limits"] for name, group in GROUPS.items()}
    assert [name for name in limits if "nvidia.com/gpu" in limits[name]] == ["spot-gpus"]
    assert GROUPS["spot-gpus"]["template"]["spec"]["containers"][0]["image"] == image("cuda")
    pools = [group["template"]["spec"]["nodeSelector"]["crossmodal/pool"] for group in GROUPS.values()]
    assert len(set(pools)) == 3
    assert all(f"crossmodal/pool={pool}" in (INFRA / "kuberay/README.md").read_text() for pool in pools)


def test_jobs_run_on_drivers():
    offered = json.loads(json.loads(GROUPS["drivers"]["rayStartParams"]["resources"]))
    assert json.loads(JOB["spec"]["entrypointResources"]) == offered == {"driver": 1}
    assert "spot" not in GROUPS["drivers"]["template"]["spec"]["nodeSelector"]["crossmodal/pool"]


@pytest.mark.parametrize("name", GROUPS)
def test_scratch_is_the_nodes_own_and_bounded(name):
    # Every group runs our code: drivers score, preprocessing stages, GPUs train.
    pod = GROUPS[name]["template"]["spec"]
    (volume,) = (volume for volume in pod["volumes"] if "emptyDir" in volume)
    (container,) = pod["containers"]
    (path,) = (mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == volume["name"])
    assert volume["emptyDir"]["sizeLimit"] == container["resources"]["requests"]["ephemeral-storage"]
    assert {"name": "TMPDIR", "value": path} in container["env"]


@pytest.mark.parametrize("pod", [*pods(), POD_OF_CRON], ids=["head", *GROUPS, "create"])
def test_pods_are_not_root_and_mount_what_they_have(pod):
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 1000
    for container in pod["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {mount["name"] for mount in container.get("volumeMounts", ())} == {volume["name"] for volume in pod.get("volumes", ())}


def test_no_manifest_holds_a_secret():
    assert all(
        "value" not in entry or entry["name"] == "TMPDIR" for container in containers([CLUSTER, CRON]) for entry in container.get("env", ())
    )
    for path in (INFRA / "kuberay").rglob("*.yaml"):
        assert not re.search(r"(?i)password|secret_?key|token: *\S|kind: Secret", path.read_text())


def test_night_starts_what_exists_and_starts_again():
    spec = JOB["spec"]
    script, experiment = spec["entrypoint"].split()
    assert (ROOT / script.removeprefix("/opt/crossmodal/")).is_file()
    mounts = {mount["mountPath"] for mount in GROUPS["drivers"]["template"]["spec"]["containers"][0]["volumeMounts"]}
    assert experiment.rsplit("/", 1)[0] in mounts
    assert spec["submissionMode"] == "K8sJobMode"
    assert spec["backoffLimit"] > 0
    assert 0 < spec["activeDeadlineSeconds"] < 24 * 3600
    RuntimeEnv(**yaml.safe_load(spec["runtimeEnvYAML"]))


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (1, 0), (2, 2), (70, 70), (137, 137)])
def test_done_night_needs_no_further_cluster_whatever_failed_in_it(tmp_path, code, ends):
    script = tmp_path / JOB["spec"]["entrypoint"].split()[0].removeprefix("/opt/crossmodal/")
    nightly = tmp_path / "infra/schedule/nightly.sh"
    for path in (script, nightly):
        path.parent.mkdir(parents=True)
    shutil.copy(ROOT / script.relative_to(tmp_path), script)
    nightly.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    nightly.chmod(0o755)
    done = subprocess.run([script, "night.yaml", "seed=1"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (ends, "night.yaml seed=1\n")


def test_night_with_failed_recordings_is_done_for_its_rayjob(tmp_path):
    experiment = {"name": "night", "store": str(tmp_path), "recordings": {"kind": "bids", "root": str(tmp_path / "cohort")}}
    (tmp_path / "night.yaml").write_text(yaml.safe_dump(experiment))
    write_record(nights_uri(str(tmp_path), "night"), NightRecord(date="2026-11-20", began="", state="kept", code=1, verdict="as it was"))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for script, code in (("schedule/nightly.sh", 1), ("kuberay/night.sh", 0)):
        command = [INFRA / script, tmp_path / "night.yaml", "--date=2026-11-20"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == code, done.stderr
        assert "night of 2026-11-20 is done: as it was" in done.stdout


def test_cluster_goes_when_the_night_is_over():
    assert JOB["spec"]["shutdownAfterJobFinishes"] is True
    assert "deletionStrategy" not in JOB["spec"]  # KubeRay refuses both.
    # KubeRay appends to names, which must stay labels; the date takes nine.
    assert len(JOB["metadata"]["name"]) + 9 <= 47


def test_experiment_of_the_night_is_one(tmp_path):
    text = (INFRA / "kuberay/nightly/nightly.yaml").read_text()
    (tmp_path / "nightly.yaml").write_text(text.replace("/opt/crossmodal", str(ROOT)))
    experiment = load_experiment(str(tmp_path / "nightly.yaml"), [])
    assert experiment.store.startswith("s3://")
    assert experiment.tracking.uri == "http://mlflow:5000"
    for group in GROUPS.values():
        pod = group["template"]["spec"]
        sizes = {volume["name"]: volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume}
        room = [
            int(sizes[mount["name"]].removesuffix("Gi")) * 2**30
            for mount in pod["containers"][0]["volumeMounts"]
            if Path(experiment.node_cache.root).is_relative_to(mount["mountPath"])
        ]
        assert len(room) == 1
        assert experiment.node_cache.max_gb * 1e9 < room[0]


def test_schedule_is_one_at_a_time_and_knows_its_zone():
    spec = CRON["spec"]
    assert (spec["concurrencyPolicy"], spec["timeZone"]) == ("Forbid", "Etc/UTC")
    assert 0 < spec["startingDeadlineSeconds"] < 24 * 3600
    assert len(spec["schedule"].split()) == 5


def test_pod_of_the_schedule_may_do_what_it_does_and_no_more():
    account, role, binding = RBAC
    assert POD_OF_CRON["serviceAccountName"] == account["metadata"]["name"] == binding["subjects"][0]["name"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert role["rules"] == [{"apiGroups": ["ray.io"], "resources": ["rayjobs"], "verbs": ["list", "create"]}]
    _, script, _ = POD_OF_CRON["containers"][0]["command"]
    assert (ROOT / script).is_file()


def test_schedule_carries_a_valid_rayjob():
    built = build("nightly")
    configs = {manifest["metadata"]["name"]: manifest for manifest in built if manifest["kind"] == "ConfigMap"}
    (cron,) = (manifest for manifest in built if manifest["kind"] == "CronJob")
    kubernetes_validate.validate(cron, KUBERNETES, strict=True)
    pod = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (volume,) = pod["volumes"]
    (container,) = pod["containers"]
    carried = configs[volume["configMap"]["name"]]["data"]
    folder, name = container["command"][-1].rsplit("/", 1)
    assert folder == container["volumeMounts"][0]["mountPath"]
    rayjob = yaml.safe_load(carried[name])
    check_kuberay(rayjob)
    assert rayjob == JOB
    wanted = GROUPS["drivers"]["template"]["spec"]["volumes"][0]["configMap"]["name"]
    assert JOB["spec"]["entrypoint"].rsplit("/", 1)[1] in configs[wanted]["data"]


def test_overlay_schedules_the_same_night_and_nothing_else():
    (cron,) = build("raycronjob")
    check_kuberay(cron)
    assert cron["spec"]["jobTemplate"] == JOB["spec"]
    assert (cron["spec"]["schedule"], cron["spec"]["timeZone"]) == (CRON["spec"]["schedule"], CRON["spec"]["timeZone"])
