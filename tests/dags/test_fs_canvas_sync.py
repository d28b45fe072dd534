"""The daily sync: its graph, its schedule and the form with which a person starts it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from tests.dags.conftest import Load

pytestmark = pytest.mark.airflow


@pytest.fixture
def dag(load: Load) -> Any:
    return load("fs_canvas_sync.py").dags["fs_canvas_sync__fjordvik"]


def test_the_graph_reads_like_the_picture_in_the_design(dag: Any) -> None:
    order = ["settle", "plan", "guard", "apply", "confirm", "close_accounts", "confirm_closed", "report", "close_run"]

    for before, after in zip(order, order[1:], strict=False):
        assert after in dag.get_task(before).downstream_task_ids
    assert dag.get_task("open_run").downstream_task_ids < dag.get_task("settle").upstream_task_ids | {"split_people"}
    assert dag.get_task("guard").downstream_task_ids == {"apply", "ask_approval"}
    assert dag.get_task("close_run").is_teardown


def test_the_operations_of_fs_are_read_in_parallel(dag: Any) -> None:
    reads = {task.task_id for task in dag.tasks if task.task_id.startswith("read.")}

    assert reads == {
        "read.terminer",
        "read.organisasjonsenheter",
        "read.emner",
        "read.studieprogram",
        "read.evu_kurs",
        "read.undervisning",
    }
    assert all(dag.get_task(name).upstream_task_ids == {"open_run"} for name in reads)


def test_people_are_read_when_the_structure_has_been_and_where_they_are_not_the_run_goes_on(dag: Any) -> None:
    reads = {task.task_id for task in dag.tasks if task.task_id.startswith("read.")}

    assert dag.get_task("split_people").upstream_task_ids == reads | {"open_run"}
    assert dag.get_task("read_people").upstream_task_ids == {"split_people"}
    assert dag.get_task("settle").upstream_task_ids == reads | {"read_people"}
    assert dag.get_task("settle").trigger_rule == "none_failed"


def test_where_people_are_not_synced_no_task_is_spent_on_them(institutions: Any, load: Load) -> None:
    file = institutions / "fjordvik.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "people: {sync: false}\n", encoding="utf-8")

    dag = load("fs_canvas_sync.py").dags["fs_canvas_sync__fjordvik"]

    assert {"split_people", "read_people"}.isdisjoint(dag.task_ids)


def test_the_older_dialect_reads_no_terms(institutions: Any, load: Load) -> None:
    file = institutions / "fjordvik.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "fs: {connection: fs_test, dialect: '2023'}\n", encoding="utf-8")

    dag = load("fs_canvas_sync.py").dags["fs_canvas_sync__fjordvik"]

    assert "read.terminer" not in dag.task_ids


def test_the_schedule_is_in_the_institutions_own_zone(dag: Any) -> None:
    assert (dag.timetable.expression, str(dag.timetable.timezone)) == ("30 3 * * *", "Europe/Oslo")


@pytest.mark.parametrize(
    "conf",
    [
        {},
        {"mode": "plan"},
        {"mode": "apply", "terms": ["2026_HØST", "2027_VÅR"]},
        {"kinds": ["emne", "evu-kurs"]},
        {"emnekoder": ["MAT1000"]},
        {"accept_empty": ["klasse"]},
        {"terms": None, "kinds": None, "emnekoder": None, "accept_empty": None},
    ],
)
def test_the_form_accepts_what_makes_sense(dag: Any, conf: dict[str, Any]) -> None:
    params = copy.deepcopy(dag.params)
    params.update(conf)

    assert params.validate() == {
        "mode": "auto", "terms": None, "kinds": None, "emnekoder": None, "accept_empty": None
    } | conf  # fmt: skip


@pytest.mark.parametrize(
    "conf",
    [
        {"mode": "everything"},
        {"mode": None},
        {"terms": "2026_HØST"},
        {"terms": ["2026_HOST"]},
        {"terms": ["26_HØST"]},
        {"kinds": ["student"]},
        {"emnekoder": [""]},
        {"accept_empty": "klasse"},
    ],
)
def test_the_form_refuses_what_does_not(dag: Any, conf: dict[str, Any]) -> None:
    params = copy.deepcopy(dag.params)

    with pytest.raises(ParamValidationError):
        params.update(conf)


@pytest.mark.parametrize("number", [None, 0, "7"])
def test_an_approval_is_about_one_request(load: Load, number: Any) -> None:
    params = copy.deepcopy(load("canvas_approval.py").dags["canvas_approval__fjordvik"].params)

    with pytest.raises(ParamValidationError):
        params["approval_id"] = number


def test_a_person_has_a_word_of_explanation_for_every_field(dag: Any) -> None:
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.description, name
        assert param.schema["title"], name
