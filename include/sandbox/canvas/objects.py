"""What the sandbox's Canvas keeps: plain records, changed only through `Canvas` and its tables.

Field names are Canvas's own. Times are aware UTC. `STICKY` maps a field to the name under which it sticks
(reference/canvas.md §4); fields that share a name stick together, as start and end dates do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


class State(StrEnum):
    """States of accounts, terms, sections, users, logins and admins; roles add built_in and inactive.

    Retired is how a communication channel ends.
    """

    ACTIVE = "active"
    DELETED = "deleted"
    SUSPENDED = "suspended"
    REGISTERED = "registered"
    RETIRED = "retired"
    BUILT_IN = "built_in"
    INACTIVE = "inactive"


class CourseState(StrEnum):
    """States of a course as Canvas stores them; REST calls `created` and `claimed` unpublished."""

    CREATED = "created"
    CLAIMED = "claimed"
    AVAILABLE = "available"
    COMPLETED = "completed"
    DELETED = "deleted"


class EnrollmentState(StrEnum):
    """States of an enrollment as Canvas stores them (reference/canvas.md §11)."""

    INVITED = "invited"
    CREATION_PENDING = "creation_pending"
    ACTIVE = "active"
    INACTIVE = "inactive"
    COMPLETED = "completed"
    REJECTED = "rejected"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Write:
    """Who writes, and with what right over stuck fields.

    `override` writes stuck fields too, `sticks` makes the changed sticky fields stick, `clears` empties the
    record's stuck fields. `batch_id` is the SIS import that writes. `seen` is told of every change of state:
    the record, the state before (None for a new record) and the state after.
    """

    override: bool = False
    sticks: bool = False
    clears: bool = False
    batch_id: int | None = None
    seen: Callable[[Record, str | None, str], None] | None = None


UI = Write(override=True, sticks=True)
"""A person's or a REST client's write: it wins over what is stuck, and sticks."""

UI_RESPECTING_STUCK = Write(sticks=True)
"""A REST write with `override_sis_stickiness=false`."""


@dataclass(slots=True, eq=False, kw_only=True)
class Record:
    """What every kind has."""

    STICKY: ClassVar[Mapping[str, str]] = {}

    id: int
    workflow_state: str
    created_at: datetime
    updated_at: datetime
    sis_batch_id: int | None = None
    stuck: frozenset[str] = frozenset()

    @property
    def is_deleted(self) -> bool:
        """Canvas never removes a row; it marks it."""
        return self.workflow_state == "deleted"


@dataclass(slots=True, eq=False, kw_only=True)
class SisRecord(Record):
    """A record that a student information system can name."""

    sis_id: str | None = None
    integration_id: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Account(SisRecord):
    """An account; `parent_account_id` is None only for the root account."""

    STICKY: ClassVar[Mapping[str, str]] = {"name": "name", "parent_account_id": "parent_account_id"}

    name: str
    parent_account_id: int | None


@dataclass(slots=True, eq=False, kw_only=True)
class Term(SisRecord):
    """An enrollment term. `overrides`: enrollment type to (start, end)."""

    STICKY: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "start_at": "start_at",
        "end_at": "end_at",
        "overrides": "overrides",
    }

    name: str
    start_at: datetime | None = None
    end_at: datetime | None = None
    overrides: dict[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)


@dataclass(slots=True, eq=False, kw_only=True)
class Course(SisRecord):
    """A course. `templated_by` is the course it was copied from when a cross-listing made it."""

    STICKY: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "course_code": "course_code",
        "account_id": "account_id",
        "term_id": "term_id",
        "workflow_state": "workflow_state",
        "start_at": "dates",
        "end_at": "dates",
        "restrict_enrollments_to_course_dates": "restrict_enrollments_to_course_dates",
        "grade_passback_setting": "grade_passback_setting",
    }

    name: str
    course_code: str
    account_id: int
    term_id: int
    start_at: datetime | None = None
    end_at: datetime | None = None
    restrict_enrollments_to_course_dates: bool = False
    course_format: str | None = None
    grade_passback_setting: str | None = None
    templated_by: int | None = None
    blueprint: bool = False
    blueprint_course_id: int | None = None
    graded_submissions: int = 0


@dataclass(slots=True, eq=False, kw_only=True)
class Section(SisRecord):
    """A section. `nonxlist_course_id` is its own course while it is cross-listed into another."""

    STICKY: ClassVar[Mapping[str, str]] = {
        "course_id": "course_id",
        "name": "name",
        "start_at": "dates",
        "end_at": "dates",
        "restrict_enrollments_to_section_dates": "restrict_enrollments_to_section_dates",
    }

    name: str
    course_id: int
    nonxlist_course_id: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    restrict_enrollments_to_section_dates: bool = False
    default_section: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class User(Record):
    """A person; SIS ids belong to the logins."""

    STICKY: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "sortable_name": "sortable_name",
        "short_name": "short_name",
        "pronouns": "pronouns",
    }

    name: str
    sortable_name: str
    short_name: str
    pronouns: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Pseudonym(SisRecord):
    """A login of a user; `sis_id` is the sis_user_id, `unique_id` the login_id."""

    STICKY: ClassVar[Mapping[str, str]] = {"unique_id": "unique_id", "workflow_state": "workflow_state"}

    user_id: int
    unique_id: str
    authentication_provider_id: str | None = None
    declared_user_type: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class CommunicationChannel(Record):
    """A user's e-mail address; `retired` is how one ends."""

    user_id: int
    path: str


@dataclass(slots=True, eq=False, kw_only=True)
class AccountUser(Record):
    """An administrator: a user with a role in an account. With a `sis_batch_id` it is SIS's to remove."""

    user_id: int
    account_id: int
    role_id: int


@dataclass(slots=True, eq=False, kw_only=True)
class Role(Record):
    """A role; a custom one is visible in its account and below."""

    name: str
    base_role_type: str
    account_id: int


@dataclass(slots=True, eq=False, kw_only=True)
class Enrollment(Record):
    """A user in a section; `type` is the base role (StudentEnrollment …)."""

    STICKY: ClassVar[Mapping[str, str]] = {"start_at": "dates", "end_at": "dates"}

    user_id: int
    course_id: int
    section_id: int
    type: str
    role_id: int
    associated_user_id: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    completed_at: datetime | None = None
    limit_privileges_to_course_section: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file Canvas hands out at /canvas/files/{id}/download?verifier=…"""

    id: int
    filename: str
    content_type: str
    body: bytes
    verifier: str
    created_at: datetime


@dataclass(slots=True, eq=False, kw_only=True)
class Progress:
    """How far a piece of background work is; completion in percent."""

    id: int
    context_type: str
    context_id: int
    tag: str
    user_id: int | None
    created_at: datetime
    updated_at: datetime
    workflow_state: str = "queued"
    completion: float = 0
    message: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Report:
    """One run of an account report; `status` is created, running, complete, error or aborted."""

    id: int
    account_id: int
    name: str
    parameters: dict[str, str]
    created_at: datetime
    status: str = "created"
    progress: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    message: str | None = None
    file_id: int | None = None
