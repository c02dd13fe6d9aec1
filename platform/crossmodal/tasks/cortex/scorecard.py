"""Figures of cortical activity: explained variance about zero before all else, since most of the cortex is silent."""

from crossmodal.evaluation.scorecard import Metric, Scorecard
from crossmodal.models.zero import ZeroConfig

EXPLAINED = "explained_variance"
CORTEX_SCORECARD = Scorecard(
    metrics=(
        Metric(EXPLAINED, "EV", has_interval=True, told="EV: explained variance of the moments of all regions about zero"),
        Metric("localisation_error_m", "loc. err. mm", better="lower", pattern="{:.1f}", shown_scale=1e3),
        Metric("spatial_r", "spatial r"),
        Metric(
            "auc",
            "AUC",
            told="loc. err.: from the strongest region to the one predicted to be; spatial r: correlation over regions, weighted by"
            " amplitude; AUC: of active against silent regions, .5 by chance. All of a sample, averaged over samples.",
        ),
    ),
    primary=EXPLAINED,
    words="explained variance",
    rival="minimum norm",
    rival_word="min. norm",
    trivial=ZeroConfig().title,
    trivial_word="zero",
)
