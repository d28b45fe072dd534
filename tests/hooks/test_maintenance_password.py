"""The maintenance password: for who has none in Campus Cafe, where a college says so."""

from __future__ import annotations

import json
import logging

import pytest

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import Code, FatalError
from rosterflow.hooks.maintenance_password import with_maintenance_password
from tests.scenarios.drain_ground import college

SECRET = "Maint-3nance"


def a_college(**settings: object) -> College:
    given = {"set_user_password": "Y", "maintenance_password_connection": "maintenance", **settings}
    return college("http://127.0.0.1", **given)


def of_campus_cafe(person: str) -> str | None:
    return "her-own" if person == "2001" else None


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"conn_type": "generic", "password": SECRET}
    monkeypatch.setenv("AIRFLOW_CONN_MAINTENANCE", json.dumps(said))


@pytest.mark.usefixtures("connection")
def test_who_has_no_password_in_campus_cafe_begins_with_the_maintenance_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    password = with_maintenance_password(a_college(), of_campus_cafe)

    assert (password("2001"), password("2002")) == ("her-own", SECRET)
    assert SECRET not in repr(password) + caplog.text


@pytest.mark.parametrize("off", [{"set_user_password": "N"}, {"maintenance_password_connection": None}])
def test_without_its_setting_nobody_looks_for_it(off: dict[str, object]) -> None:
    password = with_maintenance_password(a_college(**off), of_campus_cafe)

    assert (password("2001"), password("2002")) == ("her-own", None)


def test_a_connection_that_is_missing_or_has_no_password_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FatalError) as missing:
        with_maintenance_password(a_college(), of_campus_cafe)
    monkeypatch.setenv("AIRFLOW_CONN_MAINTENANCE", json.dumps({"conn_type": "generic"}))
    with pytest.raises(FatalError) as empty:
        with_maintenance_password(a_college(), of_campus_cafe)

    assert (missing.value.code, empty.value.code) == (Code.CONNECTION_MISSING, Code.CONNECTION_INVALID)
