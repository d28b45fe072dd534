"""How people are called where others may read it: in logs, mails, attached files, row errors and history.

``FS_184_1234567`` says nothing to anybody without FS, so it stands there as it is. Any other SIS id may be a login, and
stands there as an opaque key: always the same for the same person of an institution, and made with a secret that the
store keeps sealed. Who may see people asks `explain` or `timeline` for such a key (issue 3 §3.5).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, select

from rosterflow.store.bulk import upsert
from rosterflow.store.sealing import seal_of
from rosterflow.store.tables import secret

PREFIX = "P-"
_NUMBERED = re.compile(r"FS_\d+_\d+")
_PERSONS = "person keys"

Shown = Callable[[str], str]
"""What a user is called where others may read it, by the SIS id."""


def are_numbered(users: Iterable[str]) -> bool:
    """Whether SIS ids of users are all made of personlopenummer, so that they tell nothing of a person."""
    return all(map(_NUMBERED.fullmatch, users))


def shown_by(connection: Connection, institution: str) -> Shown:
    """How an institution's people are called.

    :returns: raises FatalError ``page-key-invalid`` when an id has to be hidden and the store has no key.
    """
    key = b""

    def shown(user: str) -> str:
        nonlocal key
        if _NUMBERED.fullmatch(user):
            return user
        key = key or _secret(connection)
        return PREFIX + hmac.digest(key, f"{institution} {user}".encode(), hashlib.sha256).hex()[:16]

    return shown


def _secret(connection: Connection) -> bytes:
    """The secret that the keys are made with; made when it is first needed."""
    seal = seal_of(connection)
    query = select(secret.c.sealed).where(secret.c.name == _PERSONS)
    kept = connection.execute(query).scalar()
    if kept is None:
        made = {"name": _PERSONS, "sealed": seal.close(secrets.token_bytes(32))}
        upsert(connection, secret, [made], keep=["sealed"])  # another one may have been faster
        kept = connection.execute(query).scalar_one()
    return seal.open(kept)
