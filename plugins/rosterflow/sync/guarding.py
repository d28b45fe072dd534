"""Which changes of a plan go on, and which wait for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.guards import FIRST_CONTACT, RULES, guard, holds_everything
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.places import is_counted
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.rosters import Roster, Thing
from rosterflow.domain.sequence import Stalled
from rosterflow.domain.undo import UNDO
from rosterflow.store import approvals, history, institutions, plans, runs
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.runs import Run
from rosterflow.sync.asking import Matter, Why, ask_about_undo, see_to_questions
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.runs import saw_all, verify_lease
from rosterflow.sync.worlds import counted_world_of, world_of

EVER = datetime(1970, 1, 1, tzinfo=UTC)
LATELY = timedelta(days=7)
"""Removals of so many days together may not be more than the limits allow for one."""
NOT_FOR_ITSELF = frozenset({FIRST_CONTACT, "waits-for"})
"""Rules that hold a change because of something else, not because of what it is."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guards made of a plan.

    :param ask: ids of the requests for approval that wait for a person, oldest first: all of them, because nobody may
        have been asked about an older one.
    """

    allowed: int
    held: int
    ask: tuple[int, ...]


@undisturbed
def guard_plan(store: Store, institution: Institution, run: Run, plan_id: int, now: datetime) -> Guarded:
    """Split a stored plan into what goes on and what is held; ask for approval of what is newly held.

    In a run that only plans, nothing is asked and nothing that waits is touched. Guarding a plan again changes nothing.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        planned = plans.changes(connection, plan_id)
        if not planned or any(one.state is ChangeState.PLANNED for one in planned):
            lately = plans.removed_unasked(connection, institution.key, now - LATELY)
            world = counted_world_of(connection, institution, lately) if planned else World()
            plan = plans.get_plan(connection, plan_id)
            current = runs.get_run(connection, run.id)
            split(Matter(connection, institution, current, plan, planned, world, now), run.mode)
        held = plans.count(connection, plan_id, ChangeState.HELD)
        frozen = plans.count(connection, plan_id, ChangeState.FROZEN)
        allowed = sum(one.weight for one in planned) - held - frozen
        also = {"frozen": frozen} if frozen else {}
        runs.add_counts(connection, run.id, allowed=allowed, held=held, **also)
        waiting = approvals.in_state(connection, institution.key, ApprovalState.WAITING) if run.mode == "apply" else ()
        return Guarded(allowed, held, tuple(request.id for request in waiting))


def hold_undo(connection: Connection, institution: Institution, run: Run, plan_id: int, now: datetime) -> int:
    """Hold a plan that undoes another one, all of it and whatever the limits are, and ask a person.

    What the guards hold by themselves says so; nothing waits for the end of a freeze, for a person decides.

    :returns: the request's id.
    """
    planned, world = plans.changes(connection, plan_id), world_of(connection, institution)
    matter = Matter(connection, institution, run, plans.get_plan(connection, plan_id), planned, world, now)
    held, frozen = _kept_back(matter)
    told = {seq: why for seq, why in (held | frozen).items() if why[0] not in NOT_FOR_ITSELF}
    plans.hold(connection, plan_id, {one.seq: told.get(one.seq, (UNDO, RULES[UNDO])) for one in planned})
    return ask_about_undo(matter, planned)


def split(matter: Matter, mode: str) -> None:
    """Say of each change of a plan whether it goes on or waits, and ask whoever is to be asked."""
    connection, institution, plan = matter.connection, matter.institution, matter.plan
    held, frozen = _kept_back(matter)
    free = (one.seq for one in matter.planned if one.seq not in held and one.seq not in frozen)
    plans.set_state(connection, plan.id, free, ChangeState.ALLOWED)
    plans.hold(connection, plan.id, held)
    plans.hold(connection, plan.id, frozen, ChangeState.FROZEN)
    if mode != "apply":
        return
    if (
        plan.first_contact
        and not matter.planned
        and isinstance(institution, Institution)
        and saw_all(institution, matter.run)
    ):
        institutions.mark(connection, institution.key, contacted_at=matter.now)
    see_to_questions(matter, [one for one in matter.planned if one.seq in held])


def _kept_back(matter: Matter) -> tuple[dict[int, Why], dict[int, Why]]:
    """What waits for a person, by ``seq``, and what waits for the end of a freeze.

    A person is asked about what the guards hold, what earlier days do, and what waits for either.
    """
    planned, world, guards = matter.planned, matter.world, matter.institution.guards
    today = matter.now.astimezone(matter.institution.zone).date()
    if holds_everything(guards, first_contact=matter.plan.first_contact, today=today):
        return dict.fromkeys((one.seq for one in planned), (FIRST_CONTACT, RULES[FIRST_CONTACT])), {}
    verdict = guard(
        Plan(tuple(one.change for one in planned), unchanged=Counter()),
        world,
        guards,
        first_contact=matter.plan.first_contact,
        scope=matter.run.scope,
        recent=_removed_lately(matter),
        now=matter.now,
        today=today,
    )
    seq_of = {one.key: one.seq for one in planned}
    held = {seq_of[one.change.key]: (one.rule, one.reason) for one in verdict.held}
    frozen = {seq_of[one.change.key]: (one.rule, one.reason) for one in verdict.frozen}
    free = [one for one in planned if one.seq not in frozen]
    return held | _held_too(free, held, _remembered(matter, free), world), frozen


def _removed_lately(matter: Matter) -> list[Thing]:
    """What was removed in the last days without anybody being asked, and is gone still."""
    if not any(is_counted(one.change) for one in matter.planned):
        return []
    world, gone = matter.world, dict[Key, Thing]()
    for change in plans.removed_unasked(matter.connection, matter.institution.key, matter.now - LATELY):
        match change.before:
            case Roster() as part if is_counted(change):
                there = world.rosters[part.whole].active() if part.whole in world.rosters else frozenset()
                known = gone.get(part.whole)
                before = known.members if isinstance(known, Roster) else {}
                left = {user: member for user, member in part.members.items() if user not in there}
                gone[part.whole] = replace(part, members={**before, **left}, part="")
            case Roster() | None:
                pass
            case thing if change.key not in world or not world[change.key].is_alive:
                gone[change.key] = thing
    return list(gone.values())


def _remembered(matter: Matter, planned: Sequence[StoredChange]) -> dict[int, Why]:
    """What earlier days say must be held, by ``seq``, though what Canvas holds today does not show it.

    An account out of which things moved is not one in which nothing ever lay. And a removal that a person was asked
    about, and has not approved, does not become harmless because others like it were carried out meanwhile.
    """
    connection, key = matter.connection, matter.institution.key
    closing = {
        one.seq: _account_and_below(one.change.key, matter.world) for one in planned if _closes_account(one.change)
    }
    left = history.moved_out_of(connection, key, {account for line in closing.values() for account in line})
    found: dict[int, Why] = {
        seq: ("account-had-courses", f"Something lay in {line[0]} that moved elsewhere.")
        for seq, line in closing.items()
        if not left.isdisjoint(line)
    }
    if planned and not matter.plan.first_contact:
        asked = _not_approved(matter)
        found |= {one.seq: asked[one.change.aim] for one in planned if asked and one.change.aim in asked}
    return found


def _not_approved(matter: Matter) -> dict[tuple[object, ...], Why]:
    """By what they come to, the changes that a person was asked about and has not approved, and why they were held."""
    connection, key = matter.connection, matter.institution.key
    asked = (*approvals.rejected_since(connection, key, EVER), *approvals.asked_about(connection, key))
    return {
        one.change.aim: (one.guard_rule or "", one.guard_reason or "")
        for one in asked
        if one.change.is_removal or one.guard_rule not in NOT_FOR_ITSELF
    }


def _closes_account(change: Change) -> bool:
    return change.kind is Kind.ACCOUNT and change.action is Action.DELETE


def _account_and_below(account: Key, world: World) -> list[str]:
    """The SIS ids of an account and of every account below it, deleted ones too."""
    line = [account]
    for above in line:
        line += [key for key in world.below(above) if key.kind is Kind.ACCOUNT and key not in line]
    return [key.sis_id for key in line]


def _held_too(
    planned: Sequence[StoredChange], held: Mapping[int, Why], more: Mapping[int, Why], world: World
) -> dict[int, Why]:
    """What else is held when ``more`` is, and what waits for that."""
    stalled = Stalled(world, [one.change for one in planned])
    found: dict[int, Why] = {}
    for one in planned if more else ():
        if one.seq not in held and one.seq in more:
            found[one.seq] = more[one.seq]
        elif one.seq not in held and (blocker := stalled.blocker(one.change)):
            found[one.seq] = ("waits-for", f"Waits for the held {blocker.action} of {blocker.key}.")
        if one.seq in held or one.seq in found:
            stalled.add(one.change)
    return found
