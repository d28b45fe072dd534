"""Where an institution writes: what is confirmed is true of one Canvas and one account in it, and of no other."""

from __future__ import annotations

from datetime import datetime

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.institution import Institution
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.store import institutions
from rosterflow.store.engine import Store


def verify_place(store: Store, hook: CanvasHook, institution: Institution, now: datetime) -> None:
    """See that connection and settings still name the Canvas and the account that we know; at first, remember them.

    :raises FatalError: ``canvas-changed`` when they name others; ``settings-invalid`` when there is no such account.
    """
    canvas, account = hook.identity(), institution.canvas.account
    with store.begin() as connection:
        known = institutions.standing(connection, institution.key, now)
    for setting, before, at_present in (
        (f"the connection {institution.canvas.connection}", known.canvas, canvas),
        ("canvas.account", known.account, account),
    ):
        if before not in (None, at_present):
            message = (
                f"{institution.key}: {setting} leads to {at_present!r} now, and what is confirmed is of {before!r}."
            )
            raise FatalError(Code.CANVAS_CHANGED, message)
    if not hook.account_exists(account):
        raise no_account(institution)
    if known.canvas is None:
        with store.begin() as connection:
            institutions.mark(connection, institution.key, canvas=canvas, account=account)


def no_account(institution: Institution) -> FatalError:
    """The error when Canvas does not have the institution's own account."""
    account = institution.canvas.account
    message = f"{institution.key}: canvas.account: Canvas has no account with the SIS id {account!r}."
    return FatalError(Code.SETTINGS_INVALID, message)
