"""Rosters as the source wants them, each beside what Canvas confirmed of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rosterflow.domain.confirmed import World
from rosterflow.domain.decisions import Decision
from rosterflow.domain.model import Key, Kind, Section
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Member, Place, Roster, WantedRoster
from rosterflow.domain.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Pair:
    """A roster as it is wanted and as it is known, under the id of its place that Canvas knows.

    :param wanted: with no members, when the source has no such roster.
    :param known: as it will be once the plan's changes of objects are confirmed.
    """

    wanted: WantedRoster
    known: Roster | None

    @property
    def roster(self) -> Roster:
        """The roster as it is wanted."""
        return self.wanted.roster

    @property
    def have(self) -> Mapping[str, Member]:
        """Who is known there."""
        return self.known.members if self.known else {}


@dataclass(frozen=True, slots=True)
class Ground:
    """What rosters are compared on.

    :param world: what Canvas confirmed.
    :param planned: the same once the plan's changes of objects are confirmed, but for ids: a place whose id changes
        goes by the old one until Canvas has confirmed the new one.
    :param renamed: the old key by the new one, of places whose id changes in this plan or a later one.
    :param has_users: whether users are made here, so that nobody can be enrolled who is none.
    """

    snapshot: Snapshot
    world: World
    planned: World
    renamed: Mapping[Key, Key]
    has_users: bool

    def different(self) -> tuple[list[Pair], Counter[Kind]]:
        """The rosters that are not as they should be, in the order of their keys; the people of others are counted."""
        known, unchanged = self.planned.rosters, Counter[Kind]()
        found: list[tuple[Key, Pair]] = []
        for key, wanted in self.snapshot.rosters.items():
            if self.renamed:
                wanted = self._under_old_id(wanted)
                key = wanted.roster.whole
            there = known.get(key)
            if there is not None and there.members == wanted.roster.members:
                unchanged[key.kind] += len(there.members)
            else:
                found.append((key, Pair(wanted, there)))
        return [pair for _, pair in sorted(found, key=lambda each: each[0])], unchanged

    def dropped(self) -> Iterator[Pair]:
        """The rosters that the source no longer has at all, in places that it still has."""
        kept = {self._under_old_id(one).roster.whole for one in self.snapshot.rosters.values()}
        for key, known in sorted(self.planned.rosters.items(), key=lambda each: each[0]):
            if key not in kept and self._is_spoken_of(known):
                yield Pair(WantedRoster(replace(known, members={})), known)

    def all_of(self, kind: Kind) -> Iterator[Pair]:
        """Every wanted roster of a kind."""
        for key, wanted in self.snapshot.rosters.items():
            if key.kind is kind:
                wanted = self._under_old_id(wanted)
                yield Pair(wanted, self.planned.rosters.get(wanted.roster.whole))

    def is_there(self, roster: Roster) -> bool:
        """Whether the place of a roster is in Canvas; the institution's own account always is."""
        place = roster.place
        return place is None or place.kind is Kind.ACCOUNT or place.key in self.planned

    def is_in_use(self, roster: Roster) -> bool:
        """Whether people can come to, and leave, a place: neither it nor its course is concluded or deleted."""
        one = self.planned.get(roster.place.key) if roster.place else None
        if one is None or not one.is_alive:
            return one is None
        course = self.planned.get(Key(Kind.COURSE, one.thing.course)) if isinstance(one.thing, Section) else None
        return course is None or course.is_alive

    def course_of(self, roster: Roster) -> str:
        """The SIS id of the course that a roster is about, ``""`` for none."""
        if roster.place is None or roster.place.kind is Kind.ACCOUNT:
            return ""
        one = self.planned.get(roster.place.key)
        return one.thing.course if one and isinstance(one.thing, Section) else roster.place.sis_id

    def change(
        self, action: Action, pair: Pair, people: Mapping[str, Member], rule: str, part: str, why: str
    ) -> Change:
        """A change of some people of a roster.

        :param rule: the rule's id; ``part`` tells the change from others of the same roster.
        :param why: one sentence for a person.
        """
        confirmed = self.world.rosters.get(pair.roster.whole)
        known = confirmed.members if confirmed else {}
        there = {user: known[user] for user in people if user in known} if known else {}
        roster = pair.roster
        after = Roster(roster.kind, roster.place, roster.role, people, {}, roster.origin, part)
        return Change(action, replace(after, members=there) if there else None, after, rule, why)

    def _under_old_id(self, wanted: WantedRoster) -> WantedRoster:
        place = wanted.roster.place
        old = self.renamed.get(place.key) if place and self.renamed else None
        if old is None:
            return wanted
        return replace(wanted, roster=replace(wanted.roster, place=Place(old.kind, old.sis_id)))

    def _is_spoken_of(self, known: Roster) -> bool:
        if known.place is None:
            return self.has_users
        place = known.place.key
        named = place in self.snapshot.objects or place in self.renamed.values()
        own_account = place.kind is Kind.ACCOUNT and place not in self.world
        return self.snapshot.scope.covers(known) and (named or own_account)


def kept(roster: Roster, rule: str, people: int) -> Decision:
    """A decision to leave some people of a roster as they are."""
    facts = (("people", str(people)),)
    return Decision(roster.origin.source, roster.whole.sis_id, allowed=False, rule=rule, facts=facts, key=roster.whole)
