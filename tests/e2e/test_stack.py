"""The stack itself: what `make demo` and every other end-to-end test stand on."""

from __future__ import annotations

import contextlib

import httpx
import pytest

from demo.airflow import HEALTH_FIELDS, PEOPLE
from demo.airflow_api import AirflowApi
from demo.errors import DemoError
from demo.stack import Stack


def test_every_component_of_airflow_is_healthy(stack: Stack) -> None:
    assert stack.airflow.client.health() == dict.fromkeys(HEALTH_FIELDS, "healthy")


def test_every_person_of_the_demo_can_log_in(stack: Stack) -> None:
    listed = {person: stack.airflow.client_for(person).import_errors() for person in PEOPLE}

    assert listed == dict.fromkeys(PEOPLE, [])


def test_a_wrong_password_is_refused_in_a_sentence(stack: Stack) -> None:
    client = AirflowApi(stack.airflow.url, "admin", "wrong")

    with contextlib.closing(client), pytest.raises(DemoError, match="^Airflow refuses the log-in of admin: 401 "):
        client.dags()


def test_the_sandbox_answers(stack: Stack) -> None:
    assert httpx.get(f"{stack.sandbox_url}/control/state").status_code == httpx.codes.OK
