"""The hook over real HTTP: what it sends, what it repeats, and what every failure becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from graphql import print_ast

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.domain.institution import FsSettings
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import document_of, operation_named
from rosterflow.hooks.fs_paging import Position
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from tests.hooks.fs_connections import SECRET, Connections
from tests.hooks.http_stub import Answer, Stub, serving

UNITS = operation_named("organisasjonsenheter", "2026")
NOW = datetime(2026, 9, 1, 3, 30, tzinfo=UTC)
ROWS = {"organisasjonsenheter": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}}
GOOD = Answer({"data": ROWS})
LINES = print_ast(document_of(UNITS)).splitlines()
TOTAL = next({"line": at + 1, "column": 5} for at, line in enumerate(LINES) if "totalCount" in line)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    return Connections(monkeypatch)


class Naps:
    """Sleeps that only remember for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def asked(stub: Stub, connections: Connections, naps: Naps | None = None, **extra: Any) -> Mapping[str, Any]:
    """Ask the stub for units once, as the hook does within a read."""
    connections.add(f"{stub.url}/graphql/", extra)
    with FSGraphQLHook("fs_test", institution="demo", sleep=naps or Naps()) as hook:
        return hook.execute(
            document_of(UNITS), UNITS.name, {"organisasjonskode": "184"}, "organisasjonsenheter, page 1"
        )


def failure(stub: Stub, connections: Connections, naps: Naps | None = None) -> RosterflowError:
    with pytest.raises(RosterflowError) as caught:
        asked(stub, connections, naps)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return caught.value


def test_a_request_carries_credentials_flags_and_our_version(connections: Connections) -> None:
    with serving(GOOD) as stub:
        data = asked(stub, connections)

    assert data == ROWS
    [headers] = stub.headers
    assert headers["Authorization"] == "Basic bGVzZXI6c2VzYW0tc2VzYW0="
    assert headers["Feature-Flags"] == "beta,experimental"
    assert headers["User-Agent"].startswith("rosterflow/")
    assert stub.bodies[0]["operationName"] == "organisasjonsenheter"
    assert stub.bodies[0]["variables"] == {"organisasjonskode": "184"}


def test_a_gateways_key_goes_under_its_own_header_and_no_password_is_sent(connections: Connections) -> None:
    with serving(GOOD) as stub:
        asked(stub, connections, api_key_header="X-Gravitee-Api-Key")

    assert stub.headers[0]["X-Gravitee-Api-Key"] == SECRET
    assert "Authorization" not in stub.headers[0]


def test_an_institutions_feature_flags_come_before_the_connections(connections: Connections) -> None:
    with serving(GOOD) as stub:
        connections.add(stub.url, {"feature_flags": "beta experimental"})
        settings = FsSettings(connection="fs_test", feature_flags=("beta",))
        with FSGraphQLHook("fs_test", settings=settings) as hook:
            list(hook.pages(UNITS, {}))
        with FSGraphQLHook("fs_test") as hook:
            list(hook.pages(UNITS, {}))

    assert [headers["Feature-Flags"] for headers in stub.headers] == ["beta", "beta,experimental"]


def test_one_connection_serves_all_pages(connections: Connections) -> None:
    more = {"organisasjonsenheter": {"nodes": [{"id": "a"}], "pageInfo": {"hasNextPage": True, "endCursor": "a"}}}
    with serving(Answer({"data": more}), GOOD) as stub:
        connections.add(stub.url)
        with FSGraphQLHook("fs_test") as hook:
            read = list(hook.pages(UNITS, {"organisasjonskode": "184"}, Position(1)))

    assert [page.nodes for page in read] == [[{"id": "a"}], []]
    assert len(stub.connections) == 1


def test_rows_stay_the_json_that_came_where_that_is_wanted(connections: Connections) -> None:
    text = b'{"data":{"organisasjonsenheter":{"nodes":[{"id": "\xc3\xa5"},null],"pageInfo":{"hasNextPage":false}}}}'
    with serving(Answer(text)) as stub:
        connections.add(stub.url)
        with FSGraphQLHook("fs_test", rows_as_text=True) as hook:
            [page] = hook.pages(UNITS, {}, Position(2))

    assert msgspec.json.encode(page.nodes) == b'[{"id": "\xc3\xa5"},null]'


BROKEN = b'{"data":{"organisasjonsenheter":{"nodes":[{"id":"\xe5"}],"pageInfo":{"hasNextPage":false}}}}'
"""Latin-1 inside a row."""


@pytest.mark.parametrize(
    ("body", "code"),
    [(BROKEN, Code.BAD_RESPONSE), ({"data": {"organisasjonsenheter": None}}, Code.PARTIAL_RESPONSE)],
    ids=["rows that are no text", "no connection"],
)
def test_an_answer_that_is_none_is_told_even_where_nobody_looks_into_its_rows(
    body: object, code: Code, connections: Connections
) -> None:
    with serving(Answer(body)) as stub:
        connections.add(stub.url)
        with (
            FSGraphQLHook("fs_test", rows_as_text=True, sleep=Naps()) as hook,
            pytest.raises(RosterflowError) as caught,
        ):
            list(hook.pages(UNITS, {}))

    assert caught.value.code is code


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(status: int, connections: Connections) -> None:
    with serving(Answer(b"<html>busy</html>", status), GOOD) as stub:
        data = asked(stub, connections)

    assert data == ROWS
    assert len(stub.bodies) == 2


def test_a_connection_that_is_cut_is_asked_again(connections: Connections) -> None:
    with serving(Answer({"data": ROWS}, cut=True), Answer(closes=True), GOOD) as stub:
        data = asked(stub, connections)

    assert data == ROWS
    assert len(stub.bodies) == 3


def test_the_wait_is_the_one_that_fs_asks_for(connections: Connections) -> None:
    naps = Naps()
    with serving(Answer({}, 429, {"Retry-After": "7"}), Answer({}, 503, {"Retry-After": "3"}), GOOD) as stub:
        asked(stub, connections, naps)

    assert naps.seconds == [7.0, 3.0]


def test_a_date_to_wait_for_is_understood(connections: Connections) -> None:
    naps = Naps()
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    with serving(Answer({}, 429, {"Retry-After": soon}), GOOD) as stub:
        asked(stub, connections, naps)

    assert 25 <= naps.seconds[0] <= 30


def test_a_longer_wait_is_left_to_airflow(connections: Connections) -> None:
    naps = Naps()
    with serving(Answer({}, 429, {"Retry-After": "600"})) as stub:
        error = failure(stub, connections, naps)

    assert isinstance(error, RetryableError)
    assert (error.code, error.retry_after, naps.seconds, len(stub.bodies)) == (Code.THROTTLED, 600.0, [], 1)


def test_a_failure_that_lasts_ends_after_four_attempts_with_growing_waits(connections: Connections) -> None:
    naps = Naps()
    with serving(Answer(b"", 503)) as stub:
        error = failure(stub, connections, naps)

    assert (error.code, len(stub.bodies), len(naps.seconds)) == (Code.SERVER_ERROR, 4, 3)
    assert isinstance(error, RetryableError)
    assert naps.seconds == sorted(naps.seconds)


@pytest.mark.parametrize(
    ("answer", "kind", "code", "message"),
    [
        (
            Answer({"message": "who?"}, 401),
            FatalError,
            Code.UNAUTHORIZED,
            "FS does not accept the user name and password (or key).",
        ),
        (Answer({"errors": []}, 403), FatalError, Code.FORBIDDEN, "FS refuses the API user this read."),
        (
            Answer(b"not here", 404),
            FatalError,
            Code.BAD_RESPONSE,
            "FS answered HTTP 404; is the address the API's own?",
        ),
        (
            Answer(b"", 302, {"Location": "/login"}),
            FatalError,
            Code.BAD_RESPONSE,
            "FS answered HTTP 302; is the address the API's own?",
        ),
        (
            Answer(b"<html>log in</html>"),
            RetryableError,
            Code.BAD_RESPONSE,
            "FS answered with something that is not GraphQL's JSON.",
        ),
        (
            Answer(b'{"data": {"organisasjonsenheter": {"nodes": ['),
            RetryableError,
            Code.BAD_RESPONSE,
            "FS answered with something that is not GraphQL's JSON.",
        ),
        (
            Answer({"hello": "world"}),
            RetryableError,
            Code.BAD_RESPONSE,
            "FS answered with something that is not GraphQL's JSON.",
        ),
        (
            Answer({"data": None}),
            RetryableError,
            Code.BAD_RESPONSE,
            "FS answered with something that is not GraphQL's JSON.",
        ),
        (
            Answer(
                {"data": ROWS, "errors": [{"message": "x", "path": ["organisasjonsenheter", "nodes", 3, "parent"]}]}
            ),
            RetryableError,
            Code.PARTIAL_RESPONSE,
            "1 error(s) beside the data, the first at organisasjonsenheter.nodes.3.parent.",
        ),
        (
            Answer({"data": {"organisasjonsenheter": None}, "errors": [{"path": ["organisasjonsenheter"]}]}),
            RetryableError,
            Code.SERVER_ERROR,
            "FS answered with errors alone, the first at organisasjonsenheter.",
        ),
        (
            Answer({"errors": [{"message": "no such thing", "locations": [TOTAL]}]}, 400),
            FatalError,
            Code.QUERY_REFUSED,
            "FS does not accept the query at totalCount.",
        ),
    ],
)
def test_every_answer_that_is_none_becomes_a_typed_error_that_says_where(
    answer: Answer, kind: type[RosterflowError], code: Code, message: str, connections: Connections
) -> None:
    with serving(answer) as stub:
        error = failure(stub, connections)

    assert (type(error), error.code) == (kind, code)
    assert error.message == f"demo: organisasjonsenheter, page 1: {message}"


def test_errors_of_the_query_are_told_by_their_classification(connections: Connections) -> None:
    def error(**more: object) -> dict[str, object]:
        return {"message": "m", "locations": [{"line": 1, "column": 7}], **more}

    refused = {"errors": [error(extensions={"classification": "ValidationError"})]}
    failed = {"errors": [error(extensions={"classification": "DataFetchingException"})]}

    with serving(Answer(refused)) as stub:
        assert failure(stub, connections).code is Code.QUERY_REFUSED
    with serving(Answer(failed)) as stub:
        assert failure(stub, connections).code is Code.SERVER_ERROR


def test_nobody_at_the_address_is_unreachable_and_asked_again(connections: Connections) -> None:
    naps = Naps()
    with serving(GOOD) as stub:
        pass

    error = failure(stub, connections, naps)

    assert (type(error), error.code, len(naps.seconds)) == (RetryableError, Code.UNREACHABLE, 3)


def test_an_address_that_is_none_is_fatal(connections: Connections) -> None:
    connections.add("gopher://fs.example")

    with pytest.raises(FatalError) as caught, FSGraphQLHook("fs_test") as hook:
        list(hook.pages(UNITS, {}))

    assert caught.value.code is Code.UNREACHABLE


def test_a_missing_connection_is_named() -> None:
    with pytest.raises(FatalError) as caught, FSGraphQLHook("fs_nowhere") as hook:
        list(hook.pages(UNITS, {}))

    assert (caught.value.code, caught.value.message) == (
        Code.CONNECTION_MISSING,
        "Airflow has no connection 'fs_nowhere'.",
    )


def test_no_error_tells_a_password_a_body_or_a_variable(connections: Connections) -> None:
    bodies = [
        Answer({"errors": [{"message": "Kari Nordmann", "path": ["x"]}], "data": ROWS}),
        Answer(b"Kari Nordmann"),
        Answer({"errors": [{"message": "value Kari Nordmann", "locations": [{"line": 1, "column": 1}]}]}),
        Answer(b"Kari Nordmann", 500, {"X-Name": "Kari Nordmann"}),
    ]
    for answer in bodies:
        with serving(answer) as stub:
            text = str(failure(stub, connections))
        assert "Kari" not in text
        assert SECRET not in text
        assert "184" not in text


def test_requests_and_answers_stay_out_of_the_log_even_at_debug(
    connections: Connections, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with serving(GOOD) as stub:
        asked(stub, connections)

    assert "organisasjonskode" not in caplog.text
    assert SECRET not in caplog.text


def test_a_time_out_is_told_as_one(connections: Connections) -> None:
    with RunningSandbox() as running:
        running.world.faults.add(Fault("fs", "timeout", count=1, seconds=2))
        connections.add(f"{running.url}/fs/graphql", {"read_timeout": 0.2}, login="sandbox", password="sandbox")
        with pytest.raises(RetryableError) as caught, FSGraphQLHook("fs_test", attempts=1) as hook:
            list(hook.pages(UNITS, {"organisasjonskode": "184"}))

    assert (caught.value.code, caught.value.message) == (
        Code.UNREACHABLE,
        "organisasjonsenheter, page 1: FS did not answer in time.",
    )
