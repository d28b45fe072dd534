"""The CourseKey hook against the sandbox: users, courses, staff, enrollments and sessions, and what goes wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import msgspec
import pytest

from rosterflow.domain.coursekey.port import UnknownOutcome
from rosterflow.domain.coursekey.remote import Course, Enrolled, Session, StaffMember, User
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.hooks.coursekey_answers import Refusal
from rosterflow.wire.coursekey_profile import Problem
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.hooks.coursekey_sandbox import (
    ANNA,
    KEY,
    MONDAY,
    MTH101,
    OTHER_KEY,
    OWNER,
    SCHOOL,
    TED,
    Waits,
    arm,
    connect,
    doing,
    made,
    problem,
)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small", college="demo"))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    running.world.reset()
    connect(monkeypatch, f"{running.url}/coursekey")
    return running


# -- users ------------------------------------------------------------------------------------------------------------


def test_a_new_user_is_found_by_mail_in_any_case_and_by_issued_id(sandbox: RunningSandbox) -> None:
    async def story(hook: CourseKeyHook) -> list[User | None]:
        new = await hook.create_user(SCHOOL, ANNA, welcome=True, password="hunter2")
        mail = await hook.find_user(SCHOOL, email=ANNA.email.upper())
        return [
            new,
            mail,
            await hook.find_user(SCHOOL, issued_id="700001"),
            await hook.find_user(SCHOOL, email="x@y.z"),
        ]

    new, by_mail, by_id, nobody = doing(story)

    assert new is not None
    assert new == User(new.id, "Anna", "Ames", "anna.ames@college.example", False, "700001")
    assert (by_mail, by_id, nobody) == (new, new, None)
    user = sandbox.world.coursekey.users[new.id]
    assert (user.welcome_mails, user.password_was_set) == (1, True)


def test_an_update_changes_names_and_mails_nobody(sandbox: RunningSandbox) -> None:
    async def story(hook: CourseKeyHook) -> tuple[User, User | None]:
        new = await hook.create_user(SCHOOL, ANNA)
        await hook.update_user(SCHOOL, new.id, msgspec.structs.replace(ANNA, last_name="Wed"))
        return new, await hook.find_user(SCHOOL, issued_id="700001")

    new, after = doing(story)

    assert after == msgspec.structs.replace(new, last_name="Wed")
    user = sandbox.world.coursekey.users[new.id]
    assert (user.welcome_mails, user.password_was_set) == (0, False)


def test_an_address_that_is_somebody_elses_is_a_conflict(sandbox: RunningSandbox) -> None:
    async def story(hook: CourseKeyHook) -> None:
        await hook.create_user(SCHOOL, ANNA)
        await hook.create_user(SCHOOL, msgspec.structs.replace(ANNA, issued_id="700002"))

    error = problem(story)

    assert isinstance(error, Refusal)
    assert (error.problem, error.code) == (Problem.EMAIL_TAKEN, Code.ACCOUNT_TAKEN)


# -- courses and their people -----------------------------------------------------------------------------------------


def test_a_new_course_has_what_was_sent_and_is_found_by_name_and_id(sandbox: RunningSandbox) -> None:
    async def story(hook: CourseKeyHook) -> list[Course | None]:
        new = await hook.create_course(SCHOOL, MTH101, owner=OWNER)
        return [
            new,
            await hook.find_course(SCHOOL, MTH101.name),
            await hook.course(SCHOOL, new.id),
            await hook.find_course(SCHOOL, "202610-MTH101-5"),
            await hook.course(SCHOOL, "1"),
        ]

    new, *others = doing(story)

    assert new is not None
    assert others == [new, new, None, None]
    assert sandbox.world.coursekey.courses[new.id].sent == {
        "schoolID": SCHOOL,
        "name": "202610-MTH101-4",
        "title": "Intro to Math",
        "startDate": "08/31/2026",
        "endDate": "12/18/2026",
        "startTime": "09:00:00",
        "endTime": "10:15:00",
        "timeZone": "US/Eastern",
        "days": "Monday|Wednesday",
        "instructorName": "Ted Tutor",
        "owner": OWNER,
        "attendanceName": "Blended Capstone",
        "awardedTime": 3600,
        "synchronousHours": 30.5,
        "asynchronousHours": 15.0,
    }


def test_an_update_leaves_the_owner_alone(sandbox: RunningSandbox) -> None:
    course = made(sandbox)

    doing(lambda hook: hook.update_course(SCHOOL, course.id, msgspec.structs.replace(MTH101, title="Math")))

    sent = sandbox.world.coursekey.courses[course.id].sent
    assert (sent["title"], sent["owner"]) == ("Math", OWNER)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"attendance_name": "Juggling"}, Code.ATTENDANCE_NAME_UNKNOWN),
        ({"time_zone": "US/Nowhere"}, Code.ZONE_REFUSED),
        ({"title": " "}, Code.COURSEKEY_REFUSED),
    ],
)
def test_what_coursekey_refuses_about_a_course_has_a_code_with_a_remedy(
    sandbox: RunningSandbox, change: dict[str, str], code: Code
) -> None:
    data = msgspec.structs.replace(MTH101, **change)

    assert problem(lambda hook: hook.create_course(SCHOOL, data, owner=OWNER)).code is code


def test_an_owner_whom_the_key_does_not_know_is_named_as_such(sandbox: RunningSandbox) -> None:
    sandbox.world.coursekey.configure(owner_unknown=[KEY])

    assert problem(lambda hook: hook.create_course(SCHOOL, MTH101, owner=OWNER)).code is Code.OWNER_UNKNOWN


def test_staff_is_added_once_and_taken_away_once_and_the_owner_never(sandbox: RunningSandbox) -> None:
    course = made(sandbox)

    async def story(hook: CourseKeyHook) -> tuple[list[tuple[StaffMember, ...]], list[bool]]:
        await hook.add_staff(SCHOOL, course.id, TED.email)
        await hook.add_staff(SCHOOL, course.id, TED.email)
        there = await hook.staff(SCHOOL, course.id)
        ted = next(one for one in there if not one.is_owner)
        gone = [await hook.remove_staff(SCHOOL, course.id, ted.user_id) for _ in range(2)]
        return [there, await hook.staff(SCHOOL, course.id)], gone

    (before, after), gone = doing(story)
    owner = after[0]

    assert [(one.email, one.is_owner) for one in before] == [(OWNER, True), (TED.email, False)]
    assert (after, gone) == ((owner,), [True, False])
    refused = problem(lambda hook: hook.remove_staff(SCHOOL, course.id, owner.user_id))
    assert isinstance(refused, Refusal)
    assert refused.problem is Problem.OWNER_PROTECTED


def test_a_student_is_enrolled_and_dropped_without_any_rights(sandbox: RunningSandbox) -> None:
    course = made(sandbox)

    async def story(hook: CourseKeyHook) -> tuple[list[tuple[Enrolled, ...]], list[bool]]:
        await hook.enroll(SCHOOL, course, ANNA.email)
        await hook.enroll(SCHOOL, course, ANNA.email)
        there = await hook.enrollments(SCHOOL, course.id)
        gone = [await hook.drop(SCHOOL, course, ANNA.email) for _ in range(2)]
        return [there, await hook.enrollments(SCHOOL, course.id)], gone

    (before, after), gone = doing(story)

    assert [(one.email, one.issued_id, one.is_active) for one in before] == [(ANNA.email, "700001", True)]
    assert [one.is_active for one in after] == [False]
    assert gone == [True, False]
    assert [row.user.email for row in sandbox.world.coursekey.courses[course.id].staff.values()] == [OWNER]


def test_a_session_is_set_again_and_cancelled(sandbox: RunningSandbox) -> None:
    course = made(sandbox)

    async def story(hook: CourseKeyHook) -> tuple[list[Session], tuple[Session, ...], list[bool]]:
        later = msgspec.structs.replace(MONDAY, ends=MONDAY.ends.replace(hour=11))
        both = [await hook.set_session(SCHOOL, course.id, data) for data in (MONDAY, later)]
        there = await hook.sessions(SCHOOL, course.id)
        return both, there, [await hook.cancel_session(SCHOOL, course.id, both[0].id) for _ in range(2)]

    (first, again), there, gone = doing(story)

    assert first == Session(first.id, MONDAY.on, MONDAY.starts, MONDAY.ends, "US/Eastern")
    assert there == (again,) == (msgspec.structs.replace(first, ends=MONDAY.ends.replace(hour=11)),)
    assert gone == [True, False]


def test_lists_are_read_to_their_last_page(sandbox: RunningSandbox) -> None:
    sandbox.world.coursekey.configure(page_size=1)

    assert doing(lambda hook: hook.attendance_names(SCHOOL)) == (
        "Lecture",
        "Internship",
        "Flexible Lab",
        "Blended Capstone",
    )


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["429", "425", "500", "503", "408", "html", "truncate", "drop_before", "drop_after"])
def test_what_is_safe_to_repeat_is_repeated(sandbox: RunningSandbox, kind: str) -> None:
    arm(sandbox, kind, count=2)
    waits = Waits()

    assert len(doing(lambda hook: hook.attendance_names(SCHOOL), waits=waits) or ()) == 4
    assert len(waits) >= 2


@pytest.mark.parametrize("kind", ["500", "408", "html", "truncate", "drop_before", "drop_after"])
def test_a_create_whose_answer_is_lost_is_not_repeated(sandbox: RunningSandbox, kind: str) -> None:
    arm(sandbox, kind, count=None)

    error = problem(lambda hook: hook.create_user(SCHOOL, ANNA, welcome=True, password="hunter2"))

    assert isinstance(error, UnknownOutcome)
    assert sum(fault["fired"] for fault in sandbox.world.faults.listing()) == 1


@pytest.mark.parametrize("kind", ["429", "425"])
def test_a_create_that_was_not_let_in_is_repeated(sandbox: RunningSandbox, kind: str) -> None:
    arm(sandbox, kind)

    assert doing(lambda hook: hook.create_user(SCHOOL, ANNA)).issued_id == "700001"


def test_a_create_that_takes_too_long_may_have_happened(sandbox: RunningSandbox) -> None:
    arm(sandbox, "slow_answer", seconds=1.0, match="POST")

    error = problem(lambda hook: hook.create_user(SCHOOL, ANNA), seconds=0.3)

    assert isinstance(error, UnknownOutcome)
    assert doing(lambda hook: hook.find_user(SCHOOL, email=ANNA.email)) is not None


def test_what_does_not_pass_is_told_after_some_tries(sandbox: RunningSandbox) -> None:
    arm(sandbox, "503", count=None)

    error = problem(lambda hook: hook.attendance_names(SCHOOL))

    assert (type(error), error.code) == (RetryableError, Code.SERVER_ERROR)
    assert sum(fault["fired"] for fault in sandbox.world.faults.listing()) == 4


@pytest.mark.parametrize(
    ("key", "school", "code"),
    [("no-such-key", SCHOOL, Code.UNAUTHORIZED), (OTHER_KEY, SCHOOL, Code.FORBIDDEN)],
)
def test_a_key_that_cannot_be_used_stops_it(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, key: str, school: str, code: Code
) -> None:
    connect(monkeypatch, f"{sandbox.url}/coursekey", key)

    error = problem(lambda hook: hook.find_user(school, email=ANNA.email))

    assert (type(error), error.code) == (FatalError, code)


def test_success_that_is_false_is_a_refusal(sandbox: RunningSandbox) -> None:
    arm(sandbox, "success_false")

    error = problem(lambda hook: hook.create_user(SCHOOL, ANNA))

    assert isinstance(error, Refusal)
    assert error.code is Code.COURSEKEY_REFUSED


def test_an_address_that_is_another_servers_stops_it(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, f"{sandbox.url}/elsewhere")

    error = problem(lambda hook: hook.find_user(SCHOOL, email=ANNA.email))

    assert (type(error), error.code) == (FatalError, Code.BAD_RESPONSE)


def test_nobody_at_the_address_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, "http://127.0.0.1:1")

    error = problem(lambda hook: hook.create_user(SCHOOL, ANNA))

    assert (type(error), error.code) == (RetryableError, Code.UNREACHABLE)


def test_no_address_with_a_person_in_it_is_logged(sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    doing(lambda hook: hook.find_user(SCHOOL, email=ANNA.email))

    assert "anna" not in caplog.text.casefold()
    assert KEY not in caplog.text


# -- pace -------------------------------------------------------------------------------------------------------------


def test_no_more_calls_are_under_way_than_the_connection_allows(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, f"{sandbox.url}/coursekey", concurrent_calls=3)
    under_way = []

    async def story(hook: CourseKeyHook) -> None:
        pace, now = hook._pace, 0

        async def call() -> None:
            nonlocal now
            now += 1
            under_way.append(now)
            await asyncio.sleep(0)
            now -= 1

        assert pace is not None
        await asyncio.gather(*(pace.run(call) for _ in range(12)))

    doing(story)

    assert (len(under_way), max(under_way)) == (12, 3)


def test_after_being_told_to_slow_down_no_call_is_begun_until_then(sandbox: RunningSandbox) -> None:
    arm(sandbox, "429")
    waits = Waits()

    doing(lambda hook: hook.attendance_names(SCHOOL), waits=waits)

    assert any(seconds > 0.5 for seconds in waits)


# -- the Test button --------------------------------------------------------------------------------------------------


def test_the_test_button_says_what_works(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, f"{sandbox.url}/coursekey", school_id="548157")

    assert CourseKeyHook("coursekey_test").test_connection() == (
        True,
        "Reached CourseKey; the auth key may use school 548157. Its attendance names: Lecture.",
    )


@pytest.mark.parametrize(
    ("password", "extra", "words"),
    [
        (KEY, {}, "Name one of the key's schools"),
        ("wrong", {"school_id": SCHOOL}, "does not let the auth key"),
        ("", {"school_id": SCHOOL}, "the auth key is missing"),
        (KEY, {"school_id": SCHOOL, "calls_per_second": "many"}, "must be numbers"),
    ],
)
def test_the_test_button_says_what_is_wrong(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, password: str, extra: dict[str, str], words: str
) -> None:
    connect(monkeypatch, f"{sandbox.url}/coursekey", password, **extra)

    works, sentence = CourseKeyHook("coursekey_test").test_connection()

    assert not works
    assert words in sentence
