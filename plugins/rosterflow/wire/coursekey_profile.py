"""CourseKey's HTTP interface as one table of facts (docs/coursekey-contract.md; reference coursekey §5).

The vendor's contract is not public, so this is our first guess. Whatever its answer may change stands here and nowhere
else (§5.7): paths and verbs, names of fields, how values are written, how lists are paged, what errors look like, and
how fast we may ask. :mod:`rosterflow.wire.coursekey_json` reads it; ``rosterflow.hooks.coursekey`` sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Way(StrEnum):
    """How a value is written; the profile says what each of them looks like."""

    TEXT = "text"
    DATE = "date"
    TIME = "time"
    FLAG = "flag"
    LIST = "list"
    WEEKDAYS = "weekdays"
    NUMBER = "number"
    DURATION = "duration"


class Operation(StrEnum):
    """What can be asked of CourseKey: of the roster side, and at last of the export side."""

    FIND_USERS = "find users"
    CREATE_USER = "create a user"
    UPDATE_USER = "update a user"
    FIND_COURSES = "find courses"
    COURSE = "look up a course"
    CREATE_COURSE = "create a course"
    UPDATE_COURSE = "update a course"
    STAFF = "list the staff of a course"
    ADD_STAFF = "add staff to a course"
    REMOVE_STAFF = "remove staff from a course"
    ENROLLMENTS = "list the enrollments of a course"
    ENROLL = "enroll a student"
    DROP = "drop a student"
    SESSIONS = "list the sessions of a course"
    SET_SESSION = "set a session"
    CANCEL_SESSION = "cancel a session"
    ATTENDANCE_NAMES = "list attendance names"
    TIME_ATTENDED = "export the time attended"


class Problem(StrEnum):
    """What CourseKey finds wrong, whatever its own word for it is."""

    BAD_KEY = "bad key"
    FOREIGN_SCHOOL = "foreign school"
    UNKNOWN_SCHOOL = "unknown school"
    UNKNOWN_COURSE = "unknown course"
    UNKNOWN_USER = "unknown user"
    UNKNOWN_OWNER = "unknown owner"
    UNKNOWN_ATTENDANCE_NAME = "unknown attendance name"
    BAD_ZONE = "bad zone"
    MISSING_EMAIL = "missing e-mail"
    EMAIL_TAKEN = "e-mail taken"
    ISSUED_ID_TAKEN = "issued ID taken"
    NAME_TAKEN = "name taken"
    OWNER_PROTECTED = "owner protected"
    ALREADY_SO = "already so"
    NOTHING_THERE = "nothing there"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Field:
    """One of their fields.

    :param name: their name.
    :param way: how its value is written.
    :param is_personal: whether its value must never be seen in a message.
    """

    name: str
    way: Way = Way.TEXT
    is_personal: bool = False


Fields = Mapping[str, Field]
"""Their fields by our names."""


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on the wire.

    :param path: below the prefix, with our names in braces.
    :param fields: fields of what is sent and of what comes back.
    :param sends: our names of what is sent: in the query of GET and DELETE, in the body of all others.
    :param fixed: what is always sent with it, in their words.
    :param repeatable: whether sending it twice is the same as sending it once.
    """

    method: str
    path: str
    fields: Fields
    sends: tuple[str, ...] = ("school",)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    repeatable: bool = True

    @property
    def has_body(self) -> bool:
        """Whether what is sent goes into the body."""
        return self.method not in ("GET", "DELETE")


@dataclass(frozen=True, slots=True)
class Bulk:
    """An operation on many things in one call; each of them has its own result.

    :param items: the field of what is sent that holds the things; ``None`` sends the list itself.
    :param shared: our names of what is said once, beside the things.
    :param results: the field of the answer that holds the results, in the order in which the things were sent; ``None``
        when the answer is the list itself.
    :param status: the field of a result that holds the status which its own call would have had.
    :param body: the field of a result that holds what its own call would have answered; ``None``: the result does.
    :param most: how many things one call takes at most.
    """

    method: str
    path: str
    items: str | None = "items"
    shared: tuple[str, ...] = ()
    results: str | None = "results"
    status: str = "status"
    body: str | None = None
    most: int = 100


class Place(StrEnum):
    """Where the auth key is sent."""

    HEADER = "header"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the auth key is sent: ``<name>: <scheme> <key>`` in a header, or ``name=key`` in the query."""

    name: str
    place: Place = Place.HEADER
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """What values look like.

    :param date: pattern of ``strftime``.
    :param time: pattern of ``strftime`` for a time of day.
    :param true: how a flag says yes.
    :param false: how a flag says no.
    :param separator: what joins a list into a text; ``None`` sends a JSON list.
    :param weekdays: their word for each of ours.
    :param seconds_in_duration: how many seconds one of their duration is: 1, or 60 for minutes.
    """

    date: str = "%m/%d/%Y"
    time: str = "%H:%M:%S"
    true: Any = 1
    false: Any = 0
    separator: str | None = "|"
    weekdays: Mapping[str, str] = field(
        default_factory=lambda: {
            day: day for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        }
    )
    seconds_in_duration: int = 1


@dataclass(frozen=True, slots=True)
class Listing:
    """How lists come.

    :param items: the field the items are in; ``None`` when the answer is the list itself.
    :param next: the field of the next page's cursor; ``None`` when pages are counted.
    :param parameter: the query parameter of the cursor, or of the page's number.
    :param page_size: with counted pages, how many items a full page has: a shorter one is the last.
    :param size_parameter: the query parameter of ``page_size``.
    """

    items: str | None = "data"
    next: str | None = "nextCursor"
    parameter: str = "cursor"
    page_size: int | None = None
    size_parameter: str | None = None


@dataclass(frozen=True, slots=True)
class Errors:
    """What errors look like.

    :param code: where in the body their code is.
    :param message: where their words are.
    :param field: where the field that they are about is.
    :param success: a field that is false in an answer of status 200 which is an error; ``None`` when there is none.
    :param meanings: what their codes mean; any other is :attr:`Problem.INVALID`.
    :param unusable_key: statuses that say that the key cannot be used.
    :param try_again: statuses that may pass.
    :param not_done: those of them at which surely nothing happened.
    """

    code: tuple[str, ...]
    message: tuple[str, ...]
    field: tuple[str, ...]
    success: str | None
    meanings: Mapping[str, Problem]
    unusable_key: frozenset[int] = frozenset({401, 403})
    try_again: frozenset[int] = frozenset({408, 425, 429})
    not_done: frozenset[int] = frozenset({425, 429})

    def may_pass(self, status: int) -> bool:
        """Whether the same call may go through later."""
        return status >= 500 or status in self.try_again


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast we may ask with one auth key; its connection may say otherwise.

    :param calls_per_second: how many calls are begun in a second at most.
    :param concurrent_calls: how many are under way at once at most.
    :param attempts: how often a call that is safe to repeat is sent at most.
    """

    calls_per_second: float = 10
    concurrent_calls: int = 4
    attempts: int = 4


@dataclass(frozen=True, slots=True)
class CourseKeyProfile:
    """All of it.

    :param prefixes: what goes between a host and the paths; ``""`` is that of every host which is not named.
    :param bulk: which operations can be asked for many things at once, how; all others are asked for one by one.
    :param course_key: our name of what names a course when a student is enrolled: ``join_code`` or ``course_id``.
    """

    prefixes: Mapping[str, str]
    authentication: Authentication
    writing: Writing
    listing: Listing
    errors: Errors
    limits: Limits
    calls: Mapping[Operation, Call]
    bulk: Mapping[Operation, Bulk] = field(default_factory=dict)
    request_id: str | None = "X-Request-ID"
    course_key: str = "join_code"

    def prefix_of(self, host: str) -> str:
        """What goes between this host and the paths."""
        return self.prefixes.get(host, self.prefixes[""])


_SCHOOL: Fields = {"school": Field("schoolID")}

_PERSON: Fields = {
    **_SCHOOL,
    "user_id": Field("userID"),
    "email": Field("email", is_personal=True),
    "issued_id": Field("issuedID"),
}

_USER: Fields = {
    **_PERSON,
    "id": Field("userID"),
    "first_name": Field("firstName", is_personal=True),
    "last_name": Field("lastName", is_personal=True),
    "is_teacher": Field("isTeacher", Way.FLAG),
    "welcome": Field("sendWelcomeEmail", Way.FLAG),
    "password": Field("password", is_personal=True),
}

_COURSE: Fields = {
    **_SCHOOL,
    "id": Field("courseID"),
    "join_code": Field("addCode"),
    "name": Field("name"),
    "title": Field("title"),
    "first": Field("startDate", Way.DATE),
    "last": Field("endDate", Way.DATE),
    "starts": Field("startTime", Way.TIME),
    "ends": Field("endTime", Way.TIME),
    "time_zone": Field("timeZone"),
    "weekdays": Field("days", Way.WEEKDAYS),
    "instructor_name": Field("instructorName", is_personal=True),
    "owner": Field("owner", is_personal=True),
    "admins": Field("admin", Way.LIST, is_personal=True),
    "attendance_name": Field("attendanceName"),
    "awarded_seconds": Field("awardedTime", Way.DURATION),
    "synchronous_hours": Field("synchronousHours", Way.NUMBER),
    "asynchronous_hours": Field("asynchronousHours", Way.NUMBER),
}

_STAFF: Fields = {**_PERSON, "is_owner": Field("isOwner", Way.FLAG)}

_ENROLLMENT: Fields = {**_PERSON, "course": Field("course"), "is_active": Field("isActive", Way.FLAG)}

_SESSION: Fields = {
    **_SCHOOL,
    "id": Field("sessionID"),
    "on": Field("date", Way.DATE),
    "starts": Field("startTime", Way.TIME),
    "ends": Field("endTime", Way.TIME),
    "time_zone": Field("timeZone"),
}

_ACCOUNT = ("school", "first_name", "last_name", "email", "is_teacher", "issued_id")

_CLASS = (
    "school",
    "name",
    "title",
    "first",
    "last",
    "starts",
    "ends",
    "time_zone",
    "weekdays",
    "instructor_name",
    "attendance_name",
    "awarded_seconds",
    "synchronous_hours",
    "asynchronous_hours",
)

_AT_A_TIME = ("school", "on", "starts", "ends", "time_zone")

PROFILE = CourseKeyProfile(
    prefixes={"": "/api/v1"},
    authentication=Authentication("X-Auth-Key"),
    writing=Writing(),
    listing=Listing(),
    limits=Limits(),
    errors=Errors(
        code=("error", "code"),
        message=("error", "message"),
        field=("error", "field"),
        success="success",
        meanings={
            "bad_key": Problem.BAD_KEY,
            "foreign_school": Problem.FOREIGN_SCHOOL,
            "unknown_school": Problem.UNKNOWN_SCHOOL,
            "unknown_course": Problem.UNKNOWN_COURSE,
            "unknown_user": Problem.UNKNOWN_USER,
            "unknown_owner": Problem.UNKNOWN_OWNER,
            "unknown_attendance_name": Problem.UNKNOWN_ATTENDANCE_NAME,
            "bad_time_zone": Problem.BAD_ZONE,
            "missing_email": Problem.MISSING_EMAIL,
            "duplicate_email": Problem.EMAIL_TAKEN,
            "duplicate_issued_id": Problem.ISSUED_ID_TAKEN,
            "duplicate_name": Problem.NAME_TAKEN,
            "owner_protected": Problem.OWNER_PROTECTED,
            "not_on_course": Problem.NOTHING_THERE,
            "not_enrolled": Problem.NOTHING_THERE,
            "no_session": Problem.NOTHING_THERE,
        },
    ),
    calls={
        Operation.FIND_USERS: Call("GET", "/users", _USER, ("school", "email", "issued_id")),
        Operation.CREATE_USER: Call("POST", "/users", _USER, (*_ACCOUNT, "welcome", "password"), repeatable=False),
        Operation.UPDATE_USER: Call("PUT", "/users/{user_id}", _USER, _ACCOUNT),
        Operation.FIND_COURSES: Call("GET", "/courses", _COURSE, ("school", "name")),
        Operation.COURSE: Call("GET", "/courses/{course_id}", _COURSE),
        Operation.CREATE_COURSE: Call("POST", "/courses", _COURSE, (*_CLASS, "owner", "admins"), repeatable=False),
        Operation.UPDATE_COURSE: Call("PUT", "/courses/{course_id}", _COURSE, _CLASS),
        Operation.STAFF: Call("GET", "/courses/{course_id}/staff", _STAFF),
        Operation.ADD_STAFF: Call(
            "POST", "/courses/{course_id}/staff", _STAFF, ("school", "email"), fixed={"isAdmin": 1}
        ),
        Operation.REMOVE_STAFF: Call("DELETE", "/courses/{course_id}/staff/{user_id}", _STAFF),
        Operation.ENROLLMENTS: Call("GET", "/courses/{course_id}/enrollments", _ENROLLMENT),
        Operation.ENROLL: Call(
            "POST", "/enrollments", _ENROLLMENT, ("school", "email", "course"), fixed={"isAdmin": 0}
        ),
        Operation.DROP: Call("POST", "/enrollments/drop", _ENROLLMENT, ("school", "email", "course")),
        Operation.SESSIONS: Call("GET", "/courses/{course_id}/sessions", _SESSION),
        Operation.SET_SESSION: Call("PUT", "/courses/{course_id}/sessions", _SESSION, _AT_A_TIME),
        Operation.CANCEL_SESSION: Call("DELETE", "/courses/{course_id}/sessions/{session_id}", _SESSION),
        Operation.ATTENDANCE_NAMES: Call("GET", "/attendanceconfigurations", {**_SCHOOL, "name": Field("name")}),
    },
)
"""Our first guess: docs/coursekey-contract.md."""
