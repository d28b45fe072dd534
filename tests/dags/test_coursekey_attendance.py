"""The DAG of a college's attendance import, as Airflow sees it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
import yaml

from rosterflow.domain.attendance.window import school_days
from rosterflow.notifications.failures import FailureMail
from rosterflow.operators.retry import ByErrorClass
from tests.dags.conftest import Load
from tests.scenarios.drain_ground import college_settings

pytestmark = pytest.mark.airflow

DAY = timedelta(days=1)


@pytest.fixture
def dag(load: Load, institutions: Path) -> Any:
    settings = yaml.safe_dump(college_settings("http://127.0.0.1:8900"))
    (institutions / "college.yaml").write_text(settings, encoding="utf-8")
    bag = load("coursekey_attendance.py")
    assert bag.import_errors == {}
    return bag.dags["coursekey_attendance__college"]


def days_of(dag: Any, first: date, last: date) -> list[date]:
    """The days that the runs of a backfill read, run by run, as Airflow makes its runs for these dates."""
    from airflow.serialization.serialized_objects import DagSerialization  # reads Airflow's settings when imported

    zone = ZoneInfo(str(dag.timetable.timezone))
    begin, end = (pendulum.datetime(on.year, on.month, on.day, tz=zone.key) for on in (first, last + DAY))
    of_scheduler = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    found = []
    for info in of_scheduler.iter_dagrun_infos_between(begin, end):
        assert info.data_interval is not None
        one, other = school_days(info.data_interval.start, info.data_interval.end, zone)
        found += [one + number * DAY for number in range((other - one).days + 1)]
    return found


def test_it_reads_imports_writes_and_mails(dag: Any) -> None:
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} == {
        "open_run": ["read"],
        "read": ["import"],
        "import": ["ask_approval", "write"],
        "ask_approval": [],
        "write": ["mail"],
        "mail": [],
    }


def test_what_came_is_imported_written_and_mailed_even_when_a_key_could_not_be_read(dag: Any) -> None:
    assert {dag.get_task(name).trigger_rule for name in ("import", "write", "mail")} == {"all_done"}


@pytest.mark.parametrize(
    ("first", "last"),
    [(date(2026, 10, 20), date(2026, 11, 18)), (date(2027, 3, 1), date(2027, 3, 30))],
    ids=["autumn", "spring"],
)
def test_the_runs_of_a_backfill_have_every_day_once_also_where_clocks_change(dag: Any, first: date, last: date) -> None:
    assert days_of(dag, first, last) == [first + number * DAY for number in range(30)]


def test_several_days_may_be_imported_at_once(dag: Any) -> None:
    assert dag.max_active_runs == 4


def test_it_asks_its_own_approval(dag: Any) -> None:
    assert dag.get_task("ask_approval").trigger_dag_id == "coursekey_approval__college"


def test_it_has_its_form_its_mail_and_retries_by_the_class_of_the_error(dag: Any) -> None:
    assert set(dag.params) == {"from_date", "to_date"}
    assert isinstance(dag.on_failure_callback, FailureMail)
    assert {task.retry_policy.__class__ for task in dag.tasks} == {ByErrorClass}
