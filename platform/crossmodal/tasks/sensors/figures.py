"""Figures of a fold: waveforms, spectra and maps of each test subject."""

from matplotlib.figure import Figure

from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldScores
from crossmodal.tasks.sensors.detail import SensorsDetail
from crossmodal.tasks.sensors.spectra import draw_spectra
from crossmodal.tasks.sensors.topographies import draw_topographies
from crossmodal.tasks.sensors.waveforms import draw_waveforms


def draw_fold(scores: FoldScores, detail: SensorsDetail, scorecard: Scorecard, lowpass_hz: float | None) -> dict[str, Figure]:
    """Draw waveforms, spectra up to the low-pass and, where sensors have positions, maps of each test subject, by file name."""
    model = next(score.predictor for score in scores.scores if score.role == "model")
    linear = next((score.predictor for score in scores.scores if scorecard.is_rival(score.predictor)), None)
    figures = {}
    for subject in detail.subjects:
        figures[f"waveforms_sub-{subject}"] = draw_waveforms(detail, subject, model)
        figures[f"spectra_sub-{subject}"] = draw_spectra(detail, subject, model, linear, lowpass_hz or detail.sfreq / 2)
        if topographies := draw_topographies(detail, subject, model):
            figures[f"topographies_sub-{subject}"] = topographies
    return figures
