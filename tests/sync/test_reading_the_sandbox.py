"""Reading a real FS over HTTP: page sizes, dialects and faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.institution import CanvasSettings, FsSettings, Institution, TermWindow
from rosterflow.domain.windows import scope_on
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import STRUCTURE, operation_named
from rosterflow.sync.pages import PageStore
from rosterflow.sync.reading import Checkpoint, read_operation, source_of, summary_of, variables_for
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World

KEY = Fernet.generate_key().decode()


def institution(dialect: str = "2026", **fs: Any) -> Institution:
    return Institution(
        key="demo",
        name="Demo",
        number="0184",
        fs=FsSettings.model_validate({"connection": "fs_test", "dialect": dialect, **fs}),
        canvas=CanvasSettings(connection="canvas", account="FSDEMO"),
    )


class Reader:
    """Reads whole structures from a sandbox."""

    def __init__(self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self.tmp_path, self.monkeypatch = url, tmp_path, monkeypatch
        self.reads = 0

    def connect(self, dialect: str) -> None:
        path = "/fs/graphql" if dialect == "2026" else "/fs/2023/graphql"
        connection = {"conn_type": "fs_graphql", "host": self.url + path, "login": "sandbox", "password": "sandbox"}
        self.monkeypatch.setenv("AIRFLOW_CONN_FS_TEST", json.dumps(connection))

    def __call__(self, dialect: str = "2026", only: str | None = None, **fs: Any) -> dict[str, Any]:
        """Every operation's rows by operation, beside ``gaps``."""
        self.connect(dialect)
        self.reads += 1
        store = PageStore(str(self.tmp_path / str(self.reads)), [KEY])
        there = institution(dialect, **fs)
        scope = scope_on(date(2026, 9, 1), TermWindow())
        read: dict[str, Any] = {"gaps": [], "pages": {}}
        with FSGraphQLHook("fs_test", settings=there.fs, sleep=lambda _: None) as hook:
            for name in [only] if only else STRUCTURE[dialect]:
                operation = operation_named(name, dialect)
                variables = variables_for(there, scope, operation)
                checkpoint = Checkpoint(store, {"operation": name})
                pages = list(read_operation(hook, operation, variables, checkpoint, page_size=there.fs.page_size))
                read["gaps"] += summary_of(name, pages).gaps
                read["pages"][name] = [store.get(page.name) for page in pages]
        return read


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(World(Settings(size="small"))) as running:
        yield running


@pytest.fixture
def reader(sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    yield Reader(sandbox.url, tmp_path, monkeypatch)
    sandbox.world.faults.clear()


def rows_in(read: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [row for page in pages for row in page] for name, pages in read["pages"].items()}


def test_tiny_pages_give_the_same_rows_as_large_ones(reader: Reader) -> None:
    large = reader()
    tiny = reader(page_size=3, nested_page_size=1)

    assert rows_in(tiny) == rows_in(large)
    assert (tiny["gaps"], large["gaps"]) == ([], [])
    assert len(tiny["pages"]["undervisning"]) > 3
    assert [len(page) for page in tiny["pages"]["undervisning"][:-1]] == [3] * (len(tiny["pages"]["undervisning"]) - 1)


def test_tiny_pages_of_the_older_dialect_give_the_same_rows_as_large_ones(reader: Reader) -> None:
    assert rows_in(reader("2023", page_size=2)) == rows_in(reader("2023"))


@pytest.mark.parametrize("dialect", ["2026", "2023"])
def test_the_source_of_a_run_has_every_kind_of_row_and_no_gaps(dialect: str, reader: Reader) -> None:
    read = reader(dialect)

    source = source_of(institution(dialect), read["pages"], read["gaps"])

    assert (source.gaps, source.problems) == ((), ())
    kinds = ("units", "emner", "undervisningsenheter", "undervisningsaktiviteter", "studieprogram", "kull", "klasser")
    assert [kind for kind in (*kinds, "evu_kurs") if not getattr(source, kind)] == []
    assert bool(source.terminer) is (dialect == "2026")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("partial_error", Code.PARTIAL_RESPONSE),
        ("repeated_cursor", Code.CURSOR_REPEATED),
        ("no_page_info", Code.PAGE_INFO_MISSING),
        ("bigger_page", Code.PAGE_TOO_LARGE),
        ("null_list", Code.PARTIAL_RESPONSE),
        ("html", Code.BAD_RESPONSE),
    ],
)
def test_a_fault_on_the_second_page_fails_the_read(
    kind: str, code: Code, reader: Reader, sandbox: RunningSandbox
) -> None:
    sandbox.world.faults.add(Fault("fs", kind, after=1, count=None))

    with pytest.raises(RetryableError) as caught:
        reader(only="emner", page_size=2)

    assert caught.value.code is code


def test_errors_alone_fail_the_read_when_they_last_and_pass_when_they_do_not(
    reader: Reader, sandbox: RunningSandbox
) -> None:
    whole = reader(only="emner", page_size=2)
    sandbox.world.faults.add(Fault("fs", "errors_only", after=1, count=1))

    assert rows_in(reader(only="emner", page_size=2)) == rows_in(whole)

    sandbox.world.faults.add(Fault("fs", "errors_only", after=1, count=None))
    with pytest.raises(RetryableError) as caught:
        reader(only="emner", page_size=2)
    assert caught.value.code is Code.SERVER_ERROR


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "truncate", "drop_before", "drop_after"])
def test_a_fault_that_passes_leaves_no_trace(kind: str, reader: Reader, sandbox: RunningSandbox) -> None:
    whole = reader(only="emner", page_size=2)
    sandbox.world.faults.add(Fault("fs", kind, after=1, count=1))

    assert reader(only="emner", page_size=2) == whole


def test_a_page_that_was_dropped_is_a_gap(reader: Reader, sandbox: RunningSandbox) -> None:
    whole = rows_in(reader(only="emner", page_size=2))["emner"]
    sandbox.world.faults.add(Fault("fs", "drop_page", after=1, count=1))

    read = reader(only="emner", page_size=2)

    assert read["gaps"] == [f"emner: FS counts {len(whole)} rows, and {len(whole) - 2} arrived [rows-missing]."]


def test_a_total_that_is_null_is_no_gap(reader: Reader, sandbox: RunningSandbox) -> None:
    sandbox.world.faults.add(Fault("fs", "total_count_null", count=None))

    assert reader(only="emner", page_size=2)["gaps"] == []


def test_a_null_node_arrives_as_null_and_becomes_a_gap_of_the_source(reader: Reader, sandbox: RunningSandbox) -> None:
    sandbox.world.faults.add(Fault("fs", "null_node", count=1))

    read = reader(only="evu_kurs")

    assert None in rows_in(read)["evu_kurs"]
    assert read["gaps"] == []
    [gap] = source_of(institution(), read["pages"]).gaps
    assert "is null" in gap
