"""The XCom backend: what Airflow's database gets to see, and what comes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.execution_time.comms import XComResult
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, FatalError
from rosterflow.sync.pages import PageStore
from rosterflow.xcom import EncryptedPages, StoredPage, page_store

WHERE: dict[str, Any] = {
    "dag_id": "fs_canvas_sync__demo",
    "run_id": "scheduled__2026-09-01T01:30:00+00:00",
    "task_id": "read.emner",
    "map_index": -1,
}
ROWS = [{"kode": "INF-1100", "navn": "Åpne data"}]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PageStore:
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", "sqlite://")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", str(tmp_path))
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    return page_store()


def row(value: Any, key: str) -> Any:
    """What Airflow's database keeps of a value, having been through JSON."""
    return json.loads(json.dumps(EncryptedPages.serialize_value(value, key=key, **WHERE)))


def pulled(kept: Any) -> Any:
    return EncryptedPages.deserialize_value(XComResult(key="any", value=kept))


def test_a_page_leaves_only_a_reference_in_the_database() -> None:
    kept = row(ROWS, "page_0001")

    assert kept == (
        "rosterflow-page:xcom/fs_canvas_sync__demo/scheduled__2026-09-01T01%3A30%3A00%2B00%3A00/read.emner/-1/page_0001"
    )
    assert pulled(kept) == ROWS


def test_a_page_that_is_in_the_store_already_is_copied(store: PageStore) -> None:
    store.put("checkpoints/x/page_0001", ROWS)

    kept = row(StoredPage("checkpoints/x/page_0001"), "page_0001")
    store.delete("checkpoints")

    assert pulled(kept) == ROWS


@pytest.mark.parametrize("value", [{"pages": 3}, [1, 2], "text", "s3://bucket/key", None, 4.5])
def test_a_small_value_is_kept_as_airflow_does(value: Any, tmp_path: Path) -> None:
    kept = row(value, "return_value")

    assert pulled(kept) == value
    assert list(tmp_path.iterdir()) == []


def test_a_large_value_goes_to_the_store_in_airflows_own_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", "100")
    value = {"rows": ["x" * 200], "at": datetime(2026, 9, 1, tzinfo=UTC)}

    kept = row(value, "return_value")

    assert kept.startswith("rosterflow-value:xcom/")
    assert pulled(kept) == value
    assert pulled(row("short", "return_value")) == "short"


@pytest.mark.parametrize("key", ["page_0001", "return_value"])
def test_deleting_an_xcom_deletes_its_blob(key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD", "0")
    kept = row(ROWS, key)

    EncryptedPages.purge(XComResult(key=key, value=kept))

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_deleting_an_xcom_without_a_blob_touches_nothing(store: PageStore) -> None:
    kept = row(ROWS, "page_0001")

    for value in (None, "xcom", 3, {"a": 1}):
        EncryptedPages.purge(XComResult(key="other", value=value))

    assert pulled(kept) == ROWS


def test_without_its_key_a_page_cannot_be_pulled(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = row(ROWS, "page_0001")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())

    with pytest.raises(FatalError) as caught:
        pulled(kept)

    assert caught.value.code is Code.PAGE_KEY_INVALID


def test_the_environment_is_not_needed_for_values_that_stay_in_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROSTERFLOW_DATABASE_URL", "ROSTERFLOW_STORAGE", "ROSTERFLOW_PAGE_KEYS"):
        monkeypatch.delenv(name)

    assert pulled(row({"rows": 3}, "return_value")) == {"rows": 3}
    with pytest.raises(FatalError) as caught:
        row(ROWS, "page_0001")
    assert caught.value.code is Code.SETTINGS_INVALID
