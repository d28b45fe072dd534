"""SIS imports and reads of the Canvas hook, against a Canvas that misbehaves, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.model import Account
from rosterflow.domain.plan import Action, Change
from rosterflow.hooks.canvas import QUOTA_PAUSE, CanvasHook
from rosterflow.hooks.canvas_records import Administrator
from rosterflow.wire.canvas_csv import sis_files, zip_of
from sandbox.canvas import people
from sandbox.canvas.objects import UI
from sandbox.serving import RunningSandbox
from tests.hooks.canvas_sandbox import ARCHIVE, Hooks, Waits, arm, connect, fired, imported, problem
from tests.hooks.canvas_stub import answering

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


def test_the_administrators_of_an_account_are_read_from_every_page(hook: CanvasHook, sandbox: RunningSandbox) -> None:
    canvas = sandbox.world.canvas
    account = canvas.accounts.by_sis_id("FSDEMO")
    (role,) = canvas.roles.where("name", "AccountAdmin")
    assert account
    for number in range(130):
        user = people.new_user(canvas, UI, name=f"Bruker {number}")
        sis_id = f"FS_184_{number}" if number else None
        people.add_login(canvas, user, UI, unique_id=f"bruker{number}", sis_id=sis_id)
        people.make_admin(canvas, user, account, role, UI)

    found = hook.administrators("FSDEMO")

    assert len(found) == 130
    assert found[:2] == [
        Administrator("AccountAdmin", "", "bruker0"),
        Administrator("AccountAdmin", "FS_184_1", "bruker1"),
    ]
    assert "bruker" not in repr(found[0])


def test_an_account_that_canvas_does_not_have_has_no_administrators(hook: CanvasHook) -> None:
    assert hook.administrators("NOWHERE") == []


def test_a_token_that_may_not_see_administrators_is_told_so(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, hooks: Hooks
) -> None:
    connect(monkeypatch, f"{sandbox.url}/canvas", "sandbox-canvas-readonly")

    error = problem(lambda: hooks().administrators("FSDEMO"))

    assert (type(error), error.code) == (FatalError, Code.FORBIDDEN)


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

    error = problem(hook.roles)

    assert (type(error), error.code, error.message) == (RetryableError, code, words)
    assert fired(sandbox) == 5


def test_waits_grow_between_two_tries(hook: CanvasHook, sandbox: RunningSandbox, waits: Waits) -> None:
    arm(sandbox, "500", count=None)

    problem(hook.roles)

    assert len(waits) == 4
    assert waits == sorted(waits)


def test_canvas_is_given_the_time_it_asks_for(hook: CanvasHook, sandbox: RunningSandbox, waits: Waits) -> None:
    arm(sandbox, "503", seconds=17)

    hook.roles()

    assert waits == [17]


def test_when_canvas_asks_for_long_the_task_ends_and_airflow_waits(
    hook: CanvasHook, sandbox: RunningSandbox, waits: Waits
) -> None:
    arm(sandbox, "503", seconds=900)

    error = problem(hook.roles)

    assert isinstance(error, RetryableError)
    assert (error.retry_after, waits) == (900, [])


def test_a_canvas_that_does_not_answer_is_given_up(sandbox: RunningSandbox, hook: CanvasHook, hooks: Hooks) -> None:
    arm(sandbox, "timeout", count=None, seconds=5)

    error = problem(hooks(seconds=0.1, attempts=1).roles)

    assert (error.code, error.message) == (
        Code.UNREACHABLE,
        "Canvas did not answer GET /accounts/self/roles in time.",
    )


def test_it_pauses_before_the_bucket_is_full(monkeypatch: pytest.MonkeyPatch, hooks: Hooks, waits: Waits) -> None:
    headers = {"Content-Type": "application/json", "X-Rate-Limit-Remaining": "149.9"}
    with answering(b"[]", headers=headers) as canvas:
        connect(monkeypatch, canvas.url)
        hook = hooks()
        hook.roles()
        assert waits == []
        hook.roles()

    assert waits == [QUOTA_PAUSE]


def test_ids_are_asked_for_as_strings(hook: CanvasHook) -> None:
    assert hook.post_sis_import(ARCHIVE).id == "1"
    assert hook.get_conn().headers["Accept"] == "application/json+canvas-string-ids"


def test_a_canvas_without_even_a_default_term_is_not_believed(monkeypatch: pytest.MonkeyPatch, hooks: Hooks) -> None:
    with answering(b'{"enrollment_terms": []}', headers={"Content-Type": "application/json"}) as canvas:
        connect(monkeypatch, canvas.url)
        error = problem(lambda: list(hooks().terms()))

    assert (type(error), error.code) == (RetryableError, Code.BAD_RESPONSE)


def test_a_canvas_is_known_by_its_address_and_its_root_account(hook: CanvasHook, sandbox: RunningSandbox) -> None:
    assert hook.identity() == f"{urlsplit(sandbox.url).netloc} sandbox-account-1"


def test_a_list_that_goes_on_at_another_host_is_not_followed(monkeypatch: pytest.MonkeyPatch, hooks: Hooks) -> None:
    link = '<http://elsewhere.invalid/api/v1/accounts/self/roles?page=2>; rel="next"'
    with answering(b"[]", headers={"Content-Type": "application/json", "Link": link}) as canvas:
        connect(monkeypatch, canvas.url)
        error = problem(hooks().roles)

    assert (type(error), error.code) == (FatalError, Code.BAD_RESPONSE)
