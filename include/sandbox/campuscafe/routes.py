"""The addresses of Campus Cafe: pages of its resources with a change feed, initial passwords, attendance to write.

Source: docs/coursekey-contract.md, Campus Cafe. Where it is silent: `semester` may be repeated, a page after the last
is empty, and a page holds at most 1,000 rows.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.campuscafe import attendance
from sandbox.college.records import RESOURCES, stamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.campuscafe.attendance import Write
    from sandbox.college.records import Record
    from sandbox.world import World

    Handler = Callable[[Request], Any]

TOKEN = "sandbox-campuscafe-token"
PAGE_SIZE, LARGEST_PAGE = 500, 1000
API = "/api/v1"


class Refused(Exception):
    """An answer that is not a success: its status, and the code and message of its error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message}}


def routes(world: World) -> list[BaseRoute]:
    """Return the routes of Campus Cafe, to be mounted below `/campuscafe`."""

    def show_page(request: Request) -> Any:
        return _page(world, request.path_params["resource"], request)

    def show_password(request: Request) -> Any:
        password = world.college.passwords.get(request.path_params["person"])
        if password is None:
            raise Refused(404, "no_password", "This person has no initial password.")
        return {"password": password}

    def writer(write: Write) -> Handler:
        def put(request: Request) -> Any:
            rows = _rows(request.state.body)
            done = attendance.results(world.college, rows, write)
            if world.faults.take("campuscafe", "short_results", f"{request.method} {request.url.path}"):
                done = done[:-1]
            return {"results": done}

        return put

    return [
        Route(f"{API}/persons/{{person}}/initial-password", _answered(show_password), methods=["GET"]),
        Route(f"{API}/attendance", _answered(writer(attendance.write_time)), methods=["PUT"]),
        Route(f"{API}/enrollment-details", _answered(writer(attendance.write_last_date)), methods=["PUT"]),
        Route(f"{API}/{{resource}}", _answered(show_page), methods=["GET"]),
    ]


def unauthorized() -> Response:
    """The answer to a call without the right token."""
    return _json({"error": {"code": "bad_token", "message": "The token is missing or not valid."}}, 401)


def _answered(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("authorization", "") != f"Bearer {TOKEN}":
            return unauthorized()
        request.state.body = await request.body()
        try:
            return _json(await run_in_threadpool(handler, request), 200)
        except Refused as error:
            return _json(error.body, error.status)

    return endpoint


def _json(payload: Any, status: int) -> Response:
    return JSONResponse(payload, status)


def _page(world: World, resource: str, request: Request) -> dict[str, Any]:
    """One page of a resource, gone wrong in the way the armed faults say."""
    if resource not in RESOURCES:
        raise Refused(404, "unknown_resource", f"There is no resource {resource}.")
    query = request.query_params
    page, size = _number(query.get("page", "1"), "page"), _number(query.get("pageSize", str(PAGE_SIZE)), "pageSize")
    size = min(size, LARGEST_PAGE)
    call = f"{request.method} {request.url.path}?{request.url.query}"

    def struck(kind: str) -> bool:
        return world.faults.take("campuscafe", kind, call) is not None

    rows = world.college.rows(resource, query.getlist("semester"), _since(query.get("modifiedSince", "")))
    if first := query.get("from"):
        rows = [row for row in rows if row.get("date", first) >= first]
    if last := query.get("to"):
        rows = [row for row in rows if row.get("date", last) <= last]
    if struck("empty_list"):
        rows = []
    shown = 1 if struck("repeated_page") else page
    data: list[Record | None] = list(rows[(shown - 1) * size : shown * size])
    if struck("drop_page"):
        data = []
    if data and struck("null_row"):
        data[0] = None
    if data and data[0] and struck("broken_row"):
        data[0] = {**data[0], "modifiedAt": "yesterday"}
    total = len(rows) + struck("total_high")
    return {"data": data, "page": page, "pages": max(1, -(-len(rows) // size)), "total": total}


def _rows(body: bytes) -> list[Any]:
    """The rows that are to be written."""
    try:
        rows = json.loads(body)["rows"]
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(400, "invalid", 'The body must be JSON such as {"rows": []}.') from error
    if not isinstance(rows, list) or len(rows) > attendance.MOST_ROWS:
        raise Refused(400, "invalid", f"rows must be a list of {attendance.MOST_ROWS} at most.")
    return rows


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise Refused(400, "invalid", f"{name} must be a whole number, 1 or more.")
    return int(text)


def _since(text: str) -> str:
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(400, "invalid", "modifiedSince must be a moment such as 2026-09-01T03:00:00Z.") from error
    return stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
