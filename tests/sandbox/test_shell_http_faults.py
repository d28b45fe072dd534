from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import perf_counter

import httpx
import pytest

from sandbox.faults import Fault
from sandbox.serving import RunningSandbox

ACCOUNT = "/canvas/api/v1/accounts/1"
NEW = "Avdeling A"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.world.reset()
    return running


@pytest.fixture
def canvas(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer sandbox-canvas-token"}
    with httpx.Client(base_url=sandbox.url, headers=headers) as client:
        yield client


@pytest.fixture
def fs(sandbox: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, auth=("sandbox", "sandbox")) as client:
        yield client


def ask(fs: httpx.Client) -> httpx.Response:
    return fs.post("/fs/graphql", json={"query": "{ __typename }"})


def make_account(canvas: httpx.Client) -> httpx.Response:
    return canvas.post(f"{ACCOUNT}/sub_accounts", data={"account[name]": NEW})


def made(sandbox: RunningSandbox) -> list[str]:
    """The names of the accounts a new Canvas does not have."""
    return [account.name for account in sandbox.world.canvas.accounts][3:]


def test_without_a_fault_both_services_answer(canvas: httpx.Client, fs: httpx.Client) -> None:
    assert canvas.get(ACCOUNT).json()["name"] == "Sandbox University System"
    assert ask(fs).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "body"),
    [
        ("429", 429, "text/plain; charset=utf-8", "Too Many Requests"),
        ("500", 500, "text/plain; charset=utf-8", "Internal Server Error"),
        ("502", 502, "text/html; charset=utf-8", "<h1>502 Bad Gateway</h1>"),
        ("503", 503, "text/html; charset=utf-8", "<h1>503 Service Temporarily Unavailable</h1>"),
        ("html", 200, "text/html; charset=utf-8", "down for maintenance"),
        ("unauthorized", 401, "application/json", "Full authentication is required."),
    ],
)
def test_fs_refuses_in_the_way_asked_for_and_then_answers_again(
    sandbox: RunningSandbox, fs: httpx.Client, kind: str, status: int, content_type: str, body: str
) -> None:
    sandbox.world.faults.add(Fault("fs", kind))
    answer = ask(fs)
    assert (answer.status_code, answer.headers["content-type"]) == (status, content_type)
    assert body in answer.text
    assert ask(fs).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "headers", "body"),
    [
        ("429", 429, {"x-rate-limit-remaining": "0.0"}, "429 Too Many Requests (Rate Limit Exceeded)\n"),
        (
            "500",
            500,
            {},
            '{"errors":[{"message":"An error occurred.","error_code":"internal_server_error"}],"error_report_id":1}',
        ),
        (
            "unauthorized",
            401,
            {"www-authenticate": 'Bearer realm="canvas-lms"'},
            '{"errors":[{"message":"Invalid access token."}]}',
        ),
    ],
)
def test_canvas_refuses_in_its_own_words(
    sandbox: RunningSandbox, canvas: httpx.Client, kind: str, status: int, headers: dict[str, str], body: str
) -> None:
    sandbox.world.faults.add(Fault("canvas", kind))
    answer = canvas.get(ACCOUNT)
    assert (answer.status_code, answer.text) == (status, body)
    assert headers.items() <= dict(answer.headers).items()
    assert "retry-after" not in answer.headers


def test_fs_says_when_to_come_back_if_the_fault_gives_seconds(sandbox: RunningSandbox, fs: httpx.Client) -> None:
    sandbox.world.faults.add(Fault("fs", "503", seconds=7))
    assert ask(fs).headers["retry-after"] == "7"


def test_a_fault_of_one_service_does_not_touch_another(
    sandbox: RunningSandbox, canvas: httpx.Client, fs: httpx.Client
) -> None:
    sandbox.world.faults.add(Fault("fs", "500", count=None))
    assert canvas.get(ACCOUNT).status_code == 200
    assert canvas.get("/control/state").status_code == 200
    assert ask(fs).status_code == 500


def test_a_fault_picks_its_request_by_method_path_query_and_body(sandbox: RunningSandbox, canvas: httpx.Client) -> None:
    sandbox.world.faults.add(Fault("canvas", "500", match=f"GET {ACCOUNT}?include[]=x"))
    sandbox.world.faults.add(Fault("canvas", "503", match="Avdeling+A"))
    assert canvas.get(ACCOUNT).status_code == 200
    assert canvas.get(f"{ACCOUNT}?include[]=x").status_code == 500
    assert make_account(canvas).status_code == 503


def test_a_request_read_for_a_fault_still_reaches_its_service_whole(
    sandbox: RunningSandbox, canvas: httpx.Client
) -> None:
    sandbox.world.faults.add(Fault("canvas", "500", match="nothing like it"))
    assert make_account(canvas).json()["name"] == NEW
    assert made(sandbox) == [NEW]


def test_dropped_before_means_that_nothing_was_done(sandbox: RunningSandbox, canvas: httpx.Client) -> None:
    sandbox.world.faults.add(Fault("canvas", "drop_before"))
    with pytest.raises(httpx.RemoteProtocolError):
        make_account(canvas)
    assert made(sandbox) == []
    assert make_account(canvas).status_code == 200


def test_dropped_after_means_that_the_work_was_done_unanswered(sandbox: RunningSandbox, canvas: httpx.Client) -> None:
    sandbox.world.faults.add(Fault("canvas", "drop_after"))
    with pytest.raises(httpx.RemoteProtocolError):
        make_account(canvas)
    assert made(sandbox) == [NEW]


def test_a_truncated_answer_breaks_off_half_way(sandbox: RunningSandbox, canvas: httpx.Client) -> None:
    whole = canvas.get(ACCOUNT).content
    sandbox.world.faults.add(Fault("canvas", "truncate"))
    with canvas.stream("GET", ACCOUNT) as answer:
        assert answer.headers["content-length"] == str(len(whole))
        received: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_raw())
    assert b"".join(received) == whole[: len(whole) // 2]


def test_latency_delays_the_answer(sandbox: RunningSandbox, fs: httpx.Client) -> None:
    sandbox.world.faults.add(Fault("fs", "latency", seconds=0.2))
    started = perf_counter()
    assert ask(fs).status_code == 200
    assert perf_counter() - started >= 0.2


def test_a_client_that_does_not_wait_for_a_timeout_leaves_nothing_done(
    sandbox: RunningSandbox, canvas: httpx.Client
) -> None:
    sandbox.world.faults.add(Fault("canvas", "timeout"))
    canvas.timeout = httpx.Timeout(0.1)
    with pytest.raises(httpx.ReadTimeout):
        make_account(canvas)
    canvas.timeout = httpx.Timeout(5)
    assert canvas.get(ACCOUNT).status_code == 200
    assert made(sandbox) == []


def test_a_client_that_waits_for_a_timeout_is_answered(sandbox: RunningSandbox, fs: httpx.Client) -> None:
    sandbox.world.faults.add(Fault("fs", "timeout", seconds=0.1))
    assert ask(fs).status_code == 200


@pytest.mark.parametrize("seconds", [-3600, 0, 90])
def test_the_date_header_is_the_worlds_clock_and_as_wrong_as_asked(
    sandbox: RunningSandbox, canvas: httpx.Client, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2026, 8, 17, 12, tzinfo=UTC)
    monkeypatch.setattr(sandbox.world, "now", lambda: noon)
    sandbox.world.faults.add(Fault("canvas", "skew", seconds=seconds))
    answer = canvas.get(ACCOUNT)
    assert (parsedate_to_datetime(answer.headers["date"]) - noon).total_seconds() == seconds
    assert parsedate_to_datetime(canvas.get(ACCOUNT).headers["date"]) == noon
