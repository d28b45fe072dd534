"""Airflow connections of type fs_graphql, for one test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

SECRET = "sesam-sesam"


class Connections:
    """Makes Airflow connections, by way of the environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def add(self, host: str, extra: Mapping[str, Any] | None = None, login: str = "leser", **more: Any) -> None:
        fields = {"conn_type": "fs_graphql", "host": host, "login": login, "password": SECRET, "extra": extra or {}}
        self.monkeypatch.setenv("AIRFLOW_CONN_FS_TEST", json.dumps({**fields, **more}))
