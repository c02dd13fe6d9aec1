"""How often nights promote by chance in a year, and how soon they promote what is better: simulated, by the rules that nights follow.

Every night some trials are searched on the development subjects, and half of them are pruned by an early score. A trial differs from the
champion, subject by subject, by its gain and by noise of standard deviation 1: half of its variance is the champion's own luck with a
subject, which all trials meet, and .24 is what development subjects of one fold share. Subjects that are kept, and those who join, have a
fold each.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from scipy import stats

from crossmodal.nightly.division import keep_apart
from crossmodal.nightly.title import Challenger, Title

_LUCK, _FOLD, _FOLDS = 0.5, 0.24, 5
_PROTOCOL = 2


@dataclass(frozen=True)
class Year:
    """What happens in a year.

    Attributes
    ----------
    subjects : int
        At its beginning; a quarter is locked for the test.
    joining : float
        Subjects a night.
    recordings : bool
        Whether each night has new recordings, which begin a new search, be it of known subjects.
    gain : float
        Of one trial a night over the first champion, in standard deviations of paired differences, from night `better_from` on.
    """

    nights: int = 365
    subjects: int = 16
    joining: float = 1.0
    recordings: bool = True
    trials: int = 6
    gain: float = 0.0
    better_from: int = 0


def promotions(year: Year, rng: np.random.Generator) -> Iterator[tuple[int, bool]]:
    """Walk through a year; yield the night of each promotion, and whether the promoted trial is the better one."""
    title, study, lead = Title(), 0, 0.0
    luck_n = rng.standard_normal(year.subjects + int(year.nights * year.joining))
    for night in range(year.nights):
        subjects = _subjects(year, night)
        kept, champion = keep_apart(title, subjects, 3, seed=0), title.champion
        development = tuple(sorted(set(subjects) - set(kept)))
        if year.recordings or development != title.searched:
            study, lead = night, 0.0
        title = title.model_copy(update={"kept": kept, "searched": development})
        is_better = year.gain > 0 and night >= year.better_from and not champion
        lead_k = _leads(year.trials, luck_n[[int(subject) for subject in development]], rng)
        lead_k[0] += year.gain * is_better
        winner = _best_survivor(lead_k, rng)
        if lead_k[winner] > lead and lead_k[winner] >= title.least_lead:
            lead = lead_k[winner]
            better = is_better and winner == 0
            title = title.nominate(_challenger(f"{champion}/{study}", "better" if better else f"{champion}/{night}", development))
        if title.is_due(subjects):
            title = _look(title, year, subjects, luck_n, rng)
            if title.looks[-1].promoted:
                yield night, title.looks[-1].overrides["trial"] == "better"
                title, lead = title.held_by(f"{champion}I"), 0.0
                luck_n = rng.standard_normal(len(luck_n))


def _subjects(year: Year, night: int) -> list[str]:
    return [f"{number:04d}" for number in range(year.subjects - year.subjects // 4 + int(night * year.joining))]


def _leads(trials: int, luck_n: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean over development subjects of what each trial has over the champion where it has nothing."""
    n = len(luck_n)
    fold_kn = rng.standard_normal((trials, _FOLDS))[:, np.arange(n) % _FOLDS]
    noise_kn = np.sqrt(_FOLD) * fold_kn + np.sqrt(1 - _LUCK - _FOLD) * rng.standard_normal((trials, n))
    return np.asarray((np.sqrt(_LUCK) * luck_n + noise_kn).mean(axis=1))


def _best_survivor(lead_k: NDArray[np.float64], rng: np.random.Generator) -> int:
    """The best trial of the half that pruning leaves, by an early score that halfway agrees with the last."""
    early_k = lead_k + lead_k.std() * rng.standard_normal(len(lead_k))
    survivors = np.argsort(early_k)[len(lead_k) // 2 :]
    return int(survivors[np.argmax(lead_k[survivors])])


def _challenger(study: str, trial: str, seen: tuple[str, ...]) -> Challenger:
    return Challenger.model_construct(
        study=study,
        trial=0,
        overrides={"trial": trial},
        night="",
        seen=seen,
        dataset="",
        folds="",
        scores={},
        protocol=_PROTOCOL,
        looked_at=0,
    )


def _look(title: Title, year: Year, subjects: list[str], luck_n: NDArray[np.float64], rng: np.random.Generator) -> Title:
    assert title.challenger
    unseen = title.challenger.unseen(subjects)
    gain = year.gain * (title.challenger.overrides["trial"] == "better")
    noise_n = np.sqrt(_LUCK) * luck_n[[int(subject) for subject in unseen]] + np.sqrt(1 - _LUCK) * rng.standard_normal(len(unseen))
    return title.look("", "", dict(zip(unseen, (gain + noise_n).tolist(), strict=True)), _PROTOCOL)


def false_promotions(year: Year, years: int, seed: int = 0) -> int:
    """How many promotions of what is no better there are in so many years."""
    return sum(not better for number in range(years) for _, better in promotions(year, np.random.default_rng([seed, number])))


def promoted_in_time(year: Year, years: int, within: int = 30, seed: int = 0) -> int:
    """In how many years the better trial is promoted within so many nights of its first."""
    year = replace(year, nights=year.better_from + within)
    return sum(any(better for _, better in promotions(year, np.random.default_rng([seed, number]))) for number in range(years))


def main() -> None:
    """Print false promotions a year, and how often what is better is promoted, for datasets that grow and that do not."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--years", type=int, default=1000)
    years, console = parser.parse_args().years, Console()
    kinds = {
        "16 subjects, one joins each night": Year(),
        "16 subjects, one joins each week": Year(joining=1 / 7),
        "16 subjects, new recordings of the same ones each night": Year(joining=0),
        "16 subjects, nothing is ever added": Year(joining=0, recordings=False),
        "44 subjects, nothing is ever added": Year(subjects=44, joining=0, recordings=False),
    }
    for name, year in kinds.items():
        wrong = false_promotions(year, years)
        most = stats.chi2.ppf(0.95, 2 * (wrong + 1)) / 2 / years
        console.print(f"{name}: {wrong / years:.3f} false promotions a year (95 % sure: at most {most:.3f})")
        for since in (0, 100):
            found = promoted_in_time(replace(year, gain=1.5, better_from=since), years)
            console.print(f"  better by 1.5 sd from night {since} on: promoted within 30 nights in {found / years:.1%} of years")


if __name__ == "__main__":
    main()
