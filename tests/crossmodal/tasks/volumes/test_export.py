"""Predicted volumes as NIfTI and TSV, whole or not at all."""

import mne
import nibabel
import numpy as np
import pytest
from nilearn import plotting

from crossmodal.config import UserError
from crossmodal.config.bold import RegionTargets
from crossmodal.config.data import Data
from crossmodal.config.models import ModelSettings
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.config.signal_spec import Voxels
from crossmodal.evaluation.baseline_reader import fixed_units
from crossmodal.models.predictor import Predictor
from crossmodal.models.registry import network_spec
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.tasks.volumes.export import predict_volumes, save_volumes
from crossmodal.tasks.volumes.grid import regions_of, voxels_of
from tests.crossmodal.models.pairs import volume_pair

PAIR = volume_pair(4, 3, 400, 100.0)
GRID = PAIR.target.space.grid


def card(signals=PAIR):
    data = Data.model_validate({"target": {"modality": "bold"}, "windows": {"kind": "volumes", "length_s": 4}})
    settings = ModelSettings(kind="band_power", width=3)
    return ModelCard(
        run="run",
        fold="sub-01",
        network=settings,
        signals=signals,
        data=data,
        preprocessing=Preprocessing(modalities=("eeg", "bold")),
        recorded_names=signals.input.names,
        normaliser={},
        trained_on=("02",),
    )


@pytest.fixture
def trained():
    return TrainedModel(Predictor(network_spec(card().network).build(PAIR).eval(), fixed_units(PAIR)), card())


@pytest.fixture
def atlas(tmp_path):
    numbers = np.zeros(GRID, dtype=np.int16)
    numbers[0, 0, 0], numbers[1:3, 1, 1], numbers[4, 4, 4] = 2, 5, 7
    nibabel.save(nibabel.Nifti1Image(numbers, np.array(PAIR.target.space.affine)), tmp_path / "atlas.nii.gz")
    (tmp_path / "atlas.tsv").write_text("index\tname\n2\tregion0\n5\tregion1\n7\tregion2\n")
    return RegionTargets(atlas=str(tmp_path / "atlas.nii.gz"), labels=str(tmp_path / "atlas.tsv"))


def cleaned(n_samples=1050, bad_s=()):
    x_ct = 1e-5 * np.random.default_rng(0).standard_normal((4, n_samples))
    return CleanedInput(x_ct, clock=None, info=mne.create_info(4, 100.0), bad_s=bad_s, notes=())


def test_volumes_follow_each_other_by_the_repetition_time_from_the_first_that_has_enough_input(trained):
    predicted = predict_volumes(trained, cleaned(bad_s=[(0.0, 1.0)]))
    np.testing.assert_allclose(predicted.onset_s, [4, 6, 8, 10])
    assert predicted.good.tolist() == [False, True, True, True]
    window = cleaned().x_ct[None, :, 200:600].astype(np.float32)
    np.testing.assert_allclose(predicted.values_vs[1], trained.predictor.predict(window)[0, :, 0], rtol=1e-5)
    assert len(predict_volumes(trained, cleaned(300)).values_vs) == 0


def test_regions_are_painted_into_the_atlas_and_told_as_a_table(trained, atlas, tmp_path):
    predicted = predict_volumes(trained, cleaned())
    save_volumes(predicted, trained.card, regions_of(atlas, PAIR.target), tmp_path / "out" / "v_bold.nii.gz")
    image = nibabel.load(tmp_path / "out" / "v_bold.nii.gz")
    np.testing.assert_array_equal(image.affine, PAIR.target.space.affine)
    assert image.header.get_zooms() == pytest.approx((8, 8, 8, 2))
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert image.header["toffset"] == 4
    data = image.get_fdata()
    np.testing.assert_allclose(data[2, 1, 1], predicted.values_vs[:, 1], rtol=1e-6)
    assert np.count_nonzero(data.any(axis=3)) == 4
    header, first, *others = (tmp_path / "out" / "v_bold.tsv").read_text().splitlines()
    assert header.split("\t") == ["onset", "good", "region0", "region1", "region2"]
    np.testing.assert_allclose([float(cell) for cell in first.split("\t")], [4, 1, *predicted.values_vs[0]], rtol=1e-5)
    assert len(others) == 3
    plotting.plot_epi(nibabel.Nifti1Image(data[..., 0], image.affine), output_file=tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_voxels_lie_where_they_were_stored(trained, tmp_path):
    mask = np.zeros(GRID, dtype=bool)
    mask[1, 2, :4] = True
    target = PAIR.target.model_copy(update={"names": ("0", "1", "3"), "space": Voxels.of(mask, PAIR.target.space.affine)})
    predicted = predict_volumes(trained, cleaned())
    save_volumes(predicted, card(PAIR.model_copy(update={"target": target})), voxels_of(mask, target.names), tmp_path / "v.nii.gz")
    data = nibabel.load(tmp_path / "v.nii.gz").get_fdata()
    np.testing.assert_allclose(data[1, 2, [0, 1, 3]], predicted.values_vs.T, rtol=1e-6)
    assert not data[1, 2, 2].any()
    assert [path.name for path in tmp_path.iterdir()] == ["v.nii.gz"]


def test_nothing_is_written_beside_a_table_of_another(trained, atlas, tmp_path):
    (tmp_path / "v.tsv").write_text("mine")
    with pytest.raises(UserError, match=r"v\.tsv: exists already"):
        save_volumes(predict_volumes(trained, cleaned()), trained.card, regions_of(atlas, PAIR.target), tmp_path / "v.nii.gz")
    assert not (tmp_path / "v.nii.gz").exists()


def test_an_atlas_on_another_grid_is_resampled_as_it_was_for_training(atlas, tmp_path):
    fine = np.repeat(np.repeat(np.repeat(np.asarray(nibabel.load(atlas.atlas).dataobj), 2, 0), 2, 1), 2, 2)
    affine = np.array(PAIR.target.space.affine) @ np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] -= 2
    nibabel.save(nibabel.Nifti1Image(fine, affine), tmp_path / "fine.nii.gz")
    np.testing.assert_array_equal(
        regions_of(atlas.model_copy(update={"atlas": str(tmp_path / "fine.nii.gz")}), PAIR.target), regions_of(atlas, PAIR.target)
    )


@pytest.mark.parametrize("broken", ["labels", "place", "file"])
def test_an_atlas_that_is_not_the_models_is_refused(atlas, tmp_path, broken):
    image = nibabel.load(atlas.atlas)
    if broken == "labels":
        (tmp_path / "atlas.tsv").write_text("index\tname\n2\tregion0\n5\tregion1\n7\tthalamus\n")
        message = r"atlas\.nii\.gz: has no region 'region2', which the model predicts"
    elif broken == "place":
        moved = image.affine.copy()
        moved[0, 3] += 500
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), moved), tmp_path / "atlas.nii.gz")
        message = r"region 'region0' has no voxel on the model's grid of 5 x 5 x 5"
    else:
        (tmp_path / "atlas.nii.gz").write_bytes(b"none")
        message = r"atlas\.nii\.gz: cannot be read as the atlas"
    with pytest.raises(UserError, match=message):
        regions_of(atlas, PAIR.target)
