"""In which order changes can be sent, and which of them cannot go ahead while another one does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from rosterflow.domain.confirmed import World
from rosterflow.domain.model import Account, Key, Kind, Section, key_of
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Part, Roster, lies_in

_COMING = frozenset({Action.CREATE, Action.REOPEN, Action.CHANGE_ID})
"""Actions before which an object cannot be referred to by its id."""

_PARENTS_FIRST = {kind: place for place, kind in enumerate((Kind.TERM, Kind.ACCOUNT, Kind.COURSE, Kind.SECTION))}


def account_parents(world: World, changes: Iterable[Change] = ()) -> dict[str, str]:
    """The SIS id of each account's parent, by the account's own, once the changes are confirmed."""
    after = world.after(change for change in changes if change.kind is Kind.ACCOUNT)
    return {one.thing.sis_id: one.thing.parent for one in after.values() if isinstance(one.thing, Account)}


def on_loops(parents: Mapping[str, str]) -> set[str]:
    """The accounts that would be their own ancestors."""
    seen: set[str] = set()
    looping: set[str] = set()
    for start in parents:
        path: dict[str, None] = {}
        account = start
        while account in parents and account not in seen and account not in path:
            path[account] = None
            account = parents[account]
        if account in path:
            steps = list(path)
            looping.update(steps[steps.index(account) :])
        seen.update(path)
    return looping


def ancestors(account: str, parents: Mapping[str, str]) -> list[str]:
    """An account and all above it, from the bottom up, ending at the first one whose parent is not known."""
    line = {account: None}
    while (account := parents.get(account, "")) and account not in line:
        line[account] = None
    return list(line)


def without_loops(changes: Sequence[Change], world: World) -> tuple[list[Change], list[Change]]:
    """The changes after which no account is its own ancestor, and those that had to be left out for it."""
    kept, dropped = list(changes), []
    while looping := on_loops(account_parents(world, kept)):
        guilty = [change for change in kept if change.kind is Kind.ACCOUNT and change.after.sis_id in looping]
        if not guilty:
            break
        dropped += guilty
        kept = [change for change in kept if change not in guilty]
    return kept, dropped


def in_order(changes: Iterable[Change], world: World) -> list[Change]:
    """Creations and updates in an order in which each step is valid when it is its turn.

    Changed ids come first, those of accounts before those of their courses: when a run ends between the two, the next
    plan still sees that the account was renamed. An account comes after the one it will lie in, so that a move never
    makes a loop half-way: all that lies above the new place is already where it will be.
    """
    changes = list(changes)
    parents = account_parents(world, changes)

    def place(change: Change) -> tuple[bool, int, int, str]:
        if change.action is Action.CHANGE_ID:
            return False, list(Kind).index(change.kind), 0, change.key.sis_id
        depth = len(ancestors(change.key.sis_id, parents)) if change.kind is Kind.ACCOUNT else 0
        return True, _PARENTS_FIRST[change.kind], depth, change.key.sis_id

    return sorted(changes, key=place)


class Stalled:
    """The changes of a plan that do not go ahead, and through them those that cannot go ahead either.

    Ask in the plan's order, in which a change comes after what it depends on.

    :param world: what Canvas confirmed.
    :param changes: the whole plan, or all of it that is under discussion.
    """

    def __init__(self, world: World, changes: Sequence[Change]) -> None:
        self._world = world
        self._changes = changes
        self._missing: dict[Key, Change] = {}
        self._staying_in: dict[Key, Change] = {}
        self._unmoved: dict[str, Change] = {}
        self._people = _StalledPeople(world, changes)
        self._any = False

    def add(self, change: Change) -> None:
        """Remember that this change does not go ahead."""
        self._any = True
        if isinstance(change.after, Roster):
            self._people.add(change, change.after)
            return
        if change.action in _COMING:
            self._missing[key_of(change.after)] = change
        if change.before is not None:
            self._staying_in |= dict.fromkeys(lies_in(change.before), change)
        if _moves(change):
            self._unmoved[change.after.sis_id] = change

    def blocker(self, change: Change) -> Change | None:
        """The stalled change without which this one would be refused or do harm, ``None`` when it may go ahead."""
        if not self._any:
            return None
        for key in lies_in(change.after):
            if key in self._missing:
                return self._missing[key]
        if isinstance(change.after, Roster):
            return self._people.blocker(change, change.after)
        if change.is_removal:
            return self._staying_in.get(change.key)
        return self._crossing(change) if self._unmoved and _moves(change) else None

    def _crossing(self, change: Change) -> Change | None:
        """A stalled move, above the new place, of an account that may still lie in the one to be moved: a loop."""
        account = change.after.sis_id
        for above in ancestors(account, self._parents):
            if above in self._unmoved and account in self._may_lie_in(above):
                return self._unmoved[above]
        return None

    def _may_lie_in(self, account: str) -> set[str]:
        """All accounts that one may lie in, whichever of the moves of the plan have been made."""
        found: set[str] = set()
        ahead = [account]
        while ahead:
            account = ahead.pop()
            above = {parents[account] for parents in (self._parents, self._old_parents) if account in parents}
            ahead += above - found
            found |= above
        return found

    @cached_property
    def _parents(self) -> dict[str, str]:
        return account_parents(self._world, self._changes)

    @cached_property
    def _old_parents(self) -> dict[str, str]:
        return account_parents(self._world)


class _StalledPeople:
    """People of a plan who are not made users, or not brought into a section, and what must not happen to them then."""

    def __init__(self, world: World, changes: Sequence[Change]) -> None:
        self._world = world
        self._changes = changes
        self._no_users: dict[str, Change] = {}
        self._not_arriving: dict[tuple[str, str], dict[str, Change]] = {}

    def add(self, change: Change, part: Roster) -> None:
        """Remember that these people do not become users, or do not arrive where they are wanted.

        Who does not get another id still is a user by the one that they have.
        """
        if change.action not in _COMING or part.ids:
            return
        if part.kind is Kind.USER:
            self._no_users |= dict.fromkeys(part.members, change)
            return
        for course in self._courses_of(part):
            self._not_arriving.setdefault((course, part.role), {}).update(dict.fromkeys(part.members, change))

    def blocker(self, change: Change, part: Roster) -> Change | None:
        """Nobody is enrolled who is no user, and nobody leaves a section before they arrived in the other one."""
        if not change.is_removal:
            return self._first(self._no_users, part) if part.kind is not Kind.USER else None
        found = (
            self._first(self._not_arriving.get((course, part.role), {}), part)
            for course in (self._courses_of(part) if part.reason == Part.MOVED else ())
        )
        return next((change for change in found if change), None)

    def _first(self, stalled: Mapping[str, Change], part: Roster) -> Change | None:
        found = stalled.keys() & part.members.keys() if stalled else ()
        return stalled[min(found)] if found else None

    def _courses_of(self, part: Roster) -> set[str]:
        """The course of a section as it is and as the plan has it, or the course that people are in."""
        if part.place is None or part.place.kind is not Kind.SECTION:
            return {part.place.sis_id} if part.place else set()
        found = set(self._planned.get(part.place.key, ()))
        one = self._world.get(part.place.key)
        return found | {one.thing.course} if one and isinstance(one.thing, Section) else found

    @cached_property
    def _planned(self) -> dict[Key, list[str]]:
        found: dict[Key, list[str]] = {}
        for change in self._changes:
            if isinstance(change.after, Section):
                found.setdefault(key_of(change.after), []).append(change.after.course)
        return found


def _moves(change: Change) -> bool:
    before, after = change.before, change.after
    return isinstance(before, Account) and isinstance(after, Account) and before.parent != after.parent
