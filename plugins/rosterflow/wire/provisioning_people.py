"""Canvas's provisioning report: who is a user, is in which section, and administers what (Canvas contract §10.10).

Hundreds of thousands of rows, so they go straight into rosters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator
from itertools import islice
from operator import itemgetter

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.rosters import ACTIVE, BY_HAND, DELETED, STANDINGS, Member, Place, Roster, Standing, shelf_of
from rosterflow.wire.provisioning_csv import rows_of

STATES: dict[str, str] = {
    "active": ACTIVE,
    "invited": Standing.INACTIVE,
    "creation_pending": Standing.INACTIVE,
    "inactive": Standing.INACTIVE,
    "concluded": Standing.COMPLETED,
    "completed": Standing.COMPLETED,
    "suspended": Standing.SUSPENDED,
    "rejected": DELETED,
    "deleted": DELETED,
}
"""The report's status words. Who was invited and has not answered is not in the course yet; we never invite."""

ROLES = {
    "student": "StudentEnrollment",
    "teacher": "TeacherEnrollment",
    "ta": "TaEnrollment",
    "designer": "DesignerEnrollment",
    "observer": "ObserverEnrollment",
}
"""The report's words for Canvas's own roles; a custom role goes by its name."""

YES = "true"
USERS = ("user_id", "login_id", "full_name", "sortable_name", "email", "status")
ENROLLMENTS = ("section_id", "course_id", "role", "user_id", "status", "created_by_sis", "associated_user_id")
ADMINS = ("account_id", "role", "user_id", "status", "created_by_sis")

Members = dict[str, Member]
Found = dict[tuple[Kind, str, str, str], Members]
"""The people of each roster, by kind, the place's kind and id, and the role."""


def rosters_of(report: bytes, is_ours: Callable[[str], bool], only: Container[str] | None = None) -> dict[Key, Roster]:
    """The rosters in a provisioning report, without the terms of their places.

    Who was enrolled or made an administrator by hand is by hand there, when active, and else left out.

    :param report: the downloaded file: one CSV, or a zip of several when several kinds were asked for.
    :param is_ours: whether a SIS id is that of a user of ours; all others are left out.
    :param only: of these users alone, and one more of each kind that has any of ours, to tell that it is listed.
    :raises RetryableError: ``bad-response`` when a file is broken or has an unknown status.
    """
    found: Found = {}
    for name, header, rows in rows_of(report):
        columns = frozenset(header)
        try:
            if columns.issuperset(ENROLLMENTS):
                somewhere = filter(_is_somewhere, _picked(header, rows, ENROLLMENTS))
                _enrollments(_looked_at(somewhere, ENROLLMENTS, is_ours, only), found)
            elif columns.issuperset(ADMINS):
                of_accounts = (row for row in _picked(header, rows, ADMINS) if row[0])
                _admins(_looked_at(of_accounts, ADMINS, is_ours, only), found)
            elif columns.issuperset(USERS):
                _users(_looked_at(_picked(header, rows, USERS), USERS, is_ours, only), found)
        except KeyError as status:
            message = f"Canvas's provisioning report has the unknown status {status} in {name}."
            raise RetryableError(Code.BAD_RESPONSE, message) from None
    made = (_roster(*where, members) for where, members in found.items())
    return {roster.whole: roster for roster in made}


def others_of(report: bytes, is_ours: Callable[[str], bool]) -> dict[Key, Counter[str]]:
    """How many enrollments and administrators each place has that no import made, or that are no users of ours.

    Who is deleted is not counted; people who have no SIS id, and observers, are.

    :param is_ours: whether a SIS id is that of a user of ours.
    :returns: by place, by the words of :class:`~rosterflow.domain.rosters.Standing`; raises as :func:`rosters_of` does.
    """
    found: dict[Key, Counter[str]] = {}
    for name, header, rows in rows_of(report):
        is_enrollments = frozenset(header).issuperset(ENROLLMENTS)
        if not is_enrollments and not frozenset(header).issuperset(ADMINS):
            continue
        columns = ("section_id", "course_id") if is_enrollments else ("account_id", "account_id")
        kinds = (Kind.SECTION, Kind.COURSE) if is_enrollments else (Kind.ACCOUNT, Kind.ACCOUNT)
        for inner, outer, user, status, by_sis in _picked(
            header, rows, (*columns, "user_id", "status", "created_by_sis")
        ):
            if status not in STATES:
                raise RetryableError(
                    Code.BAD_RESPONSE, f"Canvas's provisioning report has the unknown status {status!r} in {name}."
                )
            if STATES[status] != DELETED and not (by_sis == YES and user and is_ours(user)):
                place = Key(kinds[0], inner) if inner else Key(kinds[1], outer)
                found.setdefault(place, Counter())[STATES[status]] += 1
    return found


def _is_somewhere(enrollment: tuple[str, ...]) -> bool:
    """Whether an enrollment is in a section or a course, and no observer's."""
    section, course, *_, observed = enrollment
    return not observed and bool(section or course)


def _looked_at(
    rows: Iterator[tuple[str, ...]],
    columns: tuple[str, ...],
    is_ours: Callable[[str], bool],
    only: Container[str] | None,
) -> Iterator[tuple[str, ...]]:
    """The rows about users of ours; with ``only``, those about these, and the first one of all."""
    at = columns.index("user_id")
    ours = (row for row in rows if row[at] and is_ours(row[at]))
    if only is None:
        yield from ours
        return
    yield from islice(ours, 1)
    yield from (row for row in rows if row[at] in only and is_ours(row[at]))


def _picked(header: list[str], rows: Iterator[list[str]], columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return map(itemgetter(*map(header.index, columns)), rows)


def _users(rows: Iterator[tuple[str, ...]], found: Found) -> None:
    for user, login, name, sortable_name, email, status in rows:
        shelf = (Kind.USER, "", "", shelf_of(user))
        found.setdefault(shelf, {})[user] = (login, name, sortable_name, email, str(STATES[status]))


def _enrollments(rows: Iterator[tuple[str, ...]], found: Found) -> None:
    for section, course, role, user, status, by_sis, _ in rows:
        place = (Kind.SECTION, section) if section else (Kind.COURSE, course)
        _put(found, (Kind.ENROLLMENT, *place, ROLES.get(role, role)), user, STATES[status], by_sis)


def _admins(rows: Iterator[tuple[str, ...]], found: Found) -> None:
    for account, role, user, status, by_sis in rows:
        _put(found, (Kind.ADMIN, Kind.ACCOUNT, account, role), user, STATES[status], by_sis)


def _put(found: Found, where: tuple[Kind, str, str, str], user: str, state: str, by_sis: str) -> None:
    """Note one row; of several about the same person the active one counts."""
    if by_sis != YES:
        if state != ACTIVE:
            return
        state = BY_HAND
    members = found.get(where)
    if members is None:
        members = found[where] = {}
    there = members.get(user)
    if there is None or there[-1] not in (ACTIVE, BY_HAND) or state == ACTIVE:
        members[user] = STANDINGS[state]


def _roster(kind: Kind, place: str, sis_id: str, role: str, members: Members) -> Roster:
    return Roster(kind, Place(Kind(place), sis_id) if place else None, role, members)
