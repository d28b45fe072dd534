"""The tables of Canvas's SIS export: the columns an import takes, of what has a SIS id (reference/canvas.md §10.10).

It is not safe to feed back: enrollments say `concluded` where an import says completed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sandbox.canvas import people
from sandbox.canvas.http import timestamp
from sandbox.canvas.objects import CourseState
from sandbox.canvas.picture import role_word
from sandbox.canvas.provisioning import Tables, enrollment_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.canvas.objects import Account, AccountUser, Course, Enrollment, Pseudonym, Section, Term

_COURSE_WORDS = {CourseState.COMPLETED: "completed", CourseState.DELETED: "deleted"}


class ExportTables(Tables):
    """Writes the tables of one selection in the columns of an import; rows are chosen as for provisioning."""

    COLUMNS: ClassVar[Mapping[str, str]] = {
        "users": "user_id,integration_id,authentication_provider_id,login_id,password,first_name,last_name,"
        "full_name,sortable_name,short_name,email,status",
        "accounts": "account_id,parent_account_id,name,status",
        "terms": "term_id,name,status,start_date,end_date",
        "courses": "course_id,integration_id,short_name,long_name,account_id,term_id,status,start_date,end_date,"
        "course_format,blueprint_course_id",
        "sections": "section_id,course_id,integration_id,name,status,start_date,end_date",
        "enrollments": "course_id,user_id,role,role_id,section_id,status,associated_user_id,limit_section_privileges",
        "admins": "user_id,account_id,role_id,role,status",
        "xlist": "xlist_course_id,section_id,status",
    }

    # --- which rows ---

    def _users(self) -> Iterable[Pseudonym]:
        return (row for row in super()._users() if row.sis_id)

    def _accounts(self) -> Iterable[Account]:
        return (row for row in super()._accounts() if row.sis_id)

    def _terms(self) -> Iterable[Term]:
        return (row for row in super()._terms() if row.sis_id)

    def _courses(self) -> Iterable[Course]:
        return (row for row in super()._courses() if row.sis_id)

    def _sections(self) -> Iterable[Section]:
        return (row for row in super()._sections() if row.sis_id)

    def _crosslisted(self) -> Iterable[Section]:
        courses = self.canvas.courses
        return (row for row in super()._crosslisted() if row.sis_id and courses[row.course_id].sis_id)

    def _enrollments(self) -> Iterable[Enrollment]:
        canvas = self.canvas
        for row in super()._enrollments():
            login = self._login(row.user_id)
            if (
                login
                and login.sis_id
                and (canvas.courses[row.course_id].sis_id or canvas.sections[row.section_id].sis_id)
            ):
                yield row

    def _admins(self) -> Iterable[AccountUser]:
        return (row for row in super()._admins() if (login := self._login(row.user_id)) and login.sis_id)

    # --- what is in a row ---

    def _user_row(self, login: Pseudonym) -> list[object]:
        user = self.canvas.users[login.user_id]
        first, _, last = user.name.rpartition(" ")
        return [
            login.sis_id,
            login.integration_id,
            login.authentication_provider_id,
            login.unique_id,
            None,
            first,
            last,
            user.name,
            user.sortable_name,
            user.short_name,
            people.email_of(self.canvas, user.id),
            login.workflow_state,
        ]

    def _account_row(self, account: Account) -> list[object]:
        parent = self.canvas.accounts.get(account.parent_account_id)
        return [account.sis_id, parent and parent.sis_id, account.name, account.workflow_state]

    def _term_row(self, term: Term) -> list[object]:
        return [term.sis_id, term.name, term.workflow_state, timestamp(term.start_at), timestamp(term.end_at)]

    def _course_row(self, course: Course) -> list[object]:
        canvas = self.canvas
        blueprint = canvas.courses.get(course.blueprint_course_id)
        dated = course.restrict_enrollments_to_course_dates
        return [
            course.sis_id,
            course.integration_id,
            course.course_code,
            course.name,
            canvas.accounts[course.account_id].sis_id,
            canvas.terms[course.term_id].sis_id,
            _COURSE_WORDS.get(CourseState(course.workflow_state), "active"),
            timestamp(course.start_at) if dated else None,
            timestamp(course.end_at) if dated else None,
            course.course_format,
            blueprint and blueprint.sis_id,
        ]

    def _section_row(self, section: Section) -> list[object]:
        return [
            section.sis_id,
            self._home(section).sis_id,
            section.integration_id,
            section.name,
            section.workflow_state,
            timestamp(section.start_at),
            timestamp(section.end_at),
        ]

    def _crosslisting_row(self, section: Section) -> list[object]:
        return [self.canvas.courses[section.course_id].sis_id, section.sis_id, section.workflow_state]

    def _enrollment_row(self, row: Enrollment) -> list[object]:
        canvas = self.canvas
        login, role = self._login(row.user_id), canvas.roles[row.role_id]
        observed = self._login(row.associated_user_id) if row.associated_user_id else None
        return [
            canvas.courses[row.course_id].sis_id,
            login and login.sis_id,
            role_word(role.name),
            role.id,
            canvas.sections[row.section_id].sis_id,
            enrollment_word(row),
            observed and observed.sis_id,
            row.limit_privileges_to_course_section,
        ]

    def _admin_row(self, admin: AccountUser) -> list[object]:
        account, role, login = (
            self.canvas.accounts[admin.account_id],
            self.canvas.roles[admin.role_id],
            self._login(admin.user_id),
        )
        return [login and login.sis_id, account.sis_id, role.id, role.name, admin.workflow_state]
