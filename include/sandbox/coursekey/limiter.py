"""How many calls a second CourseKey takes of one key: a bucket of tokens, as many as a second's."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Limiter:
    """One bucket per key; `clock` counts seconds monotonically."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def admits(self, key: str, rate: float | None) -> bool:
        """Take a token for a call of a key; False when there is none. Any number of calls passes without a rate."""
        if rate is None:
            return True
        now, most = self._clock(), max(1.0, rate)
        tokens, touched = self._buckets.get(key, (most, now))
        tokens = min(most, tokens + (now - touched) * rate)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1
