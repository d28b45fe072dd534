"""Enrolling one person by REST: the checks with their texts, and what happens to an enrollment that exists.

Source: reference/canvas.md §10.5. A refusal is a 403 `{"message": …}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas.http import refused
from sandbox.canvas.objects import UI, EnrollmentState, State
from sandbox.canvas.rest.addressing import find_role, find_user
from sandbox.canvas.rest.course_list import is_concluded
from sandbox.canvas.rest.fields import changes, stick_new
from sandbox.canvas.rest.roles import visible_roles
from sandbox.canvas.rest.shapes import UNPUBLISHED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.canvas.http import Token
    from sandbox.canvas.objects import Course, Enrollment, Role, Section, User, Write
    from sandbox.canvas.state import Canvas

TYPES = ("StudentEnrollment", "TeacherEnrollment", "TaEnrollment", "DesignerEnrollment", "ObserverEnrollment")
STUDENT = "StudentEnrollment"
OBSERVER = "ObserverEnrollment"
REQUESTABLE = (EnrollmentState.ACTIVE, EnrollmentState.INVITED, EnrollmentState.INACTIVE)
NO_SIS_USER = "Can't create an enrollment without a sis_user_id or integration_id when root_account is provided"
NO_USER = "Can't create an enrollment without a user. Include enrollment[user_id] to create an enrollment"


def enroll(
    canvas: Canvas, token: Token, course: Course, section: Section | None, given: Mapping[str, Any], by: Write
) -> Enrollment:
    """Enroll a user, or bring the enrollment of the same user, role and section back to the asked state.

    An active one is returned as it is. Raises ApiError 403 with Canvas's text for what it refuses, 404 for a
    user there is not.
    """
    if not given:
        raise refused("No parameters given", 403)
    named = _named_user(given)
    role = _role(canvas, course, given)
    user = find_user(canvas, named, token)
    if is_concluded(canvas, course) and not (section and _is_still_open(canvas, section, user)):
        raise refused("Can't add an enrollment to a concluded course.", 403)
    section = section or canvas.default_section(course, by)
    observed = given.get("associated_user_id")
    associated = find_user(canvas, str(observed), token).id if observed else None
    state = _asked_state(course, role, given)
    more = changes(given, {}, ("start_at", "end_at"), ("limit_privileges_to_course_section",))
    existing = canvas.find_enrollment(user, section, role, associated)
    if existing:
        return _revived(canvas, existing, state, more, by)
    made = canvas.create_enrollment(
        by, user=user, section=section, role=role, state=state, associated_user_id=associated, **more
    )
    stick_new(made, more)
    return made


def _named_user(given: Mapping[str, Any]) -> str:
    """The user the request names, by SIS id when it names a trusted root account too."""
    if given.get("root_account"):
        for name in ("sis_user_id", "integration_id"):
            if given.get(name):
                return f"sis_{name.removeprefix('sis_')}:{given[name]}"
        raise refused(NO_SIS_USER, 403)
    if not given.get("user_id"):
        raise refused(NO_USER, 403)
    return str(given["user_id"])


def _is_still_open(canvas: Canvas, section: Section, user: User) -> bool:
    """Whether a section with dates of its own goes on after its course, and the user is in the course already."""
    goes_on = section.restrict_enrollments_to_section_dates and section.end_at and section.end_at > canvas.now()
    rows = canvas.enrollments.where_all(user_id=user.id, course_id=section.course_id)
    return bool(goes_on) and any(not row.is_deleted for row in rows)


def _revived(
    canvas: Canvas, enrollment: Enrollment, state: EnrollmentState, more: Mapping[str, object], by: Write
) -> Enrollment:
    if enrollment.workflow_state != EnrollmentState.ACTIVE:
        # A person brought it back, so it is no longer the import's.
        clearing = {"sis_batch_id": None} if enrollment.is_deleted else {}
        canvas.set_enrollment_state(enrollment, state, UI)
        canvas.enrollments.change(enrollment, {**more, **clearing}, by)
    return enrollment


def _asked_state(course: Course, role: Role, given: Mapping[str, Any]) -> EnrollmentState:
    asked = str(given.get("enrollment_state") or "")
    if asked in REQUESTABLE:
        return EnrollmentState(asked)
    if role.base_role_type == OBSERVER:
        return EnrollmentState.ACTIVE
    if course.workflow_state in UNPUBLISHED and role.base_role_type == STUDENT:
        return EnrollmentState.CREATION_PENDING
    return EnrollmentState.INVITED


def _role(canvas: Canvas, course: Course, given: Mapping[str, Any]) -> Role:
    kind = str(given.get("type") or "")
    if kind and kind not in TYPES:
        raise refused("Invalid type", 403)
    role = _named_role(canvas, course, given, kind or STUDENT)
    if role.workflow_state == State.INACTIVE:
        raise refused("Cannot create an enrollment with this role because it is inactive.", 403)
    if kind and role.base_role_type != kind:
        raise refused("The specified type must match the base type for the role", 403)
    return role


def _named_role(canvas: Canvas, course: Course, given: Mapping[str, Any], kind: str) -> Role:
    usable = [
        role for role in visible_roles(canvas, canvas.accounts[course.account_id]) if role.base_role_type in TYPES
    ]
    if given.get("role_id"):
        found = [role for role in usable if role.id == find_role(canvas, str(given["role_id"])).id]
    else:
        found = [role for role in usable if role.name == str(given.get("role") or kind)]
    if not found:
        raise refused("Invalid role", 403)
    return found[0]
