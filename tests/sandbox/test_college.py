"""The synthetic American college and what a day changes in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime

import pytest

from sandbox.college import day_of_change
from sandbox.college.awkward import STUDENTS
from sandbox.college.calendar import meetings
from sandbox.college.generate import generate
from sandbox.college.records import RESOURCES, College, InvalidRecord
from sandbox.university.vocabulary import GIVEN_NAMES
from sandbox.world import InvalidSetting, Settings, World

NOW = datetime(2026, 9, 1, 12, 0, 30, 500_000, tzinfo=UTC)


def college(size: str = "demo", seed: int = 1) -> College:
    return generate(seed, size, 2026, lambda: NOW)


def everything(one: College) -> dict[str, list[dict[str, object]]]:
    return {name: one.rows(name) for name in RESOURCES}


def test_the_same_seed_gives_the_same_college_and_another_seed_another() -> None:
    assert everything(college()) == everything(college())
    assert everything(college()) != everything(college(seed=2))


def test_the_demo_has_about_forty_sections_and_four_hundred_students() -> None:
    assert college().counts() == {
        "semesters": 4,
        "sections": 47,
        "persons": 433,
        "staff": 51,
        "registrations": 1231,
        "attendance": 0,
        "enrollment-details": 0,
        "attendance-exceptions": 0,
    }


def test_the_size_can_be_told_in_numbers_and_the_awkward_left_out() -> None:
    counts = college("sections=20,students=50,registrations=100,instructors=5,awkward=0").counts()
    assert (counts["sections"], counts["persons"], counts["registrations"]) == (20, 55, 100)


@pytest.mark.parametrize(
    "size", ["gigantic", "sections=-1", "demo,rooms=3", "demo,", "students=0", "sections=3,instructors=0", ""]
)
def test_a_size_there_cannot_be_is_refused_before_any_world_is_made(size: str) -> None:
    with pytest.raises(InvalidSetting, match="college"):
        Settings(college=size)


def test_no_college_of_zeros_is_refused() -> None:
    counts = college("sections=0,students=0,registrations=0,instructors=0,awkward=0").counts()
    assert counts.pop("semesters") == 4
    assert set(counts.values()) == {0}


def test_the_college_is_made_only_when_it_is_asked_for() -> None:
    world = World(Settings(size="small", college="full"))
    assert world._college is None
    world.reset(college="demo")
    assert world.college.counts()["sections"] == 47


def test_the_semesters_are_the_fall_in_force_the_spring_the_fall_before_and_the_catalog() -> None:
    semesters = {
        row["code"]: (row["description"], row["beginDate"], row["endDate"]) for row in college().rows("semesters")
    }
    assert semesters == {
        "202610": ("Fall 2026", "2026-08-24", "2026-12-11"),
        "202620": ("Spring 2027", "2027-01-18", "2027-05-07"),
        "202510": ("Fall 2025", "2025-08-25", "2025-12-12"),
        "999999": ("Catalog", None, None),
    }


def test_the_fall_can_begin_on_another_day_and_everything_moves_with_it() -> None:
    moved = generate(1, "demo", 2026, lambda: NOW, date(2027, 3, 1))
    semesters = {row["code"]: (row["beginDate"], row["endDate"]) for row in moved.rows("semesters")}
    assert semesters == {
        "202610": ("2027-03-01", "2027-06-18"),
        "202620": ("2027-07-26", "2027-11-12"),
        "202510": ("2026-03-02", "2026-06-19"),
        "999999": (None, None),
    }
    assert modified(moved, "2027-02-20T00:00:00Z") == []
    sections = {row["beginDate"] for row in moved.rows("sections", ["202610"]) if row["courseNumber"] == "AWK101"}
    assert sections == {"2027-03-01", None}


def test_the_documents_own_section_is_there() -> None:
    section = college().get("sections", "202610", "MTH101", "4")
    assert section is not None
    assert (section["title"], section["site"], section["enrollmentCode4"]) == ("Intro to Math", "MAIN", "LEC")


def test_sections_of_every_site_and_code_are_there_and_only_lectures_at_the_site_that_has_one_name() -> None:
    ordinary = [row for row in college().rows("sections") if row["courseNumber"] != "AWK101"]
    held = {(row["site"], row["enrollmentCode4"]) for row in ordinary}
    assert {site for site, _ in held} == {"MAIN", "NORTH", "WEST"}
    assert {code for _, code in held} == {"LEC", "INT", "FLX", "BLC"}
    assert {code for site, code in held if site == "NORTH"} == {"LEC"}


def test_flexible_sections_have_no_schedule_and_all_others_meet_on_their_days() -> None:
    for row in college().rows("sections"):
        if row["courseNumber"] == "AWK101":
            continue
        if row["enrollmentCode4"] == "FLX":
            assert (row["days"], row["startTime"], row["meetings"]) == ([], None, [])
        else:
            met = {f"{date.fromisoformat(each['date']):%A}" for each in row["meetings"]}
            assert met == set(row["days"])
            assert {each["startTime"] for each in row["meetings"]} == {row["startTime"]}


def test_nobody_meets_on_thanksgiving_or_the_day_after() -> None:
    held = meetings(date(2026, 11, 23), date(2026, 12, 1), ("Thursday", "Friday"), "09:00", "10:00")
    assert [(each["date"], each["isCancelled"]) for each in held] == [("2026-11-26", True), ("2026-11-27", True)]


def test_every_awkward_thing_is_there_once() -> None:
    rows = [row for row in college().rows("sections") if row["courseNumber"] == "AWK101"]
    assert Counter(row["site"] for row in rows) == {"MAIN": 8, "": 1, "ONLINE": 1, "NORTH": 1}
    assert sum(row["excludeFromLms"] for row in rows) == 1
    assert sum(row["isCancelled"] for row in rows) == 1
    assert sum(row["enrollmentCode4"] == "" for row in rows) == 2
    (night,) = (meeting for row in rows for meeting in row["meetings"])
    assert night == {"date": "2026-10-31", "startTime": "22:00", "endTime": "06:00", "isCancelled": False}
    awkward = {row["personId"]: row["status"] for row in college().rows("registrations") if row["personId"] in STUDENTS}
    assert Counter(awkward.values()) == {"registered": 7, "waitlisted": 1, "dropped": 1}


def test_every_registration_and_teaching_is_of_a_section_and_a_person_that_there_are() -> None:
    one = college()
    for row in (*one.rows("registrations"), *one.rows("staff")):
        assert one.get("sections", row["semester"], row["courseNumber"], row["section"]) is not None
        assert one.get("persons", row["personId"]) is not None


def test_every_person_is_invented_at_an_invented_address_and_two_of_three_have_a_password() -> None:
    one = college("demo,awkward=0")
    people = one.rows("persons")
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\.\d+@(students\.)?college\.example", row["email"]) for row in people)
    assert len({row["email"] for row in people}) == len(people)
    assert not {row["firstName"] for row in people} & set(GIVEN_NAMES)
    assert set(one.passwords) == {row["id"] for row in people if int(row["id"]) % 3}


def test_a_change_is_of_now_and_never_before_the_last_one() -> None:
    one = college()
    changed = one.put("persons", {"id": "1001", "email": "new@college.example"})
    assert changed["modifiedAt"] == "2026-09-01T12:00:30Z"
    one.put("persons", {"id": "1002", "modifiedAt": "2026-10-01T00:00:00Z"})
    assert one.put("persons", {"id": "1003"})["modifiedAt"] == "2026-10-01T00:00:00Z"


def test_a_change_keeps_what_it_does_not_name_and_a_new_record_gets_what_nobody_says() -> None:
    one = college()
    before = one.get("persons", "1001")
    assert before is not None
    assert one.put("persons", {"id": "1001", "lastName": "Elderreeve"}) == {
        **before,
        "lastName": "Elderreeve",
        "modifiedAt": "2026-09-01T12:00:30Z",
    }
    assert one.put("persons", {"id": "5"}) == {
        "id": "5",
        "firstName": "",
        "lastName": "",
        "email": "",
        "modifiedAt": "2026-09-01T12:00:30Z",
    }


def test_a_deleted_record_is_gone_without_a_trace_in_the_change_feed() -> None:
    one = college()
    one.delete("persons", {"id": "1001"})
    assert one.get("persons", "1001") is None
    assert one.rows("persons", since="2026-09-01T00:00:00Z") == []
    with pytest.raises(InvalidRecord, match="There is no 1001 among the persons."):
        one.delete("persons", {"id": "1001"})


def modified(one: College, since: str = "2026-08-15T00:00:00Z") -> Iterable[tuple[str, dict[str, object]]]:
    return [(name, row) for name in RESOURCES for row in one.rows(name, since=since)]


def test_nothing_was_modified_after_the_middle_of_august_until_a_day_passes() -> None:
    one = college()
    assert modified(one) == []
    assert day_of_change.play(one)
    assert modified(one)


def test_the_same_days_give_the_same_changes_and_the_next_day_others() -> None:
    one, other = college(), college()
    first = day_of_change.play(one)
    assert first == day_of_change.play(other)
    assert everything(one) == everything(other)
    assert day_of_change.play(one) != first


def test_a_day_of_change_does_each_thing_it_says_and_nothing_else() -> None:
    one = college()
    before = {name: {RESOURCES[name].key_of(row): row for row in one.rows(name)} for name in RESOURCES}

    said = day_of_change.play(one)

    after = {name: {RESOURCES[name].key_of(row): row for row in one.rows(name)} for name in RESOURCES}
    assert [re.sub(r"\d{6}/\w+/\d+|\d{4,}", "…", sentence) for sentence in said] == [
        "Student … dropped ….",
        "Student … came from the wait-list into ….",
        "Student … registered late for ….",
        "Student … is new and registered for ….",
        "Student … has another e-mail address.",
        "Student … has another family name.",
        "… teaches … instead of ….",
        "… has another title.",
        "… has its last meeting at 16:00.",
        "… has its last meeting cancelled.",
        "… ends a week later.",
        "… is excluded from the LMS.",
        "… is new, with three students.",
    ]
    new = {name: len(after[name].keys() - before[name].keys()) for name in RESOURCES}
    changed = {name: sum(after[name][key] != row for key, row in before[name].items()) for name in RESOURCES}
    assert {name: number for name, number in new.items() if number} == {
        "sections": 1,
        "persons": 1,
        "staff": 1,
        "registrations": 5,
    }
    assert {name: number for name, number in changed.items() if number} == {
        "sections": 5,
        "persons": 2,
        "staff": 1,
        "registrations": 2,
    }


def test_a_college_of_nothing_lets_a_day_pass_without_a_change() -> None:
    assert day_of_change.play(college("sections=0,students=0,registrations=0,instructors=0,awkward=0")) == []


def test_the_full_college_has_five_thousand_sections_and_sixty_thousand_registrations() -> None:
    counts = college("full,awkward=0").counts()
    assert (counts["sections"], counts["registrations"]) == (5_000, 60_000)
