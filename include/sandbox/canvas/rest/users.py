"""Users, as far as a hand-made roster needs them (reference/canvas.md §10.7), and work in progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas import people
from sandbox.canvas.http import ApiError, base_url, json_response, not_found, paginate, path_value, require
from sandbox.canvas.rest.addressing import find_account, find_user
from sandbox.canvas.rest.fields import changes, group, missing, stick_new, text, writer
from sandbox.canvas.rest.shapes import login_of, progress_json, sees_sis, user_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import User
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

SHORTEST_SEARCH = 3

_NAMES = {"name": "name", "sortable_name": "sortable_name", "short_name": "short_name"}


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/users: all users of the root account, by sortable name or by `sort=id`.

    `search_term`, of three characters or more, is looked for in names, login, SIS id and e-mail.
    """
    canvas = world.canvas
    token = require(request, "read_roster")
    find_account(canvas, path_value(request, "account"))
    search = text(request, "search_term").casefold()
    if search and len(search) < SHORTEST_SEARCH:
        message = f"{SHORTEST_SEARCH} or more characters is required"
        raise ApiError(400, {"errors": [{"field": "search_term", "code": "invalid", "message": message}]})
    users = [user for user in canvas.users if not user.is_deleted and search in _searched(canvas, user)]
    if text(request, "sort") != "id":
        users.sort(key=lambda user: user.sortable_name.casefold())
    return paginate(request, users, render=lambda user: user_json(canvas, user, sis=sees_sis(token)))


def show(request: Request, world: World) -> Response:
    """GET /users/:id, also by `self` and SIS prefixes."""
    token = require(request, "read_roster")
    user = find_user(world.canvas, path_value(request, "user"), token)
    return json_response(request, user_json(world.canvas, user, sis=sees_sis(token)))


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/users: a user with one login; 400 when its login or SIS id is taken."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    find_account(canvas, path_value(request, "account"))
    login = group(request, "pseudonym")
    unique_id, sis_id = str(login.get("unique_id") or ""), str(login.get("sis_user_id") or "") or None
    if not unique_id:
        raise missing("pseudonym[unique_id]")
    if any(not row.is_deleted for row in canvas.pseudonyms.where("unique_id", unique_id)):
        message = "ID already in use for this account and authentication provider"
        raise _taken("unique_id", message)
    if canvas.pseudonyms.by_sis_id(sis_id):
        raise _taken("sis_user_id", f'SIS ID "{sis_id}" is already in use')
    values = changes(group(request, "user"), _NAMES)
    name = values.pop("name", unique_id)
    email = group(request, "communication_channel").get("address")
    user = canvas.create_user(writer(request), name=name, unique_id=unique_id, sis_id=sis_id, email=email, **values)
    stick_new(user, {**values, "name": name})
    return json_response(request, user_json(canvas, user, sis=sees_sis(token)))


def progress(request: Request, world: World) -> Response:
    """GET /progress/:id."""
    require(request)
    number = path_value(request, "progress")
    found = world.canvas.progress.get(int(number)) if number.isdecimal() else None
    if found is None:
        raise not_found()
    return json_response(request, progress_json(found, base_url(request)))


def _searched(canvas: Canvas, user: User) -> str:
    login = login_of(canvas, user)
    ids = [login.unique_id, login.sis_id] if login else []
    parts = (user.name, user.sortable_name, people.email_of(canvas, user.id), *ids)
    return "\n".join(part for part in parts if part).casefold()


def _taken(attribute: str, message: str) -> ApiError:
    error = {"attribute": attribute, "type": "taken", "message": message}
    return ApiError(400, {"errors": {"user": {}, "pseudonym": {attribute: [error]}, "observee": {}}})
