"""Canvas's provisioning report: who is a user, is in which section, and administers what (Canvas contract §10.10).

Hundreds of thousands of rows, so they go straight into rosters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator
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
        columns, known = frozenset(header), _Known(is_ours, only)
        try:
            if columns.issuperset(ENROLLMENTS):
                _enrollments(_picked(header, rows, ENROLLMENTS), known, found)
            elif columns.issuperset(ADMINS):
                _admins(_picked(header, rows, ADMINS), known, found)
            elif columns.issuperset(USERS):
                _users(_picked(header, rows, USERS), known, found)
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


class _Known:
    """Which users of a file are looked at."""

    def __init__(self, is_ours: Callable[[str], bool], only: Container[str] | None) -> None:
        self._is_ours = is_ours
        self._only = only
        self._is_listed = False

    def __call__(self, user: str) -> bool:
        if self._only is not None and self._is_listed and user not in self._only:
            return False
        is_known = bool(user) and self._is_ours(user)
        self._is_listed = self._is_listed or is_known
        return is_known


def _picked(header: list[str], rows: Iterator[list[str]], columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return map(itemgetter(*map(header.index, columns)), rows)


def _users(rows: Iterator[tuple[str, ...]], known: Callable[[str], bool], found: Found) -> None:
    for user, login, name, sortable_name, email, status in rows:
        if known(user):
            shelf = (Kind.USER, "", "", shelf_of(user))
            found.setdefault(shelf, {})[user] = (login, name, sortable_name, email, str(STATES[status]))


def _enrollments(rows: Iterator[tuple[str, ...]], known: Callable[[str], bool], found: Found) -> None:
    for section, course, role, user, status, by_sis, observed in rows:
        if observed or not (section or course) or not known(user):
            continue
        place = (Kind.SECTION, section) if section else (Kind.COURSE, course)
        _put(found, (Kind.ENROLLMENT, *place, ROLES.get(role, role)), user, STATES[status], by_sis)


def _admins(rows: Iterator[tuple[str, ...]], known: Callable[[str], bool], found: Found) -> None:
    for account, role, user, status, by_sis in rows:
        if account and known(user):
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
