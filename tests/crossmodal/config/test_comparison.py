"""Variants of an experiment, read from YAML."""

import re

import pytest
import yaml

from crossmodal.config import UserError
from crossmodal.config.comparison import load_comparison

BASE = {"name": "base", "recordings": {"kind": "bids", "root": "here"}, "training": {"epochs": 7}}
OTHER = {"name": "other", "recordings": {"kind": "bids", "root": "there"}, "training": {"batch_size": 3, "epochs": 2}, "seed": 5}


def write(folder, **settings):
    for name, document in (("base", BASE), ("other", OTHER)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(document))
    path = folder / "comparison.yaml"
    path.write_text(yaml.safe_dump({"name": "both", "experiment": "base.yaml", "variants": {"a": {}, "b": {"seed": 1}}} | settings))
    return path


def test_each_variant_is_the_experiment_with_its_own_settings_and_overrides_for_all(tmp_path):
    comparison, experiments = load_comparison(write(tmp_path), ["training.workers=3"])
    assert comparison.name == "both"
    assert [(label, found.name, found.seed, found.training.epochs) for label, found in experiments.items()] == [
        ("a", "base", 0, 7),
        ("b", "base", 1, 7),
    ]
    assert {found.training.workers for found in experiments.values()} == {3}


def test_what_is_taken_from_another_experiment_is_how_it_trains_not_what_it_reads(tmp_path):
    variants = {"own": {}, "taken": {"takes": "other.yaml", "training": {"epochs": 4}}}
    _, experiments = load_comparison(write(tmp_path, variants=variants))
    taken = experiments["taken"]
    assert (taken.training.batch_size, taken.training.epochs) == (3, 4)
    assert (taken.name, taken.seed, taken.recordings.root) == ("base", 0, "here")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"variants": {"a": {}, "b": {"training": {"epoch": 3}}}}, "variant 'b': unknown key 'training.epoch'; the nearest valid name is"),
        ({"variants": {"a": {}}}, "variants: dictionary should have at least 2 items"),
        ({"primary": "c"}, "primary: there is no variant 'c'; known are a, b"),
        ({"experiment": "absent.yaml"}, "absent.yaml: cannot read the experiment"),
        ({"variants": {"a": {}, "b": {"takes": "absent.yaml"}}}, "absent.yaml: cannot read the experiment"),
        ({"variant": {}}, "unknown key 'variant'; the nearest valid name is 'variants'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(tmp_path, changes, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        load_comparison(write(tmp_path, **changes))
