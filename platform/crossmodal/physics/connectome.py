"""How regions of the cortex are connected: read from a file of The Virtual Brain, or falling off with distance."""

import bz2
import io
import zipfile
from dataclasses import dataclass
from zlib import error as ZlibError

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from crossmodal.config import UserError
from crossmodal.config.cortex import DecayConnectome

_MILLIMETRE = 1e-3


@dataclass(frozen=True)
class Connectome:
    """Connections between regions.

    Attributes
    ----------
    name : str
        For messages: the file it was read from, or what it was made of.
    weights_nn : ndarray, shape (n_regions, n_regions)
        Row i holds how strongly each region drives region i; 0 where nothing leads there.
    lengths_m_nn : ndarray, shape (n_regions, n_regions)
        Of the tracts, m.
    """

    name: str
    weights_nn: NDArray[np.float64]
    lengths_m_nn: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights_nn)


def decay_connectome(centres_m: NDArray[np.float64], settings: DecayConnectome) -> Connectome:
    """Connect each region with its nearest ones, the more strongly the nearer they are.

    Weights fall as exp(-distance / decay_m): M. Ercsey-Ravasz et al., "A predictive network model of cerebral cortical connectivity
    based on a distance rule", Neuron, 2013. Tracts are straight lines. The weights that lead into a region sum to the same in all.

    Parameters
    ----------
    centres_m : ndarray, shape (n_regions, 3)
        At least two regions, m.
    """
    n_regions = len(centres_m)
    distance_m_nn = cdist(centres_m, centres_m)
    np.fill_diagonal(distance_m_nn, np.inf)
    n_nearest = min(settings.neighbours, n_regions - 1)
    nearest_nk = np.argsort(distance_m_nn, axis=1, kind="stable")[:, :n_nearest]
    rows_n1 = np.arange(n_regions)[:, None]
    length_m_nk = distance_m_nn[rows_n1, nearest_nk]
    # The nearest region counts as 1, so that no row of far regions underflows.
    weight_nk = np.exp((length_m_nk[:, :1] - length_m_nk) / settings.decay_m)
    weights_nn, lengths_m_nn = np.zeros((2, n_regions, n_regions))
    weights_nn[rows_n1, nearest_nk] = settings.input_weight * weight_nk / weight_nk.sum(axis=1, keepdims=True)
    lengths_m_nn[rows_n1, nearest_nk] = length_m_nk
    return Connectome(f"the connectome of {n_regions} regions", weights_nn, lengths_m_nn)


def read_tvb_connectome(content: bytes, name: str) -> Connectome:
    """Read a connectivity file of The Virtual Brain: a zip with weights.txt and tract_lengths.txt (mm), plain or as .bz2.

    Source: P. Sanz Leon et al., "The Virtual Brain: a simulator of primate brain network dynamics", Frontiers in Neuroinformatics, 2013;
    the format is that of the package tvb-data.

    Parameters
    ----------
    content : bytes
        Of the file.
    name : str
        Of the file, for messages.

    Raises
    ------
    UserError
        It is no such zip, or what it holds is no connectome.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            weights_nn, length_mm_nn = (_matrix(archive, table, name) for table in ("weights", "tract_lengths"))
    except (zipfile.BadZipFile, EOFError, ZlibError) as error:
        raise UserError(f"{name}: is no zip file ({error}); give a connectivity file of The Virtual Brain") from error
    if weights_nn.shape != length_mm_nn.shape or weights_nn.shape[0] != weights_nn.shape[1] or len(weights_nn) < 2:
        raise UserError(
            f"{name}: weights are {_size(weights_nn)} and tract lengths {_size(length_mm_nn)}; both must be square and of the same size"
        )
    for table, values_nn in (("weights", weights_nn), ("tract_lengths", length_mm_nn)):
        if not (np.isfinite(values_nn).all() and (values_nn >= 0).all()):
            raise UserError(f"{name}: {table} holds values below 0, or none; give a connectome of numbers that are 0 or more")
    return Connectome(name, weights_nn, length_mm_nn * _MILLIMETRE)


def _matrix(archive: zipfile.ZipFile, table: str, name: str) -> NDArray[np.float64]:
    """Find a table in the archive, in a folder or not, and read it."""
    wanted = (f"{table}.txt", f"{table}.txt.bz2")
    found = next((member for member in archive.namelist() if member.rpartition("/")[2] in wanted), None)
    if found is None:
        raise UserError(f"{name}: holds no {table}.txt; give a connectivity file of The Virtual Brain")
    content = archive.read(found)
    try:
        text = bz2.decompress(content) if found.endswith(".bz2") else content
        return np.loadtxt(io.BytesIO(text), ndmin=2)
    except (OSError, ValueError) as error:
        raise UserError(f"{name}: {found} is no table of numbers ({error})") from error


def _size(values_nn: NDArray[np.float64]) -> str:
    return " x ".join(map(str, values_nn.shape))
