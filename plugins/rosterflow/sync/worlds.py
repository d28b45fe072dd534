"""Everything that Canvas confirmed for an institution, out of the store."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.institution import Institution
from rosterflow.domain.plan import Change
from rosterflow.domain.rosters import Roster
from rosterflow.store import objects, rosters


def world_of(connection: Connection, institution: Institution, changes: Iterable[Change] | None = None) -> World:
    """What Canvas confirmed: objects, and people as far as the institution keeps them in step.

    :param changes: of people just the rosters that these are about; by default all.
    """
    wholes = None if changes is None else {one.after.whole for one in changes if isinstance(one.after, Roster)}
    people = rosters.load(connection, institution.key, wholes) if institution.people.sync else ()
    return World(objects.load(connection, institution.key), people)
