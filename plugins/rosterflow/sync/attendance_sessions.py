"""The records of one read by session: small, so that a million of them fit, and opened only where something changed."""

from __future__ import annotations

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import astuple

from rosterflow.domain.attendance.days import Days
from rosterflow.domain.attendance.ledger import Fact
from rosterflow.domain.attendance.reading import OpenedPage
from rosterflow.domain.attendance.records import TimeRecord, session_of
from rosterflow.store.attendance import SessionName

FASTEST = 1
"""zlib's level."""


class _Packed(TimeRecord, frozen=True, array_like=True, gc=False):
    """A record without the names of its fields."""


# JSON, for msgpack converts each moment to UTC, which costs more than all the rest.
_pack = msgspec.json.Encoder().encode_lines
_unpack = msgspec.json.Decoder(_Packed).decode_lines


class _Part(NamedTuple):
    """The records of a session on one page.

    :param page: its number.
    :param packed: a record a line, compressed, for they are much alike.
    """

    page: int
    records: int
    packed: bytes

    def lines(self) -> bytes:
        return zlib.decompress(self.packed)


class Sessions:
    """The records of one read of a school, by session.

    :param pages: in the order in which they came.
    :param zone: that of the school.
    :param read_at: when they were read.
    """

    def __init__(self, pages: Iterable[OpenedPage], zone: ZoneInfo, read_at: datetime) -> None:
        self.records = 0
        self._parts: dict[SessionName, list[_Part]] = defaultdict(list)
        days = Days(zone, read_at)
        for page in pages:
            self._take(page, days)

    def __contains__(self, name: SessionName) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[SessionName]:
        return iter(self._parts)

    def count(self, name: SessionName) -> int:
        """How many records a session has."""
        return sum(part.records for part in self._parts[name])

    def digest(self, name: SessionName) -> str:
        """A digest of a session's records, whatever the order in which they came."""
        lines = sorted(line for part in self._parts[name] for line in part.lines().splitlines())
        return hashlib.blake2b(b"".join(lines), digest_size=16).hexdigest()

    def records_of(self, names: Iterable[SessionName]) -> Iterator[TimeRecord]:
        """The records of some sessions."""
        return (record for name in names for part in self._parts[name] for record in _unpack(part.lines()))

    def page_of(self, name: SessionName) -> Callable[[Fact], int]:
        """What tells the page that has the record of a fact of a session; 0 when none has."""
        parts = self._parts.get(name, ())
        if len(parts) == 1:
            return lambda _: parts[0].page
        pages = {(record.user_id, record.record_id): part.page for part in parts for record in _unpack(part.lines())}
        return lambda fact: pages.get((fact.key.user_id, fact.record_id), 0)

    def _take(self, page: OpenedPage, days: Days) -> None:
        found: dict[tuple[str, str], list[tuple[object, ...]]] = defaultdict(list)
        for record in page.records:
            found[record.course_id, session_of(record, days)].append(astuple(record))
        for (course_id, session), some in found.items():
            packed = zlib.compress(_pack(some), FASTEST)
            self._parts[SessionName(course_id, session)].append(_Part(page.number, len(some), packed))
        self.records += len(page.records)
