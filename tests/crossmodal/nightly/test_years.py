"""Years of nights, simulated by the rules that nights follow; `python -m benchmarks.nights` simulates thousands of them."""

from dataclasses import replace

import pytest
from scipy import stats

from benchmarks.nights import Year, false_promotions, promoted_in_time

GROWING, FIXED = Year(), Year(joining=0)


@pytest.mark.parametrize("year", [GROWING, FIXED], ids=["subjects join each night", "recordings of the same subjects"])
def test_a_year_of_nights_promotes_what_is_no_better_in_one_of_twenty_at_most(year):
    years = 30
    assert false_promotions(year, years) <= stats.binom.ppf(0.999, years, 0.05)


@pytest.mark.parametrize("year", [GROWING, FIXED], ids=["subjects join each night", "recordings of the same subjects"])
def test_what_is_better_by_one_and_a_half_deviations_is_promoted_within_thirty_nights(year):
    years = 60
    assert promoted_in_time(replace(year, gain=1.5), years) >= stats.binom.ppf(0.01, years, 0.8)


def test_so_it_is_after_a_hundred_nights_in_vain_where_subjects_join():
    years = 30
    assert promoted_in_time(replace(GROWING, gain=1.5, better_from=100), years) >= stats.binom.ppf(0.01, years, 0.8)
