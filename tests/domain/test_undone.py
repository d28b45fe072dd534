"""What was undone stands apart in the next plan, and is remembered no longer than it counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from rosterflow.domain.model import State
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.rosters import STANDINGS, Roster
from rosterflow.domain.undone import UNDONE, Undone, set_apart, still_undone, undone_by
from tests.domain import builders as a
from tests.domain import roster_builders as p

COURSE = a.ue("INF", account="U")
SECTION = a.ue_section("INF")
ON = date(2026, 9, 2)


def part(name: str, **states: str) -> Roster:
    return replace(p.roster(SECTION, states), part=name)


def undid(was: object, became: object) -> Undone:
    return Undone(7, was, became, ON, "wrong file")  # type: ignore[arg-type]


def change(action: Action, before: object, after: object, rule: str = "new") -> Change:
    return Change(action, before, after, rule, "The source has it.")  # type: ignore[arg-type]


def plan(*changes: Change) -> Plan:
    return Plan(changes, Counter())


DELETED = replace(COURSE, state=State.DELETED)
CREATED = undid(COURSE, DELETED)
COMING = undid(part("undo, delete", u1="active"), part("undo, delete", u1="deleted"))


def test_an_object_that_would_be_as_it_was_before_the_undo_says_so() -> None:
    again = change(Action.REOPEN, DELETED, COURSE)

    (apart,) = set_apart(plan(again), [CREATED]).changes

    assert (apart.rule, apart.after) == (UNDONE, COURSE)
    assert apart.reason == "The source has it. Undone by hand on 2026-09-02 because: wrong file."
    assert apart.fingerprint == again.fingerprint


def test_only_the_people_whose_change_was_undone_are_set_apart() -> None:
    back = change(
        Action.REOPEN, part("wanted-again", u1="deleted", u2="deleted"), part("wanted-again", u1="active", u2="active")
    )

    changes = set_apart(plan(back), [COMING]).changes

    assert [(one.rule, one.after.sis_id.partition(": ")[2], one.weight) for one in changes] == [
        (UNDONE, "wanted-again, undone by plan 7", 1),
        ("new", "wanted-again", 1),
    ]
    assert [one.before.members for one in changes if isinstance(one.before, Roster)] == [
        {"u1": STANDINGS["deleted"]},
        {"u2": STANDINGS["deleted"]},
    ]


def test_a_removal_that_was_undone_is_the_same_however_it_is_done() -> None:
    left = undid(part("undo, reopen", u1="deleted"), part("undo, reopen", u1="active"))
    hides = change(Action.HIDE, part("gone", u1="active"), part("gone", u1="inactive"), "gone")

    (apart,) = set_apart(plan(hides), [left]).changes

    assert (apart.rule, apart.action) == (UNDONE, Action.HIDE)


def test_another_value_than_the_one_that_was_undone_goes_on() -> None:
    named = undid(replace(COURSE, long_name="Wrong"), COURSE)
    right = change(Action.UPDATE, COURSE, replace(COURSE, long_name="Right"), "changed")

    assert set_apart(plan(right), [named]).changes == (right,)


def test_nothing_remembered_leaves_a_plan_as_it_is() -> None:
    made = plan(change(Action.CREATE, None, COURSE))

    assert set_apart(made, []) is made


def test_what_the_source_still_wants_is_remembered_and_what_it_wants_no_more_is_not() -> None:
    wanted = plan(change(Action.REOPEN, DELETED, COURSE))

    assert still_undone([CREATED], wanted, a.wants(COURSE), saw_all=True) == [CREATED]
    assert still_undone([CREATED], plan(), a.wants(), saw_all=True) == []


def test_of_people_those_are_remembered_who_are_still_wanted() -> None:
    both = undid(part("undo, delete", u1="active", u2="active"), part("undo, delete", u1="deleted", u2="deleted"))
    wanted = plan(change(Action.REOPEN, part("wanted-again", u1="deleted"), part("wanted-again", u1="active")))

    assert still_undone([both], wanted, p.wants(SECTION), saw_all=True) == [COMING]


def test_a_run_that_cannot_tell_forgets_nothing() -> None:
    past = undid(a.ue("INF", when=a.PAST), replace(a.ue("INF", when=a.PAST), state=State.DELETED))
    untouchable = a.wants(untouchable=[CREATED.key])

    assert still_undone([CREATED], plan(), a.wants(), saw_all=False) == [CREATED]
    assert still_undone([past], plan(), a.wants(), saw_all=True) == [past]
    assert still_undone([CREATED], plan(), untouchable, saw_all=True) == [CREATED]


def test_of_an_inverse_change_what_canvas_confirmed_is_remembered() -> None:
    before, after = part("undo, delete", u1="active", u2="active"), part("undo, delete", u1="deleted")

    assert undone_by(change(Action.DELETE, before, after), 7, ON, "wrong file") == COMING
