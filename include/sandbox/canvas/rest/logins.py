"""Logins, reference/canvas.md §10.7: all of them belong to the root account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas import people
from sandbox.canvas.http import json_response, not_found, paginate, path_value, require
from sandbox.canvas.objects import State
from sandbox.canvas.rest.addressing import find_account, find_login, find_user
from sandbox.canvas.rest.fields import changes, group, invalid, missing, stick_new, text, writer
from sandbox.canvas.rest.shapes import login_json, sees_sis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import Pseudonym
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

LOGIN_FIELDS = {
    "unique_id": "unique_id",
    "sis_user_id": "sis_id",
    "integration_id": "integration_id",
    "declared_user_type": "declared_user_type",
}


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/logins, of `user_id` if it is given."""
    token = require(request, "view_user_logins")
    find_account(world.canvas, path_value(request, "account"))
    user_id = text(request, "user_id")
    wanted = find_user(world.canvas, user_id, token).id if user_id else None
    found = [row for row in world.canvas.pseudonyms if not row.is_deleted and wanted in (None, row.user_id)]
    return paginate(request, found, render=lambda login: login_json(login, sis=sees_sis(token)))


def index_of_user(request: Request, world: World) -> Response:
    """GET /users/:id/logins."""
    token = require(request, "view_user_logins")
    user = find_user(world.canvas, path_value(request, "user"), token)
    found = [row for row in world.canvas.pseudonyms.where("user_id", user.id) if not row.is_deleted]
    return paginate(request, found, render=lambda login: login_json(login, sis=sees_sis(token)))


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/logins: another login for `user[id]`."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    find_account(canvas, path_value(request, "account"))
    named = str(group(request, "user").get("id") or "")
    if not named:
        raise missing("user[id]")
    user = find_user(canvas, named, token)
    values = login_values(group(request, "login"))
    if not values.get("unique_id"):
        raise missing("login[unique_id]")
    _check_free(canvas, values, None)
    login = people.add_login(canvas, user, writer(request), **values)
    stick_new(login, values)
    return json_response(request, login_json(login, sis=sees_sis(token)))


def update(request: Request, world: World) -> Response:
    """PUT /accounts/:id/logins/:id: ids, provider, and workflow_state active or suspended."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    find_account(canvas, path_value(request, "account"))
    login = find_login(canvas, path_value(request, "login"))
    given = group(request, "login")
    values = login_values(given)
    if given.get("workflow_state") in (State.ACTIVE, State.SUSPENDED):
        values["workflow_state"] = str(given["workflow_state"])
    _check_free(canvas, values, login)
    people.change_login(canvas, login, values, writer(request))
    return json_response(request, login_json(login, sis=sees_sis(token)))


def delete(request: Request, world: World) -> Response:
    """DELETE /users/:id/logins/:id; with the last login goes what hangs on the user."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    user = find_user(canvas, path_value(request, "user"), token)
    login = find_login(canvas, path_value(request, "login"))
    if login.user_id != user.id:
        raise not_found()
    people.change_login(canvas, login, {"workflow_state": State.DELETED}, writer(request))
    return json_response(request, login_json(login, sis=sees_sis(token)))


def login_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a login in a request; raises ApiError 400 for a provider that is not set up."""
    values = changes(given, LOGIN_FIELDS)
    if "authentication_provider_id" in given:
        named = str(given["authentication_provider_id"] or "")
        values["authentication_provider_id"] = people.provider_id(named) if named else None
        if named and values["authentication_provider_id"] is None:
            raise not_found()
    return values


def _check_free(canvas: Canvas, values: Mapping[str, Any], login: Pseudonym | None) -> None:
    """Raises ApiError 400 when another login has the login_id or the SIS id."""
    holder = people.login_named(canvas, values.get("unique_id") or "")
    if holder not in (None, login):
        raise invalid("unique_id", people.LOGIN_TAKEN, "taken")
    sis_id = values.get("sis_id")
    if canvas.pseudonyms.by_sis_id(sis_id) not in (None, login):
        raise invalid("sis_user_id", f'SIS ID "{sis_id}" is already in use', "taken")
