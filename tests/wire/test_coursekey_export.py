"""Pages of CourseKey's export as records: as agreed, malformed, and as another CourseKey might write them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from rosterflow.domain.attendance.reading import OpenedPage
from rosterflow.domain.attendance.records import Status, TimeRecord, sort_records
from rosterflow.wire.coursekey_export import EXPORT, ExportProfile, Opening, rows_of
from rosterflow.wire.coursekey_json import Unreadable

SCHOOL = "548156"
ZONE = ZoneInfo("US/Eastern")
SUMMER = timezone(timedelta(hours=-4))
ROW = {
    "recordID": "31",
    "schoolID": SCHOOL,
    "courseID": "7",
    "addCode": "ck00abc",
    "courseName": "MTH101 - 4",
    "userID": "12",
    "issuedID": "200001",
    "email": "s1@college.example",
    "sessionID": "9",
    "sessionDate": "2026-08-24",
    "startTime": "2026-08-24T09:00:00-04:00",
    "endTime": "2026-08-24T10:15:00-04:00",
    "checkIn": "2026-08-24T09:05:00-04:00",
    "checkOut": "2026-08-24T10:15:00-04:00",
    "timeAttended": 4200,
    "timeAwarded": 4500,
    "timeAvailable": 4500,
    "attendanceName": "Lecture",
    "isAsynchronous": 0,
    "status": "complete",
    "lastActivity": "2026-08-24T10:15:00-04:00",
    "updatedAt": "2026-08-28T16:00:00+00:00",
    "isDeleted": 0,
}
RECORD = TimeRecord(
    record_id="31",
    course_id="7",
    user_id="12",
    issued_id="200001",
    session_id="9",
    session_date=date(2026, 8, 24),
    starts=datetime(2026, 8, 24, 9, tzinfo=SUMMER),
    ends=datetime(2026, 8, 24, 10, 15, tzinfo=SUMMER),
    check_in=datetime(2026, 8, 24, 9, 5, tzinfo=SUMMER),
    check_out=datetime(2026, 8, 24, 10, 15, tzinfo=SUMMER),
    attended=4200,
    awarded=4500,
    available=4500,
    last_activity=datetime(2026, 8, 24, 10, 15, tzinfo=SUMMER),
    updated_at=datetime(2026, 8, 28, 16, tzinfo=UTC),
)
"""What ``ROW`` says."""

SEEN = msgspec.structs.replace(RECORD, attended=None, awarded=None, available=None, status=Status.UNREADABLE)
"""What is left of it when one of its times cannot be read."""


def body(*rows: Any, **more: Any) -> bytes:
    return json.dumps({"data": rows, "nextCursor": None, **more}).encode()


def opened(*rows: Any, profile: ExportProfile = EXPORT) -> OpenedPage:
    """A page, with its records as plain ones, so that they can be compared."""
    page = Opening(profile, SCHOOL, ZONE).open(3, body(*rows))
    fields = [info.name for info in msgspec.structs.fields(TimeRecord)]
    plain = tuple(TimeRecord(**{name: getattr(record, name) for name in fields}) for record in page.records)
    return msgspec.structs.replace(page, records=plain)


def test_a_record_has_every_field_the_ledger_needs() -> None:
    assert opened(ROW) == OpenedPage(3, (RECORD,))


def test_blank_texts_of_a_record_are_empty() -> None:
    blank = {"sessionID": None, "issuedID": None, "recordID": None}
    assert opened({**ROW, **blank}).records == (
        msgspec.structs.replace(RECORD, session_id="", issued_id="", record_id=""),
    )


def test_a_record_may_say_less_than_it_could() -> None:
    short = {name: ROW[name] for name in ("courseID", "userID", "sessionDate", "timeAwarded")}
    assert opened(short) == OpenedPage(3, (TimeRecord("7", "12", date(2026, 8, 24), awarded=4500),))


@pytest.mark.parametrize("status", ["inProgress", "cancelled"])
def test_how_far_a_session_has_come_is_read(status: str) -> None:
    assert opened({**ROW, "status": status}).records[0].status == status


def test_an_asynchronous_record_that_was_deleted_says_so() -> None:
    (record,) = opened({**ROW, "isAsynchronous": 1, "isDeleted": 1}).records
    assert (record.is_async, record.is_deleted) == (True, True)


@pytest.mark.parametrize("field", ["timeAwarded", "timeAttended", "timeAvailable"])
@pytest.mark.parametrize("value", ["a while", 12.5, True, {}, "NaN", "1e999", 40_000_000])
def test_a_time_that_is_none_spoils_its_own_record_alone(field: str, value: object) -> None:
    assert opened(ROW, {**ROW, field: value}, ROW) == OpenedPage(
        3, (RECORD, SEEN, RECORD), problems=(f"page 3, record 2 (31): {field} cannot be read",)
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [("endTime", "later"), ("checkOut", []), ("status", "done"), ("updatedAt", "1e"), ("isDeleted", "perhaps")],
)
def test_other_fields_that_cannot_be_read_spoil_the_record_too(field: str, value: object) -> None:
    page = opened({**ROW, field: value})
    (record,) = page.records
    assert record.status is Status.UNREADABLE
    assert (page.problems, page.gaps) == ((f"page 3, record 1 (31): {field} cannot be read",), ())


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (None, "it is no object"),
        ("record", "it is no object"),
        ({**ROW, "courseID": None}, "courseID is missing"),
        ({**ROW, "userID": ""}, "userID is missing"),
        ({**ROW, "sessionDate": "08/24/2026"}, "sessionDate cannot be read"),
        ({**ROW, "sessionID": ["9"]}, "sessionID cannot be read"),
        ({**ROW, "issuedID": 2.5}, "issuedID cannot be read"),
        ({**ROW, "courseID": "7" * 101}, "courseID cannot be read"),
        ({**ROW, "sessionID": "9\0"}, "sessionID cannot be read"),
        ({**ROW, "startTime": "nine"}, "startTime cannot be read"),
        ({**ROW, "isAsynchronous": "perhaps"}, "isAsynchronous cannot be read"),
        ({**ROW, "timeAwarded": "x", "sessionID": None, "recordID": None}, "timeAwarded cannot be read"),
    ],
)
def test_a_record_of_which_it_cannot_be_said_whose_it_is_leaves_a_gap(row: object, wrong: str) -> None:
    assert opened(ROW, row) == OpenedPage(
        3,
        (RECORD,),
        problems=(f"page 3, record 2: {wrong}",),
        gaps=("page 3, record 2 does not say whose it is",),
    )


def test_an_unreadable_record_is_the_same_fact_as_the_readable_one() -> None:
    read_at = datetime(2026, 8, 29, tzinfo=UTC)
    good = sort_records(opened(ROW).records, ZONE, read_at)
    bad = sort_records(opened({**ROW, "timeAwarded": "x"}).records, ZONE, read_at)
    assert bad.observations.keys() == good.observations.keys()
    assert [(item.reason, item.record_id) for item in bad.listed] == [("unreadable", "31")]
    (seen,) = bad.observations.values()
    assert (seen.seconds, seen.is_void, seen.on, seen.person) == (None, False, date(2026, 8, 24), "200001")


def test_records_of_another_school_are_not_taken() -> None:
    foreign = {**ROW, "schoolID": "548157"}
    assert opened(foreign, ROW, foreign) == OpenedPage(
        3, (RECORD,), problems=("page 3: 2 records are another school's",)
    )


def test_ids_may_be_numbers() -> None:
    numbers = {"schoolID": int(SCHOOL), "courseID": 7, "userID": 12, "issuedID": 200001, "sessionID": 9, "recordID": 31}
    assert opened({**ROW, **numbers}) == OpenedPage(3, (RECORD,))


@pytest.mark.parametrize("moment", ["2026-08-24T09:05:00", "2026-08-24T13:05:00Z", 1_787_576_700, 1_787_576_700_000])
def test_a_moment_may_come_without_offset_or_as_a_number(moment: object) -> None:
    (record,) = opened({**ROW, "checkIn": moment}).records
    assert record.check_in == datetime(2026, 8, 24, 13, 5, tzinfo=UTC)


def test_no_value_of_a_malformed_record_is_in_a_message() -> None:
    page = opened({**ROW, "status": "s1@college.example", "courseID": None, "issuedID": ["200001"]})
    assert "200001" not in repr(page.problems)
    assert "college.example" not in repr(page.problems)


OTHER = ExportProfile(
    wire=replace(
        EXPORT.wire,
        writing=replace(EXPORT.wire.writing, date="%d.%m.%Y", true="yes", false="no"),
        listing=replace(EXPORT.wire.listing, items=None, next=None, parameter="sheet", page_size=2),
    ),
    fields={
        "course_id": "class-no",
        "user_id": "account",
        "session_id": "slot",
        "session_date": "day",
        "awarded": "credit",
        "is_async": "alone",
        "status": "state",
    },
    statuses={"done": Status.COMPLETE, "running": Status.IN_PROGRESS, "off": Status.CANCELLED},
    seconds_in_duration=60,
)
"""A CourseKey that writes minutes, other words and other fields, in plain lists."""


def test_another_profile_reads_other_words_units_and_fields() -> None:
    row = {"class-no": 7, "account": "12", "slot": "9", "day": "24.08.2026", "credit": 75, "alone": "yes"}
    page = Opening(OTHER, SCHOOL, ZONE).open(
        1, json.dumps([{**row, "state": "done"}, {**row, "state": "running", "credit": 1.5}]).encode()
    )
    record = TimeRecord("7", "12", date(2026, 8, 24), session_id="9", awarded=4500, is_async=True)
    going_on = msgspec.structs.replace(record, awarded=90, status=Status.IN_PROGRESS)
    assert page == OpenedPage(1, (record, going_on))


def test_a_page_as_agreed_says_the_same_at_once_as_record_by_record() -> None:
    rows = [{**ROW, "recordID": str(at), "sessionID": None if at % 3 else str(at)} for at in range(7)]
    slow = replace(EXPORT, statuses={**EXPORT.statuses, "finished": Status.COMPLETE})
    assert EXPORT.is_plain
    assert not slow.is_plain
    assert opened(*rows) == opened(*rows, profile=slow)


def test_only_a_page_with_a_malformed_record_is_opened_record_by_record() -> None:
    opening = Opening(EXPORT, SCHOOL, ZONE)
    good, bad = opening.open(1, body(ROW, ROW)), opening.open(2, body(ROW, {**ROW, "timeAwarded": "x"}))
    assert [type(record) is TimeRecord for record in good.records] == [False, False]
    assert [type(record) is TimeRecord for record in bad.records] == [True, True]


@pytest.mark.parametrize(
    "wrong", [b"", b"<html>", b"[]", b'{"data": null}', b'{"rows": []}', b'{"data": [{}', b'{"data": "\xff"}']
)
def test_what_is_no_page_of_a_list_is_a_gap(wrong: bytes) -> None:
    with pytest.raises(Unreadable):
        rows_of(EXPORT.wire.listing, wrong)
    assert Opening(EXPORT, SCHOOL, ZONE).open(2, wrong) == OpenedPage(2, (), gaps=("page 2: there is no list in it",))


@pytest.mark.parametrize(("cursor", "following"), [(None, None), ("", None), ("from-20", "from-20"), (20, "20")])
def test_a_page_says_where_the_next_one_is(cursor: object, following: str | None) -> None:
    rows, found = rows_of(EXPORT.wire.listing, body(ROW, None, nextCursor=cursor))
    assert (len(rows), found) == (2, following)
