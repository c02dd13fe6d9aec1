"""The page of settings tells all of them, those of models and baselines included."""

import re

import pytest

from crossmodal.config import Experiment
from crossmodal.config.comparison import Comparison
from crossmodal.config.cortex import CortexSimulation
from crossmodal.models.registry import config_class, registered
from docs.settings_tables import kinds, sections
from tests.checkout import ROOT


@pytest.fixture(scope="module")
def page():
    """What the directives of docs/settings.md put on the page."""
    shown = {"crossmodal.config.Experiment": Experiment, "crossmodal.config.comparison.Comparison": Comparison}
    made = {"settings": {name: sections(config) for name, config in shown.items()}}
    made["kinds"] = {"networks": kinds(is_baseline=False), "baselines": kinds(is_baseline=True)}
    directives = re.findall(r"```\{(\w+)\} (\S+)\n```", (ROOT / "docs/settings.md").read_text())
    return "\n".join(line for name, argument in directives for line in made[name][argument])


@pytest.mark.parametrize("is_baseline", [False, True])
def test_each_setting_of_models_and_baselines_is_told(page, is_baseline):
    section, prefix = ("evaluation.baselines", "evaluation.baselines.N.") if is_baseline else ("model", "model.")
    for kind, model in registered(is_baseline=is_baseline).items():
        _, found, own = page.partition(f"### {section}.kind: {kind}\n")
        assert found, kind
        own = own.partition(f"### {section}.kind: ")[0]
        told = set(re.findall(rf"^(?:\| `|#+ ){re.escape(prefix)}([\w]+)", own, re.MULTILINE))
        assert told == set(config_class(model, kind, section).model_fields)


def test_each_setting_of_the_cortex_is_told(page):
    assert set(CortexSimulation.model_fields) <= set(re.findall(r"^(?:\| `|#+ )cortex\.(\w+)", page, re.MULTILINE))
    assert "| `cortex.subjects` | whole number, >= 3 | `6` |" in page


def test_each_setting_of_comparisons_is_told(page):
    *_, table = page.split("| setting | type | default | meaning |")
    assert set(Comparison.model_fields) <= set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
