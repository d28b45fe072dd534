"""The engine's own cost at full size: each task of three syncs, against downloading the same pages."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from pathlib import Path
from statistics import median

from demo.postgres import Postgres
from demo.processes import Children
from tests.bench.cost import Cost
from tests.bench.tables import Measured, print_tables
from tests.bench.university import sizes
from tests.bench.world import BenchError, Sync, World, world

DOWNLOADS = 5
DOWNLOADS_OF_PEOPLE = 2


def measure_engine(
    home: Path, processes: ForkServerContext, enrollments: int | None, say: Callable[[str], None]
) -> None:
    """Measure a full university and a tenth of one, and print the tables.

    :param enrollments: how many the full one has; none: without people.
    """
    whole, tenth_of_it = sizes(enrollments)
    downloads = DOWNLOADS if enrollments is None else DOWNLOADS_OF_PEOPLE
    with Children() as children, Postgres(children, home / "postgres") as postgres:
        say("a tenth of a university")
        with world("tenth", tenth_of_it, postgres, processes, home) as small:
            tenth = _first(small, say)
            tenth_bare = _bare(small, downloads)
        say("a full university")
        with world("full", whole, postgres, processes, home) as full:
            bare = _bare(full, downloads)
            first = _first(full, say)
            counts = full.counts()
            say("the second sync, without any change")
            unchanged = full.sync()
            if unchanged.changes:
                raise BenchError(f"The sync without any change planned {unchanged.changes} changes.")
            for line in full.sandbox.day_of_change():
                say(f"in FS: {line}")
            changed = full.sync()
            say(f"{changed.changes} changes planned, of {changed.rows} rows")
            measured = Measured(counts, full.pages(), bare, tenth_bare, first, unchanged, changed, tenth)
    print_tables(measured, enrollments)


def _first(measured: World, say: Callable[[str], None]) -> Sync:
    say("first contact, approved as a whole")
    return measured.sync()


def _bare(measured: World, downloads: int) -> Cost:
    """The middle of a few downloads: a short one takes less than a second, and other programs run too."""
    costs = [measured.download() for _ in range(downloads)]
    return Cost(
        "bare download",
        median(cost.cpu for cost in costs),
        median(cost.wall for cost in costs),
        max(cost.peak for cost in costs),
    )
