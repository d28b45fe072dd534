"""Laws of the comparison, held for random colleges with people."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.differences import Finding, Worlds
from rosterflow.domain.model import Account
from rosterflow.domain.reconcile import believe, reconcile
from tests.domain import builders as a
from tests.domain.fs_builders import institution
from tests.properties.roster_cases import RosterCase, roster_cases

law = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COLLEGE = institution(canvas={"account": a.ROOT, "owns_term_dates": True})
OWN = ConfirmedObject(Account(a.ROOT, "Fjord", ""))
LEFT_ALONE = {Finding.EXTRA_BY_HAND, Finding.ORPHAN, Finding.UNKNOWN_ROLE}


def with_own_account(world: World) -> World:
    return World([*world.values(), OWN], world.rosters.values())


def believing(worlds: Worlds) -> World:
    """What is confirmed after a repair."""
    keys = reconcile(COLLEGE, worlds).to_believe
    belief = believe(COLLEGE, worlds, keys)
    objects = {key: one for key, one in worlds.confirmed.items() if key not in keys}
    rosters = [roster for key, roster in worlds.confirmed.rosters.items() if key not in keys]
    return World([*objects.values(), *belief.objects], [*rosters, *belief.rosters])


@law
@given(roster_cases())
def test_a_world_compared_with_itself_has_nothing_that_a_sync_would_repair(case: RosterCase) -> None:
    same = reconcile(COLLEGE, Worlds(case.world, case.world, with_own_account(case.world)))

    assert same.to_believe == frozenset()
    assert {one.finding for one in same.differences} <= LEFT_ALONE


@law
@given(roster_cases(), roster_cases())
def test_what_is_believed_is_found_no_more(one: RosterCase, other: RosterCase) -> None:
    worlds = Worlds(one.world, one.world, with_own_account(other.world))

    again = reconcile(COLLEGE, Worlds(one.world, believing(worlds), worlds.actual))

    assert again.to_believe == frozenset()


@law
@given(roster_cases(), roster_cases())
def test_every_person_and_object_is_told_once_for_each_field(one: RosterCase, other: RosterCase) -> None:
    told = reconcile(COLLEGE, Worlds(one.world, one.world, with_own_account(other.world))).differences

    assert len({(d.key, d.user, d.field) for d in told if d.finding is not Finding.ORPHAN}) == sum(
        d.finding is not Finding.ORPHAN for d in told
    )
