"""How looks at a title are counted, and who challenges."""

import numpy as np
import pytest

from crossmodal.config import UserError
from crossmodal.nightly.division import check_kept, keep_apart
from crossmodal.nightly.title import Challenger, Title, level_of, read_title, subjects_needed, write_title
from crossmodal.storage.uri import write_json

SUBJECTS = tuple(f"{number:02d}" for number in range(1, 21))


def challenger(trial=0, study="study", seen=SUBJECTS[6:]):
    overrides = {"model.widths": [trial]}
    return Challenger(study=study, trial=trial, overrides=overrides, night="1", seen=seen, dataset="d", folds="f", scores={}, protocol=2)


def better(subjects, gain=1.0):
    return {subject: gain + 0.01 * number for number, subject in enumerate(subjects)}


def test_all_looks_together_spend_one_error_rate():
    spent = sum(level_of(look) for look in range(1, 100_000))
    assert spent < 0.0475
    assert spent / (1 - spent) < 0.05


def test_a_look_is_taken_when_it_can_succeed_though_one_subject_speaks_faintly_against():
    assert [subjects_needed(look) for look in (1, 2, 3, 50)] == [6, 8, 10, 19]
    title = Title(looks=Title(challenger=challenger()).look("1", "", better(SUBJECTS[:6], -1.0), 2).looks).nominate(challenger(1))
    assert not title.is_due(SUBJECTS)
    assert title.is_due((*SUBJECTS, "21", "22"))


def test_only_subjects_that_its_search_has_not_seen_speak_for_a_challenger():
    assert challenger().unseen((*SUBJECTS, "21")) == (*SUBJECTS[:6], "21")
    assert len(challenger().unseen([f"{number:03d}" for number in range(100)])) == 32


def test_a_challenger_that_is_better_wins_and_a_new_count_begins_with_the_new_champion():
    title = Title(kept=SUBJECTS[:6], searched=SUBJECTS[6:]).nominate(challenger())
    assert title.is_due(SUBJECTS)
    won = title.look("1", "", better(SUBJECTS[:6]), 2)
    assert (won.looks[-1].promoted, won.looks[-1].p, won.looks[-1].level) == (True, 1 / 64, 2 / 64)
    assert won.challenger is not None, "the promotion is carried out with it, be it another night"
    again = won.held_by("1")
    assert (again.looks, again.challenger, again.kept, again.searched) == ((), None, won.kept, won.searched)
    assert again.held_by("1") == again


def test_one_that_is_no_better_is_dropped_and_does_not_come_again():
    lost = Title().nominate(challenger()).look("1", "", better(SUBJECTS[:6], -1.0), 2)
    assert (lost.looks[-1].promoted, lost.challenger) == (False, None)
    assert lost.nominate(challenger()).challenger is None
    assert lost.nominate(challenger(1)).challenger == challenger(1)


def test_one_that_may_be_better_is_looked_at_again_with_half_as_many_subjects_more():
    title = Title().nominate(challenger())
    unsure = title.look("1", "", {**better(SUBJECTS[:4]), SUBJECTS[4]: -0.5, SUBJECTS[5]: -1.0}, 2)
    assert not unsure.looks[-1].promoted
    assert (unsure.challenger.looked_at, unsure.needed) == (6, 9)
    assert unsure.nominate(challenger(1)) == unsure, "whoever was looked at stays until it is decided"


def test_a_better_trial_of_the_same_search_takes_the_place_of_one_that_waits():
    title = Title().nominate(challenger())
    assert title.nominate(challenger(1)).challenger.trial == 1
    assert title.nominate(challenger(1, study="of a grown dataset")).challenger.trial == 0


def test_a_title_is_found_as_it_was_left(tmp_path):
    store = str(tmp_path)
    assert read_title(store, "model") == Title()
    title = Title(champion="3", kept=SUBJECTS[:6]).nominate(challenger()).look("2026-03-01", "", better(SUBJECTS[:6]), 2)
    write_title(store, "model", title)
    assert read_title(store, "model") == title
    write_json(f"{store}/titles/model.json", {"of_another": "version"})
    with pytest.raises(UserError, match=r"titles/model\.json: is no title"):
        read_title(store, "model")


@pytest.mark.parametrize(("n", "kept"), [(8, 0), (9, 6), (12, 7), (16, 8), (40, 16)])
def test_half_of_the_subjects_are_kept_if_that_is_enough_to_decide(n, kept):
    subjects = [f"{number:02d}" for number in range(n)]
    assert len(keep_apart(Title(), subjects, 3, seed=0)) == kept


def test_who_was_kept_stays_and_who_was_searched_is_never_kept():
    subjects = [f"{number:02d}" for number in range(60)]
    title = Title()
    for n in range(9, 60):
        kept = keep_apart(title, subjects[:n], 3, seed=n)
        assert set(title.kept) <= set(kept)
        assert not set(kept) & set(title.searched)
        searched = set(title.searched) | set(subjects[:n]) - set(kept)
        title = title.model_copy(update={"kept": kept, "searched": tuple(sorted(searched))})
    assert len(title.kept) == 16


def test_a_subject_that_was_searched_on_cannot_be_named_to_be_kept():
    title = Title(searched=("01", "02"))
    assert check_kept(title, ("01", "02", "03", "04"), ("03", "04")) == ("03", "04")
    with pytest.raises(UserError, match=r"confirmation_subjects: subject '02' was searched on"):
        check_kept(title, ("01", "02", "03"), ("02", "03"))
    with pytest.raises(UserError, match=r"confirmation_subjects: subject '09' is not in the dataset"):
        check_kept(title, ("01", "02", "03"), ("09",))


def test_a_look_errs_no_more_often_than_its_level_says():
    rng, reached = np.random.default_rng(0), 0
    for _ in range(1500):
        values = dict(zip(SUBJECTS[:6], rng.standard_t(3, 6).tolist(), strict=True))
        reached += Title(challenger=challenger()).look("1", "", values, 2).looks[-1].promoted
    assert reached <= 1500 * 2 / 64 + 3 * np.sqrt(1500 * 2 / 64)


def test_no_look_is_spent_on_a_lead_that_none_could_confirm():
    first = Title(kept=SUBJECTS[:6]).least_lead
    assert 0.6 < first < 0.75
    assert Title(kept=SUBJECTS[:16]).least_lead < first
