"""Who comes to a section, who leaves it, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from rosterflow.domain.confirmed import Refusal
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.model import Key, Kind, State
from rosterflow.domain.people_settings import Ladder
from rosterflow.domain.plan import Action, Change, member_print
from rosterflow.domain.rosters import STANDINGS, Reason, Roster, WantedRoster, left_to_people, shelf_of
from rosterflow.domain.snapshot import Scope
from tests.domain import builders as a
from tests.domain import roster_builders as p

EMNE, COURSE, SECTION = a.emne("INF1"), a.ue("INF1"), a.ue_section("INF1")
ONE, TWO = a.ua_section("1", COURSE.sis_id), a.ua_section("2", COURSE.sis_id)
TREE = (EMNE, COURSE, SECTION, ONE, TWO)
HERE = f"section {SECTION.sis_id} as StudentEnrollment"
IN_ONE, IN_TWO = (f"section {one.sis_id} as StudentEnrollment" for one in (ONE, TWO))


def test_who_is_new_comes_and_who_is_there_is_counted_as_unchanged() -> None:
    plan = p.plan(
        p.wants(*TREE, rosters=[p.roster(SECTION, ["u1", "u2"])]), p.world(*TREE, rosters=[p.roster(SECTION, ["u1"])])
    )

    assert p.told(plan.changes) == [("create", f"{HERE}: new", {"u2": "active"})]
    assert (plan.unchanged[Kind.ENROLLMENT], plan.changes[0].before) == (1, None)


def test_who_was_out_comes_back_and_what_was_confirmed_is_shown() -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, {"u1": "inactive", "u2": "deleted", "u3": "active"})])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u1", "u2", "u3"])]), there)

    assert p.told(plan.changes) == [("reopen", f"{HERE}: wanted-again", {"u1": "active", "u2": "active"})]
    before = plan.changes[0].before
    assert isinstance(before, Roster)
    assert before.members == {"u1": ("inactive",), "u2": ("deleted",)}


@pytest.mark.parametrize(
    ("reason", "ends", "action"),
    [
        (Reason.GONE, "inactive", "hide"),
        (Reason.ROLE_ENDED, "inactive", "hide"),
        (Reason.NO_LONGER_STAFF, "deleted", "delete"),
        (Reason.RESERVED, "inactive", "hide"),
        (Reason.DEAD, "inactive", "hide"),
        (Reason.NOT_REGISTERED, "inactive", "hide"),
    ],
)
def test_who_leaves_gets_what_the_ladder_says_for_the_reason(reason: Reason, ends: str, action: str) -> None:
    gone = p.wanted(p.roster(SECTION, ["u2"]), leaving={"u1": reason})

    plan = p.plan(p.wants(*TREE, rosters=[gone]), p.world(*TREE, rosters=[p.roster(SECTION, ["u1", "u2"])]))

    assert p.told(plan.changes) == [(action, f"{HERE}: {reason}", {"u1": ends})]


def test_at_the_end_of_a_term_its_dates_do_it_unless_the_ladder_says_more() -> None:
    over = p.wanted(p.roster(SECTION, []), leaving={"u1": Reason.TERM_ENDED})
    there = p.world(*TREE, rosters=[p.roster(SECTION, ["u1"])])

    usual, more = (
        p.plan(p.wants(*TREE, rosters=[over]), there, Leaving(students=ladder))
        for ladder in (Ladder(), Ladder(term_ended="completed"))
    )

    assert (usual.changes, [one.rule for one in usual.decisions]) == ((), ["left-by-ladder"])
    assert p.told(more.changes) == [("close", f"{HERE}: term-ended", {"u1": "completed"})]


def test_staff_have_a_ladder_of_their_own_and_the_students_role_may_be_a_custom_one() -> None:
    leaving = Leaving(
        students=Ladder(gone="completed"), staff=Ladder(gone="deleted"), student_roles=frozenset({"Følger"})
    )
    rosters = [p.roster(SECTION, ["u1"], "Følger"), p.roster(SECTION, ["u2"], p.TEACHER)]

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(ONE, ["u9"])]), p.world(*TREE, rosters=rosters), leaving)

    assert [(action, states) for action, _, states in p.told(plan.changes) if action != "create"] == [
        ("close", {"u1": "completed"}),
        ("delete", {"u2": "deleted"}),
    ]


@pytest.mark.parametrize(
    ("today", "rule", "ends"),
    [(date(2026, 9, 15), "gone-before-census", "deleted"), (date(2026, 9, 16), "gone", "inactive")],
)
def test_until_the_census_date_is_over_it_is_as_if_they_had_never_been_there(today: date, rule: str, ends: str) -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, ["u1", "u2"])])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u2"])]), there, Leaving(census_days=45, today=today))

    assert [
        (change.rule, states) for change, (_, _, states) in zip(plan.changes, p.told(plan.changes), strict=True)
    ] == [(rule, {"u1": ends})]


def test_who_goes_to_another_section_of_the_course_leaves_the_first_one_after_they_came() -> None:
    there = p.world(*TREE, rosters=[p.roster(ONE, ["u1", "u2"]), p.roster(TWO, ["u3"])])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(ONE, ["u2"]), p.roster(TWO, ["u1", "u3"])]), there)

    assert p.told(plan.changes) == [
        ("create", f"{IN_TWO}: new", {"u1": "active"}),
        ("delete", f"{IN_ONE}: moved", {"u1": "deleted"}),
    ]


def test_who_leaves_a_group_and_stays_in_the_course_is_not_taken_for_one_who_moved() -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, ["u1"]), p.roster(ONE, ["u1", "u2"])])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u1"]), p.roster(ONE, ["u2"])]), there)

    assert p.told(plan.changes) == [("delete", f"{IN_ONE}: stays-in-course", {"u1": "deleted"})]


def test_nobody_leaves_a_section_for_one_to_which_they_cannot_come_yet() -> None:
    coming = p.roster(TWO, ["u1"])
    resting = member_print(coming, "u1", STANDINGS["active"])
    refusal = Refusal(resting, 1, datetime(2027, 1, 1, tzinfo=UTC))

    plan = p.plan(
        p.wants(*TREE, rosters=[p.roster(ONE, []), coming]),
        p.world(*TREE, rosters=[p.roster(ONE, ["u1"])]),
        refused={resting: refusal},
    )

    assert plan.changes == ()
    assert p.told(plan.waiting) == [("create", f"{IN_TWO}: new", {"u1": "active"})]


def test_the_same_person_in_another_role_has_not_moved() -> None:
    there = p.world(*TREE, rosters=[p.roster(ONE, ["u1"], p.TEACHER)])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(ONE, [], p.TEACHER), p.roster(TWO, ["u1"])]), there)

    assert [change.rule for change in plan.changes] == ["new", "gone"]


def test_nobody_leaves_who_may_still_be_there() -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, ["u1", "u2"]), p.roster(ONE, ["u1"]), p.roster(TWO, ["u3"])])
    rosters: list[Roster | WantedRoster] = [
        p.wanted(p.roster(SECTION, []), staying=frozenset({"u1", "u2"})),
        p.wanted(p.roster(ONE, []), has_unknown=True),
        p.roster(TWO, []),
    ]

    plan = p.plan(p.wants(*TREE, rosters=rosters, untouchable=frozenset({p.place_of(TWO).key})), there)

    assert plan.changes == ()
    assert [(d.rule, d.subject, d.facts) for d in plan.decisions] == [("unknown-person", IN_ONE, (("people", "1"),))]


@pytest.mark.parametrize("gap", [{"gaps": ("emner",)}, {"people_gaps": ("brukere",)}])
def test_a_read_that_is_not_whole_brings_people_and_takes_nobody(gap: dict[str, Any]) -> None:
    plan = p.plan(
        p.wants(*TREE, rosters=[p.roster(SECTION, ["u2"])], **gap),
        p.world(*TREE, rosters=[p.roster(SECTION, ["u1"]), p.roster(ONE, ["u1"])]),
    )

    assert p.told(plan.changes) == [("create", f"{HERE}: new", {"u2": "active"})]


def test_a_roster_that_the_source_has_no_longer_loses_everybody() -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, ["u1"]), p.roster(ONE, ["u2", "u3"])])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u1"])]), there)

    assert p.told(plan.changes) == [("hide", f"{IN_ONE}: gone", {"u2": "inactive", "u3": "inactive"})]


def test_a_snapshot_that_says_nothing_about_people_changes_none() -> None:
    plan = p.plan(p.wants(*TREE), p.world(*TREE, rosters=[p.roster(SECTION, ["u1"])], users=p.users(u1="kari")))

    assert (plan.changes, plan.decisions) == ((), ())


def test_people_of_another_term_are_left_alone() -> None:
    old, section = a.ue("OLD", when=a.PAST), a.ue_section("OLD", when=a.PAST)
    tree = (*TREE, a.emne("OLD"), old, section)

    plan = p.plan(
        p.wants(*TREE, a.emne("OLD"), rosters=[p.roster(ONE, ["u1"])]),
        p.world(*tree, rosters=[p.roster(section, ["u1"]), p.roster(ONE, ["u1"])]),
    )

    assert plan.changes == ()


def test_people_of_a_section_that_is_deleted_need_no_change_of_their_own() -> None:
    there = p.world(*TREE, rosters=[p.roster(ONE, ["u1"]), p.roster(TWO, ["u1"])])
    snapshot = p.wants(EMNE, COURSE, SECTION, ONE, rosters=[p.roster(ONE, ["u1"])])

    plan = p.plan(snapshot, there)

    assert [(change.action, change.key.sis_id) for change in plan.changes] == [(Action.DELETE, TWO.sis_id)]
    assert there.after(plan.changes).rosters[p.whole(TWO)].members == {"u1": ("deleted",)}


def test_a_concluded_course_takes_its_people_along_and_re_opened_gets_them_again() -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, {"u1": "active", "u2": "inactive"}), p.roster(COURSE, ["u3"])])
    people = [p.roster(SECTION, ["u1"]), p.roster(COURSE, ["u3"])]

    closed = there.after(p.plan(p.wants(EMNE, rosters=people), there).changes)
    again = p.plan(p.wants(*TREE, rosters=people), closed)

    assert closed.rosters[p.whole(SECTION)].members == {"u1": ("completed",), "u2": ("inactive",)}
    assert p.told(again.changes) == [
        ("reopen", f"course {COURSE.sis_id} as StudentEnrollment: wanted-again", {"u3": "active"}),
        ("reopen", f"{HERE}: wanted-again", {"u1": "active"}),
    ]
    assert p.plan(p.wants(*TREE, rosters=people), closed.after(again.changes)).changes == ()


def test_nobody_comes_to_a_course_that_people_concluded_in_canvas() -> None:
    closed = replace(COURSE, state=State.COMPLETED)
    there = a.world(EMNE, closed, SECTION, owned={closed: ["state"]})

    plan = p.plan(p.wants(EMNE, COURSE, SECTION, rosters=[p.roster(SECTION, ["u1"])]), there)

    assert plan.changes == ()
    assert [(d.rule, d.key) for d in plan.decisions] == [("place-not-in-use", p.whole(SECTION))]


def test_people_wait_for_a_section_that_is_not_there() -> None:
    plan = p.plan(p.wants(EMNE, COURSE, rosters=[p.roster(SECTION, ["u1"])]), p.world(EMNE, COURSE))

    assert plan.changes == ()
    assert p.told(plan.waiting) == [("create", f"{HERE}: new", {"u1": "active"})]


def test_people_come_after_their_users_and_their_section() -> None:
    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u1"])], users=p.users(u1="kari")), p.world())

    assert [change.kind for change in plan.changes] == [
        Kind.ACCOUNT,
        Kind.COURSE,
        *[Kind.SECTION] * 3,
        Kind.USER,
        Kind.ENROLLMENT,
    ]


def test_where_users_are_made_nobody_is_enrolled_who_is_none() -> None:
    snapshot = p.wants(*TREE, rosters=[p.roster(SECTION, ["u1", "u2"])], users=p.users(u1="kari"))

    plan = p.plan(snapshot, p.world(*TREE))

    assert p.told(plan.changes)[1:] == [("create", f"{HERE}: new", {"u1": "active"})]
    assert p.told(plan.waiting) == [("create", f"{HERE}: new", {"u2": "active"})]


def test_a_refused_row_waits_alone() -> None:
    wanted = p.roster(SECTION, ["u1", "u2"])
    resting = member_print(wanted, "u1", STANDINGS["active"])

    plan = p.plan(
        p.wants(*TREE, rosters=[wanted]),
        p.world(*TREE),
        refused={resting: Refusal(resting, 1, datetime(2027, 1, 1, tzinfo=UTC))},
    )

    assert p.told(plan.changes) == [("create", f"{HERE}: new", {"u2": "active"})]
    assert p.told(plan.waiting) == [("create", f"{HERE}: new", {"u1": "active"})]


def test_a_narrowed_run_brings_the_people_that_it_speaks_of_and_takes_nobody() -> None:
    scope = Scope(frozenset({a.NOW}), emnekoder=frozenset({"INF1"}))
    there = p.world(*TREE, a.unit("184_1"), rosters=[p.roster(SECTION, ["u1"])])
    rosters = [p.roster(SECTION, ["u2"]), p.roster(a.unit("184_1"), ["u2"], "Sub-account admin")]

    plan = p.plan(p.wants(*TREE, a.unit("184_1"), rosters=rosters, scope=scope), there)

    assert p.told(plan.changes) == [("create", f"{HERE}: new", {"u2": "active"})]


def test_an_administrator_who_leaves_is_removed_whatever_the_ladder_calls_it() -> None:
    unit = a.unit("184_1")
    admins = p.roster(unit, ["u1", "u2"], "AccountAdmin")

    plan = p.plan(p.wants(unit, rosters=[p.roster(unit, ["u2"], "AccountAdmin")]), p.world(unit, rosters=[admins]))

    assert p.told(plan.changes) == [("delete", "account 184_1 as AccountAdmin: gone", {"u1": "deleted"})]


def test_administrators_of_the_institutions_own_account_come_and_leave_though_it_is_not_ours() -> None:
    own = a.unit(a.ROOT)

    plan = p.plan(
        p.wants(rosters=[p.roster(own, ["u2"], "A")]),
        p.world(rosters=[p.roster(own, ["u1"], "A"), p.roster(own, ["u1"], "B")]),
    )

    assert p.told(plan.changes) == [
        ("create", "account college as A: new", {"u2": "active"}),
        ("delete", "account college as A: gone", {"u1": "deleted"}),
        ("delete", "account college as B: gone", {"u1": "deleted"}),
    ]


def test_the_ladder_can_leave_people_where_they_are_and_says_so() -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, ["u1", "u2"])])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u2"])]), there, Leaving(students=Ladder(gone="leave")))

    assert plan.changes == ()
    assert [(d.rule, d.facts) for d in plan.decisions] == [("left-by-ladder", (("people", "1"),))]


def test_people_of_a_course_whose_id_changes_go_by_the_old_id_until_a_person_agreed() -> None:
    new = (a.emne("INF1", 2), a.ue("INF1", 2), a.ue_section("INF1", 2))
    there = p.world(EMNE, COURSE, SECTION, rosters=[p.roster(SECTION, ["u1"])])

    plan = p.plan(p.wants(*new, rosters=[p.roster(new[2], ["u2"])]), there)

    assert p.told(plan.changes) == [
        ("create", f"{HERE}: new", {"u2": "active"}),
        ("hide", f"{HERE}: gone", {"u1": "inactive"}),
    ]
    after = there.after(plan.changes)
    assert after.rosters[p.whole(new[2])].members == {"u1": ("inactive",), "u2": ("active",)}
    assert p.whole(SECTION) not in after.rosters


def shelf(user: str) -> str:
    return f"shelf {shelf_of(user)}"


def test_a_user_whose_data_differ_is_changed_but_for_what_people_changed_in_canvas() -> None:
    known = {"u1": p.user("kari", "Kari Gammel"), "u2": p.user("ola", "Ola Gammel")}
    there = p.world(users=known)
    one = there.rosters[Key(Kind.USER, shelf("u1"))]
    there.rosters = {**there.rosters, one.whole: replace(one, owned={"u1": frozenset({"name"})})}

    plan = p.plan(p.wants(users={"u1": p.user("kari", "Kari Ny"), "u2": p.user("ola", "Ola Ny")}), there)

    assert [(c.action, c.after.sis_id, c.changed_fields) for c in plan.changes] == [
        (Action.UPDATE, f"{shelf('u2')}: changed", ("name",))
    ]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason.GONE, []),
        (Reason.DEAD, [("hide", f"{shelf('u1')}: dead", {"u1": "suspended"})]),
        (Reason.RESERVED, [("hide", f"{shelf('u1')}: reserved", {"u1": "suspended"})]),
    ],
)
def test_users_are_suspended_at_most(reason: Reason, expected: list[object]) -> None:
    nobody = Roster(Kind.USER, None, shelf_of("u1"), {})

    plan = p.plan(p.wants(rosters=[p.wanted(nobody, leaving={"u1": reason})]), p.world(users=p.users(u1="kari")))

    assert p.told(plan.changes) == expected


def rules(changes: tuple[Change, ...]) -> list[tuple[str, list[str]]]:
    return [(c.rule, sorted(c.after.members)) for c in changes if isinstance(c.after, Roster)]


def test_two_users_who_swap_logins_take_each_others() -> None:
    there = p.world(users=p.users(u1="kari", u2="ola"))

    plan = p.plan(p.wants(users=p.users(u1="ola", u2="kari")), there)

    assert sorted(rules(plan.changes)) == [("login-swap", ["u1"]), ("login-swap", ["u2"])]


def test_a_login_that_another_user_keeps_is_not_given_away() -> None:
    plan = p.plan(p.wants(users=p.users(u1="kari", u2="KARI")), p.world(users=p.users(u1="kari")))

    assert (plan.changes, rules(plan.waiting)) == ((), [("new", ["u2"])])
    assert [decision.rule for decision in plan.decisions] == ["login-in-use"]


def test_a_login_that_nobody_has_any_more_is_given_at_once() -> None:
    plan = p.plan(p.wants(users=p.users(u1="kari2", u2="kari")), p.world(users=p.users(u1="kari")))

    assert sorted(rules(plan.changes)) == [("changed", ["u1"]), ("new", ["u2"])]


def test_nobody_gets_a_login_of_somebody_who_cannot_get_theirs() -> None:
    there = p.world(users=p.users(u1="kari", u2="ola"))

    plan = p.plan(p.wants(users=p.users(u1="ola", u2="ola", u3="kari")), there)

    assert plan.changes == ()
    assert sorted(rules(plan.waiting)) == [("changed", ["u1"]), ("new", ["u3"])]


def test_who_was_brought_by_hand_is_adopted_when_the_source_has_them_and_left_alone_else() -> None:
    there = p.world(*TREE, rosters=[p.roster(SECTION, {"u1": "by-hand", "u2": "by-hand", "u3": "active"})])

    plan = p.plan(p.wants(*TREE, rosters=[p.roster(SECTION, ["u1", "u3"])]), there)

    assert p.told(plan.changes) == [("reopen", f"{HERE}: adopted", {"u1": "active"})]


def test_an_administrator_whom_people_made_never_becomes_ours() -> None:
    own = a.unit(a.ROOT)
    there = p.world(rosters=[p.roster(own, {"u1": "by-hand", "u2": "active"}, "A")])

    plan, later = (p.plan(p.wants(rosters=[p.roster(own, some, "A")]), there) for some in (["u1", "u2"], ["u2"]))

    assert (plan.changes, later.changes) == ((), ())
    assert [(one.rule, one.facts) for one in plan.decisions] == [("admin-by-hand", (("people", "1"),))]


def test_administrators_whom_people_made_or_made_again_are_theirs_whatever_canvas_says() -> None:
    own = a.unit(a.ROOT)
    known = {"u1": "by-hand", "u2": "deleted", "u3": "deleted", "u4": "active", "u5": "by-hand"}
    listed = {"u1": "active", "u2": "active", "u3": "active", "u4": "active", "u5": "deleted", "u6": "active"}
    there = p.roster(own, listed, "A")

    found = left_to_people(there, p.roster(own, known, "A"), sent={"u3"})

    assert found == p.roster(own, {**listed, "u1": "by-hand", "u2": "by-hand"}, "A")
    assert left_to_people(there, None) == there


def test_an_enrollment_that_people_gave_back_is_whose_canvas_says_it_is() -> None:
    there = p.roster(SECTION, ["u1"])

    assert left_to_people(there, p.roster(SECTION, {"u1": "by-hand"})) == there
