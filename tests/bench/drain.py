"""Draining a long queue into a CourseKey that takes so many calls a second, against sending one call at a time."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet

from rosterflow.hooks.campus_cafe import CampusCafeHook
from rosterflow.hooks.coursekey import CourseKeyHook
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.collecting import collect
from rosterflow.sync.drain_state import Work
from rosterflow.sync.draining import drain
from tests.bench.tables import judged, print_table
from tests.scenarios.drain_ground import college, college_settings, connections

ENTRIES, RATE, LATENCY = 20_000, 100.0, 0.02
"""So many entries; calls a second that CourseKey takes of a key, and what each takes it, in seconds."""
SAMPLE = 1_000
"""So many entries are sent one at a time: that takes long enough."""
BATCH = 1_000
"""Entries of a section go one by one: a longer batch has more sections side by side."""
OF_THE_RATE = 0.95
"""What issue 4 §4.5.4 aims at."""
NOW = datetime(2026, 9, 1, 16, tzinfo=UTC)
PER_SECTION = 40
OTHER_KEYS = "WEST"
"""The site of the other auth key, whose calls are counted apart."""
ALL_NAMES = "Lecture|Internship|Flexible Lab|Blended Capstone"
"""Sessions are many calls of one entry; enrollments are what a queue is long of."""


class Took(NamedTuple):
    """One drain: entries sent, calls made, seconds, seconds of CPU."""

    entries: int
    calls: int
    seconds: float
    cpu: float


def measure_drain(home: Path, say: Callable[[str], None], entries: int = ENTRIES) -> None:
    """Measure, and print the table."""
    logging.disable(logging.INFO)
    say(f"{entries:,} entries, CourseKey takes {RATE:.0f} calls a second")
    many = _drained(home / "many", entries, rate=RATE, calls_per_second=RATE, concurrent_calls=16)
    say(f"{SAMPLE:,} entries one at a time")
    one = _drained(home / "one", SAMPLE, rate=None, calls_per_second=100_000, concurrent_calls=1)
    per_second, alone = many.calls / many.seconds, one.calls / one.seconds
    rows: list[tuple[str, float, float | None]] = [
        ("calls a second", per_second, None),
        ("share of what CourseKey takes, short of it", RATE / per_second, 1 / OF_THE_RATE),
        ("times as fast as one call at a time", per_second / alone, None),
        ("CPU of an entry, ms", many.cpu / many.entries * 1000, None),
    ]
    print_table(f"Draining {many.entries:,} entries ({many.calls:,} calls)", judged(rows))


def _drained(folder: Path, entries: int, *, rate: float | None, **limits: float) -> Took:
    """One drain of an auth key into an empty CourseKey."""
    folder.mkdir()
    registrations = entries * 2  # some are at the other key, in another semester, or dropped
    size = (
        f"sections={max(9, registrations // PER_SECTION)},students={max(PER_SECTION, registrations // 10)},"
        f"registrations={registrations},instructors=20,awkward=0"
    )
    with _sandbox(size, rate) as url:
        os.environ.update(connections(url, **limits))
        page_key = Fernet.generate_key().decode()
        store = Store(f"sqlite:///{folder}/store.db", [page_key])
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
        drained = drain(work, batch=BATCH)
        took = Took(drained.states.total(), drained.calls, time.perf_counter() - began, time.process_time() - cpu)
        store.dispose()
    return took


@contextmanager
def _sandbox(size: str, rate: float | None) -> Iterator[str]:
    """A sandbox in a process of its own, so that its CPU is not ours; its address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(size, rate, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _serve(size: str, rate: float | None, parent: Connection) -> None:
    from sandbox.serving import RunningSandbox
    from sandbox.world import Settings, World

    with RunningSandbox(World(Settings(size="small", college=size))) as sandbox:
        sandbox.world.coursekey.configure(rate_per_second=rate, latency_seconds=LATENCY)
        parent.send(sandbox.url)
        parent.recv()
