"""What the first bytes of a file tell, for one small request to its store."""

import zlib
from typing import Any

from mne.io.constants import FIFF
from nibabel.nifti1 import Nifti1Header

from crossmodal.config.preprocessing import Recordings
from crossmodal.storage.uri import open_fs
from preprocessing.readers.formats.fif import TAG

# Of an image; and what surely holds them where it is packed.
_HEADER_BYTES, _PACKED_HEADER_BYTES = 348, 4096
_GZIP = 31
# A raw recording's channels, digitised head and projections take about half as many, before its samples.
_FIF_BYTES = 2**18
_TWO_BYTES = {FIFF.FIFFT_SHORT, FIFF.FIFFT_DAU_PACK16}


def image_shape(uri: str, recordings: Recordings) -> tuple[int, ...]:
    """Tell an image's shape; empty where it cannot be read, of which whoever reads the image says the cause."""
    try:
        head = _head(uri, recordings, _PACKED_HEADER_BYTES)
        if uri.endswith(".gz"):
            head = zlib.decompressobj(_GZIP).decompress(head, _HEADER_BYTES)
        header: Any = Nifti1Header(head[:_HEADER_BYTES])
        return tuple(int(size) for size in header.get_data_shape())
    except Exception:
        return ()


def fif_holds_two_bytes(uri: str, recordings: Recordings) -> bool:
    """Tell whether a recording's samples are stored in 2 bytes each; False, too, where nothing among its first bytes tells.

    Notes
    -----
    Source: the tags of the FIF format as `mne` reads them.
    """
    try:
        head = _head(uri, recordings, _FIF_BYTES)
    except Exception:
        return False
    place = 0
    while place + TAG.size <= len(head):
        kind, form, size, following = TAG.unpack_from(head, place)
        if kind == FIFF.FIFF_DATA_BUFFER:
            return form in _TWO_BYTES
        place = following if following > place else place + TAG.size + max(size, 0)
    return False


def _head(uri: str, recordings: Recordings, n_bytes: int) -> bytes:
    filesystem, path = open_fs(uri, recordings.anonymous, recordings.endpoint_url)
    return bytes(filesystem.cat_file(path, start=0, end=n_bytes))
