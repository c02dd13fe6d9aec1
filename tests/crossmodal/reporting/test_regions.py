"""Scores of regions by their distance from the scalp, as readers see them."""

import csv
import io

import numpy as np

from crossmodal.evaluation.regions import RegionScores
from crossmodal.reporting.regions import depth_sentence, draw_depth, regions_to_csv
from crossmodal.reporting.style import render_png
from crossmodal.tasks.volumes.scorecard import VOLUMES_SCORECARD

RNG = np.random.default_rng(0)
DEPTH_M = np.linspace(0.02, 0.07, 6)
SHOWN = np.array([True] * 5 + [False])
SUBJECTS = {f"0{number}": 0.8 - 8 * DEPTH_M + 0.1 * RNG.standard_normal(6) for number in range(1, 5)}
REGIONS = RegionScores(tuple("abcdef"), DEPTH_M, SHOWN, SUBJECTS)


def test_a_sentence_tells_the_rank_correlation_with_its_interval():
    told = depth_sentence(REGIONS, VOLUMES_SCORECARD, 0.95)
    assert told.startswith("Distance from the scalp: the model's temporal r has a rank correlation of -0.")
    assert "with it over 5 regions, mean of 4 subjects; below 0, regions near the scalp do better." in told
    assert depth_sentence(RegionScores(REGIONS.names, np.full(6, np.nan), SHOWN, SUBJECTS), VOLUMES_SCORECARD, 0.95) == ""


def test_all_numbers_are_kept_and_what_is_unknown_is_empty():
    unknown = RegionScores(REGIONS.names, np.where(np.arange(6) == 2, np.nan, DEPTH_M), SHOWN, SUBJECTS)
    rows = list(csv.DictReader(io.StringIO(regions_to_csv(unknown, VOLUMES_SCORECARD, 0.95))))
    assert [row["from_scalp_m"] for row in rows[1:4]] == [repr(float(DEPTH_M[1])), "", repr(float(DEPTH_M[3]))]
    assert [row["is_shown"] for row in rows[-2:]] == ["yes", "no"]
    assert float(rows[0]["r"]) == np.mean([float(rows[0][f"sub-{subject}"]) for subject in SUBJECTS])
    assert float(rows[0]["r_low"]) < float(rows[0]["r"]) < float(rows[0]["r_high"])


def test_a_figure_shows_a_point_a_region():
    figure = draw_depth(REGIONS, VOLUMES_SCORECARD, 0.95)
    shown, others = (line for line in figure.axes[0].lines if line.get_marker() == "o")
    np.testing.assert_allclose(shown.get_xdata(), 1e3 * DEPTH_M[:5])
    np.testing.assert_allclose(others.get_ydata(), np.mean([score_s[5] for score_s in SUBJECTS.values()]))
    assert "[-" in figure.axes[0].get_title(loc="left")
    assert render_png(figure).startswith(b"\x89PNG")
    alone = draw_depth(RegionScores(REGIONS.names, DEPTH_M, SHOWN, {"01": SUBJECTS["01"]}), VOLUMES_SCORECARD, 0.95)
    assert "nan" not in alone.axes[0].get_title(loc="left")
