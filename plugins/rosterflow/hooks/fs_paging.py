"""Paging of FS's connections, whole or not at all.

What may go wrong, and what comes of it (design §5, GraphQL; FS reference §3.1–§3.5, §13.5):

================================================  ==================================================================
the connection or its ``nodes`` is null           the read fails (``partial-response``)
a node is null                                    handed on as null: the row exists, and the mapping makes a gap of it
people are null, each with an error of its own    handed on as null: somebody is there, and nobody knows who
``pageInfo`` or a needed ``endCursor`` missing    the read fails (``page-info-missing``)
a cursor comes a second time                      the read fails (``cursor-repeated``)
more rows than were asked for                     the read fails (``page-too-large``)
a nested connection is null                       left null, and a gap: what hangs there is unknown
a row is not found again for its nested rows      what came before stays, and a gap
an empty page                                     is a page
================================================  ==================================================================

A read that fails hands nothing on as complete; a read with gaps removes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

import msgspec

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.hooks.fs_operations import Nested, Operation, Row, Variables

Ask = Callable[[Variables, str], Mapping[str, Any]]
"""Runs the operation once with these variables; the text says where in the read it is. Returns GraphQL's ``data``."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a root connection, with every nested connection read to its end.

    :param number: 1 for the first.
    :param nodes: the rows as FS gives them, or each as the JSON that came; a nested connection is
        ``{"nodes": [...]}``.
    :param cursor: where the page starts, ``None`` for the first.
    :param next_cursor: where the next page starts, ``None`` after the last.
    :param total: what FS claims to have in all; only page 1 asks, and FS need not say.
    :param path: the root connection.
    :param gaps: what is unknown on this page, one sentence each.
    """

    number: int
    nodes: list[Any]
    cursor: str | None
    next_cursor: str | None
    total: int | None
    path: str
    gaps: tuple[str, ...] = ()

    @property
    def has_next(self) -> bool:
        """Whether another page follows."""
        return self.next_cursor is not None


@dataclass(slots=True)
class Position:
    """Where a read stands. The reader may lower ``page_size`` between two pages, and keep it to go on later.

    :param page_size: rows asked for in a root page.
    :param number: pages read so far.
    :param after: cursor of the next page, ``None`` before the first.
    :param seen: every cursor so far.
    """

    page_size: int
    number: int = 0
    after: str | None = None
    seen: set[str] = field(default_factory=set)

    def move_to(self, cursor: str, where: str) -> None:
        """Go on to the page after a cursor.

        :raises RetryableError: ``cursor-repeated`` when the read has been there before.
        """
        if cursor in self.seen:
            raise RetryableError(Code.CURSOR_REPEATED, f"{where}: the cursor of an earlier page came again.")
        self.seen.add(cursor)
        self.after = cursor


class _Connection(TypedDict, total=False):
    """A connection whose rows stay JSON."""

    nodes: list[msgspec.Raw] | None
    pageInfo: Any
    totalCount: Any


_with_texts = msgspec.json.Decoder(_Connection).decode


def page_with_texts(connection: msgspec.Raw) -> Any:
    """A connection, of whose rows none need be looked into: each of them stays the JSON that came."""
    try:
        return _with_texts(connection)
    except msgspec.ValidationError:
        return msgspec.json.decode(connection)  # whatever it is instead is told by whoever reads it


def pages(ask: Ask, operation: Operation, variables: Variables, position: Position) -> Iterator[Page]:
    """Read a root connection from a position to its end.

    :param variables: the operation's own; ``first``, ``after`` and ``withTotal`` are added here.
    :param position: stands behind a page when that page is handed on, so that it can be kept to go on from.
    :raises RetryableError: as the table above says.
    """
    while True:
        number = position.number + 1
        where = f"{operation.name}, page {number}"
        asked = {**variables, "first": position.page_size, "withTotal": number == 1}
        if position.after is not None:
            asked["after"] = position.after
        connection = _connection(ask(asked, where), operation.root, where)
        nodes, next_cursor = _content(connection, position.page_size, where)
        reader = _NestedReader(ask, operation, {**asked, "withTotal": False}, where)
        reader.complete(nodes)
        page = Page(
            number, nodes, position.after, next_cursor, connection.get("totalCount"), operation.root, tuple(reader.gaps)
        )
        position.number = number
        if next_cursor is not None:
            position.move_to(next_cursor, where)
        yield page
        if next_cursor is None:
            return


def _connection(owner: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    connection = owner.get(name)
    if not isinstance(connection, Mapping):
        raise RetryableError(Code.PARTIAL_RESPONSE, f"{where}: {name} is null.")
    return connection


def _content(connection: Mapping[str, Any], asked: int, where: str) -> tuple[list[Any], str | None]:
    """The rows of one page and the cursor of the next, or ``None`` when this is the last."""
    nodes, info = connection.get("nodes"), connection.get("pageInfo")
    if not isinstance(nodes, list):
        raise RetryableError(Code.PARTIAL_RESPONSE, f"{where}: nodes is null.")
    if len(nodes) > asked:
        raise RetryableError(Code.PAGE_TOO_LARGE, f"{where}: {len(nodes)} rows, and {asked} were asked for.")
    if not isinstance(info, Mapping) or not isinstance(info.get("hasNextPage"), bool):
        raise RetryableError(Code.PAGE_INFO_MISSING, f"{where}: pageInfo is missing.")
    if not info["hasNextPage"]:
        return nodes, None
    if not info.get("endCursor"):
        raise RetryableError(Code.PAGE_INFO_MISSING, f"{where}: there is a next page, but endCursor is missing.")
    return nodes, info["endCursor"]


@dataclass(frozen=True, slots=True)
class _Step:
    """One step down from the root: the row with this id, which hangs in ``field`` (``""``: in the root itself)."""

    field: str
    id: str


class _NestedReader:
    """Reads the nested connections of one page's rows to their end, and merges them into the rows."""

    def __init__(self, ask: Ask, operation: Operation, variables: dict[str, Any], where: str) -> None:
        self._ask = ask
        self._operation = operation
        self._variables = {name: value for name, value in variables.items() if name != "after"}
        self._where = where
        self.gaps: list[str] = []

    def complete(self, nodes: list[Any]) -> None:
        self._complete("", nodes, self._operation.nested, (), {})

    def _complete(
        self,
        name: str,
        nodes: list[Any],
        nested: tuple[Nested, ...],
        trail: tuple[_Step, ...],
        owners: Variables | None,
    ) -> None:
        if not nested:
            return
        for row in nodes:
            if not isinstance(row, dict):
                continue
            here = (*trail, _Step(name, row.get("id") or ""))
            for each in nested:
                owner = each.owner(row)
                known = {**owners, **owner} if owners is not None and owner is not None else None
                row[each.field] = self._whole(row, each, here, known)

    def _whole(
        self, row: Row, nested: Nested, trail: tuple[_Step, ...], owners: Variables | None
    ) -> dict[str, list[Any]] | None:
        where = f"{self._where}, {nested.field}"
        connection = row.get(nested.field)
        if connection is None:
            self.gaps.append(f"{where}: is null under {_name(row)}; what hangs there is unknown.")
            return None
        size: int = self._variables["nested"]
        nodes, cursor = _content(connection, size, where)
        place = Position(size)
        while cursor is not None:
            place.move_to(cursor, where)
            again = self._found_again(trail, owners, {nested.after: cursor}, where)
            if again is None or again.get(nested.field) is None:
                self.gaps.append(f"{where}: {_name(row)} was not found again for the rest of its rows.")
                break
            more, cursor = _content(again[nested.field], size, where)
            nodes.extend(more)
        self._complete(nested.field, nodes, nested.nested, trail, owners)
        return {"nodes": nodes}

    def _found_again(
        self, trail: tuple[_Step, ...], owners: Variables | None, after: Variables, where: str
    ) -> Row | None:
        """Run the operation for one row alone, with a nested cursor, and find that row in the answer."""
        if owners is None or not all(step.id for step in trail):
            return None
        place = Position(self._variables["first"])
        while True:
            root_after = {"after": place.after} if place.after is not None else {}
            data = self._ask({**self._variables, **owners, **after, **root_after}, where)
            connection = _connection(data, self._operation.root, where)
            nodes, cursor = _content(connection, place.page_size, where)
            if (found := _descend(nodes, trail)) or cursor is None:
                return found
            place.move_to(cursor, where)


def _descend(nodes: list[Any], trail: tuple[_Step, ...]) -> Row | None:
    row = next((row for row in nodes if row is not None and row.get("id") == trail[0].id), None)
    for step in trail[1:]:
        below = ((row or {}).get(step.field) or {}).get("nodes") or []
        row = next((child for child in below if child is not None and child.get("id") == step.id), None)
    return row


def _name(row: Row) -> str:
    return " ".join(str(row[part]) for part in ("kode", "versjonskode", "terminnummer") if row.get(part)) or "a row"
