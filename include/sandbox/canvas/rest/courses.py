"""Courses, reference/canvas.md §10.3: one at a time, and many at once with a Progress."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.canvas.background import start_with_progress
from sandbox.canvas.http import (
    ApiError,
    Token,
    base_url,
    json_response,
    not_found,
    paginate,
    path_value,
    refused,
    require,
)
from sandbox.canvas.objects import UI, EnrollmentState
from sandbox.canvas.rest.addressing import find_account, find_course, find_term
from sandbox.canvas.rest.course_list import course_with_includes, listed_courses
from sandbox.canvas.rest.fields import changes, group, includes, invalid, missing, stick_new, text, texts, truth, writer
from sandbox.canvas.rest.shapes import progress_json, sees_sis
from sandbox.canvas.state import DEFAULT_TERM_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import Course, Write
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

BULK_LIMIT = 500
BULK_EVENTS = ("offer", "conclude", "delete", "undelete")

_FIELDS = {
    "name": "name",
    "course_code": "course_code",
    "sis_course_id": "sis_id",
    "integration_id": "integration_id",
    "course_format": "course_format",
    "grade_passback_setting": "grade_passback_setting",
}
_DATES = ("start_at", "end_at")
_RESTRICT = "restrict_enrollments_to_course_dates"


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/courses: the courses of the account and of all below it."""
    token = require(request, "read_course_list")
    account = find_account(world.canvas, path_value(request, "account"))
    courses = listed_courses(request, world.canvas, account)
    return paginate(request, courses, render=partial(course_with_includes, request, world.canvas, sis=sees_sis(token)))


def show(request: Request, world: World) -> Response:
    """GET /courses/:id: 404 for a deleted course, unless `include[]=all_courses`."""
    token = require(request, "read_course_list")
    deleted = includes(request, "all_courses")
    course = find_course(world.canvas, path_value(request, "course"), deleted=deleted)
    return _answer(request, world, course, token)


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/courses: a new course, published with `offer`.

    With `enable_sis_reactivation` a deleted course of that SIS id comes back instead.
    """
    canvas = world.canvas
    token = require(request, "manage_courses_add")
    account = find_account(canvas, path_value(request, "account"))
    values = _values(canvas, group(request, "course"))
    by = writer(request)
    course = _reactivated(request, canvas, values, by)
    if course is None:
        name = values.pop("name", "Unnamed Course")
        code = values.pop("course_code", name)
        term_id = values.pop("term_id", DEFAULT_TERM_ID)
        course = canvas.create_course(by, name=name, course_code=code, account_id=account.id, term_id=term_id, **values)
        stick_new(course, {**values, "name": name, "account_id": account.id})
    if truth(text(request, "offer")):
        canvas.publish_course(course, by)
    if truth(text(request, "enroll_me")):
        _enroll_teacher(canvas, course, token, by)
    return _answer(request, world, course, token)


def update(request: Request, world: World) -> Response:
    """PUT /courses/:id: fields, a move to `account_id`, and `course[event]`."""
    canvas = world.canvas
    token = require(request, "manage_courses_admin")
    course = find_course(canvas, path_value(request, "course"), deleted=True)
    given = group(request, "course")
    event = str(given.get("event") or "")
    if course.is_deleted and event != "undelete":
        raise not_found()
    values = _values(canvas, given, course)
    if given.get("account_id"):
        values["account_id"] = find_account(canvas, str(given["account_id"])).id
    by = writer(request)
    if event:
        apply_event(canvas, course, event, by)
    canvas.update_course(course, values, by)
    return _answer(request, world, course, token)


def delete(request: Request, world: World) -> Response:
    """DELETE /courses/:id?event=delete|conclude."""
    require(request, "manage_courses_delete")
    course = find_course(world.canvas, path_value(request, "course"))
    event = text(request, "event")
    if event not in ("delete", "conclude"):
        raise refused('Only "delete" and "conclude" events are allowed.')
    apply_event(world.canvas, course, event, writer(request))
    return json_response(request, {event: True})


def update_many(request: Request, world: World) -> Response:
    """PUT /accounts/:id/courses: one event for up to 500 courses, done in the background."""
    canvas = world.canvas
    token = require(request, "manage_courses_admin")
    account = find_account(canvas, path_value(request, "account"))
    wanted, event = texts(request, "course_ids"), text(request, "event")
    if not wanted:
        raise missing("course_ids")
    if event not in BULK_EVENTS:
        raise missing("event") if not event else refused(f"Invalid event: {event}")
    if len(wanted) > BULK_LIMIT:
        raise refused(f"At most {BULK_LIMIT} courses can be updated at once.")
    courses = [find_course(canvas, course_id, deleted=True) for course_id in wanted]
    steps = [partial(apply_event, canvas, course, event, UI) for course in courses]
    progress = start_with_progress(canvas, "course_batch_update", account.id, token.user_id, steps)
    return json_response(request, progress_json(progress, base_url(request)))


def apply_event(canvas: Canvas, course: Course, event: str, by: Write) -> None:
    """Claim, offer, conclude, delete or undelete a course; ApiError 400 when it must not be unpublished."""
    match event:
        case "claim" if course.graded_submissions:
            message = "Course cannot be unpublished if student submissions exist."
            raise invalid("workflow_state", message)
        case "claim":
            canvas.unpublish_course(course, by)
        case "offer":
            canvas.publish_course(course, by)
        case "conclude":
            canvas.conclude_course(course, by)
        case "delete":
            canvas.delete_course(course, by)
        case "undelete":
            canvas.undelete_course(course, by)
        case _:
            raise ApiError(400, {"errors": [{"message": f"Invalid event: {event}"}]})


def _values(canvas: Canvas, given: Mapping[str, Any], course: Course | None = None) -> dict[str, Any]:
    values = changes(given, _FIELDS, _DATES, (_RESTRICT,))
    if given.get("term_id"):
        values["term_id"] = find_term(canvas, str(given["term_id"])).id
    restricted = values.get(_RESTRICT, course is not None and course.restrict_enrollments_to_course_dates)
    if not restricted:
        values = {name: value for name, value in values.items() if name not in _DATES}
    return values


def _reactivated(request: Request, canvas: Canvas, values: dict[str, Any], by: Write) -> Course | None:
    course = canvas.courses.by_sis_id(values.get("sis_id"))
    if course is None or not course.is_deleted or not truth(text(request, "enable_sis_reactivation")):
        return None
    canvas.undelete_course(course, by)
    canvas.update_course(course, values, by)
    return course


def _enroll_teacher(canvas: Canvas, course: Course, token: Token, by: Write) -> None:
    (role,) = canvas.roles.where("name", "TeacherEnrollment")
    section = canvas.default_section(course, by)
    user = canvas.users[token.user_id]
    canvas.create_enrollment(by, user=user, section=section, role=role, state=EnrollmentState.ACTIVE)


def _answer(request: Request, world: World, course: Course, token: Token) -> Response:
    shown = course_with_includes(request, world.canvas, course, sis=sees_sis(token))
    return json_response(request, shown)
