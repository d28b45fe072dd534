"""How fast one auth key of CourseKey is used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiolimiter import AsyncLimiter

from rosterflow.wire.coursekey_profile import Limits

BURST = 0.25
"""Seconds' worth of calls that may be begun at once: waiting is never exact, batches are taken meanwhile, and what
is late must be made up."""

Answer = TypeVar("Answer")


class Pace:
    """So many calls begun in a second, so many under way at once, and none while we are told to wait."""

    def __init__(self, limits: Limits, sleep: Callable[[float], Awaitable[None]]) -> None:
        burst = max(1.0, limits.calls_per_second * BURST)
        self._limiter = AsyncLimiter(burst, burst / limits.calls_per_second)
        self._slots = asyncio.Semaphore(limits.concurrent_calls)
        self._sleep = sleep
        self._resumes_at = 0.0

    async def run(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Make a call when its turn has come."""
        async with self._slots:
            slept_until = now = asyncio.get_running_loop().time()
            while (resumes_at := self._resumes_at) > slept_until:
                await self._sleep(resumes_at - now)
                slept_until, now = resumes_at, asyncio.get_running_loop().time()
            await self._limiter.acquire()
            return await call()

    def pause(self, seconds: float) -> None:
        """Begin no call for so long."""
        self._resumes_at = max(self._resumes_at, asyncio.get_running_loop().time() + seconds)
