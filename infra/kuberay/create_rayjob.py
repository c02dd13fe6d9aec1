"""Make tonight's RayJob from a template, unless one still runs: what the CronJob of nightly/ starts, in a pod.

Exits 0 when tonight's RayJob is there, 2 when the template is none, 3 when an earlier night still runs, 1 when Kubernetes does not answer
as it should, which is worth another try. Needs only what every pod has: the API server's address, certificate and a token.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import yaml

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
COMPONENT = "app.kubernetes.io/component"
# Of RayJobs' status.jobDeploymentStatus: those that are the last. One that was just made has none yet.
ENDED = {"Complete", "Failed", "ValidationFailed"}


def night(template: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Name the RayJob of a night after its date."""
    metadata = template["metadata"]
    return template | {"metadata": metadata | {"name": f"{metadata['name']}-{now:%Y%m%d}"}}


def still_running(rayjobs: list[dict[str, Any]]) -> list[str]:
    """Name those that have not ended."""
    return [job["metadata"]["name"] for job in rayjobs if job.get("status", {}).get("jobDeploymentStatus") not in ENDED]


def create(template: dict[str, Any], server: str, account: Path) -> int:
    """Ask the API server which nights there are, and make tonight's; return how to exit."""
    tonight = night(template, datetime.now(UTC))
    name, labels = tonight["metadata"]["name"], tonight["metadata"]["labels"]
    namespace = (account / "namespace").read_text()
    url = f"{server}/apis/{tonight['apiVersion']}/namespaces/{namespace}/rayjobs"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {(account / 'token').read_text()}"
        session.verify = str(account / "ca.crt")
        listed = session.get(url, params={"labelSelector": f"{COMPONENT}={labels[COMPONENT]}"}, timeout=30)
        listed.raise_for_status()
        nights = listed.json()["items"]
        if name in {job["metadata"]["name"] for job in nights}:
            # Made by a pod that was lost before it could say so.
            print(f"{name} is there already")
            return 0
        if running := still_running(nights):
            print(f"{', '.join(running)} still runs; {name} is not made", file=sys.stderr)
            return 3
        session.post(url, json=tonight, timeout=30).raise_for_status()
    print(f"made {name}")
    return 0


def main(path: str) -> int:
    """Read the template and make tonight's RayJob of it."""
    template = yaml.safe_load(Path(path).read_text())
    if not isinstance(template, dict) or template.get("kind") != "RayJob":
        print(f"error: {path} holds no RayJob", file=sys.stderr)
        return 2
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    try:
        return create(template, f"https://{host}:{port}", ACCOUNT)
    except requests.RequestException as error:
        print(f"error: Kubernetes at {host}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
