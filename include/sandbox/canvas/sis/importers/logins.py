"""logins.csv (reference/canvas.md §5.8): another login for a user there is. Sent twice, a row warns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas import people
from sandbox.canvas.sis.importers.login_fields import check_ids, login_fields
from sandbox.canvas.sis.importers.run import RowRejected

if TYPE_CHECKING:
    from sandbox.canvas.objects import User
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row


EXISTING = ("existing_user_id", "existing_integration_id", "existing_canvas_user_id")


def import_login(row: Row, run: ImportRun) -> bool:
    """Give an existing user an active login of its own SIS id."""
    user_id, login_id = check_ids(row)
    if not any(row.get(name) for name in EXISTING):
        raise RowRejected(f"No existing user provided for login with SIS ID {user_id}")
    canvas = run.canvas
    if row.get("root_account"):
        return False
    if canvas.pseudonyms.by_sis_id(user_id) or people.login_named(canvas, login_id):
        raise RowRejected(
            f"An existing Canvas user with the SIS ID {user_id} or login of {login_id} already exists, skipping"
        )
    user = _existing_user(row, user_id, run)
    fields = login_fields(row, None, run)
    people.add_login(canvas, user, run.by, unique_id=login_id, sis_id=user_id, **fields)
    address = row.get("email")
    if address and not people.is_email(address):
        raise RowRejected(f"The email address associated with user '{user_id}' is invalid (email: '{address}')")
    if address:
        people.set_email(canvas, user, address, run.by)
    return True


def _existing_user(row: Row, user_id: str, run: ImportRun) -> User:
    """The one user that every existing_ column of the row names."""
    canvas = run.canvas
    named: list[int | None] = []
    if row.get("existing_user_id"):
        login = canvas.pseudonyms.by_sis_id(row["existing_user_id"])
        named.append(login.user_id if login else None)
    if row.get("existing_integration_id"):
        login = canvas.pseudonyms.by_integration_id(row["existing_integration_id"])
        named.append(login.user_id if login else None)
    number = row.get("existing_canvas_user_id")
    if number:
        named.append(int(number) if number.isdecimal() and canvas.users.get(int(number)) else None)
    found = set(named)
    if found == {None}:
        raise RowRejected(f"Could not find the existing user for login with SIS ID {user_id}, skipping")
    if len(found) > 1:
        raise RowRejected(
            f"An existing user does not match existing user ids provided for login with SIS ID {user_id}, skipping"
        )
    return canvas.users[found.pop()]  # type: ignore[index]
