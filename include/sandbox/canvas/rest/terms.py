"""Terms of the root account, reference/canvas.md §10.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas.http import json_response, not_found, paginate, path_value, require
from sandbox.canvas.objects import State
from sandbox.canvas.rest.addressing import find_account, find_term
from sandbox.canvas.rest.fields import (
    changes,
    group,
    includes,
    invalid,
    moment,
    stick_new,
    text,
    texts,
    writer,
)
from sandbox.canvas.rest.shapes import sees_sis, term_json
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.state import Canvas
    from sandbox.world import World

_FIELDS = {"name": "name", "sis_term_id": "sis_id", "integration_id": "integration_id"}
_DATES = ("start_at", "end_at")
OVERRIDE_TYPES = ("StudentEnrollment", "TeacherEnrollment", "TaEnrollment", "DesignerEnrollment")


def index(request: Request, world: World) -> Response:
    """GET /accounts/:root/terms: active ones unless `workflow_state[]` says otherwise."""
    token = require(request, "read")
    canvas = world.canvas
    _root_account(request, canvas)
    states = texts(request, "workflow_state") or [State.ACTIVE]
    wanted = text(request, "term_name").casefold()
    terms = [
        term
        for term in canvas.terms
        if ("all" in states or term.workflow_state in states) and wanted in term.name.casefold()
    ]
    overrides = includes(request, "overrides")
    return paginate(
        request,
        terms,
        wrap="enrollment_terms",
        render=lambda term: term_json(term, sis=sees_sis(token), overrides=overrides),
    )


def show(request: Request, world: World) -> Response:
    """GET /accounts/:root/terms/:id."""
    token = require(request, "read")
    _root_account(request, world.canvas)
    term = find_term(world.canvas, path_value(request, "term"))
    return json_response(request, term_json(term, sis=sees_sis(token), overrides=True))


def create(request: Request, world: World) -> Response:
    """POST /accounts/:root/terms: a new term from `enrollment_term[…]`."""
    token = require(request, "manage_account_settings")
    _root_account(request, world.canvas)
    given = group(request, "enrollment_term")
    values = {"name": ""} | _values(given)
    term = world.canvas.create_term(writer(request), **values)
    stick_new(term, values)
    return json_response(request, term_json(term, sis=sees_sis(token), overrides=True))


def update(request: Request, world: World) -> Response:
    """PUT /accounts/:root/terms/:id: name, dates, SIS id and overrides of a term."""
    token = require(request, "manage_account_settings")
    _root_account(request, world.canvas)
    term = find_term(world.canvas, path_value(request, "term"))
    values = _values(group(request, "enrollment_term"))
    if "overrides" in values:
        values["overrides"] = term.overrides | values["overrides"]
    world.canvas.update_term(term, values, writer(request))
    return json_response(request, term_json(term, sis=sees_sis(token), overrides=True))


def delete(request: Request, world: World) -> Response:
    """DELETE /accounts/:root/terms/:id: refused for the default term and for one with active courses."""
    token = require(request, "manage_account_settings")
    _root_account(request, world.canvas)
    term = find_term(world.canvas, path_value(request, "term"))
    world.canvas.delete_term(term, writer(request))
    return json_response(request, term_json(term, sis=sees_sis(token)))


def _root_account(request: Request, canvas: Canvas) -> None:
    if find_account(canvas, path_value(request, "account")).id != ROOT_ACCOUNT_ID:
        raise not_found()


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    values = changes(given, _FIELDS, _DATES)
    overrides = given.get("overrides")
    if overrides is None:
        return values
    if not isinstance(overrides, dict) or not overrides.keys() <= set(OVERRIDE_TYPES):
        raise invalid("overrides", "Invalid enrollment type in overrides")
    values["overrides"] = {
        kind: (moment("start_at", dates.get("start_at")), moment("end_at", dates.get("end_at")))
        for kind, dates in overrides.items()
    }
    return values
