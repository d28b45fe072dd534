"""users.csv (reference/canvas.md §5.7); passwords and home accounts are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas import people
from sandbox.canvas.objects import State
from sandbox.canvas.sis.importers.login_fields import check_ids, login_fields
from sandbox.canvas.sis.importers.run import RowRejected, status_of

if TYPE_CHECKING:
    from sandbox.canvas.objects import Pseudonym, User
    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row

STATUSES = (State.ACTIVE, State.SUSPENDED, State.DELETED)
CLEAR = "<delete>"


def import_user(row: Row, run: ImportRun) -> bool:
    """Create or change a user and the login of that SIS id; the login carries the status."""
    user_id, login_id = check_ids(row)
    status = _status(row, user_id)
    if status == State.DELETED and run.skip_deletes:
        return False
    canvas = run.canvas
    own = canvas.pseudonyms.by_sis_id(user_id)
    if own and own.is_deleted and status == State.DELETED:
        return False
    fields = login_fields(row, own, run)
    login = own or _adopted(user_id, login_id, run)
    if status != State.DELETED:
        _check_unclaimed(user_id, login_id, login, run)
    elif login and login.user_id == run.user_id:
        raise RowRejected(f"Can't remove yourself user_id '{user_id}'")
    fields |= {"sis_id": user_id, "unique_id": login_id, "workflow_state": status}
    user = _write_user(row, login_id, canvas.users[login.user_id] if login else None, run)
    if login is None:
        people.add_login(canvas, user, run.by, **fields)  # type: ignore[arg-type]
    else:
        people.change_login(canvas, login, fields, run.by)
    return _write_email(row, user, status, run)


def _status(row: Row, user_id: str) -> State:
    if not row.get("status"):
        raise RowRejected(f"No status given for user {user_id}")
    status = status_of(row, *STATUSES)
    if status is None:
        raise RowRejected(f"Improper status for user {user_id}")
    return State(status)


def _adopted(user_id: str, login_id: str, run: ImportRun) -> Pseudonym | None:
    """A login that has the login_id without being another SIS user's, or that may be taken from one."""
    holder = people.login_named(run.canvas, login_id)
    is_free = holder is None or holder.sis_id is None or run.takes_claimed_logins
    return holder if is_free else None


def _check_unclaimed(user_id: str, login_id: str, login: Pseudonym | None, run: ImportRun) -> None:
    holder = people.login_named(run.canvas, login_id)
    if holder is None or holder is login:
        return
    name = f"SIS ID {holder.sis_id}" if holder.sis_id else f"Canvas ID {holder.user_id}"
    raise RowRejected(
        f"An existing Canvas user with the {name} has already claimed {user_id}'s user_id requested login "
        "information, skipping"
    )


def _write_user(row: Row, login_id: str, user: User | None, run: ImportRun) -> User:
    first, last, sortable = row.get("first_name"), row.get("last_name"), row.get("sortable_name")
    full = row.get("full_name") or " ".join(filter(None, (first, last)))
    name = full or (user.name if user else sortable or row.get("short_name") or login_id)
    more: dict[str, object] = {}
    if sortable:
        more["sortable_name"] = sortable
    elif first and last and not row.get("full_name"):
        more["sortable_name"] = f"{last}, {first}"
    if row.get("short_name"):
        more["short_name"] = row["short_name"]
    if row.get("pronouns"):
        more["pronouns"] = None if row["pronouns"] == CLEAR else row["pronouns"]
    if user is None:
        return people.new_user(run.canvas, run.by, name=name, **more)
    people.rename(run.canvas, user, name, run.by, workflow_state=State.REGISTERED, **more)
    return user


def _write_email(row: Row, user: User, status: State, run: ImportRun) -> bool:
    """Give the user the row's address. Raises RowRejected for one that is none: the user is saved, not counted."""
    address = row.get("email")
    if address and not people.is_email(address):
        raise RowRejected(f"The email address associated with user '{row['user_id']}' is invalid (email: '{address}')")
    if address:
        state = State.RETIRED if status == State.DELETED else State.ACTIVE
        people.set_email(run.canvas, user, address, run.by, state)
    return True
