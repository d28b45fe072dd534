"""What `coursekey check --live` says of a college whose Campus Cafe and CourseKey are the sandbox's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from rosterflow.domain.coursekey.campus import Reading, Resource
from rosterflow.store import campus, migrate
from rosterflow.store.engine import Store
from sandbox.serving import RunningSandbox
from tests.cli.conftest import Shell
from tests.conftest import REPOSITORY
from tests.domain.coursekey.builders import FALL, SECTION, changed

KEYS = {"coursekey_demo_1": "sandbox-coursekey-key-1", "coursekey_demo_2": "sandbox-coursekey-key-2"}
NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        yield running


@pytest.fixture
def settings(sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The demo's college at this sandbox, and an installation with an empty store."""
    raw: dict[str, Any] = yaml.safe_load((REPOSITORY / "include/institutions/college.yaml").read_text(encoding="utf-8"))
    raw["coursekey"] |= {
        "COURSEKEY_BASE_URL": f"{sandbox.url}/coursekey",
        "COURSEKEY_EXPORT_BASE_URL": f"{sandbox.url}/coursekey-export",
        "COURSEKEY_COURSE_NAME_FORMAT": "@SEMESTER@ @COURSE_NUMBER@",
    }
    for name, key in KEYS.items():
        value = {"conn_type": "coursekey", "host": "elsewhere.example", "password": key}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(value))
    cafe = {"conn_type": "campus_cafe", "host": f"{sandbox.url}/campuscafe", "password": "sandbox-campuscafe-token"}
    monkeypatch.setenv("AIRFLOW_CONN_CAMPUS_CAFE_DEMO", json.dumps(cafe))
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    store.dispose()
    return raw


def found(shell: Shell, tmp_path: Path, raw: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    (tmp_path / "college.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    told = shell.json("coursekey", "check", "--live")
    return {one["subject"].removeprefix("college: "): (one["is_good"], one["message"]) for one in told}


KNOWN = "The owner is a user, and every attendance name is known."


def test_all_is_well_with_the_sandbox(shell: Shell, tmp_path: Path, settings: dict[str, Any]) -> None:
    findings = found(shell, tmp_path, settings)

    assert shell.code == 0
    assert findings.pop("Campus Cafe")[0] is True
    assert findings == {
        "auth key 1-1": (True, KNOWN),
        "auth key 1-2": (True, KNOWN),
        "auth key 1-3": (True, KNOWN),
        "course names": (True, "COURSEKEY_COURSE_NAME_FORMAT gives 0 sections distinct names."),
    }


def test_an_owner_or_an_attendance_name_that_a_school_does_not_know_is_named(
    shell: Shell, tmp_path: Path, settings: dict[str, Any]
) -> None:
    settings["coursekey"]["COURSEKEY_COURSE_OWNER"] = "nobody@college.example"
    settings["rgencd"]["CLN"] = "4:Clinic"

    findings = found(shell, tmp_path, settings)

    assert shell.code == 1
    assert [findings[f"auth key {alias}"] for alias in ("1-1", "1-2")] == [
        (
            False,
            "COURSEKEY_COURSE_OWNER is no user of the school 548156. The school 548156 has no attendance name Clinic.",
        ),
        (False, "COURSEKEY_COURSE_OWNER is no user of the school 548157."),
    ]


def test_a_key_that_is_refused_is_named_by_its_alias_and_the_others_are_still_asked(
    shell: Shell, tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"conn_type": "coursekey", "host": "elsewhere.example", "password": "not-the-key"}
    monkeypatch.setenv("AIRFLOW_CONN_COURSEKEY_DEMO_1", json.dumps(wrong))

    findings = found(shell, tmp_path, settings)

    good, told = findings["auth key 1-1"]
    assert (good, "not-the-key" in told, "[unauthorized]" in told) == (False, False, True)
    assert findings["auth key 1-3"] == (True, KNOWN)


def test_a_connection_or_a_folder_that_is_missing_is_named(
    shell: Shell, tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_COURSEKEY_DEMO_2")
    settings["campus_cafe"] = {"folder": str(tmp_path / "nowhere")}

    findings = found(shell, tmp_path, settings)

    assert findings["Campus Cafe"][1].startswith("There is no folder 'nowhere' of Campus Cafe's files.")
    assert findings["auth key 1-3"][1].startswith("Airflow has no connection 'coursekey_demo_2'.")


def test_sections_that_would_share_a_name_are_named(shell: Shell, tmp_path: Path, settings: dict[str, Any]) -> None:
    twins = [
        SECTION,
        changed(SECTION, section="5"),
        changed(SECTION, section="6", site="WEST"),
        changed(SECTION, section="7", is_excluded=True),
        changed(SECTION, section="8", semester="202510"),
    ]
    store = Store(f"sqlite:///{tmp_path}/store.db")
    with store.begin() as connection:
        semesters = (FALL, changed(FALL, code="202510"))
        campus.apply(connection, "college", Reading(Resource.SEMESTERS, semesters), NOW)
        campus.apply(connection, "college", Reading(Resource.SECTIONS, tuple(twins)), NOW)
    store.dispose()

    findings = found(shell, tmp_path, settings)

    assert findings["course names"] == (
        False,
        "'202610 MTH101' is the name of 202610/MTH101/4 and 202610/MTH101/5.",
    )
