"""The inverse of a plan that was applied, and what it cannot bring back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.losses import MEANINGS, REMEDIES, Loss, Why
from rosterflow.domain.model import CanvasObject, Key, Kind, State
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Member, Roster
from rosterflow.domain.undo import UNDO, Applied, Ground, Inverse, undo
from tests.domain import builders as a
from tests.domain import roster_builders as p

UNIT, TERM = a.unit("U"), a.term()
COURSE = a.ue("INF", account="U")
SECTION = a.ue_section("INF")


def changed(action: Action, before: CanvasObject | Roster | None, after: CanvasObject | Roster) -> Change:
    return Change(action, before, after, "rule", "Because.")


def created(*things: CanvasObject | Roster) -> tuple[Change, ...]:
    return tuple(changed(Action.CREATE, None, thing) for thing in things)


def people(thing: CanvasObject, part: str, **states: str) -> Roster:
    """Some people of a section or course, as a change names them."""
    return replace(p.roster(thing, states), part=part)


def undone(
    *done: Change,
    there: World,
    actual: World | None = None,
    others: Mapping[Key, Counter[str]] | None = None,
    ended: tuple[Roster, ...] = (),
) -> Inverse:
    """What undoes changes that Canvas confirmed; it has what is confirmed, unless told."""
    return undo(
        Applied(done, ended=ended), Ground(there, there if actual is None else actual, others or {}), "Undoes it."
    )


def steps(inverse: Inverse) -> list[tuple[str, str]]:
    return [(str(change.action), change.after.sis_id) for change in inverse.changes]


def lost(inverse: Inverse) -> set[tuple[Why, str]]:
    return {(loss.why, loss.sis_id) for loss in inverse.losses}


def owning(thing: CanvasObject, *names: str) -> World:
    return World([ConfirmedObject(thing, frozenset(names))])


# -- objects -----------------------------------------------------------------------------------------------------------


def test_what_was_made_goes_from_the_bottom_up() -> None:
    made = (TERM, UNIT, COURSE, SECTION)

    inverse = undone(*created(*made), there=a.world(*made))

    assert steps(inverse) == [("delete", SECTION.sis_id), ("delete", COURSE.sis_id), ("delete", "U"), ("delete", a.NOW)]
    assert lost(inverse) == {(Why.WORK_INSIDE, COURSE.sis_id)}
    assert {(change.rule, change.reason) for change in inverse.changes} == {(UNDO, "Undoes it.")}


def test_an_update_gets_the_old_values_back_field_by_field() -> None:
    before, after = replace(COURSE, long_name="Old", short_name="O"), replace(COURSE, long_name="New", short_name="N")
    now = replace(after, short_name="Newer")

    inverse = undone(changed(Action.UPDATE, before, after), there=a.world(UNIT, TERM, now))

    (change,) = inverse.changes
    assert (change.action, change.before, change.after) == (Action.UPDATE, now, replace(now, long_name="Old"))
    assert inverse.losses == (Loss(Why.CHANGED_SINCE, *a_key(COURSE), facts=(("field", "short_name"),)),)


def a_key(thing: CanvasObject) -> Key:
    return Key(thing.kind, thing.sis_id)


def test_a_field_that_people_made_their_own_is_left_to_them() -> None:
    before, after = replace(COURSE, long_name="Old"), replace(COURSE, long_name="New")

    inverse = undone(changed(Action.UPDATE, before, after), there=owning(after, "long_name"))

    assert (steps(inverse), lost(inverse)) == ([], {(Why.KEPT_BY_CANVAS, COURSE.sis_id)})


def test_what_somebody_renamed_by_hand_since_is_left_to_them() -> None:
    before, after = replace(COURSE, long_name="Old"), replace(COURSE, long_name="New")
    actual = a.world(replace(COURSE, long_name="By hand"))

    inverse = undone(changed(Action.UPDATE, before, after), there=a.world(after), actual=actual)

    assert (steps(inverse), lost(inverse)) == ([], {(Why.CHANGED_BY_HAND, COURSE.sis_id)})


@pytest.mark.parametrize(
    ("action", "state", "again"),
    [
        (Action.CLOSE, State.COMPLETED, "close"),
        (Action.HIDE, State.UNPUBLISHED, "hide"),
        (Action.DELETE, State.DELETED, "delete"),
    ],
)
def test_a_removal_is_reopened_and_what_was_reopened_ends_as_it_was(action: Action, state: State, again: str) -> None:
    gone = replace(COURSE, state=state)

    back = undone(changed(action, COURSE, gone), there=a.world(UNIT, TERM, gone))
    over = undone(changed(Action.REOPEN, gone, COURSE), there=a.world(UNIT, TERM, COURSE))

    assert [(change.action, change.after) for change in back.changes] == [(Action.REOPEN, COURSE)]
    assert [(change.action, change.after) for change in over.changes] == [(Action(again), gone)]


def test_a_course_does_not_go_back_into_no_term() -> None:
    before = replace(COURSE, term=None)

    inverse = undone(changed(Action.UPDATE, before, COURSE), there=a.world(UNIT, TERM, COURSE))

    assert (steps(inverse), lost(inverse)) == ([], {(Why.TERM_KEPT, COURSE.sis_id)})


def test_a_changed_id_stays_changed() -> None:
    new = replace(UNIT, sis_id="V")

    inverse = undone(changed(Action.CHANGE_ID, UNIT, new), there=a.world(new))

    assert (steps(inverse), lost(inverse)) == ([], {(Why.ID_CHANGED, "V")})


def test_what_a_later_plan_put_into_it_keeps_an_account() -> None:
    inverse = undone(*created(UNIT), there=a.world(UNIT, COURSE))

    assert (steps(inverse), lost(inverse)) == ([], {(Why.OTHERS_INSIDE, "U")})


def test_an_account_goes_when_what_the_plan_moved_into_it_moves_out_again() -> None:
    other = a.unit("V")
    inverse = undone(
        *created(UNIT),
        changed(Action.UPDATE, replace(COURSE, account="V"), COURSE),
        there=a.world(UNIT, other, TERM, COURSE),
    )

    assert steps(inverse) == [("update", COURSE.sis_id), ("delete", "U")]


def test_people_who_are_not_ours_keep_a_section_and_its_course() -> None:
    others = {a_key(SECTION): Counter({"active": 2})}

    inverse = undone(*created(COURSE, SECTION), there=a.world(UNIT, TERM, COURSE, SECTION), others=others)

    assert steps(inverse) == []
    assert lost(inverse) == {(Why.OTHERS_INSIDE, COURSE.sis_id), (Why.OTHERS_INSIDE, SECTION.sis_id)}


def test_a_section_in_which_a_later_plan_put_somebody_stays() -> None:
    there = p.world(UNIT, TERM, COURSE, SECTION, rosters=[p.roster(SECTION, ["u1", "u2"])])

    inverse = undone(*created(SECTION, people(SECTION, "new", u1="active")), there=there)

    assert steps(inverse) == [("delete", f"section {SECTION.sis_id} as StudentEnrollment: undo, delete")]
    assert lost(inverse) == {(Why.OTHERS_INSIDE, SECTION.sis_id)}


def test_others_who_are_concluded_with_a_course_are_told() -> None:
    gone = replace(COURSE, state=State.COMPLETED)
    others = {a_key(COURSE): Counter({"active": 1, "completed": 3})}

    over = undone(changed(Action.REOPEN, gone, COURSE), there=a.world(UNIT, TERM, COURSE), others=others)
    back = undone(changed(Action.CLOSE, COURSE, gone), there=a.world(UNIT, TERM, gone), others=others)

    assert over.losses == (Loss(Why.OTHERS_FOLLOW, *a_key(COURSE), facts=(("people", "1"),)),)
    assert back.losses == (Loss(Why.STAYS_ENDED, *a_key(COURSE), facts=(("people", "3"),)),)


def test_what_canvas_never_confirmed_is_told_and_not_undone() -> None:
    applied = Applied((), unconfirmed=created(COURSE))

    inverse = undo(applied, Ground(a.world(), a.world()), "Undoes it.")

    assert inverse == Inverse((), (Loss(Why.NOT_CONFIRMED, *a_key(COURSE), facts=(("action", "create"),)),))


# -- people ------------------------------------------------------------------------------------------------------------


def test_who_came_leaves_and_who_left_is_back_as_they_were() -> None:
    there = p.world(UNIT, TERM, COURSE, SECTION, rosters=[p.roster(SECTION, {"u1": "active", "u2": "inactive"})])
    came = changed(Action.CREATE, None, people(SECTION, "new", u1="active"))
    left = changed(Action.HIDE, people(SECTION, "gone", u2="active"), people(SECTION, "gone", u2="inactive"))

    inverse = undone(came, left, there=there)

    name = f"section {SECTION.sis_id} as StudentEnrollment"
    assert p.told(inverse.changes) == [
        ("reopen", f"{name}: undo, reopen", {"u2": "active"}),
        ("delete", f"{name}: undo, delete", {"u1": "deleted"}),
    ]


def test_who_goes_back_to_another_section_leaves_only_after_they_arrived() -> None:
    group = a.ua_section("G", COURSE.sis_id)
    rosters = [p.roster(SECTION, {"u1": "deleted"}), p.roster(group, ["u1"])]
    left = changed(Action.DELETE, people(SECTION, "moved", u1="active"), people(SECTION, "moved", u1="deleted"))

    inverse = undone(
        left, *created(people(group, "new", u1="active")), there=p.world(COURSE, SECTION, group, rosters=rosters)
    )

    assert [(str(c.action), c.after.reason) for c in inverse.changes if isinstance(c.after, Roster)] == [
        ("reopen", "undo"),
        ("delete", "moved"),
    ]


def test_who_was_there_by_hand_before_stays() -> None:
    there = p.world(COURSE, SECTION, rosters=[p.roster(SECTION, ["u1"])])
    adopted = changed(Action.REOPEN, people(SECTION, "adopted", u1="by-hand"), people(SECTION, "adopted", u1="active"))

    inverse = undone(adopted, there=there)

    assert (steps(inverse), {loss.why for loss in inverse.losses}) == ([], {Why.WAS_BY_HAND})


def test_people_are_back_in_a_course_that_is_open_again_and_not_in_one_that_is_closed_again() -> None:
    gone = replace(COURSE, state=State.COMPLETED)
    over = p.world(UNIT, TERM, gone, rosters=[p.roster(gone, {"u1": "completed", "u2": "completed"})])
    ended = (p.roster(COURSE, ["u1"]),)

    back = undone(changed(Action.CLOSE, COURSE, gone), there=over, ended=ended)

    name = f"course {COURSE.sis_id} as StudentEnrollment: undo, reopen"
    assert steps(back) == [("reopen", COURSE.sis_id), ("reopen", name)]
    assert p.told(back.changes) == [("reopen", name, {"u1": "active"})]


def shelf(**users: Member) -> Roster:
    return next(iter(p.world(users=users).rosters.values()))


def test_a_user_who_was_made_is_suspended_and_one_who_is_in_use_elsewhere_stays() -> None:
    made = shelf(u1=p.user("kari"))
    alone = p.world(users={"u1": p.user("kari")})
    in_use = p.world(COURSE, rosters=[p.roster(COURSE, ["u1"])], users={"u1": p.user("kari")})

    suspended, stays = (undone(*created(made), there=there) for there in (alone, in_use))

    (change,) = suspended.changes
    assert isinstance(change.after, Roster)
    assert (change.action, dict(change.after.members)) == (Action.HIDE, {"u1": p.user("kari", state="suspended")})
    assert {loss.why for loss in suspended.losses} == {Why.USER_SUSPENDED}
    assert (steps(stays), {loss.why for loss in stays.losses}) == ([], {Why.USER_STAYS})


def test_a_user_does_not_get_back_a_login_that_another_one_has_by_now() -> None:
    users = {"u1": p.user("new"), "u2": p.user("old")}
    before, after = shelf(u1=p.user("old")), shelf(u1=p.user("new"))

    inverse = undone(changed(Action.UPDATE, before, after), there=p.world(users=users))

    assert (steps(inverse), {loss.why for loss in inverse.losses}) == ([], {Why.LOGIN_TAKEN})


def test_users_who_took_each_others_logins_give_them_back() -> None:
    now = {"u1": p.user("b"), "u2": p.user("a")}
    swaps = [
        changed(Action.UPDATE, shelf(u1=p.user("a")), shelf(u1=p.user("b"))),
        changed(Action.UPDATE, shelf(u2=p.user("b")), shelf(u2=p.user("a"))),
    ]

    inverse = undone(*swaps, there=p.world(users=now))

    goals = {u: m[0] for c in inverse.changes if isinstance(c.after, Roster) for u, m in c.after.members.items()}
    assert (goals, inverse.losses) == ({"u1": "a", "u2": "b"}, ())


def test_a_user_whom_canvas_has_no_longer_is_told() -> None:
    there = p.world(users={"u1": p.user("new"), "u2": p.user("eli")})
    actual = p.world(users={"u2": p.user("eli")})

    inverse = undone(
        changed(Action.UPDATE, shelf(u1=p.user("old")), shelf(u1=p.user("new"))), there=there, actual=actual
    )

    assert (steps(inverse), {loss.why for loss in inverse.losses}) == ([], {Why.USER_GONE})


def test_every_loss_has_its_meaning_and_its_remedy() -> None:
    assert MEANINGS.keys() == REMEDIES.keys() == set(Why)


def test_a_loss_is_one_line_without_anybodys_name() -> None:
    loss = Loss(Why.CHANGED_SINCE, Kind.ENROLLMENT, "section S as StudentEnrollment", 2)

    assert str(loss) == (
        "enrollment section S as StudentEnrollment (2 people): A later plan changed it."
        " Undo the later plan first, then this one."
    )
