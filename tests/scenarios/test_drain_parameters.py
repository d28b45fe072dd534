"""Each parameter that steers what is sent, as a story over HTTP (reference coursekey §4, "how to test it")."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.queue import EntryState, Intent
from tests.harness import Clock
from tests.scenarios.drain_ground import OWNER, Ground, Made, course_of, enrollment, staff


def a_class(town: Ground, **section: Any) -> SectionKey:
    """A section with an instructor and a student."""
    key = town.section(**section)
    town.teach(key, town.person(9001, firstName="Ted"), isPrimary=True)
    town.register(key, town.person(2001))
    town.collect()
    return key


def the_course(town: Ground) -> dict[str, Any]:
    [course] = town.there()["courses"]
    return dict(course)


@pytest.mark.parametrize(("flag", "mails"), [("Y", 1), ("N", 0)])
def test_send_email_to_new_user(made: Made, flag: str, mails: int) -> None:
    with made(send_email_to_new_user=flag) as one:
        a_class(one)
        one.arm("drop_after", match="POST /coursekey/api/v1/users\n")
        one.drain()
        one.person(2001, lastName="Married")
        one.run()

        assert {user["welcomeMails"] for user in one.there()["users"] if user["issuedID"]} == {mails}


@pytest.mark.parametrize(("unit", "value", "seconds"), [(None, 3600, 3600), ("seconds", 90, 90), ("minutes", 90, 5400)])
def test_awarded_time_goes_out_in_seconds(made: Made, unit: str | None, value: int, seconds: int) -> None:
    with made(awarded_time_minutes=value, awarded_time_unit=unit) as one:
        a_class(one, enrollmentCode4="BLC", contactHours="30.00", labHours="15.00")
        one.drain()

        course = the_course(one)
        assert (course["awardedTime"], course["synchronousHours"], course["asynchronousHours"]) == (seconds, 30.0, 15.0)


def test_other_attendance_names_have_no_awarded_time(made: Made) -> None:
    with made() as one:
        a_class(one)
        one.drain()

        assert "awardedTime" not in the_course(one)


def test_formats_of_name_and_title_are_the_documents_own_and_a_new_title_is_one_call(made: Made) -> None:
    with made(course_title_format="@COURSE_TITLE@ (@SEMESTER@)") as one:
        a_class(one)
        one.drain()
        course = the_course(one)
        assert (course["name"], course["title"]) == (
            "MTH101 - 4: Intro to Math in Fall 2026",
            "Intro to Math (202610)",
        )

        one.forget_calls()
        one.section(title="Math")
        one.run()
        assert one.calls() == Counter({"update course": 1})
        assert the_course(one)["name"] == "MTH101 - 4: Math in Fall 2026"

        one.forget_calls()
        one.run()
        assert one.calls() == Counter()


def test_two_sections_with_one_name_never_become_one_course(made: Made) -> None:
    with made(course_name_format="@COURSE_TITLE@") as one:
        for name in ("MTH101/4", "MTH101/5"):
            one.register(one.section(name), one.person(2001))
        one.collect()
        one.drain()

        assert [course["name"] for course in one.there()["courses"]] == ["Intro to Math"]
        failed = one.entries(EntryState.FAILED)
        assert {entry.error_code for entry in failed} == {"course-name-taken"}
        assert {str(entry.entity.section_key) for entry in failed} == {"202610/MTH101/5"}


def test_course_admins_are_on_every_course_and_one_without_an_address_hinders_nobody(made: Made) -> None:
    with made(course_admins="9101|9102|9102|9103") as one:
        one.person(9101)
        one.person(9102, email="")
        a_class(one)
        one.drain()

        assert [person["issuedID"] for person in the_course(one)["staff"]] == ["9001", "9101", ""]
        assert {entry.entity.person: entry.rule for entry in one.entries(EntryState.FAILED)} == {
            "9102": "email-missing",
            "9103": "person-unknown",
        }


def test_the_owner_who_also_teaches_is_not_added_twice(made: Made) -> None:
    with made() as one:
        key = one.section()
        one.teach(key, one.person(9001, email=OWNER))
        one.collect()
        one.drain()

        assert [(person["email"], person["isOwner"]) for person in the_course(one)["staff"]] == [(OWNER, 1)]
        assert one.entry(staff(key, "9001")).rule == "owner"


def test_api_name_keeps_the_entries_of_other_connectors(made: Made) -> None:
    with made() as one:
        key = a_class(one)
        with one.store.begin() as connection:
            connection.exec_driver_sql("update queue_entry set api_name = 'CC_D2L' where kind = 'enrollment'")
        one.drain()

        assert the_course(one)["enrollments"] == []
        with one.store.begin() as connection:
            left = "select state, person, section from queue_entry where api_name = 'CC_D2L'"
            assert connection.exec_driver_sql(left).all() == [("PENDING", "2001", key.section)]


@pytest.mark.parametrize(
    ("flag", "title"), [("Y", "Intro to Math"), ("N", "Math")], ids=["excluded", "flag not looked at"]
)
def test_use_lms_exclude_flag_leaves_what_is_there(made: Made, flag: str, title: str) -> None:
    with made(use_lms_exclude_flag=flag) as one:
        key = a_class(one)
        one.drain()
        one.section(excludeFromLms=True, title="Math")
        one.register(key, one.person(2002))
        one.run()

        course = the_course(one)
        assert course["title"] == title
        assert len(course["enrollments"]) == (1 if flag == "Y" else 2)


def test_cutover_semester_and_catalog_are_left_out(made: Made) -> None:
    with made(cutover_semester="202620") as one:
        a_class(one)
        one.drain()

        assert one.there()["courses"] == []


def test_a_window_opens_on_its_day_in_the_sections_zone(made: Made, clock: Clock) -> None:
    with made(course_days_active_bef_begin=21, enrollment_days_active_bef_begin=14) as one:
        key = a_class(one, beginDate="2026-11-16")  # the clock goes back on November 1
        found = []
        for moment in (
            datetime(2026, 10, 26, 3, 59, tzinfo=UTC),
            datetime(2026, 10, 26, 4, 0, tzinfo=UTC),
            datetime(2026, 11, 2, 4, 59, tzinfo=UTC),
            datetime(2026, 11, 2, 5, 0, tzinfo=UTC),
        ):
            clock.moment = moment
            one.drain()
            courses = one.there()["courses"]
            found.append((len(courses), sum(len(course["enrollments"]) for course in courses)))

        assert found == [(0, 0), (1, 0), (1, 0), (1, 1)]
        assert one.entry(course_of(key)).state is EntryState.DONE


def test_auto_queue_n_leaves_early_registrations_to_a_person(made: Made, clock: Clock) -> None:
    with made(auto_queue_items="N") as one:
        key = a_class(one, beginDate="2026-11-16")
        clock.moment = datetime(2026, 11, 16, 12, tzinfo=UTC)
        one.drain()
        assert one.there()["courses"] == []

        one.queue(enrollment(key, "2001"), forced=True)
        one.drain()
        assert len(the_course(one)["enrollments"]) == 1


def test_drops_go_out_until_the_window_after_the_end_is_over(made: Made, clock: Clock) -> None:
    with made(enrollment_days_active_aft_end=5) as one:
        key = a_class(one, endDate="2026-09-10")
        one.drain()
        clock.moment = datetime(2026, 9, 16, 5, tzinfo=UTC)
        one.register(key, "2001", status="dropped")
        one.collect()
        one.queue(enrollment(key, "2001"), intent=Intent.REMOVE)
        one.drain()

        assert [person["isActive"] for person in the_course(one)["enrollments"]] == [1]
        assert one.entry(enrollment(key, "2001")).rule == "after-window"


def test_the_keys_own_zone_governs_its_schools(made: Made) -> None:
    with made(timezone="US/Pacific") as one:
        a_class(one, site="WEST", startTime="09:00", endTime="10:15", days=["Monday"])
        one.drain()

        course = the_course(one)
        assert (course["timeZone"], course["startTime"], course["days"]) == ("US/Arizona", "09:00:00", "Monday")


def test_a_new_address_changes_the_account_and_makes_no_second_one(made: Made) -> None:
    with made() as one:
        key = a_class(one)
        one.drain()
        one.person(2001, email="new.address@college.example")
        one.register(one.section("MTH101/5"), "2001")
        one.run()

        students = [user for user in one.there()["users"] if user["issuedID"] == "2001"]
        assert [user["email"] for user in students] == ["new.address@college.example"]
        assert [len(course["enrollments"]) for course in one.there()["courses"]] == [1, 1]
        assert one.entry(enrollment(key, "2001")).state is EntryState.DONE


def test_an_account_made_by_hand_without_an_id_is_taken_over(made: Made) -> None:
    with made() as one:
        pia = {"schoolID": "548156", "firstName": "Pia", "lastName": "Q", "email": "pia.quill.2001@college.example"}
        body = {"users": [{**pia, "isTeacher": 0}]}
        httpx.post(f"{one.sandbox.url}/control/coursekey/by-hand", json=body).raise_for_status()
        a_class(one)
        one.drain()

        [student] = [user for user in one.there()["users"] if user["email"] == pia["email"]]
        assert (student["issuedID"], student["lastName"], student["welcomeMails"]) == ("2001", "Quill2001", 0)
