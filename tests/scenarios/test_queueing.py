"""A person adds to the queue, and has failed entries tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rosterflow.domain.coursekey.campus import SectionKey, Semester, Standing
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent
from rosterflow.domain.errors import FatalError
from rosterflow.store.queue_looking import Selection
from rosterflow.sync.queueing import Queued, What, queue_by_hand, requeue_failed
from tests.domain.coursekey.builders import college as settings
from tests.scenarios.campus import (
    DAY,
    HOUR,
    MATH,
    MINUTE,
    NOW,
    Campus,
    a_section,
    campus,
    course,
    enrollment,
    person,
    registration,
    section,
    staff,
)

SPRING = Semester("202620", "Spring 2027", date(2027, 1, 11), date(2027, 5, 1))
EARLY = SectionKey("202620", "MTH102", "1")
OTHER = SectionKey("202620", "MTH102", "2")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Campus]:
    """A college with two sections of next spring, in which three are registered and one waits."""
    with campus(tmp_path, AUTO_QUEUE_ITEMS="N", COURSE_ADMINS="1001") as made:
        made.registrar.have(SPRING, person("1001"), *(person(f"200{n}") for n in range(4)))
        for key in (EARLY, OTHER):
            made.registrar.have(section(key, first=SPRING.first, last=SPRING.last))
        made.registrar.have(registration("2000", EARLY), registration("2001", EARLY), registration("2002", OTHER))
        made.registrar.have(registration("2003", EARLY, Standing.WAITLISTED))
        made.collect()
        yield made


def add(one: Campus, what: What, *place: str, reason: str = "They start early") -> Queued:
    return queue_by_hand(one.store, one.college, what, *place, by="nora", reason=reason, now=NOW)


def pending(one: Campus) -> set[Entity]:
    return {entity for entity, entry in one.entries().items() if entry.state is EntryState.PENDING}


def test_nothing_is_sent_before_its_window_unless_a_person_asks(one: Campus) -> None:
    assert pending(one) == set()


def test_the_enrollments_of_a_semester_are_queued_whenever_the_students_registered(one: Campus) -> None:
    queued = add(one, What.ENROLLMENTS, "202620")

    assert queued.sections == 2
    assert queued.states == Counter({EntryState.PENDING: 3})
    assert pending(one) == {enrollment("2000", EARLY), enrollment("2001", EARLY), enrollment("2002", OTHER)}
    assert one.told_of(enrollment("2000", EARLY)) == [
        (EntryState.SKIPPED, "before-window"),
        (EntryState.PENDING, "asked-for"),
    ]


def test_a_course_and_a_section_narrow_it(one: Campus) -> None:
    assert add(one, What.ENROLLMENTS, "202620", "MTH999").sections == 0
    assert add(one, What.ENROLLMENTS, "202620", "MTH102").sections == 2
    assert add(one, What.ENROLLMENTS, "202620", "MTH102", "2").sections == 1


def test_whoever_is_on_the_wait_list_stays_out_and_the_log_says_so(one: Campus) -> None:
    add(one, What.ENROLLMENTS, "202620")

    assert one.entries()[enrollment("2003", EARLY)].state is EntryState.SKIPPED
    assert one.told_of(enrollment("2003", EARLY))[-1] == (EntryState.SKIPPED, "wait-listed")


def test_courses_are_queued_with_their_sessions_and_staff(one: Campus) -> None:
    queued = add(one, What.COURSES, "202620", "MTH102", "1")

    assert queued.states == Counter({EntryState.PENDING: 3})
    assert pending(one) == {course(EARLY), Entity(EntryKind.SESSIONS, *EARLY), staff("1001", EARLY)}


def test_the_exclude_flag_holds_for_what_a_person_asks_for_too(one: Campus) -> None:
    one.registrar.have(section(EARLY, first=SPRING.first, last=SPRING.last, is_excluded=True), at=NOW + MINUTE)
    one.collect(NOW + HOUR)

    queued = add(one, What.COURSES, "202620", "MTH102", "1")

    assert pending(one) == set()
    assert queued.states[EntryState.PENDING] == 0


def test_who_asked_for_what_and_why_is_audited(one: Campus) -> None:
    add(one, What.ENROLLMENTS, "202620", "MTH102")

    assert one.acts() == [("nora", "queue enrollments", "They start early")]
    assert one.entries()[enrollment("2000", EARLY)].asked_by == "nora"


@pytest.mark.parametrize(
    ("place", "reason", "problem"),
    [
        (("202620", "", "1"), "Because", "Section 1 needs its course"),
        (("",), "Because", "A semester is needed"),
        (("202620",), " ", "A reason is needed"),
    ],
)
def test_what_cannot_be_meant_is_refused(one: Campus, place: tuple[str, ...], reason: str, problem: str) -> None:
    with pytest.raises(FatalError, match=problem):
        add(one, What.ENROLLMENTS, *place, reason=reason)

    assert (pending(one), one.acts()) == (set(), [])


def test_what_a_person_asked_for_outlives_the_next_comparison(one: Campus) -> None:
    add(one, What.ENROLLMENTS, "202620")
    before = pending(one)

    one.registrar.have(section(EARLY, first=SPRING.first, last=SPRING.last, title="Renamed"), at=NOW + MINUTE)
    one.collect(NOW + DAY)

    assert pending(one) >= before


def test_failed_entries_are_tried_again_by_cause(one: Campus) -> None:
    one.college = settings()
    a_section(one.registrar, 1)
    one.registrar.have(person("2000", email=""), person("2009", first_name=""), registration("2009", MATH))
    one.collect()

    again = requeue_failed(
        one.store, one.college, Selection(rule="email-missing"), by="nora", reason="They have one now", now=NOW
    )

    assert again == 1
    assert enrollment("2000") in pending(one)
    assert enrollment("2009") not in pending(one)
    assert ("nora", "requeue", "They have one now") in one.acts()


def test_to_try_again_needs_a_reason(one: Campus) -> None:
    with pytest.raises(FatalError, match="A reason is needed"):
        requeue_failed(one.store, one.college, Selection(), by="nora", reason="", now=NOW)


def test_a_drop_is_never_queued_by_hand(one: Campus) -> None:
    one.registrar.have(registration("2000", EARLY, Standing.DROPPED), at=NOW + MINUTE)
    one.collect(NOW + HOUR)
    add(one, What.ENROLLMENTS, "202620")

    assert {entry.intent for entry in one.entries().values()} == {Intent.UPSERT}
