"""The laws of the design (§2), held for random rosters."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from rosterflow.domain import roster_changes, roster_removals
from rosterflow.domain.confirmed import Refusal, World
from rosterflow.domain.guards import guard, stale
from rosterflow.domain.institution import Guards
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.model import Key
from rosterflow.domain.plan import Action, Change, member_print
from rosterflow.domain.rosters import Reason, Roster
from rosterflow.domain.snapshot import Scope
from tests.domain import builders as a
from tests.domain import roster_builders as p
from tests.properties.roster_cases import PEOPLE, RosterCase, roster_cases
from tests.properties.test_laws import small_limits

law = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def of_people(changes: Iterable[Change]) -> list[tuple[Change, Roster]]:
    return [(change, change.after) for change in changes if isinstance(change.after, Roster)]


def actives(world: World) -> set[tuple[Key, str]]:
    return {(key, user) for key, roster in world.rosters.items() for user in roster.active()}


def settled(case: RosterCase, world: World) -> World:
    for _ in range(6):
        changes = p.plan(case.snapshot(), world).changes
        if not changes:
            return world
        world = world.after(changes)
    raise AssertionError("plans do not come to an end")


@law
@given(roster_cases())
def test_after_a_plan_of_people_was_applied_with_nobody_waiting_the_next_one_is_empty(case: RosterCase) -> None:
    first = p.plan(case.snapshot(), case.world)
    after = case.world.after(first.changes)

    second = p.plan(case.snapshot(), after)

    if Action.CHANGE_ID not in {change.action for change in first.changes} and not first.waiting:
        assert second.changes == ()
    settled(case, after)


@law
@given(roster_cases(), st.randoms(use_true_random=False))
def test_the_order_of_rosters_and_people_does_not_matter(case: RosterCase, chance: random.Random) -> None:
    wanted = list(case.wanted)
    chance.shuffle(wanted)
    turned = {
        one.roster.whole: replace(
            one, roster=replace(one.roster, members=dict(reversed(list(one.roster.members.items()))))
        )
        for one in wanted
    }

    shuffled = p.plan(case.snapshot(rosters=turned), case.world)

    assert shuffled == p.plan(case.snapshot(), case.world)
    assert shuffled.hash == p.plan(case.snapshot(), case.world).hash


@law
@given(roster_cases(), st.data())
def test_an_incomplete_read_of_people_removes_nobody_whatever_is_cut(case: RosterCase, data: st.DataObject) -> None:
    kept = {}
    for one in case.wanted:
        members = {u: m for u, m in one.roster.members.items() if data.draw(st.booleans())}
        if data.draw(st.booleans()):
            kept[one.roster.whole] = replace(one, roster=replace(one.roster, members=members))
    gap = data.draw(st.sampled_from(("gaps", "people_gaps")))

    plan = p.plan(case.snapshot(rosters=kept, **{gap: ("page 2 was lost",)}), case.world)

    assert [change for change in plan.changes if change.is_removal] == []
    if Action.CHANGE_ID not in {change.action for change in plan.changes}:
        assert actives(case.world) <= actives(case.world.after(plan.changes))


@law
@given(roster_cases(), st.data())
def test_a_narrowed_run_removes_nobody(case: RosterCase, data: st.DataObject) -> None:
    scope = replace(case.college.snapshot.scope, emnekoder=frozenset({"INF1"}))
    kept = {one.roster.whole: one for one in case.wanted if data.draw(st.booleans())}

    plan = p.plan(case.snapshot(rosters=kept, scope=scope), case.world)

    assert actives(case.world) <= actives(case.world.after(plan.changes))


@law
@given(roster_cases(), st.data())
def test_nobody_leaves_a_roster_in_which_somebody_is_unknown_or_uncertain(
    case: RosterCase, data: st.DataObject
) -> None:
    sure = p.plan(case.snapshot(), case.world)
    assume(not any(change.is_removal for change in sure.changes if not isinstance(change.after, Roster)))
    doubtful = {
        one.roster.whole: replace(one, has_unknown=True)
        if data.draw(st.booleans())
        else replace(one, staying=frozenset(PEOPLE) - one.roster.members.keys())
        for one in case.wanted
    }

    plan = p.plan(case.snapshot(rosters=doubtful), case.world)

    assert [
        roster.whole for change, roster in of_people(plan.changes) if change.is_removal and roster.whole in doubtful
    ] == []


@law
@given(roster_cases(), small_limits, small_limits)
def test_a_stricter_guard_never_lets_more_people_through(case: RosterCase, one: Guards, other: Guards) -> None:
    strict = a.limits(
        removals=(min(one.removals.percent, other.removals.percent), min(one.removals.floor, other.removals.floor)),
        updates=(min(one.updates.percent, other.updates.percent), min(one.updates.floor, other.updates.floor)),
    )
    plan = p.plan(case.snapshot(), case.world)

    lenient = guard(plan, case.world, one, first_contact=False).allowed

    assert set(guard(plan, case.world, strict, first_contact=False).allowed) <= set(lenient)


@law
@given(roster_cases(), small_limits)
def test_what_is_held_is_planned_again_once_the_rest_was_applied(case: RosterCase, limits: Guards) -> None:
    plan = p.plan(case.snapshot(), case.world)
    verdict = guard(plan, case.world, limits, first_contact=False)
    assume(not plan.waiting)

    again = p.plan(case.snapshot(), case.world.after(verdict.allowed))

    held = {(one.change.after.kind, one.change.key.sis_id) for one in verdict.held}
    assert held <= {(change.after.kind, change.key.sis_id) for change in (*again.changes, *again.waiting)}


@law
@given(roster_cases(), st.data())
def test_one_refused_person_never_blocks_another(case: RosterCase, data: st.DataObject) -> None:
    free = p.plan(case.snapshot(), case.world)
    rows = [(roster, user) for _, roster in of_people(free.changes) for user in sorted(roster.members)]
    assume(rows)
    bad, refused = data.draw(st.sampled_from(rows))
    resting = member_print(bad, refused, bad.members[refused])

    plan = p.plan(case.snapshot(), case.world, refused={resting: Refusal(resting, 1, a.CLOCK.replace(year=2027))})

    rest, others = (
        {(roster.whole, user, member) for _, roster in of_people(some) for user, member in roster.members.items()}
        for some in (plan.changes, free.changes)
    )
    assert {row for row in others if row[1] != refused} <= rest
    assert (bad.whole, refused, bad.members[refused]) not in rest


@law
@given(roster_cases(), st.data())
def test_changes_of_people_end_in_the_same_world_however_they_are_split(case: RosterCase, data: st.DataObject) -> None:
    changes = [change for change, _ in of_people(p.plan(case.snapshot(), case.world).changes)]
    order = data.draw(st.permutations(changes))
    world, rest = case.world, order
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        world, rest = world.after(rest[:size]), rest[size:]

    assert world == case.world.after(changes)


@law
@given(roster_cases(), st.data())
def test_a_run_that_ended_anywhere_in_its_plan_ends_in_the_same_rosters(case: RosterCase, data: st.DataObject) -> None:
    changes = p.plan(case.snapshot(), case.world).changes
    assume(Action.CHANGE_ID not in {change.action for change in changes})
    done = changes[: data.draw(st.integers(0, len(changes)))]

    crashed = settled(case, case.world.after(done))

    assert actives(crashed) == actives(settled(case, case.world))


@law
@given(roster_cases())
def test_a_plan_is_still_true_until_something_is_confirmed(case: RosterCase) -> None:
    changes = p.plan(case.snapshot(), case.world).changes

    assert stale(changes, case.world) == ()
    if people := [change for change, _ in of_people(changes)]:
        assert people[0] in stale(changes, case.world.after(people[:1]))


@law
@given(roster_cases())
def test_nobody_of_another_term_is_touched(case: RosterCase) -> None:
    scope = Scope(frozenset({a.NEXT}))
    things = {key: thing for key, thing in case.college.wanted.items() if thing.origin.term in (None, a.NEXT)}
    rosters = {one.roster.whole: one for one in case.wanted if one.roster.origin.term in (None, a.NEXT)}

    plan = p.plan(case.snapshot(scope=scope, objects=things, rosters=rosters), case.world)

    touched = {roster.origin.term for _, roster in of_people(plan.changes)}
    assert touched <= {None, a.NEXT}


def test_the_random_rosters_reach_every_rule_about_people() -> None:
    reached: set[str] = set()

    @settings(max_examples=1000, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(roster_cases())
    def meet(case: RosterCase) -> None:
        leaving = Leaving(students=Leaving().students.model_copy(update={"gone": "leave"}))
        for policy in (Leaving(), leaving):
            plan = p.plan(case.snapshot(), case.world, policy)
            reached.update(change.rule for change, _ in of_people(plan.changes))
            reached.update(decision.rule for decision in plan.decisions)
            limits = a.limits(removals=(50, 0), updates=(50, 0))
            reached.update(held.rule for held in guard(plan, case.world, limits, first_contact=False).held)

    meet()

    expected = {*roster_changes.RULES, *roster_changes.KEPT, *roster_removals.RULES, *roster_removals.KEPT}
    expected -= {"gone-before-census", "suspended", "inactive", "completed", "deleted", *Reason} - {"gone"}
    expected |= {"whole-role", "login-swap", "removals-account"}
    assert expected - reached == set()
