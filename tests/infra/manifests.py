"""What the tests of infra/ share: its files, the versions they must name, and the official schemas they must satisfy."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"


def load(name: str) -> Any:
    return yaml.safe_load((INFRA / name).read_text())


@cache
def pinned() -> dict[str, str]:
    """Versions by package, as constraints.txt has them."""
    return dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())


@cache
def project_version() -> str:
    found = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found
    return found.group(1)


def image(accelerator: str) -> str:
    """What the how-to tags our image with."""
    return f"registry.example.org/crossmodal:{project_version()}-ray{pinned()['ray']}-{accelerator}"


def schema(name: str) -> Any:
    """An official schema from the test data; the test is skipped where there is none."""
    folder = os.environ.get("CROSSMODAL_TEST_DATA")
    if not folder:
        pytest.skip("CROSSMODAL_TEST_DATA does not name a folder with schemas/")
    text = Path(folder, "schemas", name).read_text()
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


def check_kuberay(manifest: dict[str, Any]) -> None:
    """Raise unless a RayCluster, RayJob or RayCronJob satisfies its definition of KubeRay 1.7.

    A definition says nothing of keys it does not know, which Kubernetes drops in silence: here they are errors.
    """
    group, version = manifest["apiVersion"].split("/")
    definition = schema(f"kuberay-1.7.0_{group}_{manifest['kind'].lower()}s.yaml")["spec"]
    assert (definition["group"], definition["names"]["kind"]) == (group, manifest["kind"])
    (found,) = (known for known in definition["versions"] if known["name"] == version and known["served"])
    jsonschema.validate(manifest, _closed(found["schema"]["openAPIV3Schema"]), cls=jsonschema.Draft202012Validator)


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if node.get("x-kubernetes-int-or-string"):
        closed = {"type": ["integer", "string"]}
    elif "properties" in node and isinstance(node["properties"], dict) and "additionalProperties" not in node and "type" in node:
        closed["additionalProperties"] = bool(node.get("x-kubernetes-preserve-unknown-fields"))
    return closed


def containers(node: Any) -> Iterator[dict[str, Any]]:
    """All containers in a manifest, however deep."""
    if isinstance(node, dict):
        for key in ("containers", "initContainers"):
            yield from node.get(key, ())
        for value in node.values():
            yield from containers(value)
    elif isinstance(node, list):
        for item in node:
            yield from containers(item)
