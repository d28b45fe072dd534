"""Canvas's request throttling: a leaky bucket per access token, in the two profiles Canvas is met with.

Source: reference/canvas.md §9.4 (numbers, headers, texts) and §14 (profiles).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.canvas.state import Canvas

RESERVE = 50.0
OUTFLOW_PER_SECOND = 10.0
MAXIMUM = 800.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs between hosted Canvas of today and an older or self-hosted one (canvas.md §14)."""

    name: str
    throttled_status: int
    throttled_text: str
    high_water_mark: float
    denied_status: int
    page_cap: int


HOSTED_2026 = Profile("hosted-2026", 429, "429 Too Many Requests (Rate Limit Exceeded)\n", 700.0, 403, 100)
LEGACY = Profile("legacy", 403, "403 Forbidden (Rate Limit Exceeded)\n", 600.0, 401, 50)
PROFILES = {profile.name: profile for profile in (HOSTED_2026, LEGACY)}


@dataclass(slots=True)
class _Bucket:
    count: float
    touched: float


class Throttle:
    """One leaky bucket per key; a unit is a CPU second, and `clock` counts seconds monotonically."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def admit(self, key: str, high_water_mark: float) -> bool:
        """Reserve room for one request; False, with nothing reserved, when the bucket is at the mark."""
        with self._lock:
            bucket = self._leaked(key)
            if bucket.count >= high_water_mark:
                return False
            bucket.count = min(MAXIMUM, bucket.count + RESERVE)
            return True

    def settle(self, key: str, cost: float) -> None:
        """Give the reserve of a finished request back and charge its real cost."""
        self.charge(key, cost - RESERVE)

    def charge(self, key: str, units: float) -> None:
        """Pour `units` into the bucket, between empty and the maximum."""
        with self._lock:
            bucket = self._leaked(key)
            bucket.count = min(MAXIMUM, max(0.0, bucket.count + units))

    def remaining(self, key: str, high_water_mark: float) -> float:
        """Units left below the mark, never negative: what X-Rate-Limit-Remaining says."""
        with self._lock:
            return max(0.0, high_water_mark - self._leaked(key).count)

    def _leaked(self, key: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(0.0, now))
        bucket.count = max(0.0, bucket.count - (now - bucket.touched) * OUTFLOW_PER_SECOND)
        bucket.touched = now
        return bucket


@dataclass(frozen=True, slots=True)
class Gate:
    """How a Canvas lets requests in: the profile it answers with, and its throttle."""

    profile: Profile
    throttle: Throttle


_throttles: WeakKeyDictionary[Canvas, Throttle] = WeakKeyDictionary()


def gate_of(canvas: Canvas) -> Gate:
    """The gate of one Canvas; a Canvas that was reset is a new object and so starts with empty buckets."""
    return Gate(PROFILES[canvas.settings.profile], _throttles.setdefault(canvas, Throttle()))
