import re
from html.parser import HTMLParser

import pytest

from crossmodal.reporting.digest import Digest, Failure, ModelRow, Standing, SubjectBoard, SubjectRow, to_html

TASK = "EEG → MEG, magnetometers"


def standing(name, role, mean, half=0.02):
    return Standing(name=name, role=role, mean=mean, low=mean - half, high=mean + half, n=8)


@pytest.fixture
def digest():
    rows = tuple(
        SubjectRow(subject=str(number), values=(0.65 + number / 100, 0.66, 0.6, None if number == 3 else 0.75)) for number in range(8)
    )
    return Digest(
        name="nightly",
        date="2026-11-21",
        finished="2026-11-22T05:12:00+00:00",
        state="promoted",
        verdict="Promoted: +0.021 explained variance against the champion on 8 development subjects.",
        changes=("2 recordings were added", "12 trials were run, 36 in all"),
        leaderboards={
            TASK: (
                standing("lagged ridge 100 ms", "baseline", 0.64),
                standing("trial 31", "winner", 0.685),
                standing("trial 7 (version 3)", "champion", 0.664),
                standing("oracle", "ceiling", 0.75, 0.01),
                Standing(name="training mean", role="baseline", mean=0.0, low=None, high=None, n=8),
            )
        },
        boards={TASK: SubjectBoard(columns=("trial 31", "champion", "lagged ridge", "oracle"), against_champion=True, rows=rows)},
        models=(
            ModelRow(model="aim", best=standing("trial 31, aim: AIM", "winner", 0.685), trials="3 finished, 1 pruned"),
            ModelRow(model="synaptech_net", best=None, trials="2 failed"),
        ),
        test=(standing("trial 31", "winner", 0.67),),
        openings=("2026-11-20 nightly-a: promotion", "2026-11-21 nightly-b: promotion"),
        failures=(Failure(what="sub-05 run 01", cause="no <events> & no markers"), Failure(what="trial 9", cause="the loss exploded")),
        cost={"core-hours": "3.20", "of them in pruned trials": "31 %", "budget": "2.00 h, spent 1.97 h"},
        links={"MLflow": "http://mlflow:5000/#/experiments/1", "scores": "s3://bucket/scores"},
    )


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.links = [], [], []
        self.feed(text)
        assert self.open == [], "all elements are closed"

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_all_of_a_night_is_told(digest):
    text = to_html(digest)
    page = Page(text)
    told = " ".join(page.texts)
    for expected in ("Promoted: +0.021", "2 recordings", "no <events> & no markers", "the loss exploded", "opened 2 times", "31 %"):
        assert expected in told
    assert "no &lt;events&gt; &amp; no markers" in text
    assert "0.685 [0.665, 0.705]" in told
    board = " ".join(told.split("Models: the best trial of each")[1].split("Subjects: ")[0].split()).partition(" trials so far ")[2]
    assert board == "aim trial 31, aim: AIM 0.685 [0.665, 0.705] 8 3 finished, 1 pruned synaptech_net - - - 2 failed"
    assert page.links == ["http://mlflow:5000/#/experiments/1"], "nothing is loaded"
    assert "s3://bucket/scores" in told


def test_leaders_come_first_and_changes_have_their_sign(digest):
    text = to_html(digest)
    names = re.findall(r"<tr><td>(?:<strong>)?([^<]+)", text.split("Leaderboard")[1].split("Models:")[0])
    assert names == ["oracle", "trial 31", "trial 7 (version 3)", "lagged ridge 100 ms", "training mean"]
    assert '<span class="worse">-0.010</span>' in text
    assert '<span class="better">+0.060</span>' in text


def test_a_night_that_failed_is_told(digest):
    failed = Digest(name="nightly", date="2026-11-21", finished=digest.finished, state="failed", verdict="MLflow is away")
    told = " ".join(Page(to_html(failed)).texts)
    assert "MLflow is away" in told
    assert "opened 0 times" in told
