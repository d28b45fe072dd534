"""Reading: checkpoints, page sizes, counts, variables, and the way to typed rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.institution import CanvasSettings, FsSettings, Institution
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.hooks.fs_operations import Operation, Variables, operation_named
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


def test_the_gaps_of_the_reads_reach_the_source() -> None:
    assert source_of(institution(), {"emner": [[]]}, ["a page is unknown"]).gaps == ("a page is unknown",)


def emne(kode: str, versjonskode: str | None = "1") -> dict[str, Any]:
    return {"id": kode, "kode": kode, "versjonskode": versjonskode, "undervisningsenheter": {"nodes": []}}


@pytest.mark.parametrize(("alone", "taught"), [(["A", "B", "C"], ["A"]), (["A"], ["A", "B", "C"])])
def test_emner_that_one_of_two_reads_did_not_list_are_a_gap(alone: list[str], taught: list[str]) -> None:
    pages = {"emner": [[emne(kode) for kode in alone]], "undervisning": [[emne(kode) for kode in taught]]}

    assert source_of(institution(), pages).gaps == (
        "emner and undervisning differ in 2 emner, one is B 1 [rows-missing].",
    )


def test_one_read_of_emner_alone_has_nothing_to_be_compared_with() -> None:
    assert source_of(institution(), {"emner": [[emne("A")]]}).gaps == ()


def test_an_emne_that_one_of_two_reads_could_not_read_is_no_gap() -> None:
    pages = {"emner": [[emne("A"), emne("B")]], "undervisning": [[emne("A"), emne("B", None)]]}

    assert source_of(institution(), pages).gaps == ()


def test_pages_are_taken_one_after_another() -> None:
    taken: list[int] = []

    def pages(mapped: Callable[[], int]) -> Iterator[list[Any]]:
        for number in range(3):
            taken.append(mapped())
            yield [{"arstall": 2026, "betegnelse": {"kode": "HØST"}, "id": str(number)}]

    source_of(institution(), {"terminer": pages(lambda: len(taken))})

    assert taken == [0, 1, 2]
