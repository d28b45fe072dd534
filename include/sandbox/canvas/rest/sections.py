"""Sections and cross-listing, reference/canvas.md §10.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas.http import Token, json_response, not_found, paginate, path_value, refused, require
from sandbox.canvas.objects import EnrollmentState, State
from sandbox.canvas.rest.addressing import find_course, find_section
from sandbox.canvas.rest.fields import changes, group, includes, stick_new, text, truth, writer
from sandbox.canvas.rest.shapes import section_json, sees_sis

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import Section, Write
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

_FIELDS = {"name": "name", "sis_section_id": "sis_id", "integration_id": "integration_id"}
_SIS_FIELDS = frozenset({"sis_section_id", "integration_id"})
_DATES = ("start_at", "end_at")
_FLAGS = ("restrict_enrollments_to_section_dates",)


def index(request: Request, world: World) -> Response:
    """GET /courses/:id/sections: those that are in the course now, cross-listed ones too."""
    canvas = world.canvas
    sis = sees_sis(require(request, "read_course_list"))
    course = find_course(canvas, path_value(request, "course"))
    sections = [row for row in canvas.sections.where("course_id", course.id) if not row.is_deleted]
    return paginate(request, sections, render=lambda section: _with_includes(request, canvas, section, sis))


def show(request: Request, world: World) -> Response:
    """GET /sections/:id, or the same below its course."""
    token = require(request, "read_course_list")
    section = find_section(world.canvas, path_value(request, "section"))
    if "course" in request.path_params:
        course = find_course(world.canvas, path_value(request, "course"))
        if section.course_id != course.id:
            raise not_found()
    return json_response(request, _with_includes(request, world.canvas, section, sees_sis(token)))


def create(request: Request, world: World) -> Response:
    """POST /courses/:id/sections; `enable_sis_reactivation` revives a deleted one of that SIS id."""
    canvas = world.canvas
    token = require(request, "manage_sections_add")
    course = find_course(canvas, path_value(request, "course"))
    values = _values(token, group(request, "course_section"))
    by = writer(request)
    section = canvas.sections.by_sis_id(values.get("sis_id"))
    if section and section.is_deleted and truth(text(request, "enable_sis_reactivation")):
        canvas.update_section(section, {**values, "course_id": course.id, "workflow_state": State.ACTIVE}, by)
    else:
        name = values.pop("name", course.name)
        section = canvas.create_section(by, name=name, course_id=course.id, **values)
        stick_new(section, {**values, "name": name, "course_id": course.id})
    return _answer(request, world, section, token)


def update(request: Request, world: World) -> Response:
    """PUT /sections/:id."""
    token = require(request, "manage_sections_edit")
    section = find_section(world.canvas, path_value(request, "section"))
    world.canvas.update_section(section, _values(token, group(request, "course_section")), writer(request))
    return _answer(request, world, section, token)


def delete(request: Request, world: World) -> Response:
    """DELETE /sections/:id: refused while someone is enrolled, completed and inactive ones included."""
    token = require(request, "manage_sections_delete")
    section = find_section(world.canvas, path_value(request, "section"))
    if world.canvas.has_enrollments(section):
        raise refused("You can't delete a section that has enrollments")
    world.canvas.delete_section(section, writer(request))
    return _answer(request, world, section, token)


def crosslist(request: Request, world: World) -> Response:
    """POST /sections/:id/crosslist/:new_course_id: move it, with its enrollments, into another course."""
    token = require(request, "manage_sections_edit")
    section = find_section(world.canvas, path_value(request, "section"))
    course = find_course(world.canvas, path_value(request, "course"))
    world.canvas.crosslist(section, course, writer(request))
    return _answer(request, world, section, token)


def uncrosslist(request: Request, world: World) -> Response:
    """DELETE /sections/:id/crosslist: bring it home."""
    token = require(request, "manage_sections_edit")
    section = find_section(world.canvas, path_value(request, "section"))
    if section.nonxlist_course_id is None:
        raise refused("section is not cross-listed")
    by: Write = writer(request)
    world.canvas.uncrosslist(section, by)
    return _answer(request, world, section, token)


def _values(token: Token, given: dict[str, Any]) -> dict[str, Any]:
    # Without SIS rights Canvas ignores the ids and says nothing.
    if "manage_sis" not in token.permissions:
        given = {name: value for name, value in given.items() if name not in _SIS_FIELDS}
    return changes(given, _FIELDS, _DATES, _FLAGS)


def _with_includes(request: Request, canvas: Canvas, section: Section, sis: bool) -> dict[str, Any]:
    shown = section_json(canvas, section, sis=sis)
    if includes(request, "total_students"):
        shown["total_students"] = sum(
            row.type == "StudentEnrollment" and row.workflow_state in (EnrollmentState.ACTIVE, EnrollmentState.INVITED)
            for row in canvas.enrollments.where("section_id", section.id)
        )
    return shown


def _answer(request: Request, world: World, section: Section, token: Token) -> Response:
    return json_response(request, section_json(world.canvas, section, sis=sees_sis(token)))
