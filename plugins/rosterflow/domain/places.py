"""The parts of the world for which removals are counted: the institution, its accounts, terms, courses and roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from rosterflow.domain.confirmed import World
from rosterflow.domain.model import Account, Course, Key, Kind, Section
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Part, Reason, Roster, Thing
from rosterflow.domain.sequence import account_parents, ancestors
from rosterflow.domain.snapshot import Scope


class Region(NamedTuple):
    """A part of the world for which removals are counted.

    :param rule: id of the guard's rule by which too many removals in it are held.
    """

    rule: str
    name: str


EVERYWHERE = Region("removals-institution", "the institution")

Where = tuple[Kind, Region]
"""Things of one kind in one part of the world."""


class Places:
    """The regions in which a thing lies, by what Canvas confirmed, the widest first."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._parents = account_parents(world)
        self._lines: dict[str, tuple[Region, ...]] = {}
        self._courses: dict[str, tuple[Region, ...]] = {}

    def of(self, thing: Thing) -> tuple[Region, ...]:
        """The institution, the accounts from the top down, the term, and for a section its course.

        An account lies in those above it, not in itself. People lie in their role, and in their role in the course,
        too; administrators in the account that they administer.
        """
        match thing:
            case Account():
                return self._line(thing.parent)
            case Course():
                return (*self._line(thing.account), Region("removals-term", thing.term or "the default term"))
            case Section():
                return self._in_course(thing.course)
            case Roster():
                return self._of_people(thing)
            case _:
                return (EVERYWHERE,)

    def _of_people(self, roster: Roster) -> tuple[Region, ...]:
        if roster.place is None:
            return (EVERYWHERE,)
        role = Region("removals-role", f"the role {roster.role}")
        if roster.place.kind is Kind.ACCOUNT:
            return (*self._line(roster.place.sis_id), role)
        one = self._world.get(roster.place.key)
        around = self.of(one.thing) if one else (EVERYWHERE,)
        course = one.thing.course if one and isinstance(one.thing, Section) else roster.place.sis_id
        if roster.place.kind is Kind.COURSE:
            around = (*around, Region("removals-course", course))
        return (*around, role, Region("removals-course-role", f"the role {roster.role} in {course}"))

    def _in_course(self, sis_id: str) -> tuple[Region, ...]:
        if sis_id not in self._courses:
            course = self._world.get(Key(Kind.COURSE, sis_id))
            around = self.of(course.thing) if course else (EVERYWHERE,)
            self._courses[sis_id] = (*around, Region("removals-course", sis_id))
        return self._courses[sis_id]

    def _line(self, account: str) -> tuple[Region, ...]:
        if account not in self._lines:
            line = reversed(ancestors(account, self._parents))
            self._lines[account] = (EVERYWHERE, *(Region("removals-account", name) for name in line))
        return self._lines[account]


class InUse:
    """What is in use: objects, and people who are active in a role.

    :param scope: only what it covers.
    """

    def __init__(self, world: World, scope: Scope | None) -> None:
        self._world, self._scope = world, scope

    def _things(self) -> Iterable[tuple[Thing, int]]:
        scope = self._scope
        for one in self._world.values():
            if one.is_alive and (scope is None or scope.covers(one.thing)):
                yield one.thing, 1
        for roster, headcount in self._world.headcounts():
            if scope is None or scope.covers(roster):
                yield roster, headcount

    def by_kind(self) -> Counter[Kind]:
        """How many there are of each kind."""
        found: Counter[Kind] = Counter()
        for thing, weight in self._things():
            found[thing.kind] += weight
        return found

    def in_regions(self, suspects: Collection[Where], places: Places) -> Counter[Where]:
        """How many there are of each kind in some regions."""
        asked: dict[Kind, set[Region]] = {}
        for kind, region in suspects:
            asked.setdefault(kind, set()).add(region)
        found: Counter[Where] = Counter()
        for thing, weight in self._things():
            if regions := asked.get(thing.kind):
                for region in regions.intersection(places.of(thing)):
                    found[thing.kind, region] += weight
        return found


def is_counted(change: Change) -> bool:
    """Whether a change takes something away.

    Who only goes to another section of a course does not lose the course, and who is done with one that Canvas has shut
    by its dates loses nothing that the dates had not taken.
    """
    part = change.after.reason if isinstance(change.after, Roster) else ""
    is_over = part == Reason.TERM_ENDED and change.action is Action.CLOSE
    return change.is_removal and part != Part.MOVED and not is_over
