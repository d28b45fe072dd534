"""What CourseKey holds: schools under auth keys, their users, and courses with staff, enrollments and sessions.

Source: docs/coursekey-contract.md, CourseKey; reference/coursekey.md §1.3 and §1.4 (the rules of the real one).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date, time

OWNER = "registrar@college.example"
"""A user of every school, by hand: the owner of courses."""

FLEXIBLE = "Flexible Lab"
"""The attendance configuration whose courses make their own sessions, one a day (reference §1.4, flexible schedule)."""


@dataclass(frozen=True, slots=True)
class School:
    """A school of a key; with one attendance configuration only, a course need not name it."""

    id: str
    key: str
    zone: str
    attendance_names: tuple[str, ...]


KEY_1, KEY_2 = "sandbox-coursekey-key-1", "sandbox-coursekey-key-2"
KEYS = (KEY_1, KEY_2)
SEVERAL = ("Lecture", "Internship", FLEXIBLE, "Blended Capstone")
SCHOOLS = {
    school.id: school
    for school in (
        School("548156", KEY_1, "US/Eastern", SEVERAL),
        School("548157", KEY_1, "US/Eastern", ("Lecture",)),
        School("612001", KEY_2, "US/Arizona", SEVERAL),
    )
}
"""Every school by its ID."""


class Refused(Exception):
    """An answer that is not a success: its status, and the code, message and field of its error."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        error = {"code": code, "message": message} | ({"field": field} if field else {})
        self.body: dict[str, Any] = {"error": error}


@dataclass(slots=True, eq=False)
class User:
    """An account at a school; the login is the e-mail. Of a password only that it was set is kept."""

    id: str
    school: School
    first_name: str
    last_name: str
    email: str
    is_teacher: int
    issued_id: str
    welcome_mails: int = 0
    password_was_set: bool = False
    by_hand: bool = False

    def as_json(self) -> dict[str, Any]:
        """The user as the API shows it."""
        return {
            "userID": self.id,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "email": self.email,
            "isTeacher": self.is_teacher,
            "issuedID": self.issued_id,
            "schoolID": self.school.id,
        }


@dataclass(frozen=True, slots=True)
class Membership:
    """That a user is on a course's staff, as its owner or as an admin."""

    user: User
    is_owner: bool = False
    by_hand: bool = False

    def as_json(self) -> dict[str, Any]:
        """The membership as the API lists it."""
        return {**_person(self.user), "isOwner": int(self.is_owner)}


@dataclass(frozen=True, slots=True)
class Enrollment:
    """That a user takes a course, or took it before a drop."""

    user: User
    is_active: bool = True

    def as_json(self) -> dict[str, Any]:
        """The enrollment as the API lists it."""
        return {**_person(self.user), "isActive": int(self.is_active)}


@dataclass(frozen=True, slots=True)
class Session:
    """One dated session; CourseKey itself made it when `is_automatic`. It ends the next day when that is earlier."""

    id: str
    day: date
    starts: time
    ends: time
    zone: str
    is_automatic: bool = False

    def as_json(self) -> dict[str, Any]:
        """The session as the API shows it."""
        return {
            "sessionID": self.id,
            "date": self.day.strftime("%m/%d/%Y"),
            "startTime": clock(self.starts),
            "endTime": clock(self.ends),
            "timeZone": self.zone,
        }


@dataclass(slots=True, eq=False)
class Course:
    """A course: what was sent of it, and who and what belongs to it by user and session ID."""

    id: str
    add_code: str
    school: School
    sent: dict[str, Any]
    by_hand: bool = False
    staff: dict[str, Membership] = field(default_factory=dict)
    enrollments: dict[str, Enrollment] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The course as the API shows it: what was sent, with its ID and join code."""
        return {**self.sent, "courseID": self.id, "addCode": self.add_code}


def clock(moment: time) -> str:
    """A time of day as CourseKey writes it: `H:MM:SS`, 24 hours."""
    return f"{moment.hour}:{moment:%M:%S}"


def _person(user: User) -> dict[str, Any]:
    return {"userID": user.id, "email": user.email, "issuedID": user.issued_id}
