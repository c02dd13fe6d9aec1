"""What is said of a title, before a night and after it."""

import numpy as np
import pytest

from crossmodal.nightly.title import Challenger, Title
from crossmodal.nightly.verdict import foresee, lead_of, no_look, verdict_of

SUBJECTS = tuple(f"{number:02d}" for number in range(1, 13))
KEPT, SEARCHED, TEST = SUBJECTS[:6], SUBJECTS[6:], ("13", "14", "15", "16")
CHALLENGER = Challenger(
    study="study", trial=3, overrides={}, night="2026-03-01", seen=SEARCHED, dataset="d", folds="f", scores={}, protocol=2
)
TITLE = Title(champion="1", kept=KEPT, searched=SEARCHED, challenger=CHALLENGER)
HOLDER = "the champion, version 1,"


def scores(values):
    return {f"{number:02d}": float(value) for number, value in enumerate(values)}


def each(mapping):
    return [[subject] for subject in mapping]


def test_a_look_is_told_with_what_it_needed():
    won = TITLE.look("2026-03-02", "", dict.fromkeys(KEPT, 0.03), 2)
    verdict = verdict_of(won, HOLDER, "explained variance")
    assert (verdict.promote, verdict.n, verdict.p, verdict.gain) == (True, 6, 1 / 64, pytest.approx(0.03))
    assert verdict.sentence == (
        "Promoted: +0.030 explained variance against the champion, version 1, on 6 subjects that its search has not seen "
        "(sign-flip p = 0.016, needed 0.031 at look 1)."
    )
    lost = verdict_of(TITLE.look("2026-03-02", "", dict.fromkeys(KEPT, -0.03), 2), HOLDER, "explained variance")
    assert not lost.promote
    assert lost.sentence.endswith("the challenger is dropped.")
    unsure = verdict_of(
        TITLE.look("2026-03-02", "", dict(zip(KEPT, (3, 3, 3, 3, -1, -2), strict=True)), 2),
        HOLDER,
        "explained variance",
    )
    assert "the challenger stays, and is looked at again with 9 unseen subjects" in unsure.sentence


def test_before_a_night_it_is_said_what_it_can_see():
    told = foresee(TITLE, SUBJECTS, TEST)
    assert told.startswith("6 development subjects, 6 kept for the title, 4 for the test.")
    assert "With fewer than 12 development subjects" in told
    assert "on 6 unseen subjects, finds in four of five cases a challenger that is better by 1.4 standard deviations" in told
    many = tuple(f"{number:02d}" for number in range(40))
    assert "fewer than 12" not in foresee(Title(kept=many[:16]), many, TEST)


def test_before_a_night_that_can_see_nothing_it_is_said_that_none_can():
    told = foresee(Title(), SUBJECTS[:5], ("13",))
    assert "No lead, however large, can win the title tonight: look 1 needs 6 unseen subjects, and there are 0; 6 more must join." in told
    second = TITLE.look("2026-03-02", "", dict.fromkeys(KEPT, -0.03), 2)
    assert "look 2 needs 8 unseen subjects, and there are 6; 2 more must join" in foresee(second, SUBJECTS, TEST)


def test_the_lead_counts_all_trials_that_were_looked_at_and_flips_folds():
    rng = np.random.default_rng(0)
    champion = scores(np.full(12, 0.5))
    winner, other = (scores(0.5 + rng.normal(0.05, 0.05, 12)) for _ in range(2))
    alone = lead_of(winner, [], champion, each(champion), pruned=0)
    assert (alone.n, alone.trials) == (12, 1)
    pruned = lead_of(winner, [other], champion, each(champion), pruned=7)
    assert pruned.trials == 9
    assert pruned.p >= 8 * alone.p
    assert "for the best of 9 trials, 7 of them pruned" in str(pruned)
    subjects = list(champion)
    folds = [subjects[first::3] for first in range(3)]
    assert lead_of(winner, [], champion, folds, pruned=0).p == 1 / 8, "three folds have eight patterns of signs"


def test_pruned_trials_do_not_make_chance_look_like_a_lead():
    """Half of the trials are pruned by the very scores that pick the winner: with nothing to find, p must not be small too often."""
    rng, champion, small = np.random.default_rng(1), scores(np.full(8, 0.5)), 0
    n_nights = 300
    for _ in range(n_nights):
        trials = sorted((scores(0.5 + 0.02 * rng.standard_normal(8)) for _ in range(8)), key=lambda trial: -sum(trial.values()))
        small += lead_of(trials[0], trials[1:4], champion, each(champion), pruned=4).p <= 0.05
    assert small <= 0.05 * n_nights + 3 * np.sqrt(0.05 * 0.95 * n_nights)


def test_subjects_who_share_the_luck_of_a_network_count_as_one():
    rng, champion = np.random.default_rng(2), scores(np.zeros(12))
    folds = [list(champion)[first::6] for first in range(6)]
    by_folds = by_subjects = 0
    n_nights = 400
    for _ in range(n_nights):
        luck = {subject: np.sqrt(0.6) * value for fold, value in zip(folds, rng.standard_normal(6), strict=True) for subject in fold}
        winner = {subject: luck[subject] + np.sqrt(0.4) * rng.standard_normal() for subject in champion}
        by_folds += lead_of(winner, [], champion, folds, pruned=0).p <= 0.05
        by_subjects += lead_of(winner, [], champion, each(champion), pruned=0).p <= 0.05
    assert by_folds <= 0.05 * n_nights + 3 * np.sqrt(0.05 * 0.95 * n_nights)
    assert by_subjects > 1.5 * by_folds


def test_a_night_without_a_look_says_why():
    champion = scores(np.full(6, 0.5))
    lead = lead_of(scores(np.full(6, 0.4)), [], champion, each(champion), pruned=0)
    assert no_look(Title(), SUBJECTS, HOLDER, lead).sentence.startswith("Kept: the champion, version 1, holds the title")
    waits = no_look(TITLE.look("1", "", dict(zip(KEPT, (3, 3, 3, 3, -1, -2), strict=True)), 2), SUBJECTS, HOLDER, lead)
    assert "trial 3 of 'study' challenges the champion, version 1, since 2026-03-01, and waits for 9 subjects" in waits.sentence
    assert "there are 6" in waits.sentence
