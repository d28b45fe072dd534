"""The task that reads the time attended with one auth key, against the sandbox: what it pushes, and when it is red."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from airflow.sdk import DAG, Context
from airflow.sdk.bases.xcom import BaseXCom

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
from rosterflow.sync.runs import open_run
from rosterflow.xcom import EncryptedPages
from sandbox.serving import RunningSandbox
from tests.hooks.export_sandbox import FIRST, LAST, MAIN, NORTH, NORTH_RECORDS, RECORDS, arm, attended
from tests.installed import installed
from tests.operators.running import DagRun, KeepingInstance
from tests.scenarios.drain_ground import KEYS, college, college_settings, connections

DAG_ID, RUN_ID = "coursekey_attendance__college", "scheduled__1"
WINDOW = {"first": FIRST.isoformat(), "last": LAST.isoformat()}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with attended() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    """An installation whose college reads from the sandbox, with a run that has begun."""
    running.world.faults.clear()
    monkeypatch.setattr(attendance_read, "XCom", EncryptedPages)
    monkeypatch.setattr("rosterflow.hooks.coursekey._wait", lambda _: 0)
    settings = college_settings(running.url)
    with installed(tmp_path, monkeypatch, settings, **connections(running.url)) as here:
        open_run(
            here.store,
            here.college,
            dag_id=DAG_ID,
            dag_run_id=RUN_ID,
            mode="apply",
            scope=Scope(frozenset()),
            now=datetime.now(UTC),
        )
    return running


def reading(try_number: int = 1) -> KeepingInstance:
    return KeepingInstance(DAG_ID, RUN_ID, "read", 0, try_number=try_number)


def run(ti: KeepingInstance, connection: str = "coursekey_demo_1") -> Any:
    with DAG(DAG_ID, schedule=None):
        task = ReadAttendanceOperator(task_id="read", institution="college", connection=connection, window=WINDOW)
    return task.execute(cast(Context, {"ti": ti, "dag_run": DagRun(DAG_ID, RUN_ID)}))


def test_every_page_is_an_xcom_and_the_database_holds_only_where_it_is(sandbox: RunningSandbox) -> None:
    ti = reading()

    assert run(ti) == {MAIN: {"pages": 3, "records": RECORDS}, NORTH: {"pages": 3, "records": NORTH_RECORDS}}

    assert [key for *_, key in ti.xcoms] == [*(f"page_000{number}" for number in range(1, 7)), READS]
    assert "@" not in repr(ti.xcoms)
    assert "20000" not in repr([value for (*_, key), value in ti.xcoms.items() if key != READS])


def test_what_was_read_is_opened_from_the_pages_of_the_run(sandbox: RunningSandbox) -> None:
    ti = reading()
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
        run(reading())
    last = reading(5)
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
    ti = reading()

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
        run(reading())
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
