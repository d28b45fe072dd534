"""The ledger once more from the evidence, and what the command line shows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rosterflow.cli.app import app
from rosterflow.domain.errors import Code, FatalError
from rosterflow.store.attendance_tables import attendance_session
from rosterflow.sync.attendance_recomputing import Difference, recompute
from tests.domain.coursekey.builders import raw_college
from tests.installed import installed
from tests.sync.attendance_ground import DAY, MONDAY, NIGHT, Ground, exported, ground

HOUR = timedelta(hours=1)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A college after three nights, with a raise, a loss and a read that was cut."""
    with installed(tmp_path, monkeypatch, raw_college()) as one:
        made = ground(one.store)
        first = [exported(f"S{n}", "2001", MONDAY, 600 * n) for n in range(1, 8)]
        made.take(*first, last=MONDAY + DAY)
        made.take(exported("S1", "2001", MONDAY, 7200), *first[1:6], last=MONDAY + DAY, read_at=NIGHT + HOUR)
        made.take(first[0], last=MONDAY, read_at=NIGHT + 2 * HOUR, gaps=("page 2 could not be read",))
        made.write()
        yield made


def check(here: Ground, *, only_check: bool) -> list[Difference]:
    return recompute(here.store, here.college, lambda page: here.pages[page.name], only_check=only_check)


def test_the_evidence_gives_the_same_ledger(here: Ground) -> None:
    assert check(here, only_check=True) == []


def test_a_ledger_that_somebody_changed_is_found_out_and_mended(here: Ground) -> None:
    before = here.booked()
    with here.store.begin() as connection:
        body = attendance_session.c.body
        (text,) = connection.execute(attendance_session.select().with_only_columns(body).limit(1)).one()
        changed = attendance_session.update().where(body == text).values(body=text.replace(",600,", ",666,"))
        connection.execute(changed)
    assert here.booked() != before

    found = check(here, only_check=True)
    assert [(one.person, one.stored, one.evident) for one in found] == [("2001", (MONDAY, 666), (MONDAY, 600))]
    assert here.booked() != before

    check(here, only_check=False)
    assert here.booked() == before
    assert check(here, only_check=True) == []


def test_a_page_that_was_changed_is_no_evidence(here: Ground) -> None:
    name = next(iter(here.pages))
    here.pages[name] = here.pages[name].replace(b"600", b"666")

    with pytest.raises(FatalError) as caught:
        check(here, only_check=True)

    assert caught.value.code is Code.ROWS_MISSING


def test_the_command_line_shows_facts_changes_and_rows_of_a_student_in_a_section(here: Ground) -> None:
    asked = ["attendance", "show", "--student", "2001", "--section", "202610/MTH101/4", "--json"]

    told = json.loads(CliRunner().invoke(app, asked, catch_exceptions=False).stdout)

    assert [(one["session"], one["seconds"], one["state"]) for one in told["ledger"]] == [
        ("S1", 600, "present"),
        *((f"S{n}", 600 * n, "present") for n in range(2, 7)),
        ("S7", 0, "void"),
    ]
    assert told["ledger"][0]["before"].startswith("600 s (present")
    changes = [(one["effect"], one["session"], one["from"], one["to"], one["page"]) for one in told["changes"]]
    assert changes[-3:] == [
        ("raised", "S1", 600, 7200, 1),
        ("voided", "S7", 4200, 0, 0),
        ("lowered", "S1", 7200, 600, 1),
    ]
    assert [(one["on"], one["hours"], one["minutes"], one["state"]) for one in told["campus_cafe"]] == [
        ("2026-09-07", 3, "30", "confirmed")
    ]
