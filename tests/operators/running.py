"""What a task is given by Airflow when it runs, as far as our operators use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from airflow.sdk import Context

from rosterflow.xcom import EncryptedPages

DAG_ID = "fs_canvas_sync__demo"
RUN_ID = "manual__1"


@dataclass
class Instance:
    """A task instance.

    :param pushed: what each task returned, by task id.
    :param dag_runs: ids of the DAG runs that exist.
    """

    pushed: dict[str, Any] = field(default_factory=dict)
    task_id: str = "task"
    dag_id: str = DAG_ID
    run_id: str = RUN_ID
    try_number: int = 1
    max_tries: int = 4
    map_index: int = -1
    log_url: str = "http://airflow.example/log"
    dag_runs: frozenset[str] = frozenset()

    def xcom_pull(self, task_ids: str, key: str = "return_value") -> Any:
        return self.pushed.get(task_ids)

    def get_dr_count(self, dag_id: str, run_ids: list[str]) -> int:
        return len(self.dag_runs.intersection(run_ids))


@dataclass
class Kept:
    """A value in Airflow's table of XComs."""

    value: Any


@dataclass
class KeepingInstance:
    """A task instance whose XComs, and those of other tasks of its run, lie as they do in Airflow's database.

    :param xcoms: by task id, place among mapped tasks and key.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    xcoms: dict[tuple[str, int, str], Any] = field(default_factory=dict)
    try_number: int = 1
    max_tries: int = 4

    def xcom_push(self, key: str, value: Any) -> None:
        where: dict[str, Any] = {"dag_id": self.dag_id, "run_id": self.run_id, "task_id": self.task_id}
        kept = EncryptedPages.serialize_value(value, key=key, map_index=self.map_index, **where)
        self.xcoms[self.task_id, self.map_index, key] = kept

    def xcom_pull(self, task_ids: str, key: str = "return_value", map_indexes: int = -1) -> Any:
        found = self.xcoms.get((task_ids, map_indexes, key))
        return None if found is None else EncryptedPages.deserialize_value(cast(Any, Kept(found)))


@dataclass
class RunType:
    value: str


@dataclass
class DagRun:
    """A run of a DAG."""

    dag_id: str = DAG_ID
    run_id: str = RUN_ID
    run_type: RunType = field(default_factory=lambda: RunType("manual"))
    logical_date: datetime | None = None
    run_after: datetime = datetime(2026, 9, 1, 1, 30, tzinfo=UTC)


class TaskState(dict[str, Any]):
    """Airflow's store of a task's state, which survives its tries."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


def context(ti: Instance | None = None, kept: TaskState | None = None, **params: Any) -> Context:
    """What an operator's `execute` gets."""
    given = {
        "ti": ti or Instance(),
        "dag_run": DagRun(),
        "params": params,
        "task_state_store": kept if kept is not None else TaskState(),
    }
    return cast(Context, given)
