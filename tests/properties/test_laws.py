"""The laws of the design (§2), held for random colleges."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from rosterflow.domain import guards, removals
from rosterflow.domain.confirmed import Refusal, World
from rosterflow.domain.diff import diff
from rosterflow.domain.guards import guard, stale
from rosterflow.domain.institution import Guards, Removal
from rosterflow.domain.model import FIELDS, Kind, State, key_of
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import lies_in
from rosterflow.domain.sequence import account_parents, on_loops
from rosterflow.domain.snapshot import Snapshot
from tests.domain import builders as a
from tests.properties.cases import Case, cases

OF_PEOPLE = {
    "removals-role",
    "removals-course-role",
    "whole-role",
    "whole-unit",
    "login-swap",
    "freeze",
    "undo",
    "undone",
}
"""Rules of the guards that need people, a calendar, or somebody who undid a plan."""

law = settings(max_examples=100, deadline=None)

policies = st.builds(
    Removal,
    course=st.sampled_from(("close", "close", "unpublish", "leave")),
    section=st.sampled_from(("delete", "delete", "leave")),
    account=st.sampled_from(("delete", "delete", "leave")),
)
small_limits = st.builds(
    lambda removals, updates: a.limits(removals=removals, updates=updates),
    st.tuples(st.sampled_from((0.0, 20.0, 50.0, 100.0)), st.integers(0, 3)),
    st.tuples(st.sampled_from((0.0, 20.0, 50.0, 100.0)), st.integers(0, 3)),
)


def settled(snapshot: Snapshot, world: World, removal: Removal) -> World:
    """The world after planning and applying until nothing is left to do; an id change makes a second plan necessary."""
    for _ in range(4):
        changes = a.plan(snapshot, world, removal).changes
        if not changes:
            return world
        world = world.after(changes)
    raise AssertionError("plans do not come to an end")


@law
@given(cases(), policies)
def test_after_a_plan_was_applied_the_next_one_is_empty(case: Case, removal: Removal) -> None:
    first = a.plan(case.snapshot, case.world, removal)
    after = case.world.after(first.changes)

    second = a.plan(case.snapshot, after, removal)

    if Action.CHANGE_ID not in {change.action for change in first.changes}:
        assert second.changes == ()
    assert a.plan(case.snapshot, after.after(second.changes), removal).changes == ()


@law
@given(cases(), policies, small_limits)
def test_after_the_allowed_part_was_applied_the_next_plan_is_exactly_what_is_held(
    case: Case, removal: Removal, limits: Guards
) -> None:
    verdict = guard(a.plan(case.snapshot, case.world, removal), case.world, limits, first_contact=False)

    again = a.plan(case.snapshot, case.world.after(verdict.allowed), removal)

    assert again.changes == tuple(held.change for held in verdict.held)


@law
@given(cases(), policies, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case: Case, removal: Removal, chance: random.Random) -> None:
    things, confirmed = list(case.wanted.values()), list(case.confirmed.values())
    chance.shuffle(things)
    chance.shuffle(confirmed)

    shuffled = a.plan(a.wants(*things, decisions=tuple(case.decisions)), World(confirmed), removal)

    assert shuffled == a.plan(case.snapshot, case.world, removal)


@law
@given(cases(), policies, st.data())
def test_an_incomplete_snapshot_removes_and_renames_nothing_whatever_is_cut(
    case: Case, removal: Removal, data: st.DataObject
) -> None:
    kept = [thing for thing in case.wanted.values() if data.draw(st.booleans())]

    changes = a.plan(a.wants(*kept, gaps=("page 2 of emner was lost",)), case.world, removal).changes

    assert [c for c in changes if c.is_removal or c.action is Action.CHANGE_ID] == []


@law
@given(cases(), policies, st.booleans(), st.data())
def test_a_narrowed_scope_removes_and_renames_nothing(
    case: Case, removal: Removal, by_kind: bool, data: st.DataObject
) -> None:
    kept = [thing for thing in case.wanted.values() if data.draw(st.booleans())]
    everything = case.snapshot.scope
    narrow = (
        replace(everything, sources=everything.sources - {kept[0].origin.source})
        if by_kind and kept
        else replace(everything, emnekoder=frozenset({"INF1"}))
    )

    changes = a.plan(a.wants(*kept, scope=narrow), case.world, removal).changes

    assert [c for c in changes if c.is_removal or c.action is Action.CHANGE_ID] == []


@law
@given(cases(), policies, small_limits, small_limits)
def test_a_stricter_guard_never_lets_more_through(case: Case, removal: Removal, one: Guards, other: Guards) -> None:
    strict = a.limits(
        removals=(min(one.removals.percent, other.removals.percent), min(one.removals.floor, other.removals.floor)),
        updates=(min(one.updates.percent, other.updates.percent), min(one.updates.floor, other.updates.floor)),
    )
    plan = a.plan(case.snapshot, case.world, removal)

    lenient = guard(plan, case.world, one, first_contact=False).allowed

    assert set(guard(plan, case.world, strict, first_contact=False).allowed) <= set(lenient)


@law
@given(cases(), policies, st.data())
def test_one_bad_row_never_blocks_a_good_one(case: Case, removal: Removal, data: st.DataObject) -> None:
    assume(case.wanted)
    bad = data.draw(st.sampled_from(sorted(case.wanted)))
    lineage = case.wanted[bad].origin.lineage
    good = a.plan(case.snapshot, case.world, removal)

    spoilt = a.plan(replace(case.snapshot, untouchable=frozenset({bad})), case.world, removal)

    # What goes by a new id depends on all rows of its lineage, and a person decides about it.
    assume(Action.CHANGE_ID not in {change.action for change in (*good.changes, *spoilt.changes)})
    looping = {decision.key for decision in spoilt.decisions if decision.rule == "account-loop"}
    looping |= {change.key for change in spoilt.waiting}
    others = {c for c in good.changes if not c.is_removal and c.key not in looping | {bad}}
    additions = {c for c in others if not _of_lineage(c, lineage)}
    assert additions <= set(spoilt.changes)
    assert bad not in {change.key for change in spoilt.changes}


def _of_lineage(change: Change, lineage: str) -> bool:
    return bool(lineage) and change.after.origin.lineage == lineage


@law
@given(cases(), policies, st.data())
def test_a_run_that_ended_anywhere_in_its_plan_is_made_good_by_the_next(
    case: Case, removal: Removal, data: st.DataObject
) -> None:
    changes = a.plan(case.snapshot, case.world, removal).changes
    done = changes[: data.draw(st.integers(0, len(changes)))]

    crashed = settled(case.snapshot, case.world.after(done), removal)

    assert crashed == settled(case.snapshot, case.world, removal)


@law
@given(cases(), policies)
def test_what_lies_outside_the_scope_is_never_removed(case: Case, removal: Removal) -> None:
    snapshot = case.snapshot

    removed = [c.before for c in a.plan(snapshot, case.world, removal).changes if c.is_removal]

    assert all(thing and snapshot.scope.covers(thing) for thing in removed)


@law
@given(cases(), policies)
def test_a_change_of_term_removes_and_renames_nothing(case: Case, removal: Removal) -> None:
    before = settled(case.snapshot, case.world, removal)

    changes = a.plan(case.of_terms(a.NEXT, a.LATER), before, removal).changes

    assert [c for c in changes if c.is_removal or c.action is Action.CHANGE_ID] == []


@law
@given(cases(), policies, small_limits, st.data())
def test_every_step_is_valid_when_it_is_its_turn(
    case: Case, removal: Removal, limits: Guards, data: st.DataObject
) -> None:
    refusable = a.plan(case.snapshot, case.world, removal).changes
    refused = [change.fingerprint for change in refusable if data.draw(st.integers(0, 5)) == 5]
    refusals = {fingerprint: Refusal(fingerprint, 1, a.CLOCK.replace(year=2027)) for fingerprint in refused}
    plan = diff(case.snapshot, case.world, removal, refusals, a.CLOCK)

    world = case.world
    for change in guard(plan, world, limits, first_contact=False).allowed:
        assert _can_be_sent(change, world), change
        world = world.after([change])

    world = case.world
    for change in plan.changes:
        assert _can_be_sent(change, world), change
        world = world.after([change])


def _can_be_sent(change: Change, world: World) -> bool:
    """What Canvas itself would check (contract §5.1 to §5.5)."""
    after, deleted = change.after, State.DELETED
    if change.action is Action.CHANGE_ID:
        return change.key in world and key_of(after) not in world
    around = [world.get(key) for key in lies_in(after) if key.sis_id != a.ROOT]
    if after.kind is Kind.ACCOUNT and change.action is Action.DELETE:
        return all(world[key].thing.state is deleted for key in world.below(change.key))
    there = all(one is not None and one.thing.state is not deleted for one in around)
    return there and not on_loops(account_parents(world, [change]))


@law
@given(cases(), policies)
def test_a_plan_is_still_true_until_something_is_confirmed(case: Case, removal: Removal) -> None:
    changes = a.plan(case.snapshot, case.world, removal).changes

    assert stale(changes, case.world) == ()
    if changes:
        assert changes[0] in stale(changes, case.world.after(changes[:1]))


def _reached(case: Case) -> Iterator[str | tuple[Action, Kind]]:
    """What the plan for a college exercises: actions by kind, rules of the guards and reasons to stay."""
    plan = a.plan(case.snapshot, case.world)
    yield from ((change.action, change.kind) for change in plan.changes)
    yield from (decision.rule for decision in plan.decisions)
    for percent in (20, 50, 80):
        limits = a.limits(removals=(percent, 0), updates=(percent, 0))
        yield from (held.rule for held in guard(plan, case.world, limits, first_contact=False).held)


def test_the_random_colleges_reach_every_action_guard_and_reason_to_stay() -> None:
    reached: set[str | tuple[Action, Kind]] = set()

    @settings(max_examples=1000, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(cases())
    def meet(case: Case) -> None:
        reached.update(_reached(case))

    meet()

    expected: set[str | tuple[Action, Kind]] = {(Action.CLOSE, Kind.COURSE)}
    expected |= {(action, kind) for action in (Action.CREATE, Action.UPDATE) for kind in FIELDS}
    expected |= {
        (action, kind)
        for action in (Action.REOPEN, Action.CHANGE_ID)
        for kind in (Kind.ACCOUNT, Kind.COURSE, Kind.SECTION)
    }
    expected |= {(Action.DELETE, kind) for kind in (Kind.ACCOUNT, Kind.SECTION)}
    expected |= guards.RULES.keys() - {"first-contact", "term-shut", *OF_PEOPLE}
    expected |= {"deleted-in-canvas"}
    expected |= removals.RULES.keys() - {"gone", "left-by-policy", "term-kept", "id-change-rejected"}
    assert expected - reached == set()
