"""Draining a long queue into a CourseKey that takes so many calls a second, against sending one call at a time."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.hooks.campus_cafe import CampusCafeHook
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.collecting import collect
from rosterflow.sync.drain_state import Work
from rosterflow.sync.draining import drain
from tests.bench.tables import judged, print_table
from tests.scenarios.drain_ground import college, college_settings, connections

ENTRIES, RATE, LATENCY = 20_000, 100.0, 0.2
"""So many entries; calls a second that CourseKey takes of a key, and what each takes it, in seconds."""
SAMPLE = 200
"""So many entries are sent one at a time: that takes long enough."""
OF_THE_RATE = 0.95
"""What issue 4 §4.5.4 aims at."""
NOW = datetime(2026, 9, 1, 16, tzinfo=UTC)
PER_SECTION = 40
OTHER_KEYS = "WEST"
"""The site of the other auth key, whose calls are counted apart."""
ALL_NAMES = "Lecture|Internship|Flexible Lab|Blended Capstone"
"""Sessions are many calls of one entry; enrollments are what a queue is long of."""


class Took(NamedTuple):
    """One drain: entries sent, calls that CourseKey took, when it took them, seconds, seconds of CPU."""

    entries: int
    calls: int
    at: list[float]
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        """Calls that CourseKey took in a second."""
        return self.calls / self.seconds

    @property
    def in_the_middle(self) -> float:
        """Calls in a second without the first and the last tenth of them: a drain ends with a few sections alone."""
        some = self.at[len(self.at) // 10 : -len(self.at) // 10]
        return (len(some) - 1) / (some[-1] - some[0])


def measure_drain(home: Path, say: Callable[[str], None], entries: int = ENTRIES, rate: float = RATE) -> None:
    """Measure both databases, and print the table."""
    logging.disable(logging.INFO)
    rows: list[tuple[str, float, float | None]] = []
    with Children() as children, Postgres(children, home / "postgres") as postgres:
        databases: dict[str, Callable[[str], str]] = {
            "SQLite": lambda use: f"sqlite:///{home}/{use}.db",
            "PostgreSQL": lambda use: _new_database(postgres, use),
        }
        for name, database in databases.items():
            say(f"{name}: {entries:,} entries, CourseKey takes {rate:g} calls a second")
            many = _drained(database("many"), entries, rate, calls_per_second=rate, concurrent_calls=32)
            say(f"{name}: {SAMPLE:,} entries one at a time")
            one = _drained(database("one"), SAMPLE, None, calls_per_second=100_000, concurrent_calls=1)
            rows += [
                (f"{name}: calls a second", many.per_second, None),
                (f"{name}: what CourseKey takes / that", rate / many.per_second, 1 / OF_THE_RATE),
                (f"{name}: the same, first and last tenth left out", rate / many.in_the_middle, 1 / OF_THE_RATE),
                (f"{name}: times as fast as one call at a time", many.per_second / one.per_second, None),
                (f"{name}: CPU of an entry, ms", many.cpu / many.entries * 1000, None),
            ]
    print_table(f"Draining {entries:,} entries", judged(rows))


def _new_database(server: Postgres, name: str) -> str:
    server.create_database(name)
    return server.url(name)


def _drained(database: str, entries: int, rate: float | None, **limits: float) -> Took:
    """One drain of an auth key into an empty CourseKey."""
    registrations = entries * 2  # some are at the other key, in another semester, or dropped
    size = (
        f"sections={max(9, registrations // PER_SECTION)},students={max(PER_SECTION, registrations // 10)},"
        f"registrations={registrations},instructors=20,awkward=0"
    )
    with _sandbox(size, rate) as (url, calls_taken):
        os.environ.update(connections(url, **limits))
        store = Store(database, [Fernet.generate_key().decode()])
        migrate.upgrade(store)
        pairs = [pair for pair in college_settings(url)["crskeyauth"] if pair["site"] != OTHER_KEYS]
        given = {"crskeyauth": pairs, "not_integrated_sites": [OTHER_KEYS], "no_attendance_session_sync": ALL_NAMES}
        one = college(url, **given)
        with CampusCafeHook("campus_cafe_demo") as source:
            collect(store, one, source, NOW)

        def hook(connection_id: str) -> CourseKeyHook:
            return CourseKeyHook(connection_id, base_url=one.coursekey.base_url)

        work = Work(store, one, hook, lambda _: None, "bench", lambda: NOW)
        began, cpu = time.perf_counter(), time.process_time()
        drained = drain(work, max_batches=10 * entries // one.batch + 10)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        store.dispose()
        at = calls_taken()
        return Took(drained.states.total(), len(at), at, seconds, cpu)


@contextmanager
def _sandbox(size: str, rate: float | None) -> Iterator[tuple[str, Callable[[], list[float]]]]:
    """A sandbox in a process of its own, so that its CPU is not ours; its address, and when it took calls."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(size, rate, theirs), daemon=True)
    process.start()
    try:
        url: str = ours.recv()

        def calls_taken() -> list[float]:
            ours.send("calls")
            at: list[float] = ours.recv()
            return at

        yield url, calls_taken
    finally:
        ours.send("stop")
        process.join()


def _serve(size: str, rate: float | None, parent: Connection) -> None:
    from sandbox.serving import RunningSandbox
    from sandbox.world import Settings, World

    with RunningSandbox(World(Settings(size="small", college=size))) as sandbox:
        sandbox.world.coursekey.calls = deque()  # all of them, not the last ones
        sandbox.world.coursekey.configure(rate_per_second=rate, latency_seconds=LATENCY)
        parent.send(sandbox.url)
        while parent.recv() == "calls":
            parent.send([call.at.timestamp() for call in sandbox.world.coursekey.calls])
