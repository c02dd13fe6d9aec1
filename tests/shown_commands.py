"""Commands that README and documentation show, as a reader would copy them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "infra").glob("*/README.md")))
_BLOCK = re.compile(r"^```([^\n`]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELL = ("", "sh", "bash")
_HERE_DOCUMENT = re.compile(r"<<(\w+)\n.*?\n\1$", re.MULTILINE | re.DOTALL)
# What begins a command in running text, where code stands for much else; a command has an argument.
_PROGRAMS = r"(\w+=\S+ )*(python|make|pip|ray|source|env|docker|kubectl|git|helm|ssh|sudo) \S"


@dataclass(frozen=True)
class Shown:
    """A command, and the page that shows it."""

    page: str
    text: str


def shown_commands() -> list[Shown]:
    """Every command, once a page."""
    return list(dict.fromkeys(Shown(str(page.relative_to(ROOT)), text) for page in PAGES for text in commands_in(page.read_text())))


def commands_in(markdown: str) -> Iterator[str]:
    """Lines of shell blocks, and commands between backticks."""
    for language, block in _BLOCK.findall(markdown):
        if language in _SHELL:
            # A line that goes on, and a document that stands in the command, belong to it.
            whole = _HERE_DOCUMENT.sub("", re.sub(r"\\\n\s*", " ", block))
            yield from filter(None, (re.sub(r"(^|\s)#.*", "", line).strip() for line in whole.splitlines()))
    for code in re.findall(r"`([^`]+)`", _BLOCK.sub("", markdown)):
        if re.match(_PROGRAMS, " ".join(code.split())):
            yield " ".join(code.split())
