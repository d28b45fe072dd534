"""Reports, courses and the connection of the Canvas hook: what is there, and what is wrong with a setting."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from demo.ports import free_port
from rosterflow.domain.errors import Code, RowError
from rosterflow.domain.model import Term
from rosterflow.hooks.canvas import CanvasHook
from sandbox.canvas.objects import UI
from sandbox.serving import RunningSandbox
from tests.hooks.canvas_sandbox import TOKEN, Hooks, arm, connect, fired, imported, problem
from tests.hooks.canvas_stub import answering

# -- reports and courses ----------------------------------------------------------------------------------------------


def report(hook: CanvasHook, *kinds: str) -> bytes:
    number = hook.start_provisioning_report(kinds).id
    while not (made := hook.provisioning_report(number)).is_over:
        pass
    assert made.url is not None
    return hook.download(made.url)


def test_a_report_of_one_kind_is_downloaded(hook: CanvasHook) -> None:
    imported(hook)

    assert b"184_1_0_0" in report(hook, "accounts")


def test_a_download_that_breaks_off_is_repeated(hook: CanvasHook, sandbox: RunningSandbox) -> None:
    arm(sandbox, "truncate", match="GET /canvas/files")

    assert report(hook, "accounts").startswith(b"canvas_account_id,")
    assert fired(sandbox) == 1


def test_a_file_at_another_host_gets_no_token(hook: CanvasHook) -> None:
    with answering(b"a,b\n") as store:
        assert hook.download(f"{store.url}/files/1") == b"a,b\n"

    assert [headers.get("Authorization") for headers in store.headers] == [None]


def test_a_redirect_to_a_file_store_is_followed_without_the_token(
    monkeypatch: pytest.MonkeyPatch, hooks: Hooks
) -> None:
    with answering(b"a,b\n") as store, answering(b"", 302, {"Location": f"{store.url}/files/1"}) as canvas:
        connect(monkeypatch, canvas.url)
        assert hooks().download(f"{canvas.url}/files/1") == b"a,b\n"

    assert [headers.get("Authorization") for headers in canvas.headers] == [f"Bearer {TOKEN}"]
    assert [headers.get("Authorization") for headers in store.headers] == [None]


def test_courses_are_published_unpublished_and_concluded_by_their_sis_id(
    hook: CanvasHook, sandbox: RunningSandbox
) -> None:
    imported(hook)
    course = sandbox.world.canvas.courses.by_sis_id("UE_1")
    assert course is not None
    seen = []
    for event in ("offer", "claim", "conclude", "conclude", "offer"):
        if event == "conclude":
            hook.conclude_course("UE_1")
        else:
            hook.course_event("UE_1", event)
        seen.append(str(course.workflow_state))

    assert seen == ["available", "claimed", "completed", "completed", "available"]


def test_what_canvas_refuses_about_a_course_comes_with_its_words(hook: CanvasHook, sandbox: RunningSandbox) -> None:
    imported(hook)
    hook.course_event("UE_1", "offer")
    course = sandbox.world.canvas.courses.by_sis_id("UE_1")
    assert course is not None
    course.graded_submissions = 3

    error = problem(lambda: hook.course_event("UE_1", "claim"))

    assert (type(error), error.code) == (RowError, Code.ROW_REFUSED)
    assert "unpublish" in error.message


def test_a_course_says_whether_it_is_published(hook: CanvasHook) -> None:
    imported(hook)
    seen = [hook.course_state("UE_1")]
    hook.course_event("UE_1", "offer")
    seen.append(hook.course_state("UE_1"))
    hook.conclude_course("UE_1")

    assert [*seen, hook.course_state("UE_1"), hook.course_state("UE_ELSEWHERE")] == [
        "unpublished",
        "available",
        "completed",
        None,
    ]


# -- looking around, and wrong settings -------------------------------------------------------------------------------


def test_accounts_and_roles_are_looked_up(hook: CanvasHook) -> None:
    assert (hook.account_exists("FSDEMO"), hook.account_exists("ELSEWHERE/1")) == (True, False)
    built_in = hook.roles("FSDEMO")
    assert {"StudentEnrollment", "TeacherEnrollment"} <= built_in.keys()
    assert built_in["AccountAdmin"] == "AccountMembership"


def test_terms_are_listed_with_their_dates_and_the_default_term_is_not(
    hook: CanvasHook, sandbox: RunningSandbox
) -> None:
    with sandbox.world.canvas.lock:
        starts = datetime(2026, 8, 1, tzinfo=UTC)
        sandbox.world.canvas.create_term(UI, name="Høst 2026", sis_id="2026_HØST", start_at=starts)

    assert list(hook.terms()) == [Term("2026_HØST", "Høst 2026", starts)]


def said(monkeypatch: pytest.MonkeyPatch, host: str, password: str = TOKEN) -> tuple[bool, str]:
    connect(monkeypatch, host, password)
    works, sentence = CanvasHook("canvas_test", timeout=httpx.Timeout(2)).test_connection()
    assert TOKEN not in sentence
    return works, sentence


def test_the_test_button_says_that_all_is_well(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, f"{sandbox.url}/canvas") == (
        True,
        "Reached Canvas and authenticated; root account 'Sandbox University System' is visible.",
    )


def test_the_test_button_names_missing_permissions(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    works, sentence = said(monkeypatch, f"{sandbox.url}/canvas", "sandbox-canvas-readonly")

    assert not works
    assert sentence.endswith("Missing permissions: import_sis, manage_sis.")


@pytest.mark.parametrize(("seconds", "words"), [(600, "ahead of"), (-600, "behind")])
def test_the_test_button_sees_a_clock_that_is_wrong(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, seconds: float, words: str
) -> None:
    arm(sandbox, "skew", count=None, seconds=seconds)

    works, sentence = said(monkeypatch, f"{sandbox.url}/canvas")

    assert works
    assert f"seconds {words} this one." in sentence


@pytest.mark.parametrize("token", ["wrong", "sandbox-canvas-expired"])
def test_the_test_button_says_when_the_token_is_not_accepted(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    assert said(monkeypatch, f"{sandbox.url}/canvas", token) == (
        False,
        (
            "Canvas does not accept the access token (GET /accounts/self). "
            "Renew the user name, password or token in the connection and press Test."
        ),
    )


def test_the_test_button_says_when_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()

    works, sentence = said(monkeypatch, f"http://127.0.0.1:{port}")

    assert not works
    assert sentence.startswith(
        f"Canvas at 127.0.0.1:{port} could not be reached for GET /accounts/self (ConnectError)."
    )


def test_the_test_button_says_when_the_address_is_something_else(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    works, sentence = said(monkeypatch, f"{sandbox.url}/mail")

    assert not works
    assert "/accounts/self" in sentence


@pytest.mark.parametrize(
    ("host", "password", "words"),
    [
        ("", TOKEN, "host must be Canvas's address, like https://canvas.example.edu."),
        ("ftp://canvas.example.edu", TOKEN, "host must be Canvas's address, like https://canvas.example.edu."),
        ("https://", TOKEN, "host must be Canvas's address, like https://canvas.example.edu."),
        ("https://canvas.example.edu", "", "the access token is missing."),
    ],
)
def test_an_incomplete_connection_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, host: str, password: str, words: str
) -> None:
    connect(monkeypatch, host, password)

    error = problem(CanvasHook("canvas_test").settings)

    assert (error.code, error.message) == (Code.CONNECTION_INVALID, f"Connection canvas_test: {words}")


def test_a_connection_that_nobody_made_is_named() -> None:
    error = problem(CanvasHook("canvas_nowhere").settings)

    assert (error.code, error.message) == (Code.CONNECTION_MISSING, "Airflow has no connection 'canvas_nowhere'.")


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("canvas.example.edu", "https://canvas.example.edu/api/v1"),
        ("https://canvas.example.edu/", "https://canvas.example.edu/api/v1"),
        ("https://canvas.example.edu/api/v1", "https://canvas.example.edu/api/v1"),
        ("http://127.0.0.1:8900/canvas", "http://127.0.0.1:8900/canvas/api/v1"),
    ],
)
def test_the_address_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch, host: str, base: str) -> None:
    connect(monkeypatch, host)

    assert CanvasHook("canvas_test").settings()[0] == base
