"""The rosters while they are gathered: who is where, who has left and why, and of whom nothing certain is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rosterflow.domain.mapping.people_ledger import Ledger, Step
from rosterflow.domain.mapping.people_places import Places
from rosterflow.domain.model import Key, Kind, Origin, SourceKind
from rosterflow.domain.rosters import STANDINGS, Member, Place, Reason, Roster, Standing, WantedRoster

PRESENT = STANDINGS[Standing.ACTIVE]
TERM_ENDED = "term-ended"
"""The rule by which people leave a place whose dates are over."""
_AN_ACCOUNTS = Origin(SourceKind.ORGANISASJONSENHET)
"""Of the institution's own account, which is no object of a snapshot."""
_NOBODY: Mapping[str, Member] = {}
_GRAVEST_FIRST = {
    reason: rank
    for rank, reason in enumerate(
        (
            Reason.DEAD,
            Reason.RESERVED,
            Reason.NOT_REGISTERED,
            Reason.NO_LONGER_STAFF,
            Reason.ROLE_ENDED,
            Reason.TERM_ENDED,
            Reason.MOVED,
            Reason.GONE,
        )
    )
}
"""Which reason counts for somebody who left a roster for several."""


@dataclass(slots=True)
class Group:
    """The people of one place in one role.

    :param members: by SIS id of the user.
    :param left: why somebody is not among them, by SIS id.
    :param unsettled: those of whom the source says nothing certain, by SIS id.
    """

    place: Place
    role: str
    members: dict[str, Member] = field(default_factory=dict)
    left: dict[str, Reason] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    has_unknown: bool = False

    @property
    def kind(self) -> Kind:
        """Who is at an account administers it; who is elsewhere is enrolled."""
        return Kind.ADMIN if self.place.kind is Kind.ACCOUNT else Kind.ENROLLMENT

    def leave(self, user: str, reason: Reason) -> None:
        """Somebody is not here any more."""
        known = self.left.get(user, reason)
        self.left[user] = min(known, reason, key=_GRAVEST_FIRST.__getitem__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where the people of one row of the structure go in one role.

    :param at: the row's natural key.
    :param lost: who would have gone there, when there is no such place.
    """

    at: str
    groups: tuple[Group, ...] = ()
    lost: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Lost:
    """Who is sent nowhere by one rule, and the facts that it was decided on."""

    facts: set[tuple[str, str]] = field(default_factory=set)
    people: set[str] = field(default_factory=set)


class Gathering:
    """Every roster of a run, while rows are read.

    :param shut: sections and courses whose dates are over, in Canvas too: whoever is there has been there.
    """

    def __init__(self, places: Places, ledger: Ledger, shut: Collection[Place] = ()) -> None:
        self.places = places
        self.ledger = ledger
        self._shut = shut
        self._is_traced = ledger.about is not None
        self._groups: dict[tuple[Place, str], Group] = {}
        self._lost: dict[tuple[SourceKind, str, str], _Lost] = defaultdict(_Lost)
        self._unknown_places: set[Place] = set()

    def group(self, place: Place, role: str) -> Group:
        """The people of a place in a role."""
        group = self._groups.get((place, role))
        if group is None:
            group = self._groups[place, role] = Group(place, role)
        return group

    def target(self, kind: SourceKind, at: str, places: Iterable[Place], role: str, because: str) -> Target:
        """Where the people of a row go; when it is nowhere, one decision will say so and how many they are.

        :param kind: the kind of row that names the people.
        :param because: the structure's rule on the row that names the place.
        """
        groups = tuple(self.group(place, role) for place in places)
        return Target(at, groups) if groups else self.lose(kind, at, "place-not-sent", ("because", because))

    def lose(self, kind: SourceKind, at: str, rule: str, *facts: tuple[str, str]) -> Target:
        """A target that is nowhere: a place that is not sent, or a role without a meaning in Canvas."""
        lost = self._lost[kind, at, rule]
        lost.facts.update(facts)
        return Target(at, lost=lost.people)

    def admit(self, kind: SourceKind, rule: str, targets: Sequence[Target], person: str, user: str) -> None:
        """Somebody belongs wherever a row leads.

        :param kind: the kind of row; ``rule`` is why it leads there.
        """
        for target in targets:
            for group in target.groups:
                group.members[user] = PRESENT
            if not target.groups:
                target.lost.add(person)
        for target in targets if self._is_traced else ():
            for group in target.groups:
                facts = (("at", target.at), ("role", group.role))
                self.ledger.trace(Step(kind, rule, True, facts, group.place))
                if group.place in self._shut:
                    self.ledger.trace(Step(kind, TERM_ENDED, False, facts, group.place))

    def somebody_at(self, place: Place, role: str | None) -> None:
        """Somebody unknown is at a place, in a role or in any: nobody is taken away there."""
        if role is None:
            self._unknown_places.add(place)
        else:
            self.group(place, role).has_unknown = True

    def finish(self, confirmed: Mapping[Key, Roster], left_alone: Iterable[Key]) -> Iterator[WantedRoster]:
        """The rosters as the source wants them, and those confirmed ones that must stay as they are.

        :param confirmed: every roster that Canvas confirmed.
        :param left_alone: what of the structure stays as it is confirmed, because the source is not clear about it.
        """
        for (kind, at, rule), lost in self._lost.items():
            if lost.people:
                self.ledger.decide(kind, at, rule, *sorted(lost.facts), ("people", str(len(lost.people))))
        untouched = self._unknown_places | {Place(*key) for key in left_alone}
        for roster in confirmed.values():
            if roster.place and roster.place in untouched:
                self.group(roster.place, roster.role).has_unknown = True
            if roster.place and roster.place in self._shut:
                self.group(roster.place, roster.role)
        for group in self._groups.values():
            one = self._wanted(group, confirmed)
            if one.roster.members or one.roster.whole in confirmed:
                yield one

    def _wanted(self, group: Group, confirmed: Mapping[Key, Roster]) -> WantedRoster:
        origin = self.places.origin(group.place)
        roster = Roster(group.kind, group.place, group.role, group.members, origin=origin or _AN_ACCOUNTS)
        known = confirmed.get(roster.whole)
        if known and not origin:
            roster = replace(roster, origin=known.origin)
        if group.place in self._shut:
            self._end(group, roster, known)
        there = known.members if known else _NOBODY
        staying = frozenset(user for user in group.unsettled if user in there and user not in group.members)
        leaving = {
            user: reason
            for user, reason in group.left.items()
            if user in there and user not in group.members and user not in staying
        }
        return WantedRoster(roster, leaving, staying, group.has_unknown)

    def _end(self, group: Group, roster: Roster, known: Roster | None) -> None:
        """Everybody who is at a place whose dates are over, or would be, has been there."""
        users = {*group.members, *(known.active() if known else ())}
        for user in users:
            group.leave(user, Reason.TERM_ENDED)
        group.members.clear()
        if users and not self._is_traced:
            facts = (("people", str(len(users))),)
            self.ledger.decide(roster.origin.source, roster.sis_id, TERM_ENDED, *facts)
