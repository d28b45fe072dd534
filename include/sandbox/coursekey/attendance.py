"""The time students attended: records CourseKey makes when sessions are held, and what a person adjusts afterwards.

Source: docs/coursekey-contract.md, CourseKey, export side; reference/coursekey.md §1.4 (adjustments, sessions in
progress, flexible schedules, MidnightShift, late asynchronous work) and §4.1 (worked readings).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sandbox.coursekey.model import FLEXIBLE, Course, Session, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.coursekey.state import CourseKey

COMPLETE, IN_PROGRESS = "complete", "inProgress"
MOST_A_DAY = 8 * 3600
"""The seconds a flexible day counts at most (MaxPerDay); only an adjustment exceeds it."""

ADJUSTMENTS = ("raise", "lower", "zero", "delete")


@dataclass(slots=True, eq=False)
class TimeRecord:
    """One student's time in one session, or for one asynchronous assignment. All moments are aware, times are seconds.

    `changes` are fields of the export that a person set to something else, by their names there.
    """

    id: str
    course: Course
    user: User
    day: date
    updated_at: datetime
    session_id: str | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    check_in: datetime | None = None
    check_out: datetime | None = None
    attended: int = 0
    awarded: int = 0
    available: int = 0
    is_asynchronous: bool = False
    status: str = COMPLETE
    last_activity: datetime | None = None
    is_deleted: bool = False
    is_adjusted: bool = False
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def session_date(self) -> str:
        """The day it is exported on."""
        return str(self.changes.get("sessionDate", self.day))

    def as_json(self) -> dict[str, Any]:
        """The record as the export shows it: course and user as they are now."""
        return {
            "recordID": self.id,
            "schoolID": self.course.school.id,
            "courseID": self.course.id,
            "addCode": self.course.add_code,
            "courseName": self.course.sent["name"],
            "userID": self.user.id,
            "issuedID": self.user.issued_id,
            "email": self.user.email,
            "sessionID": self.session_id,
            "sessionDate": self.day.isoformat(),
            "startTime": _iso(self.starts),
            "endTime": _iso(self.ends),
            "checkIn": _iso(self.check_in),
            "checkOut": _iso(self.check_out),
            "timeAttended": self.attended,
            "timeAwarded": self.awarded,
            "timeAvailable": self.available,
            "attendanceName": self.course.sent.get("attendanceName", ""),
            "isAsynchronous": int(self.is_asynchronous),
            "status": self.status,
            "lastActivity": _iso(self.last_activity),
            "updatedAt": _iso(self.updated_at),
            "isDeleted": int(self.is_deleted),
            **self.changes,
        }


def attend(coursekey: CourseKey, first: date, last: date, now: datetime, seed: int) -> int:
    """Let students attend the sessions of some days, both included, as far as they have begun; return the new records.

    The same seed gives the same times, whatever the order courses and users came in. A session in progress gives a
    record that is not final, which the next call after its end completes.
    """
    with coursekey.lock:
        known = {(row.course.id, row.user.id, row.session_id, row.day): row for row in coursekey.records.values()}
        made = 0
        for course in coursekey.courses.values():
            students = [row.user for row in course.enrollments.values() if row.is_active]
            for record in _held(coursekey, course, students, first, last, now, seed):
                former = known.get((course.id, record.user.id, record.session_id, record.day))
                if former is None:
                    record.id = coursekey.new_id()
                    made += 1
                elif former.status == IN_PROGRESS and record.status == COMPLETE:
                    record.id = former.id
                else:
                    continue
                coursekey.add_record(record)
    return made


def adjust(coursekey: CourseKey, kind: str, count: int, now: datetime) -> list[tuple[TimeRecord, int]]:
    """Let a person adjust so many final records that nobody has adjusted; return each with its awarded time before.

    Asynchronous time is never adjusted. :param kind: one of ADJUSTMENTS; what is deleted is no longer exported.
    """
    with coursekey.lock:
        rows = [
            row
            for row in coursekey.records.values()
            if row.status == COMPLETE and row.awarded and not row.is_asynchronous and not row.is_adjusted
        ]
        rows.sort(key=lambda row: (row.day, row.course.sent["name"], row.user.email))
        adjusted = [(row, row.awarded) for row in rows[:count]]
        for row, before in adjusted:
            row.awarded = {"raise": before + 600, "lower": before // 2}.get(kind, 0)
            row.is_deleted = kind == "delete"
            row.updated_at, row.is_adjusted = now, True
        coursekey.forget_order()
    return adjusted


def _held(
    coursekey: CourseKey, course: Course, students: list[User], first: date, last: date, now: datetime, seed: int
) -> Iterator[TimeRecord]:
    """What the students did in the sessions and assignments of a course on those days."""
    shifts = course.school.id in coursekey.settings.midnight_shift
    for session in course.sessions.values():
        starts, ends = _moments(session)
        if not first <= session.day <= last or starts > now:
            continue
        for user in students:
            luck = _luck(seed, course, user, session.day, session.starts)
            record = TimeRecord("", course, user, session.day, now, session.id, starts, ends)
            record.available = MOST_A_DAY if _is_flexible(course) else _seconds(starts, ends)
            if _visit(record, luck, now, ends):
                yield from _shifted(record) if shifts else (record,)
    if course.sent.get("awardedTime"):
        yield from _assignments(course, students, first, last, now, seed)


def _visit(record: TimeRecord, luck: random.Random, now: datetime, ends: datetime) -> bool:
    """Check a student in and out; False for one who did not come."""
    chance = luck.random()
    if chance < (0.6 if _is_flexible(record.course) else 0.05):
        return False
    assert record.starts is not None
    zone = record.starts.tzinfo
    if _is_flexible(record.course):
        late = timedelta(minutes=luck.randrange(8 * 60, 13 * 60) if chance < 0.97 else 21 * 60 + 30)
        leaves = record.starts.astimezone(UTC) + late + timedelta(minutes=luck.randrange(30, 480))
    else:
        late = timedelta(minutes=luck.randrange(1, 15) if chance < 0.2 else 0)
        leaves = ends.astimezone(UTC)
    comes = record.starts.astimezone(UTC) + late
    if comes > now:
        return False
    record.check_in = record.last_activity = comes.astimezone(zone)
    if leaves > now:
        record.status = IN_PROGRESS
        return True
    if chance > 0.99 and not _is_flexible(record.course):
        return True  # no check-out: nothing is awarded until somebody edits it
    record.check_out = record.last_activity = leaves.astimezone(zone)
    record.attended = _seconds(comes, leaves)
    record.awarded = min(record.attended, record.available)
    return True


def _shifted(record: TimeRecord) -> tuple[TimeRecord, ...]:
    """What MidnightShift makes of a record over midnight: a checked-out one on each day."""
    come, left = record.check_in, record.check_out
    if come is None or left is None or come.date() == left.date():
        return (record,)
    midnight = datetime.combine(left.date(), time(0), left.tzinfo)
    parts = []
    for day, starts, ends in ((come.date(), come, midnight), (left.date(), midnight, left)):
        seconds = _seconds(starts, ends)
        part = TimeRecord("", record.course, record.user, day, record.updated_at, record.session_id)
        part.starts, part.ends, part.available = record.starts, record.ends, record.available
        part.check_in, part.check_out, part.last_activity = starts, ends, ends
        part.attended, part.awarded = seconds, seconds
        parts.append(part)
    return tuple(parts)


def _assignments(
    course: Course, students: list[User], first: date, last: date, now: datetime, seed: int
) -> Iterator[TimeRecord]:
    """One assignment a week, due on Friday and handed in on Wednesday: its time is awarded; late ones earn none."""
    zone = ZoneInfo(course.sent["timeZone"])
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        handed_in = datetime.combine(day, time(20, 15), zone)
        if day.weekday() not in (2, 6) or handed_in > now or not _is_in(course, day):
            continue
        for user in students:
            is_late = _luck(seed, course, user, day - timedelta(days=day.weekday()), time(0)).random() < 0.1
            if is_late != (day.weekday() == 6):
                continue
            record = TimeRecord("", course, user, day, now, last_activity=handed_in, is_asynchronous=True)
            record.available = course.sent["awardedTime"]
            record.awarded = 0 if is_late else record.available
            yield record


def _is_in(course: Course, day: date) -> bool:
    first, last = (datetime.strptime(course.sent[name], "%m/%d/%Y").date() for name in ("startDate", "endDate"))  # noqa: DTZ007  # a date has no zone
    return first <= day <= last


def _is_flexible(course: Course) -> bool:
    return course.sent.get("attendanceName") == FLEXIBLE


def _moments(session: Session) -> tuple[datetime, datetime]:
    """When a session begins and ends; its local times are of its zone, and an earlier end is of the next day."""
    zone = ZoneInfo(session.zone)
    last = session.day + timedelta(days=session.ends <= session.starts)
    starts, ends = datetime.combine(session.day, session.starts, zone), datetime.combine(last, session.ends, zone)
    return starts, ends


def _seconds(starts: datetime, ends: datetime) -> int:
    """The seconds that pass between two moments; of one zone they would be subtracted by the clock on the wall."""
    return round((ends.astimezone(UTC) - starts.astimezone(UTC)).total_seconds())


def _luck(seed: int, course: Course, user: User, day: date, at: time) -> random.Random:
    return random.Random(f"{seed}/{course.school.id}/{course.sent['name']}/{user.email}/{day}/{at}")


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
