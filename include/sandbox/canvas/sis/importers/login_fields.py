"""What users.csv and logins.csv say of a login: its ids and how it logs in (reference/canvas.md §5.7, §5.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas import people
from sandbox.canvas.sis.importers.run import RowRejected

if TYPE_CHECKING:
    from sandbox.canvas.objects import Pseudonym
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row

CLEAR = "<delete>"


def check_ids(row: Row) -> tuple[str, str]:
    """The row's user_id and login_id; raises RowRejected when one is missing or a field has a NUL character."""
    if any(value and "\0" in value for value in row.values()):
        raise RowRejected("Some of the fields contain NULL character")
    user_id, login_id = row.get("user_id"), row.get("login_id")
    if not user_id:
        raise RowRejected("No user_id given for a user")
    if not login_id:
        raise RowRejected(f"No login_id given for user {user_id}")
    return user_id, login_id


def login_fields(row: Row, login: Pseudonym | None, run: ImportRun) -> dict[str, object]:
    """The fields to write to the login beside its ids and state; `login` is the row's own, if it exists.

    Raises RowRejected for a claimed integration id, an unknown authentication provider and a bad login_id.
    """
    user_id, login_id = row["user_id"], row["login_id"] or ""
    fields: dict[str, object] = {}
    integration_id = row.get("integration_id")
    if integration_id:
        holder = run.canvas.pseudonyms.by_integration_id(integration_id)
        if holder is not None and holder is not login:
            name = f"SIS ID {holder.sis_id}" if holder.sis_id else f"Canvas ID {holder.user_id}"
            raise RowRejected(
                f"An existing Canvas user with the {name} has already claimed {user_id}'s requested "
                "integration_id, skipping"
            )
        fields["integration_id"] = integration_id
    provider = row.get("authentication_provider_id")
    fields["authentication_provider_id"] = people.provider_id(provider) if provider else None
    if provider and fields["authentication_provider_id"] is None:
        raise RowRejected(f"unrecognized authentication provider {provider} for {user_id}, skipping")
    if not people.is_login(login_id):
        raise RowRejected(f"Could not save the user with user_id: '{user_id}'. Invalid login_id: '{login_id}'")
    declared = row.get("declared_user_type")
    if declared == CLEAR:
        fields["declared_user_type"] = None
    elif declared and declared.lower() in people.USER_TYPES:
        fields["declared_user_type"] = declared.lower()
    return fields
