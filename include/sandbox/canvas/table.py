"""A table of Canvas records with the indices that make every look-up constant time."""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Generic, TypeVar

from sandbox.canvas.objects import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from sandbox.canvas.objects import Write

R = TypeVar("R", bound=Record)

_IN_USE = {
    "sis_id": 'SIS ID "{}" is already in use',
    "integration_id": 'Integration ID "{}" is already in use',
}


class CanvasRefusal(Exception):
    """Canvas does not do it; the message is the one Canvas prints."""


class Table(Generic[R]):
    """Records of one kind by id, by unique fields and by the fields that point to other kinds.

    Fields are read from the records directly and written only with `change`, which keeps indices and
    stickiness right (reference/canvas.md §4). The groups named in `folded` are texts whose case does not matter.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        unique: tuple[str, ...] = (),
        groups: tuple[str, ...] = (),
        folded: tuple[str, ...] = (),
    ):
        self._now = now
        self._folded = folded
        self._rows: dict[int, R] = {}
        self._unique: dict[str, dict[str, R]] = {name: {} for name in unique}
        self._groups: dict[str, dict[object, dict[int, R]]] = {name: {} for name in groups}
        self._last_id = 0

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, record_id: int) -> R:
        return self._rows[record_id]

    def get(self, record_id: int | None) -> R | None:
        """The record with that Canvas id, deleted ones too."""
        return self._rows.get(record_id) if record_id is not None else None

    def by_sis_id(self, sis_id: str | None) -> R | None:
        """The record with that SIS id, deleted ones too: a deleted record keeps its id."""
        return self._unique["sis_id"].get(sis_id) if sis_id is not None else None

    def by_integration_id(self, integration_id: str | None) -> R | None:
        """The record with that integration id, deleted ones too."""
        return self._unique["integration_id"].get(integration_id) if integration_id is not None else None

    def where(self, name: str, value: object) -> list[R]:
        """The records whose indexed field has that value, deleted ones too; a list of its own."""
        return list(self._groups[name].get(self._key(name, value), {}).values())

    def where_all(self, **values: object) -> list[R]:
        """The records whose indexed fields all have those values, in the order of their ids."""
        groups = (self._groups[name].get(self._key(name, value), {}).keys() for name, value in values.items())
        return [self._rows[record_id] for record_id in sorted(reduce(operator.and_, groups))]

    def next_id(self) -> int:
        """The id for a record about to be added."""
        self._last_id += 1
        return self._last_id

    def add(self, row: R, by: Write) -> R:
        """Put a new record in; raises CanvasRefusal when a unique field is taken."""
        self._check_unique(row, {name: getattr(row, name) for name in self._unique})
        self._rows[row.id] = row
        for name in self._unique:
            self._index_unique(name, None, getattr(row, name), row)
        for name, groups in self._groups.items():
            groups.setdefault(self._key(name, getattr(row, name)), {})[row.id] = row
        if by.batch_id is not None:
            row.sis_batch_id = by.batch_id
            if by.sticks:
                row.stuck = frozenset(stick for name, stick in row.STICKY.items() if getattr(row, name))
        if by.seen:
            by.seen(row, None, row.workflow_state)
        return row

    def change(self, row: R, changes: Mapping[str, object], by: Write) -> set[str]:
        """Write those fields as far as stickiness lets, and return the names of the ones that changed.

        A SIS write marks the record as mentioned by its import even when nothing changed.
        Raises CanvasRefusal, before anything is written, when a unique field is taken.
        """
        sticky, stuck = row.STICKY, row.stuck
        writable = {
            name: value
            for name, value in changes.items()
            if getattr(row, name) != value and (by.override or sticky.get(name) not in stuck)
        }
        self._check_unique(row, writable)
        before = row.workflow_state
        for name, value in writable.items():
            self._set(row, name, value)
        if by.clears:
            row.stuck = frozenset()
        elif by.sticks and writable:
            row.stuck = stuck | {sticky[name] for name in writable if name in sticky}
        if by.batch_id is not None:
            row.sis_batch_id = by.batch_id
        if writable:
            row.updated_at = self._now()
        if by.seen and row.workflow_state != before:
            by.seen(row, before, row.workflow_state)
        return set(writable)

    def _check_unique(self, row: R, fields: Mapping[str, object]) -> None:
        for name, index in self._unique.items():
            value = fields.get(name)
            if isinstance(value, str) and index.get(value, row) is not row:
                raise CanvasRefusal(_IN_USE[name].format(value))

    def _set(self, row: R, name: str, value: object) -> None:
        old = getattr(row, name)
        setattr(row, name, value)
        if name in self._unique:
            self._index_unique(name, old, value, row)
        elif name in self._groups:
            groups = self._groups[name]
            del groups[self._key(name, old)][row.id]
            groups.setdefault(self._key(name, value), {})[row.id] = row

    def _key(self, name: str, value: object) -> object:
        return value.casefold() if name in self._folded and isinstance(value, str) else value

    def _index_unique(self, name: str, old: object, new: object, row: R) -> None:
        index = self._unique[name]
        if isinstance(old, str):
            del index[old]
        if isinstance(new, str):
            index[new] = row
