"""enrollments.csv (reference/canvas.md §5.9).

Left out: observers linked to students, and enrollments that are temporary (Canvas needs a feature for them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandbox.canvas import people
from sandbox.canvas.objects import EnrollmentState
from sandbox.canvas.rest.fields import truth
from sandbox.canvas.sis.importers.run import RowRejected, status_of

if TYPE_CHECKING:
    from sandbox.canvas.objects import Course, Enrollment, Pseudonym, Role, Section, User
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row

DELETED_LAST_COMPLETED = "deleted_last_completed"
STATUSES = (DELETED_LAST_COMPLETED, "active", "deleted", "completed", "inactive")


def check_enrollment(row: Row) -> None:
    """What Canvas checks at reading, before it imports a row of the chunk; raises RowRejected."""
    if not (row.get("course_id") or row.get("section_id")):
        raise RowRejected("No course_id or section_id given for an enrollment")
    if not (row.get("user_id") or row.get("user_integration_id")):
        raise RowRejected("No user_id given for an enrollment")
    if status_of(row, *STATUSES) is None:
        raise RowRejected(f'Improper status "{row.get("status") or ""}" for an enrollment')


class _Target(NamedTuple):
    """What a row is about; `enrollment` is the one there is already."""

    login: Pseudonym
    user: User
    section: Section
    course: Course
    role: Role
    associated_user_id: int | None
    enrollment: Enrollment | None


def import_enrollment(row: Row, run: ImportRun) -> bool:
    """Create or change an enrollment of a user in a section by a role, even in a course that is over."""
    status = status_of(row, *STATUSES) or ""
    if row.get("root_account") or (run.skip_deletes and status.startswith("deleted")):
        return False
    target = _target(row, run)
    state = (
        _last(target, run) if status == DELETED_LAST_COMPLETED else _allowed(row, EnrollmentState(status), target, run)
    )
    _check_valid(row, state, target)
    start_at, end_at = run.dates(row, _date_complaint(row))
    fields: dict[str, object] = {"start_at": start_at, "end_at": end_at}
    if row.get("limit_section_privileges"):
        fields["limit_privileges_to_course_section"] = truth(row["limit_section_privileges"])
    if target.enrollment:
        run.canvas.set_enrollment_state(target.enrollment, state, run.by, **fields)
        return True
    fields["associated_user_id"] = target.associated_user_id
    run.canvas.create_enrollment(
        run.by, user=target.user, section=target.section, role=target.role, state=state, **fields
    )
    return True


def _target(row: Row, run: ImportRun) -> _Target:
    """What the row names, looked for in Canvas's order; raises RowRejected for the first that is not there."""
    login = _login(row, run)
    section, course = _place(row, run)
    role = run.roles.for_enrollment(course.account_id, row.get("role"), row.get("role_id"))
    if role is None:
        raise RowRejected(f'Improper role "{row.get("role") or ""}" for an enrollment')
    _guard_blueprint(row, course, role)
    associated = _associated(row, role, run)
    user = run.canvas.users[login.user_id]
    enrollment = run.canvas.find_enrollment(user, section, role, associated)
    return _Target(login, user, section, course, role, associated, enrollment)


def _login(row: Row, run: ImportRun) -> Pseudonym:
    pseudonyms, named = run.canvas.pseudonyms, row.get("user_integration_id")
    login = pseudonyms.by_integration_id(named) if named else pseudonyms.by_sis_id(row.get("user_id"))
    if login is None:
        raise RowRejected(
            f"User not found for enrollment (User ID: {_user(row)}, Course ID: {row.get('course_id') or ''}, "
            f"Section ID: {row.get('section_id') or ''})"
        )
    return login


def _place(row: Row, run: ImportRun) -> tuple[Section, Course]:
    """The section to enroll into, and the course it is in now."""
    canvas, section_id, course_id = run.canvas, row.get("section_id"), row.get("course_id")
    section = canvas.sections.by_sis_id(section_id)
    course = canvas.courses.by_sis_id(course_id)
    if section is None and course is None:
        raise RowRejected(
            f"Neither course nor section existed for user enrollment (Course ID: {course_id or ''}, "
            f"Section ID: {section_id or ''}, User ID: {_user(row)})"
        )
    if section_id and section is None:
        raise RowRejected(f"An enrollment referenced a non-existent section {section_id}")
    if course_id and course is None:
        raise RowRejected(f"An enrollment referenced a non-existent course {course_id}")
    if section is None:
        section = canvas.default_section(course, run.by, include_crosslisted=True)  # type: ignore[arg-type]
    elif course and course.id not in (section.course_id, section.nonxlist_course_id):
        raise RowRejected(
            f"An enrollment listed a section ({section_id}) and a course ({course_id}) that are unrelated "
            f"for user ({_user(row)})"
        )
    return section, canvas.courses[section.course_id]


def _guard_blueprint(row: Row, course: Course, role: Role) -> None:
    kind = role.base_role_type.removesuffix("Enrollment")
    if course.blueprint and kind in ("Student", "Observer"):
        course_id = row.get("course_id") or ""
        raise RowRejected(f'{kind} enrollment for "{_user(row)}" not allowed in blueprint course "{course_id}"')


def _associated(row: Row, role: Role, run: ImportRun) -> int | None:
    associated_id = row.get("associated_user_id")
    if not associated_id or role.base_role_type != "ObserverEnrollment":
        return None
    login = run.canvas.pseudonyms.by_sis_id(associated_id)
    if login is None:
        raise RowRejected(f"An enrollment referenced a non-existent associated user {associated_id}")
    return login.user_id


def _allowed(row: Row, asked: EnrollmentState, target: _Target, run: ImportRun) -> EnrollmentState:
    """The state that was asked for, as far as the user's logins allow it."""
    login, user, enrollment = target.login, target.user, target.enrollment
    if asked == EnrollmentState.DELETED or not (login.is_deleted or user.is_deleted):
        return asked
    place = row.get("course_id") or ""
    if asked == EnrollmentState.ACTIVE and people.logins_of(run.canvas, user.id):
        run.warn(f"Enrolled a user {_user(row)} in course {place}, but referenced a deleted sis login")
        return asked
    if login.is_deleted and enrollment and enrollment.is_deleted:
        raise RowRejected(f"Attempted enrolling with deleted sis login {login.unique_id} in course {place}")
    if asked == EnrollmentState.ACTIVE:
        run.warn(f"Attempted enrolling of deleted user {_user(row)} in course {place}")
        return EnrollmentState.DELETED
    return asked


def _last(target: _Target, run: ImportRun) -> EnrollmentState:
    """Deleted while the user has the role in the course by another active enrollment, completed for the last one."""
    others = run.canvas.enrollments.where_all(user_id=target.user.id, course_id=target.course.id)
    is_last = not any(
        other.workflow_state == EnrollmentState.ACTIVE
        and other.role_id == target.role.id
        and other is not target.enrollment
        for other in others
    )
    return EnrollmentState.COMPLETED if is_last else EnrollmentState.DELETED


def _check_valid(row: Row, state: EnrollmentState, target: _Target) -> None:
    course, section = target.course, target.section
    if state == EnrollmentState.DELETED or not (course.is_deleted or section.is_deleted):
        return
    errors = ["Course section is not a valid section"] if section.is_deleted else []
    errors += ["Course is not a valid course"] if course.is_deleted else []
    raise RowRejected(
        f"An enrollment did not pass validation (course: {row.get('course_id') or ''}, "
        f"section: {row.get('section_id') or ''}, user: {_user(row)}, role: {row.get('role') or ''}, "
        f"error: {', '.join(errors)})"
    )


def _date_complaint(row: Row) -> str:
    place = f"course {row['course_id']}" if row.get("course_id") else f"section {row.get('section_id')}"
    return f"Bad date format for user {_user(row)} in {place}"


def _user(row: Row) -> str:
    return row.get("user_id") or row.get("user_integration_id") or ""
