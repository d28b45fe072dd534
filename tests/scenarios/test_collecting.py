"""What changes in Campus Cafe is collected, and becomes entries of the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from rosterflow.domain.coursekey.campus import Resource, SectionKey, Semester, Standing
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent
from rosterflow.store import coursekey_maps
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.store.coursekey_tables import queue_entry, queue_history
from rosterflow.sync.collecting import OVERLAP
from tests.domain.coursekey.builders import college as settings
from tests.scenarios.campus import (
    DAY,
    FALL,
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
    teaching,
)

SESSIONS = Entity(EntryKind.SESSIONS, *MATH)
SPRING = Semester("202620", "Spring 2027", date(2027, 1, 11), date(2027, 5, 1))


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Campus]:
    """A college that sends at once what is in force."""
    with campus(tmp_path) as made:
        yield made


def states(one: Campus) -> dict[Entity, EntryState]:
    return {entity: entry.state for entity, entry in one.entries().items()}


def test_a_new_section_with_its_people_is_queued_by_the_rules(one: Campus) -> None:
    a_section(one.registrar, 2)

    found = one.collect()

    assert states(one) == dict.fromkeys(
        [course(), SESSIONS, staff("1002"), enrollment("2000"), enrollment("2001")], EntryState.PENDING
    )
    assert found.queued == Counter({EntryState.PENDING: 5})
    assert (found.gaps, found.problems) == ([], [])


def test_collecting_again_with_nothing_new_queues_nothing(one: Campus) -> None:
    a_section(one.registrar, 2)
    one.sync()

    again = one.collect(NOW + 15 * MINUTE)

    assert again.queued == Counter()
    assert one.drain(NOW + 15 * MINUTE) == []


def test_a_change_is_asked_for_since_the_newest_that_was_seen_with_an_overlap(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.collect()
    one.registrar.asked.clear()

    one.collect(NOW + 15 * MINUTE)

    since = NOW - HOUR - OVERLAP
    assert one.registrar.asked[1:] == [
        (resource, since, ("202610",))
        for resource in (Resource.PERSONS, Resource.SECTIONS, Resource.STAFF, Resource.REGISTRATIONS)
    ]


def test_everything_is_read_once_a_day_from_the_hour_of_the_comparison_on(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.collect()
    night = NOW.replace(hour=6, minute=45) + DAY  # a quarter to three in New York

    before = one.collect(night).compared
    after = one.collect(night + 15 * MINUTE).compared
    later = one.collect(night + 30 * MINUTE).compared

    assert (before, len(after), later) == ([], 5, [])


def test_a_moment_in_the_future_does_not_hide_the_changes_until_then(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.registrar.have(registration("2000"), at=NOW + 400 * DAY)
    one.collect()

    one.registrar.have(person("2001"), registration("2001"), at=NOW + MINUTE)
    one.collect(NOW + 15 * MINUTE)

    assert states(one)[enrollment("2001")] is EntryState.PENDING


def test_only_semesters_from_the_cutover_on_are_read_and_never_the_catalog(one: Campus) -> None:
    old = Semester("202510", "Fall 2025", date(2025, 8, 25), date(2025, 12, 12))
    one.registrar.have(old, FALL, SPRING, Semester("999999", "Catalog"), Semester("20261", "Five digits"))

    found = one.collect()

    assert {semesters for resource, _, semesters in one.registrar.asked[1:]} == {("202610", "202620")}
    assert found.problems == ["semesters: 20261: has not six digits, so its sections are not read"]


def test_nothing_is_read_while_no_semester_is_known(one: Campus) -> None:
    one.collect()

    assert one.registrar.asked == [(Resource.SEMESTERS, None, ())]


def test_what_comes_before_its_window_waits_for_the_day_on_which_it_opens(one: Campus) -> None:
    key = SectionKey("202620", "MTH102", "1")
    one.registrar.have(SPRING, section(key, first=SPRING.first, last=SPRING.last), person("2000"))
    one.registrar.have(registration("2000", key))

    one.collect()

    waiting = one.entries()
    assert (waiting[course(key)].state, waiting[course(key)].opens_on) == (EntryState.DEFERRED, date(2026, 12, 21))
    assert waiting[course(key)].due_at.isoformat() == "2026-12-21T05:00:00+00:00"
    assert (waiting[enrollment("2000", key)].state, waiting[enrollment("2000", key)].opens_on) == (
        EntryState.DEFERRED,
        date(2026, 12, 28),
    )


def test_what_is_not_queued_is_in_the_history_with_its_rule(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.registrar.have(person("2001"), registration("2001", standing=Standing.WAITLISTED))
    one.registrar.have(section(is_excluded=True))

    one.collect()

    assert one.told_of(course()) == [(EntryState.SKIPPED, "excluded")]
    assert one.told_of(enrollment("2000")) == [(EntryState.SKIPPED, "excluded")]
    assert states(one)[enrollment("2001")] is EntryState.SKIPPED
    assert one.drain() == []


def test_a_new_title_concerns_the_course_and_not_everybody_who_is_in_it(one: Campus) -> None:
    a_section(one.registrar, 3)
    one.sync()

    one.registrar.have(section(title="Mathematics I"), at=NOW + MINUTE)
    sent = one.sync(NOW + 15 * MINUTE)

    assert sent == [(course(), Intent.UPSERT), (SESSIONS, Intent.UPSERT)]


def test_another_instructor_is_added_and_shown_on_the_course(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.sync()

    one.registrar.have(person("1003"), teaching("1003"), at=NOW + MINUTE)
    sent = one.sync(NOW + 15 * MINUTE)

    assert sorted(sent) == [(course(), Intent.UPSERT), (staff("1003"), Intent.UPSERT)]


def test_an_e_mail_that_was_missing_lets_the_enrollment_go_when_it_arrives(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.registrar.have(person("2000", email=""))
    one.collect()
    assert one.told_of(enrollment("2000")) == [(EntryState.FAILED, "email-missing")]

    one.registrar.have(person("2000"), at=NOW + MINUTE)
    one.collect(NOW + 15 * MINUTE)

    assert states(one)[enrollment("2000")] is EntryState.PENDING


def test_a_new_name_reaches_the_account_that_we_know(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.sync()
    with one.store.begin() as connection:
        account = Mapped(MapKey(MapKind.USER, "548156", person="2000"), "7")
        coursekey_maps.put(connection, one.college.key, [account], NOW)

    one.registrar.have(person("2000", last_name="Renamed"), at=NOW + MINUTE)
    sent = one.sync(NOW + 15 * MINUTE)

    assert sent == [(Entity(EntryKind.USER, person="2000", site="MAIN"), Intent.UPSERT)]


def test_who_drops_before_they_were_sent_is_not_sent(one: Campus) -> None:
    a_section(one.registrar, 2)
    one.collect()

    one.registrar.have(registration("2000", standing=Standing.DROPPED), at=NOW + MINUTE)
    one.collect(NOW + 15 * MINUTE)

    assert one.told_of(enrollment("2000")) == [(EntryState.PENDING, "due"), (EntryState.SKIPPED, "dropped")]
    assert (enrollment("2000"), Intent.UPSERT) not in one.drain(NOW + 15 * MINUTE)


def test_a_failed_page_is_read_again_and_hides_no_change(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.collect()
    one.registrar.gaps[Resource.REGISTRATIONS] = ("page 2 of 3 failed",)
    one.registrar.have(person("2001"), registration("2001"), at=NOW + HOUR)
    short = one.collect(NOW + 2 * HOUR)
    asked = one.registrar.asked[-1]

    one.registrar.gaps.clear()
    one.registrar.asked.clear()
    one.collect(NOW + 3 * HOUR)

    assert short.gaps == ["registrations: page 2 of 3 failed"]
    assert one.registrar.asked[-1] == asked


def test_settings_that_change_are_seen_by_the_next_comparison(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.registrar.have(section(is_excluded=True))
    one.sync()

    one.college = settings(USE_LMS_EXCLUDE_FLAG="N")
    one.collect(NOW + DAY)

    assert set(states(one).values()) == {EntryState.PENDING}


def test_a_new_admin_of_all_courses_is_added_to_those_that_are_there(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.registrar.have(person("1001"))
    one.sync()

    one.college = settings(COURSE_ADMINS="1001")
    one.collect(NOW + DAY)

    assert one.drain(NOW + DAY) == [(staff("1001"), Intent.UPSERT)]


def test_with_auto_queue_off_what_came_early_is_left_to_a_person_even_when_the_window_opens(one: Campus) -> None:
    one.college = settings(AUTO_QUEUE_ITEMS="N")
    key = SectionKey("202620", "MTH102", "1")
    one.registrar.have(SPRING, section(key, first=SPRING.first, last=SPRING.last), person("2000"))
    one.registrar.have(registration("2000", key))
    one.collect()

    one.collect(NOW + 110 * DAY)

    assert states(one) == {
        course(key): EntryState.SKIPPED,
        Entity(EntryKind.SESSIONS, *key): EntryState.SKIPPED,
        enrollment("2000", key): EntryState.SKIPPED,
    }
    assert one.told_of(course(key)) == [(EntryState.SKIPPED, "before-window")]


def test_a_collector_that_is_killed_between_two_resources_loses_nothing(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.registrar.deadly = {Resource.REGISTRATIONS}
    with pytest.raises(KeyboardInterrupt):
        one.collect()

    one.registrar.deadly.clear()
    one.collect()

    assert states(one)[enrollment("2000")] is EntryState.PENDING
    assert len(states(one)) == 4


def test_neither_the_queue_nor_its_history_has_a_name_or_an_address(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.collect()

    with one.store.begin() as connection:
        rows = repr([connection.execute(select(table)).all() for table in (queue_entry, queue_history)])

    assert "Invented" not in rows
    assert "college.example" not in rows


def test_a_semester_with_another_name_renames_its_courses(one: Campus) -> None:
    a_section(one.registrar, 1)
    one.sync()

    one.registrar.have(msgspec.structs.replace(FALL, description="Autumn 2026"))
    sent = one.sync(NOW + 15 * MINUTE)

    assert sent == [(course(), Intent.UPSERT)]
