"""What a person reads before deciding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rosterflow.domain.model import Kind
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.rosters import STANDINGS, Place, Roster
from rosterflow.store import approvals, plans
from rosterflow.sync.describing import SHOWN, Description, describe
from tests.sync.desk import COURSE, HOME, NOW, OTHER, SECTION, TERM, UNIT, Desk, close, create, desk


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        yield one


def asked(at: Desk, *changes: object, two_person: bool = False) -> Description:
    with at.store.begin() as connection:
        plan = Plan(tuple(changes), Counter())  # type: ignore[arg-type]  # shorter to read than a cast in each test
        number = plans.save_plan(connection, HOME.key, at.run.id, plan, first_contact=False, now=NOW)
        why = ("removals-institution", "60 of 100 courses in the institution; the limit is 10.")
        plans.hold(connection, number, dict.fromkeys(range(len(changes)), why))
        digest = plan.hash
        request = approvals.ask(
            connection,
            HOME.key,
            number,
            range(len(changes)),
            digest,
            two_person=two_person,
            first_contact=False,
            now=NOW,
        )
    return describe(at.store, HOME, request, link="https://airflow.example.edu/log")


def test_the_subject_counts_by_account_and_says_why(at: Desk) -> None:
    at.believe(UNIT, OTHER, TERM, COURSE)
    told = asked(at, close(COURSE), create(SECTION), create(OTHER), create(TERM))

    assert told.subject == (
        "Demohøgskolen: 4 change(s) held: 2 in 184_1_0_0, 1 in FSDEMO, 1 in terms. "
        "60 of 100 courses in the institution; the limit is 10."
    )


def test_the_body_shows_the_first_changes_and_where_the_rest_is(at: Desk) -> None:
    courses = [replace(COURSE, sis_id=f"UE_{number}") for number in range(SHOWN + 10)]
    at.believe(UNIT, TERM, *courses)

    told = asked(at, *map(close, courses))

    assert len(told.lines) == SHOWN + 10
    assert sum(line.startswith("- close course") for line in told.body.splitlines()) == SHOWN
    assert "**The first 50 of 60:**" in told.body
    assert "[All of them](https://airflow.example.edu/log)" in told.body
    assert "| 184\\_1\\_0\\_0 | 60 |" in told.body


def test_two_people_are_asked_for_when_two_must_approve(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)

    assert "Two people must approve." in asked(at, close(COURSE), two_person=True).body


def test_a_name_cannot_smuggle_a_link_or_a_table_into_the_question(at: Desk) -> None:
    evil = replace(COURSE, long_name="[klikk](https://evil.example) | <img src=x>\n# Nei")
    at.believe(UNIT, TERM, evil)

    body = asked(at, close(evil)).body

    assert "\\[klikk\\](https://evil.example) \\| \\<img src=x\\> \\# Nei" in body


def test_people_are_counted_one_by_one_and_the_courses_that_lose_most_are_named(at: Desk) -> None:
    other = replace(COURSE, sis_id="UE_2")
    at.believe(UNIT, TERM, COURSE, other, SECTION)

    def leave(place: Place, count: int) -> Change:
        before, after = (
            Roster(
                Kind.ENROLLMENT,
                place,
                "StudentEnrollment",
                {f"FS_184_{number}": STANDINGS[state] for number in range(count)},
                part="gone",
            )
            for state in ("active", "inactive")
        )
        return Change(Action.HIDE, before, after, "gone", "The source no longer has them there.")

    told = asked(at, leave(Place(Kind.SECTION, SECTION.sis_id), 40), leave(Place(Kind.COURSE, "UE_2"), 2))

    assert told.subject.startswith("Demohøgskolen: 42 change(s) held: 42 in 184_1_0_0")
    assert f"| {COURSE.sis_id.replace('_', chr(92) + '_')} | 40 |" in told.body
    assert "| UE\\_2 | 2 |" in told.body
    assert told.lines[1].startswith("suspend 2 enrollment(s) in course UE_2 as StudentEnrollment: The source")
    assert "FS_184_" not in told.body
