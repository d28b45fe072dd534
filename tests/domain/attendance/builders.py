"""Records of an evening class, and a ledger that reads are joined to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rosterflow.domain.attendance.ledger import (
    Change,
    Effect,
    Fact,
    FactState,
    Joined,
    ReadOf,
    coverage_after,
    join,
    losses,
)
from rosterflow.domain.attendance.records import FactKey, Sorted, TimeRecord, sort_records

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = (
    ZoneInfo(f"America/{city}") for city in ("New_York", "Chicago", "Denver", "Los_Angeles")
)
ARIZONA = ZoneInfo("US/Arizona")
ZONES = (EASTERN, CENTRAL, MOUNTAIN, PACIFIC, ARIZONA)
CHANGING = ZONES[:4]
FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2026, 3, day) for day in (6, 7, 8, 9))
"""The clocks go forward on the Sunday."""
SPRING, AUTUMN = SUNDAY, date(2026, 11, 1)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LATER = datetime(2026, 12, 1, 9, tzinfo=UTC)
"""A read when all sessions are over."""


def at(on: date, clock: str, zone: ZoneInfo = EASTERN) -> datetime:
    """A local time of a day: ``21:30``."""
    return datetime.combine(on, time.fromisoformat(clock), zone)


def record(on: date = FRIDAY, awarded: int | None = 3600, **fields: Any) -> TimeRecord:
    """The time of student 2001 in session S1 of course C1."""
    usual: dict[str, Any] = {"record_id": "R1", "issued_id": "2001", "session_id": "S1", "awarded": awarded}
    return TimeRecord("C1", "U1", on, **{**usual, **fields})


def stay(come: datetime, leave: datetime, **fields: Any) -> TimeRecord:
    """A stay from check-in to check-out, as long as it really was; the session was just as long."""
    seconds = round((leave.astimezone(UTC) - come.astimezone(UTC)).total_seconds())
    usual = {"starts": come, "ends": leave, "check_in": come, "check_out": leave, "attended": seconds}
    return record(come.date(), **{"awarded": seconds, **usual, **fields})


def sorted_out(*records: TimeRecord, zone: ZoneInfo = EASTERN, read_at: datetime = LATER) -> Sorted:
    """What a read makes of records."""
    return sort_records(records, zone, read_at)


def booked_of(found: Sorted) -> list[tuple[date, int | None]]:
    """Days and seconds of what a read gave, in order of days."""
    return sorted((one.on, one.seconds) for one in found.observations.values())


def reasons(items: Iterable[Any]) -> list[tuple[str, int]]:
    """What was listed: reason and seconds."""
    return [(item.reason, item.seconds) for item in items]


@dataclass
class Ledger:
    """The ledger of one school in the east."""

    facts: dict[FactKey, Fact] = field(default_factory=dict)
    coverage: dict[date, datetime] = field(default_factory=dict)
    reads: int = 0
    zone: ZoneInfo = EASTERN

    def read(
        self,
        *records: TimeRecord,
        read_at: datetime | None = None,
        first: date = FRIDAY,
        last: date = MONDAY,
        is_whole: bool = True,
    ) -> Joined:
        """Join what a read gave; each read is an hour after the one before."""
        self.reads += 1
        moment = read_at or LATER + self.reads * HOUR
        read = ReadOf(self.reads, moment, first, last, is_whole)
        seen = sort_records(records, self.zone, moment).observations
        joined = join(self.facts, seen, read, self.coverage)
        self.facts.update(joined.facts)
        self.coverage.update(coverage_after(read, self.coverage))
        return joined

    def losses(self, *records: TimeRecord, is_whole: bool = True) -> tuple[int, int]:
        """How many facts a read would void, and of how many."""
        moment = LATER + (self.reads + 1) * HOUR
        read = ReadOf(0, moment, FRIDAY, MONDAY, is_whole)
        return losses(self.facts, sort_records(records, self.zone, moment).observations, read, self.coverage)

    def booked(self) -> dict[str, tuple[date, int]]:
        """What is booked, by session."""
        return {f.key.session: (f.on, f.seconds) for f in self.facts.values() if f.state is not FactState.VOID}

    def fact(self, session: str = "S1") -> Fact:
        """The fact of a session."""
        return next(one for one in self.facts.values() if one.key.session == session)


def effects(joined: Joined) -> list[tuple[Effect, int, int]]:
    """What a read did: effect, seconds before and after."""
    return [(one.effect, before(one), one.after.seconds) for one in joined.changes]


def before(change: Change) -> int:
    """The seconds that were booked before a change."""
    return change.before.seconds if change.before else 0
