"""The time attended that CourseKey exports (docs/coursekey-contract.md, export side)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from sandbox.faults import Fault
from tests.sandbox.college_client import KEY_1, KEY_2, MAIN, NORTH, WEST, CollegeClient, answer


@pytest.fixture
def client() -> CollegeClient:
    """A course on Monday and Wednesday 9:00 to 10:15, US/Eastern, with thirty students; it is Friday of that week."""
    one = CollegeClient()
    one.now = datetime(2026, 8, 28, 16, 0, tzinfo=UTC)
    one.control("POST", "coursekey", {"auto_schedule": [MAIN]})
    enroll(one, one.new_course()["addCode"], 30)
    return one


def enroll(client: CollegeClient, add_code: str, students: int) -> None:
    for number in range(students):
        email = f"s{number}@college.example"
        if not client.coursekey("GET", "/users", email=email).json()["data"]:
            client.new_user(email, str(200_001 + number))
        client.coursekey("POST", "/enrollments", email=email, course=add_code, isAdmin=0)


def attend(client: CollegeClient, first: str, last: str) -> int:
    response = client.control("POST", "coursekey/attend", {"from": first, "to": last})
    assert response.status_code == 200, response.text
    return int(response.json()["records"])


def ask(client: CollegeClient, key: str = KEY_1, **query: str) -> httpx.Response:
    asked = {"schoolID": MAIN, "from": "2026-08-01", "to": "2026-12-31", **query}
    return client.call("GET", "/coursekey-export/api/v1/timeattended", headers={"X-Auth-Key": key}, params=asked)


def rows(client: CollegeClient, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(client, **query).json()["data"]
    return found


def test_who_comes_to_a_session_has_a_record_with_everything_about_it(client: CollegeClient) -> None:
    assert attend(client, "2026-08-24", "2026-08-24") == 30
    record = next(row for row in rows(client) if row["checkIn"].endswith("T09:00:00-04:00") and row["checkOut"])
    (course,) = client.coursekey("GET", "/courses").json()["data"]
    (session, _) = client.coursekey("GET", f"/courses/{course['courseID']}/sessions").json()["data"]
    (user,) = client.coursekey("GET", "/users", email=record["email"]).json()["data"]
    assert record == {
        "recordID": record["recordID"],
        "schoolID": MAIN,
        "courseID": course["courseID"],
        "addCode": course["addCode"],
        "courseName": "MTH101 - 4",
        "userID": user["userID"],
        "issuedID": user["issuedID"],
        "email": user["email"],
        "sessionID": session["sessionID"],
        "sessionDate": "2026-08-24",
        "startTime": "2026-08-24T09:00:00-04:00",
        "endTime": "2026-08-24T10:15:00-04:00",
        "checkIn": "2026-08-24T09:00:00-04:00",
        "checkOut": "2026-08-24T10:15:00-04:00",
        "timeAttended": 4500,
        "timeAwarded": 4500,
        "timeAvailable": 4500,
        "attendanceName": "Lecture",
        "isAsynchronous": 0,
        "status": "complete",
        "lastActivity": "2026-08-24T10:15:00-04:00",
        "updatedAt": "2026-08-28T16:00:00+00:00",
        "isDeleted": 0,
    }


def test_some_come_late_and_get_the_time_they_were_there(client: CollegeClient) -> None:
    attend(client, "2026-08-24", "2026-08-26")
    late = [row for row in rows(client) if row["checkOut"] and not row["checkIn"].endswith("09:00:00-04:00")]
    assert late
    for row in late:
        between = datetime.fromisoformat(row["checkOut"]) - datetime.fromisoformat(row["checkIn"])
        assert row["timeAttended"] == row["timeAwarded"] == between.total_seconds() < row["timeAvailable"]


def test_to_attend_twice_makes_nothing_new_and_changes_nothing(client: CollegeClient) -> None:
    made = attend(client, "2026-08-24", "2026-08-26")
    before = rows(client)
    assert (made, attend(client, "2026-08-24", "2026-08-26")) == (len(before), 0)
    assert rows(client) == before


def test_the_times_are_the_same_whatever_order_courses_and_users_came_in() -> None:
    def times(names: list[str]) -> set[tuple[Any, ...]]:
        one = CollegeClient()
        one.control("POST", "coursekey", {"auto_schedule": [MAIN]})
        for name in names:
            enroll(one, one.new_course(name)["addCode"], 5)
        attend(one, "2026-08-24", "2026-08-26")
        return {(row["courseName"], row["email"], row["checkIn"], row["timeAwarded"]) for row in rows(one)}

    assert times(["A", "B"]) == times(["B", "A"])


def test_days_are_both_included_and_schools_and_keys_are_kept_apart(client: CollegeClient) -> None:
    attend(client, "2026-08-24", "2026-08-28")
    both = rows(client)
    monday = rows(client, **{"from": "2026-08-24", "to": "2026-08-24"})
    wednesday = rows(client, **{"from": "2026-08-26", "to": "2026-08-26"})
    assert monday + wednesday == both
    assert {row["sessionDate"] for row in monday} == {"2026-08-24"}
    assert rows(client, **{"from": "2026-08-25", "to": "2026-08-25"}) == rows(client, schoolID=NORTH) == []
    assert answer(ask(client, schoolID=WEST)) == (403, "foreign_school")
    assert answer(ask(client, key=KEY_2)) == (403, "foreign_school")
    assert answer(ask(client, key="another")) == (401, "bad_key")


@pytest.mark.parametrize("query", [{"from": ""}, {"to": "08/24/2026"}, {"cursor": "x"}, {"schoolID": ""}])
def test_a_question_that_cannot_be_read_is_refused(client: CollegeClient, query: dict[str, str]) -> None:
    assert answer(ask(client, **query)) == (422, "invalid")


def test_who_dropped_attends_no_more_but_keeps_what_was(client: CollegeClient) -> None:
    attend(client, "2026-08-24", "2026-08-24")
    before = rows(client)
    (course,) = client.coursekey("GET", "/courses").json()["data"]
    for number in range(30):
        given = {"email": f"s{number}@college.example", "course": course["addCode"]}
        client.coursekey("POST", "/enrollments/drop", **given)
    assert attend(client, "2026-08-24", "2026-08-26") == 0
    assert rows(client) == before


def test_a_session_in_progress_is_not_final_until_it_has_ended(client: CollegeClient) -> None:
    client.now = datetime(2026, 8, 24, 13, 30, tzinfo=UTC)
    made = attend(client, "2026-08-24", "2026-08-26")
    running = rows(client)
    assert {(row["status"], row["checkOut"], row["timeAwarded"]) for row in running} == {("inProgress", None, 0)}

    client.now = datetime(2026, 8, 24, 15, 0, tzinfo=UTC)

    assert (made, attend(client, "2026-08-24", "2026-08-26")) == (30, 0)
    ended = rows(client)
    assert [row["recordID"] for row in ended] == [row["recordID"] for row in running]
    assert {row["status"] for row in ended} == {"complete"}


@pytest.mark.parametrize(
    ("kind", "awarded"),
    [("raise", lambda before: before + 600), ("lower", lambda before: before // 2), ("zero", lambda _: 0)],
)
def test_time_is_raised_lowered_and_zeroed(client: CollegeClient, kind: str, awarded: Any) -> None:
    attend(client, "2026-08-24", "2026-08-24")
    before = {row["recordID"]: row["timeAwarded"] for row in rows(client)}
    client.now = datetime(2026, 8, 29, tzinfo=UTC)

    adjusted = client.control("POST", "coursekey/adjust", {"kind": kind, "count": 3}).json()["adjusted"]

    after = {row["recordID"]: (row["timeAwarded"], row["updatedAt"]) for row in rows(client)}
    assert len(adjusted) == 3
    for row in adjusted:
        record_id = row["recordID"]
        assert row == {"recordID": record_id, "before": before[record_id], "after": awarded(before.pop(record_id))}
        assert after.pop(record_id) == (row["after"], "2026-08-29T00:00:00+00:00")
    assert {record_id: time for record_id, (time, _) in after.items()} == before


def test_what_is_deleted_is_gone_or_shown_as_deleted(client: CollegeClient) -> None:
    attend(client, "2026-08-24", "2026-08-24")
    (deleted,) = client.control("POST", "coursekey/adjust", {"kind": "delete"}).json()["adjusted"]
    assert deleted["recordID"] not in {row["recordID"] for row in rows(client)}
    client.control("POST", "coursekey", {"show_deleted": True})
    (shown,) = (row for row in rows(client) if row["isDeleted"])
    assert (shown["recordID"], shown["timeAwarded"]) == (deleted["recordID"], 0)


def test_nothing_is_adjusted_twice(client: CollegeClient) -> None:
    attend(client, "2026-08-24", "2026-08-24")
    awarded = sum(row["timeAwarded"] > 0 for row in rows(client))
    first = client.control("POST", "coursekey/adjust", {"kind": "zero", "count": 1000}).json()["adjusted"]
    again = client.control("POST", "coursekey/adjust", {"kind": "raise", "count": 1000}).json()["adjusted"]
    assert (len(first), again) == (awarded, [])


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("adjust", {"kind": "double"}, "kind must be one of raise, lower, zero, delete, not 'double'."),
        ("adjust", {"kind": "zero", "count": 0}, "count must be a whole number, 1 or more, not 0."),
        ("attend", {"from": "2026-08-24"}, "to must be a date, YYYY-MM-DD."),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_a_sentence(
    client: CollegeClient, path: str, body: dict[str, Any], sentence: str
) -> None:
    response = client.control("POST", f"coursekey/{path}", body)
    assert (response.status_code, response.json()) == (422, {"error": sentence})


def test_a_record_can_be_made_and_made_to_say_anything(client: CollegeClient) -> None:
    given = {"schoolID": MAIN, "course": "MTH101 - 4", "email": "s0@college.example", "sessionDate": "2026-09-02"}
    made = client.control("PUT", "coursekey/records", {**given, "timeAwarded": 100_000, "sessionID": "x"}).json()
    assert rows(client) == [made]
    assert (made["timeAwarded"], made["sessionID"], made["sessionDate"]) == (100_000, "x", "2026-09-02")
    changed = client.control("PUT", "coursekey/records", {"recordID": made["recordID"], "timeAwarded": "-1"}).json()
    assert changed == {**made, "timeAwarded": "-1"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"recordID": "1"}, "There is no record of this recordID."),
        (
            {"sessionDate": "2026-09-02", "schoolID": MAIN, "course": "?"},
            "A new record needs the schoolID of a school, the name of its course and the email of its user.",
        ),
        ({"schoolID": MAIN}, "sessionDate must be a date, YYYY-MM-DD."),
    ],
)
def test_a_record_there_cannot_be_is_refused_in_a_sentence(
    client: CollegeClient, body: dict[str, Any], sentence: str
) -> None:
    response = client.control("PUT", "coursekey/records", body)
    assert (response.status_code, response.json()) == (422, {"error": sentence})


def test_a_night_over_the_end_of_daylight_saving_time_lasts_an_hour_longer(client: CollegeClient) -> None:
    client.now = datetime(2026, 11, 2, tzinfo=UTC)
    night = {"date": "10/31/2026", "startTime": "22:00:00", "endTime": "6:00:00", "timeZone": "US/Eastern"}
    (course,) = client.coursekey("GET", "/courses").json()["data"]
    client.coursekey("PUT", f"/courses/{course['courseID']}/sessions", **night)
    attend(client, "2026-10-31", "2026-10-31")
    whole = next(row for row in rows(client) if row["checkIn"] == "2026-10-31T22:00:00-04:00" and row["checkOut"])
    assert (whole["checkOut"], whole["timeAwarded"], whole["sessionDate"]) == (
        "2026-11-01T06:00:00-05:00",
        9 * 3600,
        "2026-10-31",
    )


def test_midnight_shift_makes_two_records_of_such_a_night_one_on_each_day(client: CollegeClient) -> None:
    client.now = datetime(2026, 11, 2, tzinfo=UTC)
    client.control("POST", "coursekey", {"midnight_shift": [MAIN]})
    night = {"date": "10/31/2026", "startTime": "22:00:00", "endTime": "6:00:00", "timeZone": "US/Eastern"}
    (course,) = client.coursekey("GET", "/courses").json()["data"]
    client.coursekey("PUT", f"/courses/{course['courseID']}/sessions", **night)
    attend(client, "2026-10-31", "2026-10-31")
    emails = {row["email"] for row in rows(client) if row["checkIn"] == "2026-10-31T22:00:00-04:00" and row["checkOut"]}
    parts = [row for row in rows(client) if row["email"] == min(emails)]
    assert [(row["sessionDate"], row["checkIn"], row["checkOut"], row["timeAwarded"]) for row in parts] == [
        ("2026-10-31", "2026-10-31T22:00:00-04:00", "2026-11-01T00:00:00-04:00", 2 * 3600),
        ("2026-11-01", "2026-11-01T00:00:00-04:00", "2026-11-01T06:00:00-05:00", 7 * 3600),
    ]
    assert len({row["recordID"] for row in parts}) == 2


def test_a_flexible_day_is_attended_by_some_at_any_hour_and_counts_eight_hours_at_most(client: CollegeClient) -> None:
    client.now = datetime(2026, 12, 1, tzinfo=UTC)
    flexible = {"attendanceName": "Flexible Lab", "endDate": "11/20/2026", "startTime": "", "endTime": "", "days": ""}
    enroll(client, client.new_course("FLX", **flexible)["addCode"], 10)
    assert attend(client, "2026-09-01", "2026-11-20") > 200
    flexible_rows = [row for row in rows(client) if row["courseName"] == "FLX"]
    assert all(0 < row["timeAwarded"] <= 8 * 3600 for row in flexible_rows)
    overnight = [row for row in flexible_rows if row["checkIn"][:10] < row["checkOut"][:10]]
    assert 0 < len(overnight) < len(flexible_rows) / 5


def test_asynchronous_work_earns_the_awarded_time_or_nothing_when_it_is_late(client: CollegeClient) -> None:
    client.now = datetime(2026, 12, 1, tzinfo=UTC)
    blended = {"attendanceName": "Blended Capstone", "awardedTime": 3600, "endDate": "11/27/2026", "days": ""}
    enroll(client, client.new_course("BLC", **blended)["addCode"], 10)
    attend(client, "2026-08-31", "2026-09-27")
    handed_in = [row for row in rows(client) if row["isAsynchronous"]]
    assert len(handed_in) == 40  # one a week of each
    in_time = [row for row in handed_in if date.fromisoformat(row["sessionDate"]).weekday() == 2]
    late = [row for row in handed_in if row not in in_time]
    assert {row["timeAwarded"] for row in in_time} == {3600}
    assert {(row["timeAwarded"], date.fromisoformat(row["sessionDate"]).weekday()) for row in late} == {(0, 6)}
    assert {(row["sessionID"], row["checkIn"], row["timeAttended"]) for row in handed_in} == {(None, None, 0)}
    assert late[0]["lastActivity"] == f"{late[0]['sessionDate']}T20:15:00-04:00"


def test_who_forgot_to_check_out_gets_nothing(client: CollegeClient) -> None:
    client.now = datetime(2026, 12, 1, tzinfo=UTC)
    enroll(client, client.new_course("LEC", endDate="11/27/2026")["addCode"], 30)
    attend(client, "2026-08-24", "2026-11-27")
    forgot = [row for row in rows(client) if row["checkOut"] is None]
    assert {(row["timeAwarded"], row["timeAttended"], row["status"]) for row in forgot} == {(0, 0, "complete")}


def pages(client: CollegeClient) -> list[list[Any]]:
    answers = [ask(client).json()]
    while cursor := answers[-1]["nextCursor"]:
        answers.append(ask(client, cursor=cursor).json())
    return [each["data"] for each in answers]


def test_the_export_comes_in_pages_which_may_overlap(client: CollegeClient) -> None:
    attend(client, "2026-08-24", "2026-08-26")
    everything = rows(client)
    client.control("POST", "coursekey", {"export_page_size": 20})
    plain = pages(client)
    client.world.faults.add(Fault("coursekey-export", "overlap", count=None))
    overlapping = pages(client)
    assert [row for page in plain for row in page] == everything
    assert [len(page) for page in plain[:-1]] == [20, 20]
    assert overlapping == [plain[0], plain[0][-5:] + plain[1], plain[1][-5:] + plain[2]]


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("drop_page", lambda page, whole: page["data"] == [] and page["nextCursor"] == whole["nextCursor"]),
        ("empty_list", lambda page, whole: page == {"data": [], "nextCursor": None}),
        ("null_row", lambda page, whole: page["data"] == [None, *whole["data"][1:]]),
        ("broken_row", lambda page, whole: page["data"][0]["timeAwarded"] == "a while"),
        ("repeated_cursor", lambda page, whole: page["nextCursor"] == "from-0" != whole["nextCursor"]),
    ],
)
def test_a_page_can_go_wrong_in_every_way(client: CollegeClient, kind: str, seen: Any) -> None:
    client.control("POST", "coursekey", {"export_page_size": 20})
    attend(client, "2026-08-24", "2026-08-24")
    whole = ask(client).json()
    client.world.faults.add(Fault("coursekey-export", kind))
    page = ask(client).json()
    assert page != whole
    assert seen(page, whole)
    assert ask(client).json() == whole


def test_the_export_shows_a_users_email_as_it_is_now(client: CollegeClient) -> None:
    attend(client, "2026-08-24", "2026-08-24")
    first = rows(client)[0]
    given: dict[str, Any] = {"firstName": "A", "lastName": "B", "email": "moved@college.example", "isTeacher": 0}
    client.coursekey("PUT", f"/users/{first['userID']}", **given, issuedID=first["issuedID"])
    assert rows(client)[0] == {**first, "email": "moved@college.example"}
