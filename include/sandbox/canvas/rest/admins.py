"""Administrators of an account, reference/canvas.md §10.9."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas import people
from sandbox.canvas.http import json_response, not_found, paginate, path_value, refused, require
from sandbox.canvas.objects import State
from sandbox.canvas.rest.addressing import find_account, find_role, find_user
from sandbox.canvas.rest.fields import missing, text, texts, writer
from sandbox.canvas.rest.roles import visible_roles
from sandbox.canvas.rest.shapes import ACCOUNT_ROLE, admin_json, sees_sis

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import Account, Role
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

DEFAULT_ROLE = "AccountAdmin"


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/admins: of that account itself, of `user_id[]` if any are given."""
    canvas = world.canvas
    token = require(request, "manage_account_memberships")
    account = find_account(canvas, path_value(request, "account"))
    wanted = {find_user(canvas, named, token).id for named in texts(request, "user_id")}
    found = [
        row
        for row in canvas.admins.where("account_id", account.id)
        if not row.is_deleted and (not wanted or row.user_id in wanted)
    ]
    return paginate(request, found, render=lambda admin: admin_json(canvas, admin, sis=sees_sis(token)))


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/admins: make `user_id` an administrator by `role_id` or `role`, AccountAdmin by default."""
    canvas = world.canvas
    token = require(request, "manage_account_memberships")
    account = find_account(canvas, path_value(request, "account"))
    named = text(request, "user_id")
    if not named:
        raise missing("user_id")
    user = find_user(canvas, named, token)
    role = _role(request, canvas, account)
    if role.workflow_state == State.INACTIVE:
        raise refused("Role is not active")
    admin = people.make_admin(canvas, user, account, role, writer(request))
    return json_response(request, admin_json(canvas, admin, sis=sees_sis(token)))


def delete(request: Request, world: World) -> Response:
    """DELETE /accounts/:id/admins/:user_id: takes `role_id` or `role` away, AccountAdmin by default."""
    canvas = world.canvas
    token = require(request, "manage_account_memberships")
    account = find_account(canvas, path_value(request, "account"))
    user = find_user(canvas, path_value(request, "user"), token)
    admin = people.find_admin(canvas, user, account, _role(request, canvas, account))
    if admin is None or admin.is_deleted:
        raise not_found()
    canvas.admins.change(admin, {"workflow_state": State.DELETED}, writer(request))
    return json_response(request, admin_json(canvas, admin, sis=sees_sis(token)))


def _role(request: Request, canvas: Canvas, account: Account) -> Role:
    role_id, name = text(request, "role_id"), text(request, "role") or DEFAULT_ROLE
    usable = [role for role in visible_roles(canvas, account) if role.base_role_type == ACCOUNT_ROLE]
    wanted = find_role(canvas, role_id) if role_id else None
    found = [role for role in usable if role is wanted or (wanted is None and role.name == name)]
    if not found:
        raise refused("Role not found")
    return found[0]
