"""The rows of users.csv, enrollments.csv, admins.csv and users' change_sis_id.csv (Canvas contract §5.7–5.13).

One change of a roster is as many rows as it has people, and a user who takes part in a circle of logins has two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import MEMBER_FIELDS, Roster

LOGIN = MEMBER_FIELDS[Kind.USER].index("login")


@dataclass(slots=True)
class Lines:
    """The rows of a file, in an order in which Canvas accepts them.

    :param at: for each row, the position of its change in the list that the file is made from.
    :param users: for each row, the SIS id of the person whom it is about.
    """

    at: list[int] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    values: list[tuple[str, ...]] = field(default_factory=list)


Parts = Sequence[tuple[int, Change, Roster]]
"""Changes of rosters: the position of each, the change, and the people as they will be."""


@dataclass(frozen=True, slots=True)
class Renames:
    """The ids that an import changes: of places by their old key, of users by their old id."""

    places: Mapping[Key, str]
    users: Mapping[str, str]

    @classmethod
    def by(cls, changes: Iterable[Change]) -> Renames:
        """Those that some changes make."""
        renaming = [change for change in changes if change.action is Action.CHANGE_ID]
        users: dict[str, str] = {}
        for one in renaming:
            users |= one.after.ids if isinstance(one.after, Roster) else {}
        return cls({one.key: one.after.sis_id for one in renaming if not isinstance(one.after, Roster)}, users)


@dataclass(frozen=True, slots=True)
class PeopleFormat:
    """A file about people.

    :param counted_as: key of ``data.counts`` under which Canvas counts its accepted rows.
    :param write: adds its rows; what gets another id by the same import already goes by it (Canvas contract §3.4).
    """

    counted_as: str
    columns: tuple[str, ...]
    write: Callable[[Lines, Parts, Renames], None]


def people_lines(made: PeopleFormat, changes: Sequence[Change], positions: Sequence[int]) -> Lines:
    """The rows of a file."""
    renames = Renames.by(changes)
    parts = [(at, changes[at], after) for at in positions if isinstance(after := changes[at].after, Roster)]
    lines = Lines()
    made.write(lines, parts, renames)
    return lines


def _user_ids(lines: Lines, parts: Parts, _renames: Renames) -> None:
    for at, _, roster in parts:
        for user in sorted(roster.members):
            _add(lines, at, user, (user, roster.ids[user], "user"))


def _enrollments(lines: Lines, parts: Parts, renames: Renames) -> None:
    ids = renames.users
    for at, _, roster in parts:
        course, section = _course_and_section(roster, renames)
        role, members = roster.role, roster.members
        users = sorted(members)
        lines.at += [at] * len(users)
        lines.users += users
        lines.values += [(course, section, ids.get(user, user), role, members[user][-1]) for user in users]


def _course_and_section(roster: Roster, renames: Renames) -> tuple[str, str]:
    """The id of a course or that of a section: Canvas knows the other one."""
    if roster.place is None:
        raise TypeError(f"{roster.sis_id} is no place to be enrolled in")
    sis_id = renames.places.get(roster.place.key, roster.place.sis_id)
    return ("", sis_id) if roster.place.kind is Kind.SECTION else (sis_id, "")


def _admins(lines: Lines, parts: Parts, renames: Renames) -> None:
    for at, _, roster in parts:
        if roster.place is None:
            raise TypeError(f"{roster.sis_id} is no account")
        account = renames.places.get(roster.place.key, roster.place.sis_id)
        for user, member in sorted(roster.members.items()):
            _add(lines, at, user, (renames.users.get(user, user), account, roster.role, member[-1]))


def _add(lines: Lines, at: int, user: str, values: tuple[str, ...]) -> None:
    lines.at.append(at)
    lines.users.append(user)
    lines.values.append(values)


def _users(lines: Lines, parts: Parts, renames: Renames) -> None:
    """Users, each after the one whose login they take over.

    In a circle of logins one user has another login for the time of a few rows.
    """
    rows = {user: (at, member) for at, _, roster in parts for user, member in sorted(roster.members.items())}
    before = {
        user: member[LOGIN].lower()
        for _, change, _ in parts
        if isinstance(change.before, Roster)
        for user, member in change.before.members.items()
    }
    giving_up = {login: user for user, login in before.items() if rows[user][1][LOGIN].lower() != login}
    done: set[str] = set()
    for user in rows:
        ahead = [user]
        while (holder := giving_up.get(rows[ahead[-1]][1][LOGIN].lower())) and holder not in done:
            if holder in ahead:
                at, member = rows[holder]
                user = renames.users.get(holder, holder)
                _add(lines, at, holder, (user, f"swap-{holder}", *member[LOGIN + 1 :]))
                break
            ahead.append(holder)
        for one in reversed(ahead):
            if one not in done:
                done.add(one)
                at, member = rows[one]
                _add(lines, at, one, (renames.users.get(one, one), *member))


PEOPLE_FORMATS: Mapping[str, PeopleFormat] = {
    "user_ids": PeopleFormat("change_sis_ids", ("old_id", "new_id", "type"), _user_ids),
    "users": PeopleFormat("users", ("user_id", "login_id", "full_name", "sortable_name", "email", "status"), _users),
    "enrollments": PeopleFormat("enrollments", ("course_id", "section_id", "user_id", "role", "status"), _enrollments),
    "admins": PeopleFormat("admins", ("user_id", "account_id", "role", "status"), _admins),
}
"""The files about people with their exact columns, in Canvas's processing order (Canvas contract §3.4)."""
