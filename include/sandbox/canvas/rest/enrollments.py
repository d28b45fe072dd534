"""Enrollments: listing them, and enrolling and removing people one at a time (reference/canvas.md §10.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.http import ApiError, json_response, not_found, paginate, path_value, refused, require
from sandbox.canvas.objects import EnrollmentState
from sandbox.canvas.rest.addressing import find_course, find_enrollment, find_section, find_user
from sandbox.canvas.rest.enrolling import enroll
from sandbox.canvas.rest.fields import group, text, texts, writer
from sandbox.canvas.rest.shapes import enrollment_json

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """The rows that type[], role[], state[] and user_id let through."""
    states = set(texts(request, "state")) or set(default_states)
    types, roles = texts(request, "type"), texts(request, "role")
    user_id = text(request, "user_id")
    wanted_user = find_user(canvas, user_id, token).id if user_id else None
    found = [
        row
        for row in rows
        if row.workflow_state in states
        and (not types or row.type in types)
        and (not roles or canvas.roles[row.role_id].name in roles)
        and wanted_user in (None, row.user_id)
    ]
    return paginate(request, found, render=lambda row: enrollment_json(canvas, row, token))
