"""Reading: checkpoints, page sizes, counts, variables, and the way to typed rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.institution import CanvasSettings, FsSettings, Institution, TermWindow
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import scope_on
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import STRUCTURE, Operation, Variables, operation_named
from rosterflow.hooks.fs_paging import Page, Position
from rosterflow.sync import reading
from rosterflow.sync.pages import PageStore
from rosterflow.sync.reading import (
    Checkpoint,
    KeptPage,
    Summary,
    plain_scope,
    read_operation,
    scope_from,
    source_of,
    summary_of,
    variables_for,
)
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from sandbox.world import Settings, World

EMNER = operation_named("emner", "2026")
KEY = Fernet.generate_key().decode()


@pytest.fixture
def store(tmp_path: Path) -> PageStore:
    return PageStore(str(tmp_path), [KEY])


class Letters:
    """An FS whose rows are letters; cursors are letters too. It can be made to fail behind a page."""

    def __init__(self, rows: str, fails: dict[int, Exception] | None = None, total: int | None = None) -> None:
        self.rows = rows
        self.fails = fails or {}
        self.total = total
        self.asked: list[tuple[int, str | None]] = []

    def pages(self, operation: Operation, variables: Variables, position: Position) -> Iterator[Page]:
        while True:
            if error := self.fails.get(position.number):
                raise error
            self.asked.append((position.page_size, position.after))
            start = self.rows.index(position.after) + 1 if position.after else 0
            rows = self.rows[start : start + position.page_size]
            then = rows[-1] if start + len(rows) < len(self.rows) else None
            total = self.total if position.number == 0 else None
            page = Page(position.number + 1, list(rows), position.after, then, total, operation.root)
            position.number += 1
            if then is not None:
                position.move_to(then, "letters")
            yield page
            if then is None:
                return


def rows_kept(store: PageStore, pages: list[KeptPage]) -> list[str]:
    return ["".join(store.get(page.name)) for page in pages]


def read(fs: Letters, store: PageStore, key: str = "try", page_size: int = 2) -> list[KeptPage]:
    return list(read_operation(fs, EMNER, {}, Checkpoint(store, {"of": key}), page_size=page_size))


def lost_connection() -> RetryableError:
    return RetryableError(Code.UNREACHABLE, "lost")


def test_pages_are_kept_as_they_come(store: PageStore) -> None:
    pages = read(Letters("abcde"), store)

    assert rows_kept(store, pages) == ["ab", "cd", "e"]
    assert [page.rows for page in pages] == [2, 2, 1]
    assert [(page.cursor, page.next_cursor) for page in pages] == [(None, "b"), ("b", "d"), ("d", None)]


def test_a_retry_goes_on_behind_the_last_page_that_was_kept(store: PageStore) -> None:
    with pytest.raises(RetryableError):
        read(Letters("abcdef", fails={2: lost_connection()}), store)
    fs = Letters("abcdef")

    pages = read(fs, store)

    assert rows_kept(store, pages) == ["ab", "cd", "ef"]
    assert fs.asked == [(2, "d")]


def test_a_retry_of_a_read_that_was_done_fetches_nothing(store: PageStore) -> None:
    first = read(Letters("abc"), store)
    fs = Letters("abc")

    assert read(fs, store) == first
    assert fs.asked == []


def test_another_key_reads_afresh(store: PageStore) -> None:
    read(Letters("abc"), store, key="first")
    fs = Letters("xyz")

    assert rows_kept(store, read(fs, store, key="cleared by hand")) == ["xy", "z"]


def test_a_page_that_was_written_but_not_yet_in_the_index_is_fetched_again(store: PageStore) -> None:
    with pytest.raises(RetryableError):
        read(Letters("abcd", fails={1: lost_connection()}), store)
    [kept] = Checkpoint(store, {"of": "try"}).pages
    store.put(kept.name.replace("page_0001", "page_0002"), ["half"])

    assert rows_kept(store, read(Letters("abcd"), store)) == ["ab", "cd"]


@pytest.mark.parametrize("code", [Code.CURSOR_REPEATED, Code.PAGE_INFO_MISSING, Code.PAGE_TOO_LARGE])
def test_a_failure_that_makes_earlier_pages_doubtful_makes_the_next_try_begin_anew(
    code: Code, store: PageStore
) -> None:
    with pytest.raises(RetryableError):
        read(Letters("abcdef", fails={2: RetryableError(code, "odd")}), store)
    fs = Letters("abcdef")

    read(fs, store)

    assert fs.asked[0] == (2, None)


def test_a_cursor_of_an_earlier_try_is_still_known_as_seen(store: PageStore) -> None:
    with pytest.raises(RetryableError):
        read(Letters("abcdef", fails={2: lost_connection()}), store)

    assert Checkpoint(store, {"of": "try"}).position(2) == Position(2, number=2, after="d", seen={"b", "d"})


def test_a_page_that_is_too_large_halves_the_pages_behind_it_also_after_a_retry(
    store: PageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_BYTES", len(json.dumps(list("ab"), separators=(",", ":"))))
    fs = Letters("abcdefghij", fails={2: lost_connection()})
    with pytest.raises(RetryableError):
        read(fs, store, page_size=4)
    again = Letters("abcdefghij")

    pages = read(again, store, page_size=4)

    assert fs.asked == [(4, None), (2, "d")]
    assert again.asked == [(2, "f"), (2, "h")]
    assert rows_kept(store, pages) == ["abcd", "ef", "gh", "ij"]


# Counts


def kept(rows: int, total: int | None = None, gaps: tuple[str, ...] = (), then: str | None = None) -> KeptPage:
    return KeptPage("name", rows, None, then, total, gaps)


def test_a_read_is_summed_up_in_counts_and_cursors() -> None:
    pages = [kept(2, total=5, then="b"), kept(2, then="d"), kept(1)]

    assert summary_of("emner", pages) == Summary("emner", 3, 5, "b", "d", True, ())


@pytest.mark.parametrize("total", [None, 0, 4, 5])
def test_a_total_that_is_null_or_not_above_the_rows_says_nothing(total: int | None) -> None:
    assert summary_of("emner", [kept(5, total=total)]).complete


def test_rows_that_fs_counted_and_did_not_send_are_a_gap() -> None:
    summary = summary_of("emner", [kept(2, total=6, then="b"), kept(2)])

    assert (summary.complete, summary.gaps) == (False, ("emner: FS counts 6 rows, and 4 arrived [rows-missing].",))


def test_a_gap_on_any_page_makes_the_read_incomplete() -> None:
    summary = summary_of("undervisning", [kept(1, gaps=("something is unknown",), then="a"), kept(1)])

    assert (summary.complete, summary.gaps) == (False, ("something is unknown",))


# Variables and scope


def institution(dialect: str = "2026", **fs: Any) -> Institution:
    return Institution(
        key="demo",
        name="Demo",
        number="0184",
        fs=FsSettings.model_validate({"connection": "fs_test", "dialect": dialect, **fs}),
        canvas=CanvasSettings(connection="canvas", account="FSDEMO"),
    )


def test_the_earliest_term_of_the_scope_is_asked_for() -> None:
    scope = Scope(frozenset({"2027_VÅR", "2026_HØST"}))

    assert variables_for(institution(nested_page_size=50), scope, operation_named("undervisning", "2026")) == {
        "organisasjonskode": "184",
        "ikkeUtloptITermin": {"arstall": 2026, "terminbetegnelse": "HOST"},
        "fraTermin": {"arstall": 2026, "betegnelse": "HOST"},
        "nested": 50,
    }


def test_spring_comes_before_summer_and_summer_before_autumn() -> None:
    scope = Scope(frozenset({"2026_HØST", "2026_SOM", "2026_VÅR"}))

    assert variables_for(institution("2023"), scope, operation_named("emner", "2023"))["termin"] == "VAR"


def test_terms_are_read_for_the_years_in_which_courses_of_the_scope_may_begin_or_end() -> None:
    scope = Scope(frozenset({"2027_VÅR", "2026_HØST"}))

    years = variables_for(institution(), scope, operation_named("terminer", "2026"))["arstall"]

    assert years == list(range(2020, 2034))


def test_single_emner_narrow_the_read() -> None:
    scope = Scope(frozenset({"2026_HØST"}), emnekoder=frozenset({"INF-2", "INF-1"}))

    assert variables_for(institution(), scope, EMNER)["emnekoder"] == ["INF-1", "INF-2"]


@pytest.mark.parametrize(
    "scope",
    [
        Scope(frozenset({"2026_HØST", "2027_VÅR"})),
        Scope(frozenset({"2026_HØST"}), frozenset({SourceKind.EMNE, SourceKind.EVU_KURS}), frozenset({"INF-1"})),
    ],
)
def test_a_scope_survives_being_handed_on_as_json(scope: Scope) -> None:
    assert scope_from(json.loads(json.dumps(plain_scope(scope)))) == scope


# Against the sandbox


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


def test_the_gaps_of_the_reads_reach_the_source(reader: Reader) -> None:
    assert source_of(institution(), {"emner": [[]]}, ["a page is unknown"]).gaps == ("a page is unknown",)


def test_pages_are_taken_one_after_another() -> None:
    taken: list[int] = []

    def pages(mapped: Callable[[], int]) -> Iterator[list[Any]]:
        for number in range(3):
            taken.append(mapped())
            yield [{"arstall": 2026, "betegnelse": {"kode": "HØST"}, "id": str(number)}]

    source_of(institution(), {"terminer": pages(lambda: len(taken))})

    assert taken == [0, 1, 2]


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
