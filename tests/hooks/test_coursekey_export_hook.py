"""CourseKey's export over HTTP against the sandbox: whole reads, and what can go wrong on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import msgspec
import pytest

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.hooks.coursekey_export import RawPage
from sandbox.serving import RunningSandbox
from tests.hooks.coursekey_sandbox import KEY
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


def test_a_key_that_is_refused_is_a_fatal_error(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, sandbox, key="another-key")
    error = failure()
    assert (type(error), error.code) == (FatalError, Code.UNAUTHORIZED)


def test_a_school_of_another_key_is_a_fatal_error(sandbox: RunningSandbox) -> None:
    with pytest.raises(FatalError) as caught:
        pages(WEST)
    assert caught.value.code is Code.FORBIDDEN
