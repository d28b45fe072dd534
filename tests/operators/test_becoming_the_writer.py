"""The task `settle` and what all tasks that wait for Canvas share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk.exceptions import TaskDeferred
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Kind
from rosterflow.operators import waiting
from rosterflow.operators.institution import now
from rosterflow.operators.planning import GuardOperator, SettleOperator
from rosterflow.store import institutions, migrate
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.runs import close_run, open_run, take_lease
from rosterflow.triggers.canvas import CanvasTrigger
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from tests.household import SCOPE
from tests.operators.running import DAG_ID, RUN_ID, context

SETTINGS: dict[str, Any] = {
    "key": "demo",
    "name": "Demohøgskolen",
    "number": "184",
    "fs": {"connection": "fs_demo"},
    "canvas": {"connection": "canvas_demo", "account": "FSDEMO"},
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        connection = {"conn_type": "canvas", "host": f"{running.url}/canvas", "password": "sandbox-canvas-token"}
        monkeypatch.setenv("AIRFLOW_CONN_CANVAS_DEMO", json.dumps(connection))
        yield running


def demo() -> Institution:
    return Institution.model_validate(SETTINGS)


def opened(store: Store, dag_run_id: str = RUN_ID) -> Run:
    return open_run(store, demo(), dag_id=DAG_ID, dag_run_id=dag_run_id, mode="apply", scope=SCOPE, now=now())


@pytest.fixture
def settle(store: Store, sandbox: RunningSandbox) -> Iterator[SettleOperator]:
    """The task, in the process of which everything is open until it ends."""
    task = SettleOperator(task_id="settle", institution="demo")
    yield task
    task.canvas.close()
    task.store.dispose()


def test_settle_takes_the_base_from_canvas_on_first_contact(
    settle: SettleOperator, store: Store, sandbox: RunningSandbox
) -> None:
    opened(store)

    assert settle.execute(context()) == {"based": True, **dict.fromkeys(map(str, Kind), 0)}
    with store.begin() as connection:
        assert institutions.standing(connection, "demo", now()).based_at is not None


def test_settle_has_nothing_to_read_when_the_base_is_known(
    settle: SettleOperator, store: Store, sandbox: RunningSandbox
) -> None:
    opened(store)
    settle.execute(context())

    assert settle.execute(context()) == {"based": False}


def test_settle_comes_back_by_itself_while_another_run_writes(
    settle: SettleOperator, store: Store, sandbox: RunningSandbox
) -> None:
    opened(store)
    other = take_lease(store, demo(), opened(store, "other"), now())

    with pytest.raises(TaskDeferred) as deferred:
        settle.execute(context())
    close_run(store, demo(), other, well=True, now=now())

    assert isinstance(deferred.value.trigger, TimeDeltaTrigger)
    assert deferred.value.method_name == "begin_again"
    assert settle.begin_again(context(), event=None)["based"] is True


def test_a_slow_report_is_waited_for_outside_the_worker(
    settle: SettleOperator, store: Store, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "IN_TASK_SECONDS", 0.0)
    opened(store)

    with pytest.raises(TaskDeferred) as deferred:
        settle.execute(context())
    values = deferred.value.kwargs or {}

    assert isinstance(deferred.value.trigger, CanvasTrigger)
    assert deferred.value.method_name == "resume"
    sandbox.world.faults.clear()
    while not settle.canvas.provisioning_report(values["canvas_id"]).is_over:
        pass
    assert settle.resume(context(), {"status": "over"}, **values)["based"] is True


def test_an_import_that_is_late_ends_the_task_and_is_left_to_the_next_run(settle: SettleOperator) -> None:
    with pytest.raises(FatalError) as raised:
        settle.resume(context(), {"status": "late"}, awaited="/x/{id}", canvas_id="7")

    assert raised.value.code is Code.IMPORT_SLOW


def test_a_trigger_that_could_not_look_says_why(settle: SettleOperator) -> None:
    event = {"status": "failed", "code": "connection-missing", "message": "There is no connection canvas_demo."}

    with pytest.raises(FatalError, match="There is no connection canvas_demo.") as raised:
        settle.resume(context(), event, awaited="/x/{id}", canvas_id="7")
    assert raised.value.code is Code.CONNECTION_MISSING


def test_a_report_that_canvas_could_not_make_is_tried_again(
    settle: SettleOperator, store: Store, sandbox: RunningSandbox
) -> None:
    opened(store)
    sandbox.world.faults.add(Fault("canvas", "500", count=None, match="GET"))

    with pytest.raises(RetryableError):
        settle.execute(context())


def test_a_task_of_a_run_that_was_never_opened_says_so(store: Store) -> None:
    with pytest.raises(FatalError, match="was never opened"):
        GuardOperator(task_id="guard", institution="demo").execute(context())
