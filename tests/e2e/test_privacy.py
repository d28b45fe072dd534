"""What Airflow keeps, and what is told: references and counts, never what was read, and nobody's name."""

from __future__ import annotations

import re

import pytest

from demo.story import university_of_today
from sandbox.world import Settings, World
from tests.e2e.chapters import Changed, FirstContact, People
from tests.e2e.ground import SEED, Ground, Seen

READ = ("Institutt for", "Fakultet for", "Bachelor i", "organisasjonsenhet\\", "sandbox-canvas-token")
"""Words of every page of the university, and a secret."""


@pytest.fixture
def runs(first_contact: FirstContact, changed: Changed) -> list[Seen]:
    """Runs that read, planned and applied."""
    return [first_contact.run, changed.applied.run]


def test_a_page_is_in_airflows_database_only_as_a_reference(ground: Ground, runs: list[Seen]) -> None:
    pages = ground.metadata("select value from xcom where key like 'page_%'")

    assert len(pages) >= 12
    assert all(str(value).strip('"').startswith("rosterflow-page:xcom/") for (value,) in pages)


def test_no_xcom_of_a_sync_holds_anything_that_was_read(ground: Ground, runs: list[Seen]) -> None:
    values = ground.metadata("select value from xcom where dag_id like 'fs_canvas_sync__%'")

    assert [value for (value,) in values if any(words in str(value) for words in READ)] == []


def test_no_task_log_of_a_sync_holds_anything_that_was_read(ground: Ground, runs: list[Seen]) -> None:
    for run in runs:
        for task in run.states("success"):
            log = ground.log(run, task)
            assert [words for words in READ if words in log] == [], task


def test_pages_lie_encrypted_and_closed_to_others(ground: Ground, runs: list[Seen]) -> None:
    folder = ground.stack.home / "storage"
    files = [path for path in folder.rglob("*") if path.is_file()]

    assert len(files) > 12
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    assert all(path.read_bytes().startswith(b"gAAAA") for path in files)


DAYS = 2
"""Days of change that the story plays."""
WORD = r"[^\W\d_]+"
ADDRESS = r"[\w.+-]+@[\w.-]+\w"
SHORT = 3
"""A name as short as this is a word of other texts, too."""


@pytest.fixture(scope="package")
def personal() -> frozenset[str]:
    """Every word of a name, every login and every address of the sandbox's people, on each day of the story."""
    world = World(Settings(seed=SEED, **university_of_today()))
    found: set[str] = set()
    for _ in range(DAYS + 1):
        for person in world.university.personer:
            identities = (person, person.student, person.fagperson)
            found.update(re.findall(WORD, f"{person.fornavn or ''} {person.etternavn}"))
            found.update(one.feide_bruker for one in identities if one is not None and one.feide_bruker)
            found.add(person.epost or "")
        world.play_day_of_change()
    world.close()
    return frozenset(one.lower() for one in found if len(one) > SHORT)


def told(text: str, personal: frozenset[str]) -> set[str]:
    """What of the people is in a text; JSON's escapes are undone first."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda escape: chr(int(escape[1], 16)), text).lower()
    return {*re.findall(WORD, plain), *re.findall(ADDRESS, plain)} & personal


def test_the_scan_knows_everybody_whom_canvas_has(ground: Ground, people: People, personal: frozenset[str]) -> None:
    users = ground.canvas_rest("/accounts/self/users?per_page=100&include[]=email")
    named = [user for user in users if user["sis_user_id"]]

    assert len(named) > 50
    assert all(len(told(f"{user['name']} {user['login_id']}", personal)) >= 2 for user in named)


def test_no_log_of_airflow_names_anybody(ground: Ground, people: People, personal: frozenset[str]) -> None:
    logs = [path for path in ground.stack.airflow.home.rglob("*.log") if path.stat().st_size]

    assert len([path for path in logs if "read_people" in str(path)]) >= 3
    assert {path.name: found for path in logs if (found := told(path.read_text("utf-8", "replace"), personal))} == {}


def test_no_mail_names_anybody(ground: Ground, people: People, personal: frozenset[str]) -> None:
    mails = ground.get("/mail.json")

    assert [mail["subject"] for mail in mails if "studieadm@folk.example" in mail["recipients"]]
    assert {mail["subject"]: found for mail in mails if (found := told(str(mail), personal))} == {}


@pytest.mark.parametrize("database", ["airflow", "rosterflow"])
def test_no_row_of_a_database_names_anybody(
    ground: Ground, people: People, personal: frozenset[str], database: str
) -> None:
    texts = dict(ground.texts(database))

    assert len(texts) > 10
    assert {table: found for table, text in texts.items() if (found := told(text, personal))} == {}
