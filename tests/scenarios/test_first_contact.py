"""When an institution's first contact is over: only once a person approved a plan of everything."""

from __future__ import annotations

from rosterflow.domain.snapshot import Scope
from rosterflow.store import institutions
from rosterflow.store.plans import ChangeState
from tests.scenarios.college import College


def is_over(one: College) -> bool:
    with one.harness.store.begin() as connection:
        return institutions.standing(connection, "demo", one.clock()).contacted_at is not None


def see_all_held(one: College) -> None:
    """The next day's plan is a first plan still; its approval ends the first contact."""
    assert not is_over(one)
    done = one.harness.run(days_later=1)
    held = one.harness.changes(done.plan_id)
    assert {(c.state, c.guard_rule) for c in held} == {(ChangeState.HELD, "first-contact")}
    one.harness.approve()
    assert is_over(one)


def test_the_approval_of_a_narrowed_plan_does_not_end_it(stranger: College) -> None:
    terms = stranger.harness.open("plan").scope.terms
    codes = frozenset(emne.kode for emne in stranger.university.emner[:10])

    stranger.harness.run(scope=Scope(terms, emnekoder=codes))
    stranger.harness.approve()

    see_all_held(stranger)


def test_the_approval_of_a_plan_for_one_term_does_not_end_it(stranger: College) -> None:
    stranger.harness.run(scope=Scope(frozenset({"2026_HØST"})))
    stranger.harness.approve()

    see_all_held(stranger)


def test_the_approval_of_a_plan_with_gaps_does_not_end_it(stranger: College) -> None:
    stranger.fault("fs", "null_node", count=1, match="evu_kurs")

    stranger.harness.run()
    stranger.harness.approve()

    see_all_held(stranger)


def test_an_empty_plan_ends_it_only_when_it_is_one_of_everything(synced: College) -> None:
    with synced.harness.store.begin() as connection:
        institutions.mark(connection, "demo", contacted_at=None)

    assert synced.harness.run(scope=Scope(frozenset({"2026_HØST"}))).changes == 0
    assert not is_over(synced)

    assert synced.harness.run(days_later=1).changes == 0
    assert is_over(synced)
