"""Asking a person, in the approval DAG: when, what is accepted, and what is kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DagRunTriggerException
from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, Param
from airflow.sdk.exceptions import AirflowSkipException

from rosterflow.domain.institution import Approval
from rosterflow.operators.approval import AskPersonOperator, answer_of
from rosterflow.operators.planning import AskApprovalOperator
from rosterflow.sync.approving import Answer
from tests.operators.running import Instance, TaskState, context

KARI = {"id": "kari", "name": "Kari"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Task ids of the questions that reached Airflow."""
    reached: list[str] = []
    monkeypatch.setattr(HITLOperator, "execute", lambda self, _: reached.append(self.task_id))
    return reached


def question(first: str = "", **policy: Any) -> AskPersonOperator:
    with DAG("approval", schedule=None, params={"approval_id": Param(type="integer")}):
        return AskPersonOperator(task_id="ask", policy=Approval(**policy), first=first)


def event(chosen: list[str], form: Any, user: dict[str, str] | None = KARI) -> dict[str, Any]:
    return {
        "chosen_options": chosen,
        "params_input": form,
        "responded_by_user": user,
        "responded_at": datetime(2026, 9, 1, 8, 0, tzinfo=UTC),
    }


def answered(chosen: str = "Approve") -> dict[str, Any]:
    return {"chosen_options": [chosen], "params_input": {"comment": "ok"}, "responded_by_user": KARI}


def described(*, two_person: bool) -> dict[str, Any]:
    return {"two_person": two_person, "subject": "s", "body": "b"}


def test_the_first_person_is_always_asked(asked: list[str]) -> None:
    question().execute(context())

    assert asked == ["ask"]


def test_a_second_person_is_asked_when_two_are_needed_and_the_first_approved(asked: list[str]) -> None:
    ti = Instance({"describe": described(two_person=True), "ask_person": answered()})

    question("ask_person").execute(context(ti))

    assert asked == ["ask"]


@pytest.mark.parametrize(("two_person", "chosen"), [(False, "Approve"), (True, "Reject"), (False, "Reject")])
def test_a_second_person_is_not_troubled_without_need(asked: list[str], two_person: bool, chosen: str) -> None:
    ti = Instance({"describe": described(two_person=two_person), "ask_person": answered(chosen)})

    with pytest.raises(AirflowSkipException, match="A second person is not needed."):
        question("ask_person").execute(context(ti))
    assert asked == []


def test_an_answer_survives_the_failure_of_its_task(asked: list[str]) -> None:
    kept = TaskState()
    task = question()
    task.execute(context(kept=kept))
    given = task.execute_complete(context(kept=kept), event(["Approve"], {"comment": "ok"}))

    again = question().execute(context(Instance(try_number=2), kept=kept))

    assert asked == ["ask"]
    assert again == given


def test_a_question_that_was_cleared_by_hand_is_asked_anew(asked: list[str]) -> None:
    kept = TaskState()
    question().execute_complete(context(kept=kept), event(["Approve"], {"comment": ""}))

    question().execute(context(Instance(max_tries=9), kept=kept))

    assert asked == ["ask"]


@pytest.mark.parametrize(
    ("form", "comment"),
    [
        ({"comment": "Read."}, "Read."),
        ({"comment": None}, ""),
        ({"comment": 7}, ""),
        ({"other": "x"}, ""),
        ({}, ""),
        (None, ""),
        ("text", ""),
    ],
)
def test_a_form_that_is_not_ours_is_an_answer_without_comment(form: Any, comment: str) -> None:
    given = question().execute_complete(context(), event(["Approve"], form))

    assert answer_of(context(Instance({"ask": given})), "ask") == Answer("Approve", comment, "kari")


def test_no_answer_in_time_is_a_no_by_nobody() -> None:
    given = question().execute_complete(context(), event(["Reject"], {"comment": ""}, user=None))

    assert answer_of(context(Instance({"ask": given})), "ask") == Answer("Reject", "", "time-out", timed_out=True)


def test_a_question_nobody_was_asked_has_no_answer() -> None:
    assert answer_of(context(), "ask_second_person") is None


def test_time_and_people_come_from_the_institutions_settings() -> None:
    task = question(timeout_hours=5, approvers=("kari",))

    assert task.response_timeout is not None
    assert task.response_timeout.total_seconds() == 5 * 3600
    assert [user["id"] for user in task.assigned_users or ()] == ["kari"]
    assert question().assigned_users is None


# -- starting to ask ---------------------------------------------------------------------------------------------------


def start_asking(requests: list[int], dag_runs: Iterable[str] = ()) -> dict[str, Any]:
    """The DAG run that the sync starts for the requests that wait."""
    task = AskApprovalOperator(task_id="ask_approval", institution="demo", guarded_by="guard")
    ti = Instance({"guard": {"allowed": 0, "held": 3, "ask": requests}}, dag_runs=frozenset(dag_runs))
    with pytest.raises(DagRunTriggerException) as started:
        task.execute(context(ti))
    return {"dag": started.value.trigger_dag_id, "run": started.value.dag_run_id, "conf": started.value.conf}


def test_a_request_is_asked_about_in_a_run_of_its_own() -> None:
    assert start_asking([7]) == {"dag": "canvas_approval__demo", "run": "approval__7", "conf": {"approval_id": 7}}


def test_the_oldest_request_that_a_killed_run_never_asked_about_comes_first() -> None:
    assert start_asking([5, 6, 7], dag_runs=["approval__5"])["run"] == "approval__6"


@pytest.mark.parametrize("waiting", [[], [5]])
def test_nobody_is_asked_twice(waiting: list[int]) -> None:
    task = AskApprovalOperator(task_id="ask_approval", institution="demo", guarded_by="guard")
    ti = Instance({"guard": {"ask": waiting}}, dag_runs=frozenset({"approval__5"}))

    with pytest.raises(AirflowSkipException, match="Nothing is held that nobody was asked about yet."):
        task.execute(context(ti))
