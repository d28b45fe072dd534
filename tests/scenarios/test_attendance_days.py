"""The nightly import where days are odd: clock changes in every zone, nights, ends of months and years, two zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rosterflow.domain.attendance.report import Outcome
from rosterflow.domain.coursekey.campus import SectionKey
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.scenarios.attendance_nights import ARIZONA, DAY, EASTERN, WEST, Nights, nights
from tests.scenarios.drain_ground import EMPTY, sandbox_of

NOON = datetime(2026, 10, 1, 16, tzinfo=UTC)
ADA, BEN = "2001", "2002"
SPRING = {"semester": "202620", "beginDate": "2027-01-11", "endDate": "2027-05-14"}
AUTUMN_CHANGE, SPRING_CHANGE = date(2026, 11, 1), date(2027, 3, 14)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox_of(EMPTY, Clock(NOON)) as sandbox:
        yield sandbox


def a_college(running: RunningSandbox, folder: Path, zone: str = "US/Eastern", **changes: Any) -> Any:
    """A college whose main site is in a zone, and another site in Arizona."""
    running.world.reset(college=EMPTY)
    clock = Clock(NOON)
    running.world.now = clock
    pairs = [
        {"alias": "1-1", "connection": "coursekey_demo_1", "timezone": zone, "school": "548156", "site": "MAIN"},
        {"alias": "1-2", "connection": "coursekey_demo_1", "timezone": zone, "school": "548157", "site": "NORTH"},
        {"alias": "1-3", "connection": "coursekey_demo_2", "timezone": "US/Arizona", "school": WEST, "site": "WEST"},
    ]
    return nights(running, folder, clock, crskeyauth=pairs, **changes)


def stay(college: Nights, key: SectionKey, student: str, come: datetime, leave: datetime, **more: Any) -> None:
    """A stay from check-in to check-out, of a session that began with it and that nobody awarded anything for."""
    fields = {"startTime": come, "endTime": leave, "checkIn": come, "checkOut": leave}
    texts = {name: moment.isoformat() for name, moment in fields.items()}
    session = f"S{come.date()}"
    college.record(key, student, come.date(), None, **{"session": session, **texts, **more})


@pytest.mark.parametrize("name", ["US/Eastern", "US/Central", "US/Mountain", "US/Pacific"])
def test_both_clock_changes_in_a_zone_and_in_arizona_beside_it(
    name: str, running: RunningSandbox, tmp_path: Path
) -> None:
    with a_college(running, tmp_path, name, attendance={"counts": "clock"}) as college:
        held = {}
        for sunday, number, term in ((AUTUMN_CHANGE, 4, {}), (SPRING_CHANGE, 5, SPRING)):
            college.town.clock.moment = datetime.combine(sunday - 2 * DAY, time(12), UTC)
            math = college.teach(f"MTH101/{number}", ADA, **term)
            art = college.teach(f"ART200/{number}", BEN, site="WEST", **term)
            for key, student, zone in ((math, ADA, ZoneInfo(name)), (art, BEN, ARIZONA)):
                midnight = datetime.combine(sunday, time(0), zone)
                after = datetime.combine(sunday + DAY, time(0), zone)
                evening = datetime.combine(sunday - DAY, time(22), zone)
                stay(college, key, student, evening, midnight.replace(hour=6))
                stay(college, key, student, midnight, after)
            report = college.night(sunday - DAY, sunday)
            held[sunday] = (college.rows(math), college.rows(art))
            assert [one.remarks for one in report.schools] == [{"spans-midnight": 1}, {}, {"spans-midnight": 1}]

    assert held == {
        AUTUMN_CHANGE: (
            {(ADA, "2026-10-31"): (9, 0), (ADA, "2026-11-01"): (25, 0)},
            {(BEN, "2026-10-31"): (8, 0), (BEN, "2026-11-01"): (24, 0)},
        ),
        SPRING_CHANGE: (
            {(ADA, "2027-03-13"): (7, 0), (ADA, "2027-03-14"): (23, 0)},
            {(BEN, "2027-03-13"): (8, 0), (BEN, "2027-03-14"): (24, 0)},
        ),
    }


FRIDAY, SATURDAY = date(2026, 10, 9), date(2026, 10, 10)


@pytest.mark.parametrize("shifts", [False, True], ids=["off", "on"])
def test_midnight_shift_decides_on_which_days_a_night_is_booked_and_which_is_the_last(
    shifts: bool, running: RunningSandbox, tmp_path: Path
) -> None:
    come, leave = datetime(2026, 10, 9, 21, 30, tzinfo=EASTERN), datetime(2026, 10, 10, 5, 30, tzinfo=EASTERN)
    midnight = datetime(2026, 10, 10, tzinfo=EASTERN)
    session = {"session": "S1", "startTime": come.isoformat(), "endTime": leave.isoformat()}
    with a_college(running, tmp_path) as college:
        math = college.teach("MTH101/4", ADA)
        if shifts:
            stay(college, math, ADA, come, midnight, timeAwarded=150 * 60, **session)
            stay(college, math, ADA, midnight, leave, timeAwarded=330 * 60, **session)
        else:
            stay(college, math, ADA, come, leave, timeAwarded=480 * 60, **session)

        report = college.night(FRIDAY, SATURDAY)
        again = college.night(FRIDAY, SATURDAY, at=college.town.clock() + DAY)

        rows, dates = college.rows(math), college.last_dates(math)
    if shifts:
        assert rows == {(ADA, "2026-10-09"): (2, 30), (ADA, "2026-10-10"): (5, 30)}
        assert (dates, report.outcome) == ({ADA: "2026-10-10"}, Outcome.SUCCESS)
    else:
        assert rows == {(ADA, "2026-10-09"): (8, 0)}
        assert (dates, report.outcome) == ({ADA: "2026-10-09"}, Outcome.WARNINGS)
        assert "over midnight, booked as a total on the day they began" in college.letters[0].plain
    assert (again.changes, again.rows, again.dates) == (0, {}, {})


def test_the_nights_of_month_and_year_ends_are_booked_once_by_runs_of_a_day_each(
    running: RunningSandbox, tmp_path: Path
) -> None:
    with a_college(running, tmp_path) as college:
        math = college.teach("MTH101/4", ADA, endDate="2027-01-31")
        for on in (date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31)):
            come = datetime.combine(on, time(23), EASTERN)
            leave = datetime.combine(on + DAY, time(1), EASTERN)
            stay(college, math, ADA, come, leave, timeAwarded=10_800 if on.month == 10 else 7200)
            for day in (on + DAY, on):
                college.night(day, at=datetime.combine(on + 2 * DAY, time(12), UTC))

        assert college.rows(math) == {
            (ADA, "2026-10-31"): (3, 0),
            (ADA, "2026-11-30"): (2, 0),
            (ADA, "2026-12-31"): (2, 0),
        }
        assert college.last_dates(math) == {ADA: "2026-12-31"}


def test_two_zones_under_one_college_book_one_moment_on_the_days_of_their_schools(
    running: RunningSandbox, tmp_path: Path
) -> None:
    come, leave = datetime(2026, 10, 7, 5, 30, tzinfo=UTC), datetime(2026, 10, 7, 6, 30, tzinfo=UTC)
    with a_college(running, tmp_path) as college:
        math = college.teach("MTH101/4", ADA)
        art = college.teach("ART200/1", BEN, site="WEST")
        stay(college, math, ADA, come, leave, timeAwarded=3600, sessionDate="2026-10-07")
        stay(college, art, BEN, come, leave, timeAwarded=3600, sessionDate="2026-10-06")
        college.night(date(2026, 10, 6), date(2026, 10, 7))

        assert college.rows(math) == {(ADA, "2026-10-07"): (1, 0)}
        assert college.rows(art) == {(BEN, "2026-10-06"): (1, 0)}
