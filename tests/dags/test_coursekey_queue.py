"""The DAGs with which people steer a college's queue."""

from __future__ import annotations

import copy

import pytest
from airflow.sdk.exceptions import ParamValidationError

from tests.dags.conftest import Load

pytestmark = pytest.mark.airflow


def test_the_form_of_the_queue_asks_for_place_and_reason(load: Load) -> None:
    dag = load("coursekey_queue.py").dags["coursekey_queue__harbor"]

    assert list(dag.params) == ["act", "semester", "course", "section", "cause", "ids", "reason"]
    assert dag.task_ids == ["queue"]
    assert dag.schedule is None


@pytest.mark.parametrize(
    "form",
    [
        {"act": "enrollments", "semester": "202610", "reason": "They were missing"},
        {"act": "requeue failed", "ids": [7], "reason": "Mended"},
    ],
)
def test_a_form_that_is_filled_in_is_accepted(load: Load, form: dict[str, object]) -> None:
    params = copy.deepcopy(load("coursekey_queue.py").dags["coursekey_queue__harbor"].params)
    params.update(form)

    assert params.validate()["reason"] == form["reason"]


@pytest.mark.parametrize("form", [{"semester": "20261"}, {"reason": " "}, {"act": "drop"}, {"ids": ["7"]}])
def test_the_form_refuses_what_cannot_be_meant(load: Load, form: dict[str, object]) -> None:
    params = copy.deepcopy(load("coursekey_queue.py").dags["coursekey_queue__harbor"].params)

    with pytest.raises(ParamValidationError):
        params.update(form)


def test_the_form_wants_a_reason(load: Load) -> None:
    params = copy.deepcopy(load("coursekey_queue.py").dags["coursekey_queue__harbor"].params)

    with pytest.raises(ParamValidationError):
        params.validate()


def test_two_people_can_be_asked_before_anything_is_queued(load: Load) -> None:
    dag = load("coursekey_approval.py").dags["coursekey_approval__harbor"]

    assert [task.task_id for task in dag.topological_sort()] == [
        "describe",
        "ask_person",
        "ask_second_person",
        "decide",
    ]
    assert not dag.is_paused_upon_creation
