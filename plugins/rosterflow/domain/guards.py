"""Guards split a plan: what is risky is held for a person, the rest goes on (design §2, reference policies).

A stricter limit never lets more through: every rule only ever adds to what is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from rosterflow.domain import undone
from rosterflow.domain.confirmed import World
from rosterflow.domain.institution import Freeze, Guards, Limit
from rosterflow.domain.model import Account, Course, Key, Kind, Section, State, Term, key_of
from rosterflow.domain.places import EVERYWHERE, InUse, Places, Where, is_counted
from rosterflow.domain.plan import REMOVALS, Action, Change, Plan
from rosterflow.domain.roster_changes import LOGIN_SWAP
from rosterflow.domain.rosters import MEMBER_FIELDS, Place, Roster, Thing, weight_of
from rosterflow.domain.sequence import Stalled
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.undo import UNDO

FIRST_CONTACT = "first-contact"

RULES: dict[str, str] = {
    FIRST_CONTACT: "The first plan of an institution is approved as a whole.",
    "id-change": "A changed id is always approved by a person.",
    "account-had-courses": "Closing an account that has or had courses is always approved by a person.",
    "term-shut": "Dates that shut a term with courses in use are always approved by a person.",
    "removals-institution": "Too many removals of a kind in the institution.",
    "removals-account": "Too many removals of a kind in an account and all below it.",
    "removals-term": "Too many removals of a kind in a term.",
    "removals-course": "Too many sections, or people, removed from a course.",
    "removals-role": "Too many people removed from a role.",
    "removals-course-role": "Too many people removed from a role in a course.",
    "whole-role": "Everybody who has a role would lose it.",
    "whole-unit": "Everybody in the courses of an account would be removed.",
    LOGIN_SWAP: "Users who take each other's logins are always approved by a person.",
    UNDO: "Undoing a plan is always approved by a person.",
    **undone.RULES,
    "freeze": "The calendar of freezes says that it waits.",
    "updates": "Too many updates of a kind.",
    "waits-for": "It cannot go ahead without a change that is held.",
}
"""Ids of the rules by which a change is held."""

OVER_DAYS = frozenset({"removals-institution", "removals-term", "removals-role"})
"""Where people who left on earlier days are counted too. A few a day leave each course in the first weeks of a term;
that is no reason to hold what one more does there."""


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
    """A plan's changes, split; each part keeps the plan's order.

    :param frozen: what waits for the end of a freeze; nobody is asked about it.
    """

    allowed: tuple[Change, ...]
    held: tuple[Held, ...]
    frozen: tuple[Held, ...] = ()


def guard(
    plan: Plan,
    world: World,
    limits: Guards,
    *,
    first_contact: bool,
    scope: Scope | None = None,
    recent: Iterable[Thing] = (),
    now: datetime | None = None,
    today: date | None = None,
) -> Verdict:
    """Split a plan into what goes on, what waits for a person, and what waits for a day.

    :param world: what Canvas confirmed, as the plan was made against it.
    :param first_contact: whether nobody has yet approved a plan for this institution's Canvas.
    :param scope: what the plan speaks about. Shares are taken of what is in use inside it; else the courses of terms
        long past would make every limit wider from year to year.
    :param recent: what was removed lately without a person and is still gone. It counts as if it were removed today:
        else many small days would be what one day may not be.
    :param now: aware instant by which dates shut something; ``None`` to leave dates out.
    :param today: the local day, looked up in the calendar of freezes; ``None`` to leave that out.
    """
    lately = [thing for thing in recent if scope is None or scope.covers(thing)]
    risky = {} if first_contact else _risky(plan.changes, world, limits, InUse(world, scope), lately, now)
    freezes = _freezes(limits, today)
    if holds_everything(limits, first_contact=first_contact, today=today):
        return Verdict((), tuple(Held(change, FIRST_CONTACT, RULES[FIRST_CONTACT]) for change in plan.changes))
    stalled = Stalled(world, plan.changes)
    allowed: list[Change] = []
    held: list[Held] = []
    frozen: dict[Key, Held] = {}
    for change in plan.changes:
        blocker = stalled.blocker(change)
        if any(_is_frozen(change, one) for one in freezes):
            frozen[change.key] = Held(change, "freeze", _until(freezes, change))
        elif blocker and blocker.key in frozen:
            frozen[change.key] = Held(change, "freeze", f"Waits for the {blocker.action} of {blocker.key}.")
        elif first_contact:
            held.append(Held(change, FIRST_CONTACT, RULES[FIRST_CONTACT]))
        elif change.key in risky:
            held.append(risky[change.key])
        elif blocker:
            held.append(Held(change, "waits-for", f"Waits for the held {blocker.action} of {blocker.key}."))
        else:
            allowed.append(change)
            continue
        stalled.add(change)
    return Verdict(tuple(allowed), tuple(held), tuple(frozen.values()))


def holds_everything(limits: Guards, *, first_contact: bool, today: date | None) -> bool:
    """Whether a plan is held as it stands, whatever is in it: a first contact while no freeze lasts."""
    return first_contact and not _freezes(limits, today)


def _freezes(limits: Guards, today: date | None) -> list[Freeze]:
    return [one for one in limits.freeze if today and one.first <= today <= one.to]


def _is_frozen(change: Change, freeze: Freeze) -> bool:
    """Whether a change waits for the end of a freeze."""
    if freeze.adds_only and change.action in (Action.CREATE, Action.REOPEN):
        return False
    thing = change.before or change.after
    return (not freeze.kinds or change.kind in freeze.kinds) and (not freeze.terms or thing.origin.term in freeze.terms)


def _until(freezes: Iterable[Freeze], change: Change) -> str:
    return f"Waits for the end of a freeze on {max(one.to for one in freezes if _is_frozen(change, one))}."


MAY_TAKE = REMOVALS | {Action.UPDATE}
"""Actions that may take something away: new dates may shut people out."""


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
    removed: Counter[Kind] = Counter()
    for change in changes:
        if is_counted(change) or _shuts(change, now):
            removed[change.kind] += change.weight
    alive = InUse(world, scope).by_kind() if removed else Counter[Kind]()
    limit = limits.two_person
    return removed.total() > limit.floor or any(
        count > alive[kind] * limit.percent / 100 for kind, count in removed.items()
    )


def still_true(change: Change, world: World) -> bool:
    """Whether the confirmed state of a change's object, or of what its removal cascades to, is what was shown."""
    return not stale((change,), world)


def stale(changes: Sequence[Change], world: World) -> tuple[Change, ...]:
    """Those of several changes, approved together, that may no longer be sent (design §2).

    A change is stale when its own object is not what was shown, when an account to be deleted has got something in it,
    when the course of a section to be deleted was closed, when the section of people was, or when it cannot go ahead
    without a stale one.

    :param changes: in their plan's order.
    :param world: what Canvas confirmed by now.
    """
    keyed = [(change.key, change) for change in changes]
    true = {key: change for key, change in keyed if _is_as_shown(change, world)}
    # What else lies there matters to deletions and to people only.
    looks_around = any(change.action is Action.DELETE or change.kind in MEMBER_FIELDS for change in changes)
    objects = (change for change in true.values() if change.kind not in MEMBER_FIELDS)
    met = world.after(objects) if looks_around else world
    stalled = Stalled(world, changes)
    found: list[Change] = []
    for key, change in keyed:
        if key not in true or stalled.blocker(change) or not _cascades_as_shown(change, met, world):
            stalled.add(change)
            found.append(change)
    return tuple(found)


def _is_as_shown(change: Change, world: World) -> bool:
    if isinstance(change.after, Roster):
        return _are_as_shown(change.before, change.after, world)
    if change.action is Action.CHANGE_ID and key_of(change.after) in world:
        return False
    one = world.get(change.key)
    return (one.thing if one else None) == change.before


def _are_as_shown(before: Thing | None, after: Roster, world: World) -> bool:
    """Whether each of some people is in a roster, or is not, as it was shown."""
    known = world.rosters.get(after.whole)
    have = known.members if known else {}
    shown = before.members if isinstance(before, Roster) else {}
    if any(world.has_user(new) for new in after.ids.values()):
        return False
    return all(have.get(user) == shown.get(user) for user in after.members)


def _cascades_as_shown(change: Change, met: World, world: World) -> bool:
    match change:
        case Change(action=Action.DELETE, after=Account()):
            return all(met[key].thing.state is State.DELETED for key in met.below(key_of(change.after)))
        case Change(action=Action.DELETE, after=Section(course=course)):
            there = met.get(Key(Kind.COURSE, course))
            return there is None or there.is_alive or there.thing.state is State.DELETED
        case Change(after=Roster(place=Place(kind=Kind.SECTION | Kind.COURSE) as place)):
            # Who leaves what is closed by the same changes leaves what was in use; and an id may change meanwhile.
            seen = [one for one in (met.get(place.key), world.get(place.key)) if one]
            return any(one.is_alive for one in (seen if change.is_removal else seen[:1]))
        case _:
            return True


def _risky(
    changes: Sequence[Change],
    world: World,
    limits: Guards,
    in_use: InUse,
    recent: Sequence[Thing],
    now: datetime | None,
) -> dict[Key, Held]:
    """What is held for itself, by key; the first rule that holds a change names the reason."""
    removing = [change for change in changes if is_counted(change) or _shuts(change, now)]
    found = [
        *_always(changes, world),
        *_shut_terms(removing, world),
        *_removals(removing, world, limits.removals, in_use, recent),
        *_updates(changes, limits.updates, in_use),
    ]
    return {held.change.key: held for held in reversed(found)}


def _always(changes: Iterable[Change], world: World) -> Iterator[Held]:
    for change in changes:
        if change.action is Action.CHANGE_ID and isinstance(change.after, Roster):
            yield Held(change, "id-change", f"{change.weight} user(s) get another id. {change.reason}")
        elif change.action is Action.CHANGE_ID:
            yield Held(change, "id-change", f"The id changes from {change.key.sis_id} to {change.after.sis_id}.")
        if change.rule == undone.UNDONE:
            yield Held(change, undone.UNDONE, change.reason)
        if change.rule == LOGIN_SWAP:
            yield Held(change, LOGIN_SWAP, f"{change.weight} of the users who would take each other's logins.")
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


def _is_open(thing: Thing, now: datetime) -> bool:
    if not isinstance(thing, Term | Course):
        return True
    return (thing.start is None or thing.start <= now) and (thing.end is None or now < thing.end)


def _courses_within(account: Key, world: World) -> int:
    """Courses in an account and all below it, of any state, as they lay before the plan."""
    inside = world.below(account)
    return sum(1 if key.kind is Kind.COURSE else _courses_within(key, world) for key in inside)


def _removals(
    removing: Iterable[Change], world: World, limit: Limit, in_use: InUse, recent: Sequence[Thing]
) -> Iterator[Held]:
    places = Places(world)
    removals = [(change, places.of(change.before)) for change in removing if change.before]
    gone = Counter[Where]()
    for thing in recent:
        for region in places.of(thing):
            if not isinstance(thing, Roster) or region.rule in OVER_DAYS:
                gone[thing.kind, region] += weight_of(thing)
    removed = Counter(gone)
    for change, regions in removals:
        for region in regions:
            removed[change.kind, region] += change.weight
    suspects = {where for where, count in removed.items() if count > limit.floor}
    if not suspects:
        return
    alive = in_use.in_regions(suspects, places) + gone
    rules = {where: rule for where in suspects if (rule := _rule(where, removed[where], alive[where], limit))}
    since = " within a week" if recent else ""
    for change, regions in removals:
        where = next(((change.kind, region) for region in regions if (change.kind, region) in rules), None)
        if where:
            kind, region = where
            numbers = f"{removed[where]} of {alive[where]} {kind}s in {region.name}{since}"
            yield Held(change, rules[where], f"{numbers}; the limit is {int(_most(limit, alive[where]))}.")


def _rule(where: Where, removed: int, alive: int, limit: Limit) -> str | None:
    """The rule by which removals of a kind in a region are held, ``None`` when they are few enough."""
    kind, region = where
    if removed >= alive and kind in MEMBER_FIELDS:
        if region.rule == "removals-role":
            return "whole-role"
        if region.rule == "removals-account" and kind is Kind.ENROLLMENT:
            return "whole-unit"
    return region.rule if removed > _most(limit, alive) else None


def _updates(changes: Iterable[Change], limit: Limit, in_use: InUse) -> Iterator[Held]:
    updates = [change for change in changes if change.action is Action.UPDATE]
    updated: Counter[Kind] = Counter()
    for change in updates:
        updated[change.kind] += change.weight
    suspects = {kind for kind, count in updated.items() if count > limit.floor}
    alive = in_use.by_kind() if suspects else Counter[Kind]()
    for change in updates:
        kind, most = change.kind, _most(limit, alive[change.kind])
        if kind in suspects and updated[kind] > most:
            numbers = f"{updated[kind]} of {alive[kind]} {kind}s in {EVERYWHERE.name}"
            yield Held(change, "updates", f"{numbers}; the limit is {int(most)}.")


def _most(limit: Limit, alive: int) -> float:
    return max(alive * limit.percent / 100, limit.floor)
