"""A fold's scores are those of its own test windows, beside baselines of its own training windows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from crossmodal.config import UserError
from crossmodal.config.evaluation import Evaluation
from crossmodal.config.models import ModelSettings
from crossmodal.datasets.folds import make_folds
from crossmodal.datasets.opening import open_fold
from crossmodal.evaluation.baseline_fitter import BaselineFitter
from crossmodal.evaluation.cohort import summarise
from crossmodal.evaluation.scores import FoldEvaluation, save_scores
from crossmodal.models.base import Model
from crossmodal.models.ridge import Ridge, RidgeConfig
from crossmodal.physics.cohort_settings import write_settings
from crossmodal.storage.node_cache import NodeCache
from crossmodal.tasks.evaluate import evaluate_folds
from crossmodal.tasks.sensors.baselines import SensorsReader
from crossmodal.tasks.sensors.ceilings import References
from crossmodal.tasks.sensors.evaluator import SensorsEvaluator
from crossmodal.tasks.sensors.scorecard import sensors_scorecard
from tests.crossmodal.evaluation.gaussian_cohort import N_MAG, gaussian_experiment, publish_cohort


class Silent(Model):
    """A network that has learned nothing."""

    def __init__(self, n_target: int) -> None:
        super().__init__()
        self.n_target = n_target

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        return x_bct.new_zeros(len(x_bct), self.n_target, x_bct.shape[2])


class Copies(Model):
    """A network that takes what electrodes record for what magnetometers do."""

    def __init__(self, n_target: int) -> None:
        super().__init__()
        self.n_target = n_target

    def forward(self, x_bct: torch.Tensor) -> torch.Tensor:
        y_bst = x_bct.new_zeros(len(x_bct), self.n_target, x_bct.shape[2])
        y_bst[:, :N_MAG] = x_bct[:, :N_MAG]
        return y_bst


CARD = sensors_scorecard(Evaluation().bands_hz)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    root = tmp_path_factory.mktemp("gaussian")
    experiment = gaussian_experiment(root)
    return experiment, publish_cohort(experiment), NodeCache(root / "cache", 1 << 30)


def evaluate(cohort, network=Silent, **changes):
    """All folds of the cohort, after changes of the experiment."""
    published, manifest, cache = cohort
    experiment = type(published).model_validate(published.model_dump() | changes)
    write_settings(Path(experiment.recordings.root), experiment.simulation)
    evaluator = SensorsEvaluator(experiment, "run")
    results = []
    for fold in make_folds(experiment.split, manifest):
        data = open_fold(manifest, fold, experiment.data, experiment.seed, cache)
        evaluation = evaluator.evaluate(data, network(data.signals.target.n_channels), data.normaliser)
        results.append((data, evaluation.scores, evaluation.detail))
    write_settings(Path(published.recordings.root), published.simulation)
    return results


def explained(results, predictor, channel_type="mag"):
    return [
        score.score
        for _, scores, _ in results
        for score in scores.scores
        if (score.predictor, score.channel_type) == (predictor, channel_type)
    ]


def test_predictors_stand_in_the_order_of_what_they_know(cohort):
    results = evaluate(cohort)
    for channel_type in ("mag", "grad"):
        means = [np.mean(explained(results, name, channel_type)) for name in ("training mean", "ridge", "linear reference", "oracle")]
        assert means == sorted(means)
        assert explained(results, "training mean", channel_type) == pytest.approx([0.0] * 4, abs=1e-6)
    assert explained(results, "Synaptech-Net") == pytest.approx([0.0] * 4, abs=0.002)


def test_a_baseline_that_a_recording_tells_too_little_for_is_named(cohort):
    experiment, *_ = cohort
    baselines = [*experiment.evaluation.model_dump()["baselines"], {"kind": "minimum_norm"}]
    told = (
        "minimum norm for sub-01: no sensor position for EEG0, .*; set a montage, .*; to do without, leave it out of evaluation.baselines"
    )
    with pytest.raises(UserError, match=told):
        evaluate(cohort, evaluation=experiment.evaluation.model_dump() | {"baselines": baselines})


def test_nothing_is_above_the_oracle_where_it_is_a_bound(cohort):
    rows = summarise([scores for _, scores, _ in evaluate(cohort)], CARD)
    assert {row.predictor for row in rows if row.role == "ceiling"} == {"oracle", "linear reference", "own FIR"}
    assert not any(row.leak for row in rows)


def test_a_cohort_with_evoked_responses_quotes_no_oracle(cohort):
    experiment, *_ = cohort
    results = evaluate(cohort, simulation=experiment.simulation.model_copy(update={"evoked": True}).model_dump())
    assert not results[0][1].bounded
    assert {score.predictor for score in results[0][1].scores if score.role == "ceiling"} == {"noise-only bound", "own FIR"}
    assert all(np.array(explained(results, "noise-only bound")) > explained(results, "own FIR"))


def test_after_steps_that_no_closed_form_knows_there_is_no_oracle(cohort):
    experiment, *_ = cohort
    steps = experiment.preprocessing.model_dump() | {"line_noise": {"line_hz": 50}}
    assert References(experiment).bounded
    assert not References(type(experiment).model_validate(experiment.model_dump() | {"preprocessing": steps})).bounded


def test_in_a_null_cohort_the_oracle_knows_nothing_evoked_or_not(cohort):
    experiment, *_ = cohort
    null = experiment.simulation.model_copy(update={"cohort": "null", "evoked": True, "artifacts": True}).model_dump()
    results = evaluate(cohort, simulation=null)
    assert all(scores.bounded for _, scores, _ in results)
    assert {score.predictor for score in results[0][1].scores if score.role == "ceiling"} == {"oracle", "own FIR"}
    assert explained(results, "oracle") == [0.0] * 4


def test_ridge_is_fitted_to_the_training_windows_of_the_fold_alone(cohort):
    experiment, manifest, cache = cohort
    data = open_fold(manifest, make_folds(experiment.split, manifest)[1], experiment.data, 0, cache)
    reader = SensorsReader(Evaluation(baselines=(ModelSettings(kind="ridge", lag_s=0.1),)))
    direct = Ridge(RidgeConfig(lag_s=0.1), data.signals)
    statistics = []
    for role in (data.train, data.validation):
        statistics.append(direct.new_statistics())
        for batch in reader.reader(data, role.windows).batches(7, np.arange(len(role))):
            statistics[-1].accumulate(batch.input_bct, batch.target_bst)
    direct.solve(*statistics)
    torch.testing.assert_close(BaselineFitter(reader).fit(data)["lagged ridge 100 ms"].weight_scl, direct.weight_scl)


def test_scores_are_those_of_the_whole_arrays_at_once(cohort):
    data, scores, detail = evaluate(cohort)[2]
    reader = SensorsReader(Evaluation(baselines=(ModelSettings(kind="ridge"),)))
    baselines, units = BaselineFitter(reader).fit(data), reader.units(data, "ridge")
    (batch,) = reader.reader(data, data.test.windows).batches(1000, np.arange(len(data.test)))
    truth, predicted, mean = (
        units.target.inverse(y_bst.double()).numpy()[:, :5]
        for y_bst in (batch.target_bst, baselines["ridge"](batch.input_bct), baselines["training mean"](batch.input_bct))
    )
    (score,) = (score for score in scores.scores if (score.predictor, score.channel_type) == ("ridge", "mag"))
    assert score.score == pytest.approx(1 - ((truth - predicted) ** 2).sum() / ((truth - mean) ** 2).sum(), abs=1e-5)
    assert score.values["rms_error"] == pytest.approx(np.sqrt(np.mean((truth - predicted) ** 2)), rel=1e-4)
    per_sensor = detail.subjects["03"].sensors["ridge"]
    np.testing.assert_allclose(per_sensor.rms_error[:5], np.sqrt(np.mean((truth - predicted) ** 2, axis=(0, 2))), rtol=1e-4)
    correlations = [np.corrcoef(truth[:, s].ravel(), predicted[:, s].ravel())[0, 1] for s in range(5)]
    assert score.values["r"] == pytest.approx(np.mean(correlations), abs=1e-5)
    np.testing.assert_allclose(per_sensor.r[:5], correlations, atol=1e-5)
    np.testing.assert_allclose(detail.subjects["03"].example["truth"][:5], truth[len(truth) // 2], rtol=1e-5, atol=1e-20)


def test_a_second_evaluation_gives_the_same_bytes(cohort, tmp_path):
    for store in ("one", "two"):
        for _, scores, detail in evaluate(cohort):
            save_scores(str(tmp_path / store), FoldEvaluation(scores, detail))
    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path.name


def test_modalities_may_be_swapped(cohort):
    results = evaluate(cohort, data=cohort[0].data.model_dump() | {"input": {"modality": "meg"}, "target": {"modality": "eeg"}})
    rows = {row.predictor: row for row in summarise([scores for _, scores, _ in results], CARD)}
    assert {row.channel_type for row in rows.values()} == {"eeg"}
    assert 0.2 < rows["ridge"].means["explained_variance"] < rows["oracle"].means["explained_variance"]
    assert 5e-6 < rows["ridge"].means["rms_error"] < 2e-5


def test_where_nothing_can_be_learned_nothing_is(tmp_path):
    experiment = gaussian_experiment(tmp_path)
    manifest = publish_cohort(experiment, coupled=False)
    results = evaluate((experiment, manifest, NodeCache(tmp_path / "cache", 1 << 30)))
    rows = {row.predictor: row for row in summarise([scores for _, scores, _ in results], CARD) if row.channel_type == "mag"}
    assert rows["oracle"].means["explained_variance"] == pytest.approx(0.0, abs=1e-6)
    for name in ("ridge", "lagged ridge 100 ms", "Synaptech-Net"):
        assert rows[name].intervals["explained_variance"][0] <= 0
    assert not any(row.leak for row in rows.values())


def test_what_eyes_alone_predict_stands_beside_the_scores_and_apart_from_them(tmp_path):
    """Blinks that reach EEG and MEG alike make a score where there is nothing to find; they are told from what is there."""
    beyond, plain = {}, {}
    for coupled in (False, True):
        experiment = gaussian_experiment(tmp_path / str(coupled))
        manifest = publish_cohort(experiment, coupled=coupled, blinks=6.0)
        results = evaluate((experiment, manifest, NodeCache(tmp_path / f"cache-{coupled}", 1 << 30)))
        rows = {row.predictor: row for row in summarise([scores for _, scores, _ in results], CARD) if row.channel_type == "mag"}
        assert rows["EOG and ECG alone"].role == "baseline"
        assert abs(rows["EOG and ECG alone"].means["beyond_physiology"]) < 1e-3
        assert rows["training mean"].means["beyond_physiology"] == 0
        plain[coupled] = {name: row.means["explained_variance"] for name, row in rows.items()}
        beyond[coupled] = {name: row.means["beyond_physiology"] for name, row in rows.items() if row.role == "baseline"}
    assert plain[False]["ridge"] > 0.5
    assert plain[False]["EOG and ECG alone"] > 0.9 * plain[False]["ridge"]
    assert beyond[False]["ridge"] < 0.05
    assert beyond[True]["lagged ridge 100 ms"] > 0.1


def test_eyes_and_heart_may_be_recorded_in_some_subjects_alone(cohort, tmp_path):
    experiment = gaussian_experiment(tmp_path)
    with_eog = publish_cohort(experiment, n_subjects=4, blinks=1.0)
    _, without, _ = cohort
    mixed = type(with_eog).of([*with_eog.entries[:3], without.entries[3]], "test")
    results = evaluate((experiment, mixed, NodeCache(tmp_path / "cache", 1 << 30)))
    scores = [score for _, of_fold, _ in results for score in of_fold.scores if score.role != "ceiling"]
    assert "EOG and ECG alone" not in {score.predictor for score in scores}
    assert {score.subject for score in scores if score.values["beyond_physiology"] is None} == {"04"}


def test_where_nothing_can_be_learned_one_subject_who_leaks_is_named(tmp_path):
    experiment = gaussian_experiment(tmp_path)
    manifest = publish_cohort(experiment, coupled=False, leaking=["02"])
    results = evaluate((experiment, manifest, NodeCache(tmp_path / "cache", 1 << 30)), Copies)
    rows = {(row.predictor, row.channel_type): row for row in summarise([scores for _, scores, _ in results], CARD)}
    assert explained(results, "Synaptech-Net")[1] > 0.5
    # Ridge, which learns from others by chance what fits electrodes that know, may be another.
    assert rows["Synaptech-Net", "mag"].leak
    assert {(channel_type, row.leaking) for (_, channel_type), row in rows.items() if row.leak} == {("mag", ("02",))}
    assert {score.subject for _, scores, _ in results for score in scores.scores if (score.chance_p or 1.0) < 1e-6} == {"02"}


@pytest.mark.parametrize(
    ("split", "label"),
    [
        ({"kind": "leaky_windows"}, "leaky"),
        ({"kind": "fixed", "train": ["01"], "validation": ["02"], "test": ["03"]}, ""),
        (
            {
                "kind": "fixed",
                "train": [{"subject": "01", "stop_s": 30}],
                "validation": [{"subject": "01", "start_s": 32, "stop_s": 40}],
                "test": [{"subject": "01", "start_s": 42}],
            },
            "within recording",
        ),
    ],
)
def test_protocols_that_say_nothing_of_new_subjects_are_labelled(cohort, split, label):
    ((_, scores, detail),) = evaluate(cohort, split=split)
    assert scores.label == label
    assert set(detail.subjects) == {score.subject for score in scores.scores}


def test_models_of_bands_are_refused(cohort):
    experiment, manifest, _ = cohort
    experiment = experiment.model_copy(update={"model": ModelSettings(kind="synaptech_net", target={"kind": "bands"})})
    with pytest.raises(UserError, match="only waveforms are scored"):
        next(evaluate_folds(experiment, manifest, "run", make_folds(experiment.split, manifest)))
