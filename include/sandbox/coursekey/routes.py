"""The addresses of CourseKey's roster side: who may call what, and how answers, lists and errors look.

Source: docs/coursekey-contract.md, CourseKey, roster side; reference/coursekey.md §5.3 (status codes).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.coursekey import courses, rosters, sessions, users
from sandbox.coursekey.fields import invalid
from sandbox.coursekey.limiter import Limiter
from sandbox.coursekey.model import KEYS, SCHOOLS, Refused, School
from sandbox.coursekey.state import Call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.coursekey.state import CourseKey
    from sandbox.world import World

    Answer = list[dict[str, Any]] | tuple[int, dict[str, Any] | None]
    Handler = Callable[[CourseKey, School, dict[str, Any]], Answer]

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked of CourseKey. A handler that returns a list has it shown in pages."""

    name: str
    method: str
    path: str
    handler: Handler


OPERATIONS = (
    Operation("find users", "GET", "/users", users.find),
    Operation("create user", "POST", "/users", users.create),
    Operation("update user", "PUT", "/users/{userID}", users.update),
    Operation("find courses", "GET", "/courses", courses.find),
    Operation("show course", "GET", "/courses/{courseID}", courses.show),
    Operation("create course", "POST", "/courses", courses.create),
    Operation("update course", "PUT", "/courses/{courseID}", courses.update),
    Operation("list staff", "GET", "/courses/{courseID}/staff", rosters.staff),
    Operation("add staff", "POST", "/courses/{courseID}/staff", rosters.add_staff),
    Operation("remove staff", "DELETE", "/courses/{courseID}/staff/{userID}", rosters.remove_staff),
    Operation("list enrollments", "GET", "/courses/{courseID}/enrollments", rosters.enrollments),
    Operation("enroll", "POST", "/enrollments", rosters.enroll),
    Operation("drop", "POST", "/enrollments/drop", rosters.drop),
    Operation("list sessions", "GET", "/courses/{courseID}/sessions", sessions.listed),
    Operation("set session", "PUT", "/courses/{courseID}/sessions", sessions.put),
    Operation("cancel session", "DELETE", "/courses/{courseID}/sessions/{sessionID}", sessions.cancel),
    Operation("list attendance names", "GET", "/attendanceconfigurations", sessions.attendance_names),
)

STATUS_FAULTS = {
    "400": (400, "invalid", "The request could not be read."),
    "403": (403, "bad_key", "This key may not do this."),
    "404": (404, "unknown_course", "There is no such course at this school."),
    "408": (408, "timeout", "The request took too long to arrive."),
    "409": (409, "conflict", "Something else changed this just now."),
    "422": (422, "invalid", "The request could not be processed."),
    "425": (425, "too_early", "Try again later."),
}
"""The faults that answer a call with a status of their own instead of doing it."""

SUCCESS_FALSE = {"success": False, "error": {"code": "invalid", "message": "The request could not be processed."}}


def routes(world: World) -> list[BaseRoute]:
    """Return the routes of the roster side, to be mounted below `/coursekey`."""
    limiter = Limiter()
    return [
        Route(API + operation.path, _endpoint(world, operation, limiter), methods=[operation.method])
        for operation in OPERATIONS
    ]


def bad_key(status: int = 401) -> Response:
    """The answer to a call without a good auth key."""
    return JSONResponse({"error": {"code": "bad_key", "message": "The auth key is missing or not valid."}}, status)


def too_many_requests(seconds: float = 0) -> Response:
    """The answer to a call above what a key may make."""
    body = {"error": {"code": "too_many_requests", "message": "Too many requests; slow down."}}
    return JSONResponse(body, 429, {"Retry-After": str(max(1, round(seconds)))})


def _endpoint(world: World, operation: Operation, limiter: Limiter) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        coursekey, key = world.coursekey, request.headers.get("x-auth-key", "")
        settings = coursekey.settings
        if key not in KEYS or key in settings.refused_keys:
            return bad_key()
        if not limiter.admits(key, settings.rate_per_second):
            return too_many_requests()
        if settings.latency_seconds:
            await asyncio.sleep(settings.latency_seconds)
        body = await request.body()
        given: dict[str, Any] = {}
        try:
            given = _given(request, body)
            response = _struck(world, request, body) or _done(
                coursekey, operation, school_of(key, given), request, given
            )
        except Refused as error:
            response = JSONResponse(error.body, error.status)
        request_id = request.headers.get("x-request-id", "")
        call = Call(world.now(), key, operation.name, str(given.get("schoolID", "")), response.status_code, request_id)
        with coursekey.lock:
            coursekey.calls.append(call)
            coursekey.calls_made[key, operation.name] += 1
        return response

    return endpoint


def _given(request: Request, body: bytes) -> dict[str, Any]:
    """What a call says: the query of GET and DELETE, the JSON body of the others, and in the end its path."""
    if request.method in ("GET", "DELETE"):
        return {**request.query_params, **request.path_params}
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Refused(400, "invalid", "The body must be JSON in UTF-8.") from error
    if not isinstance(given, dict):
        raise Refused(400, "invalid", "The body must be a JSON object.")
    return {**given, **request.path_params}


def school_of(key: str, given: Mapping[str, Any]) -> School:
    """The school a call names. Raises Refused when it names none, or none of its key."""
    wanted = given.get("schoolID")
    if not isinstance(wanted, str) or not wanted:
        raise invalid("schoolID", "schoolID is required, as a text.")
    school = SCHOOLS.get(wanted)
    if school is None:
        raise Refused(404, "unknown_school", "There is no such school.")
    if school.key != key:
        raise Refused(403, "foreign_school", "This school belongs to another auth key.")
    return school


def _struck(world: World, request: Request, body: bytes) -> Response | None:
    """The answer of a fault that is armed for this call."""
    text = f"{request.method} {request.url.path}?{request.url.query}\n{body.decode('utf-8', 'replace')}"
    for kind, (status, code, message) in STATUS_FAULTS.items():
        if world.faults.take("coursekey", kind, text):
            return JSONResponse({"error": {"code": code, "message": message}}, status)
    return JSONResponse(SUCCESS_FALSE) if world.faults.take("coursekey", "success_false", text) else None


def _done(
    coursekey: CourseKey, operation: Operation, school: School, request: Request, given: dict[str, Any]
) -> Response:
    with coursekey.lock:
        answer = operation.handler(coursekey, school, given)
    if isinstance(answer, list):
        return JSONResponse(_page(answer, given.get("cursor", ""), coursekey.settings.page_size))
    status, payload = answer
    return Response(status_code=status) if payload is None else JSONResponse(payload, status)


def _page(rows: list[dict[str, Any]], cursor: str, size: int) -> dict[str, Any]:
    """A page of a list from where its cursor says."""
    start = start_of(cursor)
    stop = start + size
    return {"data": rows[start:stop], "nextCursor": f"from-{stop}" if stop < len(rows) else None}


def start_of(cursor: str) -> int:
    """The row, from 0, where the page of a cursor starts. Raises Refused when it is none of ours."""
    start = cursor.removeprefix("from-") if cursor else "0"
    if not (start.isascii() and start.isdigit()):
        raise invalid("cursor", "cursor must be the nextCursor of a page.")
    return int(start)
