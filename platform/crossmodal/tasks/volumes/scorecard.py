"""Figures of volumes: correlation over time before all else."""

from dataclasses import replace

from crossmodal.evaluation.scorecard import Metric, Scorecard
from crossmodal.models.intervals import LEVEL
from crossmodal.models.ridge import LAGGED_RIDGE
from crossmodal.tasks.volumes.networks import GROUPS, group_metric

R = "r"
R_TARGETS = "r_targets"
R_COUPLED = "r_coupled"
R_UNCOUPLED = "r_uncoupled"
SHARE = "share_of_own_ridge"
OWN_RIDGE = f"own {LAGGED_RIDGE}"
BEYOND = "partial_r"
BEYOND_GLOBAL = "partial_r_global"
COVERAGE = "coverage"
INTERVAL_SCORE = "interval_score"
CONSTANT_SCORE = "constant_interval_score"


VOLUMES_SCORECARD = Scorecard(
    metrics=(
        Metric(
            R,
            "r",
            has_interval=True,
            shows_interval=True,
            told="r: correlation of truth and prediction over the unfiltered volumes of a scan, mean over targets inside the brain and over"
            " scans; 0 where a prediction never changes",
        ),
        Metric(
            SHARE,
            "of own ridge",
            pattern="{:.2f}",
            is_optional=True,
            share_of=OWN_RIDGE,
            told=f"of own ridge: mean r over that of the {OWN_RIDGE}, which is fitted to the test subject's own scans; nothing where the"
            " interval of its r includes 0.",
        ),
        Metric(
            R_COUPLED,
            "coupled",
            has_interval=True,
            is_optional=True,
            told="coupled, uncoupled: r of targets in simulated regions that follow what EEG shows, and in those that follow other things;"
            " the interval of these should include 0.",
        ),
        Metric(R_UNCOUPLED, "uncoupled", has_interval=True, shows_interval=True, is_optional=True),
        Metric(
            BEYOND,
            "beyond phys.",
            has_interval=True,
            is_optional=True,
            told="beyond phys.: partial r given heart rate, respiration and motion as far as they are recorded, through their response"
            " functions with lags; + global: the same given the mean over targets too, which contains the effect itself.",
            absent="No ECG, respiration or motion is recorded, so nobody can tell how much of a score heartbeat, breath and movement make.",
        ),
        Metric(BEYOND_GLOBAL, "+ global", has_interval=True, is_optional=True),
        *(
            Metric(
                group_metric(group),
                f"r {group}",
                has_interval=True,
                is_optional=True,
                told=f"r {group}: over the regions whose name or network says {', '.join(words)}.",
            )
            for group, words in GROUPS.items()
        ),
        Metric("r2", "R2", told="R2: explained variance of what is left when each scan's own mean volume is taken off."),
        Metric(
            "skill",
            "skill",
            told="skill: 1 - squared error / that of the mean volume of training; anatomy, which oracles know, counts"
            " where targets are voxels.",
        ),
        Metric(
            "ssim",
            "SSIM",
            is_optional=True,
            told="SSIM, PSNR and RMSE: of images inside the brain, with the true scan's data range; what the mean volume (training mean,"
            " own mean) reaches is anatomy.",
        ),
        Metric("psnr", "PSNR dB", pattern="{:.1f}", is_optional=True),
        Metric("rmse", "RMSE", better="lower", pattern="{:#.3g}", has_unit=True, is_optional=True),
        Metric(
            COVERAGE,
            "coverage",
            is_optional=True,
            told=f"coverage: share of the truth inside the {LEVEL:.0%} interval that the model gives with each value; interval score: mean"
            f" width of these intervals, and {2 / (1 - LEVEL):.0f} times how far outside of them the truth lies; constant width: the score"
            " of intervals around the same predictions that are as wide for all volumes. Validation subjects set both widths.",
        ),
        Metric(INTERVAL_SCORE, "interval score", better="lower", pattern="{:#.3g}", has_unit=True, is_optional=True),
        Metric(CONSTANT_SCORE, "constant width", better="lower", pattern="{:#.3g}", has_unit=True, is_optional=True),
    ),
    primary=R,
    words="temporal r",
    beside=BEYOND,
    beside_words="beyond physiology",
    rival=LAGGED_RIDGE,
)

# In the regions of `evaluation.regions`, where units and images of targets mean nothing.
REGIONS_SCORECARD = replace(
    VOLUMES_SCORECARD,
    metrics=(
        replace(
            VOLUMES_SCORECARD[R],
            told="r: correlation of truth and prediction over the unfiltered volumes of a scan, mean over the regions of evaluation.regions"
            " and over scans: voxels are averaged over each region, and so is the sum of maps by their values; truth is what was measured"
            " in the region; 0 where a prediction never changes",
        ),
        Metric(R_TARGETS, "own r", has_interval=True, told="own r: the same over the targets that were predicted."),
        *(VOLUMES_SCORECARD[name] for name in (R_COUPLED, R_UNCOUPLED, BEYOND, BEYOND_GLOBAL, *(group_metric(group) for group in GROUPS))),
    ),
)
