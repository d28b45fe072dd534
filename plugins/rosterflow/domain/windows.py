"""Terms: which one is in force on a day, the next and the last, their dates, and the scope of a run.

Source: FS reference §3.6 (spelling of term codes) and §8.1 (courses over several terms); issue 2, §2.3 and §2.4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rosterflow.domain.institution import TermWindow
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope


class Betegnelse(IntEnum):
    """The terms of a year in their order; the name is how FS wants them in input (``HOST``)."""

    VAR = 1
    SOM = 2
    HOST = 3

    @property
    def kode(self) -> str:
        """As FS writes it in output, and as it stands in SIS ids: ``VÅR``, ``SOM``, ``HØST``."""
        return _KODE[self]

    @classmethod
    def of(cls, text: str) -> Betegnelse:
        """Read a term code in any of FS's spellings (``HØST``, ``HOST``, ``Høst``).

        :raises ValueError: when it is none of the three terms.
        """
        known = _SPELLINGS.get(text) or _SPELLINGS.get(unicodedata.normalize("NFC", text.strip()).upper())
        if known is None:
            raise ValueError(f"{text!r} is no term; one of VÅR, SOM, HØST")
        return known


_KODE = {Betegnelse.VAR: "VÅR", Betegnelse.SOM: "SOM", Betegnelse.HOST: "HØST"}
_SPELLINGS = {kode: term for term, kode in _KODE.items()} | {term.name: term for term in Betegnelse}


class Semester(NamedTuple):
    """One term of one year; semesters compare in time."""

    arstall: int
    betegnelse: Betegnelse

    @property
    def sis_id(self) -> str:
        """The term's SIS id in Canvas: ``2026_HØST``."""
        return f"{self.arstall}_{_KODE[self.betegnelse]}"

    @classmethod
    def of(cls, sis_id: str) -> Semester:
        """Read a term's SIS id.

        :raises ValueError: when it is not of the form ``2026_HØST``.
        """
        found = re.fullmatch(r"(\d{4})_(\w+)", sis_id)
        if not found:
            raise ValueError(f"{sis_id!r} is no term; write one like 2026_HØST")
        return cls(int(found[1]), Betegnelse.of(found[2]))

    def step(self, count: int) -> Semester:
        """The semester ``count`` steps on (negative: back) over HØST and VÅR; SOM is not counted.

        From SOM one step on is the HØST of its year and one step back its VÅR.
        """
        if count == 0:
            return self
        halves = self.arstall * 2 + (self.betegnelse is Betegnelse.HOST) + count
        if self.betegnelse is Betegnelse.SOM and count < 0:
            halves += 1
        year, autumn = divmod(halves, 2)
        return Semester(year, Betegnelse.HOST if autumn else Betegnelse.VAR)


def first_term(semester: Semester, terminnummer: int) -> Semester:
    """The term in which a course began that is in its term number ``terminnummer`` (from 1) in ``semester``."""
    return semester.step(1 - terminnummer)


def calendar_days(semester: Semester, window: TermWindow) -> tuple[date, date]:
    """First and last day of a term by the institution's calendar; a last day before the first is in the next year."""
    first, last = window.calendar[semester.betegnelse.kode]  # type: ignore[index]  # kode is one of the three keys
    start = _day(semester.arstall, first)
    end = _day(semester.arstall, last)
    return start, end if end >= start else _day(semester.arstall + 1, last)


def _day(year: int, month_day: str) -> date:
    month, day = map(int, month_day.split("-"))
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return date(year, month, 28 if (month, day) == (2, 29) and not is_leap else day)


def term_in_force(day: date, window: TermWindow) -> Semester:
    """The term in force on a local day: the one that began last, so that a gap in the calendar belongs to the past."""
    candidates = (Semester(year, term) for year in (day.year - 1, day.year) for term in Betegnelse)
    return max(
        (s for s in candidates if calendar_days(s, window)[0] <= day),
        key=lambda s: (calendar_days(s, window)[0], s),
    )


def terms_in_scope(day: date, window: TermWindow) -> tuple[Semester, ...]:
    """The terms a daily run covers: the one in force, ``back`` before it and ``ahead`` after it, in order of time.

    HØST and VÅR are counted; a SOM that lies between the first and the last comes along without being counted, since
    summer courses are made before the summer.
    """
    now = term_in_force(day, window)
    first, last = now.step(-window.back), now.step(window.ahead)
    years = range(first.arstall, last.arstall + 1)
    return tuple(s for s in (Semester(y, b) for y in years for b in Betegnelse) if first <= s <= last)


def scope_on(
    day: date,
    window: TermWindow,
    *,
    terms: Iterable[str] = (),
    sources: Iterable[SourceKind] = (),
    emnekoder: Iterable[str] = (),
) -> Scope:
    """The scope of a run on a local day; each of ``terms``, ``sources`` and ``emnekoder`` narrows it when it is given.

    :param terms: SIS ids of terms, instead of the ones in force.
    :param emnekoder: as a person typed them; blanks around them and the way their letters are composed do not count.
    :raises ValueError: when one of them is no term.
    """
    chosen = [Semester.of(term) for term in terms] or terms_in_scope(day, window)
    codes = frozenset(unicodedata.normalize("NFC", code.strip()) for code in emnekoder)
    return Scope(frozenset(s.sis_id for s in chosen), frozenset(sources) or frozenset(SourceKind), codes or None)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Local midnight at which a day begins, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """The last second of a local day, in UTC."""
    return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)


def grace(day: date, window: TermWindow) -> date:
    """A term's last day with the days of grace added."""
    return day + timedelta(days=window.grace_days)
