"""Figures show what the arrays say; how they look is for eyes, whether texts collide is for this test."""

from dataclasses import fields

import mne
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from crossmodal.evaluation.scores import FoldScores, Score
from crossmodal.reporting.loss import Losses, draw_losses
from crossmodal.reporting.style import render_png
from crossmodal.reporting.subjects import draw_subjects
from crossmodal.tasks.sensors.detail import SensorsDetail, SubjectDetail
from crossmodal.tasks.sensors.metrics import SensorMetrics
from crossmodal.tasks.sensors.scorecard import sensors_scorecard
from crossmodal.tasks.sensors.spectra import draw_spectra
from crossmodal.tasks.sensors.topographies import draw_topographies
from crossmodal.tasks.sensors.waveforms import draw_waveforms

N_TIMES, SFREQ = 200, 100.0
CARD = sensors_scorecard({"alpha": (8, 13)})


def helmet_info(types):
    """Sensors on a half sphere; planar gradiometers come in pairs at one place."""
    n = len(types) // 2 if types[0] == "grad" else len(types)
    height = np.linspace(0.05, 0.95, n)
    turn = np.pi * (1 + 5**0.5) * np.arange(n)
    places = 0.12 * np.c_[np.sqrt(1 - height**2) * np.cos(turn), np.sqrt(1 - height**2) * np.sin(turn), height]
    info = mne.create_info([f"S{index:03d}" for index in range(len(types))], SFREQ, list(types))
    for channel, place in zip(info["chs"], np.repeat(places, len(types) // n, axis=0), strict=True):
        channel["loc"][:3] = place
    return info


def detail_for(types, info=None):
    generator = np.random.default_rng(0)
    unit = {"mag": 1e-13, "grad": 1e-12, "eeg": 1e-5}[types[0]]
    truth = unit * generator.normal(size=(len(types), N_TIMES)).astype(np.float32)
    psd = np.abs(np.fft.rfft(truth)) ** 2
    explained = np.linspace(-0.1, 0.6, len(types))
    sensors = SensorMetrics(**{each.name: explained for each in fields(SensorMetrics)})
    subject = SubjectDetail(
        info=info or helmet_info(types),
        sensors={"model": sensors},
        frequencies_hz=np.fft.rfftfreq(N_TIMES, 1 / SFREQ),
        psd={"truth": psd, "model": psd / 2},
        example={"truth": truth, "model": truth / 2},
    )
    return SensorsDetail(tuple(f"S{index:03d}" for index in range(len(types))), tuple(types), SFREQ, {"01": subject})


def assert_no_text_overlaps(figure):
    """Titles, axis labels and legends; tick labels are matplotlib's business."""
    render_png(figure)
    FigureCanvasAgg(figure).draw()
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    ticks = {label for axis in axes for label in axis.get_ticklabels(which="both")}
    texts = [text for text in figure.findobj(Text) if text not in ticks and text.get_visible() and text.get_text().strip()]
    for index, one in enumerate(texts):
        for other in texts[index + 1 :]:
            assert not one.get_window_extent().overlaps(other.get_window_extent()), f"'{one.get_text()}' lies on '{other.get_text()}'"


def scores(n_subjects):
    predictors = (("model", "model"), ("ridge", "baseline"), ("minimum norm", "baseline"), ("oracle", "ceiling"))
    common = {"channel_type": "mag", "score": 0.3}
    return [
        FoldScores(
            run="r",
            fold=subject,
            label="",
            bounded=True,
            scores=tuple(Score(predictor=name, role=role, subject=subject, **common) for name, role in predictors),
        )
        for subject in (f"{number:02d}" for number in range(n_subjects))
    ]


@pytest.mark.parametrize("channel_type", ["mag", "grad", "eeg"])
def test_figures_of_a_subject_have_no_texts_that_collide(channel_type):
    types = [channel_type] * 40
    detail = detail_for(types)
    for figure in (
        draw_waveforms(detail, "01", "model"),
        draw_topographies(detail, "01", "model"),
        draw_spectra(detail, "01", "model", None, 40.0),
    ):
        assert_no_text_overlaps(figure)


@pytest.mark.parametrize("n_subjects", [1, 8, 16])
def test_subjects_of_any_cohort_fit(n_subjects):
    assert_no_text_overlaps(draw_subjects(scores(n_subjects), CARD))


@pytest.mark.parametrize("n_folds", [1, 3])
def test_losses_mark_the_epoch_kept(n_folds):
    figure = draw_losses({str(fold): Losses([1.0, 0.8, 0.7], [1.1, 0.9, 0.95]) for fold in range(n_folds)})
    kept = next(line for line in figure.axes[1].lines if line.get_label() == "epoch kept")
    assert set(kept.get_xdata()) == {2}
    assert_no_text_overlaps(figure)


def test_waveforms_show_best_median_and_worst_sensor():
    figure = draw_waveforms(detail_for(["mag"] * 9), "01", "model")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert [title.split(": ")[1].split(",")[0] for title in titles] == ["S008", "S004", "S000"]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), 1e15 * detail_for(["mag"] * 9).subjects["01"].example["truth"][8])


def test_sensors_without_known_places_have_no_map():
    names = [f"S{index:03d}" for index in range(8)]
    detail = detail_for(["mag"] * 8, mne.create_info(names, SFREQ, "mag"))
    assert draw_topographies(detail, "01", "model") is None
