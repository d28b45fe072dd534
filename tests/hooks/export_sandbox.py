"""A sandbox's CourseKey whose students attended for a week: what the tests of reading the export read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from rosterflow.hooks.coursekey_export import CourseKeyExportHook, RawPage
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.hooks.coursekey_sandbox import KEY, OWNER, Waits

MAIN, NORTH, WEST = "548156", "548157", "612001"
FIRST, LAST = date(2026, 8, 24), date(2026, 8, 28)
FRIDAY = datetime(2026, 8, 28, 22, tzinfo=UTC)
STUDENTS = 6
RECORDS = 12
"""Six students at two sessions."""
NORTH_RECORDS = 11
"""One of them did not come."""


@contextmanager
def attended() -> Iterator[RunningSandbox]:
    """A sandbox in which each of the two schools of one key has a course on Monday and Wednesday, in pages of five."""
    empty = "sections=0,students=0,registrations=0,instructors=1,awkward=0"
    world = World(Settings(size="small", college=empty), now=lambda: FRIDAY)
    settings = {"auto_schedule": (MAIN, NORTH), "export_page_size": 5}
    world.coursekey.settings = replace(world.coursekey.settings, **settings)  # type: ignore[arg-type]
    with RunningSandbox(world) as sandbox:
        for school in (MAIN, NORTH):
            _fill(sandbox, school)
        control(sandbox, "POST", "/control/coursekey/attend", {"from": FIRST.isoformat(), "to": LAST.isoformat()})
        yield sandbox


def control(sandbox: RunningSandbox, method: str, path: str, body: object) -> Any:
    """Have the sandbox do something; its answer."""
    answer = httpx.request(method, f"{sandbox.url}{path}", json=body, headers={"X-Auth-Key": KEY})
    assert answer.is_success, answer.text
    return answer.json()


def _fill(sandbox: RunningSandbox, school: str) -> None:
    course = {
        "schoolID": school,
        "name": "MTH101 - 4",
        "title": "Intro to Math",
        "startDate": "08/24/2026",
        "endDate": "08/30/2026",
        "startTime": "9:00:00",
        "endTime": "10:15:00",
        "timeZone": "US/Eastern",
        "days": "Monday|Wednesday",
        "instructorName": "Quilwin Gristhurst",
        "owner": OWNER,
        "attendanceName": "Lecture",
    }
    made = control(sandbox, "POST", "/coursekey/api/v1/courses", course)
    for number in range(STUDENTS):
        who = {"schoolID": school, "email": f"s{number}.{school}@college.example"}
        names = {"firstName": "Harpdell", "lastName": "Elderquist", "isTeacher": 0}
        control(sandbox, "POST", "/coursekey/api/v1/users", {**who, **names, "issuedID": str(200_001 + number)})
        control(sandbox, "POST", "/coursekey/api/v1/enrollments", {**who, "course": made["addCode"], "isAdmin": 0})


def connect(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox, key: str = KEY) -> None:
    """The connection ``coursekey_test`` to the export side."""
    fast = {"calls_per_second": 100_000, "concurrent_calls": 4}
    value = {"conn_type": "coursekey", "host": f"{sandbox.url}/coursekey-export", "password": key, "extra": fast}
    monkeypatch.setenv("AIRFLOW_CONN_COURSEKEY_TEST", json.dumps(value))


def arm(sandbox: RunningSandbox, kind: str, *, after: int = 0, count: int | None = 1, match: str = "") -> None:
    """Have something go wrong at the export."""
    sandbox.world.faults.add(Fault("coursekey-export", kind, after=after, count=count, match=match))


def hook_of(seconds: float = 5) -> CourseKeyExportHook:
    """A hook that waits for nothing."""
    return CourseKeyExportHook("coursekey_test", timeout=httpx.Timeout(seconds), sleep=Waits())


def pages(school: str = MAIN, first: date = FIRST, last: date = LAST) -> list[RawPage]:
    """Every page of a school."""

    async def read() -> list[RawPage]:
        async with hook_of() as hook:
            return [page async for page in hook.pages(school, first, last)]

    return asyncio.run(read())
