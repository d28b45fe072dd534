"""The records of one read by session: small, so that a million of them fit, and opened only where something changed."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter
from zoneinfo import ZoneInfo

import msgspec

from rosterflow.domain.attendance.reading import OpenedPage
from rosterflow.domain.attendance.records import FactKey, TimeRecord, session_of
from rosterflow.store.attendance import SessionName


class _Packed(TimeRecord, frozen=True, array_like=True, gc=False):
    """A record without the names of its fields."""


_values = attrgetter(*TimeRecord.__struct_fields__)
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Packed).decode


class Sessions:
    """The records of one read of a school, by session.

    :param pages: in the order in which they came.
    :param zone: that of the school.
    """

    def __init__(self, pages: Iterable[OpenedPage], zone: ZoneInfo) -> None:
        self.records = 0
        self._zone = zone
        self._packed: dict[SessionName, list[bytes]] = defaultdict(list)
        self._pages: dict[SessionName, list[tuple[int, int]]] = defaultdict(list)
        for page in pages:
            self._take(page)

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

    def page_of(self, key: FactKey, record_id: str) -> int:
        """The page that has a record; 0 when none has."""
        name = SessionName(key.course_id, key.session)
        if name not in self._packed:
            return 0
        starts = self._pages[name]
        if len(starts) == 1:
            return starts[0][1]
        for place, record in enumerate(self.records_of([name])):
            if (record.user_id, record.record_id) == (key.user_id, record_id):
                return starts[bisect_right(starts, place, key=lambda start: start[0]) - 1][1]
        return 0

    def _take(self, page: OpenedPage) -> None:
        packed, pages, number = self._packed, self._pages, page.number
        for record in page.records:
            name = SessionName(record.course_id, session_of(record, self._zone))
            mine = packed[name]
            of_session = pages[name]
            if not of_session or of_session[-1][1] != number:
                of_session.append((len(mine), number))
            mine.append(_pack(_values(record)))
        self.records += len(page.records)
