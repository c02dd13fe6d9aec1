"""A title: who challenges its champion, on which subjects that is decided, and how often chance may take it.

A search picks what looks best on the subjects that it sees, so that its lead there proves nothing, however it is corrected: trials were
pruned, each one was drawn in the light of those before, and every night looks again. A challenger is therefore judged on subjects that
were no part of the search that found it: those kept apart for the title, and those who joined since. How many trials there were does not
matter then. What remains is how often the title's subjects are looked at, and each look spends a part of one error rate.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import ValidationError

from crossmodal.config import Config, UserError
from crossmodal.evaluation.statistics import EXACT_ALONE_UP_TO, LEAST_SUBJECTS, detectable_sd, sign_flip_p
from crossmodal.storage.uri import exists, join, read_json, write_json
from crossmodal.tuning.space import trial_name

# Of the error rate of a reign, what its first look spends: two of the 64 sign patterns of six subjects. The rest is spread over all later
# ones. Both together are .0475, so that a year in which nothing is better sees .0475 + .0475^2 + ... < .05 false promotions.
_FIRST, _LATER = 2 / 64, 0.01625
_GROWTH = 1.5  # a challenger is looked at again when so many times as many subjects can speak
# Of the effect that a look finds in four of five cases: no look is spent on a trial that leads by less where it was searched.
_LEAST_LEAD = 0.5
_HOPELESS_P = 0.2  # one whose look ends above this is dropped


def level_of(look: int) -> float:
    """The p value that a look must reach, the first one since the champion was promoted being 1; all looks together have .0475.

    The levels sum to the error rate (Bonferroni), so that it holds over however many looks, datasets and searches: 1 / (2 * 1),
    1 / (3 * 2), ... sum to one.
    """
    return _FIRST if look == 1 else _LATER / (look * (look - 1))


def subjects_needed(look: int) -> int:
    """With how many subjects a look can succeed though one of them speaks faintly against it: two sign patterns are within its level."""
    return max(LEAST_SUBJECTS, math.ceil(math.log2(2 / level_of(look))))


class Challenger(Config):
    """A trial that was best where it was searched.

    Attributes
    ----------
    study, trial : str, int
        Its search.
    overrides : dict of str to any
        What its search varied.
    night : str
        Which nominated it.
    seen : tuple of str
        Development subjects of its search.
    dataset, folds, scores, protocol :
        As of `Champion`: its cross-validation over those.
    looked_at : int
        How many subjects were looked at last.
    """

    study: str
    trial: int
    overrides: dict[str, Any]
    night: str
    seen: tuple[str, ...]
    dataset: str
    folds: str
    scores: dict[str, dict[str, float]]
    protocol: int
    looked_at: int = 0

    @property
    def name(self) -> str:
        """What sentences call the trial."""
        return trial_name(self.trial, self.overrides)

    def unseen(self, subjects: Sequence[str]) -> tuple[str, ...]:
        """Subjects that its search has not seen; 32 are enough."""
        seen = set(self.seen)
        return tuple(subject for subject in subjects if subject not in seen)[:EXACT_ALONE_UP_TO]


class Look(Config):
    """One look at a challenger on subjects that its search has not seen.

    Attributes
    ----------
    foreseen : str
        What was said before the night that it could see.
    differences : dict of str to float
        By subject, the score of the challenger minus the champion's.
    p, level : float
        One-sided sign-flip p, and what it had to reach.
    protocol : int
        The version that they were scored under.
    """

    night: str
    overrides: dict[str, Any]
    foreseen: str
    differences: dict[str, float]
    p: float
    level: float
    promoted: bool
    protocol: int


class Title(Config):
    """What is kept of a title from night to night.

    Attributes
    ----------
    champion : str
        The version that holds it; empty while there is none.
    test, kept : tuple of str
        Subjects locked for the test, and subjects that no search sees.
    searched : tuple of str
        All that any search of this title has seen.
    looks : tuple of Look
        Since the champion was promoted, the first one first.
    """

    champion: str = ""
    test: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    challenger: Challenger | None = None
    looks: tuple[Look, ...] = ()

    @property
    def next_level(self) -> float:
        """The p value that the next look must reach."""
        return level_of(len(self.looks) + 1)

    @property
    def needed(self) -> int:
        """How many unseen subjects the next look waits for."""
        known = self.challenger.looked_at if self.challenger else 0
        return max(subjects_needed(len(self.looks) + 1), math.ceil(_GROWTH * known))

    def is_due(self, subjects: Sequence[str]) -> bool:
        """Whether enough subjects can speak for the challenger to be looked at."""
        return self.challenger is not None and len(self.challenger.unseen(subjects)) >= self.needed

    def held_by(self, champion: str) -> Self:
        """The title in the hands of a version; with another one than before a new count of looks begins."""
        return self if champion == self.champion else self.model_copy(update={"champion": champion, "challenger": None, "looks": ()})

    @property
    def least_lead(self) -> float:
        """By how many standard deviations of paired differences a trial has to lead on development subjects to become challenger."""
        return _LEAST_LEAD * detectable_sd(max(len(self.kept), subjects_needed(len(self.looks) + 1)), self.next_level)

    def nominate(self, best: Challenger) -> Self:
        """Let a search's best trial, which leads the champion there, challenge it.

        Where there is a challenger already, it stays, unless the new one is of the same search and so has outdone it, and nobody has
        looked yet. What was looked at and dropped does not come again.
        """
        current = self.challenger
        outdone = current is None or (current.study == best.study and current.looked_at == 0)
        if not outdone or any(look.overrides == best.overrides for look in self.looks):
            return self
        return self if current and current.overrides == best.overrides else self.model_copy(update={"challenger": best})

    def look(self, night: str, foreseen: str, differences: Mapping[str, float], protocol: int) -> Self:
        """Judge the challenger by its unseen subjects, and count the look; the last of `looks` says whether it won."""
        assert self.challenger, "there is whom to look at"
        p, level, n = sign_flip_p(list(differences.values())), self.next_level, len(differences)
        promoted = p <= level
        look = Look(
            night=night,
            overrides=self.challenger.overrides,
            foreseen=foreseen,
            differences=dict(differences),
            p=p,
            level=level,
            promoted=promoted,
            protocol=protocol,
        )
        stays = promoted or (p <= _HOPELESS_P and math.ceil(_GROWTH * n) <= EXACT_ALONE_UP_TO)
        challenger = self.challenger.model_copy(update={"looked_at": n}) if stays else None
        return self.model_copy(update={"looks": (*self.looks, look), "challenger": challenger})


def read_title(store: str, name: str) -> Title:
    """Read what is known of a title.

    Raises
    ------
    UserError
        Something else lies in its place.
    """
    uri = _uri(store, name)
    try:
        return Title.model_validate(read_json(uri)) if exists(uri) else Title()
    except ValidationError:
        raise UserError(f"{uri}: is no title that this version reads; move it away, and the count of looks begins anew") from None


def write_title(store: str, name: str, title: Title) -> None:
    """Keep what is known of a title."""
    write_json(_uri(store, name), title.model_dump(mode="json"))


def _uri(store: str, name: str) -> str:
    return join(store, "titles", f"{name}.json")
