from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.confirmed import ConfirmedObject, Refusal
from rosterflow.domain.decisions import Decision
from rosterflow.domain.errors import Code
from rosterflow.domain.model import Course, Key, Kind, SourceKind, State
from rosterflow.domain.plan import Action, Change
from rosterflow.store import decisions, history, institutions, migrate, objects, plans, row_errors
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.plans import ChangeState
from tests.cli.conftest import Shell
from tests.household import NOW, opened, planned, trouble, yaml_of

UE = "UE_999_NOR1001_1_2026_HØST_1"
COURSE = Course(UE, "NOR1001 H26", "NOR1001 Norsk 1 (høst 2026)", "EMNE_999_NOR1001_1", "2026_HØST")
CLOSED = Course(UE, "NOR1001 H26", "NOR1001 Norsk (høst 2026)", COURSE.account, COURSE.term, state=State.COMPLETED)
CREATE = Change(Action.CREATE, None, COURSE, "new", "FS has it and Canvas does not.")
CLOSE = Change(Action.CLOSE, COURSE, CLOSED, "export-off", "It is not exported any more.")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "institutions"
    folder.mkdir()
    (folder / "fjordvik.yaml").write_text(yaml_of("fjordvik"), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(folder))
    return folder


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{folder.parent}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()


# -- errors ------------------------------------------------------------------------------------------------------------


def test_an_error_of_ours_is_one_sentence_with_its_remedy_and_exit_code_1(shell: Shell, folder: Path) -> None:
    told = shell("run", "list")

    assert (shell.code, told) == (1, "")
    assert shell.error == (
        f"The store is at version none, this code needs {migrate.VERSION}. [store-outdated] "
        "Run 'python -m rosterflow store upgrade' once after installing a new version.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ROSTERFLOW_DATABASE_URL", "", "The environment lacks ROSTERFLOW_DATABASE_URL."),
        ("ROSTERFLOW_DATABASE_URL", "secret in no url", "ROSTERFLOW_DATABASE_URL is no SQLAlchemy URL."),
        ("ROSTERFLOW_DATABASE_URL", "oracle9://a:secret@b/c", "ROSTERFLOW_DATABASE_URL is no SQLAlchemy URL."),
        ("ROSTERFLOW_DATABASE_URL", "sqlite:////no/such/folder/secret.db", "The store cannot be reached."),
    ],
)
def test_a_wrong_environment_is_told_without_secrets_and_without_a_traceback(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    shell("run", "list")

    assert shell.code == 1
    assert message in shell.error
    assert "Traceback" not in shell.error
    assert "secret" not in shell.error


def test_a_command_that_is_not_understood_has_exit_code_2(shell: Shell) -> None:
    shell("plan", "shwo")

    assert shell.code == 2


@pytest.mark.parametrize("keys", [[], ["fjordvik", "sundnes"]])
def test_which_institution_must_be_said_unless_there_is_one(shell: Shell, folder: Path, keys: list[str]) -> None:
    (folder / "fjordvik.yaml").unlink()
    for key in keys:
        (folder / f"{key}.yaml").write_text(yaml_of(key), encoding="utf-8")

    shell("run", "list")

    named = ", ".join(keys) or "none"
    assert shell.error == f"Say which institution with --institution; there are: {named}.\n"


def test_an_unknown_institution_is_named(shell: Shell, folder: Path) -> None:
    shell("run", "list", "--institution", "sundnes")

    assert (shell.code, shell.error) == (1, f"There is no institution 'sundnes' in {folder}.\n")


# -- check -------------------------------------------------------------------------------------------------------------


def findings(shell: Shell, *words: str) -> dict[str, tuple[bool, str]]:
    return {one["subject"]: (one["is_good"], one["message"]) for one in shell.json("check", *words)}


def test_check_finds_a_good_installation_good(shell: Shell, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSTERFLOW_OPERATORS", "a@drift.example,b@drift.example")

    assert findings(shell) == {
        "environment": (True, "complete; 2 operator(s)"),
        "store": (True, "reached, and at this version"),
        "pages": (True, "written and read back; 1 key(s)"),
        "settings fjordvik": (
            True,
            "Høgskolen i Fjordvik: FS 2026 by fs_test, Canvas by canvas_test, pool canvas_canvas_test",
        ),
    }
    assert shell.code == 0


def test_check_lists_every_problem_of_every_file_and_goes_on(shell: Shell, store: Store, folder: Path) -> None:
    (folder / "sundnes.yaml").write_text(yaml_of("sundnes", fs="{connection: fs, dialekt: x}", x="1"), encoding="utf-8")

    told = shell("check")

    assert shell.code == 1
    assert "- sundnes.yaml: fs.dialekt: no such setting\n- sundnes.yaml: x: no such setting" in told
    assert "good settings fjordvik" in told


def test_check_looks_at_one_institution_s_file_when_asked(shell: Shell, store: Store, folder: Path) -> None:
    (folder / "sundnes.yaml").write_text("key: sundnes\n", encoding="utf-8")

    assert "settings sundnes" not in findings(shell, "--institution", "fjordvik")
    assert shell.code == 0


def test_check_says_that_there_is_no_such_file(shell: Shell, store: Store, folder: Path) -> None:
    assert findings(shell, "-i", "nowhere")["settings nowhere"] == (False, f"There is no nowhere.yaml in {folder}.")
    assert shell.code == 1


@pytest.mark.parametrize(
    ("name", "value", "subject", "message"),
    [
        ("ROSTERFLOW_STORAGE", "", "environment", "The environment lacks ROSTERFLOW_STORAGE."),
        ("ROSTERFLOW_PAGE_KEYS", "no key", "pages", "A key of the page store is missing or is no Fernet key."),
        ("ROSTERFLOW_STORAGE", "file:///dev/null/x", "pages", "ROSTERFLOW_STORAGE cannot be written to"),
        ("ROSTERFLOW_STORAGE", "gopher://x", "pages", "ROSTERFLOW_STORAGE cannot be written to (ValueError)."),
    ],
)
def test_check_names_what_is_wrong_with_the_environment(
    shell: Shell, store: Store, monkeypatch: pytest.MonkeyPatch, name: str, value: str, subject: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    is_good, told = findings(shell)[subject]

    assert not is_good
    assert told.startswith(message)


# -- acting ------------------------------------------------------------------------------------------------------------


def test_store_upgrade_brings_the_store_to_this_version_as_often_as_asked(shell: Shell, folder: Path) -> None:
    for _ in range(2):
        assert shell("store", "upgrade") == "The store is at this version.\n"
    shell("run", "list")

    assert shell.code == 0


def test_rebase_makes_the_next_run_a_first_contact_and_is_audited(shell: Shell, store: Store) -> None:
    with store.begin() as connection:
        institutions.standing(connection, "fjordvik", NOW)
        institutions.mark(connection, "fjordvik", based_at=NOW, contacted_at=NOW)

    shell("rebase", "--reason", "the store was restored from a backup")

    with store.begin() as connection:
        standing = institutions.standing(connection, "fjordvik", NOW)
        [act] = history.acts(connection, "fjordvik")
    assert (shell.code, standing.based_at, standing.contacted_at) == (0, None, None)
    assert (act.act, act.reason) == ("rebase", "the store was restored from a backup")
    assert act.actor.endswith(" (command line)")


@pytest.mark.parametrize("words", [(), ("--reason", "  ")])
def test_rebase_needs_a_reason(shell: Shell, store: Store, words: tuple[str, ...]) -> None:
    shell("rebase", *words)

    assert shell.code == 2
    with store.begin() as connection:
        assert history.acts(connection, "fjordvik") == []


# -- looking -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def plan(store: Store) -> int:
    plan_id = planned(store, opened(store), [CREATE, CLOSE], {Kind.COURSE: 40})
    with store.begin() as connection:
        plans.set_state(connection, plan_id, [0], ChangeState.CONFIRMED)
        plans.hold(connection, plan_id, {1: ("removals-term", "1 of 1 courses in 2026_HØST; the limit is 0.")})
    return plan_id


def test_the_newest_plan_is_shown_with_what_each_change_does_and_what_became_of_it(
    shell: Shell, store: Store, plan: int
) -> None:
    told = shell("plan", "show")

    assert "fjordvik, plan 1 of run 1" in told
    assert "NOR1001 Norsk 1 (høst 2026)" in told
    assert "long_name: NOR1001 Norsk 1 (høst 2026) → NOR1001 Norsk (høst 2026); state: active → completed" in told
    assert "1 of 1 courses in 2026_HØST; the limit is 0." in told


def test_a_plan_is_shown_by_its_number_without_saying_whose_it_is(shell: Shell, folder: Path, plan: int) -> None:
    (folder / "sundnes.yaml").write_text(yaml_of("sundnes"), encoding="utf-8")

    told = shell.json("plan", "show", "--plan", str(plan))

    assert (told["plan"], told["institution"], [one["state"] for one in told["changes"]]) == (
        plan,
        "fjordvik",
        ["confirmed", "held"],
    )


def test_only_changes_in_a_state_are_shown_when_asked(shell: Shell, plan: int) -> None:
    told = shell.json("plan", "show", "--state", "held")

    assert [(one["action"], one["sis_id"], one["guard"]) for one in told["changes"]] == [("close", UE, "removals-term")]


def test_changes_in_a_state_are_those_of_the_newest_plan_that_has_any(shell: Shell, store: Store, plan: int) -> None:
    planned(store, opened(store, name="scheduled__2"), [])

    assert shell.json("plan", "show")["plan"] == plan + 1
    assert shell.json("plan", "show", "--state", "held")["plan"] == plan


def test_a_long_plan_says_how_many_changes_it_does_not_show(shell: Shell, plan: int) -> None:
    assert "… and 1 more; --limit shows more, --json all." in shell("plan", "show", "--limit", "1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "fjordvik has no plan yet.\n"),
        (("--plan", "9"), "The store has no plan 9.\n"),
        (("--state", "stale"), "fjordvik has no plan with a stale change.\n"),
    ],
)
def test_a_plan_that_is_not_there_is_said_to_be_not_there(
    shell: Shell, store: Store, words: tuple[str, ...], message: str
) -> None:
    shell("plan", "show", *words)

    assert (shell.code, shell.error) == (1, message)


def test_runs_are_listed_newest_first_with_what_they_did(shell: Shell, store: Store, plan: int) -> None:
    opened(store, name="manual__2", mode="plan")

    told = shell.json("run", "list")

    short = [(run["run"], run["dag_run"], run["mode"], run["plan"], run["created"], run["held"]) for run in told]
    assert short == [(2, "manual__2", "plan", None, 0, 0), (1, "scheduled__1", "apply", plan, 1, 1)]
    assert told[0]["started"] == "2026-09-01T08:30:00+02:00"
    assert "manual__2" in shell("run", "list", "--limit", "1")


def test_open_row_errors_are_listed_and_settled_ones_are_not(shell: Shell, store: Store) -> None:
    trouble(store, "NOR1001 1 2026 HØST 1 sem-1")
    trouble(store, "1 EMNE", code=Code.ROW_INVALID)
    trouble(store, "gone")
    with store.begin() as connection:
        row_errors.settle(connection, "fjordvik", "source", ["gone"], NOW)

    everything = shell.json("errors", "list")
    of_one_code = shell.json("errors", "list", "--code", "row-invalid")

    assert [one["subject"] for one in everything] == ["NOR1001 1 2026 HØST 1 sem-1", "1 EMNE"]
    assert [(one["subject"], one["since"]) for one in of_one_code] == [("1 EMNE", "2026-09-01T08:30:00+02:00")]
    assert "NOR1001 1 2026 HØST 1 sem-1" in shell("errors", "list")


def test_an_empty_list_says_so(shell: Shell, store: Store) -> None:
    assert shell("errors", "list") == "Row errors of Høgskolen i Fjordvik: none.\n"


def test_explain_tells_all_that_is_known_about_an_id(shell: Shell, store: Store, plan: int) -> None:
    subject = "NOR1001 1 2026 HØST 1"
    decision = Decision(
        SourceKind.UNDERVISNINGSENHET, subject, False, "ue-not-exported", (("export", "false"),), Key(Kind.COURSE, UE)
    )
    key = Key(Kind.COURSE, UE)
    with store.begin() as connection:
        known = ConfirmedObject(COURSE, frozenset({"long_name"}))
        objects.save(connection, "fjordvik", [known], now=NOW, run_id=1)
        decisions.replace(connection, "fjordvik", [SourceKind.UNDERVISNINGSENHET], [decision], 1)
        row_errors.save_refusals(connection, "fjordvik", {key: Refusal(CLOSE.fingerprint, 2, NOW)})
        history.record(connection, "fjordvik", [Event(key, "created", "new")], NOW, run_id=1, plan_id=plan)
    trouble(store, f"course {UE}", code=Code.ROW_REFUSED, side="canvas", message="Nei takk")
    trouble(store, subject)
    trouble(store, "another row")

    told = shell.json("explain", "--sis-id", UE)

    at = "2026-09-01T08:30:00+02:00"
    assert told["confirmed"] == [
        {
            "kind": "course",
            "state": "active",
            "fields": "short_name=NOR1001 H26, long_name=NOR1001 Norsk 1 (høst 2026), "
            "account=EMNE_999_NOR1001_1, term=2026_HØST",
            "owned_by_canvas": "long_name",
            "confirmed": at,
        }
    ]
    assert told["decisions"] == [
        {
            "source": "undervisningsenhet",
            "subject": subject,
            "sent": "no",
            "rule": "ue-not-exported",
            "facts": "export=false",
        }
    ]
    assert told["refusals"] == [{"kind": "course", "attempts": 2, "again_from": at}]
    assert [(one["code"], one["subject"]) for one in told["errors"]] == [
        ("room-code-unknown", subject),
        ("row-refused", f"course {UE}"),
    ]
    assert [(one["at"], one["event"], one["run"], one["plan"]) for one in told["history"]] == [(at, "created", 1, plan)]
    for word in ("What Canvas confirmed", "ue-not-exported", "Nei takk", "created"):
        assert word in shell("explain", "--sis-id", UE)


def test_explain_says_when_nothing_is_known(shell: Shell, store: Store) -> None:
    told = shell("explain", "--sis-id", "UE_0")

    assert told == ("Nothing is known about UE_0: no run of Høgskolen i Fjordvik has met it. Ids are case-sensitive.\n")


def test_every_command_has_a_help_text(shell: Shell) -> None:
    commands: list[tuple[str, ...]] = [
        (),
        ("check",),
        ("store", "upgrade"),
        ("rebase",),
        ("plan", "show"),
        ("run", "list"),
        ("errors", "list"),
        ("explain",),
    ]
    for words in commands:
        assert "Usage" in shell(*words, "--help")
