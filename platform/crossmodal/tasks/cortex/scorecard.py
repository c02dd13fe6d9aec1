"""Figures of cortical activity: explained variance about zero before all else, since most of the cortex is silent."""

from crossmodal.evaluation.scorecard import Metric, Scorecard
from crossmodal.models.intervals import LEVEL
from crossmodal.models.zero import ZeroConfig
from crossmodal.tasks.cortex.coverage import COVERAGE, OF_LABELLED

EXPLAINED = "explained_variance"
# Of these, the gap between matched and unmatched tests is told.
WITH_GAP = ("spatial_pcc", "average_precision")
CORTEX_SCORECARD = Scorecard(
    metrics=(
        Metric(
            EXPLAINED,
            "EV",
            has_interval=True,
            shows_interval=True,
            told="EV: explained variance of the moments of all regions about zero, which is 1 - MSE / MSE of zero",
        ),
        Metric("spatial_pcc", "sPCC", has_interval=True),
        Metric("temporal_pcc", "tPCC", has_interval=True),
        Metric(
            "average_precision",
            "AP",
            has_interval=True,
            told="sPCC: correlation over regions of the mean square over times; tPCC: correlation over times in active regions; AP: average"
            " precision, of active regions by their mean square",
        ),
        Metric("peak_error_m", "peak err. mm", better="lower", pattern="{:.1f}", shown_scale=1e3),
        Metric("earth_movers_distance_m", "EMD mm", better="lower", pattern="{:.1f}", shown_scale=1e3),
        Metric(
            "dispersion_m",
            "SD mm",
            better="lower",
            pattern="{:.1f}",
            shown_scale=1e3,
            told="peak err.: from all of the strongest region to the middle of the one predicted to be; EMD: earth mover's distance of"
            " power; SD: spatial dispersion, root mean square distance of predicted power from active regions",
        ),
        Metric("precision", "precision"),
        Metric(
            "recall",
            "recall",
            told="precision, recall: of active regions above Otsu's threshold. All but EV are of a sample, averaged over samples, then over"
            " heads; intervals are over heads.",
        ),
        Metric(COVERAGE, "coverage", has_interval=True, is_optional=True),
        Metric(
            OF_LABELLED,
            "of labelled",
            is_optional=True,
            told=f"coverage: share of moments inside the {LEVEL:.0%} intervals of the model, over the regions that it calls active (Otsu);"
            " of labelled: the same over those that are active, which even an exact posterior misses more often",
        ),
        Metric("spatial_pcc_gap", "inverse-crime gap sPCC", better="lower", pattern="{:+.3f}", has_interval=True, is_optional=True),
        Metric(
            "average_precision_gap",
            "gap AP",
            better="lower",
            pattern="{:+.3f}",
            has_interval=True,
            is_optional=True,
            told="inverse-crime gap: how much larger the figure is on test heads whose model, conductivity, cortex and shapes of patches"
            " are those of training; all other columns are of heads that differ in these.",
        ),
        Metric("spatial_r"),
        Metric("auc"),
    ),
    primary=EXPLAINED,
    words="explained variance",
    rival="minimum norm",
    rival_word="min. norm",
    trivial=ZeroConfig().title,
    trivial_word="zero",
)
