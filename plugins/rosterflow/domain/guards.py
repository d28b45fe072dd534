"""Guards split a plan: what is risky is held for a person, the rest goes on (design §2, reference policies).

A stricter limit never lets more through: every rule only ever adds to what is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from rosterflow.domain.confirmed import World
from rosterflow.domain.institution import Guards, Limit
from rosterflow.domain.model import Account, CanvasObject, Course, Key, Kind, Section, State, Term, key_of
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.sequence import Stalled, account_parents, ancestors
from rosterflow.domain.snapshot import Scope

RULES: dict[str, str] = {
    "first-contact": "The first plan of an institution is approved as a whole.",
    "id-change": "A changed id is always approved by a person.",
    "account-had-courses": "Closing an account that has or had courses is always approved by a person.",
    "term-shut": "Dates that shut a term with courses in use are always approved by a person.",
    "removals-institution": "Too many removals of a kind in the institution.",
    "removals-account": "Too many removals of a kind in an account and all below it.",
    "removals-term": "Too many removals of a kind in a term.",
    "removals-course": "Too many sections removed from a course.",
    "updates": "Too many updates of a kind.",
    "waits-for": "It cannot go ahead without a change that is held.",
}
"""Ids of the rules by which a change is held."""


class Held(msgspec.Struct, frozen=True):
    """A change that waits for a person.

    :param rule: id of the guard's rule (:data:`RULES`).
    :param reason: one sentence for a person, with the scope's name and the numbers.
    """

    change: Change
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A plan's changes, split; both parts keep the plan's order."""

    allowed: tuple[Change, ...]
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of the world for which removals are counted."""

    rule: str
    name: str


_EVERYWHERE = _Place("removals-institution", "the institution")


def guard(
    plan: Plan,
    world: World,
    limits: Guards,
    *,
    first_contact: bool,
    scope: Scope | None = None,
    recent: Iterable[CanvasObject] = (),
    now: datetime | None = None,
) -> Verdict:
    """Split a plan into what goes on and what waits for a person.

    :param world: what Canvas confirmed, as the plan was made against it.
    :param first_contact: whether nobody has yet approved a plan for this institution's Canvas.
    :param scope: what the plan speaks about. Shares are taken of what is in use inside it; else the courses of terms
        long past would make every limit wider from year to year.
    :param recent: what was removed lately without a person and is still gone. It counts as if it were removed today:
        else many small days would be what one day may not be.
    :param now: aware instant by which dates shut something; ``None`` to leave dates out.
    """
    if first_contact:
        return Verdict((), tuple(Held(c, "first-contact", RULES["first-contact"]) for c in plan.changes))
    lately = [thing for thing in recent if scope is None or scope.covers(thing)]
    risky = _risky(plan.changes, world, limits, _in_use(world, scope), lately, now)
    stalled = Stalled(world, plan.changes)
    allowed: list[Change] = []
    held: list[Held] = []
    for change in plan.changes:
        verdict = risky.get(change.key)
        if verdict is None and (blocker := stalled.blocker(change)):
            verdict = Held(change, "waits-for", f"Waits for the held {blocker.action} of {blocker.key}.")
        if verdict is None:
            allowed.append(change)
        else:
            stalled.add(change)
            held.append(verdict)
    return Verdict(tuple(allowed), tuple(held))


def needs_second_person(
    changes: Iterable[Change],
    world: World,
    limits: Guards,
    scope: Scope | None = None,
    now: datetime | None = None,
) -> bool:
    """Whether approving these changes takes two people, by the share of a kind that is removed or the sheer number.

    :param scope: what the plan speaks about; shares are taken of what is in use inside it.
    :param now: aware instant by which dates shut something; ``None`` to leave dates out.
    """
    removed = Counter(change.kind for change in changes if change.is_removal or _shuts(change, now))
    alive = Counter(thing.kind for thing in _in_use(world, scope))
    limit = limits.two_person
    return removed.total() > limit.floor or any(
        count > alive[kind] * limit.percent / 100 for kind, count in removed.items()
    )


def _in_use(world: World, scope: Scope | None) -> list[CanvasObject]:
    return [one.thing for one in world.values() if one.is_alive and (scope is None or scope.covers(one.thing))]


def still_true(change: Change, world: World) -> bool:
    """Whether the confirmed state of a change's object, or of what its removal cascades to, is what was shown."""
    return not stale((change,), world)


def stale(changes: Sequence[Change], world: World) -> tuple[Change, ...]:
    """Those of several changes, approved together, that may no longer be sent (design §2).

    A change is stale when its own object is not what was shown, when an account to be deleted has got something in it,
    when the course of a section to be deleted was closed, or when it cannot go ahead without a stale one.

    :param changes: in their plan's order.
    :param world: what Canvas confirmed by now.
    """
    true = {change.key: change for change in changes if _is_as_shown(change, world)}
    takes_away = any(change.action is Action.DELETE for change in changes)
    met = world.after(true.values()) if takes_away else world  # what else lies there matters to deletions only
    stalled = Stalled(world, changes)
    found: list[Change] = []
    for change in changes:
        if change.key not in true or stalled.blocker(change) or not _cascades_as_shown(change, met):
            stalled.add(change)
            found.append(change)
    return tuple(found)


def _is_as_shown(change: Change, world: World) -> bool:
    if change.action is Action.CHANGE_ID and key_of(change.after) in world:
        return False
    one = world.get(change.key)
    return (one.thing if one else None) == change.before


def _cascades_as_shown(change: Change, met: World) -> bool:
    match change:
        case Change(action=Action.DELETE, after=Account()):
            return all(met[key].thing.state is State.DELETED for key in met.below(key_of(change.after)))
        case Change(action=Action.DELETE, after=Section(course=course)):
            there = met.get(Key(Kind.COURSE, course))
            return there is None or there.is_alive
        case _:
            return True


def _risky(
    changes: Sequence[Change],
    world: World,
    limits: Guards,
    in_use: Sequence[CanvasObject],
    recent: Sequence[CanvasObject],
    now: datetime | None,
) -> dict[Key, Held]:
    """What is held for itself, by key; the first rule that holds a change names the reason."""
    removing = [change for change in changes if change.is_removal or _shuts(change, now)]
    found = [
        *_always(changes, world),
        *_shut_terms(removing, world),
        *_removals(removing, world, limits.removals, in_use, recent),
        *_updates(changes, limits.updates, in_use),
    ]
    return {held.change.key: held for held in reversed(found)}


def _always(changes: Iterable[Change], world: World) -> Iterator[Held]:
    for change in changes:
        if change.action is Action.CHANGE_ID:
            yield Held(change, "id-change", f"The id changes from {change.key.sis_id} to {change.after.sis_id}.")
        if change.action is Action.DELETE and change.kind is Kind.ACCOUNT:
            courses = _courses_within(change.key, world)
            if courses:
                yield Held(change, "account-had-courses", f"{courses} course(s) lie or lay in {change.key.sis_id}.")


def _shut_terms(removing: Iterable[Change], world: World) -> Iterator[Held]:
    for change in removing:
        if isinstance(change.after, Term):
            inside = sum(world[key].is_alive for key in world.below(change.key))
            if inside:
                yield Held(change, "term-shut", f"Its dates shut {inside} course(s) in use in {change.key.sis_id}.")


def _shuts(change: Change, now: datetime | None) -> bool:
    """Whether new dates shut people out of what is open to them now: an end that is over, a beginning to come."""
    if now is None or change.action is not Action.UPDATE or change.before is None:
        return False
    return _is_open(change.before, now) and not _is_open(change.after, now)


def _is_open(thing: CanvasObject, now: datetime) -> bool:
    if not isinstance(thing, Term | Course):
        return True
    return (thing.start is None or thing.start <= now) and (thing.end is None or now < thing.end)


def _courses_within(account: Key, world: World) -> int:
    """Courses in an account and all below it, of any state, as they lay before the plan."""
    inside = world.below(account)
    return sum(1 if key.kind is Kind.COURSE else _courses_within(key, world) for key in inside)


def _removals(
    removing: Iterable[Change],
    world: World,
    limit: Limit,
    in_use: Sequence[CanvasObject],
    recent: Sequence[CanvasObject],
) -> Iterator[Held]:
    places = _Places(world)
    removals = [(change, change.before) for change in removing if change.before]
    gone = [*recent, *(thing for _, thing in removals)]
    removed = Counter((thing.kind, place) for thing in gone for place in places.of(thing))
    suspects = {where for where, count in removed.items() if count > limit.floor}
    if not suspects:
        return
    alive = Counter(
        (thing.kind, place)
        for thing in (*recent, *in_use)
        for place in places.of(thing)
        if (thing.kind, place) in suspects
    )
    too_many = {where for where in suspects if removed[where] > _most(limit, alive[where])}
    for change, thing in removals:
        where = next(((thing.kind, place) for place in places.of(thing) if (thing.kind, place) in too_many), None)
        if where:
            kind, place = where
            since = " within a week" if recent else ""
            numbers = f"{removed[where]} of {alive[where]} {kind}s in {place.name}{since}"
            yield Held(change, place.rule, f"{numbers}; the limit is {int(_most(limit, alive[where]))}.")


def _updates(changes: Iterable[Change], limit: Limit, in_use: Iterable[CanvasObject]) -> Iterator[Held]:
    updates = [change for change in changes if change.action is Action.UPDATE]
    updated = Counter(change.kind for change in updates)
    suspects = {kind for kind, count in updated.items() if count > limit.floor}
    alive = Counter(thing.kind for thing in in_use) if suspects else Counter[Kind]()
    for change in updates:
        kind, most = change.kind, _most(limit, alive[change.kind])
        if kind in suspects and updated[kind] > most:
            numbers = f"{updated[kind]} of {alive[kind]} {kind}s in {_EVERYWHERE.name}"
            yield Held(change, "updates", f"{numbers}; the limit is {int(most)}.")


def _most(limit: Limit, alive: int) -> float:
    return max(alive * limit.percent / 100, limit.floor)


class _Places:
    """The places an object lies in, by what Canvas confirmed, the widest first."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._parents = account_parents(world)
        self._lines: dict[str, tuple[_Place, ...]] = {}

    def of(self, thing: CanvasObject) -> tuple[_Place, ...]:
        """The institution, the accounts from the top down, the term, and for a section its course.

        An account lies in those above it, not in itself.
        """
        match thing:
            case Account():
                return self._line(thing.parent)
            case Course():
                return (*self._line(thing.account), _Place("removals-term", thing.term or "the default term"))
            case Section():
                course = self._world.get(Key(Kind.COURSE, thing.course))
                around = self.of(course.thing) if course else (_EVERYWHERE,)
                return (*around, _Place("removals-course", thing.course))
            case _:
                return (_EVERYWHERE,)

    def _line(self, account: str) -> tuple[_Place, ...]:
        if account not in self._lines:
            line = reversed(ancestors(account, self._parents))
            self._lines[account] = (_EVERYWHERE, *(_Place("removals-account", name) for name in line))
        return self._lines[account]
