"""admins.csv (reference/canvas.md §5.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas import people
from sandbox.canvas.objects import State
from sandbox.canvas.sis.importers.run import RowRejected, status_of
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from sandbox.canvas.objects import Account, Role, User
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row


def import_admin(row: Row, run: ImportRun) -> bool:
    """Make a user an administrator, or remove one that SIS made; of others a deletion leaves no trace, yet counts."""
    status = _checked_status(row)
    if row.get("root_account") or (status == State.DELETED and run.skip_deletes):
        return False
    account = _account(row, run)
    role = _role(row, account, run)
    user = _user(row, status, run)
    if status == State.ACTIVE:
        people.make_admin(run.canvas, user, account, role, run.by)
        return True
    if user.id == run.user_id:
        raise RowRejected(f"Can't remove yourself user_id '{row['user_id']}'")
    admin = people.find_admin(run.canvas, user, account, role)
    if admin and admin.sis_batch_id is not None:
        run.canvas.admins.change(admin, {"workflow_state": State.DELETED}, run.by)
    return True


def _checked_status(row: Row) -> str:
    if not row.get("user_id"):
        raise RowRejected("No user_id given for admin")
    if not row.get("status"):
        raise RowRejected("No status given for admin")
    if not (row.get("role_id") or row.get("role")):
        raise RowRejected("No role_id or role given for admin")
    status = status_of(row, State.ACTIVE, State.DELETED)
    if status is None:
        raise RowRejected(f"Invalid status {row['status']} for admin")
    return status


def _account(row: Row, run: ImportRun) -> Account:
    account_id = row.get("account_id")
    if not account_id:
        return run.canvas.accounts[ROOT_ACCOUNT_ID]
    account = run.canvas.accounts.by_sis_id(account_id)
    if account is None or account.is_deleted:
        raise RowRejected("Invalid account_id given for admin")
    return account


def _role(row: Row, account: Account, run: ImportRun) -> Role:
    name, role_id = row.get("role"), row.get("role_id")
    role = run.roles.for_admin(account.id, name, role_id)
    if role is None:
        named = f"role_id '{role_id}'" if role_id else f"role '{name}'"
        raise RowRejected(f"Invalid {named} for admin")
    return role


def _user(row: Row, status: str, run: ImportRun) -> User:
    login = run.canvas.pseudonyms.by_sis_id(row["user_id"])
    if login is None or (status == State.ACTIVE and not people.logins_of(run.canvas, login.user_id)):
        raise RowRejected(f"Invalid or unknown user_id '{row['user_id']}' for admin")
    return run.canvas.users[login.user_id]
