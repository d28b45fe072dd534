"""The queue on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.store import history, queue
from tests.cli.conftest import Shell
from tests.domain.coursekey.builders import raw_college
from tests.installed import installed
from tests.scenarios.campus import (
    FALL,
    MINUTE,
    NOW,
    Campus,
    a_section,
    course,
    enrollment,
    person,
    section,
)

LATER = SectionKey("202610", "MTH199", "1")


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Campus]:
    """A college of which a section was collected; one of its two students has no e-mail."""
    with installed(tmp_path, monkeypatch, raw_college()) as here:
        made = Campus(here.store, here.college)
        a_section(made.registrar, 2)
        made.registrar.have(person("2001", email=""))
        made.collect()
        yield made


def test_the_unprocessed_entries_are_counted(one: Campus, shell: Shell) -> None:
    counted = {row["state"]: row["entries"] for row in shell.json("coursekey", "queue", "count")}

    assert counted == {"PENDING": 4, "DEFERRED": 0, "PROCESSING": 0, "DONE": 0, "SKIPPED": 0, "FAILED": 1}


def test_what_waits_is_listed_with_the_moment_from_which_on_it_is_sent(one: Campus, shell: Shell) -> None:
    one.registrar.have(section(LATER, first=FALL.last, last=FALL.last))
    one.collect(NOW + MINUTE)

    rows = shell.json("coursekey", "queue", "waiting")

    assert [(row["entity"], row["state"], row["due"]) for row in rows[-2:]] == [
        (f"course {LATER}", "DEFERRED", "2026-11-20T00:00:00-05:00"),
        (f"sessions {LATER}", "DEFERRED", "2026-11-20T00:00:00-05:00"),
    ]
    assert {row["state"] for row in rows[:-2]} == {"PENDING"}
    assert rows[-1]["reason"] == "It waits until its window opens on 2026-11-20."


def test_what_failed_is_listed_with_its_cause_and_remedy(one: Campus, shell: Shell) -> None:
    (row,) = shell.json("coursekey", "queue", "failed")

    assert (row["entity"], row["cause"]) == ("enrollment 202610/MTH101/4 2001", "email-missing")
    assert row["reason"] == "The person has no e-mail; enter one in Campus Cafe."


def test_enrollments_of_a_section_are_added(one: Campus, shell: Shell) -> None:
    one.drain()

    told = shell(
        *("coursekey", "queue", "add-enrollments", "202610", "--course", "MTH101", "--section", "4"),
        *("--reason", "They were missing"),
    )

    assert (shell.code, told) == (0, "1 section(s): 1 PENDING\n")
    assert one.entries()[enrollment("2000")].forced


def test_courses_of_a_semester_are_added(one: Campus, shell: Shell) -> None:
    one.drain()

    told = shell("coursekey", "queue", "add-courses", "202610", "--reason", "New titles")

    assert told == "1 section(s): 3 PENDING\n"
    assert one.entries()[course()].forced


def test_a_place_that_campus_cafe_does_not_have_is_an_error(one: Campus, shell: Shell) -> None:
    told = shell("coursekey", "queue", "add-courses", "209910", "--reason", "New titles")

    assert (shell.code, told) == (1, "0 section(s): nothing new\n")


def test_without_a_reason_nothing_is_added(one: Campus, shell: Shell) -> None:
    shell("coursekey", "queue", "add-courses", "202610", "--reason", " ")

    assert shell.code == 1
    assert "A reason is needed" in shell.error


def test_failed_entries_are_tried_again_and_it_is_audited(one: Campus, shell: Shell) -> None:
    told = shell("coursekey", "queue", "requeue", "--rule", "email-missing", "--reason", "Entered")

    assert told == "1 entries are tried again.\n"
    with one.store.begin() as connection:
        (act,) = history.acts(connection, "college")
    assert (act.act, act.reason, act.actor.endswith("(command line)")) == ("requeue", "Entered", True)


def test_the_history_of_a_section_and_of_a_person_is_shown(one: Campus, shell: Shell) -> None:
    of_section = shell.json("coursekey", "queue", "history", "--section", "202610/MTH101/4")
    of_person = shell.json("coursekey", "queue", "history", "--person", "2001")
    everything = shell.json("coursekey", "queue", "history", "--limit", "1")

    assert len(of_section) == 5
    assert [(row["state"], row["rule"], row["by"]) for row in of_person] == [
        ("FAILED", "email-missing", queue.COLLECTOR)
    ]
    assert len(everything) == 1


def test_a_section_that_is_none_is_refused(one: Campus, shell: Shell) -> None:
    shell("coursekey", "queue", "history", "--section", "MTH101")

    assert shell.code == 2
