"""A sandbox's CourseKey for the tests of the hook: how it is reached, what is sent, how it is made to misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date, time
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import pytest

from rosterflow.domain.coursekey.remote import Course, CourseData, SessionData, UserData
from rosterflow.domain.errors import RosterflowError
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.wire.coursekey_profile import PROFILE, CourseKeyProfile
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox

KEY = "sandbox-coursekey-key-1"
OTHER_KEY = "sandbox-coursekey-key-2"
SCHOOL = "548156"
OWNER = "registrar@college.example"

ANNA = UserData("Anna", "Ames", "anna.ames@college.example", is_teacher=False, issued_id="700001")
TED = UserData("Ted", "Tutor", "ted.tutor@college.example", is_teacher=True, issued_id="900001")
MTH101 = CourseData(
    name="202610-MTH101-4",
    title="Intro to Math",
    first=date(2026, 8, 31),
    last=date(2026, 12, 18),
    starts=time(9),
    ends=time(10, 15),
    time_zone="US/Eastern",
    weekdays=("Monday", "Wednesday"),
    instructor_name="Ted Tutor",
    attendance_name="Blended Capstone",
    awarded_seconds=3600,
    synchronous_hours=Decimal("30.5"),
    asynchronous_hours=Decimal("15"),
)
MONDAY = SessionData(date(2026, 8, 31), time(9), time(10, 15), "US/Eastern")

Result = TypeVar("Result")
Doing = Callable[[CourseKeyHook], Awaitable[Result]]


class Waits(list[float]):
    """Remembers how long was waited instead of waiting."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


def connect(monkeypatch: pytest.MonkeyPatch, host: str, password: str = KEY, **extra: Any) -> None:
    fast = {"calls_per_second": 100_000, "concurrent_calls": 20}
    value = {"conn_type": "coursekey", "host": host, "password": password, "extra": {**fast, **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_COURSEKEY_TEST", json.dumps(value))


def doing(
    what: Doing[Result], *, profile: CourseKeyProfile = PROFILE, waits: Waits | None = None, seconds: float = 5
) -> Result:
    """What comes of doing something with an open hook."""

    async def run() -> Result:
        hook = CourseKeyHook(
            "coursekey_test", profile, timeout=httpx.Timeout(seconds), sleep=Waits() if waits is None else waits
        )
        async with hook:
            return await what(hook)

    return asyncio.run(run())


def problem(what: Doing[Any], **how: Any) -> RosterflowError:
    with pytest.raises(RosterflowError) as caught:
        doing(what, **how)
    error = caught.value
    shown = f"{error!r} {error} {error.__cause__!r}".casefold()
    for secret in (KEY, OTHER_KEY, "@college.example", "anna", "hunter2"):
        assert secret.casefold() not in shown
    return error


def arm(sandbox: RunningSandbox, kind: str, count: int | None = 1, match: str = "", seconds: float = 0.0) -> None:
    sandbox.world.faults.add(Fault("coursekey", kind, count=count, match=match, seconds=seconds))


def made(sandbox: RunningSandbox) -> Course:
    """A course with Ted, its instructor, and Anna, who is not in it yet."""

    async def make(hook: CourseKeyHook) -> Course:
        await hook.create_user(SCHOOL, ANNA)
        await hook.create_user(SCHOOL, TED)
        return await hook.create_course(SCHOOL, MTH101, owner=OWNER)

    return doing(make)
