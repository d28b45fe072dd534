"""The two ports of the outbound queue: what Campus Cafe is read through, and what CourseKey is told through.

Neither vendor's interface is public; what stands behind a port is one adapter with one declarative profile
(``docs/coursekey-contract.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rosterflow.domain.coursekey.campus import Reading, Resource
from rosterflow.domain.coursekey.remote import (
    Course,
    CourseData,
    Enrolled,
    Session,
    SessionData,
    StaffMember,
    User,
    UserData,
)
from rosterflow.domain.errors import Code, RetryableError


class UnknownOutcome(RetryableError):
    """Something was sent that may or may not have happened: look it up before it is sent again (coursekey §5.3)."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.OUTCOME_UNKNOWN, message)


class CampusCafe(Protocol):
    """What a college knows: the HTTP hook or the folder of CSV files."""

    def read(self, resource: Resource, *, modified_since: datetime | None, semesters: Sequence[str]) -> Reading:
        """All records of a resource, or those that changed.

        :param modified_since: inclusive; ``None`` reads everything, which alone can show that something is gone.
        :param semesters: six-digit codes to read; empty reads every semester. Persons are of no semester.
        :returns: what could be read; a page that failed is a gap in it and no error.
        :raises FatalError: when nothing can be read: no connection, a refused token, no such folder.
        :raises RetryableError: when nothing could be read now.
        """

    def initial_password(self, person_id: str) -> str | None:
        """The password a new account is to begin with; ``None`` when the person has none.

        It is for one call to CourseKey alone: never kept, logged or shown.
        """


class CourseKey(Protocol):
    """The roster side of CourseKey under one auth key (reference coursekey §5.2).

    Every method raises ``RowError`` when CourseKey refuses this one thing, ``FatalError`` when the key cannot be used
    at all, ``RetryableError`` when it may go through later, and of these ``UnknownOutcome`` when it may have happened.
    """

    async def find_user(self, school: str, *, email: str = "", issued_id: str = "") -> User | None:
        """The account with this e-mail address, or with this Campus Cafe ID."""

    async def create_user(
        self, school: str, data: UserData, *, welcome: bool = False, password: str | None = None
    ) -> User:
        """Make an account; ``welcome`` has CourseKey mail its owner how to log in."""

    async def update_user(self, school: str, user_id: str, data: UserData) -> None:
        """Bring an account up to date; never mails and never touches a password."""

    async def find_course(self, school: str, name: str) -> Course | None:
        """The course with exactly this short name."""

    async def course(self, school: str, course_id: str) -> Course | None:
        """A course by its id; ``None`` when it is gone."""

    async def create_course(self, school: str, data: CourseData, *, owner: str, admins: Sequence[str] = ()) -> Course:
        """Make a course.

        :param owner: e-mail address of an account of the school.
        :param admins: e-mail addresses of accounts of the school.
        """

    async def update_course(self, school: str, course_id: str, data: CourseData) -> None:
        """Bring a course up to date; owner and admins stay as they are."""

    async def staff(self, school: str, course_id: str) -> tuple[StaffMember, ...]:
        """Everybody with an instructor's rights in a course, its owner too."""

    async def add_staff(self, school: str, course_id: str, email: str) -> None:
        """Give somebody an instructor's rights in a course. Adding twice is no error."""

    async def remove_staff(self, school: str, course_id: str, user_id: str) -> bool:
        """Take these rights away; whether the person had them. CourseKey refuses it of the owner."""

    async def enrollments(self, school: str, course_id: str) -> tuple[Enrolled, ...]:
        """The students of a course, dropped ones too."""

    async def enroll(self, school: str, course: Course, email: str) -> None:
        """Enroll a student, with a student's rights: there is no way to ask for others. Twice is no error."""

    async def drop(self, school: str, course: Course, email: str) -> bool:
        """Drop a student; whether there was somebody to drop."""

    async def sessions(self, school: str, course_id: str) -> tuple[Session, ...]:
        """The sessions of a course."""

    async def set_session(self, school: str, course_id: str, data: SessionData) -> Session:
        """Make a session, or set its end when there is one on that date and start."""

    async def cancel_session(self, school: str, course_id: str, session_id: str) -> bool:
        """Cancel a session; whether there was one."""

    async def attendance_names(self, school: str) -> tuple[str, ...] | None:
        """Names of the school's attendance configurations; ``None`` when this CourseKey does not tell them."""
