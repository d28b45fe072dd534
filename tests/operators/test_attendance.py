"""The tasks of the attendance import one after the other, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import time_machine
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseOperator, Context
from airflow.sdk.exceptions import TaskDeferred

from rosterflow.domain.errors import Code, FatalError
from rosterflow.operators import attendance, attendance_read
from rosterflow.operators.attendance import (
    ImportAttendanceOperator,
    MailAttendanceOperator,
    OpenAttendanceOperator,
    WriteAttendanceOperator,
)
from rosterflow.operators.attendance_read import ReadAttendanceOperator
from rosterflow.store import leases, runs
from rosterflow.store.engine import Store
from rosterflow.store.runs import RunState
from rosterflow.sync.letters import Letter
from rosterflow.xcom import EncryptedPages
from sandbox.serving import RunningSandbox
from tests.hooks.export_sandbox import FIRST, LAST, NORTH_RECORDS, RECORDS, attended
from tests.installed import installed
from tests.operators.running import DagRun, KeepingInstance, RunType
from tests.scenarios.drain_ground import college_settings, connections

DAG_ID, RUN_ID = "coursekey_attendance__college", "manual__1"
CONNECTIONS = ("coursekey_demo_1", "coursekey_demo_2")
SATURDAY = datetime(2026, 8, 29, 12, tzinfo=UTC)


@dataclass
class Night:
    """One run, with the XComs of its tasks as they lie in Airflow's database, and what it mailed."""

    store: Store
    xcoms: dict[tuple[str, int, str], Any] = field(default_factory=dict)
    mails: list[Letter] = field(default_factory=list)
    run_type: str = "manual"
    interval: tuple[datetime, datetime] | tuple[None, None] = (None, None)

    def execute(self, operator: type[BaseOperator], task_id: str, place: int = -1, **given: Any) -> Any:
        """One task."""
        with DAG(DAG_ID, schedule=None):
            task = operator(task_id=task_id, institution="college", **given)
        dag_run: Any = DagRun(DAG_ID, RUN_ID, RunType(self.run_type))
        dag_run.data_interval_start, dag_run.data_interval_end = self.interval
        form = {"from_date": FIRST.isoformat(), "to_date": LAST.isoformat()}
        ti = KeepingInstance(DAG_ID, RUN_ID, task_id, place, self.xcoms)
        returned = task.execute(cast(Context, {"ti": ti, "dag_run": dag_run, "params": form}))
        ti.xcom_push("return_value", returned)
        return returned

    def read(self) -> None:
        """Open the run and read with both keys."""
        days = self.execute(OpenAttendanceOperator, "open_run")
        for place, connection in enumerate(CONNECTIONS):
            self.execute(ReadAttendanceOperator, "read", place, connection=connection, window=days)

    def finish(self) -> str:
        """Import, write and mail."""
        self.execute(ImportAttendanceOperator, "import", reads="read")
        self.execute(WriteAttendanceOperator, "write", opened="open_run")
        return str(self.execute(MailAttendanceOperator, "mail", told_by=["import", "write"]))

    def run(self) -> runs.Run:
        """What the store has of it."""
        with self.store.begin() as connection:
            found = runs.find_run(connection, DAG_ID, RUN_ID)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with attended() as sandbox:
        yield sandbox


@pytest.fixture
def night(running: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """An installation whose college reads from the sandbox, on the Saturday after."""
    running.world.faults.clear()
    monkeypatch.setattr(attendance_read, "XCom", EncryptedPages)
    monkeypatch.setattr("rosterflow.hooks.coursekey._wait", lambda _: 0)
    settings = college_settings(running.url)
    with installed(tmp_path, monkeypatch, settings, **connections(running.url)) as here:
        made = Night(here.store)
        monkeypatch.setattr(attendance, "send", made.mails.append)
        with time_machine.travel(SATURDAY, tick=True):
            yield made


def test_a_run_reads_imports_writes_and_mails(night: Night) -> None:
    night.read()
    outcome = night.finish()

    counts = night.run().counts["attendance"]
    assert {school: told["records"] for school, told in counts.items()} == {
        "548156": RECORDS,
        "548157": NORTH_RECORDS,
        "612001": 0,
    }
    assert outcome == "warnings"  # the courses are not ours
    assert [mail.subject for mail in night.mails] != []
    assert night.run().state is RunState.DONE


def test_an_import_that_is_tried_again_keeps_the_counts_of_the_first_try(night: Night) -> None:
    night.read()
    night.execute(ImportAttendanceOperator, "import", reads="read")
    before = night.run().counts["attendance"]

    again = night.execute(ImportAttendanceOperator, "import", reads="read")

    assert (again["effects"], night.run().counts["attendance"]) == ({}, before)


def test_a_key_that_could_not_be_read_is_a_failure_that_names_it_and_the_others_are_imported(night: Night) -> None:
    days = night.execute(OpenAttendanceOperator, "open_run")
    night.execute(ReadAttendanceOperator, "read", 0, connection=CONNECTIONS[0], window=days)

    with pytest.raises(FatalError) as caught:
        night.finish()

    assert caught.value.code is Code.ATTENDANCE_INCOMPLETE
    assert "FAILURE" in night.mails[0].subject
    assert set(night.run().counts["attendance"]) == {"548156", "548157"}
    assert night.run().state is RunState.FAILED


def test_writing_comes_back_by_itself_while_another_run_of_the_college_writes(night: Night) -> None:
    night.read()
    night.execute(ImportAttendanceOperator, "import", reads="read")
    with night.store.begin() as connection:
        leases.acquire(connection, "attendance/college", "run:another", datetime.now(UTC), timedelta(minutes=10))

    with pytest.raises(TaskDeferred) as deferred:
        night.execute(WriteAttendanceOperator, "write", opened="open_run")
    with night.store.begin() as connection:
        leases.release(connection, "attendance/college", "run:another")
    again = night.execute(WriteAttendanceOperator, "write", opened="open_run")

    assert isinstance(deferred.value.trigger, TimeDeltaTrigger)
    assert deferred.value.method_name == "begin_again"
    assert again == {}


def test_a_run_by_hand_reads_the_days_of_its_form_and_a_backfill_those_of_its_interval(night: Night) -> None:
    night.interval = datetime(2026, 8, 20, 9, 30, tzinfo=UTC), datetime(2026, 8, 21, 9, 30, tzinfo=UTC)
    by_hand = night.execute(OpenAttendanceOperator, "open_run")
    night.run_type = "backfill"
    backfill = night.execute(OpenAttendanceOperator, "open_run")

    assert by_hand == {"first": str(FIRST), "last": str(LAST)}
    assert backfill == {"first": "2026-08-20", "last": "2026-08-20"}
    assert night.run().counts["attendance_window"]["notes"] == [
        "From and To are those of a single run: a backfill reads its own days"
    ]


def test_days_that_are_not_over_everywhere_are_refused(night: Night) -> None:
    with time_machine.travel(datetime(2026, 8, 29, 5, tzinfo=UTC)), pytest.raises(FatalError) as caught:
        night.execute(OpenAttendanceOperator, "open_run")

    assert caught.value.code is Code.SETTINGS_INVALID
    assert f"{date(2026, 8, 28)} is not over yet" in caught.value.message
