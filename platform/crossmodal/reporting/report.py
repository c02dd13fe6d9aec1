"""All that an evaluation shows: figures of the run, table and figures in the store and in MLflow."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from crossmodal.evaluation.protocol import FOLDER, PROTOCOL, of_protocol
from crossmodal.evaluation.scorecard import Scorecard
from crossmodal.evaluation.scores import FoldScores, scores_uri
from crossmodal.reporting.loss import Losses, draw_losses
from crossmodal.reporting.style import render_png
from crossmodal.reporting.subjects import draw_subjects
from crossmodal.reporting.table import ScoreTable, to_csv, to_markdown
from crossmodal.storage.uri import join, write_bytes
from crossmodal.tracking.runs import Tracker


def draw_run(folds: Sequence[FoldScores], losses: Mapping[str, Losses], scorecard: Scorecard) -> dict[str, Figure]:
    """Draw what concerns all folds: every subject's scores, and how losses fell."""
    return {"subjects": draw_subjects(folds, scorecard), "losses": draw_losses(losses)}


_REFUSED = r"[^\w\-. :]"


class Publisher:
    """Puts what an evaluation shows into the store and into the runs that training opened.

    What was shown under another version of the protocol stays beside it. A metric of MLflow has the version as its step, so that its
    history keeps all of them.

    Parameters
    ----------
    store : str
        URI; figures go to figures/<run>/, tables beside the scores.
    run : str
        The training run.
    tracker : Tracker
        Of the experiment.
    primary : str
        What MLflow calls a score.
    """

    def __init__(self, store: str, run: str, tracker: Tracker, primary: str) -> None:
        self.figures_uri = of_protocol(join(store, "figures", run))
        self._scores_uri = scores_uri(store, run)
        self._run = run
        self._tracker = tracker
        self._primary = primary
        self._parent_id = tracker.start(run)

    def publish_fold(self, scores: FoldScores, figures: Mapping[str, Figure]) -> None:
        """Keep the figures of one fold, and log them and its scores to the fold's run."""
        run_id = self._tracker.start(self._run, scores.fold, self._parent_id)
        _publish_figures(self._tracker, run_id, join(self.figures_uri, scores.fold), figures)
        values: dict[str, list[float]] = {}
        for score in scores.scores:
            values.setdefault(metric_name(score.channel_type, score.predictor, self._primary), []).append(score.score)
        self._log(run_id, {name: float(np.mean(of_name)) for name, of_name in values.items()})
        self._tracker.end(run_id, "FINISHED")

    def publish_run(self, table: ScoreTable, figures: Mapping[str, Figure], regions_csv: str = "") -> None:
        """Keep table and figures of all folds, and numbers of regions where there are any, and log them to the experiment's run."""
        _publish_figures(self._tracker, self._parent_id, self.figures_uri, figures)
        texts = {"table.md": to_markdown(table), "scores.csv": to_csv(table)} | ({"regions.csv": regions_csv} if regions_csv else {})
        for name, text in texts.items():
            write_bytes(join(self._scores_uri, name), text.encode())
            self._tracker.client.log_text(self._parent_id, text, f"{FOLDER}/{name}")
        self._log(self._parent_id, row_metrics(table))
        self._tracker.log_tags(self._parent_id, {"leak": " ".join(table.leaks()) or "none found"})
        self._tracker.end(self._parent_id, "FINISHED")

    def _log(self, run_id: str, metrics: Mapping[str, float]) -> None:
        self._tracker.log_metrics(run_id, metrics, step=PROTOCOL)
        self._tracker.log_tags(run_id, {"protocol.version": str(PROTOCOL)})


def publish_comparison(
    texts: Mapping[str, str], metrics: Mapping[str, float], figures: Mapping[str, Figure], store: str, run: str, tracker: Tracker
) -> str:
    """Keep what compares several runs beside the scores, and as a run of MLflow; return where it lies in the store.

    Parameters
    ----------
    texts, figures : mapping of str to str, and to Figure
        Tables and figures by the names of their files; figures without their ending.
    metrics : mapping of str to float
        For MLflow.
    run : str
        Names the comparison.
    """
    uri, run_id = scores_uri(store, run), tracker.start(run)
    for name, text in texts.items():
        write_bytes(join(uri, name), text.encode())
        tracker.client.log_text(run_id, text, f"{FOLDER}/{name}")
    _publish_figures(tracker, run_id, uri, figures)
    tracker.log_metrics(run_id, metrics, step=PROTOCOL)
    tracker.log_tags(run_id, {"protocol.version": str(PROTOCOL), "level": "comparison"})
    tracker.end(run_id, "FINISHED")
    return uri


def row_metrics(table: ScoreTable) -> dict[str, float]:
    """Figures of a table for MLflow; one over fewer subjects than the score of its row comes with their number, as in r_n."""
    shown = [metric.name for metric in table.scorecard.metrics if metric.title and metric.is_scored]
    metrics: dict[str, float] = {}
    for row in table.rows:
        values = {name: row.means[name] for name in shown if not np.isnan(row.means[name])}
        values |= {f"{name}_n": count for name, count in row.n_defined.items() if name in values and 0 < count < row.n}
        metrics |= {metric_name(row.channel_type, row.predictor, name): value for name, value in values.items()}
    return metrics


def _publish_figures(tracker: Tracker, run_id: str, uri: str, figures: Mapping[str, Figure]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in figures.items():
            png = render_png(figure)
            write_bytes(join(uri, f"{name}.png"), png)
            path = Path(folder) / f"{name}.png"
            path.write_bytes(png)
            tracker.log_figure(run_id, path, f"{FOLDER}/figures")


def metric_name(channel_type: str, predictor: str, name: str) -> str:
    """What MLflow calls a figure of the test subjects; it refuses most punctuation, which titles of models may have."""
    return f"test/{channel_type}/{re.sub(_REFUSED, '', predictor)}/{name}"
