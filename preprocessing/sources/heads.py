"""What the first bytes of a file tell, for one small request to its store."""

import zlib
from typing import Any

from nibabel.nifti1 import Nifti1Header

from crossmodal.config.preprocessing import Recordings
from crossmodal.storage.uri import open_fs

# Of an image; and what surely holds them where it is packed.
_HEADER_BYTES, _PACKED_HEADER_BYTES = 348, 4096
_GZIP = 31


def image_shape(uri: str, recordings: Recordings) -> tuple[int, ...]:
    """Tell an image's shape; empty where it cannot be read, of which whoever reads the image says the cause."""
    filesystem, path = open_fs(uri, recordings.anonymous, recordings.endpoint_url)
    try:
        head = filesystem.cat_file(path, start=0, end=_PACKED_HEADER_BYTES)
        if uri.endswith(".gz"):
            head = zlib.decompressobj(_GZIP).decompress(head, _HEADER_BYTES)
        header: Any = Nifti1Header(head[:_HEADER_BYTES])
        return tuple(int(size) for size in header.get_data_shape())
    except Exception:
        return ()
