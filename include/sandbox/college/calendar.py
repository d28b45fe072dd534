"""The days of the college: its terms, and the meetings a weekly pattern makes of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Term:
    """A semester with its first and last day of teaching."""

    code: str
    description: str
    first: date
    last: date

    @property
    def days(self) -> dict[str, str]:
        """Its dates as records have them."""
        return {"beginDate": self.first.isoformat(), "endDate": self.last.isoformat()}

    @property
    def half(self) -> tuple[date, date]:
        """The first and the last day of its second half."""
        return self.first + 8 * WEEK, self.last


def first_monday(day: date) -> date:
    """Return the first Monday on or after a day."""
    return day + timedelta(days=-day.weekday() % 7)


@cache
def meetings(first: date, last: date, days: tuple[str, ...], starts: str, ends: str) -> list[dict[str, Any]]:
    """Return every meeting of a weekly pattern; those on Thanksgiving and the day after are cancelled.

    The list is shared by all sections of that pattern, so it is replaced and never edited.
    """
    held = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        {
            "date": day.isoformat(),
            "startTime": starts,
            "endTime": ends,
            "isCancelled": day - timedelta(days=day > _thanksgiving(day.year)) == _thanksgiving(day.year),
        }
        for day in held
        if WEEKDAYS[day.weekday()] in days
    ]


def _thanksgiving(year: int) -> date:
    """The fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7) + 3 * WEEK
