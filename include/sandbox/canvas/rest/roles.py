"""Roles, reference/canvas.md §10.6: a custom role is visible in its account and below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.http import json_response, not_found, paginate, path_value, refused, require
from sandbox.canvas.objects import Role, State
from sandbox.canvas.rest.addressing import find_account, find_role
from sandbox.canvas.rest.fields import invalid, missing, text, texts, truth, writer
from sandbox.canvas.rest.shapes import ACCOUNT_ROLE, role_json
from sandbox.canvas.seed import BASE_ROLES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.canvas.objects import Account
    from sandbox.canvas.state import Canvas
    from sandbox.world import World

BASE_ROLE_TYPES = frozenset(base for _, base in BASE_ROLES)


def index(request: Request, world: World) -> Response:
    """GET /accounts/:id/roles: built-in and active ones unless `state[]` says otherwise.

    Built-in roles are always shown; the custom ones of the accounts above only with `show_inherited`.
    """
    canvas = world.canvas
    require(request, "read_roles")
    account = find_account(canvas, path_value(request, "account"))
    states = texts(request, "state") or [State.ACTIVE]
    shown = set(states) | ({State.BUILT_IN} if State.ACTIVE in states else set())
    inherited = truth(text(request, "show_inherited"))
    roles = [
        role
        for role in visible_roles(canvas, account)
        if role.workflow_state in shown
        and (inherited or role.account_id == account.id or role.workflow_state == State.BUILT_IN)
    ]
    return paginate(request, roles, render=lambda role: role_json(canvas, role))


def show(request: Request, world: World) -> Response:
    """GET /accounts/:id/roles/:id."""
    require(request, "read_roles")
    return json_response(request, role_json(world.canvas, _role(request, world.canvas)))


def create(request: Request, world: World) -> Response:
    """POST /accounts/:id/roles: a custom role with a label and a base_role_type."""
    canvas = world.canvas
    require(request, "manage_role_overrides")
    account = find_account(canvas, path_value(request, "account"))
    label = text(request, "label") or text(request, "role")
    base = text(request, "base_role_type") or ACCOUNT_ROLE
    if not label:
        raise missing("label")
    if base not in BASE_ROLE_TYPES:
        raise refused("Invalid base role type")
    _check_free(canvas, account.id, label)
    now = canvas.now()
    role = Role(
        id=canvas.roles.next_id(),
        workflow_state=State.ACTIVE,
        created_at=now,
        updated_at=now,
        name=label,
        base_role_type=base,
        account_id=account.id,
    )
    canvas.roles.add(role, writer(request))
    return json_response(request, role_json(canvas, role))


def update(request: Request, world: World) -> Response:
    """PUT /accounts/:id/roles/:id: a new label."""
    canvas = world.canvas
    require(request, "manage_role_overrides")
    role = _custom_role(request, canvas)
    label = text(request, "label")
    if label and label != role.name:
        _check_free(canvas, role.account_id, label)
        canvas.roles.change(role, {"name": label}, writer(request))
    return json_response(request, role_json(canvas, role))


def deactivate(request: Request, world: World) -> Response:
    """DELETE /accounts/:id/roles/:id: who has the role keeps it, nobody gets it anew."""
    return _set_state(request, world, State.INACTIVE)


def activate(request: Request, world: World) -> Response:
    """POST /accounts/:id/roles/:id/activate."""
    return _set_state(request, world, State.ACTIVE)


def visible_roles(canvas: Canvas, account: Account) -> list[Role]:
    """The roles that can be used in an account, whatever their state."""
    chain = set(canvas.account_chain(account.id))
    return [role for role in canvas.roles if role.account_id in chain]


def _set_state(request: Request, world: World, state: State) -> Response:
    require(request, "manage_role_overrides")
    role = _custom_role(request, world.canvas)
    world.canvas.roles.change(role, {"workflow_state": state}, writer(request))
    return json_response(request, role_json(world.canvas, role))


def _role(request: Request, canvas: Canvas) -> Role:
    account = find_account(canvas, path_value(request, "account"))
    role = find_role(canvas, path_value(request, "role"))
    if role not in visible_roles(canvas, account):
        raise not_found()
    return role


def _custom_role(request: Request, canvas: Canvas) -> Role:
    role = _role(request, canvas)
    if role.workflow_state == State.BUILT_IN:
        raise refused("Built-in roles cannot be changed.")
    return role


def _check_free(canvas: Canvas, account_id: int, label: str) -> None:
    for role in canvas.roles.where("name", label):
        is_reserved = role.workflow_state == State.BUILT_IN
        if is_reserved or (role.workflow_state == State.ACTIVE and role.account_id == account_id):
            raise invalid("label", "A role with this name already exists", "taken")
