"""Campus Cafe has a bad day: lists that are short, doubled or empty, and a clock that was wrong for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import pytest

from rosterflow.domain.coursekey.campus import Meeting, Resource, SectionKey, Standing
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Intent
from rosterflow.store import campus as mirror
from sandbox.faults import Fault
from tests.domain.coursekey.builders import college as settings
from tests.scenarios.campus import (
    DAY,
    FALL,
    HOUR,
    MINUTE,
    NOW,
    Campus,
    a_section,
    campus,
    enrollment,
    person,
    registration,
    section,
    staff,
    teaching,
)
from tests.scenarios.drain_ground import Ground
from tests.scenarios.drain_ground import enrollment as enrolled


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Campus]:
    """A college with a section of two that is in CourseKey."""
    with campus(tmp_path, INSTRUCTOR_ADD_ONLY="N") as made:
        a_section(made.registrar, 2)
        made.sync()
        yield made


@pytest.fixture
def town(town: Ground) -> Ground:
    """A college with a section of three."""
    key = town.section()
    town.register(key, *(town.person(2001 + number) for number in range(3)))
    town.collect()
    town.drain()
    return town


# -- lists that are not whole -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_page", "repeated_page", "total_high", "null_row", "broken_row", "empty_list"])
def test_no_list_that_is_odd_all_day_long_removes_anybody_unasked_or_keeps_the_new_from_coming(
    town: Ground, kind: str
) -> None:
    town.sandbox.world.faults.add(Fault("campuscafe", kind, count=None))
    town.clock.forward(days=1)
    town.collect()
    town.sandbox.world.faults.clear()
    key = town.section("MTH101/5")
    town.register(key, town.person(2009), "2001")

    town.run()

    assert [one["issuedID"] for one in town.course("MTH101 - 4: Intro to Math in Fall 2026")["enrollments"]] == [
        "2001",
        "2002",
        "2003",
    ]
    assert {person: town.entry(enrolled(key, person)).state for person in ("2001", "2009")} == {
        "2001": EntryState.DONE,
        "2009": EntryState.DONE,
    }


@pytest.mark.parametrize("resource", [Resource.SEMESTERS, Resource.SECTIONS, Resource.PERSONS])
def test_an_empty_list_of_what_was_there_before_is_not_believed(one: Campus, resource: Resource) -> None:
    had = {name: record for name, record in one.registrar.records.items() if name[0] is resource}
    for name in had:
        del one.registrar.records[name]

    found = one.collect(NOW + DAY)

    assert found.gaps == [f"{resource}: none came, though there were some"]
    assert found.gone[resource] == 0
    with one.store.begin() as connection:
        assert mirror.has_any(connection, one.college.key, resource, ["202610"])


def test_a_comparison_that_is_not_whole_is_tried_again_each_hour_and_changes_are_read_meanwhile(one: Campus) -> None:
    one.registrar.gaps[Resource.REGISTRATIONS] = ("registrations: 2 different rows came of 3",)
    tomorrow = NOW + DAY

    def asked(at: datetime) -> list[bool]:
        one.registrar.asked.clear()
        one.collect(at)
        return [since is None for resource, since, _ in one.registrar.asked if resource is Resource.REGISTRATIONS]

    assert [asked(tomorrow + minutes * MINUTE) for minutes in (0, 15, 45, 60, 75)] == [
        [True],
        [False],
        [False],
        [True],
        [False],
    ]
    one.registrar.have(person("2100"), registration("2100"), at=tomorrow + HOUR)
    one.collect(tomorrow + HOUR + 30 * MINUTE)
    assert one.entries()[enrollment("2100")].state is EntryState.PENDING

    one.registrar.gaps.clear()
    assert [asked(tomorrow + hours * HOUR) for hours in (2, 3, 4)] == [[True], [False], [False]]


def test_settings_that_change_are_seen_though_a_list_never_is_whole(one: Campus) -> None:
    one.registrar.gaps[Resource.REGISTRATIONS] = ("registrations: 2 different rows came of 3",)
    one.registrar.have(person("1009"), at=NOW)
    one.college = settings(COURSE_ADMINS="1009")

    one.collect(NOW + DAY)

    assert one.entries()[staff("1009")].state is EntryState.PENDING


# -- the clock --------------------------------------------------------------------------------------------------------


def test_a_comparison_by_a_clock_that_was_ahead_puts_none_off(one: Campus) -> None:
    one.collect(NOW + 40 * DAY)

    assert len(one.collect(NOW + HOUR).compared) == 5
    assert one.collect(NOW + 2 * HOUR).compared == []


# -- what changes within one collection, and settings that do ---------------------------------------------------------


def test_whoever_waits_registers_and_drops_between_two_collections_is_told_of_once(one: Campus) -> None:
    one.registrar.have(person("2100"))
    for minute, standing in enumerate((Standing.WAITLISTED, Standing.REGISTERED, Standing.DROPPED)):
        one.registrar.have(registration("2100", standing=standing), at=NOW + minute * MINUTE)

    one.sync(NOW + HOUR)

    assert one.told_of(enrollment("2100")) == [(EntryState.SKIPPED, "dropped")]
    assert enrollment("2100") not in one.there()


def test_instructors_who_left_while_they_were_only_added_are_removed_when_that_is_switched_off(one: Campus) -> None:
    one.college = settings(INSTRUCTOR_ADD_ONLY="Y")
    one.registrar.have(teaching("1002", is_removed=True), at=NOW + MINUTE)
    one.sync(NOW + HOUR)
    assert staff("1002") in one.there()

    one.college = settings(INSTRUCTOR_ADD_ONLY="N")

    assert (staff("1002"), Intent.REMOVE) in one.sync(NOW + 2 * HOUR)


def meeting_sections(one: Campus, *days: date) -> None:
    for name in ("1", "2", "3"):
        meetings = tuple(Meeting(day, time(9), time(10)) for day in days)
        one.registrar.have(section(SectionKey("202610", "MTH200", name), meetings=meetings), at=NOW + MINUTE)


def test_a_list_of_meetings_that_comes_empty_cancels_no_session(one: Campus) -> None:
    later = (NOW + 7 * DAY).date()
    one.registrar.have(FALL)
    meeting_sections(one, later)
    one.sync(NOW)
    meeting_sections(one)

    for at in (NOW + HOUR, NOW + DAY):
        found = one.collect(at)

        assert found.gaps == ["sections: no meetings came, though 3 sections are to meet yet"]
        assert found.queued == {}

    meeting_sections(one, later)
    assert one.collect(NOW + 2 * DAY).gaps == []


def test_sections_that_have_met_for_the_last_time_may_lose_their_meetings(one: Campus) -> None:
    one.registrar.have(FALL)
    meeting_sections(one, (NOW + DAY).date())
    one.sync(NOW)
    meeting_sections(one)

    assert one.collect(NOW + 2 * DAY).gaps == []


def test_one_section_may_lose_all_its_meetings(one: Campus) -> None:
    one.registrar.have(FALL)
    meeting_sections(one, (NOW + 7 * DAY).date())
    one.sync(NOW)
    gone = SectionKey("202610", "MTH200", "2")
    one.registrar.have(section(gone), at=NOW + HOUR)

    one.collect(NOW + 2 * HOUR)

    assert one.entries()[Entity(EntryKind.SESSIONS, *gone)].state is EntryState.PENDING
