"""A university, a Canvas and a store of one size, and runs of our DAGs over them, each task in its own process."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Any, TypeVar

import httpx
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from demo.postgres import Postgres
from rosterflow.domain.model import Kind
from rosterflow.store import migrate, objects
from rosterflow.store.engine import Store
from rosterflow.store.tables import plan, plan_change
from tests.bench import bare, recording, tasks
from tests.bench.cost import Cost
from tests.bench.tasks import DAG_BY_FILE, Ended, Order, XComs
from tests.bench.university import RemoteSandbox, remote_sandbox

T = TypeVar("T")
SYNC, APPROVAL = "fs_canvas_sync", "canvas_approval"
YES = {
    "chosen_options": ["Approve"],
    "params_input": {"comment": "Measured."},
    "responded_by_user": {"id": "admin", "name": "admin"},
}
SPAWN = multiprocessing.get_context("spawn")
LOOK_SECONDS = 0.2
CANVAS_SECONDS = 300.0


class BenchError(Exception):
    """A run did not go as it must to be worth measuring."""


@dataclass(slots=True)
class World:
    """One size of everything.

    :param environment: what a task finds in its environment.
    :param processes: where tasks are forked from.
    """

    sandbox: RemoteSandbox
    environment: Mapping[str, str]
    processes: ForkServerContext
    runs: int = 0
    recorded: bare.Requests = ()

    def in_process(self, act: Callable[..., None], *arguments: object) -> Any:
        """What a function sends through a pipe, its last argument, from a process forked for it."""
        return _in_process(self.processes, act, *arguments, self.environment)

    def download(self) -> Cost:
        """Download and decode the pages of a read, and nothing else, in a process that is no task's."""
        if not self.recorded:
            self.recorded = self.in_process(recording.record)
        cost: Cost = _in_process(SPAWN, bare.download, self.recorded, self.environment)
        return cost

    def pages(self) -> dict[str, int]:
        """Requests and bytes of JSON that a read takes."""
        return {"requests": len(self.recorded), "bytes": self.in_process(bare.size, self.recorded)}

    def counts(self) -> dict[str, int]:
        """Objects in use in the store, by kind."""
        store = Store(self.environment["ROSTERFLOW_DATABASE_URL"])
        with store.begin() as connection:
            found = Counter(str(one.thing.kind) for one in objects.load(connection, "demo") if one.is_alive)
        store.dispose()
        return {str(kind): found[kind] for kind in Kind}

    def planned(self) -> int:
        """How many changes the newest plan has."""
        store = Store(self.environment["ROSTERFLOW_DATABASE_URL"])
        with store.begin() as connection:
            newest = select(func.max(plan.c.id)).scalar_subquery()
            found = connection.execute(select(func.count()).where(plan_change.c.plan_id == newest)).scalar_one()
        store.dispose()
        return found

    def sync(self) -> list[Cost]:
        """One sync that applies, and the approval it asks for."""
        asked: list[Mapping[str, Any]] = []
        costs = self._run(SYNC, {"mode": "apply"}, {}, asked)
        for conf in asked:
            costs += self._run(APPROVAL, conf, {"ask_person": {"return_value": YES}}, [])
        return costs

    def _run(self, file: str, conf: Mapping[str, Any], answers: XComs, asked: list[Mapping[str, Any]]) -> list[Cost]:
        """Every task of a run, in order; ``asked`` takes the params of the runs it asks for."""
        self.runs += 1
        xcoms: XComs = dict(answers)
        states: dict[str, str] = {}
        costs: list[Cost] = []
        for task in DAG_BY_FILE[file].topological_sort():  # type: ignore[no-untyped-call]
            upstream = [states.get(name, "none") for name in task.upstream_task_ids]
            if task.task_id in answers or task.task_id == "ask_second_person":
                states[task.task_id] = "success" if task.task_id in answers else "skipped"
                continue
            if task.trigger_rule == "all_success" and not task.is_teardown and "skipped" in upstream:
                states[task.task_id] = "skipped"
                continue
            order = Order(file, f"bench__{self.runs}", task.task_id, conf, xcoms, states)
            ended = self._task(order, costs)
            states[task.task_id] = "success" if ended.state == "triggered" else ended.state
            if ended.conf:
                asked.append(ended.conf)
        return costs

    def _task(self, order: Order, costs: list[Cost]) -> Ended:
        ended: Ended = self.in_process(tasks.run, order)
        pushed = dict(ended.pushed)
        costs.append(ended.cost)
        while ended.resume:
            self._wait(ended.trigger)
            ended = self.in_process(tasks.run, order.going_on(ended.resume))
            pushed |= ended.pushed
            costs.append(ended.cost)
        order.xcoms[order.task_id] = pushed
        return ended

    def _wait(self, trigger: Mapping[str, Any]) -> None:
        """Do as the triggerer does: look until Canvas is done."""
        path = trigger["awaited"].format(id=trigger["canvas_id"])
        url = f"{self.sandbox.url}/canvas/api/v1{path}"
        patience = time.monotonic() + CANVAS_SECONDS
        while time.monotonic() < patience:
            told = httpx.get(url, headers={"Authorization": "Bearer sandbox-canvas-token"}, timeout=60).json()
            if told.get("workflow_state", told.get("status")) in tasks.OVER:
                return
            time.sleep(LOOK_SECONDS)
        raise BenchError(f"Canvas was not done with {path} within {CANVAS_SECONDS:.0f} s.")


def _in_process(processes: ForkServerContext | SpawnContext, act: Callable[..., None], *arguments: object) -> Any:
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=act, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        raise BenchError(f"{act.__module__}.{act.__name__} ended without an answer; see above.") from None
    finally:
        ours.close()
        process.join()


@contextmanager
def world(size: str, postgres: Postgres, processes: ForkServerContext, home: Path) -> Iterator[World]:
    """A world of a size of :data:`tests.bench.university.SIZES`: a university, an empty Canvas, an empty store."""
    postgres.create_database(f"bench_{size}")
    url = postgres.url(f"bench_{size}")
    store = Store(url)
    migrate.upgrade(store)
    store.dispose()
    with remote_sandbox(size) as sandbox:
        fs = {"conn_type": "fs_graphql", "host": f"{sandbox.url}/fs/graphql", "login": "sandbox", "password": "sandbox"}
        canvas = {"conn_type": "canvas", "host": f"{sandbox.url}/canvas", "password": "sandbox-canvas-token"}
        environment = {
            "AIRFLOW_CONN_FS_DEMO": json.dumps(fs),
            "AIRFLOW_CONN_CANVAS_DEMO": json.dumps(canvas),
            "ROSTERFLOW_DATABASE_URL": url,
            "ROSTERFLOW_STORAGE": f"file://{home / size}",
            "ROSTERFLOW_PAGE_KEYS": Fernet.generate_key().decode(),
        }
        yield World(sandbox, environment, processes)
