"""`python jobs/tune_variants.py`: a study for each variant of a comparison."""

import re

import pytest
import yaml
from mlflow import MlflowClient

from tests.jobs.conftest import run
from tests.jobs.test_compare_splits import publish_sessions, small_experiment

SETTINGS = ("tuning.space=common", "tuning.folds=2", "tuning.test_subjects=['05']")


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    experiment = small_experiment(folder)
    publish_sessions(experiment, [("01", "a"), ("02", "a"), ("03", "a"), ("04", "a"), ("05", "a")])
    (folder / "small.yaml").write_text(yaml.safe_dump(experiment.model_dump(mode="json")))
    variants = {"whole": {}, "half a window": {"data": {"windows": {"length_s": 2}}}}
    path = folder / "comparison.yaml"
    path.write_text(yaml.safe_dump({"name": "lengths", "experiment": "small.yaml", "variants": variants}, sort_keys=False))
    return path


def test_a_variant_that_cannot_be_searched_is_refused_before_the_first_trial(comparison):
    done = run("tune_variants", comparison, *SETTINGS, "tuning.space=no_such_space", cwd=comparison.parent)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert "no_such_space" in done.stderr


@pytest.mark.slow
def test_each_variant_has_a_study_of_its_own_which_goes_on(comparison):
    folder = comparison.parent
    done = run("tune_variants", comparison, *SETTINGS, "tuning.stop.trials=1", cwd=folder)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    again = run("tune_variants", comparison, *SETTINGS, "tuning.stop.trials=2", cwd=folder)
    assert again.returncode == 0, f"{again.stdout}\n{again.stderr}"
    found = dict(re.findall(r"^(.+): (\{.*\})  # score .*, trial \d+ of 2$", again.stdout, flags=re.MULTILINE))
    assert set(found) == {"whole", "half a window"}
    assert all({"training.learning_rate", "training.batch_size"} <= yaml.safe_load(settings).keys() for settings in found.values())
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment_id = client.get_experiment_by_name("tests").experiment_id
    sweeps = client.search_runs([experiment_id], "tags.level = 'sweep'")
    assert [run_.info.status for run_ in sweeps] == ["FINISHED"] * 2
    for name in ("lengths-whole", "lengths-half_a_window"):
        assert (folder / "store" / "sweeps" / name / "study.db").exists()
