"""The task that reads the time attended with one auth key, against the sandbox: what it pushes, and when it is red."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from airflow.sdk import DAG, Context
from airflow.sdk.bases.xcom import BaseXCom
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.snapshot import Scope
from rosterflow.hooks.campus_cafe_attendance import CampusCafeAttendanceHook
from rosterflow.hooks.campus_cafe_attendance_folder import CampusCafeAttendanceFolder
from rosterflow.operators import attendance_read
from rosterflow.operators.attendance_read import (
    READS,
    ReadAttendanceOperator,
    attendance_module,
    attendance_reads,
    mapped_attendance_reads,
)
from rosterflow.settings import load_college
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.runs import open_run
from rosterflow.xcom import EncryptedPages
from sandbox.serving import RunningSandbox
from tests.hooks.export_sandbox import FIRST, LAST, MAIN, NORTH, NORTH_RECORDS, RECORDS, arm, attended
from tests.operators.running import DagRun
from tests.scenarios.drain_ground import KEYS, college, college_settings, connections

DAG_ID, RUN_ID = "coursekey_attendance__college", "scheduled__1"
WINDOW = {"first": FIRST.isoformat(), "last": LAST.isoformat()}


@dataclass
class Task:
    """A running task, with the XComs of the run behind it as they lie in Airflow's database."""

    kept: dict[tuple[int, str], Any] = field(default_factory=dict)
    map_index: int = 0
    try_number: int = 1
    max_tries: int = 4
    dag_id: str = DAG_ID
    run_id: str = RUN_ID
    task_id: str = "read"

    def xcom_push(self, key: str, value: Any) -> None:
        where: dict[str, Any] = {"dag_id": self.dag_id, "run_id": self.run_id, "task_id": self.task_id}
        self.kept[self.map_index, key] = EncryptedPages.serialize_value(
            value, key=key, map_index=self.map_index, **where
        )

    def xcom_pull(self, task_ids: str, key: str, map_indexes: int) -> Any:
        found = self.kept.get((map_indexes, key))
        return None if found is None else BaseXCom.deserialize_value(cast(Any, Kept(found)))


@dataclass
class Kept:
    """A row of Airflow's table of XComs."""

    value: Any


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with attended() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """An installation whose college reads from the sandbox, with a run that has begun."""
    running.world.faults.clear()
    key = Fernet.generate_key().decode()
    (tmp_path / "college.yaml").write_text(yaml.safe_dump(college_settings(running.url)), encoding="utf-8")
    given = {
        "ROSTERFLOW_DATABASE_URL": f"sqlite:///{tmp_path}/store.db",
        "ROSTERFLOW_STORAGE": f"file://{tmp_path}/blobs",
        "ROSTERFLOW_PAGE_KEYS": key,
        "ROSTERFLOW_INSTITUTIONS": str(tmp_path),
        **connections(running.url),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(attendance_read, "XCom", EncryptedPages)
    monkeypatch.setattr("rosterflow.hooks.coursekey._wait", lambda _: 0)
    store = Store(f"sqlite:///{tmp_path}/store.db", [key])
    migrate.upgrade(store)
    settings = load_college(tmp_path / "college.yaml")
    scope = Scope(frozenset())
    open_run(store, settings, dag_id=DAG_ID, dag_run_id=RUN_ID, mode="apply", scope=scope, now=datetime.now(UTC))
    store.dispose()
    return running


def run(ti: Task, connection: str = "coursekey_demo_1") -> Any:
    with DAG(DAG_ID, schedule=None):
        task = ReadAttendanceOperator(task_id="read", institution="college", connection=connection, window=WINDOW)
    return task.execute(cast(Context, {"ti": ti, "dag_run": DagRun(DAG_ID, RUN_ID)}))


def test_every_page_is_an_xcom_and_the_database_holds_only_where_it_is(sandbox: RunningSandbox) -> None:
    ti = Task()

    assert run(ti) == {MAIN: {"pages": 3, "records": RECORDS}, NORTH: {"pages": 3, "records": NORTH_RECORDS}}

    assert [key for _, key in ti.kept] == [*(f"page_000{number}" for number in range(1, 7)), READS]
    assert "@" not in repr(ti.kept)
    assert "20000" not in repr([value for (_, key), value in ti.kept.items() if key != READS])


def test_what_was_read_is_opened_from_the_pages_of_the_run(sandbox: RunningSandbox) -> None:
    ti = Task()
    run(ti)

    reads, silent = attendance_reads(ti, "read", college(sandbox.url))

    assert silent == ["1-3"]
    assert [(one.read.school, len(list(one.records())), one.is_whole) for one in reads] == [
        (MAIN, RECORDS, True),
        (NORTH, NORTH_RECORDS, True),
    ]


def test_a_page_that_does_not_come_has_the_task_try_again_and_in_the_end_go_on(sandbox: RunningSandbox) -> None:
    arm(sandbox, "500", count=None, match=f"schoolID={MAIN}&from=2026-08-24&to=2026-08-28&cursor=from-5")

    with pytest.raises(RetryableError) as caught:
        run(Task())
    last = Task(try_number=5)
    counts = run(last)

    assert caught.value.message == (
        f"Auth key 1-1, school {MAIN}: CourseKey answered 'export the time attended' with 500."
    )
    assert counts == {MAIN: {"pages": 1, "records": 5}, NORTH: {"pages": 3, "records": NORTH_RECORDS}}
    reads, _ = attendance_reads(last, "read", college(sandbox.url))
    assert [one.is_whole for one in reads] == [False, True]


def test_a_key_that_is_refused_makes_the_task_red_and_is_told_by_its_alias(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = connections(sandbox.url)["AIRFLOW_CONN_COURSEKEY_DEMO_1"].replace(KEYS[0], "another-key")
    monkeypatch.setenv("AIRFLOW_CONN_COURSEKEY_DEMO_1", refused)
    ti = Task()

    with pytest.raises(FatalError) as caught:
        run(ti)

    assert caught.value.code is Code.UNAUTHORIZED
    assert caught.value.message.startswith(f"Auth key 1-1, school {MAIN}: ")
    assert "another-key" not in str(caught.value)
    reads, _ = attendance_reads(ti, "read", college(sandbox.url))
    assert [(one.read.school, one.read.rows, one.is_whole) for one in reads] == [(MAIN, 0, False), (NORTH, 0, False)]


def test_without_our_xcom_backend_nothing_is_read(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance_read, "XCom", BaseXCom)
    with pytest.raises(FatalError) as caught:
        run(Task())
    assert caught.value.code is Code.SETTINGS_INVALID


def test_there_is_one_mapped_task_for_each_auth_key() -> None:
    with DAG(DAG_ID, schedule=None):
        mapped = mapped_attendance_reads("read", college("http://127.0.0.1:8900"), WINDOW)
    assert mapped.expand_input.value == {"connection": ["coursekey_demo_1", "coursekey_demo_2"]}
    assert mapped.retries == 4


@pytest.mark.parametrize("in_a_folder", [False, True])
def test_the_attendance_module_is_reached_as_the_settings_say(tmp_path: Path, *, in_a_folder: bool) -> None:
    campus = {"folder": str(tmp_path)} if in_a_folder else {"connection": "campus_cafe_demo"}
    with attendance_module(college("http://127.0.0.1:8900", campus_cafe=campus)) as module:
        assert isinstance(module, CampusCafeAttendanceFolder if in_a_folder else CampusCafeAttendanceHook)
