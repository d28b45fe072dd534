"""A sync of people killed at any step leaves nothing that the next day's run does not make good (issue 3 §3.5.4).

The day is played, and taken back, with the sync killed on the way; a day later Canvas has of people what it has when
nobody was killed: no row twice, and none lost.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.harness import connections
from tests.scenarios.college import PAGE_KEY
from tests.scenarios.killing import Job, killed_at
from tests.scenarios.people_day import PEOPLE, PeopleDay, people_day, people_in_canvas

SEED = 3


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeopleDay]:
    with people_day(tmp_path_factory.mktemp("day")) as there:
        yield there


@pytest.fixture(scope="module")
def steps(day: PeopleDay) -> list[str]:
    """The steps of a run on the day, in an order that a seed shuffled."""
    day.change(on=True)
    steps = killed_at(job(day), None) or []
    assert people_in_canvas(day.college) == day.found[True]
    assert {step for step in steps if "commit" not in step} >= {"before import 1", "after import 1"}
    return random.Random(SEED).sample(steps, len(steps))


def job(day: PeopleDay) -> Job:
    one, folder = day.college, day.folder
    there = connections(one.sandbox.url, one.harness.institution)
    return Job(f"sqlite:///{folder}/store.db", f"{folder}/pages", PAGE_KEY, there, one.clock(), settings=PEOPLE)


def live_through(day: PeopleDay, at: str) -> None:
    """The sync of the day is killed at a step; a day later all is as if it had not been."""
    assert day.play(on=False) == day.found[False]
    day.change(on=True)

    assert killed_at(job(day), at) is None, "nobody was killed"
    assert people_in_canvas(day.college).active >= day.lasting
    day.college.harness.run(days_later=1)

    assert people_in_canvas(day.college) == day.found[True]
    assert day.college.harness.run().changes == 0


@pytest.mark.parametrize("which", range(5))
def test_a_killed_sync_of_people_is_made_good_by_the_next(day: PeopleDay, steps: list[str], which: int) -> None:
    live_through(day, steps[which])


@pytest.mark.soak
@pytest.mark.parametrize("which", range(20))
def test_a_sync_of_people_may_be_killed_anywhere(day: PeopleDay, steps: list[str], which: int) -> None:
    live_through(day, steps[which % len(steps)])
