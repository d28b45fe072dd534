"""Reading people from a real FS over HTTP: every part, every page size, every fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.fs.people import EmneRett, Person, Rolle, UnknownPerson
from rosterflow.domain.fs.people_nodes import people_rows
from rosterflow.domain.institution import TermWindow
from rosterflow.domain.model import SourceKind
from rosterflow.domain.windows import scope_on
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import PEOPLE, Operation, operation_named
from rosterflow.sync.pages import PageStore
from rosterflow.sync.reading import Checkpoint, read_operation, summary_of, variables_for
from rosterflow.sync.reading_people import (
    STRUCTURE_NEEDED,
    Part,
    page_size_of,
    people_parts,
    structure_of,
)
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World
from tests.household import college

KEY = Fernet.generate_key().decode()
SCOPE = scope_on(date(2026, 9, 1), TermWindow())
PATHS = {"2026": "/fs/graphql", "2023": "/fs/2023/graphql"}


@dataclass
class Read:
    """What one run read of people."""

    dialect: str
    parts: list[tuple[Part, list[list[Any]]]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def rows(self, *operations: str) -> list[Any]:
        """Every row, or those of some operations; in an order that does not depend on how the read was split."""
        return sorted(
            (
                row
                for part, pages in self.parts
                if not operations or part.operation in operations
                for row in people_rows(part.operation, self.dialect, chain.from_iterable(pages))
            ),
            key=repr,
        )


class Reader:
    """Reads the people of a sandbox."""

    def __init__(self, url: str, store: PageStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self.store, self.monkeypatch = url, store, monkeypatch
        self.reads = 0

    def __call__(self, *only: str, dialect: str = "2026", **fs: Any) -> Read:
        connection = {"conn_type": "fs_graphql", "host": self.url + PATHS[dialect]}
        connection |= {"login": "sandbox", "password": "sandbox"}
        self.monkeypatch.setenv("AIRFLOW_CONN_FS_TEST", json.dumps(connection))
        there = college(
            number="0184",
            fs={"connection": "fs_test", "dialect": dialect, **fs},
            people={"requires_semester_registration": True},
        )
        read = Read(dialect)
        with FSGraphQLHook("fs_test", settings=there.fs, sleep=lambda _: None) as hook:
            pages = {}
            for name in STRUCTURE_NEEDED[dialect]:
                operation = operation_named(name, dialect)
                pages[name] = self.pages(hook, operation, variables_for(there, SCOPE, operation), 200)[0]
            for part in people_parts(there, SCOPE, structure_of(SCOPE, pages)):
                if not only or part.operation in only:
                    operation = operation_named(part.operation, dialect)
                    found, gaps = self.pages(hook, operation, part.variables, page_size_of(there, operation))
                    read.parts.append((part, found))
                    read.gaps += gaps
        return read

    def pages(
        self, hook: FSGraphQLHook, operation: Operation, variables: dict[str, Any], page_size: int
    ) -> tuple[list[list[Any]], tuple[str, ...]]:
        self.reads += 1
        checkpoint = Checkpoint(self.store, {"read": self.reads})
        kept = list(read_operation(hook, operation, variables, checkpoint, page_size=page_size))
        return [self.store.get(page.name) for page in kept], summary_of(operation.name, kept).gaps


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as running:
        yield running


@pytest.fixture
def reader(sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    yield Reader(sandbox.url, PageStore(str(tmp_path), [KEY]), monkeypatch)
    sandbox.world.faults.clear()


def test_every_operation_is_read_without_a_gap_or_a_problem(reader: Reader) -> None:
    read = reader()

    assert {part.operation for part, _ in read.parts} == set(PEOPLE["2026"])
    assert read.gaps == []
    assert [row for row in read.rows() if isinstance(row, RowProblem)] == []
    assert {row.source for row in read.rows()} == {
        SourceKind.BRUKER,
        SourceKind.EMNESTUDIERETT,
        SourceKind.PROGRAMSTUDIERETT,
        SourceKind.KLASSEMEDLEMSKAP,
        SourceKind.EVU_DELTAKELSE,
        SourceKind.PERSONROLLE,
    }


def test_tiny_pages_give_the_same_rows_as_large_ones(reader: Reader) -> None:
    tiny = reader(page_size=2, people_page_size=7, nested_page_size=1)

    assert tiny.rows() == reader().rows()
    assert tiny.gaps == []
    assert max(len(pages) for _, pages in tiny.parts) > 10


def test_many_small_parts_give_the_same_rights_and_roles_as_one(reader: Reader) -> None:
    operations = ("emne_studieretter", "undervisningsenhetsroller", "program_studieretter", "klassemedlemskap")

    split = reader(*operations, rows_per_task=100)

    assert split.rows() == reader(*operations).rows()
    assert sum(part.operation == "emne_studieretter" for part, _ in split.parts) > 3


def test_everybody_who_may_follow_teaching_or_has_a_role_is_a_user(reader: Reader) -> None:
    rows = reader().rows()
    users = {row.person for row in rows if isinstance(row, Person)}

    assert {row.person for row in rows if isinstance(row, EmneRett)} <= users
    assert {row.person for row in rows if isinstance(row, Rolle) and row.er_aktiv and row.er_fagperson} <= users


def test_the_older_dialect_says_only_that_somebody_is_there(reader: Reader) -> None:
    read = reader(dialect="2023")

    assert read.gaps == []
    assert read.rows()
    assert {(type(row), row.on) for row in read.rows()} == {(UnknownPerson, SourceKind.STUDIEPROGRAM)}


@pytest.mark.parametrize("operation", [name for name in PEOPLE["2026"] if name != "enhetsroller"])
def test_without_access_to_people_nobody_is_gone_and_every_row_is_somebody_unknown_or_a_gap(
    operation: str, reader: Reader, sandbox: RunningSandbox
) -> None:
    before = reader(operation).rows()
    sandbox.world.faults.add(Fault("fs", "no_person_access", count=None))

    after = reader(operation).rows()

    assert len(after) == len(before)
    if operation not in ("brukere", "semesterregistrerte"):
        assert all(isinstance(row, UnknownPerson | RowProblem) for row in after)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("repeated_cursor", Code.CURSOR_REPEATED),
        ("no_page_info", Code.PAGE_INFO_MISSING),
        ("bigger_page", Code.PAGE_TOO_LARGE),
        ("null_list", Code.PARTIAL_RESPONSE),
        ("errors_only", Code.SERVER_ERROR),
        ("html", Code.BAD_RESPONSE),
    ],
)
def test_a_fault_on_a_later_page_fails_the_read(kind: str, code: Code, reader: Reader, sandbox: RunningSandbox) -> None:
    sandbox.world.faults.add(Fault("fs", kind, after=1, count=None, match="emneStudieretter"))

    with pytest.raises(RetryableError) as caught:
        reader("emne_studieretter", people_page_size=20)

    assert caught.value.code is code


def test_an_error_beside_the_rows_that_is_not_about_a_person_fails_the_read(
    reader: Reader, sandbox: RunningSandbox
) -> None:
    sandbox.world.faults.add(Fault("fs", "partial_error", count=None, match="emneStudieretter"))

    with pytest.raises(RetryableError) as caught:
        reader("emne_studieretter")

    assert caught.value.code is Code.PARTIAL_RESPONSE


def test_a_page_that_was_dropped_is_a_gap(reader: Reader, sandbox: RunningSandbox) -> None:
    whole = len(reader("emne_studieretter").rows())
    sandbox.world.faults.add(Fault("fs", "drop_page", after=1, count=1, match="emneStudieretter"))

    assert reader("emne_studieretter", people_page_size=20).gaps == [
        f"emne_studieretter: FS counts {whole} rows, and {whole - 20} arrived [rows-missing]."
    ]


def test_a_null_row_is_a_problem_that_stops_removals(reader: Reader, sandbox: RunningSandbox) -> None:
    sandbox.world.faults.add(Fault("fs", "null_node", count=1, match="emneStudieretter"))

    problems = [row for row in reader("emne_studieretter").rows() if isinstance(row, RowProblem)]

    assert [(problem.code, problem.source) for problem in problems] == [(Code.NULL_NODE, SourceKind.EMNESTUDIERETT)]
