"""Everything that Canvas confirmed for an institution, out of the store."""

from __future__ import annotations

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.institution import Institution
from rosterflow.store import objects, rosters


def world_of(connection: Connection, institution: Institution) -> World:
    """What Canvas confirmed: objects, and people as far as the institution keeps them in step."""
    people = rosters.load(connection, institution.key) if institution.people.sync else ()
    return World(objects.load(connection, institution.key), people)
