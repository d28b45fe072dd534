"""The part of an undo that is about people: who came leaves, who left returns, and users get their old data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from rosterflow.domain.confirmed import World
from rosterflow.domain.losses import Losses, Why
from rosterflow.domain.model import Key, Kind, Section, State
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import (
    ACTIVE,
    BY_HAND,
    DELETED,
    MEMBER_FIELDS,
    STANDINGS,
    Member,
    Part,
    Place,
    Roster,
    Standing,
)

_ENDS = {
    Standing.INACTIVE: Action.HIDE,
    Standing.SUSPENDED: Action.HIDE,
    Standing.COMPLETED: Action.CLOSE,
    Standing.DELETED: Action.DELETE,
}
_LOGIN = MEMBER_FIELDS[Kind.USER].index("login")
_IN_USE = (ACTIVE, BY_HAND)


class PeopleUndo:
    """The inverse of a plan's changes of rosters. Look at the newest change first.

    :param planned: what Canvas will have confirmed once the inverse changes of objects are done.
    :param renames: the new SIS id by the old key, of objects whose id the plan changed.
    """

    def __init__(
        self, confirmed: World, actual: World, planned: World, renames: Mapping[Key, str], losses: Losses
    ) -> None:
        self._confirmed, self._actual, self._planned = confirmed, actual, planned
        self._renames, self._losses = renames, losses
        self._goals: dict[Key, dict[str, Member]] = {}
        self._made_users: dict[str, Key] = {}
        self._again: set[tuple[Key, str]] = set()

    def look(self, change: Change) -> None:
        """Find the inverse of one change of a roster; changes of objects are passed over."""
        part = change.after
        if not isinstance(part, Roster):
            return
        if change.action is Action.CHANGE_ID:
            self._losses.tell(Why.ID_CHANGED, part.whole, change.weight)
            return
        whole, before = self._whole(part), change.before.members if isinstance(change.before, Roster) else {}
        for user, after in part.members.items():
            self._look_at(whole, user, before.get(user), after)

    def bring_back(self, ended: Iterable[Roster]) -> None:
        """Have those return who ended with their place, where the place is in use again.

        :param ended: as they were before.
        """
        for part in ended:
            whole = self._whole(part)
            if not self._is_in_use(whole):
                continue
            for user, before in part.members.items():
                now = self._now(whole, user)
                if now is None or now == before:
                    continue
                if before[-1] == BY_HAND:
                    self._losses.tell(Why.STAYS_ENDED, whole)
                elif user not in self._goals.get(whole, {}):
                    self._goals.setdefault(whole, {})[user] = before

    def send_again(self) -> None:
        """Have those stay who would end with a place that the inverse changes end, though their section leaves it.

        Canvas deletes or concludes a course before it moves a section out of it (Canvas contract §3.4).
        """
        for whole, planned in self._planned.rosters.items():
            known = self._confirmed.rosters.get(whole)
            if known is planned or known is None or planned.place is None or not self._is_in_use(whole):
                continue
            goals = self._goals.setdefault(whole, {})
            for user, row in known.members.items():
                if planned.members.get(user) != row and row[-1] != BY_HAND:
                    self._again.add((whole, user))
                    goals.setdefault(user, row)

    def changes(self, rule: str, reason: str) -> tuple[list[Change], list[Change]]:
        """The inverse changes: who returns or gets other data, users first, and who leaves."""
        self._spare_users_in_use()
        self._keep_taken_logins()
        coming: list[Change] = []
        leaving: list[Change] = []
        for whole in sorted(self._goals, key=lambda key: (list(Kind).index(key.kind), key.sis_id)):
            for (action, part), people in self._grouped(whole).items():
                made = self._made(whole, people, action, part, rule, reason)
                (leaving if made.is_removal else coming).append(made)
        return coming, leaving

    # -- one person --------------------------------------------------------------------------------------------------

    def _look_at(self, whole: Key, user: str, before: Member | None, after: Member) -> None:
        now, there = self._now(whole, user), self._there(whole, user)
        is_made = before is None
        # Users are never deleted: that would take from them what others gave them (see `leaving`).
        end = Standing.SUSPENDED if whole.kind is Kind.USER else Standing.DELETED
        goal = before or (*after[:-1], str(end))
        if now is None:
            self._losses.tell(Why.NOT_CONFIRMED, whole)
        elif now == goal or now[-1] == goal[-1] == DELETED:
            self._losses.tell(Why.AS_BEFORE, whole)
        elif now != after:
            self._losses.tell(Why.CHANGED_SINCE, whole)
        elif goal[-1] == BY_HAND:
            self._losses.tell(Why.WAS_BY_HAND, whole)
        elif whole.kind is Kind.USER and self._sees_users and there is None:
            self._losses.tell(Why.USER_GONE, whole)
        elif there is not None and _standing(there) != _standing(now):
            self._losses.tell(Why.CHANGED_BY_HAND, whole)
        elif self._goes_with_its_place(whole, goal):
            return
        elif goal[-1] == ACTIVE and not self._is_in_use(whole):
            self._losses.tell(Why.PLACE_GONE, whole)
        else:
            self._goals.setdefault(whole, {})[user] = self._as_owned(whole, user, now, goal)
            if is_made and whole.kind is Kind.USER:
                self._made_users[user] = whole

    def _as_owned(self, whole: Key, user: str, now: Member, goal: Member) -> Member:
        """The old row of a user, with what people made their own in Canvas left as it is."""
        owned = self._confirmed.rosters[whole].owned.get(user, frozenset())
        names = (*MEMBER_FIELDS[whole.kind], "state")
        kept = tuple(now[n] if name in owned else goal[n] for n, name in enumerate(names))
        if kept != goal:
            self._losses.tell(Why.KEPT_BY_CANVAS, whole)
        return kept

    def _goes_with_its_place(self, whole: Key, goal: Member) -> bool:
        """Whether Canvas does it by itself: in a deleted course nobody is, nor is anybody active in a concluded one."""
        if whole.kind is not Kind.ENROLLMENT:
            return False
        state = self._state_at(whole, self._planned)
        return state is State.DELETED or (state is State.COMPLETED and goal[-1] == Standing.COMPLETED)

    def _is_in_use(self, whole: Key) -> bool:
        return self._state_at(whole, self._planned) in (State.ACTIVE, State.UNPUBLISHED)

    def _state_at(self, whole: Key, world: World) -> State:
        """The state of a roster's place; a section of a course that is not in use goes with it.

        The institution's own account is in no world, and users have no place: both are in use.
        """
        place = self._confirmed.rosters[whole].place if whole in self._confirmed.rosters else None
        one = world.get(place.key) if place else None
        if one is not None and one.is_alive and isinstance(one.thing, Section):
            one = world.get(Key(Kind.COURSE, one.thing.course), one)
        return one.thing.state if one else State.ACTIVE

    # -- users -------------------------------------------------------------------------------------------------------

    def _spare_users_in_use(self) -> None:
        """Users whom the plan made are suspended, but not those who are in use elsewhere."""
        used = self._used_elsewhere() if self._made_users else set()
        for user, whole in self._made_users.items():
            self._losses.tell(Why.USER_STAYS if user in used else Why.USER_SUSPENDED, whole)
            if user in used:
                del self._goals[whole][user]

    def _used_elsewhere(self) -> set[str]:
        """Users of the plan's who are still in a roster when all is done, by us or by hand."""
        made, used = self._made_users.keys(), set[str]()
        for whole, roster in self._planned.rosters.items():
            goals = self._goals.get(whole, {})
            for user in made & roster.members.keys() if roster.place else ():
                if goals.get(user, roster.members[user])[-1] in _IN_USE:
                    used.add(user)
        for whole, roster in self._actual.rosters.items():
            known = self._planned.rosters[whole].members if whole in self._planned.rosters else {}
            for user in made & roster.members.keys() if roster.place else ():
                state = roster.members[user][-1]
                if state == BY_HAND or (state == ACTIVE and user not in known):
                    used.add(user)
        return used

    def _keep_taken_logins(self) -> None:
        """Leave users alone whose old login another user has by now, and does not give up here."""
        users = {whole: roster for whole, roster in self._confirmed.rosters.items() if whole.kind is Kind.USER}
        logins = {
            user: self._goals.get(whole, {}).get(user, row)[_LOGIN].lower()
            for whole, roster in users.items()
            for user, row in roster.members.items()
            if row[-1] != DELETED
        }
        again = True
        while again:
            holders = Counter(logins.values())
            taken = [
                (whole, user)
                for whole in users
                for user in self._goals.get(whole, ())
                if holders[logins.get(user, "")] > 1 and logins[user] != users[whole].members[user][_LOGIN].lower()
            ]
            for whole, user in taken:
                self._losses.tell(Why.LOGIN_TAKEN, whole)
                del self._goals[whole][user]
                logins[user] = users[whole].members[user][_LOGIN].lower()
            again = bool(taken)

    # -- changes -----------------------------------------------------------------------------------------------------

    def _grouped(self, whole: Key) -> dict[tuple[Action, str], dict[str, Member]]:
        """The people of a roster by what is done to them."""
        found: dict[tuple[Action, str], dict[str, Member]] = {}
        for user, goal in sorted(self._goals[whole].items()):
            now = self._now(whole, user)
            if now is None or (now == goal and (whole, user) not in self._again):
                continue
            if goal[-1] != ACTIVE:
                action = Action.UPDATE if goal[-1] == now[-1] and len(goal) > 1 else _ENDS[Standing(goal[-1])]
            else:
                action = Action.UPDATE if now[-1] == ACTIVE and len(goal) > 1 else Action.REOPEN
            moves = action in _ENDS.values() and self._returns_elsewhere(whole, user)
            part = f"{Part.MOVED}, undo" if moves else f"undo, {action}"
            found.setdefault((action, part), {})[user] = goal
        return found

    def _returns_elsewhere(self, whole: Key, user: str) -> bool:
        """Whether somebody goes back to another section of the course: first they arrive, then they leave."""
        return user in self._returning.get(self._course_and_role(whole), ()) if whole.kind is Kind.ENROLLMENT else False

    @cached_property
    def _returning(self) -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for whole, goals in self._goals.items():
            back = {user for user, goal in goals.items() if goal[-1] == ACTIVE}
            if whole.kind is Kind.ENROLLMENT and back:
                found.setdefault(self._course_and_role(whole), set()).update(back)
        return found

    def _course_and_role(self, whole: Key) -> tuple[str, str]:
        roster = self._confirmed.rosters[whole]
        one = self._planned.get(roster.place.key) if roster.place else None
        if one is not None and isinstance(one.thing, Section):
            return one.thing.course, roster.role
        return (roster.place.sis_id if roster.place else ""), roster.role

    def _made(
        self, whole: Key, people: Mapping[str, Member], action: Action, part: str, rule: str, reason: str
    ) -> Change:
        known = self._confirmed.rosters[whole]
        now = {user: known.members[user] for user in people}
        plain = replace(known, owned={}, part=part)
        goals = {user: goal if len(goal) > 1 else STANDINGS[goal[-1]] for user, goal in people.items()}
        return Change(action, replace(plain, members=now), replace(plain, members=goals), rule, reason)

    # -- worlds ------------------------------------------------------------------------------------------------------

    def _whole(self, part: Roster) -> Key:
        """The roster by the id that its place has now."""
        if part.place is None or part.place.key not in self._renames:
            return part.whole
        return replace(part, place=Place(part.place.kind, self._renames[part.place.key])).whole

    def _now(self, whole: Key, user: str) -> Member | None:
        known = self._confirmed.rosters.get(whole)
        return known.members.get(user) if known else None

    def _there(self, whole: Key, user: str) -> Member | None:
        there = self._actual.rosters.get(whole)
        return there.members.get(user) if there else None

    @cached_property
    def _sees_users(self) -> bool:
        return any(whole.kind is Kind.USER for whole in self._actual.rosters)


def _standing(member: Member) -> str:
    """Active is active, whoever made it so."""
    return ACTIVE if member[-1] == BY_HAND else member[-1]
