"""Reading FS for one run: page by page, kept as it comes, so that a killed try does not fetch anything twice.

Every page goes to the page store the moment it is read (``checkpoints/<key>/page_0001`` …), with a small index beside
it. A read that begins anew with the same key hands on what is there and goes on behind it. A page is let go when it has
been kept: whoever needs its rows takes them from the store.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.fs import dialect_2023, dialect_2026
from rosterflow.domain.fs.rows import EmneKey, FsSource, UnreadableRow
from rosterflow.domain.fs.rows import source_of as sorted_rows
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import Semester
from rosterflow.hooks.fs_operations import Extent, Operation, Variables, operation_named, variables_of
from rosterflow.hooks.fs_paging import Page, Position
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.pages import PageStore

PAGE_BYTES = 1_000_000
"""A larger page, as JSON, is too much for one XCom (Airflow findings §2); half the rows are asked for behind it."""
SUSPECT = frozenset({Code.CURSOR_REPEATED, Code.PAGE_INFO_MISSING, Code.PAGE_TOO_LARGE})
"""Failures after which what was read before cannot be trusted either: the next try begins anew."""
TWICE_READ = frozenset({"emner", "undervisning"})
"""Operations that list the same emner, so that each can tell whether the other lost a page."""
YEARS_AROUND = 6
"""Courses that run over several terms began, and end, at most this many years from the terms of a run."""

log = logging.getLogger(__name__)
ROWS = {"2026": dialect_2026.rows, "2023": dialect_2023.rows}


class FsReader(Protocol):
    """What pages an operation; :class:`rosterflow.hooks.fs.FSGraphQLHook` is one."""

    def pages(self, operation: Operation, variables: Variables, position: Position) -> Iterator[Page]:
        """Page an operation from a position to its end."""


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page in the page store.

    :param name: its name there; it is the list of rows.
    :param rows: how many, those that are null included.
    :param cursor: where it starts, ``None`` for the first.
    :param next_cursor: where the next one starts, ``None`` for the last.
    :param total: how many rows FS claims to have in all; only the first page says it, and not always.
    :param gaps: what is unknown on it.
    """

    name: str
    rows: int
    cursor: str | None
    next_cursor: str | None
    total: int | None
    gaps: tuple[str, ...]


class Checkpoint:
    """The pages of one read, kept until it is done.

    :param key: what the read is: two reads with one key are tries of the same.
    """

    def __init__(self, store: PageStore, key: Mapping[str, Any]) -> None:
        text = json.dumps(key, sort_keys=True, ensure_ascii=False)
        self._store = store
        self._folder = f"checkpoints/{hashlib.sha256(text.encode()).hexdigest()}"
        self.pages: list[KeptPage] = []
        self.page_size: int | None = None
        """Rows to ask for from here on, when pages turned out too large."""
        self._load()

    @property
    def is_done(self) -> bool:
        """Whether the last page has been kept."""
        return bool(self.pages) and self.pages[-1].next_cursor is None

    def position(self, page_size: int) -> Position:
        """Where the read goes on; ``page_size`` unless smaller pages were needed before."""
        cursors = [page.next_cursor for page in self.pages if page.next_cursor is not None]
        return Position(self.page_size or page_size, len(self.pages), cursors[-1] if cursors else None, set(cursors))

    def keep(self, page: Page, page_size: int) -> KeptPage:
        """Keep a page: first its rows, then the index that speaks of them, so that a kill between loses only the page.

        :param page_size: the rows that were asked for; halved from here on when the page is above ``PAGE_BYTES``.
        """
        name = f"{self._folder}/page_{page.number:04}"
        size = self._store.put(name, page.nodes)
        if size > PAGE_BYTES and page_size > 1:
            self.page_size = page_size // 2
            log.info("%s: page %d has %d bytes; asking for %d rows now", page.path, page.number, size, self.page_size)
        kept = KeptPage(name, len(page.nodes), page.cursor, page.next_cursor, page.total, page.gaps)
        self.pages.append(kept)
        self._store.put(f"{self._folder}/index", {"page_size": self.page_size, "pages": self.pages})
        return kept

    def drop(self) -> None:
        """Forget the read."""
        self._store.delete(self._folder)
        self.pages, self.page_size = [], None

    def _load(self) -> None:
        name = f"{self._folder}/index"
        if self._store.exists(name):
            index = self._store.get(name)
            self.page_size = index["page_size"]
            self.pages = [KeptPage(**{**page, "gaps": tuple(page["gaps"])}) for page in index["pages"]]


def read_operation(
    reader: FsReader, operation: Operation, variables: Variables, checkpoint: Checkpoint, *, page_size: int
) -> Iterator[KeptPage]:
    """Read an operation to its end; what an earlier try has kept is handed on again, not fetched.

    :param page_size: rows to ask for, halved whenever a page turns out too large.
    :raises RosterflowError: as the hook does; nothing of a read that failed may count as complete.
    """
    yield from tuple(checkpoint.pages)
    if checkpoint.is_done:
        return
    position = checkpoint.position(page_size)
    try:
        for page in reader.pages(operation, variables, position):
            kept = checkpoint.keep(page, position.page_size)
            position.page_size = checkpoint.page_size or position.page_size
            yield kept
    except RetryableError as error:
        if error.code in SUSPECT:
            checkpoint.drop()
        raise


@dataclass(frozen=True, slots=True)
class Summary:
    """What a read came to.

    :param complete: whether every row of every connection was seen; only then may anything be removed.
    :param gaps: why not, one sentence each.
    """

    operation: str
    pages: int
    rows: int
    first_cursor: str | None
    last_cursor: str | None
    complete: bool
    gaps: tuple[str, ...]


def summary_of(operation: str, pages: Iterable[KeptPage]) -> Summary:
    """Count the pages of a read that reached its end.

    FS's ``totalCount`` may be null, and may disagree with the rows (FS reference §3.1, §13.5). Null says nothing. Fewer
    than we saw is a known quirk. More than we saw, rows that are null counted as seen, means that rows did not arrive:
    that is a gap, whether the count or the read is at fault.
    """
    kept = list(pages)
    rows = sum(page.rows for page in kept)
    gaps = [gap for page in kept for gap in page.gaps]
    total = kept[0].total if kept else None
    if total is not None and total > rows:
        gaps.append(f"{operation}: FS counts {total} rows, and {rows} arrived [{Code.ROWS_MISSING}].")
    cursors = [page.next_cursor for page in kept if page.next_cursor is not None]
    first, last = (cursors[0], cursors[-1]) if cursors else (None, None)
    return Summary(operation, len(kept), rows, first, last, not gaps, tuple(gaps))


def variables_for(institution: Institution, scope: Scope, operation: Operation) -> dict[str, Any]:
    """The variables that make an operation read a run's scope, without those of paging.

    FS filters on "this term or a later one", so the earliest term of the scope is asked for and the mapping narrows.
    """
    terms = sorted(Semester.of(term) for term in scope.terms)
    first, last = terms[0], terms[-1]
    years = range(first.arstall - YEARS_AROUND, last.arstall + YEARS_AROUND + 1)
    extent = Extent(
        number=institution.number,
        year=first.arstall,
        term=first.betegnelse.name,
        years=tuple(years),
        nested=institution.fs.nested_page_size,
        emnekoder=tuple(sorted(scope.emnekoder)) if scope.emnekoder is not None else None,
    )
    return variables_of(operation, extent)


def operation_of(institution: Institution, name: str) -> Operation:
    """The operation of that name in the institution's dialect."""
    return operation_named(name, institution.fs.dialect)


def plain_scope(scope: Scope) -> dict[str, list[str] | None]:
    """A scope as JSON, to hand it from task to task."""
    return {
        "terms": sorted(scope.terms),
        "sources": sorted(scope.sources),
        "emnekoder": sorted(scope.emnekoder) if scope.emnekoder is not None else None,
    }


def scope_from(plain: Mapping[str, Any]) -> Scope:
    """The scope that :func:`plain_scope` wrote."""
    codes = plain.get("emnekoder")
    return Scope(
        frozenset(plain["terms"]),
        frozenset(SourceKind(source) for source in plain["sources"]),
        frozenset(codes) if codes is not None else None,
    )


@undisturbed
def source_of(
    institution: Institution, operation_pages: Mapping[str, Iterable[list[Any]]], gaps: Iterable[str] = ()
) -> FsSource:
    """Everything a run read, as typed rows.

    :param operation_pages: the pages of each operation, in order; each is asked for when the one before is done with,
        so that never all are in memory.
    :param gaps: what the reads themselves found missing; what they can tell of each other is added.
    """
    rows = ROWS[institution.fs.dialect]
    source = sorted_rows(
        (row for operation, pages in operation_pages.items() for nodes in pages for row in rows(operation, nodes)),
        gaps,
    )
    return replace(source, gaps=(*source.gaps, *_unequal(source))) if operation_pages.keys() >= TWICE_READ else source


def _unequal(source: FsSource) -> Iterator[str]:
    """Emner that only one of the two operations listed: a page of the other was lost, counted or not.

    An emne that FS got between the two reads looks the same, and is worth a day without removals.
    """
    unreadable = {p.known[0] for p in source.problems if isinstance(p, UnreadableRow) and p.known}
    sides: dict[bool, set[EmneKey]] = {True: set(), False: set()}
    for emne in source.emner:
        if emne.key.kode not in unreadable:
            sides[emne.fra_undervisning].add(emne.key)
    if lone := sorted(sides[True] ^ sides[False]):
        example = " ".join(lone[0])
        yield f"emner and undervisning differ in {len(lone)} emner, one is {example} [{Code.ROWS_MISSING}]."
