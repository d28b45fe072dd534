"""The changes that make Canvas's rosters what the source wants: who comes, who comes back, and who leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rosterflow.domain.confirmed import World
from rosterflow.domain.decisions import Decision
from rosterflow.domain.id_changes import IdChanges
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.logins import Claim, Logins
from rosterflow.domain.model import Kind
from rosterflow.domain.plan import Action, Change, member_print
from rosterflow.domain.roster_pairs import Ground, Pair, kept
from rosterflow.domain.roster_removals import departures
from rosterflow.domain.rosters import ACTIVE, BY_HAND, DELETED, MEMBER_FIELDS, Member, Part, Roster
from rosterflow.domain.snapshot import Snapshot

LOGIN_SWAP = "login-swap"
ADMIN_BY_HAND = "admin-by-hand"

RULES: dict[str, str] = {
    Part.NEW: "The source has them there and Canvas does not.",
    Part.AGAIN: "The source has them there again.",
    Part.CHANGED: "The source has other data of these users.",
    Part.ADOPTED: "Somebody brought them there by hand, and now the source has them there, too.",
    LOGIN_SWAP: "They take each other's logins.",
}
"""Ids of the rules by which people come or change; those by which they leave stand in ``roster_removals``."""

KEPT: dict[str, str] = {
    "place-not-in-use": "The section, course or account is concluded or deleted in Canvas, so nobody comes or leaves.",
    ADMIN_BY_HAND: "People made them administrators by hand, which nobody takes over.",
    "login-in-use": "Another user has this login in Canvas, and keeps it.",
}
"""Ids of the rules by which people do not come, or do not change, though the source has it so."""

_ACTIONS = {
    Part.NEW: Action.CREATE,
    Part.ADOPTED: Action.REOPEN,
    Part.AGAIN: Action.REOPEN,
    Part.CHANGED: Action.UPDATE,
}


@dataclass(slots=True)
class RosterPlan:
    """What is to be done with people.

    :param additions: who comes and comes back, and what of users changes; users first.
    :param removals: who leaves.
    :param waiting: whom Canvas refused lately, who is no user yet, and whose section is not there yet.
    :param unchanged: people who are as they should be, per kind.
    """

    additions: list[Change] = field(default_factory=list)
    removals: list[Change] = field(default_factory=list)
    waiting: list[Change] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    unchanged: Counter[Kind] = field(default_factory=Counter)


def roster_changes(
    snapshot: Snapshot,
    world: World,
    objects: Iterable[Change],
    ids: IdChanges,
    leaving: Leaving,
    resting: Collection[str],
) -> RosterPlan:
    """Compare the rosters that the source wants with those that Canvas confirmed.

    Nobody is taken away unless the snapshot is complete and nobody narrowed its scope. In what this plan deletes or
    concludes, nobody is: Canvas sees to that.

    :param objects: the changes of objects that the plan makes.
    :param ids: which objects get another id, in this plan or a later one.
    :param resting: prints of people's rows that Canvas refused and that are not to be sent yet.
    :returns: nothing at all when the snapshot says nothing about people.
    """
    if not snapshot.rosters:
        return RosterPlan()
    has_users = any(key.kind is Kind.USER for key in snapshot.rosters)
    planned = world.after(change for change in objects if change.action is not Action.CHANGE_ID)
    ground = Ground(snapshot, world, planned, {new: old for old, new in ids.new.items()}, has_users)
    different, unchanged = ground.different()
    arrivals = _Arrivals(ground, resting, unchanged)
    for pair in sorted(different, key=lambda pair: pair.roster.kind is not Kind.USER):
        arrivals.meet(pair)
    plan = arrivals.plan
    if snapshot.is_complete and not snapshot.scope.is_partial:
        known = [pair for pair in different if pair.known]
        gone = departures(ground, [*known, *ground.dropped()], plan.additions, leaving, resting)
        plan.removals += gone.changes
        plan.waiting += gone.waiting
        plan.decisions += gone.decisions
    return plan


class _Arrivals:
    """Who comes, who comes back, and whose data change, as far as nothing is in their way."""

    def __init__(self, ground: Ground, resting: Collection[str], unchanged: Counter[Kind]) -> None:
        self._ground = ground
        self._resting = resting
        self._logins = Logins(ground.snapshot, ground.planned)
        self.plan = RosterPlan(unchanged=unchanged)

    def meet(self, pair: Pair) -> None:
        """Compare one roster; those of users come before all others."""
        have, want = pair.have, pair.roster.members
        found: dict[Part, dict[str, Member]] = {part: {} for part in _ACTIONS}
        different = want.items() - have.items() if have else ()
        for user, member in different:
            before = have.get(user)
            member = _as_owned(pair, user, member)
            if part := _part(before, member):
                found[part][user] = member
        people: dict[Part, Mapping[str, Member]] = {**found}
        if not have:  # as a whole: at first contact everybody is new
            people[Part.NEW] = pair.roster.in_use()
        self.plan.unchanged[pair.roster.kind] += len(want) - len(different) if have else 0
        if pair.roster.kind is Kind.ADMIN and (by_hand := people.pop(Part.ADOPTED)):
            # Once sent they would be ours, and go with the role: only administrators that we made are ever removed.
            self.plan.decisions.append(kept(pair.roster, ADMIN_BY_HAND, len(by_hand)))
        for part, some in people.items():
            if some and self._ground.is_in_use(pair.roster):
                self._send(part, pair, some)
            elif some:
                self.plan.decisions.append(kept(pair.roster, "place-not-in-use", len(some)))

    def _send(self, part: Part, pair: Pair, people: Mapping[str, Member]) -> None:
        """Let those come who can, and the others wait."""
        claims = self._logins.claims(pair.have, people) if pair.roster.kind is Kind.USER else {}
        if in_use := {user for user, claim in claims.items() if claim is Claim.KEPT}:
            self.plan.decisions.append(kept(pair.roster, "login-in-use", len(in_use)))
        action = _ACTIONS[part]
        waiting = self._in_the_way(action, pair.roster, people) | in_use
        for rule, name, users, goal in (
            (part, part, people.keys() - waiting - claims.keys() if waiting or claims else people, self.plan.additions),
            (LOGIN_SWAP, f"{part}, {LOGIN_SWAP}", claims.keys() - waiting, self.plan.additions),
            (part, part, waiting, self.plan.waiting),
        ):
            if users:
                some = people if users is people else {user: people[user] for user in users}
                goal.append(self._ground.change(action, pair, some, rule, name, RULES[rule]))

    def _in_the_way(self, action: Action, roster: Roster, people: Mapping[str, Member]) -> set[str]:
        """The users who have to wait."""
        scope = self._ground.snapshot.scope
        is_needed = roster.kind is Kind.USER and action is not Action.UPDATE
        if not self._ground.is_there(roster) or not (is_needed or scope.speaks_of(roster)):
            return set(people)
        waiting: set[str] = set()
        if self._resting:
            waiting.update(u for u, member in people.items() if member_print(roster, u, member) in self._resting)
        if roster.kind is not Kind.USER and self._ground.has_users:
            waiting |= set() if self._users.issuperset(people) else people.keys() - self._users
        return waiting

    @cached_property
    def _users(self) -> frozenset[str]:
        """Everybody who is a user in Canvas, or becomes one by this plan."""
        known = (roster for key, roster in self._ground.planned.rosters.items() if key.kind is Kind.USER)
        there = {user for roster in known for user, member in roster.members.items() if member[-1] != DELETED}
        coming = (change.after for change in self.plan.additions if change.kind is Kind.USER)
        return frozenset(there.union(*(part.members for part in coming if isinstance(part, Roster))))


def _as_owned(pair: Pair, user: str, member: Member) -> Member:
    """The row of a user with what people changed in Canvas left as it is."""
    owned = pair.known.owned.get(user) if pair.known else None
    if not owned:
        return member
    names = (*MEMBER_FIELDS[pair.roster.kind], "state")
    old = pair.have[user]
    return tuple(old[n] if name in owned else member[n] for n, name in enumerate(names))


def _part(before: Member | None, after: Member) -> Part | None:
    """What a row needs; ``None`` when it is as it should be, takes something away, or nothing is there to take."""
    if before == after or (after[-1] != ACTIVE and (before is None or before[-1] != after[-1])):
        return None
    if before is None:
        return Part.NEW
    if before[-1] == after[-1]:
        return Part.CHANGED
    return Part.ADOPTED if before[-1] == BY_HAND else Part.AGAIN
