"""Users, reference/canvas.md §10.7, and work in progress."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.canvas import background, people
from sandbox.canvas.http import (
    ApiError,
    base_url,
    json_response,
    not_found,
    paginate,
    path_value,
    refused,
    require,
)
from sandbox.canvas.objects import State
from sandbox.canvas.rest.addressing import find_account, find_user
from sandbox.canvas.rest.fields import changes, group, missing, stick_new, text, texts, truth, writer
from sandbox.canvas.rest.logins import login_values
from sandbox.canvas.rest.shapes import login_of, progress_json, sees_sis, user_json
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import User, Write
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

SHORTEST_SEARCH = 3

_NAMES = {"name": "name", "sortable_name": "sortable_name", "short_name": "short_name", "pronouns": "pronouns"}
_EVENTS = {"suspend": (State.ACTIVE, State.SUSPENDED), "unsuspend": (State.SUSPENDED, State.ACTIVE)}


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/users: the users of an account, by sortable name or by `sort`, and `order`.

    `search_term`, of three characters or more, is looked for in names, login, SIS id and e-mail. Deleted users
    are shown with `include_deleted_users`.
    """
    canvas = world.canvas
    token = require(request, "read_roster")
    account = find_account(canvas, path_value(request, "account"))
    search = text(request, "search_term").casefold()
    if search and len(search) < SHORTEST_SEARCH:
        message = f"{SHORTEST_SEARCH} or more characters is required"
        raise ApiError(400, {"errors": [{"field": "search_term", "code": "invalid", "message": message}]})
    deleted = truth(text(request, "include_deleted_users"))
    below = None if account.id == ROOT_ACCOUNT_ID else people.people_below(canvas, account.id)
    users = [
        user
        for user in canvas.users
        if (deleted or not user.is_deleted)
        and (below is None or user.id in below)
        and (not search or search in _searched(canvas, user))
    ]
    users.sort(key=_order(request, canvas), reverse=text(request, "order") == "desc")
    return paginate(request, users, render=lambda user: user_json(canvas, user, sis=sees_sis(token)))


def show(request: Request, world: World) -> Response:
    """GET /users/:id, also by `self` and SIS prefixes."""
    token = require(request, "read_roster")
    user = find_user(world.canvas, path_value(request, "user"), token)
    return json_response(request, user_json(world.canvas, user, sis=sees_sis(token)))


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/users: a user with one login; 400 when its login or SIS id is taken.

    With `enable_sis_reactivation` the deleted user of that SIS id comes back.
    """
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    find_account(canvas, path_value(request, "account"))
    values, login = changes(group(request, "user"), _NAMES), login_values(group(request, "pseudonym"))
    if not login.get("unique_id"):
        raise missing("pseudonym[unique_id]")
    by = writer(request)
    user = _reactivated(request, canvas, login.get("sis_id"), by)
    if user is None:
        _check_free(canvas, login["unique_id"], login.get("sis_id"))
        user = people.new_user(canvas, by, name=values.pop("name", login["unique_id"]), **values)
        stick_new(people.add_login(canvas, user, by, **login), login)
        stick_new(user, {**values, "name": user.name})
    else:
        _rename(canvas, user, values, by)
    if address := group(request, "communication_channel").get("address"):
        people.set_email(canvas, user, str(address), by)
    return json_response(request, user_json(canvas, user, sis=sees_sis(token)))


def update(request: Request, world: World) -> Response:
    """PUT /users/:id: names, e-mail, and `user[event]` suspend or unsuspend, for every login of the user."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    user = find_user(canvas, path_value(request, "user"), token)
    given, by = group(request, "user"), writer(request)
    _rename(canvas, user, changes(given, _NAMES), by)
    if given.get("email"):
        people.set_email(canvas, user, str(given["email"]), by)
    if given.get("event"):
        _happen(canvas, user, str(given["event"]), by)
    return json_response(request, user_json(canvas, user, sis=sees_sis(token)))


def update_many(request: Request, world: World) -> Response:
    """PUT /accounts/:id/users/bulk_update: `user[event]` for every one of `user_ids[]`; answers a Progress."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    account = find_account(canvas, path_value(request, "account"))
    event = str(group(request, "user").get("event") or "")
    if event not in _EVENTS:
        raise refused(f"Invalid event: {event}")
    users = [find_user(canvas, named, token) for named in texts(request, "user_ids")]
    steps = [partial(_happen, canvas, user, event, writer(request)) for user in users]
    started = background.start_with_progress(canvas, "bulk_update_users", account.id, token.user_id, steps)
    return json_response(request, progress_json(started, base_url(request)))


def delete(request: Request, world: World) -> Response:
    """DELETE /accounts/:id/users/:id: out of the root account, with enrollments, logins and admin rows."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    find_account(canvas, path_value(request, "account"))
    user = find_user(canvas, path_value(request, "user"), token)
    shown = user_json(canvas, user, sis=sees_sis(token))
    people.delete_user(canvas, user, writer(request))
    return json_response(request, shown)


def restore(request: Request, world: World) -> Response:
    """PUT /accounts/:id/users/:id/restore: a deleted user and the latest login; what went with them stays gone."""
    canvas = world.canvas
    token = require(request, "manage_user_logins")
    find_account(canvas, path_value(request, "account"))
    user = find_user(canvas, path_value(request, "user"), token, deleted=True)
    if not user.is_deleted:
        raise not_found()
    people.restore_user(canvas, user, writer(request))
    return json_response(request, user_json(canvas, user, sis=sees_sis(token)))


def progress(request: Request, world: World) -> Response:
    """GET /progress/:id."""
    require(request)
    number = path_value(request, "progress")
    found = world.canvas.progress.get(int(number)) if number.isdecimal() else None
    if found is None:
        raise not_found()
    return json_response(request, progress_json(found, base_url(request)))


def _order(request: Request, canvas: Canvas) -> Callable[[User], Any]:
    """The key of `sort`: id, sis_id, login, email, or the sortable name."""

    def sis_id(user: User) -> str:
        login = login_of(canvas, user)
        return (login.sis_id if login else None) or ""

    def unique_id(user: User) -> str:
        login = login_of(canvas, user)
        return login.unique_id.casefold() if login else ""

    keys: dict[str, Callable[[User], Any]] = {
        "id": lambda user: user.id,
        "sis_id": sis_id,
        "login": unique_id,
        "email": lambda user: people.email_of(canvas, user.id) or "",
    }
    return keys.get(text(request, "sort"), lambda user: user.sortable_name.casefold())


def _rename(canvas: Canvas, user: User, values: dict[str, object], by: Write) -> None:
    if values:
        people.rename(canvas, user, str(values.pop("name", user.name)), by, **values)


def _happen(canvas: Canvas, user: User, event: str, by: Write) -> None:
    if event not in _EVENTS:
        raise refused(f"Invalid event: {event}")
    before, after = _EVENTS[event]
    for login in people.logins_of(canvas, user.id):
        if login.workflow_state == before:
            people.change_login(canvas, login, {"workflow_state": after}, by)


def _reactivated(request: Request, canvas: Canvas, sis_id: str | None, by: Write) -> User | None:
    login = canvas.pseudonyms.by_sis_id(sis_id)
    if login is None or not login.is_deleted or not truth(text(request, "enable_sis_reactivation")):
        return None
    user = canvas.users[login.user_id]
    people.restore_user(canvas, user, by)
    return user


def _check_free(canvas: Canvas, unique_id: str, sis_id: str | None) -> None:
    if people.login_named(canvas, unique_id):
        raise _taken("unique_id", people.LOGIN_TAKEN)
    if canvas.pseudonyms.by_sis_id(sis_id):
        raise _taken("sis_user_id", f'SIS ID "{sis_id}" is already in use')


def _searched(canvas: Canvas, user: User) -> str:
    login = login_of(canvas, user)
    ids = [login.unique_id, login.sis_id] if login else []
    parts = (user.name, user.sortable_name, people.email_of(canvas, user.id), *ids)
    return "\n".join(part for part in parts if part).casefold()


def _taken(attribute: str, message: str) -> ApiError:
    error = {"attribute": attribute, "type": "taken", "message": message}
    return ApiError(400, {"errors": {"user": {}, "pseudonym": {attribute: [error]}, "observee": {}}})
