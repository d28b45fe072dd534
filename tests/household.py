"""A small installation for the tests of mail, housekeeping and command line: an invented college and its store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rosterflow.domain.errors import Code
from rosterflow.domain.institution import Institution
from rosterflow.domain.plan import Change, Plan
from rosterflow.domain.snapshot import Scope
from rosterflow.store import plans, row_errors, runs
from rosterflow.store.engine import Store
from rosterflow.store.row_errors import RowErrorNote
from rosterflow.store.runs import Run
from rosterflow.sync.letters import Letter

NOW = datetime(2026, 9, 1, 6, 30, tzinfo=UTC)
"""Half past eight in the morning in Oslo."""

SCOPE = Scope(frozenset({"2026_HØST", "2027_VÅR"}))

GOLDEN_LINE = "-" * 20


def college(key: str = "fjordvik", **settings: Any) -> Institution:
    """The settings of Høgskolen i Fjordvik, which does not exist."""
    plain: dict[str, Any] = {
        "key": key,
        "name": "Høgskolen i Fjordvik",
        "number": "999",
        "fs": {"connection": "fs_test"},
        "canvas": {"connection": "canvas_test", "account": "HFV"},
        "mail": {"failures": ["drift@fjordvik.example"], "digest": ["studieadm@fjordvik.example"]},
    }
    return Institution.model_validate(plain | settings)


def yaml_of(key: str, **lines: str) -> str:
    """A settings file, each further block given as its YAML text."""
    blocks = {
        "key": key,
        "name": "Høgskolen i Fjordvik",
        "number": "'999'",
        "fs": "{connection: fs_test}",
        "canvas": "{connection: canvas_test, account: HFV}",
        **lines,
    }
    return "".join(f"{name}: {value}\n" for name, value in blocks.items())


class Letterbox:
    """Takes letters instead of a mail server; ``error`` is raised instead, after taking it when it says so."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.error: Exception | None = None

    def __call__(self, letter: Letter) -> None:
        if self.error is not None:
            raise self.error
        self.letters.append(letter)

    @property
    def subjects(self) -> list[str]:
        return [letter.subject for letter in self.letters]


def opened(store: Store, institution: str = "fjordvik", name: str = "scheduled__1", **fields: Any) -> Run:
    """A run that was just opened."""
    at = fields.pop("at", NOW)
    mode = fields.pop("mode", "apply")
    with store.begin() as connection:
        run = runs.open_run(connection, institution, f"fs_canvas_sync__{institution}", name, mode, SCOPE, at)
        if fields:
            runs.add_counts(connection, run.id, **fields)
        return runs.get_run(connection, run.id)


def planned(store: Store, run: Run, changes: Iterable[Change], unchanged: Any = None, at: datetime = NOW) -> int:
    """A plan of a run."""
    made = Plan(tuple(changes), Counter(unchanged or {}))
    with store.begin() as connection:
        return plans.save_plan(connection, run.institution, run.id, made, first_contact=False, now=at)


def trouble(store: Store, subject: str, at: datetime = NOW, code: Code = Code.ROOM_CODE_UNKNOWN, **fields: Any) -> None:
    """An open row error."""
    note = RowErrorNote(
        fields.pop("side", "source"),
        subject,
        code,
        "undervisningsaktivitet",
        "lmsRomkode",
        fields.pop("message", f"The room code 'sal' of {subject} is not in room_codes."),
    )
    with store.begin() as connection:
        row_errors.note(connection, fields.pop("institution", "fjordvik"), [note], at)


def as_golden(letter: Letter) -> str:
    """A letter as the golden files hold it."""
    head = f"To: {', '.join(letter.to)}\nSubject: {letter.subject}\n"
    return f"{head}{GOLDEN_LINE}\n{letter.plain}{GOLDEN_LINE}\n{letter.html}"


def assert_golden(text: str, path: Path) -> None:
    """The text is, to the letter, what the file says; a new file is written to be read and committed."""
    if not path.exists():
        path.write_text(text, encoding="utf-8")
        raise AssertionError(f"{path.name} was missing and has been written: read it, then run again")
    assert text == path.read_text(encoding="utf-8")
