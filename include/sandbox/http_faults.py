"""The HTTP faults: a middleware around everything that makes a request to a service go wrong when it was asked to.

It also gives every answer its Date header, from the world's clock, because that too can be made wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from sandbox.campuscafe import routes as campus_cafe
from sandbox.canvas.http import AUTHENTICATE
from sandbox.canvas.throttle import gate_of
from sandbox.coursekey import routes as coursekey
from sandbox.faults import HTTP_KINDS, Fault
from sandbox.fs.auth import unauthorized

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sandbox.world import World

TIMEOUT_SECONDS = 120.0
INVALID_TOKEN = {"errors": [{"message": "Invalid access token."}]}
REFUSALS = ("unauthorized", "429", "500", "502", "503", "html")

BAD_GATEWAY = """<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr></body>
</html>
"""
UNAVAILABLE = """<html>
<head><title>503 Service Temporarily Unavailable</title></head>
<body><center><h1>503 Service Temporarily Unavailable</h1></center><hr></body>
</html>
"""
MAINTENANCE = """<!doctype html>
<html>
<head><title>Maintenance</title></head>
<body><h1>We will be back soon</h1><p>The service is down for maintenance.</p></body>
</html>
"""

UNAUTHORIZED: dict[str, Callable[[], Response]] = {
    "fs": unauthorized,
    "canvas": lambda: JSONResponse(INVALID_TOKEN, 401, AUTHENTICATE),
    "campuscafe": campus_cafe.unauthorized,
    "coursekey": coursekey.bad_key,
    "coursekey-export": coursekey.bad_key,
}
SERVICES = tuple(UNAUTHORIZED)


@dataclass(frozen=True, slots=True)
class _Call:
    """One request to a service, its body read, and where its answer goes."""

    scope: Scope
    receive: Receive
    send: Send
    body: bytes

    @property
    def text(self) -> str:
        """What a fault's ``match`` is looked for in: method, path and query, and on the next line the body."""
        query = self.scope["query_string"].decode("latin-1")
        address = f"{self.scope['path']}?{query}" if query else self.scope["path"]
        return f"{self.scope['method']} {address}\n{self.body.decode('utf-8', 'replace')}"

    async def run(self, app: ASGIApp, send: Send) -> None:
        """Have the work done, its answer sent through ``send``."""
        unread = [self.body]

        async def replay() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            return await self.receive()

        await app(self.scope, replay, send)

    async def waits(self, seconds: float) -> bool:
        """Let time pass; False as soon as the client has left."""
        try:
            async with asyncio.timeout(seconds):
                await self.until_gone()
        except TimeoutError:
            return True
        return False

    async def until_gone(self) -> None:
        """Wait until the connection is closed, by either side."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def hang_up(self) -> None:
        """Close the connection, once what was already sent is out."""
        self.scope["state"]["transport"].close()
        await self.until_gone()


class FaultMiddleware:
    """Wraps the whole application; a request for no service, such as /control, is never struck."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app = app
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, in the way the armed faults leave."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        target = scope["path"].split("/")[1]
        if target not in SERVICES or not self.world.faults.is_armed(target, HTTP_KINDS):
            await self.app(scope, receive, self._dated(send))
            return
        body = await Request(scope, receive).body()
        await self._strike(target, _Call(scope, receive, send, body))

    async def _strike(self, target: str, call: _Call) -> None:
        text = call.text

        def take(kind: str) -> Fault | None:
            return self.world.faults.take(target, kind, text)

        if (fault := take("latency")) and not await call.waits(fault.seconds):
            return
        if (fault := take("timeout")) and not await call.waits(fault.seconds or TIMEOUT_SECONDS):
            return
        if take("drop_before"):
            await call.hang_up()
            return
        skew = take("skew")
        send = self._dated(call.send, skew.seconds if skew else 0)
        for kind in REFUSALS:
            if fault := take(kind):
                await self._refusal(target, fault)(call.scope, call.receive, send)
                return
        if take("drop_after"):
            await call.run(self.app, _nowhere)
            await call.hang_up()
        elif take("truncate"):
            await self._send_half(call, send)
        elif fault := take("slow_answer"):
            await self._send_late(call, send, fault.seconds)
        else:
            await call.run(self.app, send)

    async def _send_late(self, call: _Call, send: Send, seconds: float) -> None:
        sent = await self._answer(call)
        if await call.waits(seconds):
            for message in sent:
                await send(message)

    async def _answer(self, call: _Call) -> list[Message]:
        """Have the work done and keep its answer."""
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await call.run(self.app, keep)
        return sent

    async def _send_half(self, call: _Call, send: Send) -> None:
        sent = await self._answer(call)
        start = sent[0]
        body = b"".join(message.get("body", b"") for message in sent[1:])
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await call.hang_up()

    def _dated(self, send: Send, seconds: float = 0) -> Send:
        """Send with a Date header that is wrong by so many seconds."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                moment = self.world.now() + timedelta(seconds=seconds)
                date = (b"date", format_datetime(moment, usegmt=True).encode())
                message = {**message, "headers": [*message["headers"], date]}
            await send(message)

        return dated

    def _refusal(self, target: str, fault: Fault) -> Response:
        """The answer of a service, or of what stands before it, that will not do the work."""
        retry_after = {"Retry-After": str(round(fault.seconds))} if fault.seconds else {}
        match fault.kind:
            case "unauthorized":
                return UNAUTHORIZED[target]()
            case "429" if target == "canvas":
                profile = gate_of(self.world.canvas).profile
                remaining = {"X-Rate-Limit-Remaining": "0.0"}
                return PlainTextResponse(profile.throttled_text, profile.throttled_status, remaining)
            case "429" if target.startswith("coursekey"):
                return coursekey.too_many_requests(fault.seconds)
            case "429":
                return PlainTextResponse("Too Many Requests\n", 429, retry_after)
            case "500" if target == "canvas":
                error = {"message": "An error occurred.", "error_code": "internal_server_error"}
                return JSONResponse({"errors": [error], "error_report_id": 1}, 500)
            case "500":
                return PlainTextResponse("Internal Server Error\n", 500)
            case "502":
                return HTMLResponse(BAD_GATEWAY, 502)
            case "503":
                return HTMLResponse(UNAVAILABLE, 503, retry_after)
            case _:
                return HTMLResponse(MAINTENANCE, 200)


async def _nowhere(message: Message) -> None:
    """Throw a part of an answer away."""
