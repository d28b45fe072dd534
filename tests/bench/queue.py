"""Picking the next entries of a queue that is a thousand times longer, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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
PICKS = 8
"""As many as a short queue has, less some for the first one, which is not counted."""
PICKING_TIMES = 2.0
"""What issue 4 §4.5.4 aims at."""
SITES = ("MAIN", "WEST")
HOME, API = "bench", "CC_CKY"
NOW = datetime(2026, 9, 7, 14, 0, tzinfo=UTC)


def measure_queue(home: Path, say: Callable[[str], None]) -> None:
    """Measure both databases, and print the table."""
    rows: list[tuple[str, float, float | None]] = []
    with Children() as children, Postgres(children, home / "postgres") as postgres:
        for name in ("SQLite", "PostgreSQL"):
            took: dict[int, float] = {}
            for length in (SHORT, LONG):
                say(f"{name}: a queue of {length:,} entries")
                url = _database(name, length, home, postgres)
                took[length] = _picking(url, length)
                rows.append((f"{name}: next {BATCH} of {length:,}, ms", took[length] * 1000, None))
            rows.append((f"{name}: {LONG:,} / {SHORT:,}", took[LONG] / took[SHORT], PICKING_TIMES))
    print_table("Picking from the queue", judged(rows))


def _database(name: str, length: int, home: Path, postgres: Postgres) -> str:
    if name == "SQLite":
        return f"sqlite:///{home}/queue{length}.db"
    postgres.create_database(f"queue{length}")
    return postgres.url(f"queue{length}")


def _picking(url: str, length: int) -> float:
    """Seconds in the middle to pick the next entries of a queue, those of a drain that goes on."""
    store = Store(url)
    migrate.upgrade(store)
    with store.begin() as connection:
        insert_rows(connection, queue_entry, _rows(length))
    took = [_pick(store, f"drain {n}") for n in range(PICKS + 1)]
    store.dispose()
    return median(took[1:])


def _pick(store: Store, holder: str) -> float:
    begun = time.perf_counter()
    with store.begin() as connection:
        picked = queue.lease(connection, HOME, API, holder, BATCH, NOW, timedelta(minutes=10))
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
