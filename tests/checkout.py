"""Checkouts to work on: repositories of their own, which tests may edit and send away."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_COMMIT = ("-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--allow-empty", "--message=Test")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; return what it printed."""
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit_all(folder: Path) -> str:
    """Make a repository of a folder, if it is none, with all its files in a commit; return the commit."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, *_COMMIT)
    return git(folder, "rev-parse", "HEAD")


def copy_checkout(folder: Path) -> str:
    """Copy this checkout's files as they are now, without what git ignores, and commit them; return the commit."""
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return commit_all(folder)
