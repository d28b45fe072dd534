"""Rosters of an invented college, short enough to read in a test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rosterflow.domain.confirmed import ConfirmedObject, Refusal, World
from rosterflow.domain.diff import NO_CENSUS, diff
from rosterflow.domain.institution import Removal
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.model import CanvasObject, Key, Kind, key_of
from rosterflow.domain.plan import Change, Plan
from rosterflow.domain.rosters import STANDINGS, Member, Place, Roster, WantedRoster, shelves
from rosterflow.domain.snapshot import Scope, Snapshot
from tests.domain import builders as a

STUDENT, TEACHER = "StudentEnrollment", "TeacherEnrollment"


def user(login: str, name: str = "Kari Nordmann", state: str = "active", email: str = "kari@example.org") -> Member:
    return (login, name, "Nordmann, Kari", email, state)


def users(**logins: str) -> dict[str, Member]:
    return {sis_id: user(login) for sis_id, login in logins.items()}


def place_of(thing: CanvasObject) -> Place:
    return Place(thing.kind, thing.sis_id)


def roster(thing: CanvasObject, people: Iterable[str] | Mapping[str, str], role: str = STUDENT) -> Roster:
    """The people of a section, a course or an account; active, or in the states given."""
    states = people if isinstance(people, Mapping) else dict.fromkeys(people, "active")
    kind = Kind.ADMIN if thing.kind is Kind.ACCOUNT else Kind.ENROLLMENT
    return Roster(kind, place_of(thing), role, {u: STANDINGS[s] for u, s in states.items()}, origin=thing.origin)


def wanted(one: Roster, **more: Any) -> WantedRoster:
    return WantedRoster(one, **more)


def world(*things: CanvasObject, rosters: Iterable[Roster] = (), users: Mapping[str, Member] | None = None) -> World:
    return World(map(ConfirmedObject, things), [*shelves(users or {}), *rosters])


def wants(
    *things: CanvasObject,
    rosters: Iterable[Roster | WantedRoster] = (),
    users: Mapping[str, Member] | None = None,
    scope: Scope | None = None,
    **more: Any,
) -> Snapshot:
    """What the source says, by default completely and for this term and the next."""
    given = [one if isinstance(one, WantedRoster) else WantedRoster(one) for one in (*shelves(users or {}), *rosters)]
    return Snapshot(
        scope or Scope(frozenset({a.NOW, a.NEXT})),
        {key_of(thing): thing for thing in things},
        rosters={one.roster.whole: one for one in given},
        **more,
    )


def plan(
    snapshot: Snapshot, there: World, leaving: Leaving = NO_CENSUS, refused: Mapping[str, Refusal] | None = None
) -> Plan:
    """The plan; ``refused`` by the fingerprint."""
    return diff(snapshot, there, Removal(), refused or {}, a.CLOCK, leaving=leaving)


def told(changes: Iterable[Change]) -> list[tuple[str, str, dict[str, str]]]:
    """What changes of rosters do: the action, the roster and its part, and the state that each person gets."""
    return [
        (str(c.action), c.after.sis_id, {u: m[-1] for u, m in sorted(c.after.members.items())})
        for c in changes
        if isinstance(c.after, Roster)
    ]


def whole(thing: CanvasObject, role: str = STUDENT) -> Key:
    return roster(thing, (), role).whole
