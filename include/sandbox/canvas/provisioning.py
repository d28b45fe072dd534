"""The tables of Canvas's provisioning report: columns, which rows, and the words it uses for states.

Source: reference/canvas.md §10.10. A table is read in chunks, so that imports and REST go on meanwhile.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.canvas import people
from sandbox.canvas.http import timestamp
from sandbox.canvas.objects import CourseState, EnrollmentState
from sandbox.canvas.picture import role_word
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.canvas.objects import Account, AccountUser, Course, Enrollment, Pseudonym, Record, Section, Term
    from sandbox.canvas.state import Canvas

CHUNK = 1000

_COURSE_WORDS = {
    CourseState.CREATED: "unpublished",
    CourseState.CLAIMED: "unpublished",
    CourseState.AVAILABLE: "active",
    CourseState.COMPLETED: "concluded",
    CourseState.DELETED: "deleted",
}
_ENDED = (EnrollmentState.COMPLETED, EnrollmentState.REJECTED, EnrollmentState.DELETED)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a report is about: an account with all below it, and its parameters.

    `enrollment_roles` and `enrollment_states` are empty for all.
    """

    account_id: int
    term_id: int | None = None
    include_deleted: bool = False
    created_by_sis: bool = False
    enrollment_roles: frozenset[str] = frozenset()
    enrollment_states: frozenset[str] = frozenset()


class Tables:
    """Writes the tables of one selection; `COLUMNS` maps the name of a table to its header."""

    COLUMNS: ClassVar[Mapping[str, str]] = {
        "users": "canvas_user_id,user_id,integration_id,authentication_provider_id,login_id,first_name,last_name,"
        "full_name,sortable_name,short_name,email,status,created_by_sis",
        "accounts": "canvas_account_id,account_id,canvas_parent_id,parent_account_id,name,status,created_by_sis",
        "terms": "canvas_term_id,term_id,name,status,start_date,end_date,created_by_sis",
        "courses": "canvas_course_id,course_id,integration_id,short_name,long_name,canvas_account_id,account_id,"
        "canvas_term_id,term_id,status,start_date,end_date,course_format,canvas_blueprint_course_id,"
        "blueprint_course_id,created_by_sis",
        "sections": "canvas_section_id,section_id,canvas_course_id,course_id,integration_id,name,status,start_date,"
        "end_date,canvas_account_id,account_id,created_by_sis",
        "enrollments": "canvas_course_id,course_id,canvas_user_id,user_id,role,role_id,canvas_section_id,"
        "section_id,status,canvas_associated_user_id,associated_user_id,created_by_sis,base_role_type,"
        "limit_section_privileges,canvas_enrollment_id",
        "admins": "admin_user_name,canvas_user_id,user_id,canvas_account_id,account_id,role_id,role,status,"
        "created_by_sis",
        "xlist": "canvas_xlist_course_id,xlist_course_id,canvas_section_id,section_id,status,"
        "canvas_nonxlist_course_id,nonxlist_course_id",
    }

    def __init__(self, canvas: Canvas, selection: Selection) -> None:
        self.canvas = canvas
        self.selection = selection
        self._logins: dict[int, Pseudonym | None] = {}
        self._covered: dict[int, bool] = {}
        self._writers: dict[str, tuple[Callable[[], Iterable[Any]], Callable[[Any], list[object]]]] = {
            "users": (self._users, self._user_row),
            "accounts": (self._accounts, self._account_row),
            "terms": (self._terms, self._term_row),
            "courses": (self._courses, self._course_row),
            "sections": (self._sections, self._section_row),
            "enrollments": (self._enrollments, self._enrollment_row),
            "admins": (self._admins, self._admin_row),
            "xlist": (self._crosslisted, self._crosslisting_row),
        }

    def csv(self, kind: str) -> bytes:
        """One table as UTF-8 CSV with its header, rows in the order of Canvas ids."""
        select, row_of = self._writers[kind]
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.COLUMNS[kind].split(","))
        with self.canvas.lock:
            rows = list(select())
        for start in range(0, len(rows), CHUNK):
            with self.canvas.lock:
                writer.writerows([_text(cell) for cell in row_of(row)] for row in rows[start : start + CHUNK])
        return out.getvalue().encode()

    # --- which rows ---

    def _users(self) -> Iterable[Pseudonym]:
        # Below a sub-account are those who are enrolled or administer there.
        everywhere = self.selection.account_id == ROOT_ACCOUNT_ID
        below = set() if everywhere else people.people_below(self.canvas, self.selection.account_id)
        return (
            login for login in self.canvas.pseudonyms if self._wants(login) and (everywhere or login.user_id in below)
        )

    def _admins(self) -> Iterable[AccountUser]:
        return (row for row in self.canvas.admins if self._wants(row) and self._is_below(row.account_id))

    def _accounts(self) -> Iterable[Account]:
        # Below a sub-account the report knows only the direct children.
        top = self.selection.account_id
        everywhere = top == ROOT_ACCOUNT_ID
        return (
            account
            for account in self.canvas.accounts
            if account.id != ROOT_ACCOUNT_ID
            and (everywhere or account.parent_account_id == top)
            and self._wants(account)
        )

    def _terms(self) -> Iterable[Term]:
        wanted = self.selection.term_id
        return (term for term in self.canvas.terms if wanted in (None, term.id) and self._wants(term))

    def _courses(self) -> Iterable[Course]:
        return (row for row in self.canvas.courses if self._covers(row) and self._wants(row))

    def _sections(self) -> Iterable[Section]:
        return (
            section
            for section in self.canvas.sections
            if self._wants(section) and self._covers(self._home(section)) and self._lives(self._home(section))
        )

    def _crosslisted(self) -> Iterable[Section]:
        return (
            section
            for section in self.canvas.sections
            if section.nonxlist_course_id is not None
            and self._wants(section)
            and self._covers(self.canvas.courses[section.course_id])
        )

    def _enrollments(self) -> Iterable[Enrollment]:
        chosen, canvas = self.selection, self.canvas
        for row in canvas.enrollments:
            # What a person deleted leaves no trace here: a known gap of the report.
            if row.is_deleted and row.sis_batch_id is None:
                continue
            if row.workflow_state in _ENDED and not chosen.include_deleted:
                continue
            course = canvas.courses[row.course_id]
            states, roles = chosen.enrollment_states, chosen.enrollment_roles
            if (
                self._covers(course)
                and self._lives(course)
                and self._by_sis(row)
                and (not states or row.workflow_state in states)
                and (not roles or canvas.roles[row.role_id].name in roles)
                and self._login(row.user_id) is not None
            ):
                yield row

    def _wants(self, record: Record) -> bool:
        return self._lives(record) and self._by_sis(record)

    def _lives(self, record: Record) -> bool:
        return self.selection.include_deleted or not record.is_deleted

    def _by_sis(self, record: Record) -> bool:
        return record.sis_batch_id is not None or not self.selection.created_by_sis

    def _covers(self, course: Course) -> bool:
        return self.selection.term_id in (None, course.term_id) and self._is_below(course.account_id)

    def _is_below(self, account_id: int) -> bool:
        if account_id not in self._covered:
            with self.canvas.lock:
                self._covered[account_id] = self.selection.account_id in self.canvas.account_chain(account_id)
        return self._covered[account_id]

    def _home(self, section: Section) -> Course:
        return self.canvas.courses[section.nonxlist_course_id or section.course_id]

    def _login(self, user_id: int) -> Pseudonym | None:
        """The login that stands for a user; a deleted one only with include_deleted."""
        if user_id not in self._logins:
            logins = people.logins_of(self.canvas, user_id)
            if not logins and self.selection.include_deleted:
                logins = self.canvas.pseudonyms.where("user_id", user_id)
            self._logins[user_id] = next(iter(logins), None)
        return self._logins[user_id]

    # --- what is in a row ---

    def _user_row(self, login: Pseudonym) -> list[object]:
        user = self.canvas.users[login.user_id]
        first, _, last = user.name.rpartition(" ")
        return [
            user.id,
            login.sis_id,
            login.integration_id,
            login.authentication_provider_id,
            login.unique_id,
            first,
            last,
            user.name,
            user.sortable_name,
            user.short_name,
            people.email_of(self.canvas, user.id),
            login.workflow_state,
            login.sis_batch_id is not None,
        ]

    def _account_row(self, account: Account) -> list[object]:
        parent = self.canvas.accounts.get(account.parent_account_id)
        return [
            account.id,
            account.sis_id,
            account.parent_account_id,
            parent and parent.sis_id,
            account.name,
            account.workflow_state,
            account.sis_batch_id is not None,
        ]

    def _term_row(self, term: Term) -> list[object]:
        return [
            term.id,
            term.sis_id,
            term.name,
            term.workflow_state,
            timestamp(term.start_at),
            timestamp(term.end_at),
            term.sis_batch_id is not None,
        ]

    def _course_row(self, course: Course) -> list[object]:
        account, term = self.canvas.accounts[course.account_id], self.canvas.terms[course.term_id]
        blueprint = self.canvas.courses.get(course.blueprint_course_id)
        dated = course.restrict_enrollments_to_course_dates
        return [
            course.id,
            course.sis_id,
            course.integration_id,
            course.course_code,
            course.name,
            account.id,
            account.sis_id,
            term.id,
            term.sis_id,
            _COURSE_WORDS[CourseState(course.workflow_state)],
            timestamp(course.start_at) if dated else None,
            timestamp(course.end_at) if dated else None,
            course.course_format,
            blueprint and blueprint.id,
            blueprint and blueprint.sis_id,
            course.sis_batch_id is not None,
        ]

    def _section_row(self, section: Section) -> list[object]:
        # A cross-listed section is listed under its own course; the xlist table tells where it is.
        course = self._home(section)
        account = self.canvas.accounts[course.account_id]
        return [
            section.id,
            section.sis_id,
            course.id,
            course.sis_id,
            section.integration_id,
            section.name,
            section.workflow_state,
            timestamp(section.start_at),
            timestamp(section.end_at),
            account.id,
            account.sis_id,
            section.sis_batch_id is not None,
        ]

    def _crosslisting_row(self, section: Section) -> list[object]:
        course, home = self.canvas.courses[section.course_id], self._home(section)
        return [course.id, course.sis_id, section.id, section.sis_id, section.workflow_state, home.id, home.sis_id]

    def _enrollment_row(self, row: Enrollment) -> list[object]:
        canvas = self.canvas
        course, section, role = (
            canvas.courses[row.course_id],
            canvas.sections[row.section_id],
            canvas.roles[row.role_id],
        )
        login = self._login(row.user_id)
        observed = self._login(row.associated_user_id) if row.associated_user_id else None
        return [
            course.id,
            course.sis_id,
            row.user_id,
            login and login.sis_id,
            role_word(role.name),
            role.id,
            section.id,
            section.sis_id,
            enrollment_word(row),
            row.associated_user_id,
            observed and observed.sis_id,
            row.sis_batch_id is not None,
            row.type,
            row.limit_privileges_to_course_section,
            row.id,
        ]

    def _admin_row(self, admin: AccountUser) -> list[object]:
        canvas = self.canvas
        account, role, login = (
            canvas.accounts[admin.account_id],
            canvas.roles[admin.role_id],
            self._login(admin.user_id),
        )
        return [
            canvas.users[admin.user_id].name,
            admin.user_id,
            login and login.sis_id,
            account.id,
            account.sis_id,
            role.id,
            role.name,
            admin.workflow_state,
            admin.sis_batch_id is not None,
        ]


def enrollment_word(enrollment: Enrollment) -> str:
    """The state in the reports' word, which is no import's: concluded for completed."""
    return "concluded" if enrollment.workflow_state == EnrollmentState.COMPLETED else enrollment.workflow_state


def _text(cell: object) -> object:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell
