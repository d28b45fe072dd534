"""What a piece of work costs the process that does it."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process spent.

    :param cpu: user and system seconds of that process alone.
    :param wall: seconds from start to end.
    :param peak: most memory that was resident at once, in bytes, what the process began with included.
    """

    name: str
    cpu: float
    wall: float
    peak: int


class Meter:
    """Holds the cost once the block is over."""

    cost: Cost


@contextmanager
def measured(name: str) -> Iterator[Meter]:
    """Measure what the block costs this process."""
    meter = Meter()
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield meter
    meter.cost = Cost(name, cpu_seconds() - cpu, time.perf_counter() - wall, peak_bytes())


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_bytes() -> int:
    """The most memory this process had resident at once."""
    # Not ru_maxrss: Linux lets a child inherit its parent's, so a small task would seem as large as what started it.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("this system does not tell a process's peak memory in /proc/self/status")
