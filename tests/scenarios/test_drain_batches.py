"""Batches of a drain: the next is begun before the last ones are through, and nothing is taken of a key that is out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from rosterflow.domain.coursekey.queue import EntryKind, EntryState
from rosterflow.domain.coursekey.remote import Course
from rosterflow.hooks.coursekey import CourseKeyHook
from tests.harness import Clock
from tests.scenarios.drain_ground import EMPTY, KEYS, Ground, ground, no_waiting, sandbox_of

NOON = datetime(2026, 9, 1, 16, tzinfo=UTC)
STUDENTS = 120


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Ground]:
    clock = Clock(NOON)
    with sandbox_of(EMPTY, clock) as sandbox, ground(sandbox, tmp_path, clock) as one:
        yield one


class Watched(CourseKeyHook):
    """Notes how many enroll at once, in a course and in all of them."""

    now: Counter[str] = Counter()
    most_in_one = most_in_all = 0

    async def enroll(self, school: str, course: Course, email: str) -> None:
        self.now[course.id] += 1
        Watched.most_in_one = max(Watched.most_in_one, self.now[course.id])
        Watched.most_in_all = max(Watched.most_in_all, self.now.total())
        await asyncio.sleep(0.02)
        await super().enroll(school, course, email)
        self.now[course.id] -= 1


def watched(town: Ground) -> None:
    base = town.college.coursekey.base_url
    town.hooks = lambda name: Watched(name, base_url=base, timeout=httpx.Timeout(5), sleep=no_waiting)


def test_sections_of_several_batches_are_worked_on_side_by_side_and_each_one_by_one(town: Ground) -> None:
    students = [town.person(2001 + number) for number in range(3)]
    for number in range(8):
        town.register(town.section(f"MTH{number}/1"), *students)
    town.collect()
    town.drain()
    with town.store.begin() as connection:
        connection.exec_driver_sql("delete from coursekey_map where kind = 'enrollment'")
    keys = [one.entity for one in town.entries() if one.entity.kind is EntryKind.ENROLLMENT]
    town.queue(*sorted(keys))
    watched(town)

    drained = town.drain(batch=3)

    assert drained.batches == [Counter({EntryState.DONE: 3})] * 8
    assert Watched.most_in_one == 1
    assert Watched.most_in_all >= 4


def test_the_backlog_of_a_key_that_is_out_is_left_alone(town: Ground) -> None:
    west = town.section("MTH101/5", "WEST")
    town.register(west, *(town.person(3001 + number) for number in range(STUDENTS)))
    town.collect()
    collected_at = town.clock()
    main = town.section("MTH101/4")
    town.register(main, town.person(2001))
    town.clock.forward(minutes=1)
    town.collect()
    town.configure(refused_keys=[KEYS[1]])
    town.clock.forward(minutes=1)

    drained = town.drain(batch=5)

    assert list(drained.unusable) == ["1-3"]
    assert {one["schoolID"] for one in town.there()["courses"]} == {"548156"}
    waiting = [one for one in town.entries(EntryState.PENDING) if one.entity.kind is EntryKind.ENROLLMENT]
    assert len(waiting) == STUDENTS
    assert {one.attempts for one in waiting} == {0}
    assert sum(one.changed_at == collected_at for one in waiting) > STUDENTS / 2
