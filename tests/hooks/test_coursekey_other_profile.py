"""Nothing but the profile knows CourseKey's interface: with another profile the hook speaks to another CourseKey."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator

import msgspec
import pytest

from rosterflow.domain.coursekey.remote import Course, Enrolled, Session, StaffMember, User
from rosterflow.domain.errors import Code
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.hooks.coursekey_answers import Refusal
from rosterflow.wire.coursekey_profile import PROFILE, Operation, Problem
from tests.hooks.coursekey_sandbox import ANNA, MONDAY, MTH101, OWNER, SCHOOL, TED, connect, doing, problem
from tests.hooks.other_coursekey import OTHER, TOKEN, Other, serving


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[Other]:
    with serving() as server:
        connect(monkeypatch, server.url, TOKEN)
        yield server


def test_the_two_profiles_have_nothing_in_common_but_what_they_are_about() -> None:
    assert OTHER.calls.keys() == PROFILE.calls.keys() - {Operation.ATTENDANCE_NAMES}
    for operation, call in OTHER.calls.items():
        first = PROFILE.calls[operation]
        assert (call.method, call.path) != (first.method, first.path)
        for name in call.fields.keys() & first.fields.keys():
            assert (name, call.fields[name].name) != (name, first.fields[name].name)


def test_users_are_made_found_and_changed(other: Other) -> None:
    async def story(hook: CourseKeyHook) -> list[User | None]:
        new = await hook.create_user(SCHOOL, ANNA, welcome=True, password="hunter2")
        await hook.update_user(SCHOOL, new.id, msgspec.structs.replace(ANNA, last_name="Wed"))
        return [await hook.find_user(SCHOOL, issued_id="700001"), await hook.find_user(SCHOOL, email="x@y.z")]

    anna, nobody = doing(story, profile=OTHER)

    assert anna == User("A1", "Anna", "Wed", ANNA.email, False, "700001")
    assert nobody is None
    assert other.accounts["A1"] == {
        "campus": SCHOOL,
        "given": "Anna",
        "family": "Wed",
        "mail": ANNA.email,
        "staffAccount": "no",
        "studentNo": "700001",
        "greet": "yes",
        "secret": "hunter2",
        "accountNo": "A1",
    }


def test_a_course_is_written_the_other_way(other: Other) -> None:
    new = doing(lambda hook: hook.create_course(SCHOOL, MTH101, owner=OWNER, admins=["a@b.c"]), profile=OTHER)

    assert new == Course("C1", MTH101.name, MTH101.title, "C1")
    sent = {name: value for name, value in other.classes["C1"].items() if not name.endswith("_")}
    assert sent == {
        "campus": SCHOOL,
        "short": "202610-MTH101-4",
        "long": "Intro to Math",
        "from": "2026-08-31",
        "to": "2026-12-18",
        "begin": "0900",
        "end": "1015",
        "tz": "US/Eastern",
        "on": ["MO", "WE"],
        "teachers": "Ted Tutor",
        "helpers": ["a@b.c"],
        "mode": "Blended Capstone",
        "creditMinutes": 60,
        "live": 30.5,
        "alone": 15.0,
        "classNo": "C1",
    }


def test_people_and_sessions_of_a_course_come_and_go(other: Other) -> None:
    async def story(hook: CourseKeyHook) -> tuple[object, ...]:
        for data in (ANNA, TED):
            await hook.create_user(SCHOOL, data)
        course = await hook.create_course(SCHOOL, MTH101, owner=OWNER)
        for _ in range(2):
            await hook.add_staff(SCHOOL, course.id, TED.email)
            await hook.enroll(SCHOOL, course, ANNA.email)
        session = await hook.set_session(SCHOOL, course.id, MONDAY)
        there = (
            await hook.staff(SCHOOL, course.id),
            await hook.enrollments(SCHOOL, course.id),
            await hook.sessions(SCHOOL, course.id),
        )
        gone = [
            (
                await hook.remove_staff(SCHOOL, course.id, "A2"),
                await hook.drop(SCHOOL, course, ANNA.email),
                await hook.cancel_session(SCHOOL, course.id, session.id),
            )
            for _ in range(2)
        ]
        return there, gone, await hook.enrollments(SCHOOL, course.id)

    there, gone, left = doing(story, profile=OTHER)

    assert there == (
        (StaffMember("A0", OWNER, is_owner=True), StaffMember("A2", TED.email, TED.issued_id)),
        (Enrolled("A1", ANNA.email, ANNA.issued_id),),
        (Session("S4", MONDAY.on, MONDAY.starts, MONDAY.ends, MONDAY.time_zone),),
    )
    assert gone == [(True, True, True), (False, True, False)]
    assert left == (Enrolled("A1", ANNA.email, ANNA.issued_id, is_active=False),)


def test_lists_are_read_in_numbered_pages(other: Other) -> None:
    async def story(hook: CourseKeyHook) -> int:
        course = await hook.create_course(SCHOOL, MTH101, owner=OWNER)
        for number in range(4):
            email = f"t{number}@college.example"
            await hook.create_user(SCHOOL, msgspec.structs.replace(TED, email=email, issued_id=str(number)))
            await hook.add_staff(SCHOOL, course.id, email)
        return len(await hook.staff(SCHOOL, course.id))

    assert doing(story, profile=OTHER) == 5


def test_its_errors_mean_the_same(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    async def twice(hook: CourseKeyHook) -> None:
        await hook.create_user(SCHOOL, ANNA)
        await hook.create_user(SCHOOL, ANNA)

    taken = problem(twice, profile=OTHER)
    gone = problem(lambda hook: hook.update_user(SCHOOL, "A9", ANNA), profile=OTHER)
    assert isinstance(taken, Refusal)
    assert isinstance(gone, Refusal)
    assert (taken.problem, gone.problem) == (Problem.EMAIL_TAKEN, Problem.UNKNOWN_USER)

    connect(monkeypatch, other.url, "wrong")
    assert problem(lambda hook: hook.find_user(SCHOOL, email="a@b.c"), profile=OTHER).code is Code.FORBIDDEN


def test_every_call_has_an_id_for_support(other: Other) -> None:
    doing(lambda hook: hook.find_user(SCHOOL, email="a@b.c"), profile=OTHER)

    assert [len(trace) for trace in other.traces] == [32]
    assert doing(lambda hook: hook.attendance_names(SCHOOL), profile=OTHER) is None


def made_at_once(hook: CourseKeyHook, course: Course, *emails: str) -> Awaitable[list[object]]:
    """What comes of enrolling some people at the same time: nothing, or an error."""
    return asyncio.gather(*(hook.enroll(SCHOOL, course, email) for email in emails), return_exceptions=True)


async def a_course(hook: CourseKeyHook, students: int = 4) -> tuple[Course, list[str]]:
    emails = [f"s{number}@college.example" for number in range(students)]
    for number, email in enumerate(emails):
        await hook.create_user(SCHOOL, msgspec.structs.replace(ANNA, email=email, issued_id=str(number)))
    return await hook.create_course(SCHOOL, MTH101, owner=OWNER), emails


def test_calls_made_at_the_same_time_become_one_and_each_has_its_own_result(other: Other) -> None:
    async def story(hook: CourseKeyHook) -> list[object]:
        course, emails = await a_course(hook)
        return await made_at_once(hook, course, emails[0], "nobody@college.example", *emails[1:])

    first, nobody, *others = doing(story, profile=OTHER)

    assert [first, *others] == [None] * 4
    assert isinstance(nobody, Refusal)
    assert (nobody.problem, nobody.code) == (Problem.UNKNOWN_USER, Code.GONE_IN_COURSEKEY)
    assert [call for call in other.made if "learners" in call] == ["POST learners/many", "POST learners/many"]
    assert {one["mail"] for one in other.classes["C5"]["learners_"].values()} == {
        f"s{number}@college.example" for number in range(4)
    }


def test_what_coursekey_does_not_take_at_once_is_sent_one_by_one(other: Other) -> None:
    async def story(hook: CourseKeyHook) -> list[object]:
        course, emails = await a_course(hook, students=3)
        other.takes_many = False
        return await made_at_once(hook, course, *emails)

    assert doing(story, profile=OTHER) == [None] * 3
    assert other.made[-4:] == ["POST learners/many", *["PUT learners"] * 3]


def test_without_the_results_of_all_nothing_is_known_of_any(other: Other) -> None:
    async def story(hook: CourseKeyHook) -> list[object]:
        course, emails = await a_course(hook, students=3)
        other.results_lost = 1
        return await made_at_once(hook, course, *emails)

    errors = doing(story, profile=OTHER)

    assert [getattr(error, "code", None) for error in errors] == [Code.BAD_RESPONSE] * 3
