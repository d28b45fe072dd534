"""The part of a comparison that is about people: users, and rosters of enrollments and administrators.

Hundreds of thousands of people are where they were confirmed, and cost nothing here but a comparison of dicts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rosterflow.domain.differences import Difference, Finding, Findings, Hand, Worlds
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Key, Kind, Section, State
from rosterflow.domain.rosters import ACTIVE, BY_HAND, DELETED, MEMBER_FIELDS, Member, Roster

GONE = ("", DELETED)
"""The state of who is not there, or not any more."""
NOBODY: Mapping[str, Member] = {}


class PeopleComparison:
    """Compares the rosters of places that are ours.

    :param upset: objects that are gone, or have another state than was confirmed: what happened to the people in them
        follows from that.
    """

    def __init__(self, institution: Institution, worlds: Worlds, upset: Collection[Key], findings: Findings) -> None:
        self._worlds = worlds
        self._upset = upset
        self._findings = findings
        people = institution.people
        named = {people.student_role, *people.ims_roles.values(), *people.account_roles.values()}
        self._roles = named | set(institution.roles.values())
        self._own_account = Key(Kind.ACCOUNT, institution.canvas.account)
        self._sees_users = people.users.provision
        self._owned = _owned_fields(institution)
        self._has_users = self._sees_users and any(whole.kind is Kind.USER for whole in worlds.confirmed.rosters)
        self._users = {
            user
            for whole, roster in worlds.actual.rosters.items()
            if whole.kind is Kind.USER
            for user, member in roster.members.items()
            if member[-1] not in GONE
        }

    def compare(self) -> None:
        """Tell every difference."""
        known, there = self._worlds.confirmed.rosters, self._worlds.actual.rosters
        for whole in known.keys() | there.keys():
            one = known.get(whole) or there[whole]
            is_ours = self._is_ours(one.place.key) if one.place else self._sees_users
            if is_ours:
                self._roster(one, _members(known.get(whole)), _members(there.get(whole)))

    def _roster(self, one: Roster, have: Mapping[str, Member], found: Mapping[str, Member]) -> None:
        whole = one.whole
        self._findings.compared[one.kind] += len(have)
        if one.place and not have and one.role not in self._roles:
            for user, member in found.items():
                if member[-1] in (ACTIVE, BY_HAND):
                    self._tell(Finding.UNKNOWN_ROLE, whole, user, actual=member[-1])
            return
        changed = {user for user, _ in have.items() ^ found.items()}
        if one.place and (self._is_gone(one.place.key) or self._is_upset(one.place.key)):
            self._follow(whole, one.place.key, changed, found)
            return
        userless = (have.keys() | found.keys()) - self._users if one.place and self._has_users else frozenset[str]()
        for user in userless:
            self._without_user(whole, have.get(user), found.get(user), user)
        for user in changed - userless:
            self._member(one, user, have.get(user), found.get(user))
        for user, member in found.items():
            if member[-1] == BY_HAND and user not in changed:
                self._by_hand(whole, user)

    def _follow(self, whole: Key, place: Key, changed: Collection[str], found: Mapping[str, Member]) -> None:
        """People whose section, course or account somebody changed; who is still in one that is gone is an orphan."""
        orphans = {user for user, member in found.items() if member[-1] == ACTIVE} if self._is_gone(place) else set()
        for user in orphans:
            self._tell(Finding.ORPHAN, whole, user, actual=ACTIVE)
        if others := set(changed) - orphans:
            self._findings.follow(whole, len(others))

    def _without_user(self, whole: Key, before: Member | None, now: Member | None, user: str) -> None:
        """Somebody whose user is gone: in use all the same, or gone, too, which follows from it."""
        if now and now[-1] == ACTIVE:
            self._tell(Finding.ORPHAN, whole, user, actual=ACTIVE)
        elif before != now:
            self._findings.follow(whole)

    def _member(self, one: Roster, user: str, before: Member | None, now: Member | None) -> None:
        """One person in whom what was confirmed and what is there differ."""
        was, is_now = before[-1] if before else "", now[-1] if now else ""
        if was == BY_HAND or (was in GONE and is_now in GONE):
            return  # what people did by hand, they may undo
        if is_now == BY_HAND and was != ACTIVE:
            self._by_hand(one.whole, user)
        elif is_now in GONE:
            wanted = self._wanted(one.whole, user)
            hand = Hand.OURS if wanted in GONE else Hand.PEOPLE
            self._tell(Finding.MISSING, one.whole, user, hand=hand, confirmed=was)
        elif before and now:
            self._drift(one, user, before, now)
        elif is_now == ACTIVE:
            hand = Hand.OURS if self._wanted(one.whole, user) == ACTIVE else Hand.PEOPLE
            self._tell(Finding.EXTRA_BY_US, one.whole, user, hand=hand, actual=is_now)

    def _drift(self, one: Roster, user: str, before: Member, now: Member) -> None:
        goal = self._worlds.wanted.rosters.get(one.whole)
        wanted = goal.members.get(user) if goal else None
        owned_by_canvas = one.owned.get(user, frozenset())
        for place, name in enumerate((*MEMBER_FIELDS[one.kind], "state")):
            if before[place] == now[place] or name not in self._owned[one.kind]:
                continue
            kept = Hand.KEPT if name in owned_by_canvas else Hand.PEOPLE
            hand = Hand.OURS if wanted and wanted[place] == now[place] else kept
            was, is_now = (before[-1], now[-1]) if name == "state" else ("", "")
            self._tell(Finding.DRIFTED, one.whole, user, field=name, hand=hand, confirmed=was, actual=is_now)

    def _by_hand(self, whole: Key, user: str) -> None:
        """Whom the source wants there, too, nobody need look at."""
        if self._wanted(whole, user) != ACTIVE:
            self._tell(Finding.EXTRA_BY_HAND, whole, user, actual=ACTIVE)

    def _tell(
        self,
        finding: Finding,
        whole: Key,
        user: str,
        *,
        field: str = "",
        hand: Hand = Hand.PEOPLE,
        confirmed: str = "",
        actual: str = "",
    ) -> None:
        wanted = self._wanted(whole, user) if field in ("", "state") else ""
        self._findings.tell(Difference(finding, *whole, user, field, hand, wanted, confirmed, actual))

    def _wanted(self, whole: Key, user: str) -> str:
        """The state in which the source wants a person there, ``""`` when it does not."""
        goal = self._worlds.wanted.rosters.get(whole)
        member = goal.members.get(user) if goal else None
        return member[-1] if member else ""

    def _is_gone(self, place: Key) -> bool:
        there = self._worlds.actual.get(place)
        return there is None or there.thing.state is State.DELETED

    def _is_ours(self, place: Key) -> bool:
        return place in self._worlds.confirmed or place == self._own_account

    def _is_upset(self, place: Key) -> bool:
        """Whether it, or the course that a section lies in, is upset."""
        known = self._worlds.confirmed.get(place)
        course = Key(Kind.COURSE, known.thing.course) if known and isinstance(known.thing, Section) else place
        return place in self._upset or course in self._upset


def _members(roster: Roster | None) -> Mapping[str, Member]:
    return roster.members if roster else NOBODY


def _owned_fields(institution: Institution) -> Mapping[Kind, frozenset[str]]:
    """The fields of people that are kept as the source has them; others are given once."""
    owns = institution.people.users.owns
    name = ("name", "sortable_name") if "name" in owns else ()
    email = ("email",) if "email" in owns else ()
    state = frozenset({"state"})
    return {Kind.USER: frozenset({"login", "state", *name, *email}), Kind.ENROLLMENT: state, Kind.ADMIN: state}
