"""The state of the sandbox's Canvas and what can be done to it (reference/canvas.md §4, §5, §10, §11).

SIS imports and REST both write through the operations here, each saying by a `Write` who it is; so stickiness,
cascades and guards are the same for both. Hold `canvas.lock` around anything that writes or that reads more than
one record: REST handlers for one request, an import for one chunk of rows.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sandbox.canvas import people, picture
from sandbox.canvas.objects import (
    Account,
    AccountUser,
    CommunicationChannel,
    Course,
    CourseState,
    Enrollment,
    EnrollmentState,
    File,
    Progress,
    Pseudonym,
    Record,
    Report,
    Role,
    Section,
    State,
    Term,
    User,
    Write,
)
from sandbox.canvas.seed import furnish
from sandbox.canvas.sis.batch import SisBatch
from sandbox.canvas.table import CanvasRefusal, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.faults import Faults

R = TypeVar("R", bound=Record)

ROOT_ACCOUNT_ID = 1
DEFAULT_TERM_ID = 1

_SIS_UNIQUE = ("sis_id", "integration_id")


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CanvasSettings:
    """What an operator of Canvas can set; `profile` is `hosted-2026` or `legacy` (reference/canvas.md §14)."""

    profile: str = "hosted-2026"
    sis_imports_enabled: bool = True


class Canvas:
    """One Canvas: a root account with everything below it."""

    def __init__(self, faults: Faults, now: Callable[[], datetime] = utc_now, settings: CanvasSettings | None = None):
        self.faults = faults
        self.now = now
        self.settings = settings or CanvasSettings()
        self.lock = threading.RLock()
        self.accounts = Table[Account](now, _SIS_UNIQUE, ("parent_account_id",))
        self.terms = Table[Term](now, _SIS_UNIQUE)
        self.courses = Table[Course](now, _SIS_UNIQUE, ("account_id", "term_id", "templated_by"))
        self.sections = Table[Section](now, _SIS_UNIQUE, ("course_id", "nonxlist_course_id"))
        self.users = Table[User](now)
        self.pseudonyms = Table[Pseudonym](now, _SIS_UNIQUE, ("user_id", "unique_id"), folded=("unique_id",))
        self.channels = Table[CommunicationChannel](now, (), ("user_id",))
        self.admins = Table[AccountUser](now, (), ("user_id", "account_id"))
        self.roles = Table[Role](now, (), ("account_id", "name"))
        self.enrollments = Table[Enrollment](now, (), ("course_id", "section_id", "user_id"))
        self.sis_batches: dict[int, SisBatch] = {}
        self.sis_error_ids = itertools.count(1)
        self.importing = False
        self.closed = threading.Event()
        self.files: dict[int, File] = {}
        self.progress: dict[int, Progress] = {}
        self.reports: dict[int, Report] = {}
        furnish(self)

    def configure(self, **changes: object) -> None:
        """Change settings by name; raises ValueError for a name there is not."""
        unknown = changes.keys() - {field.name for field in fields(CanvasSettings)}
        if unknown:
            raise ValueError(f"no such Canvas setting: {', '.join(sorted(unknown))}")
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]

    def close(self) -> None:
        """Let the import that runs stop at its next chunk and no other begin."""
        self.closed.set()

    def add_file(self, filename: str, content_type: str, body: bytes) -> File:
        """Keep a file for download."""
        file = File(len(self.files) + 1, filename, content_type, body, secrets.token_urlsafe(24), self.now())
        self.files[file.id] = file
        return file

    # --- accounts ---

    def create_account(self, by: Write, *, name: str, parent_account_id: int, **more: object) -> Account:
        """A new account; `more`: sis_id, integration_id, workflow_state."""
        values = {"name": name, "parent_account_id": parent_account_id, **more}
        return self.accounts.add(self.new_record(Account, self.accounts, values), by)

    def update_account(self, account: Account, changes: Mapping[str, object], by: Write) -> set[str]:
        """Write fields of an account; raises CanvasRefusal for a move below itself."""
        parent = self.accounts.get(cast("int | None", changes.get("parent_account_id")))
        moves = parent is not None and parent.id != account.parent_account_id
        if parent and moves and account.id in self.account_chain(parent.id):
            names = f"{account.sis_id or account.id}'s parent to {parent.sis_id or parent.id}"
            raise CanvasRefusal(f"Setting account {names} would create a loop")
        return self.accounts.change(account, changes, by)

    def delete_account(self, account: Account, by: Write) -> None:
        """Mark an account deleted; raises CanvasRefusal as `guard_account`."""
        self.guard_account(account)
        self.accounts.change(account, {"workflow_state": State.DELETED}, by)

    def guard_account(self, account: Account) -> None:
        """Raises CanvasRefusal while the account has sub-accounts or courses that are not deleted."""
        refused = f"Cannot delete the sub_account with ID: {account.sis_id} because it has active"
        if self.has_sub_accounts(account):
            raise CanvasRefusal(f"{refused} sub accounts.")
        if self.has_courses(account):
            raise CanvasRefusal(f"{refused} courses.")

    def has_sub_accounts(self, account: Account) -> bool:
        """Whether a direct sub-account is not deleted."""
        return any(not child.is_deleted for child in self.accounts.where("parent_account_id", account.id))

    def has_courses(self, account: Account) -> bool:
        """Whether one of its own courses is not deleted; a concluded one counts."""
        return any(not course.is_deleted for course in self.courses.where("account_id", account.id))

    def account_chain(self, account_id: int) -> list[int]:
        """The ids from that account up to the root account, both included."""
        chain = [account_id]
        while (parent_id := self.accounts[chain[-1]].parent_account_id) is not None:
            chain.append(parent_id)
        return chain

    # --- terms ---

    def create_term(self, by: Write, *, name: str, **more: object) -> Term:
        """A new term; `more`: sis_id, integration_id, start_at, end_at, overrides, workflow_state."""
        _check_dates(more.get("start_at"), more.get("end_at"), "End dates cannot be before start dates")
        return self.terms.add(self.new_record(Term, self.terms, {"name": name, **more}), by)

    def update_term(self, term: Term, changes: Mapping[str, object], by: Write) -> set[str]:
        """Write fields of a term, deletion among them; raises CanvasRefusal as `delete_term`, and for dates."""
        _check_dates(
            changes.get("start_at", term.start_at),
            changes.get("end_at", term.end_at),
            "End dates cannot be before start dates",
        )
        if changes.get("workflow_state") == State.DELETED:
            self._guard_term(term)
        return self.terms.change(term, changes, by)

    def delete_term(self, term: Term, by: Write) -> None:
        """Mark a term deleted; raises CanvasRefusal for the default term and while it has active courses."""
        self.update_term(term, {"workflow_state": State.DELETED}, by)

    def _guard_term(self, term: Term) -> None:
        if term.id == DEFAULT_TERM_ID:
            raise CanvasRefusal("Cannot delete the default term")
        if any(not course.is_deleted for course in self.courses.where("term_id", term.id)):
            raise CanvasRefusal("Cannot delete a term with active courses")

    # --- courses ---

    def create_course(
        self, by: Write, *, name: str, course_code: str, account_id: int, term_id: int, **more: object
    ) -> Course:
        """A new course, claimed unless `more` says otherwise; it has no section until one is needed."""
        values = {"name": name, "course_code": course_code, "account_id": account_id, "term_id": term_id}
        values |= {"workflow_state": CourseState.CLAIMED, **more}
        _check_dates(more.get("start_at"), more.get("end_at"))
        return self.courses.add(self.new_record(Course, self.courses, values), by)

    def update_course(self, course: Course, changes: Mapping[str, object], by: Write) -> set[str]:
        """Write fields of a course; a change to completed or deleted cascades to its enrollments.

        Completed: active and invited enrollments become completed. Deleted: all become deleted. Neither is
        undone by going back (reference/canvas.md §5.4). Raises CanvasRefusal for dates in the wrong order.
        """
        _check_dates(changes.get("start_at", course.start_at), changes.get("end_at", course.end_at))
        changed = self.courses.change(course, changes, by)
        if "workflow_state" in changed:
            self._cascade(course, by)
        return changed

    def publish_course(self, course: Course, by: Write) -> None:
        """Make it available, whatever it was."""
        self.update_course(course, {"workflow_state": CourseState.AVAILABLE}, by)

    def unpublish_course(self, course: Course, by: Write) -> None:
        """Claim it; raises CanvasRefusal when it has graded submissions."""
        if course.graded_submissions:
            raise CanvasRefusal("can't unpublish a course with graded submissions")
        self.update_course(course, {"workflow_state": CourseState.CLAIMED}, by)

    def conclude_course(self, course: Course, by: Write) -> None:
        """Complete it, and with it its active and invited enrollments."""
        self.update_course(course, {"workflow_state": CourseState.COMPLETED}, by)

    def delete_course(self, course: Course, by: Write) -> None:
        """Mark it and all its enrollments deleted."""
        self.update_course(course, {"workflow_state": CourseState.DELETED}, by)

    def undelete_course(self, course: Course, by: Write) -> None:
        """Bring a deleted course back, unpublished and without its enrollments."""
        if course.is_deleted:
            self.update_course(course, {"workflow_state": CourseState.CLAIMED}, by)

    def _cascade(self, course: Course, by: Write) -> None:
        if course.workflow_state == CourseState.COMPLETED:
            for enrollment in self.enrollments.where("course_id", course.id):
                if enrollment.workflow_state in (EnrollmentState.ACTIVE, EnrollmentState.INVITED):
                    self.set_enrollment_state(enrollment, EnrollmentState.COMPLETED, replace(by, batch_id=None))
        elif course.is_deleted:
            self.delete_enrollments(by, course_id=course.id)

    # --- sections and cross-listing ---

    def create_section(self, by: Write, *, name: str, course_id: int, **more: object) -> Section:
        """A new section; raises CanvasRefusal for dates in the wrong order."""
        _check_dates(more.get("start_at"), more.get("end_at"))
        values = {"name": name, "course_id": course_id, **more}
        return self.sections.add(self.new_record(Section, self.sections, values), by)

    def update_section(self, section: Section, changes: Mapping[str, object], by: Write) -> set[str]:
        """Write fields of a section; a change of course takes its enrollments along."""
        _check_dates(changes.get("start_at", section.start_at), changes.get("end_at", section.end_at))
        changed = self.sections.change(section, changes, by)
        if "course_id" in changed:
            for enrollment in self.enrollments.where("section_id", section.id):
                self.enrollments.change(enrollment, {"course_id": section.course_id}, replace(by, batch_id=None))
        return changed

    def delete_section(self, section: Section, by: Write) -> None:
        """Mark it and its enrollments deleted; REST asks `has_enrollments` first, SIS imports do not."""
        self.sections.change(section, {"workflow_state": State.DELETED}, by)
        self.delete_enrollments(by, section_id=section.id)

    def has_enrollments(self, section: Section) -> bool:
        """Whether someone is in it who is neither deleted nor rejected (reference/canvas.md §10.4)."""
        gone = (EnrollmentState.DELETED, EnrollmentState.REJECTED)
        return any(row.workflow_state not in gone for row in self.enrollments.where("section_id", section.id))

    def default_section(self, course: Course, by: Write, *, include_crosslisted: bool = False) -> Section:
        """The section for enrollments that name none; made when there is none.

        With `include_crosslisted` a section of the course that is cross-listed elsewhere comes before a new one.
        """
        own = [row for row in self.sections.where("course_id", course.id) if row.default_section]
        moved = self.sections.where("nonxlist_course_id", course.id) if include_crosslisted else []
        for section in (*own, *moved):
            if not section.is_deleted:
                return section
        return self.create_section(by, name=course.name, course_id=course.id, default_section=True)

    def crosslist(self, section: Section, course: Course, by: Write) -> set[str]:
        """Move a section with its enrollments into another course, remembering its own.

        Returns the changed fields; empty when it is there already or its course_id is stuck.
        """
        if section.course_id == course.id or not self.may_move(section, by):
            return set()
        home = section.nonxlist_course_id or section.course_id
        changes = {"course_id": course.id, "nonxlist_course_id": None if home == course.id else home}
        return self.update_section(section, changes, by)

    def uncrosslist(self, section: Section, by: Write) -> set[str]:
        """Bring a cross-listed section home; a deleted home comes back as claimed."""
        home = self.courses.get(section.nonxlist_course_id)
        if home is None or not self.may_move(section, by):
            return set()
        if home.is_deleted:
            self.update_course(home, {"workflow_state": CourseState.CLAIMED}, replace(by, override=True, batch_id=None))
        return self.update_section(section, {"course_id": home.id, "nonxlist_course_id": None}, by)

    @staticmethod
    def may_move(section: Section, by: Write) -> bool:
        """Whether that writer can change the section's course."""
        return by.override or "course_id" not in section.stuck

    # --- people; what is done to users, logins and admins is in `people` ---

    def create_user(
        self,
        by: Write,
        *,
        name: str,
        unique_id: str,
        sis_id: str | None = None,
        email: str | None = None,
        **more: object,
    ) -> User:
        """A registered user with one login; `more`: sortable_name, short_name. Raises CanvasRefusal as `add_login`."""
        user = people.new_user(self, by, name=name, **more)
        people.add_login(self, user, by, unique_id=unique_id, sis_id=sis_id)
        if email:
            people.set_email(self, user, email, by)
        return user

    def create_enrollment(
        self, by: Write, *, user: User, section: Section, role: Role, state: EnrollmentState, **more: object
    ) -> Enrollment:
        """A new enrollment of that base type; it does not look for an existing one."""
        values: dict[str, object] = {"user_id": user.id, "section_id": section.id, "course_id": section.course_id}
        values |= {"type": role.base_role_type, "role_id": role.id, "workflow_state": state, **more}
        if state == EnrollmentState.COMPLETED:
            values["completed_at"] = self.now()
        return self.enrollments.add(self.new_record(Enrollment, self.enrollments, values), by)

    def find_enrollment(
        self, user: User, section: Section, role: Role, associated_user_id: int | None = None
    ) -> Enrollment | None:
        """The enrollment of that identity (reference/canvas.md §5.9), deleted ones too."""
        for row in self.enrollments.where_all(user_id=user.id, section_id=section.id):
            if row.role_id == role.id and row.associated_user_id == associated_user_id:
                return row
        return None

    def set_enrollment_state(self, enrollment: Enrollment, state: EnrollmentState, by: Write, **more: object) -> None:
        """Change the state and `more` fields; completed stamps `completed_at`, active takes it away."""
        changes: dict[str, object] = {"workflow_state": state, **more}
        if state == EnrollmentState.COMPLETED:
            changes["completed_at"] = enrollment.completed_at or self.now()
        elif state == EnrollmentState.ACTIVE:
            changes["completed_at"] = None
        self.enrollments.change(enrollment, changes, by)

    def delete_enrollments(self, by: Write, **where: int) -> None:
        """Mark deleted what an index finds, such as `user_id=3`; a cascade does not mention: sis_batch_id stays."""
        cascade = replace(by, batch_id=None)
        for enrollment in self.enrollments.where_all(**where):
            if not enrollment.is_deleted:
                self.set_enrollment_state(enrollment, EnrollmentState.DELETED, cascade)

    # --- looking ---

    def counts(self) -> dict[str, int]:
        """How many accounts, terms, courses, sections, users, enrollments and admins are not deleted."""
        with self.lock:
            return picture.counts(self)

    def enrollment_states(self) -> dict[str, int]:
        """How many enrollments there are in each state."""
        with self.lock:
            return picture.enrollment_states(self)

    def roster(self, section_id: int) -> dict[str, Any] | None:
        """A section with its course and its people of every state but deleted; None when there is no such section."""
        with self.lock:
            return picture.roster(self, section_id)

    def tree(self) -> dict[str, Any]:
        """The root account with `sub_accounts`, `courses` and their `sections` nested, deleted ones left out."""
        with self.lock:
            return picture.account_node(self, self.accounts[ROOT_ACCOUNT_ID])

    def new_record(self, kind: type[R], table: Table[R], values: Mapping[str, object]) -> R:
        """A record made now, active unless `values` say otherwise; the table does not have it yet."""
        now = self.now()
        record = {"workflow_state": State.ACTIVE, "created_at": now, "updated_at": now, **values}
        return kind(id=table.next_id(), **record)  # type: ignore[arg-type]


def _check_dates(start: object, end: object, message: str = "End date cannot be before start date") -> None:
    if isinstance(start, datetime) and isinstance(end, datetime) and end < start:
        raise CanvasRefusal(message)
