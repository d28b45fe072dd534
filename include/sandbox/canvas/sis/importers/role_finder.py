"""Finding the role that a row names (reference/canvas.md §5.9, §5.10, §10.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.objects import State

if TYPE_CHECKING:
    from sandbox.canvas.objects import Role
    from sandbox.canvas.state import Canvas

ACCOUNT_ROLE = "AccountMembership"

_KEYWORDS = {
    "teacher": "TeacherEnrollment",
    "ta": "TaEnrollment",
    "observer": "ObserverEnrollment",
    "designer": "DesignerEnrollment",
}
_STUDENT = "student"


class RoleFinder:
    """Looks a role up once for each account that names it; keep one no longer than Canvas is locked."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._found: dict[tuple[int, str | None, str | None], Role | None] = {}

    def for_enrollment(self, account_id: int, name: str | None, role_id: str | None) -> Role | None:
        """A role people have in courses of that account: by id, else by its exact name, else by keyword.

        None when there is none in the account and above, or when it is inactive.
        """
        wanted = (account_id, name, role_id)
        if wanted not in self._found:
            usable = [role for role in self._usable(account_id) if role.base_role_type != ACCOUNT_ROLE]
            self._found[wanted] = _by_id(usable, role_id) or _by_name(usable, name) or _by_name(usable, _keyword(name))
        return self._found[wanted]

    def for_admin(self, account_id: int, name: str | None, role_id: str | None) -> Role | None:
        """A role administrators have in that account: by id when one is given, else by its exact name."""
        usable = [role for role in self._usable(account_id) if role.base_role_type == ACCOUNT_ROLE]
        return _by_id(usable, role_id) if role_id else _by_name(usable, name)

    def _usable(self, account_id: int) -> list[Role]:
        """The roles of the account and those above it, the nearest account first."""
        chain = self._canvas.account_chain(account_id)
        roles = [role for account in chain for role in self._canvas.roles.where("account_id", account)]
        return [role for role in roles if role.workflow_state in (State.BUILT_IN, State.ACTIVE)]


def _by_id(roles: list[Role], role_id: str | None) -> Role | None:
    return next((role for role in roles if str(role.id) == role_id), None)


def _by_name(roles: list[Role], name: str | None) -> Role | None:
    return next((role for role in roles if role.name == name), None)


def _keyword(name: str | None) -> str | None:
    word = (name or "").lower()
    return "StudentEnrollment" if word.startswith(_STUDENT) else _KEYWORDS.get(word)
