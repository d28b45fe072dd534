"""What Airflow itself adds to a run: the seconds in which none of its tasks was running."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from demo import story
from demo.processes import Children
from demo.stack import Stack
from tests.bench.tables import print_table

RUNS = ("first contact", "its approval", "no change")


def measure_airflow(home: Path, say: Callable[[str], None]) -> None:
    """Run the demo's university through a real Airflow up to the unchanged day, and print the table."""
    with Children() as children:
        stack = Stack(children, home, say)
        try:
            stack.start()
            for act in (
                story.the_dags_are_listed,
                story.airflow_is_set_up,
                story.first_contact,
                story.approval,
                story.unchanged,
            ):
                act(stack)
            measured = by_run(stack)
        finally:
            stack.stop()
    print_table("What Airflow adds (seconds)", measured)


def by_run(stack: Stack) -> pd.DataFrame:
    """Seconds of each run: all its tasks together, those with any task running, from start to end, and the rest."""
    client = stack.airflow.client
    ended = sorted((*client.runs(story.SYNC), *client.runs(story.APPROVAL)), key=lambda run: str(run["start_date"]))
    rows: dict[str, list[str | float]] = {}
    for name, run in zip(RUNS, ended, strict=True):
        tasks = _spans(client.task_instances(run["dag_id"], run["dag_run_id"]))
        [whole] = _spans([run])
        running = _covered(tasks)
        together = sum(seconds(span) for span in tasks)
        rows[name] = [str(len(tasks)), together, running, seconds(whole), seconds(whole) - running]
    columns = ["tasks", "all tasks", "any task running", "wall", "Airflow's own"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("run")


Span = tuple[datetime, datetime]


def _spans(things: Iterable[dict[str, Any]]) -> list[Span]:
    """From start to end of what was started at all."""
    return [
        (datetime.fromisoformat(thing["start_date"]), datetime.fromisoformat(thing["end_date"]))
        for thing in things
        if thing["start_date"] and thing["end_date"]
    ]


def _covered(spans: Sequence[Span]) -> float:
    """Seconds that lie in any of the spans."""
    covered, until = 0.0, None
    for start, end in sorted(spans):
        begin = start if until is None else max(start, until)
        if end > begin:
            covered += (end - begin).total_seconds()
            until = end
    return covered


def seconds(span: Span) -> float:
    return (span[1] - span[0]).total_seconds()
