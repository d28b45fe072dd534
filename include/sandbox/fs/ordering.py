"""Rows in the order of their keys, which a page can be taken from after any position (keyset paging)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from sandbox.fs.keys import sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.fs.keys import ChildKey, Columns, Key

Row = TypeVar("Row")


class Ordered(Protocol[Row]):
    """What a page can be taken from."""

    @property
    def key(self) -> Key[Row]:
        """The key the rows are in the order of."""

    @property
    def institution(self) -> int:
        """The institution whose rows they are."""

    @property
    def rows(self) -> list[Row]:
        """All rows in order."""

    def after(self, columns: Columns | None) -> Iterator[Row]:
        """Yield the rows behind a position, whether a row stands there or not; from the beginning when it is None."""

    def count(self, matches: Callable[[Row], bool] | None) -> int:
        """Return how many rows match; all do when there is nothing to match."""


class Sorted(Generic[Row]):
    """Rows sorted by a key, or against it."""

    __slots__ = ("_descending", "_keys", "institution", "key", "rows")

    def __init__(self, rows: Iterable[Row], key: Key[Row], institution: int, *, descending: bool = False) -> None:
        self.key = key
        self.institution = institution
        keyed = sorted(((sort_key(key.columns(institution, row)), row) for row in rows), key=lambda pair: pair[0])
        self._keys = [each for each, _ in keyed]
        self._descending = descending
        self.rows = [row for _, row in (reversed(keyed) if descending else keyed)]

    def after(self, columns: Columns | None) -> Iterator[Row]:
        """Yield the rows behind a position; from the beginning when there is none."""
        if columns is None:
            return iter(self.rows)
        return islice(self.rows, self.around(columns)[1], None)

    def around(self, columns: Columns) -> tuple[list[Row], int]:
        """Return the rows that stand at a position, one or none as keys are unique, and how many lie up to it."""
        position = sort_key(columns)
        first, last = bisect_left(self._keys, position), bisect_right(self._keys, position)
        if self._descending:
            first, last = len(self._keys) - last, len(self._keys) - first
        return self.rows[first:last], last

    def count(self, matches: Callable[[Row], bool] | None) -> int:
        """Return how many rows match."""
        return len(self.rows) if matches is None else sum(map(matches, self.rows))


class Grouped(Generic[Row]):
    """Rows that lie below owners, in the owners' order, then in their own below each.

    A million rights need no key each, and a filter that concerns the owners looks at no row.
    """

    __slots__ = ("_below", "_owners", "_sorted", "institution", "key")

    def __init__(self, owners: Sorted[Any], below: Callable[[Any], Iterable[Row]], key: ChildKey[Row]) -> None:
        self.key = key
        self.institution = owners.institution
        self._owners = owners
        self._below = below
        self._sorted: dict[Any, list[Row]] = {}

    def within(self, holds: Callable[[Any], bool]) -> Grouped[Row]:
        """Return the rows below the owners that pass a test."""
        owners = [owner for owner in self._owners.rows if holds(owner)]
        chosen = Grouped(Sorted(owners, self._owners.key, self.institution), self._below, self.key)
        chosen._sorted = self._sorted
        return chosen

    @property
    def rows(self) -> list[Row]:
        """All rows in order."""
        return list(self.after(None))

    def after(self, columns: Columns | None) -> Iterator[Row]:
        """Yield the rows behind a position; from the beginning when there is none."""
        if columns is None:
            return self._from(0)
        own = len(self.key.kinds) - len(self._owners.key.kinds)
        begun, passed = self._owners.around(columns[:-own])
        rest = (self._rest(owner, columns[-own:]) for owner in begun)
        return chain(chain.from_iterable(rest), self._from(passed))

    def _rest(self, owner: Any, own: Columns) -> list[Row]:
        rows = self._rows(owner)
        return rows[bisect_right(rows, own, key=self.key.own) :]

    def _from(self, place: int) -> Iterator[Row]:
        return chain.from_iterable(map(self._rows, islice(self._owners.rows, place, None)))

    def _rows(self, owner: Any) -> list[Row]:
        found = self._sorted.get(owner)
        if found is None:
            found = self._sorted[owner] = sorted(self._below(owner), key=self.key.own)
        return found

    def count(self, matches: Callable[[Row], bool] | None) -> int:
        """Return how many rows match."""
        if matches is None:
            return sum(len(self._rows(owner)) for owner in self._owners.rows)
        return sum(map(matches, self.after(None)))
