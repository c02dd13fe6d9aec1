"""What a run says of itself: its settings, the code it ran, and nothing secret."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# user:password@ in a URI, and the query that presigned URIs carry their signature in.
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@|\?[^\s]*(?:signature|token|credential|password|secret)=[^\s]*", re.IGNORECASE)
_LONGEST = 6000


def parameters(settings: Mapping[str, Any]) -> dict[str, str]:
    """Flatten nested settings to MLflow parameters, `training.epochs` and the like, without credentials."""
    return {key: without_credentials(str(value))[:_LONGEST] for key, value in _flat(settings, "")}


def without_credentials(text: str) -> str:
    """Cut user names, passwords and signatures out of the URIs in a text."""
    return _CREDENTIALS.sub("", text)


def document_without_credentials(document: Any) -> Any:
    """Cut them out of all texts of a JSON document."""
    if isinstance(document, dict):
        return {key: document_without_credentials(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [document_without_credentials(value) for value in document]
    return without_credentials(document) if isinstance(document, str) else document


def git_commit() -> str:
    """Name the commit of the running code, '-dirty' if it was edited since, or say that it is unknown.

    A packaged or submitted copy has no repository: CROSSMODAL_COMMIT names its commit.
    """
    if named := os.environ.get("CROSSMODAL_COMMIT"):
        return named
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value
