"""The local days of a zone: what lies in them, and how long they are (reference coursekey §3.4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

A_DAY = timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)


class Day(NamedTuple):
    """One local day.

    :param begin: its first moment.
    :param end: the first moment of the day after.
    :param seconds: how long it is: 23, 24 or 25 hours where clocks change.
    :param is_over: whether it had ended when its records were read.
    """

    begin: datetime
    end: datetime
    seconds: int
    is_over: bool


class Days(dict[tuple[date, tzinfo | None], Day]):
    """The local days of a zone, each by the day and the offset in which its moments are told.

    Moments of one offset are compared ten times as fast as those of two, or as one is converted.

    :param read_at: the moment by which a day is over or not.
    """

    def __init__(self, zone: ZoneInfo, read_at: datetime) -> None:
        super().__init__()
        self.zone = zone
        self._read_at = read_at

    def __missing__(self, asked: tuple[date, tzinfo | None]) -> Day:
        """Make a day; the last of the calendar, which has no end, holds nothing."""
        on, offset = asked
        try:
            begin, end = (datetime(one.year, one.month, one.day, tzinfo=self.zone) for one in (on, on + A_DAY))
            seconds = round((end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds())
            day = Day(begin.astimezone(offset), end.astimezone(offset), seconds, end <= self._read_at)
        except OverflowError:
            day = Day(NEVER, NEVER, 86_400, is_over=False)
        self[asked] = day
        return day


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A moment in a zone; at the ends of the calendar, where it has no room, as it is."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment
