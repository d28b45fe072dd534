"""Importing time attended, against downloading and decoding the same pages of CourseKey's export.

Each step runs in a process of its own, as a task does. Two nights read the same window: the second finds every record
as it was.
"""

from __future__ import annotations

import cProfile
import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import httpx
from cryptography.fernet import Fernet

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.domain.attendance.reading import KeptRead
from rosterflow.domain.coursekey.sites import School
from rosterflow.domain.snapshot import Scope
from rosterflow.hooks.coursekey_export import CourseKeyExportHook
from rosterflow.store import migrate, runs
from rosterflow.store.engine import Store
from rosterflow.sync.attendance_importing import import_read
from rosterflow.sync.attendance_reading import Evidence, Opened, read_key
from rosterflow.sync.pages import PageStore
from tests.bench.attendance_export import FIRST, LAST, SCHOOL, ZONE, serving
from tests.bench.cost import Cost, measured
from tests.bench.tables import MB, Ratio, judged, print_table
from tests.scenarios.drain_ground import college

P = ParamSpec("P")
R = TypeVar("R")

RECORDS = 1_000_000
BARE_TIMES, UNCHANGED_TIMES, PEAK_MB = 3.0, 0.6, 600.0
"""What issue 5 §5.5.5 aims at."""
NIGHTS = (datetime(2026, 10, 1, 9, 30, tzinfo=UTC), datetime(2026, 10, 2, 9, 30, tzinfo=UTC))
CONNECTION = "coursekey_bench"


class Place(NamedTuple):
    """Where everything is: the export, the store and the evidence, and the key of both."""

    export: str
    database: str
    blobs: str
    key: str

    def store(self) -> Store:
        """The store."""
        return Store(self.database, [self.key])


class Night(NamedTuple):
    """What reading the window and joining it to the ledger cost."""

    read: Cost
    imported: Cost

    @property
    def cpu(self) -> float:
        """CPU seconds of both."""
        return self.read.cpu + self.imported.cpu

    @property
    def peak(self) -> int:
        """The most memory of either, in bytes."""
        return max(self.read.peak, self.imported.peak)


def measure_attendance(home: Path, say: Callable[[str], None], records: int = RECORDS) -> None:
    """Measure two nights of so many records, and print the table."""
    with Children() as children, Postgres(children, home / "postgres") as postgres, serving(records) as url:
        postgres.create_database("attendance")
        place = Place(url, postgres.url("attendance"), f"file://{home}/blobs", Fernet.generate_key().decode())
        run = _prepare(place)
        say(f"{records:,} records: download and decode alone")
        bare = _alone(_download, place)
        first, again = (_night(place, run, read_at, say) for read_at in NIGHTS)
    print_table(f"Importing {records:,} records", judged(_ratios(bare, first, again, records)))


def _ratios(bare: Cost, first: Night, again: Night, records: int) -> list[Ratio]:
    return [
        ("bare download and decode, CPU seconds", bare.cpu, None),
        ("first night: read, CPU seconds", first.read.cpu, None),
        ("first night: import, CPU seconds", first.imported.cpu, None),
        ("second night: read, CPU seconds", again.read.cpu, None),
        ("second night: import, CPU seconds", again.imported.cpu, None),
        ("first night: import / bare", first.imported.cpu / bare.cpu, None),
        ("first night: read and import / bare", first.cpu / bare.cpu, BARE_TIMES),
        ("second night / first", again.cpu / first.cpu, UNCHANGED_TIMES),
        ("second import / first", again.imported.cpu / first.imported.cpu, None),
        ("first night: CPU microseconds a record", first.cpu / records * 1e6, None),
        ("most memory of any step, MB", max(first.peak, again.peak) / MB, PEAK_MB),
    ]


def _prepare(place: Place) -> int:
    """Make the store's tables and a run; its id."""
    store = place.store()
    migrate.upgrade(store)
    key = college(place.export).key
    with store.begin() as connection:
        run = runs.open_run(connection, key, key, "bench", "apply", Scope(frozenset()), NIGHTS[0])
    store.dispose()
    return run.id


def _alone(step: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
    """What a step comes to in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        found: R = process.submit(_profiled, step, *given, **named).result()
        return found


def _profiled(step: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What a step comes to; with ``BENCH_PROFILES`` in the environment its profile is written to that folder."""
    folder = os.environ.get("BENCH_PROFILES")
    if not folder:
        return step(*given, **named)
    profile = cProfile.Profile()
    try:
        return profile.runcall(step, *given, **named)
    finally:
        profile.dump_stats(Path(folder) / f"attendance{step.__name__}.{os.getpid()}.prof")


def _night(place: Place, run: int, read_at: datetime, say: Callable[[str], None]) -> Night:
    say(f"the read of {read_at:%d %B}")
    read, kept = _alone(_read, place, run, read_at)
    say(f"{kept.rows:,} records read, {read.cpu:.2f} s of CPU; their import")
    imported, told = _alone(_import, place, run, kept)
    say(f"{told}, {imported.cpu:.2f} s of CPU, {imported.peak / MB:,.0f} MB")
    return Night(read, imported)


def _download(place: Place) -> Cost:
    with measured("bare download") as meter, httpx.Client(base_url=place.export) as client:
        cursor: str | None = "1"
        while cursor is not None:
            cursor = client.get("/timeattended", params={"cursor": cursor}).json()["nextCursor"]
    return meter.cost


def _read(place: Place, run: int, read_at: datetime) -> tuple[Cost, KeptRead]:
    store, blobs = place.store(), PageStore(place.blobs, [place.key])
    school = School("1-1", CONNECTION, SCHOOL, ZONE)
    fast = {"calls_per_second": 100_000, "concurrent_calls": 4}
    connection = {"conn_type": "coursekey", "host": place.export, "password": "bench", "extra": fast}
    os.environ[f"AIRFLOW_CONN_{CONNECTION.upper()}"] = json.dumps(connection)
    with measured("read") as meter:
        evidence = Evidence(store, blobs, college(place.export).key, run)
        [found] = read_key(CourseKeyExportHook(CONNECTION), [school], FIRST, LAST, evidence, lambda: read_at)
    store.dispose()
    return meter.cost, found.kept


def _import(place: Place, run: int, read: KeptRead) -> tuple[Cost, str]:
    store, blobs = place.store(), PageStore(place.blobs, [place.key])
    with measured("import") as meter:
        opened = Opened(read, lambda page: blobs.get_bytes(page.name))
        imported = import_read(store, college(place.export), run, opened, read.read_at)
    store.dispose()
    effects = {str(effect): count for effect, count in imported.effects.items()}
    return meter.cost, f"{effects or 'nothing'} booked, {imported.unchanged:,} unchanged"
