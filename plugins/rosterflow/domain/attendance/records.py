"""What CourseKey's export says: one record is the time of one student in one session (reference coursekey §5.2).

A record is sorted here by the rules R1, R2 and R10 to R13 of reference coursekey §3.5, before the ledger sees it: into
an :class:`Observation`, or into the list of what was not booked. No second is in neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from rosterflow.domain.attendance.days import Day, Days, local

SHORTEST_DAY = 23 * 3600


class Status(StrEnum):
    """How far a session has come; ``UNREADABLE`` where a malformed record says no more than whose it is."""

    COMPLETE = "complete"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    UNREADABLE = "unreadable"


class TimeRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of the export; moments are aware, times in whole seconds.

    :param issued_id: the Campus Cafe ID, as CourseKey was told.
    :param session_date: the local day by which the export is asked for it.
    :param attended: seconds between check-in and check-out.
    :param awarded: seconds after adjustments; this is what counts, where the profile says so.
    :param available: seconds that the session offered.
    """

    course_id: str
    user_id: str
    session_date: date
    record_id: str = ""
    issued_id: str = ""
    session_id: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    check_in: datetime | None = None
    check_out: datetime | None = None
    attended: int | None = None
    awarded: int | None = None
    available: int | None = None
    is_async: bool = False
    status: Status = Status.COMPLETE
    last_activity: datetime | None = None
    updated_at: datetime | None = None
    is_deleted: bool = False


class Counts(StrEnum):
    """Which of a record's times is booked; a setting of the profile."""

    AWARDED = "awarded"
    ATTENDED = "attended"
    CLOCK = "clock"


class FactKey(NamedTuple):
    """The natural key of a fact within a school (R1)."""

    course_id: str
    session: str
    user_id: str
    kind: str


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One fact as one read saw it.

    :param window: the day by which the export gave it.
    :param on: the local day on which it is booked: that of the session's start (R2).
    :param seconds: ``None`` while the session goes on (R10), or where they could not be read.
    :param is_void: the record says itself that it was deleted or cancelled.
    :param stated: the seconds that the record states, booked or not.
    :param active_on: the local day of the student's last activity, for asynchronous work.
    """

    key: FactKey
    person: str
    window: date
    on: date
    seconds: int | None
    is_void: bool
    record_id: str
    updated_at: datetime | None
    active_on: date | None = None
    stated: int = 0
    is_unreadable: bool = False


class Listed(msgspec.Struct, frozen=True, gc=False):
    """A record, or a part of one, that was not booked, or booked with a remark.

    :param reason: ``duplicate``, ``in-progress``, ``unreadable``, ``negative`` … as in the mail.
    :param seconds: what is not booked because of it; 0 for a remark.
    """

    reason: str
    course_id: str
    person: str
    window: date
    record_id: str
    seconds: int = 0
    detail: str = ""


@dataclass(slots=True)
class Sorted:
    """What one read of one school came to.

    :param observations: by natural key, one each.
    :param listed: what is not booked, with its reason.
    :param remarks: what is booked and worth a look.
    :param seconds_in: the sum over all records as they came.
    """

    observations: dict[FactKey, Observation] = field(default_factory=dict)
    listed: list[Listed] = field(default_factory=list)
    remarks: list[Listed] = field(default_factory=list)
    seconds_in: int = 0

    @property
    def reasons(self) -> Counter[str]:
        """How many records were listed, by reason."""
        return Counter(item.reason for item in self.listed)


def sort_records(
    records: Iterable[TimeRecord], zone: ZoneInfo, read_at: datetime, counts: Counts = Counts.AWARDED
) -> Sorted:
    """Turn the records of one school into observations (R1, R2, R10, R12, R13).

    :param zone: that of the school's auth key, in which its days are.
    :param read_at: when they were read; a session that ends later is still going on.
    :param counts: which time is booked.
    """
    result = Sorted()
    days = Days(zone, read_at)
    for record in records:
        seconds = _seconds(record, counts)
        day = _day(record, days)
        is_void = record.is_deleted or record.status is Status.CANCELLED
        going_on = not is_void and _is_going_on(record, day, read_at)
        if seconds is None and not going_on and not is_void:
            result.listed.append(_listed("no-duration", record))
        elif seconds is not None and seconds < 0:
            result.listed.append(_listed("negative", record, detail=f"{seconds} s"))
        else:
            result.seconds_in += seconds or 0
            booked = 0 if is_void else None if going_on else seconds
            _take(result, _observed(record, day, zone, seconds or 0, booked, is_void))
            if not _is_unremarkable(record, day, seconds or 0):
                result.remarks.extend(_remarks(record, days, seconds or 0))
    for seen in result.observations.values():
        if seen.is_void:
            result.listed.append(_not_booked("deleted", seen))
        elif seen.seconds is None:
            result.listed.append(_not_booked("unreadable" if seen.is_unreadable else "in-progress", seen))
    return result


def _take(result: Sorted, seen: Observation) -> None:
    """Keep one of several records of one fact: the one updated last (R13)."""
    former = result.observations.get(seen.key)
    if former is not None:
        former, seen = sorted((former, seen), key=_age)
        result.listed.append(_not_booked("duplicate", former))
    result.observations[seen.key] = seen


def _not_booked(reason: str, seen: Observation) -> Listed:
    return Listed(reason, seen.key.course_id, seen.person, seen.window, seen.record_id, seen.stated)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _age(seen: Observation) -> tuple[object, ...]:
    """Orders two sightings of one fact the same way whichever came first."""
    is_final = not seen.is_void and seen.seconds is not None
    return seen.updated_at or _LONG_AGO, seen.record_id, is_final, seen.stated, seen.window, seen.on


def _seconds(record: TimeRecord, counts: Counts) -> int | None:
    if counts is Counts.CLOCK:
        if record.check_in is None or record.check_out is None:
            return None
        return round((local(record.check_out, UTC) - local(record.check_in, UTC)).total_seconds())
    first, second = record.awarded, record.attended
    if counts is Counts.ATTENDED:
        first, second = second, first
    return second if first is None else first


def _day(record: TimeRecord, days: Days) -> Day:
    """The day by which the export gives a record, in the offset in which its session's start is told."""
    start = record.starts or record.check_in
    return days[record.session_date, start.tzinfo if start else UTC]


def _is_going_on(record: TimeRecord, day: Day, read_at: datetime) -> bool:
    if record.status is Status.IN_PROGRESS or record.status is Status.UNREADABLE:
        return True
    if record.ends is None or (day.is_over and record.ends <= day.end):
        return False
    return record.ends > read_at


def _observed(
    record: TimeRecord, day: Day, zone: ZoneInfo, stated: int, booked: int | None, is_void: bool
) -> Observation:
    session, on = _placed(record, day, zone)
    return Observation(
        key=FactKey(record.course_id, session, record.user_id, "async" if record.is_async else "sync"),
        person=record.issued_id,
        window=record.session_date,
        on=on,
        seconds=booked,
        is_void=is_void,
        record_id=record.record_id,
        updated_at=record.updated_at,
        active_on=local(record.last_activity, zone).date() if record.is_async and record.last_activity else None,
        stated=stated,
        is_unreadable=record.status is Status.UNREADABLE,
    )


def session_of(record: TimeRecord, days: Days) -> str:
    """What stands for the session in the natural key where the export names none (R1).

    The start instead of an ordinal: it stays what it is when a page before it is missing. What MidnightShift cut off
    has the day with it, because the export gives both parts as one session.
    """
    return _placed(record, _day(record, days), days.zone)[0]


def _placed(record: TimeRecord, day: Day, zone: ZoneInfo) -> tuple[str, date]:
    """The session of a record, and the local day on which it is booked.

    It is the day of the session's start (R2), of what MidnightShift cut off the one on which that begins; the export's
    own day where the two are further apart than zones can be. Hardly any session has another day than the export's.
    """
    start = record.starts
    if record.session_id and start is not None and day.begin <= start < day.end:
        return record.session_id, record.session_date
    start = start or record.check_in
    on = local(start, zone).date() if start else None
    is_later_part = _is_later_part(record, on, zone)
    session = _session(record, start, is_later_part)
    if on is None or is_later_part or abs((on - record.session_date).days) > 1:
        on = record.session_date
    return session, on


def _session(record: TimeRecord, start: datetime | None, is_later_part: bool) -> str:
    day = f" {record.session_date.isoformat()}" if is_later_part else ""
    if record.session_id:
        return record.session_id + day
    if record.record_id:
        return f"record {record.record_id}"
    return f"start {local(start, UTC).isoformat() if start else record.session_date.isoformat()}{day}"


def _is_later_part(record: TimeRecord, on: date | None, zone: ZoneInfo) -> bool:
    """Whether MidnightShift cut it off: it is of the day on which its time begins, its session began before that.

    :param on: the local day of the session's start, or of the check-in where that is not known.
    """
    came = record.check_in
    if came is None or on is None:
        return False
    if record.starts is None:
        return on == record.session_date and local(came, zone).time() == time()
    # The cheapest first: hardly any session began on an earlier day.
    began_before = on < record.session_date and came > record.starts
    return began_before and local(came, zone).date() == record.session_date


def _is_unremarkable(record: TimeRecord, day: Day, seconds: int) -> bool:
    """Whether nothing can be said of a record: it is within one day of 24 hours, and within what was offered."""
    start, end = record.check_in or record.starts, record.check_out or record.ends
    is_within = not start or not end or (day.begin <= start <= end <= day.end and day.seconds == 86_400)
    return is_within and seconds <= SHORTEST_DAY and (not record.available or seconds <= record.available)


def _remarks(record: TimeRecord, days: Days, seconds: int) -> Iterable[Listed]:
    start, end = record.check_in or record.starts, record.check_out or record.ends
    begin, finish = start and local(start, days.zone), end and local(end, days.zone)
    if seconds and begin and finish and _spans_midnight(begin, finish, days.zone):
        yield _listed("spans-midnight", record, detail=f"{seconds} s on the day it began")
    if seconds > SHORTEST_DAY and seconds > days[_placed(record, _day(record, days), days.zone)[1], UTC].seconds:
        yield _listed("longer-than-day", record, detail=f"{seconds} s")
    if record.available and seconds > record.available and not record.is_async:
        yield _listed("more-than-available", record, detail=f"{seconds} s of {record.available} s")
    if begin and finish and _differs_by_the_clock_change(record, begin, finish):
        yield _listed("clock-change", record, detail="an hour more or less than between check-in and check-out")


def _spans_midnight(begin: datetime, finish: datetime, zone: ZoneInfo) -> bool:
    """Whether a stay has seconds of another local day: what ends at midnight has none of the day that begins."""
    on = begin.date()
    if on == finish.date():
        return False
    return on != local(local(finish, UTC) - timedelta(seconds=1), zone).date()


def _differs_by_the_clock_change(record: TimeRecord, begin: datetime, finish: datetime) -> bool:
    if record.attended is None or record.check_in is None or record.check_out is None:
        return False
    if begin.utcoffset() == finish.utcoffset():
        return False
    elapsed = (local(finish, UTC) - local(begin, UTC)).total_seconds()
    return abs(elapsed - record.attended) == 3600


def _listed(reason: str, record: TimeRecord, seconds: int = 0, detail: str = "") -> Listed:
    return Listed(reason, record.course_id, record.issued_id, record.session_date, record.record_id, seconds, detail)
