"""CourseKey's courses with their sessions, staff and enrollments (docs/coursekey-contract.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.college_client import KEY_2, MAIN, NORTH, OWNER, WEST, CollegeClient, answer, course


@pytest.fixture
def client() -> CollegeClient:
    return CollegeClient()


def sessions(client: CollegeClient, course_id: str) -> list[tuple[str, str, str]]:
    rows = client.coursekey("GET", f"/courses/{course_id}/sessions").json()["data"]
    return [(row["date"], row["startTime"], row["endTime"]) for row in rows]


def people(client: CollegeClient, course_id: str, which: str, flag: str) -> dict[str, int]:
    rows = client.coursekey("GET", f"/courses/{course_id}/{which}").json()["data"]
    return {row["email"]: row[flag] for row in rows}


def test_a_new_course_is_what_was_sent_with_an_id_and_a_join_code(client: CollegeClient) -> None:
    sent = {**course(), "awardedTime": 3600, "synchronousHours": "30.00", "asynchronousHours": 15}
    made = client.new_course(**sent)
    assert made == {**sent, "schoolID": MAIN, "courseID": made["courseID"], "addCode": made["addCode"]}
    assert re.fullmatch(r"ck[a-z2-9]{5}", made["addCode"])
    assert client.coursekey("GET", f"/courses/{made['courseID']}").json() == made
    assert client.coursekey("GET", "/courses", name=sent["name"]).json()["data"] == [made]
    assert client.coursekey("GET", "/courses", name=sent["name"].lower()).json()["data"] == []


def test_no_two_join_codes_are_alike(client: CollegeClient) -> None:
    codes = {client.new_course(f"Course {number}")["addCode"] for number in range(50)}
    assert len(codes) == 50


def test_the_owner_and_the_admins_are_on_the_staff_of_a_new_course(client: CollegeClient) -> None:
    client.new_user("a@college.example")
    client.new_user("b@college.example")
    made = client.new_course(admin="a@college.example|b@college.example|registrar@college.example")
    assert people(client, made["courseID"], "staff", "isOwner") == {
        "a@college.example": 0,
        "b@college.example": 0,
        OWNER: 1,
    }


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        ({"owner": "nobody@college.example"}, (422, "unknown_owner")),
        ({"owner": None}, (422, "unknown_owner")),
        ({"admin": "nobody@college.example"}, (422, "invalid")),
        ({"attendanceName": "Laboratory"}, (422, "unknown_attendance_name")),
        ({"attendanceName": "4:Lecture"}, (422, "unknown_attendance_name")),
        ({"attendanceName": None}, (422, "invalid")),
        ({"timeZone": "us/eastern"}, (422, "bad_time_zone")),
        ({"timeZone": ""}, (422, "bad_time_zone")),
        ({"startDate": "2026-08-24"}, (422, "invalid")),
        ({"startDate": "02/30/2026"}, (422, "invalid")),
        ({"endDate": "08/23/2026"}, (422, "invalid")),
        ({"startTime": "9:00"}, (422, "invalid")),
        ({"endTime": "24:00:00"}, (422, "invalid")),
        ({"days": "Monday,Wednesday"}, (422, "invalid")),
        ({"days": "Mon"}, (422, "invalid")),
        ({"awardedTime": "3600"}, (422, "invalid")),
        ({"awardedTime": -1}, (422, "invalid")),
        ({"synchronousHours": "some"}, (422, "invalid")),
        ({"asynchronousHours": -1}, (422, "invalid")),
        ({"name": ""}, (422, "invalid")),
        ({"title": None}, (422, "invalid")),
        ({"externalID": "202610/MTH101/4"}, (422, "invalid")),
    ],
)
def test_a_course_that_cannot_be_is_refused_and_not_made(
    client: CollegeClient, difference: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert answer(client.coursekey("POST", "/courses", **{**course(), **difference})) == expected
    assert client.world.coursekey.counts()["courses"] == 0


def test_a_school_with_one_configuration_needs_no_attendance_name_but_knows_no_other(client: CollegeClient) -> None:
    unnamed = {**course(), "attendanceName": ""}
    assert client.coursekey("POST", "/courses", school=NORTH, **unnamed).status_code == 201
    named = {**course("Another"), "attendanceName": "Internship"}
    assert answer(client.coursekey("POST", "/courses", school=NORTH, **named)) == (422, "unknown_attendance_name")


def test_a_course_without_a_schedule_can_be(client: CollegeClient) -> None:
    made = client.new_course(startTime="", endTime="", days="")
    assert (made["startTime"], made["days"]) == ("", "")


def test_a_courses_name_is_unique_in_its_school(client: CollegeClient) -> None:
    client.new_course()
    assert answer(client.coursekey("POST", "/courses", **course())) == (409, "duplicate_name")
    assert client.coursekey("POST", "/courses", school=NORTH, **course()).status_code == 201


def test_the_owner_can_be_unknown_under_one_key(client: CollegeClient) -> None:
    client.control("POST", "coursekey", {"owner_unknown": [KEY_2]})
    refused = client.coursekey("POST", "/courses", key=KEY_2, school=WEST, **course())
    assert answer(refused) == (422, "unknown_owner")
    assert client.coursekey("GET", "/users", key=KEY_2, school=WEST, email=OWNER).json()["data"] == []
    assert client.coursekey("POST", "/courses", **course()).status_code == 201


def test_an_update_changes_a_course_but_neither_its_owner_nor_its_join_code(client: CollegeClient) -> None:
    made = client.new_course()
    path = f"/courses/{made['courseID']}"
    given = {name: value for name, value in course("MTH101 - 5").items() if name != "owner"} | {"title": "Math"}

    updated = client.coursekey("PUT", path, **given)

    kept = {"owner": OWNER, "courseID": made["courseID"], "addCode": made["addCode"], "schoolID": MAIN}
    assert answer(updated) == (200, {**given, **kept})
    assert client.coursekey("GET", "/courses", name="MTH101 - 4").json()["data"] == []
    assert answer(client.coursekey("PUT", path, **given, owner=OWNER)) == (422, "invalid")
    assert answer(client.coursekey("PUT", path, **given, admin="")) == (422, "invalid")


def test_an_update_cannot_take_the_name_of_another_course(client: CollegeClient) -> None:
    made, other = client.new_course(), client.new_course("Other")
    given = {name: value for name, value in course().items() if name != "owner"}
    assert client.coursekey("PUT", f"/courses/{made['courseID']}", **given).status_code == 200
    assert answer(client.coursekey("PUT", f"/courses/{other['courseID']}", **given)) == (409, "duplicate_name")


def test_a_course_that_is_not_there_or_at_another_school_is_a_404(client: CollegeClient) -> None:
    made = client.new_course()
    assert answer(client.coursekey("GET", "/courses/1")) == (404, "unknown_course")
    for path in ("", "/staff", "/enrollments", "/sessions"):
        foreign = client.coursekey("GET", f"/courses/{made['courseID']}{path}", school=NORTH)
        assert answer(foreign) == (404, "unknown_course")


def test_staff_are_added_once_and_removed(client: CollegeClient) -> None:
    path, user = f"/courses/{client.new_course()['courseID']}/staff", client.new_user("a@college.example")
    added = {"userID": user["userID"], "email": "a@college.example"}
    assert answer(client.coursekey("POST", path, email="A@college.example", isAdmin=1)) == (201, added)
    assert answer(client.coursekey("POST", path, email="a@college.example", isAdmin=1)) == (200, added)
    assert answer(client.coursekey("DELETE", f"{path}/{user['userID']}")) == (204, None)
    assert answer(client.coursekey("DELETE", f"{path}/{user['userID']}")) == (404, "not_on_course")


def test_staff_must_be_users_and_admins(client: CollegeClient) -> None:
    path = f"/courses/{client.new_course()['courseID']}/staff"
    assert answer(client.coursekey("POST", path, email="a@college.example", isAdmin=1)) == (404, "unknown_user")
    assert answer(client.coursekey("POST", path, email=OWNER, isAdmin=0)) == (422, "invalid")


def test_the_owner_cannot_be_removed(client: CollegeClient) -> None:
    path = f"/courses/{client.new_course()['courseID']}/staff"
    (owner,) = client.coursekey("GET", path).json()["data"]
    assert answer(client.coursekey("DELETE", f"{path}/{owner['userID']}")) == (409, "owner_protected")


def test_a_student_is_enrolled_once_dropped_softly_and_enrolled_again(client: CollegeClient) -> None:
    made, _ = client.new_course(), client.new_user("s@college.example")
    given = {"email": "S@college.example", "course": made["addCode"]}

    def enrolled() -> dict[str, int]:
        return people(client, made["courseID"], "enrollments", "isActive")

    assert client.coursekey("POST", "/enrollments", **given, isAdmin=0).status_code == 201
    assert client.coursekey("POST", "/enrollments", **given, isAdmin=0).status_code == 200
    assert enrolled() == {"s@college.example": 1}
    assert client.coursekey("POST", "/enrollments/drop", **given).status_code == 200
    assert enrolled() == {"s@college.example": 0}
    assert answer(client.coursekey("POST", "/enrollments/drop", **given)) == (404, "not_enrolled")
    assert client.coursekey("POST", "/enrollments", **given, isAdmin=0).status_code == 201
    assert enrolled() == {"s@college.example": 1}


def test_only_users_are_enrolled_and_only_by_a_join_code(client: CollegeClient) -> None:
    made, _ = client.new_course(), client.new_user("s@college.example")
    code, person = {"course": made["addCode"]}, {"email": "s@college.example"}
    nobody = client.coursekey("POST", "/enrollments", **code, email="x@college.example", isAdmin=0)
    assert answer(nobody) == (404, "unknown_user")
    by_id = client.coursekey("POST", "/enrollments", **person, course=made["courseID"], isAdmin=0)
    assert answer(by_id) == (404, "unknown_course")
    assert answer(client.coursekey("POST", "/enrollments", **code, **person)) == (422, "invalid")
    assert answer(client.coursekey("POST", "/enrollments/drop", **code, **person)) == (404, "not_enrolled")


def test_an_enrollment_with_the_admin_flag_gives_an_instructors_rights(client: CollegeClient) -> None:
    made, _ = client.new_course(), client.new_user("s@college.example")
    client.coursekey("POST", "/enrollments", email="s@college.example", course=made["addCode"], isAdmin=1)
    assert people(client, made["courseID"], "staff", "isOwner") == {OWNER: 1, "s@college.example": 0}


def test_a_session_is_one_per_date_and_start(client: CollegeClient) -> None:
    course_id = client.new_course()["courseID"]
    path = f"/courses/{course_id}/sessions"
    given = {"date": "8/24/2026", "startTime": "9:00:00", "endTime": "10:15:00", "timeZone": "US/Eastern"}
    first = client.coursekey("PUT", path, **given)
    session = {**given, "date": "08/24/2026", "sessionID": first.json()["sessionID"]}
    assert answer(first) == (201, session)
    longer = client.coursekey("PUT", path, **{**given, "date": "08/24/2026", "endTime": "11:00:00"})
    assert answer(longer) == (200, {**session, "endTime": "11:00:00"})
    assert client.coursekey("PUT", path, **{**given, "startTime": "22:00:00", "endTime": "6:00:00"}).status_code == 201
    assert sessions(client, course_id) == [
        ("08/24/2026", "9:00:00", "11:00:00"),
        ("08/24/2026", "22:00:00", "6:00:00"),
    ]


def test_a_session_is_cancelled_once(client: CollegeClient) -> None:
    path = f"/courses/{client.new_course()['courseID']}/sessions"
    given = {"date": "08/24/2026", "startTime": "9:00:00", "endTime": "10:15:00", "timeZone": "US/Eastern"}
    session = client.coursekey("PUT", path, **given).json()
    assert answer(client.coursekey("DELETE", f"{path}/{session['sessionID']}")) == (204, None)
    assert answer(client.coursekey("DELETE", f"{path}/{session['sessionID']}")) == (404, "no_session")


@pytest.mark.parametrize(
    ("difference", "code"),
    [({"date": "24.08.2026"}, "invalid"), ({"timeZone": "Eastern"}, "bad_time_zone"), ({"endTime": ""}, "invalid")],
)
def test_a_session_of_the_wrong_form_is_refused(client: CollegeClient, difference: dict[str, str], code: str) -> None:
    path = f"/courses/{client.new_course()['courseID']}/sessions"
    given = {"date": "08/24/2026", "startTime": "9:00:00", "endTime": "10:15:00", "timeZone": "US/Eastern"}
    assert answer(client.coursekey("PUT", path, **{**given, **difference})) == (422, code)


def test_a_flexible_course_has_a_session_on_every_day_by_itself(client: CollegeClient) -> None:
    made = client.new_course(attendanceName="Flexible Lab", endDate="08/26/2026")
    days = [(f"08/{day}/2026", "0:00:00", "23:59:00") for day in (24, 25, 26)]
    assert sessions(client, made["courseID"]) == days


def test_a_school_that_schedules_by_itself_follows_the_weekdays_and_a_change_of_them(client: CollegeClient) -> None:
    client.control("POST", "coursekey", {"auto_schedule": [MAIN]})
    course_id = client.new_course()["courseID"]
    set_by_hand = {"date": "08/30/2026", "startTime": "9:00:00", "endTime": "10:15:00", "timeZone": "US/Eastern"}
    client.coursekey("PUT", f"/courses/{course_id}/sessions", **set_by_hand)
    before = sessions(client, course_id)
    given = {name: value for name, value in course().items() if name != "owner"}
    client.coursekey("PUT", f"/courses/{course_id}", **{**given, "days": "Wednesday|Friday"})
    times = ("9:00:00", "10:15:00")
    assert before == [("08/24/2026", *times), ("08/26/2026", *times), ("08/30/2026", *times)]
    assert sessions(client, course_id) == [("08/26/2026", *times), ("08/28/2026", *times), ("08/30/2026", *times)]


def test_a_school_that_does_not_schedule_by_itself_has_the_sessions_it_is_told(client: CollegeClient) -> None:
    assert sessions(client, client.new_course()["courseID"]) == []


def test_the_attendance_names_of_a_school_can_be_listed(client: CollegeClient) -> None:
    def names(**given: str) -> list[str]:
        return [row["name"] for row in client.coursekey("GET", "/attendanceconfigurations", **given).json()["data"]]

    assert names() == ["Lecture", "Internship", "Flexible Lab", "Blended Capstone"]
    assert names(school=NORTH) == ["Lecture"]
