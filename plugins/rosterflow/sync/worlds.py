"""Everything that Canvas confirmed for an institution, out of the store."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Kind
from rosterflow.domain.plan import Change
from rosterflow.domain.rosters import Roster
from rosterflow.store import objects, person_numbers, rosters


def world_of(connection: Connection, institution: Institution, changes: Iterable[Change] | None = None) -> World:
    """What Canvas confirmed: objects, and people as far as the institution keeps them in step.

    :param changes: of people just the rosters that these are about; by default all.
    """
    wholes = None if changes is None else {one.after.whole for one in changes if isinstance(one.after, Roster)}
    people = rosters.load(connection, institution.key, wholes) if institution.people.sync else ()
    return World(objects.load(connection, institution.key), people)


def numbers_of(connection: Connection, institution: Institution, world: World) -> dict[str, str]:
    """Where ids are made of logins, the personlopenummer that each user was last sent by, by SIS id; else nothing."""
    if institution.people.users.sis_id != "feide_bruker":
        return {}
    shelves = (roster for roster in world.rosters.values() if roster.kind is Kind.USER)
    users = (user for shelf in shelves for user in shelf.members)
    return person_numbers.numbers_of(connection, institution.key, users)


def counted_world_of(connection: Connection, institution: Institution, changes: Iterable[Change]) -> World:
    """The same as far as guards need it: the headcounts of all rosters, and the people of those that changes are about.

    The headcounts are to be asked for while the transaction lasts.
    """
    if not institution.people.sync:
        return world_of(connection, institution)
    wholes = {one.after.whole for one in changes if isinstance(one.after, Roster)}
    some = rosters.load(connection, institution.key, wholes) if wholes else ()
    census = partial(rosters.census, connection, institution.key)
    return World(objects.load(connection, institution.key), some, census)
