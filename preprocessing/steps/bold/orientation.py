"""Tell whether an image says which of its sides is left: readers assume it where it does not, and mirror the brain where they are wrong."""

from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.spatialimages import SpatialImage

from crossmodal.config import UserError

VERSION = 1

# The cosine between directions of an axis by the one matrix and by the other: heads tilt, but no axis turns around.
_LEAST_COSINE = 0.5


def check_orientation(image: SpatialImage, called: str, needed: str) -> list[str]:
    """Refuse an image that does not say which side is left where that matters, and note it elsewhere.

    Parameters
    ----------
    image : SpatialImage
        As it was opened.
    called : str
        What sentences call it.
    needed : str
        What needs to know where left is, as a sentence has it ("regions of an atlas need"); empty where nothing does.

    Returns
    -------
    list of str
        Sentences that the run should say.

    Raises
    ------
    UserError
        It does not say it and something needs it, or its matrix is none.
    """
    affine = np.asarray(image.affine, dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise UserError(f"{called}: the matrix from its voxels to mm (sform or qform) cannot be inverted; write it anew")
    doubt = _doubt(image.header)
    if not doubt:
        return []
    if needed:
        raise UserError(
            f"{called}: does not say which side is left ({doubt}), which {needed} to know; find out, and write a matrix and its code"
            " (nibabel's set_sform and set_qform with code=1, or fslorient)"
        )
    return [f"does not say which side is left ({doubt}): the orientation of its voxels is assumed, left and right may be swapped"]


def _doubt(header: Any) -> str:
    """Why nobody knows where left is; empty where an image says it."""
    if not isinstance(header, Nifti1Header):
        # Analyze has no place for it; FreeSurfer's and MINC's headers always have.
        return "its format, Analyze, has no place for that" if header.__class__.__name__.endswith("AnalyzeHeader") else ""
    (qform, qform_code), (sform, sform_code) = header.get_qform(coded=True), header.get_sform(coded=True)
    if qform_code <= 0 and sform_code <= 0:
        return "qform_code and sform_code are 0"
    if qform is None or sform is None:
        return ""
    cosines = [
        first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
        for first, second in zip(qform[:3, :3].T, sform[:3, :3].T, strict=True)
    ]
    return "" if min(cosines) > _LEAST_COSINE else "qform and sform contradict each other"
