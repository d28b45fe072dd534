"""Thirty days backfilled forward, backward and two at once, on both databases: the same books (issue 5, §5.5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time
from functools import cache, partial
from pathlib import Path

import pytest
from httpx import create_ssl_context

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.report import AttendanceReport
from rosterflow.sync.attendance_runs import Asked, window_for
from sandbox.coursekey.attendance import COMPLETE
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.scenarios.attendance_nights import DAY, EASTERN, MAIN, WEST, Nights, nights, nights_on
from tests.scenarios.drain_ground import EMPTY, sandbox_of

NOON = datetime(2026, 10, 1, 16, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 16, tzinfo=UTC)
FIRST = date(2026, 10, 22)
"""Of thirty days, among them one of 25 hours."""
DAYS = tuple(FIRST + number * DAY for number in range(30))
CLASS = tuple(str(number) for number in range(2001, 2009))
AT_HALF_PAST_FIVE = time(5, 30)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with sandbox_of(EMPTY, Clock(NOON)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Children() as children, Postgres(children, tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def college(
    request: pytest.FixtureRequest, running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Nights]:
    """A college whose students attended for thirty days, at two schools in two zones; nothing of it is booked."""
    # Each night makes three clients, and loading the certificates for each would be a third of the time.
    monkeypatch.setattr("httpx._transports.default.create_ssl_context", cache(create_ssl_context))
    running.world.reset(college=EMPTY)
    clock = Clock(NOON)
    running.world.now = clock
    opened: AbstractContextManager[Nights] = (
        nights(running, tmp_path, clock)
        if request.param == "sqlite"
        else nights_on(request.getfixturevalue("postgres"), running, tmp_path, clock)
    )
    with opened as one:
        one.teach("MTH101/4", *CLASS, days="Monday|Wednesday|Friday")
        west = one.teach("ART110/1", *CLASS[:4], site="WEST", days="Tuesday|Wednesday|Saturday")
        one.town.configure(auto_schedule=[MAIN, WEST])
        clock.moment = LATER
        one.attend(DAYS[0], DAYS[-1])
        one.record(west, CLASS[0], DAYS[3], 3600, "S1", issuedID="990001")
        yield one


def run(college: Nights, day: date) -> AttendanceReport:
    """One run of a backfill, whose interval begins on a day."""
    begin, end = (datetime.combine(on, AT_HALF_PAST_FIVE, EASTERN) for on in (day, day + DAY))
    now = college.town.clock()
    window = window_for(college.town.store, college.town.college, Asked("backfill", begin, end), now)
    return college.night(window.first, window.last, at=now)


def test_forward_backward_and_two_at_once_give_the_same_books_with_every_day_and_every_fact_once(
    college: Nights,
) -> None:
    for day in DAYS:
        run(college, day)
    forward = college.dump()
    college.anew()
    for day in reversed(DAYS):
        run(college, day)
    backward = college.dump()
    college.anew()
    with ThreadPoolExecutor(2) as two:
        reports = list(two.map(partial(run, college), DAYS))
    at_once = college.dump()

    there = college.town.sandbox.world.coursekey.records.values()
    awarded = sum(row.changes.get("timeAwarded", row.awarded) for row in there if row.status == COMPLETE)
    told, held = forward
    assert (backward, at_once) == (forward, forward)
    assert told.covered == dict.fromkeys(told.covered, DAYS)
    assert set(told.covered) >= {MAIN, WEST}
    assert {change[-1] for change in told.changes} == {Effect.NEW}
    assert set(told.changes.values()) == {1}
    assert len(told.changes) == len(told.facts) > 100
    assert sum(booking[3] for booking in told.facts.values()) == awarded
    assert (told.due, len(held) > 100) == ((), True)
    assert [(report.first, report.last) for report in reports] == [(day, day) for day in DAYS]


def test_imports_of_the_same_days_at_once_book_every_fact_once(college: Nights) -> None:
    first, last, now = DAYS[0], DAYS[6], college.town.clock()
    college.night(first, last, at=now)
    alone = college.dump()
    college.anew()

    with ThreadPoolExecutor(3) as three:
        reports = list(three.map(lambda _: college.night(first, last, at=now), range(3)))

    assert college.dump() == alone
    assert set(alone[0].changes.values()) == {1}
    assert sum(report.changes for report in reports) == len(alone[0].facts)
