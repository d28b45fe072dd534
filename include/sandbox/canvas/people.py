"""What is done to users, their logins, e-mail addresses and admin rows (reference/canvas.md §5.7, §5.8, §5.10, §10.7).

Enrollments are in `state`, beside the courses and sections they follow.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.canvas.objects import AccountUser, CommunicationChannel, Pseudonym, State, User
from sandbox.canvas.table import CanvasRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.canvas.objects import Account, Role, Write
    from sandbox.canvas.state import Canvas

AUTHENTICATION_PROVIDERS = {"1": "canvas", "2": "saml", "3": "openid_connect"}
"""The ways to log in that the root account has set up, by id."""

USER_TYPES = ("administrative", "observer", "staff", "student", "student_other", "teacher")
"""What a login's declared_user_type can be."""

LOGIN_TAKEN = "ID already in use for this account and authentication provider"

_LOGIN = re.compile(r"[\w .+\-='@]{1,100}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def sortable(name: str) -> str:
    """The last word first: Kari Oppdiktet → Oppdiktet, Kari."""
    first, _, last = name.rpartition(" ")
    return f"{last}, {first}" if first else name


def is_login(text: str) -> bool:
    """Whether it can be a login_id."""
    return _LOGIN.fullmatch(text) is not None


def is_email(text: str) -> bool:
    """Whether it looks like an address."""
    return _EMAIL.fullmatch(text) is not None


def provider_id(text: str) -> str | None:
    """The id of the authentication provider named by its id or type; None when there is none."""
    return next((number for number, kind in AUTHENTICATION_PROVIDERS.items() if text in (number, kind)), None)


def new_user(canvas: Canvas, by: Write, *, name: str, **more: object) -> User:
    """A registered user without a login; `more`: sortable_name, short_name, pronouns."""
    values = {"name": name, "sortable_name": sortable(name), "short_name": name, "workflow_state": State.REGISTERED}
    return canvas.users.add(canvas.new_record(User, canvas.users, {**values, **more}), by)


def rename(canvas: Canvas, user: User, name: str, by: Write, **more: object) -> None:
    """Give a user a name; what was derived from the former one and is not in `more` follows it."""
    changes: dict[str, object] = {"name": name}
    if name != user.name and (by.override or "name" not in user.stuck):
        changes["sortable_name"] = sortable(name)
        if user.short_name == user.name:
            changes["short_name"] = name
    canvas.users.change(user, changes | more, by)


def add_login(canvas: Canvas, user: User, by: Write, *, unique_id: str, **more: object) -> Pseudonym:
    """Another login; `more`: sis_id, integration_id, workflow_state … Raises CanvasRefusal for a taken id."""
    values = {"user_id": user.id, "unique_id": unique_id, **more}
    return canvas.pseudonyms.add(canvas.new_record(Pseudonym, canvas.pseudonyms, values), by)


def login_named(canvas: Canvas, unique_id: str) -> Pseudonym | None:
    """The login with that login_id, whatever its case, that is not deleted."""
    return next((row for row in canvas.pseudonyms.where("unique_id", unique_id) if not row.is_deleted), None)


def logins_of(canvas: Canvas, user_id: int) -> list[Pseudonym]:
    """The logins of a user that are not deleted, one with a SIS id first."""
    logins = [row for row in canvas.pseudonyms.where("user_id", user_id) if not row.is_deleted]
    return logins if len(logins) < 2 else sorted(logins, key=lambda login: login.sis_id is None)


def email_of(canvas: Canvas, user_id: int) -> str | None:
    """The address of a user that is not retired."""
    channels = canvas.channels.where("user_id", user_id)
    return next((channel.path for channel in channels if channel.workflow_state != State.RETIRED), None)


def set_email(canvas: Canvas, user: User, address: str, by: Write, state: State = State.ACTIVE) -> None:
    """Make it the address of a user, confirmed; `state` retired keeps it without using it."""
    channels = canvas.channels.where("user_id", user.id)
    if channels:
        canvas.channels.change(channels[0], {"path": address, "workflow_state": state}, by)
        return
    values = {"user_id": user.id, "path": address, "workflow_state": state}
    canvas.channels.add(canvas.new_record(CommunicationChannel, canvas.channels, values), by)


def change_login(canvas: Canvas, login: Pseudonym, changes: Mapping[str, object], by: Write) -> set[str]:
    """Write fields of a login; when it was the last one and is deleted, the user loses all that hangs on it."""
    changed = canvas.pseudonyms.change(login, changes, by)
    if "workflow_state" in changed and login.is_deleted and not logins_of(canvas, login.user_id):
        _remove_from_everything(canvas, login.user_id, by)
    return changed


def delete_user(canvas: Canvas, user: User, by: Write) -> None:
    """Remove a user from the root account: enrollments, logins, admin rows and addresses go with it."""
    for login in logins_of(canvas, user.id):
        canvas.pseudonyms.change(login, {"workflow_state": State.DELETED}, by)
    for channel in canvas.channels.where("user_id", user.id):
        canvas.channels.change(channel, {"workflow_state": State.RETIRED}, by)
    _remove_from_everything(canvas, user.id, by)
    canvas.users.change(user, {"workflow_state": State.DELETED}, by)


def restore_user(canvas: Canvas, user: User, by: Write) -> None:
    """Bring a deleted user back with the latest login; raises CanvasRefusal when that is taken by now."""
    for login in canvas.pseudonyms.where("user_id", user.id)[-1:]:
        if login_named(canvas, login.unique_id) not in (None, login):
            raise CanvasRefusal(LOGIN_TAKEN)
        canvas.pseudonyms.change(login, {"workflow_state": State.ACTIVE}, by)
    canvas.users.change(user, {"workflow_state": State.REGISTERED}, by)


def people_below(canvas: Canvas, account_id: int) -> set[int]:
    """The ids of the users who are enrolled or administer in that account or below, deleted rows left out."""
    accounts = {account.id for account in canvas.accounts if account_id in canvas.account_chain(account.id)}
    courses = {course.id for course in canvas.courses if course.account_id in accounts}
    enrolled = {row.user_id for row in canvas.enrollments if row.course_id in courses and not row.is_deleted}
    return enrolled | {row.user_id for row in canvas.admins if row.account_id in accounts and not row.is_deleted}


def find_admin(canvas: Canvas, user: User, account: Account, role: Role) -> AccountUser | None:
    """The admin row of that user, account and role, deleted ones too."""
    rows = canvas.admins.where_all(user_id=user.id, account_id=account.id)
    return next((row for row in rows if row.role_id == role.id), None)


def make_admin(canvas: Canvas, user: User, account: Account, role: Role, by: Write) -> AccountUser:
    """Make a user an administrator with that role; one that is stays so, and is mentioned by the writer."""
    admin = find_admin(canvas, user, account, role)
    if admin is None:
        values = {"user_id": user.id, "account_id": account.id, "role_id": role.id}
        return canvas.admins.add(canvas.new_record(AccountUser, canvas.admins, values), by)
    canvas.admins.change(admin, {"workflow_state": State.ACTIVE}, by)
    return admin


def _remove_from_everything(canvas: Canvas, user_id: int, by: Write) -> None:
    canvas.delete_enrollments(by, user_id=user_id)
    for admin in canvas.admins.where("user_id", user_id):
        canvas.admins.change(admin, {"workflow_state": State.DELETED}, replace(by, batch_id=None))
