"""What reaches the sandbox's Canvas: how many requests, how large, and which of them are SIS imports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

CANVAS = "/canvas/"
LOOKING = b"rosterflow-bench"
"""User agent of who looks whether Canvas is done, as the triggerer does every ten seconds."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests to Canvas.

    :param requests: how many, without those that only look whether Canvas is done.
    :param looks: how many of those there were; we look far more often than the triggerer does.
    :param sent: bytes of what all of them brought.
    :param imports: how many began a SIS import.
    """

    requests: int = 0
    looks: int = 0
    sent: int = 0
    imports: int = 0


NOTHING = Traffic()


class Counter:
    """An ASGI application that counts what reaches another one.

    :param app: the application that answers.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.traffic = NOTHING

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(CANVAS):
            await self.app(scope, receive, send)
            return
        self._count(scope)

        async def counted() -> Any:
            message = await receive()
            self.traffic = replace(self.traffic, sent=self.traffic.sent + len(message.get("body", b"")))
            return message

        await self.app(scope, counted, send)

    def _count(self, scope: Any) -> None:
        before = self.traffic
        if dict(scope["headers"]).get(b"user-agent") == LOOKING:
            self.traffic = replace(before, looks=before.looks + 1)
            return
        is_import = scope["method"] == "POST" and scope["path"].endswith("/sis_imports")
        self.traffic = replace(before, requests=before.requests + 1, imports=before.imports + is_import)
