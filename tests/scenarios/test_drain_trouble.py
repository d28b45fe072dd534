"""A hard day for the drain, over HTTP: lost and odd answers, people and sections that change under its hands."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest

from rosterflow.domain.coursekey.queue import EntryKind, EntryState, Intent
from rosterflow.hooks.coursekey import CourseKeyHook
from tests.scenarios.drain_ground import (
    NOON,
    OWNER,
    Ground,
    Made,
    a_class,
    course_of,
    enrollment,
    no_waiting,
    staff,
    user,
)

DONE, FAILED, PENDING, SKIPPED = EntryState.DONE, EntryState.FAILED, EntryState.PENDING, EntryState.SKIPPED


def impatient(town: Ground, seconds: float) -> None:
    """Have the hook wait no longer than this for an answer."""
    base = town.college.coursekey.base_url
    timeout = httpx.Timeout(seconds)
    town.hooks = lambda name: CourseKeyHook(name, base_url=base, timeout=timeout, sleep=no_waiting)


def enrolled(town: Ground) -> dict[str, list[str]]:
    """Who is enrolled, by course."""
    return {
        one["name"].partition(":")[0]: [person["issuedID"] for person in one["enrollments"] if person["isActive"]]
        for one in town.there()["courses"]
    }


# -- odd and lost answers ---------------------------------------------------------------------------------------------


def test_a_course_that_is_unknown_to_every_enrollment_ends_in_failures_and_not_in_a_loop(town: Ground) -> None:
    a_class(town, students=3)
    for person in ("2001", "2002", "2003"):
        town.person(person)
    town.drain(max_batches=0)
    coursekey = town.sandbox.world.coursekey
    coursekey._by_add_code = Forgetful()

    drained = town.drain(max_batches=10)

    assert len(drained.batches) < 10
    assert {
        one.entity.person: (one.state, one.error_code) for one in town.entries() if one.entity.kind == "enrollment"
    } == dict.fromkeys(("2001", "2002", "2003"), (FAILED, "gone-in-coursekey"))


class Forgetful(dict[Any, Any]):
    """Keeps nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def test_a_slow_answer_to_every_create_makes_everything_once(town: Ground) -> None:
    a_class(town, students=3)
    impatient(town, 0.4)
    town.arm("slow_answer", count=None, match="POST /coursekey/api/v1", seconds=0.8)

    for _ in range(4):
        town.drain()
        town.clock.forward(hours=7)
    town.sandbox.world.faults.clear()
    town.drain()

    assert set(town.counts()) == {DONE}
    assert enrolled(town) == {"MTH101 - 4": ["2001", "2002", "2003"]}
    users = [one for one in town.there()["users"] if one["issuedID"]]
    assert [(one["issuedID"], one["welcomeMails"]) for one in users] == [
        ("2001", 1),
        ("2002", 1),
        ("2003", 1),
        ("92001", 1),
    ]


def test_two_sections_with_one_name_are_never_one_course_though_the_answer_to_the_first_is_slow(made: Made) -> None:
    with made(course_name_format="@COURSE_TITLE@") as town:
        town.register(town.section("MTH101/4"), town.person(2001))
        town.register(town.section("MTH101/5"), town.person(2002))
        town.collect()
        impatient(town, 5)
        town.arm("slow_answer", match="POST /coursekey/api/v1/courses\n", seconds=0.7)

        town.drain()

        [course] = town.there()["courses"]
        assert len(course["enrollments"]) == 1
        assert [one.error_code for one in town.entries(FAILED)] == ["course-name-taken"] * 3


def test_throttling_for_long_loses_no_entry_and_ends_when_it_does(town: Ground) -> None:
    a_class(town, students=30)
    town.arm("429", count=None)
    for _ in range(3):
        town.run()
    assert town.counts()[FAILED] == 0
    assert town.there()["courses"] == []

    town.sandbox.world.faults.clear()
    town.clock.forward(hours=6)
    town.drain()

    assert set(town.counts()) == {DONE}
    assert len(enrolled(town)["MTH101 - 4"]) == 30


@pytest.mark.parametrize(
    ("what", "failed"),
    [
        ("POST /coursekey/api/v1/users?", {EntryKind.USER, EntryKind.ENROLLMENT, EntryKind.STAFF}),
        ("POST /coursekey/api/v1/courses?", set(EntryKind) - {EntryKind.USER}),
    ],
)
def test_success_that_is_false_fails_the_entry_and_what_needs_it(
    town: Ground, what: str, failed: set[EntryKind]
) -> None:
    a_class(town)
    town.arm("success_false", count=None, match=what)

    town.drain()

    assert {one.entity.kind for one in town.entries(FAILED)} == failed
    assert town.counts()[PENDING] == 0


# -- sections that move -----------------------------------------------------------------------------------------------


def test_two_sections_that_swap_their_sites_send_nobody_to_the_other_school(town: Ground) -> None:
    four = a_class(town, name="MTH101/4", first=2001, students=1)
    a_class(town, name="MTH101/5", first=3001, students=1, site="WEST")
    town.drain()
    before = town.there()

    town.section("MTH101/4", site="WEST")
    town.section("MTH101/5", site="MAIN")
    town.register(four, town.person(2009))
    town.run()

    assert town.there() == before
    assert {(one.entity.kind, one.entity.section, one.error_code) for one in town.entries(FAILED)} == {
        *((kind, number, "site-changed") for kind in ("course", "sessions") for number in "45"),
        ("enrollment", "4", "site-changed"),
    }

    town.section("MTH101/4", site="MAIN")
    town.section("MTH101/5", site="WEST")
    town.run()

    assert set(town.counts()) == {DONE}
    assert enrolled(town) == {"MTH101 - 4": ["2001", "2009"], "MTH101 - 5": ["3001"]}


def test_who_drops_a_section_that_moved_is_dropped_where_they_are(town: Ground) -> None:
    key = a_class(town)
    town.drain()
    town.section(site="WEST")
    town.register(key, "2001", status="dropped")
    town.collect()
    town.queue(enrollment(key, "2001"), intent=Intent.REMOVE)
    town.drain()

    assert enrolled(town) == {"MTH101 - 4": ["2002"]}


def test_an_entry_whose_section_vanished_is_skipped_and_a_drop_of_it_still_goes_out(town: Ground) -> None:
    key = a_class(town, students=1)
    town.section("BIO101/1", beginDate="2027-01-11", endDate="2027-05-07")  # an empty list would not be believed
    town.drain()
    town.register(key, town.person(2002))
    town.collect()
    town.sandbox.world.college.delete("sections", {"semester": "202610", "courseNumber": "MTH101", "section": "4"})
    town.register(key, "2001", status="dropped")
    town.clock.forward(days=1)
    town.collect()
    town.queue(enrollment(key, "2001"), intent=Intent.REMOVE)
    town.drain()

    assert (town.entry(enrollment(key, "2002")).state, town.entry(enrollment(key, "2002")).rule) == (
        SKIPPED,
        "section-unknown",
    )
    assert enrolled(town) == {"MTH101 - 4": []}


def test_another_attendance_name_after_creation_is_sent_and_a_refusal_is_told(town: Ground) -> None:
    key = a_class(town)
    town.drain()
    town.section(enrollmentCode4="INT")
    town.run()
    assert town.there()["courses"][0]["attendanceName"] == "Internship"

    town.arm("422", match="PUT /coursekey/api/v1/courses")
    town.section(enrollmentCode4="LEC")
    town.run()

    assert (town.entry(course_of(key)).state, town.entry(course_of(key)).rule) == (FAILED, "refused")
    assert enrolled(town) == {"MTH101 - 4": ["2001", "2002"]}


# -- people -----------------------------------------------------------------------------------------------------------


def test_a_student_at_two_schools_has_an_account_at_each(town: Ground) -> None:
    student = town.person(2001)
    for name, site in (("MTH101/4", "MAIN"), ("MTH101/5", "WEST"), ("MTH101/6", "NORTH")):
        town.register(town.section(name, site), student)
    town.collect()

    town.drain()

    accounts = [(one["schoolID"], one["welcomeMails"]) for one in town.there()["users"] if one["issuedID"] == "2001"]
    assert accounts == [("548156", 1), ("548157", 1), ("612001", 1)]
    assert enrolled(town) == {f"MTH101 - {number}": ["2001"] for number in (4, 5, 6)}


def test_an_address_that_another_has_fails_one_person_until_it_is_corrected(town: Ground) -> None:
    a_class(town)
    town.drain()
    town.person(2001, email="PIA.quill.2002@college.example")
    town.register(town.section("MTH101/5"), "2001", "2002")
    town.run()
    assert {str(one.entity): one.error_code for one in town.entries(FAILED)} == {
        str(user("2001")): "account-taken",
        "enrollment 202610/MTH101/5 2001": "account-taken",
    }
    assert enrolled(town) == {"MTH101 - 4": ["2001", "2002"], "MTH101 - 5": ["2002"]}

    town.person(2001)
    town.run()

    assert set(town.counts()) == {DONE}
    assert enrolled(town)["MTH101 - 5"] == ["2001", "2002"]


def test_an_address_may_go_from_one_person_to_another_in_one_collection(town: Ground) -> None:
    a_class(town)
    town.drain()
    town.person(2002, email="pia.new@college.example")
    town.person(2001, email="pia.quill.2002@college.example")

    town.run()
    town.run()

    assert set(town.counts()) == {DONE}
    assert {one["issuedID"]: one["email"] for one in town.there()["users"] if one["issuedID"].startswith("20")} == {
        "2001": "pia.quill.2002@college.example",
        "2002": "pia.new@college.example",
    }


def test_whoever_teaches_one_section_may_study_in_another(town: Ground) -> None:
    four = town.section("MTH101/4")
    five = town.section("MTH101/5")
    town.teach(four, town.person(9001), isPrimary=True)
    town.register(five, "9001")
    town.collect()

    town.drain()

    courses = {one["name"][9]: one for one in town.there()["courses"]}
    assert [one["issuedID"] for one in courses["4"]["staff"]] == ["9001", ""]
    assert [one["issuedID"] for one in courses["5"]["staff"]] == [""]
    assert [one["issuedID"] for one in courses["5"]["enrollments"]] == ["9001"]


def test_whoever_is_on_a_courses_staff_there_is_not_enrolled_in_it_as_well(town: Ground) -> None:
    key = a_class(town)
    town.drain()
    town.teach(key, "92001", isRemoved=True)
    town.register(key, "92001")
    town.run()

    assert enrolled(town) == {"MTH101 - 4": ["2001", "2002"]}
    entry = town.entry(enrollment(key, "92001"))
    assert (entry.state, entry.rule) == (FAILED, "student-is-staff")


@pytest.mark.parametrize("address", [OWNER.upper(), f"  {OWNER} "])
def test_a_student_with_the_owners_address_does_not_become_the_owner(town: Ground, address: str) -> None:
    key = town.section()
    town.register(key, town.person(2001, email=address))
    town.collect()

    town.drain()

    [course] = town.there()["courses"]
    assert course["enrollments"] == []
    assert [(one["email"], one["isTeacher"]) for one in town.there()["users"] if one["schoolID"] == "548156"] == [
        (OWNER, 1)
    ]
    assert town.entry(enrollment(key, "2001")).rule == "owner"


def test_a_student_does_not_get_the_account_of_an_instructor_that_was_made_by_hand(town: Ground) -> None:
    address = "pia.quill.2001@college.example"
    dean = {"schoolID": "548156", "firstName": "Dina", "lastName": "Dean", "email": address, "isTeacher": 1}
    httpx.post(f"{town.sandbox.url}/control/coursekey/by-hand", json={"users": [dean]}).raise_for_status()
    key = town.section()
    town.register(key, town.person(2001))
    town.collect()

    town.drain()

    [there] = [one for one in town.there()["users"] if one["email"] == address]
    assert (there["firstName"], there["isTeacher"], there["issuedID"]) == ("Dina", 1, "")
    entry = town.entry(user("2001"))
    assert (entry.state, entry.error_code) == (FAILED, "account-taken")
    assert [one["enrollments"] for one in town.there()["courses"]] == [[]]


def test_waiting_registered_and_dropped_within_one_collection_is_nothing(town: Ground) -> None:
    key = a_class(town, students=0)
    student = town.person(2001)
    for standing in ("waitlisted", "registered", "dropped"):
        town.register(key, student, status=standing)
    town.collect()
    town.drain()

    assert enrolled(town) == {"MTH101 - 4": []}
    assert (town.entry(enrollment(key, "2001")).state, town.entry(enrollment(key, "2001")).rule) == (SKIPPED, "dropped")
    assert [one for one in town.there()["users"] if one["issuedID"] == "2001"] == []


# -- settings that change ---------------------------------------------------------------------------------------------


def test_an_admin_who_is_taken_off_the_list_stays_and_the_log_says_so(made: Made) -> None:
    with made(course_admins="9101", instructor_add_only="N") as town:
        town.person(9101)
        key = a_class(town)
        town.drain()
        town.college = town.college.model_copy(
            update={"coursekey": town.college.coursekey.model_copy(update={"course_admins": ()})}
        )

        town.run(minutes=24 * 60)
        town.run(minutes=24 * 60)

        assert [one["issuedID"] for one in town.there()["courses"][0]["staff"]] == ["9101", "92001", ""]
        assert town.entry(staff(key, "9101")).rule == "former-admin"
        assert [line.outcome.rule for line in town.history()].count("former-admin") == 1


def test_another_format_reaches_the_courses_that_are_there_by_the_next_day(made: Made) -> None:
    with made() as town:
        a_class(town)
        town.drain()
        town.college = town.college.model_copy(
            update={
                "coursekey": town.college.coursekey.model_copy(
                    update={"course_title_format": "@COURSE_TITLE@ (@SEMESTER@)"}
                )
            }
        )
        town.forget_calls()

        town.run(minutes=24 * 60)

        assert town.there()["courses"][0]["title"] == "Intro to Math (202610)"
        assert town.calls() == Counter({"update course": 1})
        town.forget_calls()
        town.run(minutes=24 * 60)
        assert town.calls() == Counter()


# -- the clock --------------------------------------------------------------------------------------------------------


def test_a_clock_that_was_far_ahead_for_a_while_keeps_nothing_waiting(town: Ground) -> None:
    town.clock.forward(days=300)
    a_class(town)
    town.queue(user("2001"))
    town.clock.moment = NOON
    town.section(title="Math for All")
    town.collect()

    town.drain()

    assert town.counts()[PENDING] == 0
    town.clock.forward(days=1)
    assert town.collect().compared


def test_a_night_shift_over_the_end_of_daylight_saving_time_keeps_its_wall_times(town: Ground) -> None:
    nights = ("2026-10-30", "2026-10-31", "2026-11-01")
    town.section(meetings=[{"date": day, "startTime": "22:00", "endTime": "06:00"} for day in nights])
    town.collect()

    town.drain()

    assert [(one["date"], one["startTime"], one["endTime"]) for one in town.there()["courses"][0]["sessions"]] == [
        (f"{day[5:7]}/{day[8:]}/2026", "22:00:00", "6:00:00") for day in nights
    ]
