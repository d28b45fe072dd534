"""The small parts of the stack: ports, Airflow's settings, waiting, steps."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from demo.airflow import Airflow
from demo.airflow_api import wait_for
from demo.errors import DemoError
from demo.ports import free_port
from demo.processes import Children
from demo.stack import Stack, write_settings
from demo.steps import Step, step
from rosterflow.settings import load_college, load_institutions


def test_the_usual_port_is_used_when_it_is_free() -> None:
    usual = free_port()

    assert free_port(usual) == usual


def test_another_port_is_used_when_the_usual_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        usual = taken.getsockname()[1]

        assert free_port(usual) not in {0, usual}


def test_another_airflows_settings_do_not_reach_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "32")
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS", "https://canvas.example.edu")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", "postgresql://production")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("LANG", "nb_NO.UTF-8")
    airflow = Airflow(
        Children(), tmp_path, repository=tmp_path, database_url="sqlite://", settings={"ROSTERFLOW_OPERATORS": "ops"}
    )

    seen = {
        name: airflow.environment.get(name)
        for name in (
            "AIRFLOW__CORE__PARALLELISM",
            "AIRFLOW_CONN_CANVAS",
            "ROSTERFLOW_DATABASE_URL",
            "ROSTERFLOW_OPERATORS",
            "PYTHONPATH",
            "LANG",
        )
    }

    assert seen == {
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW_CONN_CANVAS": None,
        "ROSTERFLOW_DATABASE_URL": None,
        "ROSTERFLOW_OPERATORS": "ops",
        "PYTHONPATH": None,
        "LANG": "nb_NO.UTF-8",
    }


def test_waiting_returns_what_is_found() -> None:
    looks = iter([None, None, "found"])

    assert wait_for(lambda: next(looks), "it", seconds=5) == "found"


def test_waiting_too_long_says_what_was_waited_for() -> None:
    with pytest.raises(DemoError, match="^the DAG list did not come within 0 s$"):
        wait_for(lambda: None, "the DAG list", seconds=0)


def test_waiting_ends_when_something_died_meanwhile() -> None:
    def check() -> None:
        raise DemoError("the scheduler ended by itself with exit code 1")

    with pytest.raises(DemoError, match="scheduler ended"):
        wait_for(lambda: None, "the DAG list", seconds=60, meanwhile=check)


def test_a_decorated_function_becomes_the_last_step_of_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    story = [Step("first", Stack.check)]
    monkeypatch.setattr("demo.steps.STEPS", story)

    act = step("second")(Stack.check)

    assert story == [Step("first", Stack.check), Step("second", act)]


def test_the_settings_follow_the_sandbox_to_another_port(tmp_path: Path) -> None:
    folder = tmp_path / "settings"

    write_settings(folder, "http://127.0.0.1:5555")

    college = load_college(folder / "college.yaml").coursekey
    assert (college.base_url, college.export_base_url) == (
        "http://127.0.0.1:5555/coursekey",
        "http://127.0.0.1:5555/coursekey-export",
    )
    assert [institution.key for institution in load_institutions(folder)[0]] == ["demo"]
