"""Campus Cafe's attendance module (docs/coursekey-contract.md)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.faults import Fault
from tests.sandbox.college_client import CollegeClient, answer

KEY = {"semester": "202610", "courseNumber": "AWK101", "section": "10", "personId": "900001"}
ROW = {**KEY, "date": "2026-10-31", "hours": 8, "minutes": 30}


@pytest.fixture
def client() -> CollegeClient:
    """The section 10 of AWK101 meets once, at night, on 31 October; 900001 is registered for it."""
    one = CollegeClient()
    register(one, KEY)
    return one


def register(client: CollegeClient, key: dict[str, str], **more: str) -> None:
    client.world.college.put("registrations", {**key, **more})


def put(client: CollegeClient, *rows: Any, path: str = "attendance") -> list[tuple[str, str | None]]:
    """The status and code of each row that is written."""
    headers = {"Authorization": "Bearer sandbox-campuscafe-token"}
    answered = client.call("PUT", f"/campuscafe/api/v1/{path}", headers=headers, json={"rows": rows}).json()["results"]
    assert [row["index"] for row in answered] == list(range(len(answered)))
    return [(row["status"], row.get("code")) for row in answered]


def kept(client: CollegeClient, path: str = "attendance", **query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.campus(path, **query).json()["data"]
    return rows


def test_a_row_is_set_and_setting_it_again_changes_nothing(client: CollegeClient) -> None:
    assert put(client, ROW) == [("written", None)]
    row = {**ROW, "origin": "coursekey", "modifiedAt": "2026-09-01T12:00:00Z"}
    assert kept(client) == [row]
    assert put(client, ROW) == [("unchanged", None)]
    assert put(client, {**ROW, "hours": 0, "minutes": 0}) == [("written", None)]
    assert kept(client) == [{**row, "hours": 0, "minutes": 0}]


@pytest.mark.parametrize(
    ("difference", "code"),
    [
        ({"hours": "8"}, "invalid"),
        ({"minutes": 60}, "invalid"),
        ({"hours": -1}, "invalid"),
        ({"date": "10/31/2026"}, "invalid"),
        ({"date": "20261031"}, "invalid"),
        ({"section": None}, "invalid"),
        ({"comment": "x"}, "invalid"),
        ({"section": "99"}, "unknown_section"),
        ({"personId": "1"}, "unknown_student"),
        ({"personId": "900002"}, "not_registered"),
        ({"date": "2026-11-01"}, "not_in_session"),
    ],
)
def test_a_row_that_cannot_be_is_refused_and_the_others_are_written(
    client: CollegeClient, difference: dict[str, Any], code: str
) -> None:
    assert put(client, {**ROW, **difference}, "no row", ROW) == [
        ("refused", code),
        ("refused", "invalid"),
        ("written", None),
    ]
    assert len(kept(client)) == 1


def test_a_cancelled_meeting_is_not_in_session(client: CollegeClient) -> None:
    section = client.world.college.get("sections", "202610", "AWK101", "10")
    assert section is not None
    cancelled = [{**section["meetings"][0], "isCancelled": True}]
    client.world.college.put(
        "sections", {name: KEY[name] for name in KEY if name != "personId"} | {"meetings": cancelled}
    )
    assert put(client, ROW) == [("refused", "not_in_session")]


def test_a_section_without_meetings_is_in_session_on_each_of_its_days(client: CollegeClient) -> None:
    row = {**ROW, "section": "9"}
    days = ("2026-08-23", "2026-08-24", "2026-12-11", "2026-12-12")
    statuses = [status for status, _ in put(client, *({**row, "date": day} for day in days))]
    assert statuses == ["refused", "written", "written", "refused"]


def test_who_dropped_may_have_attended_until_then_and_who_waits_never(client: CollegeClient) -> None:
    row = {**ROW, "section": "9", "date": "2026-09-10"}
    register(client, {**KEY, "section": "9", "personId": "900002"}, status="dropped", droppedOn="2026-09-10")
    dropped, waiting = {**row, "personId": "900002"}, {**row, "personId": "900007"}
    assert put(client, dropped, {**dropped, "date": "2026-09-11"}, waiting) == [
        ("written", None),
        ("refused", "not_registered"),
        ("refused", "not_registered"),
    ]


@pytest.mark.parametrize("origin", ["manual", "self-service", "make-up", "transferred", "exception"])
def test_what_a_person_made_is_never_changed(client: CollegeClient, origin: str) -> None:
    by_hand = client.world.college.put("attendance", {**ROW, "origin": origin})
    assert put(client, {**ROW, "minutes": 0}, ROW) == [("refused", "made_by_hand")] * 2
    assert kept(client) == [by_hand]


def test_a_last_date_is_set_and_cleared(client: CollegeClient) -> None:
    def last(day: str | None) -> list[tuple[str, str | None]]:
        return put(client, {**KEY, "lastDateAttended": day}, path="enrollment-details")

    assert last(None) == [("unchanged", None)]
    assert last("2026-10-31") == [("written", None)]
    assert last("2026-10-31") == [("unchanged", None)]
    assert [(row["lastDateAttended"], row["isManual"]) for row in kept(client, "enrollment-details")] == [
        ("2026-10-31", False)
    ]
    assert last(None) == [("written", None)]
    assert last("soon") == [("refused", "invalid")]


def test_a_last_date_set_by_hand_stays_and_takes_later_rows_away_for_good(client: CollegeClient) -> None:
    days = ("2026-09-08", "2026-09-09", "2026-09-10")
    key = {**KEY, "section": "9"}
    rows = [{**key, "date": day, "hours": 1, "minutes": 0} for day in days]
    put(client, *rows)
    details = {"resource": "enrollment-details", "record": {**key, "lastDateAttended": "2026-09-09", "isManual": True}}

    client.control("PUT", "college/records", details)

    assert [row["date"] for row in kept(client)] == ["2026-09-08", "2026-09-09"]
    assert put(client, *rows) == [("unchanged", None), ("unchanged", None), ("refused", "manual_last_date")]
    later = {**key, "lastDateAttended": "2026-09-10"}
    assert put(client, later, path="enrollment-details") == [("refused", "manual_last_date")]
    details["record"] = {**key, "lastDateAttended": None, "isManual": False}
    client.control("PUT", "college/records", details)
    assert [row["date"] for row in kept(client)] == ["2026-09-08", "2026-09-09"]


def test_rows_are_read_by_day_semester_and_change(client: CollegeClient) -> None:
    rows = [{**KEY, "section": "9", "date": f"2026-09-0{day}", "hours": 1, "minutes": 0} for day in (7, 8, 9)]
    put(client, *rows)

    def days(**query: str) -> list[str]:
        return [row["date"][-1] for row in kept(client, **query)]

    assert days(**{"from": "2026-09-08"}) == ["8", "9"]
    assert days(**{"from": "2026-09-08", "to": "2026-09-08"}) == ["8"]
    assert days(semester="202620") == days(modifiedSince="2026-09-01T12:00:01Z") == []
    assert days(page="2", pageSize="2") == ["9"]


def test_exceptions_of_a_section_are_read_by_day(client: CollegeClient) -> None:
    section = {name: KEY[name] for name in KEY if name != "personId"}
    exception = {**section, "date": "2026-11-26", "addsToAccumulatedTime": True}
    made = client.control("PUT", "college/records", {"resource": "attendance-exceptions", "record": exception}).json()
    assert kept(client, "attendance-exceptions", **{"from": "2026-11-26", "to": "2026-11-26"}) == [made]
    assert kept(client, "attendance-exceptions", **{"from": "2026-11-27"}) == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"rows": {}}', b"{}"])
def test_a_body_without_rows_is_a_400(client: CollegeClient, body: bytes) -> None:
    headers = {"Authorization": "Bearer sandbox-campuscafe-token"}
    assert answer(client.call("PUT", "/campuscafe/api/v1/attendance", headers=headers, content=body)) == (
        400,
        "invalid",
    )


def test_more_than_five_hundred_rows_are_a_400_and_nothing_is_written(client: CollegeClient) -> None:
    headers = {"Authorization": "Bearer sandbox-campuscafe-token"}
    response = client.call("PUT", "/campuscafe/api/v1/attendance", headers=headers, json={"rows": [ROW] * 501})
    assert answer(response) == (400, "invalid")
    assert kept(client) == []


def test_nobody_writes_without_the_token(client: CollegeClient) -> None:
    assert answer(client.call("PUT", "/campuscafe/api/v1/attendance", json={"rows": [ROW]})) == (401, "bad_token")
    assert kept(client) == []


def test_the_results_can_be_one_too_few(client: CollegeClient) -> None:
    client.world.faults.add(Fault("campuscafe", "short_results"))
    assert put(client, ROW, {**ROW, "hours": 1}) == [("written", None)]
