"""FS over HTTP in the whole sandbox: addresses, credentials, bodies."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.serving import RunningSandbox

QUERY_2026 = '{ emnerV2(filter: {eierOrganisasjonskode: "184"}, first: 1) { nodes { kode } } }'
QUERY_2023 = '{ emner(filter: {eierInstitusjonsnummer: "184"}, first: 1) { nodes { kode } } }'
BASIC = ("sandbox", "sandbox")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def as_it_began(sandbox: RunningSandbox) -> None:
    sandbox.world.reset(dialect="2026")


def post(sandbox: RunningSandbox, path: str, query: str, **more: object) -> httpx.Response:
    given = {"auth": BASIC, "json": {"query": query}} | more
    return httpx.post(sandbox.url + path, trust_env=False, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/fs/graphql", QUERY_2026),
        ("/fs/graphql/", QUERY_2026),
        ("/fs/2023/graphql", QUERY_2023),
        ("/fs/2023/graphql/", QUERY_2023),
    ],
)
def test_both_dialects_live_side_by_side(sandbox: RunningSandbox, path: str, query: str) -> None:
    answer = post(sandbox, path, query)

    assert (answer.status_code, list(answer.json())) == (200, ["data"])
    assert answer.headers["Content-Type"] == "application/json"


def test_the_worlds_dialect_decides_what_the_plain_address_serves(sandbox: RunningSandbox) -> None:
    sandbox.world.reset(dialect="2023")

    assert "data" in post(sandbox, "/fs/graphql", QUERY_2023).json()
    assert "data" not in post(sandbox, "/fs/graphql", QUERY_2026).json()


def test_errors_of_a_document_are_sent_with_status_200(sandbox: RunningSandbox) -> None:
    answer = post(sandbox, "/fs/graphql", "{ nosuchroot }")

    assert (answer.status_code, list(answer.json())) == (200, ["errors"])


def test_the_gateways_key_is_accepted_instead_of_basic(sandbox: RunningSandbox) -> None:
    answer = post(sandbox, "/fs/graphql", QUERY_2026, auth=None, headers={"X-Gravitee-Api-Key": "sandbox-key"})

    assert "data" in answer.json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"auth": None},
        {"auth": ("sandbox", "wrong")},
        {"auth": ("someone", "sandbox")},
        {"auth": None, "headers": {"X-Gravitee-Api-Key": "wrong"}},
        {"auth": None, "headers": {"Authorization": "Basic not*base64"}},
        {"auth": None, "headers": {"Authorization": "Bearer sandbox"}},
    ],
)
def test_anyone_else_is_refused_and_told_how_to_ask(sandbox: RunningSandbox, wrong: dict[str, object]) -> None:
    answer = post(sandbox, "/fs/graphql", QUERY_2026, **wrong)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="FS"')
    assert answer.json()["error"] == "Unauthorized"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"query": 1}', b"\xff"])
def test_a_body_that_is_no_request_is_answered_with_400(sandbox: RunningSandbox, body: bytes) -> None:
    assert post(sandbox, "/fs/graphql", "", json=None, content=body).status_code == 400


def test_nothing_can_be_got(sandbox: RunningSandbox) -> None:
    answer = httpx.get(sandbox.url + "/fs/graphql", auth=BASIC, trust_env=False)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_the_feature_flags_header_is_read(sandbox: RunningSandbox) -> None:
    query = QUERY_2026.replace("{ kode }", "{ tjenestenummerForLms }")

    assert "data" not in post(sandbox, "/fs/graphql", query).json()
    assert "data" in post(sandbox, "/fs/graphql", query, headers={"Feature-Flags": "beta"}).json()


def test_a_reset_world_is_served_at_once(sandbox: RunningSandbox) -> None:
    query = '{ emnerV2(filter: {eierOrganisasjonskode: "184"}) { totalCount } }'
    small = post(sandbox, "/fs/graphql", query).json()["data"]["emnerV2"]["totalCount"]
    sandbox.world.reset(size="demo")
    try:
        assert post(sandbox, "/fs/graphql", query).json()["data"]["emnerV2"]["totalCount"] == 60 != small
    finally:
        sandbox.world.reset(size="small")
