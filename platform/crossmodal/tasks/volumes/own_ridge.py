"""The oracle of what EEG tells: a ridge fitted to the test subject itself, cross-fitted over blocks with gaps between them.

Shape suffixes: n window, p feature, s target.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from crossmodal.config import UserError
from crossmodal.config.models import ModelSettings
from crossmodal.datasets.batches import BatchReader
from crossmodal.datasets.channels import columns_of
from crossmodal.datasets.opening import ShardFold
from crossmodal.datasets.windows import WindowSet
from crossmodal.evaluation.baseline_reader import fixed_units
from crossmodal.models.feature_ridge import FeatureRidge, FeatureRidgeConfig
from crossmodal.models.registry import ModelSpec, baseline_spec
from crossmodal.physics.haemodynamics import RESPONSE_LENGTH_S

_SECTION = "evaluation.own_ridge"
_BLOCKS = 10
_BATCH_SIZE = 64

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def own_ridge_spec(settings: ModelSettings) -> ModelSpec:
    """Read the settings of the ridge that is fitted to test subjects themselves.

    Raises
    ------
    UserError
        It is no ridge on features of a window.
    """
    spec = baseline_spec(settings, _SECTION)
    if not isinstance(spec.config, FeatureRidgeConfig):
        raise UserError(f"{_SECTION}.kind: '{settings.kind}' is no ridge on features of a window, as lagged_band_power_ridge is")
    return spec


class OwnRidge:
    """Fits a ridge to each test subject's own scans.

    Parameters
    ----------
    settings : ModelSettings
        Of the ridge.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._spec = own_ridge_spec(settings)
        assert isinstance(self._spec.config, FeatureRidgeConfig)
        self._penalties = self._spec.config.penalties
        self.title = f"own {self._spec.config.title}"

    @torch.no_grad()
    def predict(self, fold: ShardFold, scans: Sequence[WindowSet]) -> list[NDArray[np.float32]] | None:
        """Predict each volume of one subject's scans from a ridge that has seen none within a window and a response of it.

        So neither a window nor a response reaches from what is fitted into what is predicted. The mean of each scan is taken for known.

        Returns
        -------
        list of float32 array, shapes (n_volumes, n_targets)
            None where scans are too short for such gaps.
        """
        gap_s = scans[0].n_times / fold.signals.input.sfreq + RESPONSE_LENGTH_S
        features, targets, onsets = zip(*(self._read(fold, scan) for scan in scans), strict=True)
        scan_n = np.repeat(np.arange(len(scans)), [len(scan) for scan in scans])
        x_np, y_ns, onset_n = (np.concatenate(parts) for parts in (features, targets, onsets))
        found_ns = cross_fitted(x_np, y_ns, scan_n, onset_n, gap_s, self._penalties)
        if found_ns is None:
            return None
        return [(found_ns[scan_n == index] + target_ns.mean(axis=0)).astype(np.float32) for index, target_ns in enumerate(targets)]

    def _read(self, fold: ShardFold, scan: WindowSet) -> tuple[Floats, Floats, Floats]:
        """Features and targets of a scan's windows, and the onsets of their volumes, s."""
        ridge = self._spec.build(fold.signals)
        assert isinstance(ridge, FeatureRidge)
        reader = BatchReader(fold.shards, scan, fold.data, fixed_units(fold.signals), fold.signals)
        x_np = torch.cat([ridge.features(batch.input_bct) for batch in reader.batches(_BATCH_SIZE, np.arange(len(scan)))])
        volumes = fold.shards[scan.shard_index[0]].volumes
        y_ns = np.asarray(volumes.data_vs)[scan.volume][:, columns_of(fold.shards[0], fold.data.target)]
        return x_np.double().numpy(), y_ns.astype(np.float64), volumes.onset_s[scan.volume]


def cross_fitted(x_np: Floats, y_ns: Floats, scan_n: Indices, onset_n: Floats, gap_s: float, penalties: Sequence[float]) -> Floats | None:
    """Predict blocks of windows, each by a ridge that is fitted to all windows of other scans, and to those of its own a gap or more away.

    All other blocks choose the penalty, by the error of ridges that have seen neither of the two, again with a gap. Each scan has its own
    mean, of which only features know those of a block that is predicted: the mean of the targets that are left would tell that of the
    block.

    Parameters
    ----------
    x_np, y_ns : float64 array, shapes (n_windows, n_features) and (n_windows, n_targets)
    scan_n : int array, shape (n_windows,)
        Which scan each window is of, in order.
    onset_n : float64 array, shape (n_windows,)
        Of the volume that each window predicts, s from its scan's beginning.
    gap_s : float
    penalties : sequence of float
        In units of the mean variance of a feature.

    Returns
    -------
    float64 array, shape (n_windows, n_targets)
        Changes about each scan's mean; None where too few windows lie far enough from a block.

    Notes
    -----
    There are more features than windows, so the normal equations are solved in their dual form, with an unknown a window: Saunders,
    Gammerman & Vovk (1998), Ridge regression learning algorithm in dual variables, ICML 15:515-521.
    """
    change_np = _centred(x_np, scan_n)
    gram_nn = change_np @ change_np.T
    variance = np.trace(gram_nn) / x_np.size
    apart_nn = np.where(scan_n[:, None] == scan_n, np.abs(onset_n[:, None] - onset_n), np.inf)
    blocks = np.array_split(np.arange(len(scan_n)), _BLOCKS)
    is_away = np.array([(apart_nn[:, block] >= gap_s).all(axis=1) for block in blocks])

    def predicted(is_fitted: NDArray[np.bool_], asked: Sequence[Indices]) -> list[list[Floats]]:
        """What ridges that are fitted to some windows say of each block that is asked, by penalty."""
        fitted = np.flatnonzero(is_fitted)
        centred_nn = _centred(_centred(gram_nn[np.ix_(fitted, fitted)], scan_n[fitted]).T, scan_n[fitted])
        value_k, vector_nk = np.linalg.eigh(centred_nn)
        told_ks = vector_nk.T @ _centred(y_ns[fitted], scan_n[fitted])
        weights = [told_ks / (value_k + len(fitted) * variance * penalty)[:, None] for penalty in penalties]
        asked_nk = [gram_nn[np.ix_(block, fitted)] @ vector_nk for block in asked]
        return [[block_nk @ weight_ks for weight_ks in weights] for block_nk in asked_nk]

    errors: dict[int, list[Floats]] = {}
    for one, two in combinations(range(_BLOCKS), 2):
        if (is_away[one] & is_away[two]).any():
            of_one, of_two = predicted(is_away[one] & is_away[two], (blocks[one], blocks[two]))
            errors.setdefault(two, []).append(_errors(y_ns[blocks[one]], of_one, scan_n[blocks[one]]))
            errors.setdefault(one, []).append(_errors(y_ns[blocks[two]], of_two, scan_n[blocks[two]]))
    if len(errors) < _BLOCKS:
        return None
    found_ns = np.zeros_like(y_ns)
    for number, block in enumerate(blocks):
        (of_block,) = predicted(is_away[number], (block,))
        found_ns[block] = of_block[int(np.argmin(np.sum(errors[number], axis=0)))]
    return found_ns


def _centred(x_nk: Floats, scan_n: Indices) -> Floats:
    """Take the mean of each scan off its rows."""
    _, scan_n = np.unique(scan_n, return_inverse=True)
    sums = np.zeros((scan_n.max() + 1, x_nk.shape[1]))
    np.add.at(sums, scan_n, x_nk)
    return x_nk - (sums / np.bincount(scan_n)[:, None])[scan_n]


def _errors(truth_ns: Floats, predicted: Sequence[Floats], scan_n: Indices) -> Floats:
    """Squared error of each prediction about the means of scans, targets weighted alike."""
    change_ns = _centred(truth_ns, scan_n)
    power_s = np.square(change_ns).sum(axis=0)
    weight_s = 1 / np.where(power_s > 0, power_s, 1.0)
    return np.array([(np.square(change_ns - _centred(said_ns, scan_n)).sum(axis=0) * weight_s).sum() for said_ns in predicted])
