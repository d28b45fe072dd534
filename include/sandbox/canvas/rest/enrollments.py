"""Enrollments: listing them, and enrolling and removing people one at a time (reference/canvas.md §10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.http import ApiError, json_response, not_found, paginate, path_value, refused, require
from sandbox.canvas.objects import EnrollmentState
from sandbox.canvas.rest.addressing import (
    find_account,
    find_course,
    find_enrollment,
    find_section,
    find_term,
    find_user,
)
from sandbox.canvas.rest.enrolling import enroll
from sandbox.canvas.rest.fields import group, text, texts, writer
from sandbox.canvas.rest.shapes import enrollment_json, login_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.http import Token
    from sandbox.canvas.objects import Enrollment
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

TASKS = {
    "": EnrollmentState.COMPLETED,
    "conclude": EnrollmentState.COMPLETED,
    "delete": EnrollmentState.DELETED,
    "inactivate": EnrollmentState.INACTIVE,
    "deactivate": EnrollmentState.INACTIVE,
}

# What a list shows when the caller names no state; an administrator also sees inactive ones in a course.
_PRESENT = (EnrollmentState.ACTIVE, EnrollmentState.INVITED)
_PRESENT_TO_ADMIN = (*_PRESENT, EnrollmentState.INACTIVE)

# Words for several states at once, in the list of a user's enrollments.
_FUTURE = (*_PRESENT, EnrollmentState.CREATION_PENDING)
_COMBINED_STATES: dict[str, tuple[str, ...]] = {
    "current_and_invited": _PRESENT,
    "current_and_future": _FUTURE,
    "current_future_and_restricted": _FUTURE,
    "current_and_concluded": (EnrollmentState.ACTIVE, EnrollmentState.COMPLETED),
}


def index_of_course(request: Request, world: World) -> Response:
    """GET /courses/:id/enrollments."""
    token = require(request, "read_roster")
    course = find_course(world.canvas, path_value(request, "course"))
    rows = world.canvas.enrollments.where("course_id", course.id)
    return _listed(request, world.canvas, token, rows, _PRESENT_TO_ADMIN)


def index_of_section(request: Request, world: World) -> Response:
    """GET /sections/:id/enrollments."""
    token = require(request, "read_roster")
    section = find_section(world.canvas, path_value(request, "section"))
    rows = world.canvas.enrollments.where("section_id", section.id)
    return _listed(request, world.canvas, token, rows, _PRESENT_TO_ADMIN)


def index_of_user(request: Request, world: World) -> Response:
    """GET /users/:id/enrollments."""
    token = require(request, "read_roster")
    user = find_user(world.canvas, path_value(request, "user"), token)
    rows = world.canvas.enrollments.where("user_id", user.id)
    return _listed(request, world.canvas, token, rows, _PRESENT)


def show(request: Request, world: World) -> Response:
    """GET /accounts/:id/enrollments/:id, of any state."""
    token = require(request, "read_roster")
    find_account(world.canvas, path_value(request, "account"))
    enrollment = find_enrollment(world.canvas, path_value(request, "enrollment"))
    return json_response(request, enrollment_json(world.canvas, enrollment, token))


def create_in_course(request: Request, world: World) -> Response:
    """POST /courses/:id/enrollments: into `course_section_id`, or the course's default section."""
    canvas = world.canvas
    token = require(request, "manage_enrollments")
    course = find_course(canvas, path_value(request, "course"))
    given = group(request, "enrollment")
    by = writer(request)
    named = str(given.get("course_section_id") or "")
    section = find_section(canvas, named) if named else None
    if section and section.course_id != course.id:
        raise not_found()
    enrollment = enroll(canvas, token, course, section, given, by)
    return json_response(request, enrollment_json(canvas, enrollment, token))


def create_in_section(request: Request, world: World) -> Response:
    """POST /sections/:id/enrollments."""
    canvas = world.canvas
    token = require(request, "manage_enrollments")
    section = find_section(canvas, path_value(request, "section"))
    course = canvas.courses[section.course_id]
    enrollment = enroll(canvas, token, course, section, group(request, "enrollment"), writer(request))
    return json_response(request, enrollment_json(canvas, enrollment, token))


def remove(request: Request, world: World) -> Response:
    """DELETE /courses/:id/enrollments/:id?task=conclude|delete|inactivate|deactivate; conclude by default."""
    token = require(request, "manage_enrollments")
    enrollment = _of_course(request, world.canvas)
    task = text(request, "task")
    if task not in TASKS:
        raise refused(f"Invalid task: {task}")
    world.canvas.set_enrollment_state(enrollment, TASKS[task], writer(request))
    return json_response(request, enrollment_json(world.canvas, enrollment, token))


def reactivate(request: Request, world: World) -> Response:
    """PUT /courses/:id/enrollments/:id/reactivate: from inactive only."""
    token = require(request, "manage_enrollments")
    enrollment = _of_course(request, world.canvas)
    if enrollment.workflow_state != EnrollmentState.INACTIVE:
        raise ApiError(400, {"error": "enrollment not inactive"})
    world.canvas.set_enrollment_state(enrollment, EnrollmentState.ACTIVE, writer(request))
    return json_response(request, enrollment_json(world.canvas, enrollment, token))


def _of_course(request: Request, canvas: Canvas) -> Enrollment:
    course = find_course(canvas, path_value(request, "course"))
    enrollment = find_enrollment(canvas, path_value(request, "enrollment"))
    if enrollment.course_id != course.id:
        raise not_found()
    return enrollment


def _listed(
    request: Request,
    canvas: Canvas,
    token: Token,
    rows: Iterable[Enrollment],
    default_states: Iterable[EnrollmentState],
) -> Response:
    """The rows that the request's filters let through: state[], type[], role[], user_id, term and SIS ids."""
    states = {
        state for name in texts(request, "state") or default_states for state in _COMBINED_STATES.get(name, (name,))
    }
    conditions = [lambda row: row.workflow_state in states, *_conditions(request, canvas, token)]
    found = [row for row in rows if all(condition(row) for condition in conditions)]
    return paginate(request, found, render=lambda row: enrollment_json(canvas, row, token))


def _conditions(request: Request, canvas: Canvas, token: Token) -> list[Callable[[Enrollment], bool]]:
    """What the request asks of an enrollment beside its state."""
    conditions: list[Callable[[Enrollment], bool]] = []
    if user_id := text(request, "user_id"):
        wanted = find_user(canvas, user_id, token).id
        conditions.append(lambda row: row.user_id == wanted)
    if term_id := text(request, "enrollment_term_id"):
        term = find_term(canvas, term_id)
        conditions.append(lambda row: canvas.courses[row.course_id].term_id == term.id)
    for name, value_of in _listings(canvas).items():
        if values := texts(request, name):
            conditions.append(_in(values, value_of))
    return conditions


def _listings(canvas: Canvas) -> dict[str, Callable[[Enrollment], str | None]]:
    """The list parameters that keep an enrollment whose value is in the list."""

    def account_of(row: Enrollment) -> str | None:
        return canvas.accounts[canvas.courses[row.course_id].account_id].sis_id

    def user_of(row: Enrollment) -> str | None:
        login = login_of(canvas, canvas.users[row.user_id])
        return login.sis_id if login else None

    return {
        "type": lambda row: row.type,
        "role": lambda row: canvas.roles[row.role_id].name,
        "role_id": lambda row: str(row.role_id),
        "sis_account_id": account_of,
        "sis_course_id": lambda row: canvas.courses[row.course_id].sis_id,
        "sis_section_id": lambda row: canvas.sections[row.section_id].sis_id,
        "sis_user_id": user_of,
    }


def _in(values: list[str], value_of: Callable[[Enrollment], str | None]) -> Callable[[Enrollment], bool]:
    return lambda row: value_of(row) in values
