"""The address of CourseKey's export side: the time attended at a school on some days, in pages.

Source: docs/coursekey-contract.md, CourseKey, export side.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.coursekey.fields import invalid
from sandbox.coursekey.model import KEYS, Refused
from sandbox.coursekey.routes import API, bad_key, school_of, start_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.world import World

TARGET = "coursekey-export"
OVERLAP = 5
"""How many rows of the page before an overlapping page begins with."""


def routes(world: World) -> list[BaseRoute]:
    """Return the routes of the export side, to be mounted below `/coursekey-export`."""

    async def time_attended(request: Request) -> Response:
        key = request.headers.get("x-auth-key", "")
        if key not in KEYS or key in world.coursekey.settings.refused_keys:
            return bad_key()
        try:
            return JSONResponse(await run_in_threadpool(_page, world, key, request))
        except Refused as error:
            return JSONResponse(error.body, error.status)

    return [Route(f"{API}/timeattended", time_attended, methods=["GET"])]


def _page(world: World, key: str, request: Request) -> dict[str, Any]:
    """One page of a school's records, gone wrong in the way the armed faults say."""
    query, coursekey = dict(request.query_params), world.coursekey
    school = school_of(key, query)
    first, last = _day(query, "from"), _day(query, "to")
    call = f"{request.method} {request.url.path}?{request.url.query}"

    def struck(kind: str) -> bool:
        return world.faults.take(TARGET, kind, call) is not None

    with coursekey.lock:
        settings = coursekey.settings
        shown = (row for row in coursekey.exported(school) if settings.show_deleted or not row.is_deleted)
        rows = [row for row in shown if first <= row.session_date <= last]
        if struck("empty_list"):
            rows = []
        start = start_of(query.get("cursor", ""))
        stop = start + settings.export_page_size
        before = OVERLAP if start and struck("overlap") else 0
        data: list[dict[str, Any] | None] = [row.as_json() for row in rows[max(0, start - before) : stop]]
    if struck("drop_page"):
        data = []
    if data and struck("null_row"):
        data[0] = None
    if data and data[0] and struck("broken_row"):
        data[0] = {**data[0], "timeAwarded": "a while"}
    following = f"from-{start if struck('repeated_cursor') else stop}" if stop < len(rows) else None
    return {"data": data, "nextCursor": following}


def _day(query: dict[str, str], name: str) -> str:
    try:
        return date.fromisoformat(query.get(name, "")).isoformat()
    except ValueError as error:
        raise invalid(name, f"{name} is required, as YYYY-MM-DD.") from error
