"""What Airflow keeps: references and counts, never what was read."""

from __future__ import annotations

import pytest

from tests.e2e.chapters import Changed, FirstContact
from tests.e2e.ground import Ground, Seen

READ = ("Institutt for", "Fakultet for", "Bachelor i", "organisasjonsenhet\\", "sandbox-canvas-token")
"""Words of every page of the university, and a secret."""


@pytest.fixture
def runs(first_contact: FirstContact, changed: Changed) -> list[Seen]:
    """Runs that read, planned and applied."""
    return [first_contact.run, changed.applied.run]


def test_a_page_is_in_airflows_database_only_as_a_reference(ground: Ground, runs: list[Seen]) -> None:
    pages = ground.metadata("select value from xcom where key like 'page_%'")

    assert len(pages) >= 12
    assert all(str(value).strip('"').startswith("rosterflow-page:xcom/") for (value,) in pages)


def test_no_xcom_of_a_sync_holds_anything_that_was_read(ground: Ground, runs: list[Seen]) -> None:
    values = ground.metadata("select value from xcom where dag_id like 'fs_canvas_sync__%'")

    assert [value for (value,) in values if any(words in str(value) for words in READ)] == []


def test_no_task_log_of_a_sync_holds_anything_that_was_read(ground: Ground, runs: list[Seen]) -> None:
    for run in runs:
        for task in run.states("success"):
            log = ground.log(run, task)
            assert [words for words in READ if words in log] == [], task


def test_pages_lie_encrypted_and_closed_to_others(ground: Ground, runs: list[Seen]) -> None:
    folder = ground.stack.home / "storage"
    files = [path for path in folder.rglob("*") if path.is_file()]

    assert len(files) > 12
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    assert all(path.read_bytes().startswith(b"gAAAA") for path in files)
