"""What a run says of itself: its settings, the code it ran, and nothing secret."""

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# user:password@ in a URI, and the query that presigned URIs carry their signature in.
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@|\?[^\s]*(?:signature|token|credential|password|secret)=[^\s]*", re.IGNORECASE)
_LONGEST = 6000
_CHECKOUT = Path(__file__).resolve().parents[3]
_UNKNOWN = "unknown"
_UNCERTAIN = re.compile("-(dirty|changes-unknown)$")


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


def git_commit(checkout: Path = _CHECKOUT) -> str:
    """Name the commit of the running code: with '-dirty' if it was edited since, '-changes-unknown' if nobody can tell, or 'unknown'.

    A packaged or submitted copy has no repository. CROSSMODAL_COMMIT names its commit, or a file COMMIT in it, which an image has, or
    what is left of git's folder, which a submitted job brings along.

    Parameters
    ----------
    checkout : Path
        Where the code lies.
    """
    if named := os.environ.get("CROSSMODAL_COMMIT"):
        return named
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    # A copy that lies within another project's checkout is not at that one's commit.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(checkout.parent), "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return _commit_of_copy(checkout) or _UNKNOWN


def commit_in(name: str) -> str:
    """Strip from a name that `git_commit` gave what it says of changes."""
    return _UNCERTAIN.sub("", name)


def same_code(was: str, now: str) -> bool | None:
    """Tell whether two names that `git_commit` gave are of the same code; None where they cannot tell."""
    commits = {commit_in(name) for name in (was, now)}
    if _UNKNOWN in commits:
        return None
    if len(commits) > 1:
        return False
    return True if was == now and was in commits else None


def _commit_of_copy(folder: Path) -> str | None:
    with contextlib.suppress(OSError):
        return (folder / "COMMIT").read_text().strip()
    with contextlib.suppress(OSError):
        head = (folder / ".git/HEAD").read_text().strip()
        commit = _commit_of_ref(folder / ".git", head.removeprefix("ref: ")) if head.startswith("ref: ") else head
        return f"{commit}-changes-unknown" if commit else None
    return None


def _commit_of_ref(git: Path, ref: str) -> str | None:
    """Look a branch up as git does: in a file of its own, or among those packed into one."""
    with contextlib.suppress(OSError):
        return (git / ref).read_text().strip()
    packed = (git / "packed-refs").read_text().splitlines()
    return next((line.split(" ")[0] for line in packed if line.endswith(f" {ref}")), None)


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value
