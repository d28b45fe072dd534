"""The sandbox's own interface: reset the world, let a day pass, make things go wrong, see how it stands.

All under /control, in JSON, without credentials. What is wrong with a request is said in one sentence, in a 422.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.canvas.throttle import HOSTED_2026, PROFILES
from sandbox.college.records import InvalidRecord
from sandbox.coursekey.state import InvalidCourseKeySetting
from sandbox.faults import InvalidFault, fault_from
from sandbox.world import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.canvas.sis.batch import SisBatch
    from sandbox.world import World

    Handler = Callable[[Request], Awaitable[Response]]

RESET_FIELDS = ("seed", "size", "dialect", "year", "term", "college", "college_begins")


class BadBody(ValueError):
    """A request body that cannot be used; the message is the sentence for the caller."""


REFUSALS = (BadBody, InvalidFault, InvalidRecord, InvalidCourseKeySetting, InvalidSetting)
"""What is wrong with a request, each with a sentence as its message."""


def routes(world: World) -> list[BaseRoute]:
    """The routes of /control over a world."""
    control = _Control(world)
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/control/reset", control.reset),
        ("POST", "/control/day-of-change", control.day_of_change),
        ("POST", "/control/canvas", control.configure_canvas),
        ("POST", "/control/faults", control.arm),
        ("GET", "/control/faults", control.armed),
        ("DELETE", "/control/faults", control.disarm),
        ("GET", "/control/state", control.state),
    ]
    return [Route(path, answered(handler), methods=[method]) for method, path, handler in table]


class _Control:
    """What can be done to a world; each method is one endpoint."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def reset(self, request: Request) -> Response:
        """POST any of RESET_FIELDS: a new world; answers its state."""
        wanted = await json_object(request)
        for name in wanted:
            if name not in RESET_FIELDS:
                raise BadBody(f"{name} cannot be set; a reset takes {', '.join(RESET_FIELDS)}, all optional.")
        await run_in_threadpool(self._world.reset, **wanted)
        return await self.state(request)

    async def day_of_change(self, request: Request) -> Response:
        """POST: a day passes; answers {"changes": [what changed, in words]}."""
        return JSONResponse({"changes": await run_in_threadpool(self._world.play_day_of_change)})

    async def configure_canvas(self, request: Request) -> Response:
        """POST settings of Canvas by name, such as {"profile": "legacy"}."""
        wanted = await json_object(request)
        profile = wanted.get("profile", HOSTED_2026.name)
        if profile not in tuple(PROFILES):
            raise BadBody(f"profile must be one of {', '.join(PROFILES)}, not {profile!r}.")
        try:
            self._world.canvas.configure(**wanted)
        except ValueError as error:
            raise BadBody(str(error)) from error
        return Response(status_code=204)

    async def arm(self, request: Request) -> Response:
        """POST a fault; answers all of them."""
        self._world.faults.add(fault_from(await json_body(request)))
        return JSONResponse({"faults": self._world.faults.listing()}, 201)

    async def armed(self, request: Request) -> Response:
        """GET the faults, spent ones too, with what each has seen and done."""
        return JSONResponse({"faults": self._world.faults.listing()})

    async def disarm(self, request: Request) -> Response:
        """DELETE every fault."""
        self._world.faults.clear()
        return Response(status_code=204)

    async def state(self, request: Request) -> Response:
        """GET how the world stands."""
        return JSONResponse(await run_in_threadpool(_state, self._world))


def answered(handler: Handler) -> Handler:
    """The handler, with what is wrong with a request answered as a 422."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except REFUSALS as error:
            return JSONResponse({"error": str(error)}, 422)

    return endpoint


async def json_body(request: Request) -> Any:
    """The decoded body, an empty object without one. Raises BadBody."""
    body = await request.body()
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise BadBody(f"The body must be JSON: {error}.") from error


async def json_object(request: Request) -> dict[str, Any]:
    """The decoded body, which must be an object. Raises BadBody."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise BadBody("The body must be a JSON object.")
    return body


def _state(world: World) -> dict[str, Any]:
    """How the world stands: what it was made from, what is in it, the imports, the faults, the mail."""
    canvas = world.canvas
    with canvas.lock:
        imports = [_import_state(batch) for batch in canvas.sis_batches.values()]
    return {
        "settings": asdict(world.settings),
        "dialect": world.dialect,
        "university": world.university.counts(),
        "canvas": canvas.counts(),
        "enrollments": canvas.enrollment_states(),
        "imports": imports,
        "college": world.college.counts(),
        "coursekey": world.coursekey.counts(),
        "faults": world.faults.listing(),
        "mail": len(world.mailbox.messages()),
    }


def _import_state(batch: SisBatch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "filename": batch.filename,
        "workflow_state": batch.workflow_state,
        "progress": batch.progress,
        "messages": len(batch.errors),
        "created_at": batch.created_at.isoformat(),
        "ended_at": batch.ended_at.isoformat() if batch.ended_at else None,
    }
