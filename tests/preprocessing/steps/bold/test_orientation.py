"""Images that do not say which side is left are refused where that matters; those that do are read right, however they are stored."""

import nibabel
import numpy as np
import pytest

from crossmodal.config import UserError
from preprocessing.steps.bold.orientation import check_orientation
from preprocessing.steps.bold.resampling import to_image
from preprocessing.steps.bold.targets import region_targets

_AFFINE = np.array([[3, 0, 0, -16.5], [0, 3, 0, -16.5], [0, 0, 4, -14], [0, 0, 0, 1.0]])
_MIRRORED = np.diag([-1, 1, 1, 1]) @ _AFFINE


def _image(qform=(_AFFINE, 1), sform=(_AFFINE, 1), kind=nibabel.Nifti1Image):
    image = kind(np.zeros((12, 12, 8, 2), dtype=np.int16), None)
    image.header.set_zooms((3, 3, 4, 2))
    for put, (matrix, code) in ((image.set_qform, qform), (image.set_sform, sform)):
        put(matrix, code=code)
    return image


def _written(image, tmp_path):
    path = tmp_path / "image.nii.gz"
    nibabel.save(image, path)
    return nibabel.load(path)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image, nibabel.Nifti1Pair])
def test_codes_of_zero_are_refused_where_sides_matter_and_noted_elsewhere(kind):
    image = _image((_AFFINE, 0), (_AFFINE, 0), kind)
    with pytest.raises(
        UserError, match=r"a.nii: does not say which side is left \(qform_code and sform_code are 0\), which an atlas needs"
    ):
        check_orientation(image, "a.nii", "an atlas needs")
    (note,) = check_orientation(image, "a.nii", "")
    assert "left and right may be swapped" in note


@pytest.mark.parametrize("affine", [_AFFINE, _MIRRORED])
@pytest.mark.parametrize(("qform_code", "sform_code"), [(1, 0), (0, 2), (1, 4), (4, 4)])
def test_one_code_is_enough_whichever_way_voxels_run(tmp_path, affine, qform_code, sform_code):
    image = _written(_image((affine, qform_code), (affine, sform_code)), tmp_path)
    assert check_orientation(image, "a.nii", "an atlas needs") == []
    np.testing.assert_allclose(image.affine, affine, atol=1e-5)


@pytest.mark.parametrize("other", [_MIRRORED, np.diag([-1, -1, 1, 1]) @ _AFFINE])
def test_matrices_that_contradict_each_other_are_refused(other):
    with pytest.raises(UserError, match="qform and sform contradict each other"):
        check_orientation(_image((_AFFINE, 1), (other, 4)), "a.nii", "a mask needs")
    assert len(check_orientation(_image((_AFFINE, 1), (other, 4)), "a.nii", "")) == 1


def test_a_tilted_head_is_no_contradiction():
    tilt = nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(0.3, 0.2, 0.4))
    assert check_orientation(_image((tilt @ _AFFINE, 1), (_AFFINE, 4)), "a.nii", "an atlas needs") == []


def test_matrices_that_cannot_be_inverted_and_analyze_are_told():
    with pytest.raises(UserError, match="cannot be inverted"):
        check_orientation(_image((_AFFINE, 0), (np.diag([3, 3, 0, 1]), 1)), "a.nii", "")
    analyze = nibabel.AnalyzeImage(np.zeros((4, 4, 4), dtype=np.int16), _AFFINE)
    with pytest.raises(UserError, match="its format, Analyze, has no place for that"):
        check_orientation(analyze, "a.img", "an atlas needs")


@pytest.mark.parametrize("affine", [_AFFINE, _MIRRORED])
def test_regions_are_the_same_whichever_way_voxels_are_stored(affine):
    x_mm = (np.arange(12) * affine[0, 0] + affine[0, 3])[:, None, None] * np.ones((12, 12, 8))
    data = np.repeat(np.where(x_mm < 0, 1000, 600)[..., None], 2, axis=3)
    atlas_x_mm = (np.arange(12) * 3 - 16.5)[:, None, None] * np.ones((12, 12, 8))
    atlas = nibabel.Nifti1Image(np.where(atlas_x_mm < 0, 1, 2).astype(np.int16), _AFFINE)
    image = nibabel.Nifti1Image(data.astype(np.int16), affine)
    taken = region_targets(image, to_image(atlas, image, False, "atlas", "run"), {1: "left", 2: "right"}, "run")
    assert taken.data_vs[0].tolist() == [1000, 600]
