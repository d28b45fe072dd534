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
from tests.bench.world import BenchError, World, world

DOWNLOADS = 5


def measure_engine(home: Path, processes: ForkServerContext, say: Callable[[str], None]) -> None:
    """Measure a full university and a tenth of one, and print the tables."""
    with Children() as children, Postgres(children, home / "postgres") as postgres:
        say("a tenth of a university")
        with world("tenth", postgres, processes, home) as small:
            tenth = _first(small, say)
            tenth_bare = _bare(small)
        say("a full university")
        with world("full", postgres, processes, home) as full:
            bare = _bare(full)
            first = _first(full, say)
            say("the second sync, without any change")
            unchanged = full.sync()
            if full.planned():
                raise BenchError(f"The sync without any change planned {full.planned()} changes.")
            for line in full.sandbox.day_of_change():
                say(f"in FS: {line}")
            changed = full.sync()
            say(f"{full.planned()} changes planned")
            measured = Measured(full.counts(), full.pages(), bare, tenth_bare, first, unchanged, changed, tenth)
    print_tables(measured)


def _first(measured: World, say: Callable[[str], None]) -> list[Cost]:
    say("first contact, approved as a whole")
    return measured.sync()


def _bare(measured: World) -> Cost:
    """The middle of a few downloads: each takes less than a second, and other programs run too."""
    costs = [measured.download() for _ in range(DOWNLOADS)]
    return Cost(
        "bare download",
        median(cost.cpu for cost in costs),
        median(cost.wall for cost in costs),
        max(cost.peak for cost in costs),
    )
