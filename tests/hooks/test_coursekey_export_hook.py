"""CourseKey's export over HTTP against the sandbox: whole reads, and what can go wrong on the way."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.hooks.coursekey_export import CourseKeyExportHook, RawPage
from rosterflow.wire.coursekey_export import EXPORT
from rosterflow.wire.coursekey_profile import Authentication, Place
from sandbox.serving import RunningSandbox
from tests.hooks.coursekey_sandbox import KEY, Waits
from tests.hooks.export_sandbox import MAIN, RECORDS, WEST, arm, attended, connect, pages


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with attended() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> RunningSandbox:
    running.world.faults.clear()
    connect(monkeypatch, running)
    return running


def ids(found: list[RawPage]) -> list[Any]:
    return [row["recordID"] for page in found for row in msgspec.json.decode(page.body)["data"]]


def failure() -> RosterflowError:
    with pytest.raises(RosterflowError) as caught:
        pages()
    assert KEY not in f"{caught.value!r} {caught.value}"
    return caught.value


def test_every_page_comes_unchanged_and_says_which_is_the_next(sandbox: RunningSandbox) -> None:
    found = pages()
    query = {"schoolID": MAIN, "from": "2026-08-24", "to": "2026-08-28", "cursor": "from-5"}
    address = f"{sandbox.url}/coursekey-export/api/v1/timeattended"
    second = httpx.get(address, params=query, headers={"X-Auth-Key": KEY}).content
    assert [(page.number, page.rows, page.following) for page in found] == [
        (1, 5, "from-5"),
        (2, 5, "from-10"),
        (3, 2, None),
    ]
    assert hashlib.sha256(found[1].body).digest() == hashlib.sha256(second).digest()
    assert len(set(ids(found))) == RECORDS


def test_both_days_are_asked_for_inclusive(sandbox: RunningSandbox) -> None:
    wednesday = date(2026, 8, 26)
    assert sum(page.rows for page in pages(first=wednesday, last=wednesday)) == RECORDS / 2
    assert [page.rows for page in pages(first=date(2026, 8, 25), last=date(2026, 8, 25))] == [0]


@pytest.mark.parametrize("kind", ["500", "429", "truncate", "html", "drop_before"])
def test_a_page_that_fails_once_is_asked_for_again(sandbox: RunningSandbox, kind: str) -> None:
    whole = ids(pages())
    arm(sandbox, kind, match="cursor=from-5")
    assert ids(pages()) == whole


@pytest.mark.parametrize(
    ("kind", "code"), [("500", Code.SERVER_ERROR), ("truncate", Code.UNREACHABLE), ("drop_before", Code.UNREACHABLE)]
)
def test_a_page_that_never_comes_is_an_error(sandbox: RunningSandbox, kind: str, code: Code) -> None:
    arm(sandbox, kind, count=None, match="cursor=from-5")
    error = failure()
    assert (type(error), error.code) == (RetryableError, code)


def test_pages_that_go_in_a_circle_are_an_error(sandbox: RunningSandbox) -> None:
    arm(sandbox, "repeated_cursor", after=1)
    error = failure()
    assert (type(error), error.code) == (RetryableError, Code.CURSOR_REPEATED)


def test_a_page_that_was_announced_and_has_no_record_says_so(sandbox: RunningSandbox) -> None:
    arm(sandbox, "drop_page", match="cursor=from-10")
    assert [(page.rows, page.is_hollow) for page in pages()] == [(5, False), (5, False), (0, True)]
    arm(sandbox, "drop_page")
    assert [(page.rows, page.is_hollow) for page in pages()] == [(0, True), (5, False), (2, False)]


def test_a_key_that_is_refused_is_a_fatal_error(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, sandbox, key="another-key")
    error = failure()
    assert (type(error), error.code) == (FatalError, Code.UNAUTHORIZED)


def test_a_school_of_another_key_is_a_fatal_error(sandbox: RunningSandbox) -> None:
    with pytest.raises(FatalError) as caught:
        pages(WEST)
    assert caught.value.code is Code.FORBIDDEN


@contextmanager
def numbered(*sheets: list[int]) -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """A CourseKey that gives plain lists in numbered sheets; its address, and what it is asked."""
    asked: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(parse_qs(urlsplit(self.path).query))
            body = msgspec.json.encode(sheets[int(asked[-1]["sheet"][0]) - 1])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_another_profile_has_its_own_pages_dates_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = replace(
        EXPORT.wire,
        authentication=Authentication("pass", Place.QUERY),
        writing=replace(EXPORT.wire.writing, date="%d.%m.%Y"),
        listing=replace(
            EXPORT.wire.listing, items=None, next=None, parameter="sheet", page_size=2, size_parameter="rows"
        ),
    )

    async def read() -> list[RawPage]:
        hook = CourseKeyExportHook("coursekey_test", replace(EXPORT, wire=wire), sleep=Waits())
        async with hook:
            return [page async for page in hook.pages("1", date(2026, 8, 24), date(2026, 8, 28))]

    with numbered([1, 2], [3, 4], []) as (address, asked):
        value = {"conn_type": "coursekey", "host": address, "password": KEY}
        monkeypatch.setenv("AIRFLOW_CONN_COURSEKEY_TEST", msgspec.json.encode(value).decode())
        found = asyncio.run(read())

    assert found == [RawPage(1, b"[1,2]", 2, "2"), RawPage(2, b"[3,4]", 2, "3"), RawPage(3, b"[]", 0, None)]
    days = {"schoolID": ["1"], "from": ["24.08.2026"], "to": ["28.08.2026"], "rows": ["2"], "pass": [KEY]}
    assert asked == [{**days, "sheet": [str(sheet)]} for sheet in (1, 2, 3)]
