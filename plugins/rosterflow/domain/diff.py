"""The plan between what the source wants and what Canvas last confirmed (design §2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rosterflow.domain.confirmed import ConfirmedObject, Refusal, World, renamed
from rosterflow.domain.decisions import Decision
from rosterflow.domain.id_changes import IdChanges, Pair, Wanted, id_changes
from rosterflow.domain.institution import Removal
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.model import FIELDS, CanvasObject, Key, State, key_of, parents_of
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.removals import Absent, decision_on, removals
from rosterflow.domain.roster_changes import roster_changes
from rosterflow.domain.rosters import lies_in
from rosterflow.domain.sequence import Stalled, in_order, without_loops
from rosterflow.domain.snapshot import Scope, Snapshot
from rosterflow.domain.user_ids import user_id_changes

RULES: dict[str, str] = {
    "new": "The source has it and Canvas does not.",
    "changed": "Canvas has it, but not as the source does.",
    "wanted-again": "The source has it again after it was concluded, hidden or deleted.",
    "id-changed": "The source knows it by another id.",
    "account-loop": "The source puts an account into one that lies in it; it stays as it is.",
    "deleted-in-canvas": "People deleted it, or what it lies in, in Canvas, which ignores ours; it stays deleted.",
}
"""Ids of the rules by which something is added or changed; those of removals stand in ``removals.RULES``, those about
people in ``roster_changes``, ``roster_removals`` and ``user_ids``."""

NO_CENSUS = Leaving()


def diff(
    snapshot: Snapshot,
    world: World,
    removal: Removal,
    refusals: Mapping[str, Refusal],
    now: datetime,
    rejected: Collection[Pair] = (),
    leaving: Leaving = NO_CENSUS,
) -> Plan:
    """The changes that make Canvas what the source wants, in an order in which they can be sent.

    Nothing is taken away unless the snapshot is complete and nobody narrowed its scope; then only what is in use,
    inside the scope, absent and not untouchable. What is absent and stays all the same has a decision with its rule.
    A narrowed run changes only what it speaks of, and adds what Canvas lacks for that to lie in.

    :param world: everything Canvas confirmed, inside and outside the snapshot's scope.
    :param refusals: what Canvas refused, by the fingerprint of the change.
    :param now: aware instant, compared with the back-off of the refusals.
    :param rejected: changes of an id that a person rejected: the old one stays, and the new one is made beside it.
    :param leaving: what becomes of people who leave.
    """
    resting = frozenset(key for key, refusal in refusals.items() if refusal.not_before > now)
    wanted = {key: thing for key, thing in snapshot.objects.items() if key not in snapshot.untouchable}
    absent = _absent(snapshot, wanted, world)
    may_remove = snapshot.is_complete and not snapshot.scope.is_partial

    ids = id_changes(wanted, absent, world, snapshot.scope.widened, rejected)
    lost = _lost(wanted, world)
    differences = _differences(wanted.keys() - lost, wanted, world, ids)
    inside, outside = _narrowed([*ids.changes(wanted, world), *differences], snapshot.scope)
    additions, looping = without_loops(inside, world)
    changes, waiting = _going(in_order(additions, world), [*looping, *outside], world, resting, may_rename=may_remove)
    decisions = [decision_on(change.after, "account-loop") for change in looping]
    decisions += [decision_on(wanted[key], "deleted-in-canvas") for key in lost]
    taken: list[Change] = []
    if may_remove and absent:
        gone = Absent(snapshot, world, world.after(changes), absent, ids, removal)
        taken, put_off, kept = removals(gone, resting)
        waiting, decisions = waiting + put_off, decisions + kept
    people = roster_changes(snapshot, world, [*changes, *taken], ids, leaving, resting)
    renamed, put_off = user_id_changes(snapshot.user_ids, world, resting)
    if not may_remove:
        renamed, put_off = [], [*renamed, *put_off]
    changes = [*changes, *renamed, *people.additions, *people.removals, *taken]
    waiting, decisions = [*waiting, *put_off, *people.waiting], decisions + people.decisions
    as_they_should_be = wanted.keys() - lost - set(ids.new.values()) - {change.key for change in differences}
    unchanged = Counter(key.kind for key in as_they_should_be if snapshot.scope.speaks_of(wanted[key]))
    unchanged += people.unchanged
    return Plan(tuple(changes), unchanged, tuple(waiting), _sorted(decisions))


def _absent(snapshot: Snapshot, wanted: Wanted, world: World) -> frozenset[Key]:
    """What is in use and not wanted; in a narrowed run, which removes nothing, it only tells what got another id."""
    scope = snapshot.scope.widened
    return frozenset(
        key
        for key, one in world.items()
        if one.is_alive and key not in wanted and key not in snapshot.untouchable and scope.covers(one.thing)
    )


def _narrowed(changes: Sequence[Change], scope: Scope) -> tuple[list[Change], list[Change]]:
    """The changes that a run may make, and those that it leaves to one that nobody narrowed."""
    inside = [change for change in changes if scope.speaks_of(change.after)]
    lacking = {key_of(change.after): change for change in changes if not scope.speaks_of(change.after)}
    for change in inside if lacking else ():  # grows by what must be there first
        above = [key for key in lies_in(change.after) if key in lacking and lacking[key].action is Action.CREATE]
        inside += [lacking.pop(key) for key in above]
    return inside, list(lacking.values())


def _lost(wanted: Wanted, world: World) -> set[Key]:
    """What is wanted but was deleted by people in Canvas for good, and what lies in it."""
    lost = {key for key, one in world.items() if "state" in one.owned_by_canvas and one.thing.state is State.DELETED}
    if not lost:
        return set()
    return {key for key, thing in wanted.items() if key in lost or not lost.isdisjoint(parents_of(thing))}


def _differences(keys: Iterable[Key], wanted: Wanted, world: World, ids: IdChanges) -> list[Change]:
    renames, paired = ids.renames, set(ids.new.values())
    found = (_difference(wanted[key], world.get(key), renames) for key in keys if key not in paired)
    return [change for change in found if change is not None]


def _difference(wanted: CanvasObject, confirmed: ConfirmedObject | None, renames: Mapping[Key, str]) -> Change | None:
    """The creation, update or re-opening of one object; ``None`` when it is as it should be."""
    if confirmed is None:
        return Change(Action.CREATE, None, wanted, "new", "The source has it and Canvas does not.")
    before, owned = confirmed.thing, confirmed.owned_by_canvas
    there = renamed(before, renames) if renames else before
    if there == wanted:
        return None
    theirs = {name: getattr(there, name) for name in FIELDS[there.kind] if name in owned}
    after = replace(wanted, **theirs)
    if there.state is not wanted.state and "state" not in owned:
        return Change(Action.REOPEN, before, after, "wanted-again", f"The source has it again; it was {there.state}.")
    after = replace(after, state=there.state)
    if after == there:
        return None
    names = [name.replace("_", " ") for name in FIELDS[there.kind] if getattr(after, name) != getattr(there, name)]
    return Change(Action.UPDATE, before, after, "changed", f"The source has another {' and another '.join(names)}.")


def _going(
    changes: Sequence[Change],
    dropped: Iterable[Change],
    world: World,
    resting: Collection[str],
    *,
    may_rename: bool,
) -> tuple[list[Change], list[Change]]:
    """The changes that can be sent, and those that wait.

    A change waits while the back-off of its refusal lasts, or for another change that waits. So does an id change that
    rests on an absence which an incomplete or narrowed read cannot prove: creating the new object meanwhile would leave
    two, and people's work in the old one.
    """
    stalled = Stalled(world, changes)
    for change in dropped:
        stalled.add(change)
    going: list[Change] = []
    waiting: list[Change] = []
    for change in changes:
        unproven = change.action is Action.CHANGE_ID and not may_rename
        if unproven or (resting and change.fingerprint in resting) or stalled.blocker(change):
            stalled.add(change)
            waiting.append(change)
        else:
            going.append(change)
    return going, waiting


def _sorted(decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    return tuple(sorted(decisions, key=lambda decision: (decision.rule, decision.key or ())))
