"""Regions that are reported apart, found by their own names and those of their networks."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crossmodal.datasets.shard import Shard

# Alpha power goes along with blood in visual and in arousal networks in different ways, thalamus among them (PMC12459787). Of cortical
# networks, the cingulo-opercular one follows tonic alertness (Sadaghiani et al. 2010, J. Neurosci. 30:10243-10250).
GROUPS = {
    "visual": ("visual", "occipital"),
    "thalamus": ("thalamus", "thalamic"),
    "arousal": ("arousal", "cingulo-opercular", "salience", "brain stem", "basal forebrain"),
}


def group_metric(group: str) -> str:
    """Name r over the regions of a group."""
    return f"r_{group}"


def network_groups(shard: Shard, columns: NDArray[np.integer]) -> dict[str, NDArray[np.bool_]]:
    """Which targets are in each group, shape (n_targets,), by the metric of their r; empty where targets are voxels."""
    names, networks = shard.volumes.names, shard.volumes.networks
    if names is None:
        return {}
    groups = groups_of([names[column] for column in columns], networks and [networks[column] for column in columns])
    return {group_metric(group): inside_s for group, inside_s in groups.items()}


def groups_of(names: Sequence[str], networks: Sequence[str] | None) -> dict[str, NDArray[np.bool_]]:
    """Find the groups that any region belongs to, and which do; one may belong to several.

    Returns
    -------
    dict of str to bool array, shape (n_regions,)
        Only groups that have a region.
    """
    texts = [
        _letters(f"{name}{network}").replace("hypothalam", "") for name, network in zip(names, networks or [""] * len(names), strict=True)
    ]
    found = {group: np.array([any(_letters(word) in text for word in words) for text in texts]) for group, words in GROUPS.items()}
    return {group: inside_s for group, inside_s in found.items() if inside_s.any()}


def _letters(text: str) -> str:
    """Letters alone, since labels are written as CinguloOpercular and as cingulo-opercular."""
    return re.sub(r"[^a-z]", "", text.lower())
