"""The records of one read by session: small, so that a million of them fit, and opened only where something changed."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import astuple

from rosterflow.domain.attendance.days import Days
from rosterflow.domain.attendance.ledger import Fact
from rosterflow.domain.attendance.reading import OpenedPage
from rosterflow.domain.attendance.records import TimeRecord, session_of
from rosterflow.store.attendance import SessionName


class _Packed(TimeRecord, frozen=True, array_like=True, gc=False):
    """A record without the names of its fields."""


# JSON, for msgpack converts each moment to UTC, which costs more than all the rest.
_pack = msgspec.json.Encoder().encode
_unpack = msgspec.json.Decoder(_Packed).decode


class Sessions:
    """The records of one read of a school, by session.

    :param pages: in the order in which they came.
    :param zone: that of the school.
    :param read_at: when they were read.
    """

    def __init__(self, pages: Iterable[OpenedPage], zone: ZoneInfo, read_at: datetime) -> None:
        self.records = 0
        self._packed: dict[SessionName, list[bytes]] = defaultdict(list)
        self._pages: dict[SessionName, list[tuple[int, int]]] = defaultdict(list)
        days = Days(zone, read_at)
        for page in pages:
            self._take(page, days)

    def __contains__(self, name: SessionName) -> bool:
        return name in self._packed

    def __iter__(self) -> Iterator[SessionName]:
        return iter(self._packed)

    def count(self, name: SessionName) -> int:
        """How many records a session has."""
        return len(self._packed[name])

    def digest(self, name: SessionName) -> str:
        """A digest of a session's records, whatever the order in which they came."""
        return hashlib.blake2b(b"".join(sorted(self._packed[name])), digest_size=16).hexdigest()

    def records_of(self, names: Iterable[SessionName]) -> Iterator[TimeRecord]:
        """The records of some sessions."""
        return (_unpack(packed) for name in names for packed in self._packed[name])

    def page_of(self, name: SessionName) -> Callable[[Fact], int]:
        """What tells the page that has the record of a fact of a session; 0 when none has."""
        starts = self._pages.get(name, [(0, 0)])
        if len(starts) == 1:
            return lambda _: starts[0][1]
        pages = {
            (record.user_id, record.record_id): starts[bisect_right(starts, place, key=itemgetter(0)) - 1][1]
            for place, record in enumerate(self.records_of([name]))
        }
        return lambda fact: pages.get((fact.key.user_id, fact.record_id), 0)

    def _take(self, page: OpenedPage, days: Days) -> None:
        found: dict[tuple[str, str], list[bytes]] = defaultdict(list)
        for record in page.records:
            found[record.course_id, session_of(record, days)].append(_pack(astuple(record)))
        for (course_id, session), some in found.items():
            name = SessionName(course_id, session)
            mine = self._packed[name]
            self._pages[name].append((len(mine), page.number))
            mine += some
        self.records += len(page.records)
