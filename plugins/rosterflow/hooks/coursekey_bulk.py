"""Calls of one operation that are made at the same time become one, where CourseKey takes many (coursekey §5.7).

Whoever calls notices nothing: each gets the answer, or the error, of its own row.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, NamedTuple

import httpx
import msgspec

from rosterflow.domain.errors import Code, RosterflowError
from rosterflow.hooks.coursekey_answers import Refusal, lost
from rosterflow.wire import coursekey_json
from rosterflow.wire.coursekey_json import Request, Unreadable
from rosterflow.wire.coursekey_profile import CourseKeyProfile, Operation

LINGER = 0.02
"""Seconds for which a call waits for others to join it."""

Send = Callable[[Operation, Request], Awaitable[Any]]
Understand = Callable[[Operation, Request, httpx.Response], Any]


class _Row(NamedTuple):
    request: Request
    answer: asyncio.Future[Any]


class Gathering:
    """Gathers the calls of a hook.

    :param send: makes one call.
    :param understand: the JSON of a good answer; raises what another one stands for.
    """

    def __init__(self, profile: CourseKeyProfile, send: Send, understand: Understand) -> None:
        self._profile, self._send, self._understand = profile, send, understand
        self._waiting: defaultdict[Hashable, list[_Row]] = defaultdict(list)
        self._under_way: set[asyncio.Task[None]] = set()

    async def through(self, operation: Operation, request: Request) -> Any:
        """The answer's JSON to one call that may go with others."""
        loop, call, bulk = asyncio.get_running_loop(), self._profile.calls[operation], self._profile.bulk[operation]
        together = operation, *coursekey_json.shared(call, bulk, request).items()
        row = _Row(request, loop.create_future())
        waiting = self._waiting[together]
        waiting.append(row)
        if len(waiting) == bulk.most:
            self._go(operation, together)
        elif len(waiting) == 1:
            loop.call_later(LINGER, self._go, operation, together)
        return await row.answer

    def _go(self, operation: Operation, together: Hashable) -> None:
        if rows := self._waiting.pop(together, None):
            task = asyncio.get_running_loop().create_task(self._sent(operation, rows))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _sent(self, operation: Operation, rows: list[_Row]) -> None:
        """Send them in one call, and one by one when CourseKey refuses that call as a whole."""
        if len(rows) > 1:
            try:
                results = await self._results(operation, rows)
            except Refusal:
                pass
            except Exception as error:
                for row in rows:
                    _fail(row, error)
                return
            else:
                for row, (status, body) in zip(rows, results, strict=True):
                    self._settle(operation, row, status, body)
                return
        for row in rows:
            try:
                _succeed(row, await self._send(operation, row.request))
            except Exception as error:
                _fail(row, error)

    async def _results(self, operation: Operation, rows: list[_Row]) -> list[tuple[int, object]]:
        call, bulk = self._profile.calls[operation], self._profile.bulk[operation]
        answer = await self._send(operation, coursekey_json.bulk_request(call, bulk, [row.request for row in rows]))
        try:
            return coursekey_json.bulk_results(bulk, answer, len(rows))
        except Unreadable as error:
            raise lost(call, operation, f"CourseKey's answer to '{operation}': {error}.", Code.BAD_RESPONSE) from None

    def _settle(self, operation: Operation, row: _Row, status: int, body: object) -> None:
        """A row stands for the answer that its own call would have had."""
        answer = httpx.Response(status, content=msgspec.json.encode(body))
        try:
            _succeed(row, self._understand(operation, row.request, answer))
        except RosterflowError as error:
            _fail(row, error)


def _succeed(row: _Row, answer: object) -> None:
    if not row.answer.done():  # whoever asked may have been cancelled
        row.answer.set_result(answer)


def _fail(row: _Row, error: Exception) -> None:
    if not row.answer.done():
        row.answer.set_exception(error)
