"""A client for the sandbox's Campus Cafe, CourseKey and their controls: straight into the application, no socket."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx

from sandbox.app import build_app
from sandbox.world import Settings, World

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
KEY_1, KEY_2 = "sandbox-coursekey-key-1", "sandbox-coursekey-key-2"
MAIN, NORTH, WEST = "548156", "548157", "612001"
OWNER = "registrar@college.example"


class CollegeClient:
    """A small world whose clock stands still until `now` is set, with the college of a size."""

    def __init__(self, college: str = "demo") -> None:
        self.now = NOW
        self.world = World(Settings(size="small", college=college), now=lambda: self.now)
        self._app = build_app(self.world)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.example") as client:
                return await client.request(method, path, **request)

        return asyncio.run(send())

    def campus(self, path: str, token: str = "sandbox-campuscafe-token", **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.call("GET", f"/campuscafe/api/v1/{path}", headers=headers, params=query)

    def coursekey(self, method: str, path: str, key: str = KEY_1, school: str = MAIN, **given: Any) -> httpx.Response:
        """`given` is the query of GET and DELETE and the body of the others."""
        sent: dict[str, Any] = {"schoolID": school} | given
        place = "params" if method in ("GET", "DELETE") else "json"
        headers = {"X-Auth-Key": key, "X-Request-ID": "request-1"}
        return self.call(method, f"/coursekey/api/v1{path}", headers=headers, **{place: sent})

    def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.call(method, f"/control/{path}", json=body)

    def new_user(self, email: str, issued_id: str = "", **given: Any) -> dict[str, Any]:
        names = {"firstName": "Harpdell", "lastName": "Elderquist"}
        person = {**names, "email": email, "isTeacher": 0, "issuedID": issued_id, **given}
        return made(self.coursekey("POST", "/users", **person))

    def new_course(self, name: str = "MTH101 - 4", **given: Any) -> dict[str, Any]:
        return made(self.coursekey("POST", "/courses", **{**course(name), **given}))


def course(name: str = "MTH101 - 4") -> dict[str, Any]:
    """All that a course of the school MAIN needs."""
    return {
        "name": name,
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


def made(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 201, response.text
    return response.json()  # type: ignore[no-any-return]


def answer(response: httpx.Response) -> tuple[int, Any]:
    """The status, with the code of an error or else the body."""
    body = response.json() if response.content else None
    return response.status_code, body["error"]["code"] if isinstance(body, dict) and "error" in body else body
