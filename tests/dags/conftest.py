"""DAG files, loaded as Airflow loads them, with institutions of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.domain.coursekey.builders import raw_college
from tests.household import yaml_of

DAGS = REPOSITORY / "dags"
Load = Callable[..., Any]


@pytest.fixture
def institutions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings with one institution and one college that can be used."""
    folder = tmp_path / "institutions"
    folder.mkdir()
    (folder / "fjordvik.yaml").write_text(yaml_of("fjordvik"), encoding="utf-8")
    (folder / "harbor.yaml").write_text(yaml.safe_dump(raw_college(key="harbor")), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(folder))
    return folder


@pytest.fixture
def load(institutions: Path) -> Load:
    """Load a DAG file, or all of them; gives the bag."""

    def load(file: str = "") -> Any:
        from airflow.dag_processing.dagbag import DagBag  # reads Airflow's settings when imported

        return DagBag(DAGS / file)

    return load
