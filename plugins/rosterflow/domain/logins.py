"""Logins that go from one user to another: a new one that somebody has, or had until now.

Canvas gives a login to one user only, and takes the rows of a file one by one: whoever takes over a login comes after
the one who gives it up (Canvas contract §5.7). Where logins go in a circle there is no such order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cached_property

from rosterflow.domain.confirmed import World
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.rosters import DELETED, Member, shelf_of
from rosterflow.domain.snapshot import Snapshot

LOGIN = 0
"""Place of the login in a user's row."""


class Claim(Enum):
    """Whether a user can have a login."""

    FREE = "nobody has it, or whoever has it gives it up"
    SWAPPED = "users take each other's"
    KEPT = "somebody has it and keeps it"


class Logins:
    """Who has which login in Canvas, and who will have it."""

    def __init__(self, snapshot: Snapshot, world: World) -> None:
        self._snapshot, self._world = snapshot, world

    def claims(self, have: Mapping[str, Member], people: Mapping[str, Member]) -> dict[str, Claim]:
        """Those of some users who cannot simply have their new login.

        :param have: the users of their shelf, as confirmed.
        """
        found: dict[str, Claim] = {}
        for user, member in people.items():
            login, before = member[LOGIN].lower(), have.get(user)
            if before is not None and before[LOGIN].lower() == login and before[-1] != DELETED:
                continue
            claim = self._claim(user, login)
            if claim is not Claim.FREE:
                found[user] = claim
        return found

    @cached_property
    def _holders(self) -> dict[str, str]:
        rosters = (roster for key, roster in self._world.rosters.items() if key.kind is Kind.USER)
        users: Iterable[tuple[str, Member]] = (item for roster in rosters for item in roster.members.items())
        return {member[LOGIN].lower(): user for user, member in users if member[-1] != DELETED}

    def _claim(self, user: str, login: str) -> Claim:
        """Follow a login to whoever has it, to the login that they get instead, and so on."""
        seen = {user}
        while (holder := self._holders.get(login, user)) != user:
            if holder in seen:
                return Claim.SWAPPED
            wanted = self._wanted(holder)
            if wanted in (None, login):
                return Claim.KEPT
            seen.add(holder)
            user, login = holder, str(wanted)
        return Claim.FREE

    def _wanted(self, user: str) -> str | None:
        wanted = self._snapshot.rosters.get(Key(Kind.USER, f"shelf {shelf_of(user)}"))
        member = wanted.roster.members.get(user) if wanted else None
        return member[LOGIN].lower() if member else None
