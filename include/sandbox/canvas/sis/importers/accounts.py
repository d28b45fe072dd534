"""accounts.csv (reference/canvas.md §5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.objects import State
from sandbox.canvas.sis.importers.run import RowRejected, status_of
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from sandbox.canvas.objects import Account
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row


def import_account(row: Row, run: ImportRun) -> bool:
    """Create, change, move or delete an account; parents come before their children."""
    account_id = row.get("account_id")
    if not account_id:
        raise RowRejected("No account_id given for an account")
    account = run.canvas.accounts.by_sis_id(account_id)
    parent = _parent(row, account_id, account, run)
    name = row.get("name") or (account.name if account else None)
    if not name:
        raise RowRejected(f"No name given for account {account_id}, skipping")
    status = status_of(row, State.ACTIVE, State.DELETED)
    if account is None and status is None:
        raise RowRejected(f'Improper status "{row.get("status") or ""}" for account {account_id}, skipping')
    if status == State.DELETED and run.skip_deletes:
        return False
    fields: dict[str, object] = {"integration_id": row.get("integration_id")}
    if status:
        fields["workflow_state"] = status
    if account is None:
        run.canvas.create_account(run.by, name=name, parent_account_id=parent.id, sis_id=account_id, **fields)
        return True
    if status == State.DELETED:
        run.canvas.guard_account(account)
    run.canvas.update_account(account, {"name": name, "parent_account_id": parent.id, **fields}, run.by)
    return True


def _parent(row: Row, account_id: str, account: Account | None, run: ImportRun) -> Account:
    parent_id = row.get("parent_account_id")
    parent = run.canvas.accounts.by_sis_id(parent_id) if parent_id else run.canvas.accounts[ROOT_ACCOUNT_ID]
    if parent is None:
        raise RowRejected(f"Parent account didn't exist for {account_id}")
    if account and "parent_account_id" in account.stuck and not run.by.override:
        parent = run.canvas.accounts.get(account.parent_account_id) or parent
    if parent.is_deleted:
        raise RowRejected(
            f"Cannot restore sub_account with ID: {account_id} because parent_account with ID: "
            f"{parent.sis_id} has been deleted."
        )
    return parent
