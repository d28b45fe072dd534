"""The tables of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from rich.console import Console
from rich.table import Table

from tests.bench.cost import Cost

MB = 1024 * 1024
BARE_TIMES, UNCHANGED_TIMES, PEAK_MB = 3.0, 0.7, 500.0
"""What issue 2 §2.7.7 aims at."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of the benchmark measured; each sync is the costs of its tasks.

    :param objects: how many Canvas objects of each kind the full university has.
    :param pages: requests and bytes of JSON of one read of it.
    :param bare: downloading those pages alone.
    """

    objects: Mapping[str, int]
    pages: Mapping[str, int]
    bare: Cost
    tenth_bare: Cost
    first: Sequence[Cost]
    unchanged: Sequence[Cost]
    changed: Sequence[Cost]
    tenth: Sequence[Cost]


def print_tables(measured: Measured) -> None:
    """Print what each task cost, the ratios and whether the aims are reached."""
    console = Console(width=110)
    counts = ", ".join(f"{n:,} {kind}s" for kind, n in measured.objects.items())
    console.print(
        f"\n{counts}; {measured.pages['requests']} pages of FS, {measured.pages['bytes'] / MB:.1f} MB of JSON"
    )
    console.print(_rendered("What each task costs (CPU seconds, peak MB)", by_task(measured)))
    console.print(_rendered("Ratios", ratios(measured)))


def by_task(measured: Measured) -> pd.DataFrame:
    """CPU seconds of each task in each sync, and the most memory it needed in any of them."""
    runs = {
        "first": measured.first,
        "no change": measured.unchanged,
        "0.5 % change": measured.changed,
        "a tenth": measured.tenth,
    }
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


def ratios(measured: Measured) -> pd.DataFrame:
    """What the aims are about."""
    first, unchanged, changed, tenth = (
        sum(cost.cpu for cost in costs)
        for costs in (measured.first, measured.unchanged, measured.changed, measured.tenth)
    )
    reads = sum(cost.cpu for cost in measured.first if cost.name.startswith("read."))
    peak = max(cost.peak for cost in (*measured.first, *measured.unchanged, *measured.changed)) / MB
    rows = [
        ("first sync / bare download, CPU", first / measured.bare.cpu, BARE_TIMES),
        ("of that: the reads", reads / measured.bare.cpu, None),
        ("no change / bare download, CPU", unchanged / measured.bare.cpu, None),
        ("no change / first sync, CPU", unchanged / first, UNCHANGED_TIMES),
        ("0.5 % change / first sync, CPU", changed / first, None),
        ("full size / a tenth, CPU of the first sync", first / tenth, None),
        ("most memory of any task, MB", peak, PEAK_MB),
    ]
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
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
