"""The DAG of a college's outbound queue, as Airflow sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rosterflow.notifications.failures import FailureMail
from rosterflow.operators.retry import ByErrorClass
from tests.dags.conftest import Load
from tests.scenarios.drain_ground import college_settings

pytestmark = pytest.mark.airflow


@pytest.fixture
def dag(load: Load, institutions: Path) -> Any:
    settings = yaml.safe_dump(college_settings("http://127.0.0.1:8900"))
    (institutions / "college.yaml").write_text(settings, encoding="utf-8")
    bag = load("coursekey_outbound.py")
    assert bag.import_errors == {}
    return bag.dags["coursekey_outbound__college"]


def test_it_collects_guards_drains_and_tells(dag: Any) -> None:
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} == {
        "collect": ["guard"],
        "guard": ["ask_approval", "drain"],
        "ask_approval": [],
        "drain": ["tell"],
        "tell": [],
    }


def test_it_runs_every_quarter_of_an_hour_in_the_colleges_zone_and_never_twice_at_once(dag: Any) -> None:
    timetable = dag.timetable

    assert (timetable.expression, str(timetable.timezone)) == ("*/15 * * * *", "US/Eastern")
    assert dag.max_active_runs == 1


def test_what_is_queued_is_sent_even_when_campus_cafe_cannot_be_read(dag: Any) -> None:
    assert dag.get_task("drain").trigger_rule == "all_done"


def test_a_drain_that_fails_makes_the_run_red_though_people_are_told_afterwards(dag: Any) -> None:
    tell = dag.get_task("tell")

    assert (tell.is_teardown, tell.on_failure_fail_dagrun) == (True, True)


def test_it_asks_its_own_approval(dag: Any) -> None:
    assert dag.get_task("ask_approval").trigger_dag_id == "coursekey_approval__college"


def test_it_has_its_form_its_mail_and_retries_by_the_class_of_the_error(dag: Any) -> None:
    assert set(dag.params) == {"batch", "max_batches"}
    assert isinstance(dag.on_failure_callback, FailureMail)
    assert {task.retry_policy.__class__ for task in dag.tasks} == {ByErrorClass}


def test_a_college_whose_settings_are_broken_has_a_dag_that_says_so(load: Load, institutions: Path) -> None:
    (institutions / "college.yaml").write_text("key: college\ncoursekey: {}\n", encoding="utf-8")

    broken = load("coursekey_outbound.py").dags["coursekey_outbound__college"]

    assert [task.task_id for task in broken.tasks] == ["check_settings"]
