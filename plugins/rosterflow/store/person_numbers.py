"""Whose users are whose, where SIS ids are made of logins and so may change: by personlopenummer.

A login is personal data, so what is kept of it is the opaque key of :mod:`rosterflow.store.person_keys`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select

from rosterflow.store.bulk import batches, upsert
from rosterflow.store.person_keys import shown_by
from rosterflow.store.tables import person_number


def numbers_of(connection: Connection, institution: str, users: Iterable[str]) -> dict[str, str]:
    """The personlopenummer by which each of some users was last sent, by SIS id, where there is one."""
    known = _load(connection, institution)
    if not known:
        return {}
    shown = shown_by(connection, institution)
    return {user: number for user in users if (number := known.get(shown(user)))}


def save(connection: Connection, institution: str, numbers: Mapping[str, str]) -> None:
    """Write down whose users are whose; nobody has more than one.

    :param numbers: personlopenummer by SIS id; of everybody else what is known stays.
    """
    if not numbers:
        return
    known, shown = _load(connection, institution), shown_by(connection, institution)
    found = {shown(user): number for user, number in numbers.items()}
    theirs = {number: user for user, number in found.items()}
    former = [user for user, number in known.items() if theirs.get(number, user) != user]
    mine = person_number.c.institution == institution
    for some in batches(former):
        connection.execute(delete(person_number).where(mine, person_number.c.user.in_(some)))
    changed = (
        {"institution": institution, "user": user, "number": number}
        for user, number in found.items()
        if known.get(user) != number
    )
    upsert(connection, person_number, changed)


def _load(connection: Connection, institution: str) -> dict[str, str]:
    query = select(person_number.c.user, person_number.c.number).where(person_number.c.institution == institution)
    return {row.user: row.number for row in connection.execute(query)}
