"""A7: Optuna's figures, in both forms."""

import optuna
import pytest

from crossmodal.reporting.style import render_png
from crossmodal.tuning.plots import draw_study


@pytest.mark.parametrize(
    ("objectives", "names"),
    [
        (("score",), {"history", "parallel_coordinates", "importance"}),
        (("score", "parameters"), {"history", "parallel_coordinates", "importance", "pareto_front"}),
    ],
)
def test_figures_of_a_study(objectives, names):
    study = optuna.create_study(directions=["maximize", "minimize"][: len(objectives)], sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(6):
        trial = study.ask()
        width = trial.suggest_int("width", 1, 9)
        study.tell(trial, [width / 10, float(width)][: len(objectives)])
    plots = {plot.name: plot for plot in draw_study(study, objectives)}
    assert set(plots) == names
    for plot in plots.values():
        assert render_png(plot.png).startswith(b"\x89PNG")
        assert "Plotly.newPlot" in plot.html


def test_one_trial_is_no_figure():
    study = optuna.create_study()
    study.tell(study.ask(), 1.0)
    assert not list(draw_study(study, ("score",)))
