"""Which school days a run reads (issue 5, §5.1; reference coursekey §4.1).

An interval of the schedule stands for the days that begin in it, so that contiguous intervals have every day once, also
where clocks change. All arithmetic is on dates.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """Why a run reads."""

    SCHEDULED = "scheduled"
    BACKFILL = "backfill"
    CHOSEN = "chosen"
    DEEP = "deep"


class Window(NamedTuple):
    """The days a run reads, both inclusive, and what the mail says about why."""

    first: date
    last: date
    notes: tuple[str, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """Every day."""
        return tuple(self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1))


def school_days(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The days of a data interval: that of its start, and every one until the day before its end's.

    :param start: aware, as :param end:.
    """
    first, until = start.astimezone(zone).date(), end.astimezone(zone).date()
    return first, max(first, until - timedelta(days=1))


def window_of(
    first: date, last: date, *, kind: Kind, days_prior: int, last_complete: date | None, cap_days: int, deep_days: int
) -> Window:
    """What a run of some days reads.

    :param days_prior: COURSEKEY_EXPORT_TIME_ATTENDED_DAYS_PRIOR.
    :param last_complete: last day up to which an import was whole; ``None`` when there was none.
    :param cap_days: how far back missed runs are made good.
    :param deep_days: how far the weekly deep pass looks back.
    """
    if kind in (Kind.BACKFILL, Kind.CHOSEN):
        return Window(first, last)
    begin = first - timedelta(days=deep_days if kind is Kind.DEEP else days_prior)
    if last_complete is None or last_complete >= first - timedelta(days=1):
        return Window(begin, last)
    made_good, oldest = last_complete - timedelta(days=days_prior), last - timedelta(days=cap_days)
    missed = f"no import was whole since {last_complete.isoformat()}"
    if made_good >= begin:
        return Window(begin, last, (missed,))
    if made_good >= oldest:
        return Window(made_good, last, (f"{missed}: read from {made_good.isoformat()}",))
    begin = min(begin, oldest)
    return Window(begin, last, (f"{missed}: read from {begin.isoformat()} only, backfill what is before",))


def day_is_over(last: date, now: datetime, zones: Iterable[ZoneInfo]) -> bool:
    """Whether the last day has ended in every zone, the westernmost too."""
    midnight = datetime.combine(last + timedelta(days=1), time.min)
    return all(midnight.replace(tzinfo=zone).astimezone(UTC) <= now for zone in zones)
