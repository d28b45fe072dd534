"""The FS task: what it pushes and returns, and what a killed try leaves to the next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from airflow.sdk import Context
from airflow.sdk.bases.xcom import BaseXCom
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, FatalError
from rosterflow.operators import fs
from rosterflow.operators.fs import FSGraphQLOperator, pages_of
from rosterflow.xcom import EncryptedPages, StoredPage, page_store
from tests.hooks.http_stub import Answer, Stub, serving

REPOSITORY = Path(__file__).parents[2]
SCOPE = {"terms": ["2026_HØST"], "sources": ["emne"], "emnekoder": None}
INSTITUTION = """
key: demo
name: Demo
number: "184"
fs: {connection: fs_demo, page_size: 1}
canvas: {connection: canvas, account: FSDEMO}
"""


def page(*rows: str, then: str | None = None, total: int | None = None) -> Answer:
    info = {"hasNextPage": then is not None, "endCursor": then}
    nodes = [{"id": row, "kode": row} for row in rows]
    return Answer({"data": {"emnerV2": {"nodes": nodes, "pageInfo": info, "totalCount": total}}})


THREE_PAGES = (page("a", then="A", total=3), page("b", then="B"), page("c"))


@dataclass
class Try:
    """What the operator uses of a running task."""

    pushed: dict[str, Any] = field(default_factory=dict)
    max_tries: int = 4
    dag_id: str = "fs_canvas_sync__demo"
    run_id: str = "manual__1"
    task_id: str = "read_emner"
    map_index: int = -1

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "institutions").mkdir()
    (tmp_path / "institutions/demo.yaml").write_text(INSTITUTION, encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(tmp_path / "institutions"))
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", "sqlite://")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", str(tmp_path / "storage"))
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setattr(fs, "XCom", EncryptedPages)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stub], None]:
    def connect(stub: Stub) -> None:
        fields = {"conn_type": "fs_graphql", "host": stub.url, "login": "leser", "password": "hemmelig"}
        monkeypatch.setenv("AIRFLOW_CONN_FS_DEMO", json.dumps(fields))

    return connect


def executed(attempt: Try, operation: str = "emner") -> dict[str, Any]:
    task = FSGraphQLOperator(task_id="read_emner", operation=operation, institution="demo", scope=SCOPE)
    return task.execute(cast(Context, {"ti": attempt}))


def test_each_page_is_an_xcom_of_its_own_and_only_counts_are_returned(connected: Callable[[Stub], None]) -> None:
    attempt = Try()
    with serving(*THREE_PAGES) as stub:
        connected(stub)
        returned = executed(attempt)

    pages = {key: page_store().get(value.name) for key, value in attempt.pushed.items()}
    assert pages == {
        "page_0001": [{"id": "a", "kode": "a"}],
        "page_0002": [{"id": "b", "kode": "b"}],
        "page_0003": [{"id": "c", "kode": "c"}],
    }
    assert all(isinstance(value, StoredPage) for value in attempt.pushed.values())
    assert returned == {
        "operation": "emner",
        "pages": 3,
        "rows": 3,
        "first_cursor": "A",
        "last_cursor": "B",
        "complete": True,
        "gaps": [],
    }
    assert stub.bodies[0]["variables"]["ikkeUtloptITermin"] == {"arstall": 2026, "terminbetegnelse": "HOST"}


def test_an_incomplete_read_is_returned_as_one(connected: Callable[[Stub], None]) -> None:
    with serving(page("a", total=2)) as stub:
        connected(stub)
        returned = executed(Try())

    assert (returned["complete"], returned["gaps"]) == (
        False,
        ["emner: FS counts 2 rows, and 1 arrived [rows-missing]."],
    )


def test_the_log_has_one_line_of_counts_and_nothing_of_the_rows(
    connected: Callable[[Stub], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(page("Kari-Nordmann", total=1)) as stub:
        connected(stub)
        executed(Try())

    text = capsys.readouterr().out
    assert text.count("emner") == text.count("emner: 1 rows on 1 pages, complete") == 1
    assert "Kari" not in text


def test_a_retry_pushes_every_page_again_and_fetches_only_what_is_missing(connected: Callable[[Stub], None]) -> None:
    with serving(THREE_PAGES[0], Answer({}, 403)) as stub:
        connected(stub)
        with pytest.raises(FatalError):
            executed(Try())
    attempt = Try()
    with serving(*THREE_PAGES[1:]) as stub:
        connected(stub)
        executed(attempt)

    assert list(attempt.pushed) == ["page_0001", "page_0002", "page_0003"]
    assert [body["variables"]["after"] for body in stub.bodies] == ["A", "B"]


@pytest.mark.parametrize(
    "other", [Try(max_tries=9), Try(run_id="manual__2"), Try(task_id="read_others"), Try(map_index=1)]
)
def test_another_run_task_or_a_clear_by_hand_reads_afresh(other: Try, connected: Callable[[Stub], None]) -> None:
    for attempt in (Try(), other):
        with serving(*THREE_PAGES) as stub:
            connected(stub)
            executed(attempt)
        assert len(stub.bodies) == 3


def test_without_the_encrypted_backend_nothing_is_read(
    connected: Callable[[Stub], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fs, "XCom", BaseXCom)

    with serving(*THREE_PAGES) as stub:
        connected(stub)
        with pytest.raises(FatalError) as caught:
            executed(Try())

    assert (caught.value.code, stub.bodies) == (Code.SETTINGS_INVALID, [])


class Pulls:
    """The XComs of earlier tasks."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        return self.values.get(f"{task_ids} {key}")


def test_a_later_task_pulls_the_pages_in_order() -> None:
    ti = cast(Any, Pulls({"read page_0001": ["a"], "read page_0002": [], "read page_0003": ["c"]}))

    assert list(pages_of(ti, "read", 3)) == [["a"], [], ["c"]]


def test_a_page_that_is_gone_is_no_empty_page() -> None:
    with pytest.raises(FatalError) as caught:
        list(pages_of(cast(Any, Pulls({"read page_0001": ["a"]})), "read", 2))

    assert (caught.value.code, caught.value.message) == (
        Code.ROWS_MISSING,
        "read: page 2 is not there (any more).",
    )


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(FatalError) as caught:
        executed(Try(), operation="personer")

    assert "'personer'" in caught.value.message


def test_a_killed_try_leaves_its_pages_to_the_next_and_a_clear_by_hand_begins_afresh(
    connected: Callable[[Stub], None],
) -> None:
    forever = threading.Event()
    third_page_asked = (*THREE_PAGES[:2], Answer(holds=forever))

    with serving(*third_page_asked) as stub:
        connected(stub)
        child = started(max_tries=4)
        for _ in third_page_asked:
            stub.arrivals.get(timeout=60)
        os.kill(child.pid, signal.SIGKILL)
        killed, _ = child.communicate(timeout=60)
        forever.set()

    with serving(THREE_PAGES[2]) as stub:
        connected(stub)
        retried = output_of(started(max_tries=4))
        assert [body["variables"].get("after") for body in stub.bodies] == ["B"]

    with serving(*THREE_PAGES) as stub:
        connected(stub)
        cleared = output_of(started(max_tries=9))
        assert [body["variables"].get("after") for body in stub.bodies] == [None, "A", "B"]

    assert [list(line) for line in lines(killed)] == [["page_0001"], ["page_0002"]]
    assert retried == cleared
    assert [list(line)[0] for line in retried] == ["page_0001", "page_0002", "page_0003", "return_value"]


def started(max_tries: int) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "AIRFLOW__CORE__XCOM_BACKEND": "rosterflow.xcom.EncryptedPages",
        "PYTHONPATH": f"{REPOSITORY}/plugins",
    }
    script = str(Path(__file__).with_name("fs_task.py"))
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", script, str(max_tries)], env=environment, stdout=subprocess.PIPE, text=True
    )


def output_of(child: subprocess.Popen[str]) -> list[dict[str, Any]]:
    text, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    return lines(text)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
