"""The Canvas hook against a Canvas that misbehaves, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx
import pytest

from demo.ports import free_port
from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError, RowError
from rosterflow.domain.model import Account, Course, Section, Term
from rosterflow.domain.plan import Action, Change
from rosterflow.hooks.canvas import QUOTA_PAUSE, CanvasHook
from rosterflow.wire.canvas_csv import sis_files, zip_of
from sandbox.canvas.objects import UI
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.hooks.canvas_stub import answering

TOKEN = "sandbox-canvas-token"
STRUCTURE = (
    Account("184_1_0_0", "Fakultet for prøver", "FSDEMO"),
    Account("184_2_0_0", "Fakultet uten hjem", "NOWHERE"),
    Term("2026_HØST", "Høst 2026"),
    Course("UE_1", "PRØVE", "Prøvelære", "184_1_0_0", "2026_HØST"),
    Section("UA_1", "Gruppe 1", "UE_1"),
)
ARCHIVE = zip_of(
    sis_files([Change(Action.CREATE, None, one, "new", "") for one in STRUCTURE], mark="mark-7", publish_new=False)
)


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.world.reset()
    return running


class Waits(list[float]):
    """Remembers how long was waited instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


def connect(monkeypatch: pytest.MonkeyPatch, host: str, password: str = TOKEN) -> None:
    value = {"conn_type": "canvas", "host": host, "password": password}
    monkeypatch.setenv("AIRFLOW_CONN_CANVAS_TEST", json.dumps(value))


class Hooks(Protocol):
    """Makes hooks on the connection under test."""

    def __call__(self, seconds: float = 2, attempts: int = 5) -> CanvasHook: ...


@pytest.fixture
def hooks(waits: Waits) -> Iterator[Hooks]:
    with ExitStack() as opened:

        def make(seconds: float = 2, attempts: int = 5) -> CanvasHook:
            hook = CanvasHook("canvas_test", timeout=httpx.Timeout(seconds), attempts=attempts, sleep=waits)
            return opened.enter_context(hook)

        yield make


@pytest.fixture
def hook(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, hooks: Hooks) -> CanvasHook:
    connect(monkeypatch, f"{sandbox.url}/canvas")
    return hooks()


def arm(sandbox: RunningSandbox, kind: str, count: int | None = 1, match: str = "", seconds: float = 0) -> None:
    sandbox.world.faults.add(Fault("canvas", kind, count=count, match=match, seconds=seconds))


def fired(sandbox: RunningSandbox) -> int:
    return sum(fault["fired"] for fault in sandbox.world.faults.listing())


def imported(hook: CanvasHook) -> str:
    """An import that has ended: its id."""
    number = hook.post_sis_import(ARCHIVE).id
    while not hook.sis_import(number).is_over:
        pass
    return number


def problem(call: object) -> RosterflowError:
    assert callable(call)
    with pytest.raises(RosterflowError) as caught:
        call()
    assert TOKEN not in f"{caught.value!r}{caught.value}{caught.value.__cause__!r}"
    return caught.value


# -- SIS imports ------------------------------------------------------------------------------------------------------


def test_an_import_is_posted_followed_and_counted(hook: CanvasHook) -> None:
    posted = hook.post_sis_import(ARCHIVE)
    assert (posted.state, posted.is_over) == ("created", False)
    while not (ended := hook.sis_import(posted.id)).is_over:
        pass

    assert (ended.id, ended.state, ended.is_trustworthy) == (posted.id, "imported_with_messages", True)
    assert {name: n for name, n in ended.counts.items() if n} == {
        "accounts": 1,
        "terms": 1,
        "courses": 1,
        "sections": 1,
        "warning_count": 1,
    }
    assert set(ended.files) == {f"mark-7-{kind}.csv" for kind in ("accounts", "terms", "courses", "sections")}


def test_canvas_words_come_with_file_and_row(hook: CanvasHook) -> None:
    (message,) = hook.sis_import_messages(imported(hook))

    assert (message.file, message.row) == ("mark-7-accounts.csv", 3)
    assert message.message == "Parent account didn't exist for 184_2_0_0"


def test_messages_are_read_from_every_page(hook: CanvasHook, sandbox: RunningSandbox) -> None:
    strays = [Account(f"184_{number}_0_0", "Fakultet uten hjem", "NOWHERE") for number in range(230)]
    changes = [Change(Action.CREATE, None, one, "new", "") for one in strays]
    number = hook.post_sis_import(zip_of(sis_files(changes, mark="m", publish_new=False))).id
    while not hook.sis_import(number).is_over:
        pass

    assert sorted(message.row or 0 for message in hook.sis_import_messages(number)) == list(range(2, 232))


def test_imports_are_listed_since_a_moment_newest_first(hook: CanvasHook) -> None:
    numbers = [imported(hook) for _ in range(2)]
    now = datetime.now(UTC)

    assert [one.id for one in hook.sis_imports_since(now - timedelta(minutes=5))] == numbers[::-1]
    assert list(hook.sis_imports_since(now + timedelta(minutes=5))) == []


def test_a_post_whose_answer_was_lost_is_not_repeated(hook: CanvasHook, sandbox: RunningSandbox) -> None:
    arm(sandbox, "drop_after", match="POST")

    error = problem(lambda: hook.post_sis_import(ARCHIVE))

    assert isinstance(error, RetryableError)
    assert error.code is Code.UNREACHABLE
    assert len(list(hook.sis_imports_since(datetime.now(UTC) - timedelta(minutes=5)))) == 1


@pytest.mark.parametrize("kind", ["500", "html", "truncate", "timeout", "drop_before"])
def test_a_post_that_may_have_arrived_is_sent_once(hook: CanvasHook, sandbox: RunningSandbox, kind: str) -> None:
    arm(sandbox, kind, count=None, match="POST", seconds=5)

    assert isinstance(problem(lambda: hook.post_sis_import(ARCHIVE)), RetryableError)
    assert fired(sandbox) == 1


@pytest.mark.parametrize("profile", ["hosted-2026", "legacy"])
def test_a_throttled_post_is_repeated_because_canvas_did_nothing(
    hook: CanvasHook, sandbox: RunningSandbox, waits: Waits, profile: str
) -> None:
    sandbox.world.canvas.configure(profile=profile)
    arm(sandbox, "429", count=2, match="POST")

    hook.post_sis_import(ARCHIVE)

    assert (fired(sandbox), len(list(hook.sis_imports_since(datetime.now(UTC) - timedelta(minutes=5))))) == (2, 1)


def test_a_token_without_the_right_to_import_is_told_so(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, hooks: Hooks
) -> None:
    for profile in ("hosted-2026", "legacy"):
        sandbox.world.canvas.configure(profile=profile)
        connect(monkeypatch, f"{sandbox.url}/canvas", "sandbox-canvas-readonly")
        error = problem(lambda: hooks().post_sis_import(ARCHIVE))
        assert (type(error), error.code) == (FatalError, Code.FORBIDDEN)
        assert error.message == "Canvas's token lacks a permission for POST /accounts/self/sis_imports."


def test_a_canvas_that_takes_no_imports_is_fatal_with_its_words(hook: CanvasHook, sandbox: RunningSandbox) -> None:
    sandbox.world.canvas.configure(sis_imports_enabled=False)

    error = problem(lambda: hook.post_sis_import(ARCHIVE))

    assert (type(error), error.code) == (FatalError, Code.FORBIDDEN)
    assert "SIS imports are not enabled for this account" in error.message


# -- reads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "html", "truncate", "drop_before", "drop_after"])
def test_a_read_is_repeated_until_it_goes_through(hook: CanvasHook, sandbox: RunningSandbox, kind: str) -> None:
    arm(sandbox, kind, count=3)

    assert hook.account_exists("FSDEMO")
    assert fired(sandbox) == 3


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("429", Code.THROTTLED, "Canvas throttled GET /accounts/self/roles."),
        ("500", Code.SERVER_ERROR, "Canvas answered GET /accounts/self/roles with 500."),
        ("503", Code.SERVER_ERROR, "Canvas answered GET /accounts/self/roles with 503."),
        ("html", Code.BAD_RESPONSE, "Canvas answered GET /accounts/self/roles with something that is no JSON."),
    ],
)
def test_a_fault_that_lasts_is_one_clear_sentence(
    hook: CanvasHook, sandbox: RunningSandbox, waits: Waits, kind: str, code: Code, words: str
) -> None:
    arm(sandbox, kind, count=None)

    error = problem(hook.role_names)

    assert (type(error), error.code, error.message) == (RetryableError, code, words)
    assert fired(sandbox) == 5


def test_waits_grow_between_two_tries(hook: CanvasHook, sandbox: RunningSandbox, waits: Waits) -> None:
    arm(sandbox, "500", count=None)

    problem(hook.role_names)

    assert len(waits) == 4
    assert waits == sorted(waits)


def test_canvas_is_given_the_time_it_asks_for(hook: CanvasHook, sandbox: RunningSandbox, waits: Waits) -> None:
    arm(sandbox, "503", seconds=17)

    hook.role_names()

    assert waits == [17]


def test_when_canvas_asks_for_long_the_task_ends_and_airflow_waits(
    hook: CanvasHook, sandbox: RunningSandbox, waits: Waits
) -> None:
    arm(sandbox, "503", seconds=900)

    error = problem(hook.role_names)

    assert isinstance(error, RetryableError)
    assert (error.retry_after, waits) == (900, [])


def test_a_canvas_that_does_not_answer_is_given_up(sandbox: RunningSandbox, hook: CanvasHook, hooks: Hooks) -> None:
    arm(sandbox, "timeout", count=None, seconds=5)

    error = problem(hooks(seconds=0.1, attempts=1).role_names)

    assert (error.code, error.message) == (
        Code.UNREACHABLE,
        "Canvas did not answer GET /accounts/self/roles in time.",
    )


def test_it_pauses_before_the_bucket_is_full(monkeypatch: pytest.MonkeyPatch, hooks: Hooks, waits: Waits) -> None:
    headers = {"Content-Type": "application/json", "X-Rate-Limit-Remaining": "149.9"}
    with answering(b"[]", headers=headers) as canvas:
        connect(monkeypatch, canvas.url)
        hook = hooks()
        hook.role_names()
        assert waits == []
        hook.role_names()

    assert waits == [QUOTA_PAUSE]


def test_ids_are_asked_for_as_strings(hook: CanvasHook) -> None:
    assert hook.post_sis_import(ARCHIVE).id == "1"
    assert hook.get_conn().headers["Accept"] == "application/json+canvas-string-ids"


def test_a_list_that_goes_on_at_another_host_is_not_followed(monkeypatch: pytest.MonkeyPatch, hooks: Hooks) -> None:
    link = '<http://elsewhere.invalid/api/v1/accounts/self/roles?page=2>; rel="next"'
    with answering(b"[]", headers={"Content-Type": "application/json", "Link": link}) as canvas:
        connect(monkeypatch, canvas.url)
        error = problem(hooks().role_names)

    assert (type(error), error.code) == (FatalError, Code.BAD_RESPONSE)


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
    assert {"StudentEnrollment", "TeacherEnrollment"} <= hook.role_names()


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
