"""What a notifier or a callback is given of a run, as Airflow gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from airflow.sdk import Context

DAG_ID = "fs_canvas_sync__fjordvik"
RUN_ID = "scheduled__2026-09-01T01:30:00+00:00"


@dataclass
class Task:
    """A task instance."""

    task_id: str
    try_number: int = 1
    map_index: int = -1
    dag_id: str = DAG_ID
    run_id: str = RUN_ID


@dataclass
class Dag:
    """A DAG."""

    dag_id: str = DAG_ID


def task_context(ti: Task, exception: object = None, **more: Any) -> Context:
    """What a task's own callback gets."""
    given = {"exception": exception} if exception is not None else {}
    return cast(Context, {"ti": ti, "dag": Dag(), "run_id": RUN_ID, **given, **more})


def dag_context(ti: Task | None = None, reason: str = "task_failure") -> Context:
    """What a DAG's callback gets in the DAG processor: no exception, and a task only when one was last."""
    last = {"ti": ti} if ti else {}
    return cast(Context, {"dag": Dag(), "run_id": RUN_ID, "reason": reason, **last})
