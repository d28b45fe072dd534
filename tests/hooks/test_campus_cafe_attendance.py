"""Campus Cafe's attendance module over HTTP against the sandbox: what is read, what is written, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from rosterflow.domain.attendance.booking import Origin, RowKey, Time
from rosterflow.domain.attendance.module import ExceptionDay, KeptTime, LastDate, RowResult, Rows, Wrote
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.hooks.campus_cafe_attendance import CampusCafeAttendanceHook
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World

TOKEN = "sandbox-campuscafe-token"
EMPTY = "sections=0,students=0,registrations=0,instructors=1,awkward=0"
NOW = datetime(2026, 9, 12, 3, tzinfo=UTC)
SECTION = SectionKey("202610", "MTH101", "4")
KEY = {"semester": "202610", "courseNumber": "MTH101", "section": "4"}
FIRST, LAST = date(2026, 9, 7), date(2026, 9, 11)
WRITTEN = RowResult(Wrote.WRITTEN)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small", college=EMPTY), now=lambda: NOW)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """A section that is in session all fall, with two students."""
    running.world.reset()
    value = {"conn_type": "campus_cafe", "host": f"{running.url}/campuscafe", "password": TOKEN}
    monkeypatch.setenv("AIRFLOW_CONN_CAMPUS_TEST", json.dumps(value))
    put(running, "sections", **KEY, title="Intro", site="MAIN", beginDate="2026-08-24", endDate="2026-12-18")
    for person in ("2001", "2002"):
        put(running, "persons", id=person, firstName="Pia", lastName="Quill", email=f"{person}@college.example")
        put(running, "registrations", **KEY, personId=person, status="registered")
    return running


@pytest.fixture
def hook(sandbox: RunningSandbox) -> Iterator[CampusCafeAttendanceHook]:
    with CampusCafeAttendanceHook("campus_test", page_size=2, sleep=lambda _: None) as opened:
        yield opened


def put(sandbox: RunningSandbox, resource: str, **record: object) -> None:
    sandbox.world.college.put(resource, {**record, "modifiedAt": "2026-09-01T03:00:00Z"})


def arm(sandbox: RunningSandbox, kind: str, count: int | None = 1, match: str = "") -> None:
    sandbox.world.faults.add(Fault("campuscafe", kind, count=count, match=match))


def row(day: int, person: str = "2001", minutes: int = 30) -> tuple[RowKey, Time]:
    return RowKey(SECTION, person, date(2026, 9, day)), Time(1, Decimal(minutes))


def kept(day: int, person: str = "2001", minutes: int = 30, origin: Origin = Origin.OURS) -> KeptTime:
    return KeptTime(*SECTION, person, date(2026, 9, day), 1, Decimal(minutes), origin, NOW)


def test_time_that_is_written_is_read_again(hook: CampusCafeAttendanceHook) -> None:
    days = (7, 8, 9)
    assert hook.write_times([row(day) for day in days], "17-001") == (WRITTEN,) * 3
    read = hook.times(FIRST, LAST)
    assert read == Rows(tuple(kept(day) for day in days))
    assert [(one.key, one.time) for one in read.rows] == [row(day) for day in days]
    assert hook.times(date(2026, 9, 8), date(2026, 9, 8)).rows == (kept(8),)


def test_writing_again_changes_nothing_and_less_time_is_written(hook: CampusCafeAttendanceHook) -> None:
    hook.write_times([row(7)], "17-001")
    assert hook.write_times([row(7)], "18-001") == (RowResult(Wrote.UNCHANGED),)
    assert hook.write_times([row(7, minutes=0)], "19-001") == (WRITTEN,)
    assert hook.times(FIRST, LAST).rows == (kept(7, minutes=0),)


def test_a_row_that_is_refused_leaves_the_others_written(
    sandbox: RunningSandbox, hook: CampusCafeAttendanceHook
) -> None:
    by_hand = {"date": "2026-09-08", "hours": 2, "minutes": 0, "origin": "manual"}
    sandbox.world.college.put("attendance", {**KEY, "personId": "2001", **by_hand})
    unknown = (RowKey(SectionKey("202610", "MTH101", "5"), "2001", FIRST), Time(1, Decimal(0)))

    done = hook.write_times([row(7), row(8), row(7, person="9999"), unknown, row(7, person="2002")], "17-001")

    assert done == (
        WRITTEN,
        RowResult(Wrote.REFUSED, "made_by_hand", "A person made the row of that day."),
        RowResult(Wrote.REFUSED, "unknown_student", "There is no such person."),
        RowResult(Wrote.REFUSED, "unknown_section", "There is no such section."),
        WRITTEN,
    )
    assert [one.origin for one in hook.times(FIRST, LAST).rows].count(Origin.MANUAL) == 1


def test_last_dates_are_set_cleared_and_never_over_one_set_by_hand(
    sandbox: RunningSandbox, hook: CampusCafeAttendanceHook
) -> None:
    assert hook.write_last_dates([(SECTION, "2001", LAST), (SECTION, "2002", FIRST)], "17-001") == (WRITTEN, WRITTEN)
    assert hook.write_last_dates([(SECTION, "2002", None)], "17-002") == (WRITTEN,)
    manual = {"lastDateAttended": "2026-09-08", "isManual": True}
    sandbox.world.college.put("enrollment-details", {**KEY, "personId": "2002", **manual})

    (refused,) = hook.write_last_dates([(SECTION, "2002", LAST)], "17-003")

    assert (refused.status, refused.code) == (Wrote.REFUSED, "manual_last_date")
    assert hook.last_dates(["202610"]).rows == hook.last_dates([]).rows
    assert hook.last_dates(["202620"]) == Rows(())
    assert hook.last_dates([]).rows == (
        LastDate(*SECTION, "2001", LAST, is_manual=False, modified_at=NOW),
        LastDate(*SECTION, "2002", date(2026, 9, 8), is_manual=True, modified_at=NOW),
    )


def test_exceptions_say_whether_they_add_time(sandbox: RunningSandbox, hook: CampusCafeAttendanceHook) -> None:
    put(sandbox, "attendance-exceptions", **KEY, date="2026-09-07", addsToAccumulatedTime=True)
    put(sandbox, "attendance-exceptions", **KEY, date="2026-11-26", addsToAccumulatedTime=False)
    assert hook.exceptions(FIRST, LAST).rows == (ExceptionDay(*SECTION, FIRST, adds_time=True),)


@pytest.mark.parametrize("kind", ["503", "drop_after", "short_results", "truncate"])
def test_a_batch_whose_answer_is_lost_or_short_is_sent_again(
    sandbox: RunningSandbox, hook: CampusCafeAttendanceHook, kind: str
) -> None:
    arm(sandbox, kind, match="PUT")
    done = hook.write_times([row(7), row(8)], "17-001")
    assert {one.status for one in done} <= {Wrote.WRITTEN, Wrote.UNCHANGED}
    assert hook.times(FIRST, LAST).rows == (kept(7), kept(8))


def test_results_that_stay_short_are_an_error_and_no_guess(
    sandbox: RunningSandbox, hook: CampusCafeAttendanceHook
) -> None:
    arm(sandbox, "short_results", count=None)
    with pytest.raises(RetryableError) as caught:
        hook.write_times([row(7), row(8)], "17-001")
    assert caught.value.code is Code.BAD_RESPONSE
    assert "1 results came for 2 rows" in caught.value.message


def test_nothing_is_sent_for_no_rows(sandbox: RunningSandbox, hook: CampusCafeAttendanceHook) -> None:
    arm(sandbox, "unauthorized", count=None)
    assert hook.write_times([], "17-001") == ()
    with pytest.raises(FatalError):
        hook.write_times([row(7)], "17-001")


def test_rows_of_which_a_page_is_missing_are_not_whole(sandbox: RunningSandbox, hook: CampusCafeAttendanceHook) -> None:
    hook.write_times([row(day) for day in (7, 8, 9)], "17-001")
    arm(sandbox, "drop_page", count=None, match="page=2")
    read = hook.times(FIRST, LAST)
    assert (len(read.rows), read.gaps) == (2, ("attendance: 2 different rows came of 3",))
    assert not read.is_whole
