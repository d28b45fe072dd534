"""A university, a Canvas and a store of one size, and runs of our DAGs over them, each task in its own process."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Any, TypeVar

import httpx
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.execution_time.comms import XComResult
from cryptography.fernet import Fernet
from sqlalchemy import func, select

from demo.postgres import Postgres
from rosterflow.domain.model import Kind
from rosterflow.store import migrate, objects, rosters
from rosterflow.store.engine import Store
from rosterflow.store.tables import plan, plan_change
from rosterflow.xcom import EncryptedPages
from tests.bench import bare, recording, tasks
from tests.bench.cost import Cost
from tests.bench.tasks import DAG_BY_FILE, Ended, Order, XComs
from tests.bench.traffic import LOOKING, Traffic
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
LOOK_HEADERS = {"Authorization": "Bearer sandbox-canvas-token", "User-Agent": LOOKING.decode()}
CANVAS_SECONDS = 1200.0


class BenchError(Exception):
    """A run did not go as it must to be worth measuring."""


@dataclass(frozen=True, slots=True)
class Sync:
    """What a sync cost, and what it did.

    :param costs: of each task, its approval's included.
    :param traffic: what reached Canvas meanwhile.
    :param changes: how many it planned.
    :param rows: how many rows of Canvas these are about; a change of a roster is about many.
    """

    costs: tuple[Cost, ...]
    traffic: Traffic
    changes: int
    rows: int

    @property
    def cpu(self) -> float:
        """CPU seconds of all its tasks."""
        return sum(cost.cpu for cost in self.costs)

    @property
    def peak(self) -> int:
        """The most memory of any of its tasks, in bytes."""
        return max(cost.peak for cost in self.costs)


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
    bytes: int = 0

    def in_process(self, act: Callable[..., None], *arguments: object) -> Any:
        """What a function sends through a pipe, its last argument, from a process forked for it."""
        return _in_process(self.processes, act, *arguments, self.environment)

    def download(self) -> Cost:
        """Download and decode the pages of a read, and nothing else, in a process that is no task's."""
        if not self.recorded:
            self.recorded, self.bytes = self.in_process(recording.record)
        cost: Cost = _in_process(SPAWN, bare.download, self.recorded, self.environment)
        return cost

    def pages(self) -> dict[str, int]:
        """Requests and bytes of JSON of the read that was downloaded."""
        return {"requests": len(self.recorded), "bytes": self.bytes}

    def counts(self) -> dict[str, int]:
        """Objects in use in the store and people who are active in a role, by kind."""
        store = self._store()
        with store.begin() as connection:
            found = Counter(str(one.thing.kind) for one in objects.load(connection, "demo") if one.is_alive)
            for roster in rosters.load(connection, "demo"):
                found[str(roster.kind)] += len(roster.active())
        store.dispose()
        return {str(kind): found[kind] for kind in Kind if found[kind]}

    def planned(self) -> tuple[int, int]:
        """How many changes the newest plan has, and how many rows of Canvas they are about."""
        store = self._store()
        with store.begin() as connection:
            newest = select(func.max(plan.c.id)).scalar_subquery()
            numbers = select(func.count(), func.coalesce(func.sum(plan_change.c.weight), 0))
            changes, rows = connection.execute(numbers.where(plan_change.c.plan_id == newest)).one()
        store.dispose()
        return changes, rows

    def _store(self) -> Store:
        return Store(self.environment["ROSTERFLOW_DATABASE_URL"], [self.environment["ROSTERFLOW_PAGE_KEYS"]])

    def sync(self) -> Sync:
        """One sync that applies, and the approval it asks for."""
        self.sandbox.traffic()
        asked: list[Mapping[str, Any]] = []
        costs = self._run(SYNC, {"mode": "apply"}, {}, asked)
        for conf in asked:
            costs += self._run(APPROVAL, conf, {"ask_person": {"return_value": YES}}, [])
        return Sync(tuple(costs), self.sandbox.traffic(), *self.planned())

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
            orders = _mapped(order) if isinstance(task, MappedOperator) else [order]
            states[task.task_id] = "skipped"
            for one in orders:
                ended = self._task(one, costs)
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
        order.xcoms[order.name] = pushed
        return ended

    def _wait(self, trigger: Mapping[str, Any]) -> None:
        """Do as the triggerer does: look until Canvas is done."""
        path = trigger["awaited"].format(id=trigger["canvas_id"])
        url = f"{self.sandbox.url}/canvas/api/v1{path}"
        patience = time.monotonic() + CANVAS_SECONDS
        while time.monotonic() < patience:
            told = httpx.get(url, headers=LOOK_HEADERS, timeout=60).json()
            if told.get("workflow_state", told.get("status")) in tasks.OVER:
                return
            time.sleep(LOOK_SECONDS)
        raise BenchError(f"Canvas was not done with {path} within {CANVAS_SECONDS:.0f} s.")


def _mapped(order: Order) -> list[Order]:
    """One order for each batch of parts that the reads of people were split into."""
    stored = order.xcoms["split_people"]["return_value"]
    parts = EncryptedPages.deserialize_value(XComResult(key="return_value", value=stored))
    return [replace(order, map_index=place, mapped={"parts": batch}) for place, batch in enumerate(parts)]


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
def world(name: str, size: str, postgres: Postgres, processes: ForkServerContext, home: Path) -> Iterator[World]:
    """A world of a size, in the sandbox's words: a university, an empty Canvas, an empty store."""
    postgres.create_database(f"bench_{name}")
    url = postgres.url(f"bench_{name}")
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
            "ROSTERFLOW_STORAGE": f"file://{home / name}",
            "ROSTERFLOW_PAGE_KEYS": Fernet.generate_key().decode(),
        }
        yield World(sandbox, environment, processes)
