"""The mail that was received, to be looked at: a list, a page for each message, and both as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.rendering import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from sandbox.mail import Message
    from sandbox.world import World


def routes(world: World) -> list[BaseRoute]:
    """The routes of /mail over a world; every list is newest first."""

    def found(request: Request) -> Message:
        message = world.mailbox.message(request.path_params["message_id"])
        if message is None:
            raise HTTPException(404, "There is no such message; older ones give way to newer.")
        return message

    def show_list(request: Request) -> Response:
        return page(world, "mail.html", messages=world.mailbox.messages()[::-1])

    def show_one(request: Request) -> Response:
        return page(world, "message.html", message=found(request))

    def as_json(request: Request) -> Response:
        return JSONResponse([message.as_json() for message in reversed(world.mailbox.messages())])

    def one_as_json(request: Request) -> Response:
        return JSONResponse(found(request).as_json())

    def delete_all(request: Request) -> Response:
        world.mailbox.clear()
        return Response(status_code=204)

    return [
        Route("/mail", show_list, methods=["GET"]),
        Route("/mail", delete_all, methods=["DELETE"]),
        Route("/mail.json", as_json, methods=["GET"]),
        Route("/mail/{message_id:int}", show_one, methods=["GET"]),
        Route("/mail/{message_id:int}.json", one_as_json, methods=["GET"]),
    ]
