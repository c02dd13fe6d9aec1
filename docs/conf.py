"""How Sphinx builds the site: `make docs`, then open docs/_build/index.html."""

import re
import sys
import tomllib
from pathlib import Path

# Autodoc imports modules as type checkers see them, which MLflow does not bear when it is first imported so.
import mlflow  # noqa: F401
from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "platform"), str(ROOT), str(ROOT / "docs")]

project = "crossmodal"
author = "the crossmodal developers"
copyright = f"2026 {author}"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.apidoc", "site_directives"]
exclude_patterns = ["_build"]

# A link to a heading of another page, as design.md#the-leak-alarm.
myst_heading_anchors = 3

# One page a package, with its modules below each other.
_MODULE = ["members", "show-inheritance", "ignore-module-all"]
apidoc_modules = [
    {"path": f"../{path}", "destination": f"api/{Path(path).name}", "max_depth": 2, "automodule_options": _MODULE}
    for path in ("platform/crossmodal", "preprocessing", "search_spaces")
]
napoleon_google_docstring = False
# Types in docstrings are prose, as "Tensor, shape (batch, n_times)", whose words are no names to link to.
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]
autodoc_member_order = "bysource"
# Nor are those before a colon in docstrings of properties.
suppress_warnings = ["ref.python"]
# What stands between single backticks is code.
default_role = "code"

html_theme = "alabaster"
html_theme_options = {"description": "What the expensive scanner would have seen, from the cheap one", "page_width": "1100px"}
html_copy_source = False

# Scripts, pictures, styles and fonts.
_LOADED_FROM_ELSEWHERE = re.compile(
    r"""<(?:script|img|link)[^>]*(?:src|href)="(?:https?:)?//[^"]*"|(?:url\(|@import)\s*["']?(?:https?:)?//[^)"';]*"""
)
_CODE_OR_MARK = re.compile(r"(`[^`]*`)|([*|]|(?<=\w)_(?!\w))")


def _take_as_plain_text(app: Sphinx, what: str, name: str, subject: object, options: object, lines: list[str]) -> None:
    """Escape what reStructuredText would take for emphasis, a substitution or a link: our docstrings have none."""
    lines[:] = [_CODE_OR_MARK.sub(lambda match: match[1] or rf"\{match[2]}", line) for line in lines]


def _hide_settings(
    app: Sphinx, what: str, name: str, subject: object, options: object, signature: str | None, returned: str | None
) -> tuple[str, str | None] | None:
    """Leave the settings of a config out of its signature; the page of settings tells them."""
    is_config = isinstance(subject, type) and issubclass(subject, BaseModel)
    return ("(...)", returned) if is_config else None


def _refuse_what_needs_a_network(app: Sphinx, error: Exception | None) -> None:
    """End the build where a page would load a script, a style, a font or an image from elsewhere."""
    pages = [path for pattern in ("*.html", "*.css") for path in Path(app.outdir).rglob(pattern)]
    remote = [f"{page}: {found}" for page in pages for found in _LOADED_FROM_ELSEWHERE.findall(page.read_text(encoding="utf-8"))]
    if remote and not error:
        raise ExtensionError(f"pages need a network: {remote}")


def setup(app: Sphinx) -> None:
    """Connect what this file defines."""
    # Before napoleon, which reads the lines at 500.
    app.connect("autodoc-process-docstring", _take_as_plain_text, priority=400)
    app.connect("autodoc-process-signature", _hide_settings)
    app.connect("build-finished", _refuse_what_needs_a_network)
