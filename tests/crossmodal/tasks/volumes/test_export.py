"""Predicted volumes as NIfTI and TSV, whole or not at all."""

import mne
import nibabel
import numpy as np
import pytest
from nilearn import plotting
from nilearn.maskers import NiftiMapsMasker, NiftiSpheresMasker

from crossmodal.config import UserError
from crossmodal.config.bold import MapTargets, RegionTargets, SphereTargets
from crossmodal.config.data import Data
from crossmodal.config.models import ModelSettings
from crossmodal.config.preprocessing import Preprocessing
from crossmodal.config.signal_spec import Regions, Voxels
from crossmodal.evaluation.baseline_reader import fixed_units
from crossmodal.models.predictor import Predictor
from crossmodal.models.registry import network_spec
from crossmodal.models.store import ModelCard, TrainedModel
from crossmodal.physics.spheres import load_spheres
from crossmodal.tasks.cleaned_input import CleanedInput
from crossmodal.tasks.volumes.export import predict_volumes, save_volumes
from crossmodal.tasks.volumes.grid import maps_of, paint, regions_of, spheres_of, strongest, voxels_of
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
    info = mne.create_info(4, 100.0)
    return CleanedInput(tuple(info["ch_names"]), x_ct, clock=None, info=info, bad_s=bad_s, notes=())


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


def test_intervals_lie_beside_the_values_as_images_and_columns(atlas, tmp_path):
    settings = ModelSettings(kind="source_power", bin_s=1)
    network = network_spec(settings).build(PAIR).eval()
    trained = TrainedModel(Predictor(network, fixed_units(PAIR)), card())
    predicted = predict_volumes(trained, cleaned())
    lower_vs, upper_vs = predicted.bounds["lower"], predicted.bounds["upper"]
    np.testing.assert_allclose((lower_vs + upper_vs) / 2, predicted.values_vs, rtol=1e-5)
    np.testing.assert_allclose(upper_vs - lower_vs, 2, rtol=1e-5)
    save_volumes(predicted, trained.card, regions_of(atlas, PAIR.target), tmp_path / "v_bold.nii.gz")
    assert sorted(path.name for path in tmp_path.glob("v*")) == [
        "v_bold.nii.gz",
        "v_bold.tsv",
        "v_bold_lower.nii.gz",
        "v_bold_upper.nii.gz",
    ]
    header, first, *_ = (tmp_path / "v_bold.tsv").read_text().splitlines()
    assert header.split("\t")[5:] == [f"region{number}_{end}" for end in ("lower", "upper") for number in range(3)]
    np.testing.assert_allclose([float(cell) for cell in first.split("\t")[5:]], [*lower_vs[0], *upper_vs[0]], rtol=1e-5)
    np.testing.assert_allclose(nibabel.load(tmp_path / "v_bold_upper.nii.gz").get_fdata()[2, 1, 1], upper_vs[:, 1], rtol=1e-6)


def test_spheres_are_painted_where_nilearn_puts_them(tmp_path):
    spheres, affine = load_spheres("dosenbach_160"), np.diag([20.0, 20.0, 20.0, 1.0])
    affine[:3, 3] = -80, -110, -70
    space = Regions(grid=(10, 12, 10), affine=affine.tolist())
    chosen = (5, 40, 100)
    target = PAIR.target.model_copy(update={"names": tuple(spheres.names[index] for index in chosen), "space": space})
    numbers = spheres_of(SphereTargets(coordinates="dosenbach_160", radius_mm=15), target)
    mask = nibabel.Nifti1Image(np.ones(space.grid, dtype=np.int8), affine)
    masker = NiftiSpheresMasker(spheres.centres_mm[list(chosen)].tolist(), 15, mask, allow_overlap=True, standardize=None).fit()
    values = np.array([3.0, -1.0, 2.0])
    np.testing.assert_allclose(paint(values, numbers), masker.inverse_transform(values[None]).get_fdata()[..., 0])


def test_maps_are_painted_by_their_weights_as_nilearn_does(trained, tmp_path):
    rng, affine = np.random.default_rng(0), np.array(PAIR.target.space.affine)
    weights = np.where(rng.random((*GRID, 4)) > 0.6, rng.random((*GRID, 4)), 0).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(weights, affine), tmp_path / "maps.nii.gz")
    (tmp_path / "maps.tsv").write_text("index\tname\n1\tregion2\n2\tother\n3\tregion0\n4\tregion1\n")
    settings = MapTargets(maps=str(tmp_path / "maps.nii.gz"), labels=str(tmp_path / "maps.tsv"))
    where = maps_of(settings, PAIR.target)
    np.testing.assert_array_equal(where, weights[..., [2, 3, 0]])
    predicted = predict_volumes(trained, cleaned())
    save_volumes(predicted, trained.card, where, tmp_path / "v_bold.nii.gz")
    masker = NiftiMapsMasker(nibabel.Nifti1Image(where, affine), standardize=None).fit()
    expected = masker.inverse_transform(predicted.values_vs).get_fdata()
    np.testing.assert_allclose(nibabel.load(tmp_path / "v_bold.nii.gz").get_fdata(), expected, atol=1e-5)
    assert (tmp_path / "v_bold.tsv").read_text().startswith("onset\tgood\tregion0\tregion1\tregion2\n")
    numbers = strongest(where)
    assert ((numbers == 0) == ~where.any(axis=-1)).all()
    assert numbers[where[..., 1] > np.maximum(where[..., 0], where[..., 2])].tolist() == [2] * int(
        (where[..., 1] > np.maximum(where[..., 0], where[..., 2])).sum()
    )


@pytest.mark.parametrize("broken", ["labels", "shape", "file"])
def test_maps_that_are_not_the_models_are_refused(tmp_path, broken):
    affine, path = np.array(PAIR.target.space.affine), tmp_path / "maps.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones(GRID if broken == "shape" else (*GRID, 3), dtype=np.float32), affine), path)
    if broken == "file":
        path.write_bytes(b"none")
    message = "has no region 'region0'" if broken == "labels" else "cannot be read as the maps"
    with pytest.raises(UserError, match=message):
        maps_of(MapTargets(maps=str(path)), PAIR.target)


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
