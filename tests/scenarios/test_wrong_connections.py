"""What is wrong in a connection is told in one clear message by its Test button, and no message holds a secret.

Issue 2, §2.7.6. Every message is asserted whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from demo.ports import free_port
from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.hooks.fs import FSGraphQLHook
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World

SECRET = "sesam-sesam"
ROOT = "Reached Canvas and authenticated; root account 'Sandbox University System' is visible."
NEEDS_FLAGS = (
    "terminer (terminer, page 1: FS does not accept the query at studiesemesterPeriode.); "
    "undervisning (undervisning, page 1: FS does not accept the query at terminer, terminnumre, sisteTermin.)."
)
OTHER_DIALECT = (
    "Connected to FS. None of dialect 2026's reads is possible: is it FS's dialect, and may the user read? "
    "terminer (terminer, page 1: FS does not accept the query at terminer, id.)."
)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as there:
        yield there


@pytest.fixture
def sandbox(running: RunningSandbox) -> Iterator[RunningSandbox]:
    yield running
    running.world.faults.clear()


def _connect(monkeypatch: pytest.MonkeyPatch, name: str, kind: str, host: str, **fields: Any) -> None:
    connection = {"conn_type": kind, "host": host, **fields}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


def _remedied(sentence: str, code: Code) -> str:
    return f"{sentence} {REMEDIES[code]}"


@pytest.fixture
def fs_button(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[bool, str]]:
    """Presses the Test button of an FS connection that is right but for what is given."""

    def press(path: str = "/fs/graphql", *, at: str = "", extra: dict[str, Any] | None = None, **fields: Any) -> Any:
        known = {"institution_number": "184", "read_timeout": 20, **(extra or {})}
        host = at or f"{sandbox.url}{path}"
        _connect(
            monkeypatch,
            "fs_test",
            "fs_graphql",
            host,
            **{"login": "sandbox", "password": SECRET, **fields},
            extra=known,
        )
        return FSGraphQLHook("fs_test").test_connection()

    return press


FS_WRONG: dict[str, tuple[dict[str, Any], str, Code]] = {
    "a wrong password": ({}, "Test: FS does not accept the user name and password (or key).", Code.UNAUTHORIZED),
    "an address that is none": (
        {"at": "fs somewhere"},
        "Test: the connection's address or key is not usable in HTTP.",
        Code.UNREACHABLE,
    ),
    "a page instead of the API": (
        {"path": "/"},
        "Test: FS answered HTTP 405; is the address the API's own?",
        Code.BAD_RESPONSE,
    ),
    "a time that is none": (
        {"extra": {"read_timeout": "soon"}},
        "Connection fs_test: read_timeout must be a number of seconds.",
        Code.CONNECTION_INVALID,
    ),
    "a dialect that is none": (
        {"password": "sandbox", "extra": {"dialect": "2024"}},
        "Connection fs_test: dialect must be one of 2026, 2023.",
        Code.CONNECTION_INVALID,
    ),
}


@pytest.mark.parametrize("what", FS_WRONG)
def test_the_test_button_of_fs_tells_what_is_wrong(what: str, fs_button: Callable[..., tuple[bool, str]]) -> None:
    given, sentence, code = FS_WRONG[what]

    assert fs_button(**given) == (False, _remedied(sentence, code))


def test_the_test_button_of_fs_tells_that_nobody_answers(fs_button: Callable[..., tuple[bool, str]]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/fs/graphql"

    assert fs_button(at=nowhere) == (
        False,
        _remedied("Test: FS could not be reached, or the connection broke.", Code.UNREACHABLE),
    )


def test_the_test_button_of_fs_tells_that_a_log_in_page_answers(
    sandbox: RunningSandbox, fs_button: Callable[..., tuple[bool, str]]
) -> None:
    sandbox.world.faults.add(Fault("fs", "html", count=None))

    assert fs_button(password="sandbox") == (
        False,
        _remedied("Test: FS answered with something that is not GraphQL's JSON.", Code.BAD_RESPONSE),
    )


def test_the_test_button_of_fs_names_the_reads_that_are_refused(fs_button: Callable[..., tuple[bool, str]]) -> None:
    assert fs_button(password="sandbox", extra={"feature_flags": "beta"}) == (
        False,
        f"Connected to FS. Not possible: {NEEDS_FLAGS}",
    )


def test_the_test_button_of_fs_tells_that_the_address_speaks_the_other_dialect(
    fs_button: Callable[..., tuple[bool, str]],
) -> None:
    assert fs_button("/fs/2023/graphql", password="sandbox") == (
        False,
        OTHER_DIALECT,
    )


def test_the_test_button_of_fs_tells_how_far_the_clocks_are_apart(
    sandbox: RunningSandbox, fs_button: Callable[..., tuple[bool, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
    monkeypatch.setattr(sandbox.world, "now", lambda: moment)
    fs_button(password="sandbox")
    sandbox.world.faults.add(Fault("fs", "skew", seconds=300, count=None))

    works, words = FSGraphQLHook("fs_test", now=lambda: moment).test_connection()

    assert works
    assert words == (
        "Connected to FS. Every read of the study structure works. Every read of people works, too. "
        "This machine's clock is 300 s behind FS's."
    )


@pytest.fixture
def canvas_button(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[bool, str]]:
    """Presses the Test button of a Canvas connection that is right but for what is given."""

    def press(path: str = "/canvas", *, at: str | None = None, password: str = "sandbox-canvas-token") -> Any:
        host = f"{sandbox.url}{path}" if at is None else at
        _connect(monkeypatch, "canvas_test", "canvas", host, password=password)
        return CanvasHook("canvas_test", timeout=httpx.Timeout(20)).test_connection()

    return press


NO_ADDRESS = "Connection canvas_test: host must be Canvas's address, like https://canvas.example.edu."
CANVAS_WRONG: dict[str, tuple[dict[str, Any], str, Code]] = {
    "a wrong token": (
        {"password": SECRET},
        "Canvas does not accept the access token (GET /accounts/self).",
        Code.UNAUTHORIZED,
    ),
    "an expired token": (
        {"password": "sandbox-canvas-expired"},
        "Canvas does not accept the access token (GET /accounts/self).",
        Code.UNAUTHORIZED,
    ),
    "no token": (
        {"password": ""},
        "Connection canvas_test: the access token is missing.",
        Code.CONNECTION_INVALID,
    ),
    "a token with the end of a line": (
        {"password": f"{SECRET}\n"},
        "Connection canvas_test: the access token holds a blank, the end of a line or a letter that no token has.",
        Code.CONNECTION_INVALID,
    ),
    "an address with a port that is none": (
        {"at": "https://canvas.example.edu:https"},
        NO_ADDRESS,
        Code.CONNECTION_INVALID,
    ),
    "an address with a password": (
        {"at": f"https://leser:{SECRET}@canvas.example.edu"},
        NO_ADDRESS,
        Code.CONNECTION_INVALID,
    ),
    "no address": ({"at": ""}, NO_ADDRESS, Code.CONNECTION_INVALID),
    "an address that is none": ({"at": "ftp://canvas.example.edu"}, NO_ADDRESS, Code.CONNECTION_INVALID),
    "another service": ({"path": "/fs"}, "What answers GET /accounts/self is no Canvas.", Code.BAD_RESPONSE),
}


@pytest.mark.parametrize("what", CANVAS_WRONG)
def test_the_test_button_of_canvas_tells_what_is_wrong(
    what: str, canvas_button: Callable[..., tuple[bool, str]]
) -> None:
    given, sentence, code = CANVAS_WRONG[what]

    assert canvas_button(**given) == (False, _remedied(sentence, code))


def test_the_test_button_of_canvas_tells_that_nobody_answers(canvas_button: Callable[..., tuple[bool, str]]) -> None:
    port = free_port()

    assert canvas_button(at=f"http://127.0.0.1:{port}") == (
        False,
        _remedied(
            f"Canvas at 127.0.0.1:{port} could not be reached for GET /accounts/self (ConnectError).", Code.UNREACHABLE
        ),
    )


def test_the_test_button_of_canvas_tells_that_a_log_in_page_answers(
    sandbox: RunningSandbox, canvas_button: Callable[..., tuple[bool, str]]
) -> None:
    sandbox.world.faults.add(Fault("canvas", "html", count=None))

    assert canvas_button() == (
        False,
        _remedied("Canvas answered GET /accounts/self with something that is no JSON.", Code.BAD_RESPONSE),
    )


def test_the_test_button_of_canvas_names_the_permissions_that_are_missing(
    canvas_button: Callable[..., tuple[bool, str]],
) -> None:
    assert canvas_button(password="sandbox-canvas-readonly") == (
        False,
        f"{ROOT} Missing permissions: import_sis, manage_sis.",
    )


@pytest.mark.parametrize("hook", [FSGraphQLHook, CanvasHook])
def test_a_connection_that_airflow_does_not_have_is_named(hook: type[FSGraphQLHook] | type[CanvasHook]) -> None:
    assert hook("nobody_made_it").test_connection() == (
        False,
        _remedied("Airflow has no connection 'nobody_made_it'.", Code.CONNECTION_MISSING),
    )


def test_no_message_of_a_test_button_holds_a_secret(
    sandbox: RunningSandbox,
    fs_button: Callable[..., tuple[bool, str]],
    canvas_button: Callable[..., tuple[bool, str]],
) -> None:
    told = [fs_button(**{"password": SECRET, **given}) for given, _, _ in FS_WRONG.values()]
    told += [canvas_button(**{"password": SECRET, **given}) for given, _, _ in CANVAS_WRONG.values()]
    told += [fs_button(at=f"http://leser:{SECRET}@127.0.0.1:{free_port()}/")]
    told += [canvas_button(at=f"http://leser:{SECRET}@127.0.0.1:{free_port()}")]

    assert [words for works, words in told if works or SECRET in words or "sandbox-canvas" in words] == []
