"""A wrong setting is told in one clear message, when it is loaded and by `check`, and another institution goes on.

Issue 2, §2.7.6; what is wrong in a connection is in test_wrong_connections.py.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from rosterflow.cli.app import main
from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.settings import load_institution, load_institutions
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World

GOOD = """\
key: {key}
name: Fjordvik
number: "0184"
timezone: Europe/Oslo
schedule: "30 3 * * *"
fs:
  connection: fs_{key}
  dialect: "2026"
canvas:
  connection: canvas_{key}
  account: FSDEMO
room_codes:
  codes: {{eget-rom: own_room, ikke-rom: section}}
roles: {{FAGLÆRER: TeacherEnrollment}}
mail:
  failures: [drift@example.org]
"""
SECRET = "sesam-sesam"
TYPES = "DesignerEnrollment, ObserverEnrollment, StudentEnrollment, TaEnrollment, TeacherEnrollment"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the settings of two institutions."""
    folder = tmp_path / "institutions"
    folder.mkdir()
    for key in ("fjordvik", "granli"):
        (folder / f"{key}.yaml").write_text(GOOD.format(key=key), encoding="utf-8")
    return folder


# -- in the settings file ----------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, str, str]] = {
    "an unknown key": (
        "name: Fjordvik",
        "name: Fjordvik\nshedule: 0 4 * * *",
        "shedule: no such setting",
    ),
    "an unknown key in a block": (
        "  account: FSDEMO",
        "  account: FSDEMO\n  acount: X",
        "canvas.acount: no such setting",
    ),
    "a setting that is missing": ("  connection: canvas_fjordvik\n", "", "canvas.connection: is missing"),
    "a role code that is none": (
        "FAGLÆRER: Te",
        "EMNEANSVARLIG: Te",
        "roles: 'EMNEANSVARLIG' is no FS role code (1 to 10 characters, no blank at either end)",
    ),
    "a role of Canvas that is misspelt": (
        "TeacherEnrollment",
        "TeacherEnrolment",
        f"roles: FAGLÆRER: 'TeacherEnrolment' is no Canvas enrollment type; one of {TYPES}",
    ),
    "a role for students that is misspelt": (
        "mail:\n",
        "people: {student_role: StudentEnrolment}\nmail:\n",
        f"people.student_role: 'StudentEnrolment' is no Canvas enrollment type; one of {TYPES}",
    ),
    "an IMS role's role that is misspelt": (
        "mail:\n",
        "people: {ims_roles: {LEARNER: Studentenrollment}}\nmail:\n",
        f"people.ims_roles: LEARNER: 'Studentenrollment' is no Canvas enrollment type; one of {TYPES}",
    ),
    "an account's role that is one of sections": (
        "mail:\n",
        "people: {account_roles: {ADMIN: TeacherEnrollment}}\nmail:\n",
        (
            "people.account_roles: ADMIN: 'TeacherEnrollment' is for sections and courses;"
            " accounts have roles of their own"
        ),
    ),
    "an account's role for a code that is none": (
        "mail:\n",
        "people: {account_roles: {STUDIEKONSULENT: AccountAdmin}}\nmail:\n",
        "people.account_roles: 'STUDIEKONSULENT' is no FS role code (1 to 10 characters, no blank at either end)",
    ),
    "a way of leaving that Canvas has not": (
        "mail:\n",
        "people: {students_leave: {gone: removed}}\nmail:\n",
        "people.students_leave.gone: must be 'inactive', 'completed', 'deleted' or 'leave'",
    ),
    "a room code that means nothing": (
        "own_room",
        "own room",
        "room_codes.codes.eget-rom: must be 'section', 'own_room' or 'none'",
    ),
    "a time zone that is none": (
        "Europe/Oslo",
        "Europe/Olso",
        "timezone: no time zone is called 'Europe/Olso'; write one like Europe/Oslo",
    ),
    "a schedule that is none": (
        "30 3 * * *",
        "every night",
        "schedule: 'every night' is no cron expression of five fields in numbers; write one like 30 3 * * *",
    ),
    "a schedule at an hour that is none": (
        "30 3 * * *",
        "30 24 * * *",
        "schedule: '30 24 * * *' is no cron expression of five fields in numbers; write one like 30 3 * * *",
    ),
    "a schedule that never comes": (
        "30 3 * * *",
        "30 3 30-31 2 *",
        "schedule: '30 3 30-31 2 *' never comes: no month that it names has such a day",
    ),
    "a number that is none": ('"0184"', '"184A"', "number: is no institution number; write digits, like 0184"),
    "a number without quotes": ('"0184"', "184", "number: must be text; write it in quotes"),
    "text instead of a number": (
        "  dialect:",
        "  page_size: many\n  dialect:",
        "fs.page_size: must be a whole number",
    ),
    "a number that is too large": (
        "  dialect:",
        "  page_size: 5000\n  dialect:",
        "fs.page_size: must not be more than 1000",
    ),
    "a text instead of a list": ("[drift@example.org]", "drift@example.org", "mail.failures: must be a list"),
    "a text instead of a table": (
        "  codes: {eget-rom: own_room, ikke-rom: section}",
        "  codes: section",
        "room_codes.codes: must be a table of settings",
    ),
    "an address that is none": ("drift@example.org", "drift", "mail.failures.0: is no e-mail address"),
    "a dialect that is none": ('"2026"', '"2024"', "fs.dialect: must be '2026' or '2023'"),
    "a connection's id that is none": (
        "fs_fjordvik",
        "fs fjordvik",
        "fs.connection: is no id of an Airflow connection (letters, digits, '_', '.' and '-')",
    ),
    "a key that is not the file's": (
        "key: fjordvik",
        "key: fjord",
        "key: 'fjord' must equal the file's name 'fjordvik'",
    ),
    "a file that is no YAML": ("fs:\n", "fs: ]\n", "line 6, column 5: did not find expected node content"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting_is_one_message_and_the_other_institution_goes_on(what: str, folder: Path) -> None:
    right, wrong, words = WRONG[what]
    _spoil(folder, right, wrong)

    usable, broken = load_institutions(folder)

    assert [one.key for one in usable] == ["granli"]
    assert [(one.key, one.message) for one in broken] == [("fjordvik", _told(words))]


def test_every_problem_of_a_file_is_told_at_once(folder: Path) -> None:
    _spoil(folder, "Europe/Oslo", "Oslo")
    _spoil(folder, "own_room", "own")

    _, [broken] = load_institutions(folder)

    assert broken.message == _told(
        "timezone: no time zone is called 'Oslo'; write one like Europe/Oslo",
        "room_codes.codes.eget-rom: must be 'section', 'own_room' or 'none'",
    )


def test_of_two_files_with_one_number_in_one_canvas_neither_is_used(folder: Path) -> None:
    fjordvik = (folder / "fjordvik.yaml").read_text(encoding="utf-8")
    (folder / "fjordvik2.yaml").write_text(fjordvik.replace("key: fjordvik", "key: fjordvik2"), encoding="utf-8")

    usable, broken = load_institutions(folder)

    words = "number: '184' is also that of {}, in the Canvas root account 'canvas_fjordvik'"
    told = [_told(words.format("fjordvik2.yaml")), _told(words.format("fjordvik.yaml")).replace("vik.", "vik2.", 1)]
    assert [one.key for one in usable] == ["granli"]
    assert [(one.key, one.message) for one in broken] == list(zip(("fjordvik", "fjordvik2"), told, strict=True))


def test_settings_are_taken_apart_once_and_anew_when_the_file_says_something_else(folder: Path) -> None:
    file = folder / "granli.yaml"
    first = load_institution(file)

    assert load_institution(file) is first
    file.write_text(file.read_text(encoding="utf-8").replace("30 3 * * *", "30 4 * * *"), encoding="utf-8")
    assert (first.schedule, load_institution(file).schedule) == ("30 3 * * *", "30 4 * * *")


def test_a_number_with_leading_zeros_is_right_and_loses_them(folder: Path) -> None:
    usable, broken = load_institutions(folder)

    assert ([one.number for one in usable], broken) == (["184", "184"], [])


def _spoil(folder: Path, right: str, wrong: str) -> None:
    path = folder / "fjordvik.yaml"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")


def _told(*problems: str) -> str:
    lines = "".join(f"- fjordvik.yaml: {problem}\n" for problem in problems)
    return f"{len(problems)} problem(s) in the settings:\n{lines} [settings-invalid] {REMEDIES[Code.SETTINGS_INVALID]}"


# -- by the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def check(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs `check --json` in an installation that is otherwise well; returns the exit code and the findings."""
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{folder.parent}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{folder.parent}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", Fernet.generate_key().decode())
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(folder))
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "")
    monkeypatch.setattr("rosterflow.cli.live.pools_of_airflow", lambda: None)
    store = Store(f"sqlite:///{folder.parent}/store.db")
    migrate.upgrade(store)
    store.dispose()

    def run(*words: str) -> tuple[object, dict[str, tuple[bool, str]]]:
        monkeypatch.setattr(sys, "argv", ["rosterflow", "check", "--json", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr().out
        found = json.loads(printed[printed.index("[\n") :])
        return ended.value.code, {one["subject"]: (one["is_good"], one["message"]) for one in found}

    return run


def test_check_tells_a_wrong_setting_in_the_same_words(folder: Path, check: Callable[..., Any]) -> None:
    right, wrong, words = WRONG["a room code that means nothing"]
    _spoil(folder, right, wrong)

    code, found = check()

    assert code == 1
    assert found.pop("settings fjordvik") == (False, _told(words))
    assert {subject: is_good for subject, (is_good, _) in found.items()} == {
        "environment": True,
        "store": True,
        "pages": True,
        "settings granli": True,
    }


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as there:
        yield there


def _connect(monkeypatch: pytest.MonkeyPatch, name: str, kind: str, host: str, **fields: Any) -> None:
    connection = {"conn_type": kind, "host": host, **fields}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))


def _remedied(sentence: str, code: Code) -> str:
    return f"{sentence} {REMEDIES[code]}"


def test_check_live_tells_what_is_wrong_with_each_connection(
    sandbox: RunningSandbox, check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _connect(monkeypatch, "fs_fjordvik", "fs_graphql", f"{sandbox.url}/fs/graphql", login="sandbox", password=SECRET)
    _connect(monkeypatch, "canvas_fjordvik", "canvas", f"{sandbox.url}/canvas", password="sandbox-canvas-readonly")
    _connect(monkeypatch, "canvas_granli", "canvas", f"{sandbox.url}/canvas", password="sandbox-canvas-token")

    code, found = check("--live")

    root = "Reached Canvas and authenticated; root account 'Sandbox University System' is visible."
    apart = (
        "fjordvik and granli are in one Canvas; give them one name under canvas.root, or they write at the same time."
    )
    assert (code, found["fjordvik: root"][0]) == (1, False)
    assert found["fjordvik: root"][1].startswith(apart)
    assert {subject: told for subject, told in found.items() if subject.endswith(("FS", "Canvas", "account"))} == {
        "fjordvik: FS": (
            False,
            _remedied("Test: FS does not accept the user name and password (or key).", Code.UNAUTHORIZED),
        ),
        "fjordvik: Canvas": (False, f"{root} Missing permissions: import_sis, manage_sis."),
        "granli: FS": (False, _remedied("Airflow has no connection 'fs_granli'.", Code.CONNECTION_MISSING)),
        "granli: Canvas": (True, root),
        "granli: account": (True, "FSDEMO is in Canvas"),
    }
