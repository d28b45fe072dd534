from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine

from rosterflow.domain.coursekey.campus import Reading, Resource
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent
from rosterflow.domain.coursekey.rules import verdict
from rosterflow.store import campus, coursekey_maps, queue
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.store.engine import Store
from rosterflow.store.queue import Request
from tests.cli.conftest import Shell
from tests.domain.coursekey.builders import (
    FALL,
    KEY,
    REGISTERED,
    SECTION,
    STUDENT,
    TEACHER,
    TEACHING,
    Known,
    college,
    raw_college,
)
from tests.installed import installed

NOW = datetime(2026, 2, 25, 12, tzinfo=UTC)
"""The course's window has opened, that of its enrollments has not."""

ENROLLMENT = Entity(EntryKind.ENROLLMENT, *KEY, person="2001")
READINGS = (
    Reading(Resource.SEMESTERS, (FALL,)),
    Reading(Resource.SECTIONS, (SECTION,)),
    Reading(Resource.PERSONS, (STUDENT, TEACHER)),
    Reading(Resource.STAFF, (TEACHING,)),
    Reading(Resource.REGISTRATIONS, (REGISTERED,)),
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A college whose course is in CourseKey and whose student waits in the queue."""
    said = verdict(ENROLLMENT, Intent.UPSERT, college(), Known(FALL, SECTION, STUDENT, REGISTERED), NOW.date())
    with installed(tmp_path, monkeypatch, raw_college()) as here:
        with here.store.begin() as connection:
            for reading in READINGS:
                campus.apply(connection, "college", reading, NOW)
            course = Mapped(MapKey(MapKind.COURSE, "548156", KEY), "c1", "print", True, "ckabcde")
            coursekey_maps.put(connection, "college", [course], NOW)
            queue.put(connection, "college", "CC_CKY", [Request(ENROLLMENT, Intent.UPSERT, said)], NOW)
        yield here.store


@time_machine.travel(NOW, tick=False)
def test_a_section_is_explained_by_its_course_and_its_sessions(shell: Shell) -> None:
    told = shell.json("coursekey", "explain", "202610/MTH101/4")

    assert [(row["about"], row["in_coursekey"], row["now"], row["rule"]) for row in told] == [
        ("course", "Y", "PENDING", "due"),
        ("sessions", "N", "PENDING", "due"),
    ]


@time_machine.travel(NOW, tick=False)
def test_a_student_is_explained_by_the_queue_and_by_the_rule_that_decides_now(shell: Shell) -> None:
    assert shell.json("coursekey", "explain", "202610/MTH101/4", "--person", "2001") == [
        {
            "about": "enrollment",
            "person": "2001",
            "in_coursekey": "N",
            "queue": f"{EntryState.DEFERRED} to upsert: It waits until its window opens on 2026-03-02.",
            "now": "DEFERRED",
            "rule": "before-window",
            "reason": "It waits until its window opens on 2026-03-02.",
            "opens_on": "2026-03-02",
            "facts": {},
        }
    ]


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("person", "expected"),
    [("1002", [("staff", "PENDING", "due")]), ("4711", [("enrollment", "SKIPPED", "not-registered")])],
)
def test_staff_are_explained_as_staff_and_a_stranger_as_no_student(
    shell: Shell, person: str, expected: list[tuple[str, str, str]]
) -> None:
    told = shell.json("coursekey", "explain", "202610/MTH101/4", "--person", person)

    assert [(row["about"], row["now"], row["rule"]) for row in told] == expected


def test_what_is_no_section_is_told_how_to_write_one(shell: Shell) -> None:
    shell("coursekey", "explain", "MTH101")

    assert (shell.code, shell.error) == (1, "'MTH101' is no section; write one like 202610/MTH101/4.\n")
