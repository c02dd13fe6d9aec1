"""The table says what was measured, how sure it is, and what must not be overlooked."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from crossmodal.evaluation.cohort import CohortRow
from crossmodal.reporting.table import ScoreTable, to_csv, to_markdown, to_rich
from crossmodal.tasks.sensors.scorecard import RATIO, sensors_scorecard

NAN = float("nan")


CARD = sensors_scorecard({"alpha": (8, 13), "beta": (13, 30)})
MEANS = {
    "explained_variance": 0.3125,
    "beyond_physiology": NAN,
    RATIO: 0.97,
    "r": 0.55,
    "r2": 0.3,
    "nmse": 0.7,
    "topography_r": 0.5,
    "rms_error": 33.1e-15,
    "log_psd_error_db_alpha": 2.0,
    "log_psd_error_db_beta": 3.0,
}


def row(predictor, role="baseline", means=None, intervals=None, **changes):
    means = MEANS | (means or {})
    bands = [means[name] for name in ("log_psd_error_db_alpha", "log_psd_error_db_beta") if not np.isnan(means[name])]
    settings = {
        "predictor": predictor,
        "role": role,
        "channel_type": "mag",
        "n": 8,
        "n_defined": dict.fromkeys(set(MEANS) - {"explained_variance", RATIO}, 8),
        "means": {metric.name: (means | {"log_psd_error_db": np.mean(bands) if bands else NAN})[metric.name] for metric in CARD.metrics},
        "intervals": {"explained_variance": (0.25, 0.375), "beyond_physiology": (NAN, NAN)} | (intervals or {}),
        "bca": (0.26, 0.37),
        "p_above": 0.0039,
        "p_rival": 0.2,
        "rival_difference": -0.01,
        "above": True,
        "differs_from_rival": False,
        "leak": False,
        "leaking": (),
    }
    return CohortRow(**(settings | changes))


def ceiling(predictor):
    undefined = dict.fromkeys(set(MEANS) - {"explained_variance", RATIO}, NAN)
    return row(predictor, "ceiling", undefined, above=False, p_above=NAN, p_rival=NAN)


def table(*rows, label="", note="Two minutes a subject."):
    return ScoreTable("demo: EEG → MEG", note, label, 2, 0.95, CARD, rows)


def cells(one):
    return table(one).cells(one)


def printed(scores):
    console = Console(width=170, record=True, file=io.StringIO())
    console.print(to_rich(scores))
    return console.export_text()


@pytest.mark.parametrize("render", [printed, to_markdown])
def test_a_row_shows_scores_intervals_and_tests(render):
    text = render(table(row("Synaptech-Net", "model"), ceiling("oracle")))
    figures = ("Protocol version 2", "0.312 [0.250, 0.375]", "0.97", "2.5", "33.1", ".004*", ".200")
    for shown in ("magnetometers", "error fT", "Two minutes a subject.", "8 subjects", *figures):
        assert shown in text
    assert "nan" not in text


@pytest.mark.parametrize("render", [printed, to_markdown])
def test_what_rounds_to_zero_has_no_sign(render):
    told = render(
        table(row("ridge", means={"explained_variance": -1e-9, RATIO: -1e-9, "r": -0.001}, intervals={"explained_variance": (-1e-9, 1e-9)}))
    )
    assert "0.000 [0.000, 0.000]" in told
    assert "-0.00 " not in told
    assert "-0.001" in told


@pytest.mark.parametrize("render", [printed, to_markdown])
def test_leaky_protocols_and_leaks_are_said_at_the_row_and_below(render):
    text = render(table(row("Synaptech-Net", "model", leak=True), label="leaky"))
    assert "Synaptech-Net (leaky) LEAK" in text
    assert "LEAKY: windows" in text
    assert "LEAK: Synaptech-Net, magnetometers, explains more than can be known of all subjects together." in text


@pytest.mark.parametrize("render", [printed, to_markdown])
def test_a_leak_names_row_and_subjects(render):
    leaky = row("ridge", leak=True, leaking=("03", "07"))
    text = render(table(row("Synaptech-Net", "model"), leaky))
    assert "ridge LEAK in 2 of 8" in text
    assert "LEAK: ridge, magnetometers, explains more than can be known of sub-03, sub-07." in text
    assert "Synaptech-Net LEAK" not in text
    written = list(csv.DictReader(io.StringIO(to_csv(table(row("Synaptech-Net", "model"), leaky)))))
    assert [line["leak"] for line in written] == ["", "LEAK 03 07"]


def test_bands_narrower_than_the_resolution_are_left_out_of_the_mean():
    assert cells(row("ridge", means={"log_psd_error_db_beta": NAN}))[7] == "2.0"


@pytest.mark.parametrize("render", [printed, to_markdown])
def test_what_eyes_and_heart_leave_has_a_column_or_is_said_to_be_unknown(render):
    assert "No EOG or ECG is recorded" in render(table(row("ridge")))
    known = table(row("ridge", means={"beyond_physiology": 0.271}, intervals={"beyond_physiology": (0.2, 0.34)}))
    text = render(known)
    assert "0.271" in text
    assert "No EOG" not in text
    (written,) = csv.DictReader(io.StringIO(to_csv(known)))
    assert float(written["beyond_physiology_low"]) == 0.2


def test_an_interval_is_printed_where_the_scorecard_says_so():
    one = row("ridge", means={"beyond_physiology": 0.271}, intervals={"beyond_physiology": (0.2, 0.34)})
    shown = replace(CARD, metrics=tuple(replace(metric, shows_interval=metric.has_interval) for metric in CARD.metrics))
    assert cells(one)[2] == "0.271"
    assert table(one).header("mag")[1:3] == ["EV [95%]", "beyond EOG, ECG"]
    made = replace(table(one), scorecard=shown)
    assert made.cells(one)[2] == "0.271 [0.200, 0.340]"
    assert made.header("mag")[2] == "beyond EOG, ECG [95%]"


@pytest.mark.parametrize("render", [printed, to_markdown])
@pytest.mark.parametrize(("difference", "shown"), [(0.05, ".023* better"), (-0.05, ".023* worse")])
def test_a_star_beside_lagged_ridge_says_which_is_better(render, difference, shown):
    text = render(table(row("ridge", p_rival=0.023, differs_from_rival=True, rival_difference=difference)))
    assert shown in text
    assert "which is better" in text
    assert "worse" not in render(table(row("ridge", rival_difference=-0.05)))


def test_a_figure_over_fewer_subjects_than_the_score_says_over_how_many():
    counts = row("x").n_defined | {"r": 3, "log_psd_error_db_beta": 2, "topography_r": 0}
    _, score, _, _, r, topography_r, nmse, psd_error, *_ = cells(row("minimum norm", means={"topography_r": NAN}, n_defined=counts))
    assert (r, topography_r, nmse, psd_error) == ("0.550 (n = 3)", "-", "0.700", "2.5 (n = 2)")
    assert "n =" not in score
    (written,) = csv.DictReader(io.StringIO(to_csv(table(row("minimum norm", n_defined=counts)))))
    assert (written["n"], written["n_r"], written["n_nmse"]) == ("8", "3", "8")


@pytest.mark.parametrize(
    ("n", "n_rows", "told"),
    [
        (6, 3, []),
        (6, 4, ["p > mean: no star is possible with n = 6 and 4 rows; the least corrected p is .0625."]),
        (7, 6, []),
        (7, 7, ["p > mean: no star is possible with n = 7 and 7 rows; the least corrected p is .0547."]),
        (17, 12, []),
    ],
)
def test_a_table_in_which_no_star_is_possible_says_so(n, n_rows, told):
    rows = [row(f"ridge {index}", n=n, p_rival=NAN) for index in range(n_rows)]
    assert [remark for remark in table(*rows).remarks() if "no star" in remark] == told
    for render in (printed, to_markdown):
        assert all(sentence in " ".join(render(table(*rows)).split()) for sentence in told)


def test_the_two_sided_test_against_lagged_ridge_has_a_bound_of_its_own():
    rows = [row("Synaptech-Net", "model", n=6), row("ridge", n=6), row("lagged ridge 100 ms", n=6, p_rival=NAN), ceiling("oracle")]
    (told,) = [remark for remark in table(*rows).remarks() if "no star" in remark]
    assert told == "p vs lagged: no star is possible with n = 6 and 2 rows; the least corrected p is .0625."


def test_few_subjects_are_said():
    assert "n = 4: with fewer than 6 subjects nothing is called significant." in table(row("ridge", n=4)).remarks()
    assert not any("fewer" in remark for remark in table(row("ridge")).remarks())


def test_metrics_of_which_lower_is_better_are_named():
    assert "Lower is better: NMSE, PSD err. dB, error." in table(row("ridge")).remarks()


def test_csv_keeps_all_digits_and_leaves_the_undefined_empty():
    model, oracle = csv.DictReader(io.StringIO(to_csv(table(row("Synaptech-Net", "model"), ceiling("oracle"), label="leaky"))))
    assert float(model["rms_error_si"]) == 33.1e-15
    assert float(model["log_psd_error_db_beta"]) == 3.0
    assert model["label"] == "leaky"
    assert oracle["r"] == ""
    assert oracle["log_psd_error_db_alpha"] == ""


def test_swapped_modalities_are_told_in_their_units():
    text = to_markdown(table(row("ridge", channel_type="eeg", means={"rms_error": 3.62e-6})))
    assert "EEG electrodes" in text
    assert "error µV" in text
    assert "3.62" in text


def test_an_optional_column_is_left_out_where_no_row_has_it():
    optional = replace(CARD, metrics=tuple(replace(metric, is_optional=metric.name == "nmse") for metric in CARD.metrics))
    with_it, without = row("ridge"), row("ridge", means={"nmse": NAN})
    for one, shown in ((with_it, True), (without, False)):
        made = replace(table(one), scorecard=optional)
        assert ("NMSE" in made.header("mag")) == shown
        assert len(made.header("mag")) == len(made.cells(one)) == 11 + shown
