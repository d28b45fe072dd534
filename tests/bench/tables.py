"""The tables of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from rich.console import Console
from rich.table import Table

from tests.bench.cost import Cost
from tests.bench.world import Sync

MB = 1024 * 1024
BARE_TIMES, UNCHANGED_TIMES, PEAK_MB = 3.0, 0.7, 500.0
"""What issue 2 §2.7.7 aims at."""
PEOPLE_UNCHANGED_TIMES, CHANGED_TIMES, TENFOLD_TIMES = 0.6, 1.2, 11.0
PEOPLE_PEAK_MB = {300_000: 800.0, 1_000_000: 1600.0}
REQUESTS_A_ROW = 1 / 1000
"""What issue 3 §3.5.5 aims at, most memory by the number of enrollments."""


READS = ("read.", "read_people")
"""How the tasks that read FS begin."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of the benchmark measured.

    :param objects: how many Canvas objects of each kind the full university has, and how many people in a role.
    :param pages: requests and bytes of JSON of one read of it.
    :param bare: downloading those pages alone.
    """

    objects: Mapping[str, int]
    pages: Mapping[str, int]
    bare: Cost
    tenth_bare: Cost
    first: Sync
    unchanged: Sync
    changed: Sync
    tenth: Sync

    @property
    def runs(self) -> Mapping[str, Sync]:
        """Each sync, by what it is called in the tables."""
        return {
            "first": self.first,
            "no change": self.unchanged,
            "0.5 % change": self.changed,
            "a tenth": self.tenth,
        }


def print_tables(measured: Measured, enrollments: int | None) -> None:
    """Print what each task cost, the ratios and whether the aims are reached.

    :param enrollments: how many were to be measured; none: without people.
    """
    console = Console(width=110)
    counts = ", ".join(f"{n:,} {kind}s" for kind, n in measured.objects.items())
    console.print(
        f"\n{counts}; {measured.pages['requests']} pages of FS, {measured.pages['bytes'] / MB:.1f} MB of JSON"
    )
    console.print(_rendered("What each task costs (CPU seconds, peak MB)", by_task(measured)))
    console.print(_rendered("What reached Canvas", traffic(measured)))
    rows = structure_ratios(measured) if enrollments is None else people_ratios(measured, enrollments)
    console.print(_rendered("Ratios", judged(rows)))


def by_task(measured: Measured) -> pd.DataFrame:
    """CPU seconds of each task in each sync, and the most memory it needed in any of them."""
    runs = {name: sync.costs for name, sync in measured.runs.items()}
    cpu = pd.DataFrame({name: _per_task(costs) for name, costs in runs.items()})
    order = list(dict.fromkeys(cost.name for costs in runs.values() for cost in costs))
    cpu = cpu.reindex(order)
    everything = [cost for costs in runs.values() for cost in costs]
    cpu["peak MB"] = pd.Series({name: max(c.peak for c in everything if c.name == name) / MB for name in order})
    cpu.loc["all tasks"] = [
        *(sum(c.cpu for c in costs) for costs in runs.values()),
        max(c.peak for c in everything) / MB,
    ]
    bare = measured.bare
    cpu.loc["bare download"] = [bare.cpu, bare.cpu, bare.cpu, measured.tenth_bare.cpu, bare.peak / MB]
    return cpu


def _per_task(costs: Sequence[Cost]) -> pd.Series[float]:
    frame = pd.DataFrame({"task": [cost.name for cost in costs], "cpu": [cost.cpu for cost in costs]})
    return frame.groupby("task")["cpu"].sum()


def traffic(measured: Measured) -> pd.DataFrame:
    """How many requests and bytes reached Canvas in each sync, and how many rows they were about."""
    rows = {
        name: [
            str(sync.traffic.requests),
            str(sync.traffic.imports),
            f"{sync.traffic.sent / 1000:,.1f}",
            f"{sync.rows:,}",
        ]
        for name, sync in measured.runs.items()
    }
    columns = ["requests", "SIS imports", "kB sent", "rows planned"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("sync")


Ratio = tuple[str, float, float | None]
"""What it is called, what was measured, and the most that it should be."""


def structure_ratios(measured: Measured) -> list[Ratio]:
    """What the aims for the structure are about."""
    first, unchanged, changed = measured.first, measured.unchanged, measured.changed
    return [
        *_against_bare(measured),
        ("no change / first sync, CPU", unchanged.cpu / first.cpu, UNCHANGED_TIMES),
        ("0.5 % change / first sync, CPU", changed.cpu / first.cpu, None),
        ("full size / a tenth, CPU of the first sync", first.cpu / measured.tenth.cpu, None),
        ("most memory of any task, MB", _peak(measured), PEAK_MB),
    ]


def people_ratios(measured: Measured, enrollments: int) -> list[Ratio]:
    """What the aims for the structure and its people are about."""
    first, unchanged, changed = measured.first, measured.unchanged, measured.changed
    bytes_a_row = first.traffic.sent / first.rows
    return [
        *_against_bare(measured),
        ("no change / first sync, CPU", unchanged.cpu / first.cpu, PEOPLE_UNCHANGED_TIMES),
        ("no change: SIS imports", float(unchanged.traffic.imports), 0.0),
        ("0.5 % change / no change, CPU", changed.cpu / unchanged.cpu, CHANGED_TIMES),
        ("0.5 % change: rows / rows of the first", changed.rows / first.rows, None),
        ("0.5 % change: bytes sent / bytes of the first", changed.traffic.sent / first.traffic.sent, None),
        ("0.5 % change / first, bytes sent a row", changed.traffic.sent / max(1, changed.rows) / bytes_a_row, None),
        ("full size / a tenth, CPU of the first sync", first.cpu / measured.tenth.cpu, TENFOLD_TIMES),
        ("first sync: Canvas requests / rows", first.traffic.requests / first.rows, REQUESTS_A_ROW),
        ("first sync: CPU microseconds a row", first.cpu / first.rows * 1e6, None),
        ("most memory of any task, MB", _peak(measured), PEOPLE_PEAK_MB[enrollments]),
    ]


def _against_bare(measured: Measured) -> list[Ratio]:
    reads = sum(cost.cpu for cost in measured.first.costs if cost.name.startswith(READS))
    bare = measured.bare.cpu
    return [
        ("first sync / bare download, CPU", measured.first.cpu / bare, BARE_TIMES),
        ("of that: the reads", reads / bare, None),
        ("no change / bare download, CPU", measured.unchanged.cpu / bare, None),
    ]


def _peak(measured: Measured) -> float:
    return max(sync.peak for sync in (measured.first, measured.unchanged, measured.changed)) / MB


def judged(rows: Sequence[Ratio]) -> pd.DataFrame:
    """Ratios with whether they reach what is aimed at."""
    frame = pd.DataFrame(rows, columns=["what", "measured", "aim"]).set_index("what")
    frame["verdict"] = [
        "" if pd.isna(aim) else "reached" if value <= aim else "missed"
        for value, aim in zip(frame["measured"], frame["aim"], strict=True)
    ]
    return frame


def print_table(title: str, frame: pd.DataFrame) -> None:
    """Print one table."""
    Console(width=110).print(_rendered(title, frame))


def _rendered(title: str, frame: pd.DataFrame) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(str(frame.index.name or "task"))
    for column in frame.columns:
        table.add_column(str(column), justify="right")
    for name, row in frame.iterrows():
        table.add_row(str(name), *(_cell(value) for value in row))
    return table


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, float) or pd.isna(value):
        return ""
    if 0 < value < 0.01:
        return f"{value:.2g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
