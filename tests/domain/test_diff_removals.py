"""What becomes of objects that the source no longer has."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from rosterflow.domain.confirmed import Refusal, World
from rosterflow.domain.decisions import Decision
from rosterflow.domain.diff import diff
from rosterflow.domain.institution import Removal
from rosterflow.domain.model import CanvasObject, Key, Kind, SourceKind, State, key_of
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.snapshot import Scope, Snapshot
from tests.domain import builders as a

COURSE, SECTION = a.ue("INF1", account=a.ROOT), a.ue_section("INF1")
GROUP = a.ua_section("GROUP", COURSE.sis_id)


def steps(plan: Plan) -> list[tuple[Action, str]]:
    return [(change.action, change.key.sis_id) for change in plan.changes]


def reasons(plan: Plan) -> dict[Key | None, str]:
    return {decision.key: decision.rule for decision in plan.decisions}


def test_a_course_that_is_gone_is_closed_and_stays_readable() -> None:
    plan = a.plan(a.wants(), a.world(COURSE))

    closed = replace(COURSE, state=State.COMPLETED)
    assert plan.changes == (Change(Action.CLOSE, COURSE, closed, "gone", "The source no longer has it."),)


def test_a_course_that_is_gone_is_hidden_where_the_policy_says_so() -> None:
    plan = a.plan(a.wants(), a.world(COURSE), Removal(course="unpublish"))

    hidden = replace(COURSE, state=State.UNPUBLISHED)
    assert plan.changes == (Change(Action.HIDE, COURSE, hidden, "gone", "The source no longer has it."),)


def test_a_section_that_is_gone_is_deleted_from_its_course() -> None:
    plan = a.plan(a.wants(COURSE), a.world(COURSE, GROUP))

    deleted = replace(GROUP, state=State.DELETED)
    assert plan.changes == (Change(Action.DELETE, GROUP, deleted, "gone", "The source no longer has it."),)


@pytest.mark.parametrize(
    ("thing", "removal", "also_wanted"),
    [
        (COURSE, Removal(course="leave"), ()),
        (GROUP, Removal(section="leave"), (COURSE,)),
        (a.unit("184_1"), Removal(account="leave"), ()),
    ],
)
def test_what_is_gone_is_left_where_the_policy_says_so(
    thing: CanvasObject, removal: Removal, also_wanted: tuple[CanvasObject, ...]
) -> None:
    plan = a.plan(a.wants(*also_wanted), a.world(thing, *also_wanted), removal)

    assert plan.changes == ()
    assert plan.decisions == (Decision(thing.origin.source, thing.sis_id, False, "left-by-policy", key=key_of(thing)),)


def test_a_removal_tells_an_export_that_was_turned_off_from_a_row_that_is_gone() -> None:
    off = a.ue("INF2", account=a.ROOT)
    denied = Decision(SourceKind.UNDERVISNINGSENHET, "INF2", False, "export-off", key=key_of(off))
    allowed = Decision(SourceKind.UNDERVISNINGSENHET, "INF1", True, "ue-exported", key=key_of(COURSE))

    plan = a.plan(a.wants(decisions=(denied, allowed)), a.world(COURSE, off))

    assert [(change.key.sis_id, change.rule, change.reason) for change in plan.changes] == [
        (COURSE.sis_id, "gone", "The source no longer has it."),
        (off.sis_id, "export-off", "The source has it but does not send it any more (export-off)."),
    ]


@pytest.mark.parametrize("state", [State.COMPLETED, State.UNPUBLISHED, State.DELETED])
def test_what_is_already_closed_hidden_or_deleted_and_absent_is_as_it_should_be(state: State) -> None:
    assert a.plan(a.wants(), a.world(replace(COURSE, state=state))).changes == ()


@pytest.mark.parametrize(
    "snapshot",
    [
        a.wants(gaps=("the last page of emner was lost",)),
        a.wants(scope=Scope(frozenset({a.NOW}), emnekoder=frozenset({"INF1"}))),
        a.wants(scope=Scope(frozenset({a.NOW}), sources=frozenset({SourceKind.UNDERVISNINGSENHET}))),
        a.wants(scope=Scope(frozenset({a.PAST, a.NEXT}))),
        a.wants(untouchable=[key_of(COURSE)]),
    ],
    ids=["incomplete", "single emner", "single kinds", "other terms", "untouchable"],
)
def test_nothing_is_removed_that_the_snapshot_cannot_speak_of(snapshot: Snapshot) -> None:
    assert a.plan(snapshot, a.world(COURSE)) == Plan((), Counter())


@pytest.mark.parametrize("policy", ["close", "unpublish", "leave"])
def test_a_section_is_never_deleted_from_a_course_that_is_gone_itself(
    policy: Literal["close", "unpublish", "leave"],
) -> None:
    plan = a.plan(a.wants(), a.world(COURSE, SECTION), Removal(course=policy))

    expected = {"close": [Action.CLOSE], "unpublish": [Action.HIDE], "leave": []}
    assert [change.action for change in plan.changes] == expected[policy]
    assert reasons(plan)[key_of(SECTION)] == "left-with-course"


@pytest.mark.parametrize("state", [State.COMPLETED, State.UNPUBLISHED])
def test_a_section_is_never_deleted_from_a_course_that_is_closed_already(state: State) -> None:
    plan = a.plan(a.wants(), a.world(replace(COURSE, state=state), SECTION))

    assert (plan.changes, reasons(plan)) == ((), {key_of(SECTION): "left-with-course"})


def test_a_section_is_never_deleted_from_a_course_that_people_closed() -> None:
    closed = replace(COURSE, state=State.COMPLETED)

    plan = a.plan(a.wants(COURSE), a.world(closed, GROUP, owned={closed: ["state"]}))

    assert (plan.changes, reasons(plan)) == ((), {key_of(GROUP): "left-with-course"})


def test_a_section_is_left_when_its_course_is_outside_the_scope() -> None:
    course = a.ue("INF1", when=a.PAST, account=a.ROOT)

    plan = a.plan(a.wants(), a.world(course, a.ua_section("GROUP", course.sis_id)))

    assert (plan.changes, reasons(plan)) == ((), {Key(Kind.SECTION, "UA_GROUP"): "left-with-course"})


@pytest.mark.parametrize("wanted", [(), (COURSE,)])
def test_a_section_is_left_when_its_course_is_untouchable(wanted: tuple[CanvasObject, ...]) -> None:
    plan = a.plan(a.wants(*wanted, untouchable=[key_of(COURSE)]), a.world(COURSE, GROUP))

    assert (plan.changes, reasons(plan)) == ((), {key_of(GROUP): "left-with-course"})


def test_a_section_that_is_gone_is_deleted_from_a_course_that_is_re_opened() -> None:
    closed = replace(COURSE, state=State.COMPLETED)

    plan = a.plan(a.wants(COURSE), a.world(closed, GROUP))

    assert steps(plan) == [(Action.REOPEN, COURSE.sis_id), (Action.DELETE, "UA_GROUP")]


@pytest.mark.parametrize("untouchable", [False, True])
def test_a_course_stays_open_while_a_section_that_is_still_wanted_lies_in_it(untouchable: bool) -> None:
    other = a.ue("INF2", account=a.ROOT)
    moved_by_hand, wanted = a.ue_section("INF2", course=COURSE.sis_id), a.ue_section("INF2")
    there = a.world(COURSE, other, moved_by_hand, owned={moved_by_hand: ["course"]})
    snapshot = a.wants(other, untouchable=[key_of(wanted)]) if untouchable else a.wants(other, wanted)

    plan = a.plan(snapshot, there)

    assert (plan.changes, reasons(plan)) == ((), {key_of(COURSE): "course-in-use"})


def test_a_course_stays_open_while_a_section_that_only_got_another_id_lies_in_it() -> None:
    old = a.ue_section("INF2", 1, course=COURSE.sis_id)
    wanted = (a.ue("INF2", 2, account=a.ROOT), a.ue_section("INF2", 2))
    there = a.world(COURSE, old)
    renaming = a.plan(a.wants(*wanted), there).changes[0]
    refusal = Refusal(renaming.fingerprint, 1, a.CLOCK + timedelta(hours=1))

    plan = diff(a.wants(*wanted), there, Removal(), {renaming.fingerprint: refusal}, a.CLOCK)

    assert (plan.waiting, steps(plan)) == ((renaming,), [(Action.CREATE, "UE_INF2_2_2026_HØST")])
    assert reasons(plan) == {key_of(COURSE): "course-in-use"}


def test_a_deleted_section_does_not_keep_its_course_open() -> None:
    deleted = replace(GROUP, state=State.DELETED)

    plan = a.plan(a.wants(untouchable=[key_of(GROUP)]), a.world(COURSE, deleted))

    assert steps(plan) == [(Action.CLOSE, COURSE.sis_id)]


def test_a_section_is_left_while_the_creation_of_its_course_waits() -> None:
    there, snapshot = a.world(GROUP), a.wants(COURSE)
    creation = a.plan(snapshot, there).changes[0]
    refusal = Refusal(creation.fingerprint, 1, a.CLOCK + timedelta(hours=1))

    plan = diff(snapshot, there, Removal(), {creation.fingerprint: refusal}, a.CLOCK)

    assert (plan.changes, reasons(plan)) == ((), {key_of(GROUP): "left-with-course"})


def test_a_course_is_closed_once_its_section_has_moved_elsewhere() -> None:
    other = a.ue("INF2", account=a.ROOT)
    there = a.world(COURSE, other, a.ue_section("INF2", course=COURSE.sis_id))

    plan = a.plan(a.wants(other, a.ue_section("INF2")), there)

    assert steps(plan) == [(Action.UPDATE, "UE_INF2_1_2026_HØST"), (Action.CLOSE, COURSE.sis_id)]


def test_a_state_that_people_set_is_left_to_them() -> None:
    plan = a.plan(a.wants(), a.world(COURSE, owned={COURSE: ["state"]}))

    assert (plan.changes, reasons(plan)) == ((), {key_of(COURSE): "state-owned-by-canvas"})


def test_a_term_is_never_removed() -> None:
    plan = a.plan(a.wants(), a.world(a.term()))

    assert (plan.changes, reasons(plan)) == ((), {Key(Kind.TERM, a.NOW): "term-kept"})


def test_an_emne_account_is_never_removed() -> None:
    plan = a.plan(a.wants(), a.world(a.emne("INF1")))

    assert (plan.changes, reasons(plan)) == ((), {a.account_key("EMNE_INF1_1"): "emne-account-kept"})


def test_an_account_in_which_nothing_is_left_is_deleted() -> None:
    unit = a.unit("184_1")

    plan = a.plan(a.wants(), a.world(unit))

    deleted = replace(unit, state=State.DELETED)
    assert plan.changes == (Change(Action.DELETE, unit, deleted, "gone", "The source no longer has it."),)


@pytest.mark.parametrize(
    "inside",
    [
        a.emne("INF1", parent="184_1"),
        a.ue("INF1", when=a.PAST, account="184_1"),
        a.ue("INF1", when=a.PAST, account="184_1", state=State.COMPLETED),
        a.ue("INF1", when=a.PAST, account="184_1", state=State.UNPUBLISHED),
        a.ue("INF1", account="184_1"),
    ],
    ids=["an emne", "a course of another term", "a concluded one", "a hidden one", "one that this plan closes"],
)
def test_an_account_stays_while_anything_that_is_not_deleted_lies_in_it(inside: CanvasObject) -> None:
    plan = a.plan(a.wants(), a.world(a.unit("184_1"), inside))

    assert reasons(plan)[a.account_key("184_1")] == "account-not-empty"
    assert Action.DELETE not in {change.action for change in plan.changes}


@pytest.mark.parametrize(
    "inside", [a.ue("INF1", account="184_1", state=State.DELETED), a.unit("184_2", "184_1", state=State.DELETED)]
)
def test_deleted_things_do_not_keep_an_account(inside: CanvasObject) -> None:
    assert steps(a.plan(a.wants(), a.world(a.unit("184_1"), inside))) == [(Action.DELETE, "184_1")]


def test_a_unit_that_closes_is_deleted_after_all_that_moved_out_of_it() -> None:
    course = a.programme_course("P")
    there = a.world(a.unit("184_1"), a.unit("184_2"), a.programme("P", "184_1"), course)

    plan = a.plan(a.wants(a.unit("184_2"), a.programme("P", "184_2"), course), there)

    assert steps(plan) == [(Action.UPDATE, "STUDIEPROGRAM_P"), (Action.DELETE, "184_1")]


def test_a_unit_stays_while_something_is_moved_into_it() -> None:
    there = a.world(a.unit("184_1"), a.programme("P"))

    plan = a.plan(a.wants(a.programme("P", "184_1")), there)

    assert steps(plan) == [(Action.UPDATE, "STUDIEPROGRAM_P")]
    assert reasons(plan) == {a.account_key("184_1"): "account-not-empty"}


def test_units_that_canvas_has_in_a_loop_are_left_alone() -> None:
    plan = a.plan(a.wants(), a.world(a.unit("184_1", "184_2"), a.unit("184_2", "184_1")))

    assert plan.changes == ()
    assert set(reasons(plan).values()) == {"account-not-empty"}


def test_an_account_stays_while_the_deletion_of_one_in_it_waits() -> None:
    there: World = a.world(a.unit("184_1"), a.unit("184_2", "184_1"), a.unit("184_3"))
    inner = a.plan(a.wants(), there).changes[0]
    refusal = Refusal(inner.fingerprint, 1, a.CLOCK + timedelta(hours=1))

    plan = diff(a.wants(), there, Removal(), {inner.fingerprint: refusal}, a.CLOCK)

    assert (steps(plan), plan.waiting) == ([(Action.DELETE, "184_3")], (inner,))
    assert reasons(plan) == {a.account_key("184_1"): "account-not-empty"}


def test_a_change_of_term_removes_nothing() -> None:
    course = a.ue("INF1")
    there = a.world(a.term(), a.emne("INF1"), course, SECTION)

    plan = a.plan(a.wants(scope=Scope(frozenset({a.NEXT, a.LATER}))), there)

    assert (plan.changes, reasons(plan)) == ((), {a.account_key("EMNE_INF1_1"): "emne-account-kept"})
