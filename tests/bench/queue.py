"""Picking the next entries of a queue that is a thousand times longer, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from demo.postgres import Postgres
from demo.processes import Children
from rosterflow.domain.coursekey.queue import EntryKind, EntryState, Intent
from rosterflow.store import migrate, queue
from rosterflow.store.bulk import insert_rows
from rosterflow.store.coursekey_tables import queue_entry
from rosterflow.store.engine import Store
from tests.bench.tables import judged, print_table

SHORT, LONG = 1_000, 1_000_000
BATCH = 100
PICKS = 3
"""So few that a short queue has enough for both cases; the first is not counted."""
PICKING_TIMES = 2.0
"""What issue 4 §4.5.4 aims at."""
SITES = tuple(f"SITE{number}" for number in range(10))
CASES: dict[str, Collection[str] | None] = {"": None, ", one key out": SITES[1:]}
HOME, API = "bench", "CC_CKY"
NOW = datetime(2026, 9, 7, 14, 0, tzinfo=UTC)


def measure_queue(home: Path, say: Callable[[str], None]) -> None:
    """Measure both databases, and print the table."""
    rows: list[tuple[str, float, float | None]] = []
    with Children() as children, Postgres(children, home / "postgres") as postgres:
        for name in ("SQLite", "PostgreSQL"):
            took: dict[int, list[float]] = {}
            for length in (SHORT, LONG):
                say(f"{name}: a queue of {length:,} entries")
                took[length] = _picking(_database(name, length, home, postgres), length)
            for case, short, long in zip(CASES, took[SHORT], took[LONG], strict=True):
                rows += [
                    (f"{name}{case}: next {BATCH} of {SHORT:,}, ms", short * 1000, None),
                    (f"{name}{case}: next {BATCH} of {LONG:,}, ms", long * 1000, None),
                    (f"{name}{case}: {LONG:,} / {SHORT:,}", long / short, PICKING_TIMES),
                ]
    print_table("Picking from the queue", judged(rows))


def _database(name: str, length: int, home: Path, postgres: Postgres) -> str:
    if name == "SQLite":
        return f"sqlite:///{home}/queue{length}.db"
    postgres.create_database(f"queue{length}")
    return postgres.url(f"queue{length}")


def _picking(url: str, length: int) -> list[float]:
    """Seconds in the middle to pick the next entries of a queue, those of a drain that goes on, in both cases."""
    store = Store(url)
    migrate.upgrade(store)
    with store.begin() as connection:
        insert_rows(connection, queue_entry, _rows(length))
    took = [[_pick(store, f"drain {n}", sites) for n in range(PICKS + 1)] for sites in CASES.values()]
    store.dispose()
    return [median(times[1:]) for times in took]


def _pick(store: Store, holder: str, sites: Collection[str] | None) -> float:
    begun = time.perf_counter()
    with store.begin() as connection:
        picked = queue.lease(connection, HOME, API, holder, BATCH, NOW, timedelta(minutes=10), sites=sites)
    took = time.perf_counter() - begun
    if len(picked) != BATCH:
        raise RuntimeError(f"{len(picked)} entries were picked, not {BATCH}")
    with store.begin() as connection:
        for entry in picked:
            queue.finish(connection, entry, EntryState.DONE, "sent", "Done.", NOW)
    return took


def _rows(length: int) -> Iterator[dict[str, Any]]:
    """A queue of which most waits, as after a semester was queued by hand; of the rest half is done."""
    for number in range(length):
        state = EntryState.PENDING
        if number >= SHORT and number % 3 == 0:
            state = EntryState.DONE if number % 2 else EntryState.DEFERRED
        at = NOW - timedelta(seconds=length - number)
        yield {
            "institution": HOME,
            "api_name": API,
            "kind": EntryKind.ENROLLMENT,
            "semester": "202610",
            "course": f"CRS{number % 500:03}",
            "section": str(number % 40),
            "person": str(number),
            "site": "",
            "at_site": SITES[number % len(SITES)],
            "intent": Intent.UPSERT,
            "state": state,
            "rule": "due",
            "reason": "It is to be sent.",
            "error_code": "",
            "generation": 1,
            "forced": False,
            "asked_by": "collector",
            "opens_on": None,
            "due_at": at,
            "attempts": 0,
            "holder": "",
            "leased_until": None,
            "created_at": at,
            "changed_at": at,
        }
