"""One task of a DAG in a process of its own, as Airflow's LocalExecutor has it: forked from one that has it imported.

Only Airflow itself is left out: the task gets its context, XComs and connections from us instead of from the API
server, and a task that defers says so and ends. What Airflow adds is measured apart (:mod:`tests.bench.airflow_adds`).
"""

from __future__ import annotations

import cProfile
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from airflow.sdk import DAG, BaseOperator, Context
from airflow.sdk.api.datamodels._generated import DagRunType
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException, TaskDeferred
from airflow.sdk.execution_time.comms import XComResult

from rosterflow.settings import institutions_folder, load_institution
from rosterflow.xcom import EncryptedPages
from tests.bench.cost import Cost, measured

DAGS = Path(__file__).parents[2] / "dags"
TODAY = datetime(2026, 9, 15, 3, 30, tzinfo=UTC)
"""The day the runs are about, in the term of the sandbox's university."""

OVER = frozenset(
    {"imported", "imported_with_messages", "failed", "failed_with_messages", "aborted", "complete", "error"}
)
"""States in which Canvas is done with an import or a report."""

XComs = dict[str, dict[str, Any]]
"""What tasks handed on: what Airflow's database would hold, by name of the task instance and key."""


def instance_name(task_id: str, map_index: int | None) -> str:
    """What one of a task's instances goes by here."""
    return task_id if map_index is None or map_index < 0 else f"{task_id}[{map_index}]"


@dataclass(frozen=True, slots=True)
class Order:
    """A task to run.

    :param file: name of the DAG's file, without ``.py``.
    :param conf: the run's params.
    :param xcoms: of the tasks that have run.
    :param states: what became of them.
    :param resume: method and arguments to go on with, after a deferral.
    :param map_index: which of several mapped tasks; -1 when it is not mapped.
    :param mapped: what such a one is told beside what all of them are.
    """

    file: str
    run_id: str
    task_id: str
    conf: Mapping[str, Any]
    xcoms: XComs
    states: Mapping[str, str]
    resume: tuple[str, Mapping[str, Any]] | None = None
    map_index: int = -1
    mapped: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The task's name among those of its run: ``read_people[3]`` when it is mapped."""
        return instance_name(self.task_id, self.map_index)

    def going_on(self, resume: tuple[str, Mapping[str, Any]]) -> Order:
        """The same task after a deferral."""
        return replace(self, resume=resume)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a task.

    :param state: ``success``, ``skipped``, ``deferred`` or ``triggered`` (it asked for another DAG's run).
    :param pushed: its XComs.
    :param trigger: what it waits for, when it deferred: the trigger's arguments.
    :param resume: how to go on then.
    :param conf: params of the run it asked for.
    """

    cost: Cost
    state: str
    pushed: Mapping[str, Any]
    trigger: Mapping[str, Any] = field(default_factory=dict)
    resume: tuple[str, Mapping[str, Any]] | None = None
    conf: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class DagRun:
    """What our tasks look at in a DAG run."""

    dag_id: str
    run_id: str
    run_type: DagRunType = DagRunType.MANUAL
    logical_date: datetime = TODAY
    run_after: datetime = TODAY


@dataclass(slots=True)
class Instance:
    """What our tasks use of a task instance."""

    dag_id: str
    run_id: str
    task_id: str
    xcoms: XComs
    states: Mapping[str, str]
    pushed: dict[str, Any] = field(default_factory=dict)
    map_index: int = -1
    max_tries: int = 4
    log_url: str = "http://localhost"

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = EncryptedPages.serialize_value(
            value, key=key, dag_id=self.dag_id, run_id=self.run_id, task_id=self.task_id, map_index=self.map_index
        )

    def xcom_pull(self, task_ids: str, key: str = "return_value", map_indexes: int | None = None, **_: Any) -> Any:
        stored = self.xcoms.get(instance_name(task_ids, map_indexes), {}).get(key)
        return None if stored is None else EncryptedPages.deserialize_value(XComResult(key=key, value=stored))

    def get_dr_count(self, dag_id: str, run_ids: list[str]) -> int:
        return 0  # nobody was asked before

    def get_task_states(self, dag_id: str, run_ids: list[str]) -> dict[str, Mapping[str, str]]:
        return {run_ids[0]: self.states}


def dag_of(file: str, maker: str) -> DAG:
    """The demo institution's DAG of a DAG file, made by the file's own function."""
    spec = importlib.util.spec_from_file_location(f"dags_{file}", DAGS / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag = getattr(module, maker)(load_institution(institutions_folder() / "demo.yaml"))
    assert isinstance(dag, DAG)
    return dag


def run(order: Order, environment: Mapping[str, str], answer: Connection) -> None:
    """Run a task and send what became of it; the entry point of its process.

    Its log goes nowhere. With ``BENCH_PROFILES`` in the environment its profile is written to that folder.
    """
    os.environ.update(environment)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # not only Python's own log: Airflow writes past it
        os.dup2(nowhere.fileno(), 1)
    folder = os.environ.get("BENCH_PROFILES")
    if not folder:
        answer.send(_ended(order))
        return
    profile = cProfile.Profile()
    ended = profile.runcall(_ended, order)
    profile.dump_stats(Path(folder) / f"{order.run_id}.{order.name}.prof")
    answer.send(ended)


def _ended(order: Order) -> Ended:
    dag = DAG_BY_FILE[order.file]
    task = dag.task_dict[order.task_id]
    if isinstance(task, MappedOperator):
        task = task.unmap(order.mapped)
    assert isinstance(task, BaseOperator)
    instance = Instance(dag.dag_id, order.run_id, order.task_id, order.xcoms, order.states, map_index=order.map_index)
    context = cast(
        Context,
        {"ti": instance, "dag_run": DagRun(dag.dag_id, order.run_id), "params": {**dag.params.dump(), **order.conf}},
    )
    ended: dict[str, Any] = {"state": "success"}
    with measured(order.task_id) as meter:
        try:
            if order.resume:
                method, arguments = order.resume
                returned = getattr(task, method)(context, **arguments)
            else:
                task.render_template_fields(context)
                returned = task.execute(
                    context, **{f"{type(task).__name__}__sentinel": ExecutorSafeguard.sentinel_value}
                )
            if returned is not None:
                instance.xcom_push("return_value", returned)
        except AirflowSkipException:
            ended["state"] = "skipped"
        except DagRunTriggerException as asked:
            ended |= {"state": "triggered", "conf": asked.conf}
        except TaskDeferred as wait:
            arguments = {**(wait.kwargs or {}), "event": {"status": "over"}}
            ended |= {
                "state": "deferred",
                "trigger": wait.trigger.serialize()[1],
                "resume": (wait.method_name, arguments),
            }
    return Ended(meter.cost, pushed=instance.pushed, **ended)


DAG_BY_FILE = {
    "fs_canvas_sync": dag_of("fs_canvas_sync", "sync_dag"),
    "canvas_approval": dag_of("canvas_approval", "approval_dag"),
}
