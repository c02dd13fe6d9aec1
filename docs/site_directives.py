"""Sphinx directives that tell every setting of an experiment, and of its models and baselines."""

import importlib

from docutils import nodes
from settings_tables import kinds, sections
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Settings(SphinxDirective):
    """Tables of a model's settings; the argument is its dotted name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the tables as Markdown, and let Sphinx read them."""
        module, _, name = self.arguments[0].rpartition(".")
        model = getattr(importlib.import_module(module), name)
        return self.parse_text_to_nodes("\n\n".join(sections(model)), allow_section_headings=True)


class Kinds(SphinxDirective):
    """Tables of the settings of each network, or of each baseline; the argument says which."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the tables as Markdown, and let Sphinx read them."""
        tables = kinds(is_baseline={"networks": False, "baselines": True}[self.arguments[0]])
        return self.parse_text_to_nodes("\n\n".join(tables), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directives."""
    app.add_directive("settings", Settings)
    app.add_directive("kinds", Kinds)
    return {"parallel_read_safe": True}
