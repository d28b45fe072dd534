"""What CourseKey has, and what it is sent, in our own types: how either is written is the profile's alone.

The vocabulary is that of CourseKey's bulk formats (reference coursekey §1.3). Users and staff are personal data: never
in a log, an error or a history line.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import msgspec


class User(msgspec.Struct, frozen=True):
    """An account in a school.

    :param issued_id: Campus Cafe ID; ``""`` when somebody made the account by hand without one.
    """

    id: str
    first_name: str
    last_name: str
    email: str
    is_teacher: bool
    issued_id: str = ""


class UserData(msgspec.Struct, frozen=True):
    """What an account is to be."""

    first_name: str
    last_name: str
    email: str
    is_teacher: bool
    issued_id: str


class Course(msgspec.Struct, frozen=True):
    """A course in a school.

    :param name: short name, unique in the school.
    :param title: long title.
    :param join_code: what students are enrolled with (``addCode``).
    """

    id: str
    name: str
    title: str
    join_code: str


class CourseData(msgspec.Struct, frozen=True):
    """What a course is to be; local times of ``time_zone``.

    :param starts: ``None`` of a course without hours of its own, as an internship.
    :param weekdays: ``Monday`` … ``Sunday``.
    :param instructor_name: names as text; no account hangs on them.
    :param attendance_name: ``""`` where the school has one attendance configuration only.
    :param awarded_seconds: default time of an asynchronous assignment.
    :param synchronous_hours: contact hours of a blended course.
    :param asynchronous_hours: lab hours of a blended course.
    """

    name: str
    title: str
    first: date
    last: date
    starts: time | None
    ends: time | None
    time_zone: str
    weekdays: tuple[str, ...]
    instructor_name: str
    attendance_name: str = ""
    awarded_seconds: int | None = None
    synchronous_hours: Decimal | None = None
    asynchronous_hours: Decimal | None = None


class StaffMember(msgspec.Struct, frozen=True):
    """Somebody with an instructor's rights in a course; the owner cannot be removed."""

    user_id: str
    email: str
    issued_id: str = ""
    is_owner: bool = False


class Enrolled(msgspec.Struct, frozen=True):
    """A student of a course; a drop leaves the row and takes ``is_active`` away."""

    user_id: str
    email: str
    issued_id: str = ""
    is_active: bool = True


class SessionData(msgspec.Struct, frozen=True):
    """A dated session in local times; one per course, date and start.

    :param ends: may be earlier than ``starts``: the session then ends on the next day.
    """

    on: date
    starts: time
    ends: time
    time_zone: str


class Session(msgspec.Struct, frozen=True):
    """A session that CourseKey has."""

    id: str
    on: date
    starts: time
    ends: time
    time_zone: str


class AttendanceName(msgspec.Struct, frozen=True):
    """The name of an attendance configuration."""

    name: str
