"""Accounts and their sub-accounts, reference/canvas.md §10.1, and what a token may do in one (§2.1, §9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.canvas.http import ApiError, Token, json_response, not_found, paginate, path_value, refused, require
from sandbox.canvas.rest.addressing import find_account
from sandbox.canvas.rest.fields import changes, group, includes, missing, stick_new, text, texts, truth, writer
from sandbox.canvas.rest.shapes import account_json, sees_sis
from sandbox.canvas.state import ROOT_ACCOUNT_ID
from sandbox.canvas.throttle import gate_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import Account
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

_FIELDS = {"name": "name", "sis_account_id": "sis_id", "integration_id": "integration_id"}


def index(request: Request, world: World) -> Response:
    """GET /accounts: the accounts the caller administers, which is the root account."""
    sis = sees_sis(require(request, "read"))
    root = world.canvas.accounts[ROOT_ACCOUNT_ID]
    return paginate(request, [root], render=lambda account: account_json(account, sis=sis))


def show(request: Request, world: World) -> Response:
    """GET /accounts/:id."""
    token = require(request, "read")
    account = find_account(world.canvas, path_value(request, "account"))
    return json_response(request, account_json(account, sis=sees_sis(token)))


def permissions(request: Request, world: World) -> Response:
    """GET /accounts/:id/permissions: for each of `permissions[]` whether the caller has it."""
    token = require(request)
    find_account(world.canvas, path_value(request, "account"))
    return json_response(request, {name: name in token.permissions for name in texts(request, "permissions")})


def sub_accounts(request: Request, world: World) -> Response:
    """GET /accounts/:id/sub_accounts: the direct ones, or with `recursive` all below."""
    canvas = world.canvas
    sis = sees_sis(require(request, "read"))
    parent = find_account(canvas, path_value(request, "account"))
    below = descendants(canvas, parent) if truth(text(request, "recursive")) else children(canvas, parent)
    counted = [name for name in ("course_count", "sub_account_count") if includes(request, name)]

    def render(account: Account) -> dict[str, Any]:
        return account_json(account, sis=sis) | {name: _count(canvas, account, name) for name in counted}

    return paginate(request, below, render=render)


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/sub_accounts: a new account below that one."""
    canvas = world.canvas
    token = require(request, "manage_account_settings")
    parent = find_account(canvas, path_value(request, "account"))
    given = group(request, "account")
    if not str(given.get("name") or ""):
        raise missing("account[name]")
    _check_sis_right(world, token, given)
    values = changes(given, _FIELDS)
    by = writer(request)
    account = canvas.create_account(by, parent_account_id=parent.id, **values)
    stick_new(account, {**values, "parent_account_id": parent.id})
    return json_response(request, account_json(account, sis=sees_sis(token)))


def update(request: Request, world: World) -> Response:
    """PUT /accounts/:id: name, SIS id (not of the root account) and, to move it, parent_account_id."""
    canvas = world.canvas
    token = require(request, "manage_account_settings")
    account = find_account(canvas, path_value(request, "account"))
    given = group(request, "account")
    _check_sis_right(world, token, given)
    values = changes(given, _FIELDS)
    if account.id == ROOT_ACCOUNT_ID:
        values.pop("sis_id", None)
    elif given.get("parent_account_id"):
        values["parent_account_id"] = find_account(canvas, str(given["parent_account_id"])).id
    canvas.update_account(account, values, writer(request))
    return json_response(request, account_json(account, sis=sees_sis(token)))


def delete(request: Request, world: World) -> Response:
    """DELETE /accounts/:id/sub_accounts/:id: refused while it has courses or sub-accounts."""
    canvas = world.canvas
    token = require(request, "manage_account_settings")
    parent = find_account(canvas, path_value(request, "account"))
    account = find_account(canvas, path_value(request, "sub_account"))
    if account.id == parent.id or parent.id not in canvas.account_chain(account.id):
        raise not_found()
    if canvas.has_sub_accounts(account):
        raise refused("You can't delete a sub-account that has sub-accounts in it.", 409)
    if canvas.has_courses(account):
        raise refused("You can't delete a sub-account that has courses in it.", 409)
    canvas.delete_account(account, writer(request))
    return json_response(request, account_json(account, sis=sees_sis(token)))


def children(canvas: Canvas, parent: Account) -> list[Account]:
    """The direct sub-accounts that are not deleted."""
    return [row for row in canvas.accounts.where("parent_account_id", parent.id) if not row.is_deleted]


def descendants(canvas: Canvas, parent: Account) -> list[Account]:
    """All sub-accounts below that are not deleted, parents before children."""
    found, level = [], children(canvas, parent)
    while level:
        found += level
        level = [child for account in level for child in children(canvas, account)]
    return found


def _count(canvas: Canvas, account: Account, name: str) -> int:
    if name == "sub_account_count":
        return len(children(canvas, account))
    return sum(not course.is_deleted for course in canvas.courses.where("account_id", account.id))


def _check_sis_right(world: World, token: Token, given: dict[str, Any]) -> None:
    if "sis_account_id" in given and "manage_sis" not in token.permissions:
        message = "user not authorized to manage SIS data - account[sis_account_id]"
        raise ApiError(gate_of(world.canvas).profile.denied_status, {"message": message})
