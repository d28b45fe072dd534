"""Relay-style connections over sorted rows, and what can be made to go wrong with a page of one.

Sources: FS reference, sections 3.1 to 3.3 and 13; the kinds of fault are the sandbox's contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sandbox.fs import keys
from sandbox.fs.errors import IllegalArgumentError
from sandbox.fs.keys import Columns, Key

if TYPE_CHECKING:
    from typing import TypeAlias

    from graphql import GraphQLResolveInfo

    from sandbox.faults import Fault, Faults
    from sandbox.fs.index import Index
    from sandbox.fs.ordering import Ordered

    Info: TypeAlias = GraphQLResolveInfo["Request"]

Row = TypeVar("Row")

MAX_PAGE = 1000
ROOT_PAGE = 100
NESTED_PAGE = 10
PAGE_FAULTS = (
    "drop_page",
    "bigger_page",
    "repeated_cursor",
    "no_page_info",
    "total_count_high",
    "total_count_null",
)
TOO_MANY = 8


@dataclass(frozen=True, slots=True)
class Cursors:
    """How a dialect writes the position of a row, and reads it."""

    write: Callable[[Key[Any], int, Any], str]
    read: Callable[[str, Key[Any]], Columns]


SORT_COLUMNS = Cursors(lambda key, inst, row: keys.encode_cursor(key.columns(inst, row)), keys.decode_cursor)
NODE_IDS = Cursors(lambda key, inst, row: key.node_id(inst, row), keys.decode_id)


@dataclass(frozen=True, slots=True)
class Request:
    """What the resolvers of one request share."""

    index: Index
    cursors: Cursors
    operation: str
    faults: Faults
    nested_faults: frozenset[str]

    def fault(self, kind: str, info: Info) -> Fault | None:
        """Ask whether a page of the connection being resolved is to go wrong.

        A root connection is told to the faults as `Operation field`, a nested one as `Type.field`, and that only
        when a fault names one by a match with a dot, so that `after` counts root pages otherwise.
        """
        if info.parent_type.name == "Query":
            return self.faults.take("fs", kind, f"{self.operation} {info.field_name}")
        if kind not in self.nested_faults:
            return None
        return self.faults.take("fs", kind, f"{info.parent_type.name}.{info.field_name}")


@dataclass(slots=True)
class Page(Generic[Row]):
    """One page of a connection. `total` counts when it is asked; None leaves `pageInfo` out."""

    rows: list[Row]
    cursor: Callable[[Row], str]
    end_cursor: str | None
    has_next: bool | None
    total: Callable[[], int | None]


def page(
    rows: Ordered[Row],
    matches: Callable[[Row], bool] | None,
    info: Info,
    first: int | None = None,
    after: str | None = None,
) -> Page[Row]:
    """Return the page of the matching rows after a cursor.

    More than 1000 rows are never given, whatever `first` asks; null asks for the default. Raises
    IllegalArgumentError for a cursor that does not fit the order, or a negative `first`.
    """
    request = info.context
    size = _size(first, info)
    found = rows.after(None if after is None else request.cursors.read(after, rows.key))
    if matches is not None:
        found = filter(matches, found)
    if request.fault("bigger_page", info):
        size *= 2
    if request.fault("drop_page", info):
        found = islice(found, size, None)
    ahead = list(islice(found, size + 1))
    shown = ahead[:size]

    def cursor(row: Row) -> str:
        return request.cursors.write(rows.key, rows.institution, row)

    def total() -> int | None:
        count = rows.count(matches)
        if request.fault("total_count_null", info):
            return None
        return count + TOO_MANY if request.fault("total_count_high", info) else count

    has_next: bool | None = len(ahead) > size
    end_cursor = cursor(shown[-1]) if shown else None
    if after is not None and request.fault("repeated_cursor", info):
        end_cursor, has_next = after, True
    if request.fault("no_page_info", info):
        has_next = None
    return Page(shown, cursor, end_cursor, has_next, total)


def _size(first: int | None, info: Info) -> int:
    if first is None:
        first = ROOT_PAGE if info.parent_type.name == "Query" else NESTED_PAGE
    if first < 0:
        raise IllegalArgumentError(f"first must not be negative, was {first}")
    return min(first, MAX_PAGE)


def resolvers() -> dict[str, dict[str, Callable[..., Any]]]:
    """Return the resolvers of `PageInfo`, and under `*Connection` and `*Edge` those of every connection."""
    return {
        "*Connection": {
            "nodes": lambda page, _info: page.rows,
            "edges": lambda page, _info: [(page.cursor, row) for row in page.rows],
            "pageInfo": lambda page, _info: None if page.has_next is None else page,
            "totalCount": lambda page, _info: page.total(),
        },
        "*Edge": {
            "cursor": lambda edge, _info: edge[0](edge[1]),
            "node": lambda edge, _info: edge[1],
        },
        "PageInfo": {
            "endCursor": lambda page, _info: page.end_cursor,
            "startCursor": lambda page, _info: page.cursor(page.rows[0]) if page.rows else None,
            "hasNextPage": lambda page, _info: page.has_next,
            "hasPreviousPage": lambda _page, _info: False,
        },
    }
