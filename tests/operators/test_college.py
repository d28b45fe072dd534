"""The tasks of a college that people steer: the form of the queue, and the approval of drops."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from airflow.sdk import DAG, BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from rosterflow.domain.coursekey.campus import Standing
from rosterflow.domain.coursekey.queue import EntryState, Intent
from rosterflow.operators.college import DecideRemovalsOperator, DescribeRemovalsOperator, QueueByHandOperator
from rosterflow.operators.params import QUEUE_PARAMS
from tests.domain.coursekey.builders import raw_college
from tests.installed import installed
from tests.operators.running import Instance, context
from tests.scenarios.campus import MINUTE, NOW, Campus, a_section, course, enrollment, person, registration

GUARDS = {"removals": {"percent": 10, "floor": 3}}
STUDENTS = [f"2{n:03}" for n in range(20)]


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Campus]:
    """A college with a section of twenty that is in CourseKey."""
    with installed(tmp_path, monkeypatch, raw_college(guards=GUARDS)) as here:
        made = Campus(here.store, here.college)
        a_section(made.registrar, 20)
        made.sync()
        with time_machine.travel(NOW + MINUTE, tick=False):
            yield made


@pytest.fixture
def request_id(one: Campus) -> int:
    """Four of them dropped, which is too many."""
    one.registrar.have(*(registration(n, standing=Standing.DROPPED) for n in STUDENTS[:4]), at=NOW + MINUTE)
    one.collect(NOW + MINUTE)
    (number,) = one.guard(NOW + MINUTE).ask
    return number


def task(operator: type[BaseOperator], **given: Any) -> Any:
    with DAG("coursekey_queue__college", schedule=None):
        return operator(task_id="task", institution="college", **given)


def form(**filled: Any) -> Context:
    values = {name: param.value for name, param in QUEUE_PARAMS.items() if name != "reason"}
    given = context(**{**values, **filled})
    given["dag_run"].triggering_user_name = "nora"
    return given


def answered(chosen: str, user: str = "nora", comment: str = "They left") -> dict[str, Any]:
    return {
        "chosen_options": [chosen],
        "params_input": {"comment": comment},
        "responded_by_user": {"id": user, "name": user},
        "responded_at": datetime(2026, 9, 7, 15, 0, tzinfo=UTC).isoformat(),
    }


def decide(request: int, *answers: dict[str, Any]) -> Any:
    asked_by = ["ask_person", "ask_second_person"]
    ti = Instance(pushed=dict(zip(asked_by, answers, strict=False)))
    return task(DecideRemovalsOperator, asked_by=asked_by).execute(context(ti, approval_id=request))


def test_the_form_adds_the_enrollments_of_a_semester(one: Campus) -> None:
    one.drain()

    told = task(QueueByHandOperator).execute(form(act="enrollments", semester="202610", reason="To be sure"))

    assert told == "1 section(s): 20 PENDING"
    assert one.entries()[enrollment("2000")].asked_by == "nora"
    assert one.acts() == [("nora", "queue enrollments", "To be sure")]


def test_the_form_adds_the_courses_of_a_semester(one: Campus) -> None:
    task(QueueByHandOperator).execute(form(act="courses", semester=" 202610 ", reason="New titles"))

    assert one.entries()[course()].state is EntryState.PENDING


def test_the_form_has_failed_entries_tried_again(one: Campus) -> None:
    one.registrar.have(person("2999", email=""), registration("2999"), at=NOW + MINUTE)
    one.collect(NOW + MINUTE)

    told = task(QueueByHandOperator).execute(form(act="requeue failed", reason="Entered"))

    assert told == "1 entries are tried again"
    assert one.entries()[enrollment("2999")].state is EntryState.PENDING


def test_the_question_says_how_many_where_and_whom_by_campus_cafe_id(one: Campus, request_id: int) -> None:
    told = task(DescribeRemovalsOperator).execute(context(approval_id=request_id))

    assert told["subject"].startswith("An Invented College: 4 change(s) held: 4 in 202610.")
    assert "| Semester | Changes |" in told["body"]
    assert "| 202610/MTH101/4 | 4 |" in told["body"]
    assert "Student 2000: dropped in Campus Cafe." in told["body"]
    assert "Invented, " not in told["body"]
    assert told["two_person"] is False


def test_an_approved_drop_is_queued(one: Campus, request_id: int) -> None:
    assert decide(request_id, answered("Approve")) == {"approved": 4}

    assert [intent for _, intent in one.drain(NOW + MINUTE)] == [Intent.REMOVE] * 4


def test_a_rejected_drop_is_not(one: Campus, request_id: int) -> None:
    with pytest.raises(AirflowSkipException, match="Nothing of this request"):
        decide(request_id, answered("Reject"))

    assert one.drain(NOW + MINUTE) == []
