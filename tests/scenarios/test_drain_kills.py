"""A drain of a thousand entries killed on its way: CourseKey ends as if nobody had been killed (issue 4 §4.5.3)."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rosterflow.domain.coursekey.queue import EntryState
from tests.harness import Clock
from tests.scenarios.drain_ground import EMPTY, Ground, connections, ground, sandbox_of
from tests.scenarios.drain_killing import Job, killed_at

NOON = datetime(2026, 9, 1, 16, tzinfo=UTC)
SEED = 4
SECTIONS, STUDENTS = 20, 60
WANTED = SECTIONS * 49
"""So many enrollments; with the courses, their staff and their (empty) sessions a thousand entries and more."""


@dataclass
class Thousand:
    """A thousand entries in the queue, and what CourseKey has when they are sent without a kill.

    :param steps: how many steps that took.
    """

    town: Ground
    folder: Path
    page_key: str
    there: dict[str, Any]
    steps: int
    queued: int

    def restore(self) -> None:
        """CourseKey is empty, and everything in the queue."""
        self.town.store.dispose()
        for path in self.folder.glob("store.db*"):
            path.unlink()
        shutil.copy(self.folder / "queued.db", self.folder / "store.db")
        self.town.sandbox.world.coursekey.__init__()  # type: ignore[misc]
        self.town.clock.moment = NOON

    def job(self, holder: str) -> Job:
        town = self.town
        there = connections(town.sandbox.url)
        return Job(town.sandbox.url, f"sqlite:///{self.folder}/store.db", self.page_key, there, town.clock(), holder)


@contextmanager
def a_thousand(folder: Path) -> Iterator[Thousand]:
    clock = Clock(NOON)
    with sandbox_of(EMPTY, clock) as sandbox, ground(sandbox, folder, clock) as town:
        fill(town)
        town.collect()
        queued = town.counts()[EntryState.PENDING]
        town.store.dispose()
        with town.store.begin() as connection:
            connection.exec_driver_sql("select 1")
        shutil.copy(folder / "store.db", folder / "queued.db")
        one = Thousand(town, folder, town.page_key, {}, 0, queued)
        one.restore()
        one.steps = killed_at(one.job("undisturbed"), None) or 0
        one.there = town.there()
        yield one


def fill(town: Ground) -> None:
    students = [town.person(2001 + number) for number in range(STUDENTS)]
    keys = [town.section(f"MTH{number}/1") for number in range(SECTIONS)]
    for number, key in enumerate(keys):
        town.teach(key, town.person(9001 + number % 5, firstName="Ted"), isPrimary=True)
        town.register(key, *students[: WANTED // SECTIONS])


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thousand]:
    with a_thousand(tmp_path_factory.mktemp("thousand")) as one:
        assert one.queued >= 1000
        assert len(one.there["courses"]) == SECTIONS
        assert sum(len(course["enrollments"]) for course in one.there["courses"]) == WANTED
        yield one


def as_if_nothing_had_happened(thousand: Thousand) -> None:
    town = thousand.town
    town.clock.forward(minutes=11)
    town.drain()
    assert set(town.counts()) == {EntryState.DONE}
    assert town.there() == thousand.there
    assert {one["welcomeMails"] for one in town.there()["users"] if one["issuedID"]} == {1}
    town.forget_calls()
    assert town.run().batches == []
    assert town.calls() == {}


def test_a_drain_killed_five_times_on_its_way_ends_as_if_it_had_not_been(thousand: Thousand) -> None:
    thousand.restore()
    rng = random.Random(SEED)
    for number in range(5):
        at = rng.randrange(thousand.steps // 8)
        assert killed_at(thousand.job(f"killed {number}"), at) is None, "nobody was killed"
        thousand.town.clock.forward(minutes=11)

    as_if_nothing_had_happened(thousand)


@pytest.mark.soak
@pytest.mark.parametrize("which", range(20))
def test_a_drain_may_be_killed_anywhere(thousand: Thousand, which: int) -> None:
    thousand.restore()
    at = random.Random(SEED * 100 + which).randrange(thousand.steps)

    assert killed_at(thousand.job("killed"), at) is None, "nobody was killed"

    as_if_nothing_had_happened(thousand)
