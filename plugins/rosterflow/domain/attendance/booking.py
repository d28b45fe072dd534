"""From the ledger's seconds to rows and last dates of Campus Cafe's attendance (reference coursekey §2.6, §3.5).

Seconds are summed per student, section and day and converted once (R3). Only rows that this import made are its own;
what people made, dates that a person set by hand and registrations that ended are respected, and what is therefore not
written is listed with its seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec

from rosterflow.domain.attendance.ledger import Fact, FactState
from rosterflow.domain.attendance.records import Listed
from rosterflow.domain.coursekey.campus import SectionKey, Standing


class Rounding(StrEnum):
    """What becomes of the seconds of the last minute of a day; an institution's setting."""

    FLOOR = "floor"
    NEAREST = "nearest"
    NONE = "none"


class Time(NamedTuple):
    """Campus Cafe's two fields, which it adds up; minutes have decimals only when nothing is rounded."""

    hours: int
    minutes: Decimal


def time_of(seconds: int, rounding: Rounding) -> Time:
    """A day's seconds in hours and minutes: 5,399 s are 1 h 29 min with ``floor``."""
    if rounding is Rounding.NONE:
        hours, rest = divmod(seconds, 3600)
        return Time(hours, (Decimal(rest) / 60).quantize(Decimal("0.01"), ROUND_DOWN))
    minutes = seconds // 60 if rounding is Rounding.FLOOR else (seconds + 30) // 60
    return Time(minutes // 60, Decimal(minutes % 60))


class RowKey(NamedTuple):
    """One student on one day in one section."""

    section: SectionKey
    person: str
    on: date


class Origin(StrEnum):
    """Who made a row of the attendance module."""

    OURS = "coursekey"
    MANUAL = "manual"
    SELF_SERVICE = "self-service"
    MAKE_UP = "make-up"
    TRANSFERRED = "transferred"
    EXCEPTION = "exception"


TAKES_THE_DAY = frozenset({Origin.MANUAL, Origin.SELF_SERVICE})
"""Rows by hand in whose place ours would stand; the other kinds stand beside it."""


class Seat(msgspec.Struct, frozen=True):
    """How a student stands in a section, as far as attendance asks.

    :param dropped_on: attendance before this day is still written.
    :param manual_last: last date attended as set by a person; later rows are not written (the document's caution).
    :param is_excluded: the section is kept out of the integration.
    """

    standing: Standing
    dropped_on: date | None = None
    manual_last: date | None = None
    is_excluded: bool = False


@dataclass(slots=True)
class Booked:
    """What Campus Cafe should hold of some students and days.

    :param seconds: per row; rows of which nothing is left have 0.
    :param listed: what is not written, with its seconds.
    :param remarks: what is written and worth a look.
    """

    seconds: dict[RowKey, int] = field(default_factory=dict)
    listed: list[Listed] = field(default_factory=list)
    remarks: list[Listed] = field(default_factory=list)


def book(
    facts: Iterable[Fact],
    sections: Mapping[str, SectionKey],
    seats: Mapping[tuple[SectionKey, str], Seat],
    persons: frozenset[str],
    by_hand: Mapping[RowKey, frozenset[Origin]],
    ours: Iterable[RowKey] = (),
) -> Booked:
    """Sum facts per student, section and day, and leave out what must not be written.

    :param facts: all facts of the days in question; void ones make a row of 0.
    :param sections: course id in CourseKey -> section.
    :param seats: what is known of a student in a section; absent: not registered.
    :param persons: Campus Cafe IDs that exist.
    :param by_hand: rows that people made.
    :param ours: rows of ours of the days in question: one whose facts went elsewhere is left with 0.
    """
    booked = Booked()
    seconds: dict[RowKey, int] = defaultdict(int)
    for fact in facts:
        section = sections.get(fact.key.course_id)
        if section is None:
            _leave_out(booked, fact, "unknown-course")
        elif not fact.person or fact.person not in persons:
            _leave_out(booked, fact, "unknown-student")
        elif reason := _not_written(seats.get((section, fact.person)), fact.on):
            _leave_out(booked, fact, reason)
        elif by_hand.get(RowKey(section, fact.person, fact.on), frozenset()) & TAKES_THE_DAY:
            _leave_out(booked, fact, "made-by-hand")
        else:
            key = RowKey(section, fact.person, fact.on)
            seconds[key] += fact.seconds
            if fact.seconds and by_hand.get(key):
                booked.remarks.append(_listed(fact, "maybe-counted-twice", 0))
    for key in ours:
        is_written = key.person in persons and not _not_written(seats.get((key.section, key.person)), key.on)
        if is_written and not by_hand.get(key, frozenset()) & TAKES_THE_DAY:
            seconds.setdefault(key, 0)
    booked.seconds = dict(seconds)
    return booked


def _not_written(seat: Seat | None, on: date) -> str:
    """Why a day of a student in a section is not written; ``""`` when it is."""
    if seat is None or seat.standing is Standing.WAITLISTED:
        return "not-registered"
    if seat.is_excluded:
        return "excluded"
    if seat.standing is Standing.DROPPED and (seat.dropped_on is None or on > seat.dropped_on):
        return "after-drop"
    if seat.manual_last is not None and on > seat.manual_last:
        return "after-last-date"
    return ""


def _leave_out(booked: Booked, fact: Fact, reason: str) -> None:
    if fact.state is not FactState.VOID:
        booked.listed.append(_listed(fact, reason, fact.seconds))


def _listed(fact: Fact, reason: str, seconds: int) -> Listed:
    return Listed(reason, fact.key.course_id, fact.person, fact.on, fact.record_id, seconds)


def to_write(booked: Mapping[RowKey, int], written: Mapping[RowKey, Time], rounding: Rounding) -> dict[RowKey, Time]:
    """The rows that Campus Cafe does not hold yet as they should be; nothing is written for time that never was (R4).

    :param written: rows of ours as Campus Cafe last confirmed them.
    """
    wanted = {key: time_of(seconds, rounding) for key, seconds in booked.items()}
    nothing = Time(0, Decimal(0))
    return {key: time for key, time in wanted.items() if written.get(key, nothing) != time}


class AsyncRule(StrEnum):
    """What makes a day of asynchronous work one that was attended; an institution's setting."""

    TIME = "time"
    ACTIVITY = "activity"


def last_date_attended(facts: Iterable[Fact], rule: AsyncRule, today: date, manual: date | None = None) -> date | None:
    """The latest day with time, of one student in one section (R9); it may move back.

    :param facts: all facts of the student in the section.
    :param rule: with ``activity`` a day counts on which asynchronous work was handed in, even without time.
    :param today: in the school's zone; nothing is attended later.
    :param manual: as set by a person: never passed.
    """
    days = {fact.on for fact in facts if fact.seconds > 0}
    if rule is AsyncRule.ACTIVITY:
        days |= {f.active_on for f in facts if f.active_on and f.state is not FactState.VOID and f.key.kind == "async"}
    latest = min(today, manual) if manual else today
    return max((day for day in days if day <= latest), default=None)
