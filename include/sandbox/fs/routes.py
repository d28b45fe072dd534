"""The addresses of FS: POST /graphql in the world's dialect, POST /2023/graphql in the source document's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.fs.auth import is_authorized, unauthorized
from sandbox.fs.service import BadRequestError, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.world import World


def routes(world: World) -> list[BaseRoute]:
    """Return the routes of FS, to be mounted below `/fs`. The trailing slash of FS's own address is accepted."""
    service = Service(world)

    def endpoint(path: str, dialect: Callable[[], str]) -> list[BaseRoute]:
        async def graphql(request: Request) -> Response:
            if not is_authorized(request):
                return unauthorized()
            return await _answer(request, service, dialect())

        return [Route(path + slash, graphql, methods=["POST"]) for slash in ("", "/")]

    return [*endpoint("/graphql", lambda: world.dialect), *endpoint("/2023/graphql", lambda: "2023")]


async def _answer(request: Request, service: Service, dialect: str) -> Response:
    flags = request.headers.get("Feature-Flags", "")
    try:
        body = json.loads(await request.body())
        answer = await run_in_threadpool(service.answer, body, dialect, flags)
    except BadRequestError as error:
        return PlainTextResponse(str(error), status_code=400)
    except ValueError:
        return PlainTextResponse("The body must be JSON.", status_code=400)
    content = await run_in_threadpool(json.dumps, answer, ensure_ascii=False, separators=(",", ":"))
    return Response(content.encode(), media_type="application/json")
