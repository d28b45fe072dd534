"""A versjonskode was bumped: the same objects under new ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from rosterflow.domain.confirmed import Refusal
from rosterflow.domain.diff import diff
from rosterflow.domain.institution import Removal
from rosterflow.domain.model import CanvasObject, Key, Origin, SourceKind, State, key_of
from rosterflow.domain.plan import Action, Change, Plan
from rosterflow.domain.snapshot import Scope
from tests.domain import builders as a

OLD = (a.emne("INF1", 1), a.ue("INF1", 1), a.ue_section("INF1", 1))
NEW = (a.emne("INF1", 2), a.ue("INF1", 2), a.ue_section("INF1", 2))


def steps(plan: Plan) -> list[tuple[Action, str]]:
    return [(change.action, f"{change.kind} {change.key.sis_id}") for change in plan.changes]


def reasons(plan: Plan) -> dict[Key | None, str]:
    return {decision.key: decision.rule for decision in plan.decisions}


def test_a_bumped_version_changes_the_ids_of_account_course_and_section() -> None:
    account, course, section = OLD

    plan = a.plan(a.wants(*NEW), a.world(*OLD))

    assert plan.changes == (
        Change(Action.CHANGE_ID, account, NEW[0], "id-changed", "In the source it now goes by EMNE_INF1_2."),
        Change(
            Action.CHANGE_ID,
            course,
            replace(course, sis_id="UE_INF1_2_2026_HØST"),
            "id-changed",
            "In the source it now goes by UE_INF1_2_2026_HØST.",
        ),
        Change(
            Action.CHANGE_ID,
            section,
            replace(section, sis_id="UE_INF1_2_2026_HØST"),
            "id-changed",
            "In the source it now goes by UE_INF1_2_2026_HØST.",
        ),
    )
    assert a.plan(a.wants(*NEW), a.world(*OLD).after(plan.changes)).changes == ()


def test_other_differences_of_an_object_with_a_new_id_follow_in_the_next_plan() -> None:
    wanted = (NEW[0], replace(NEW[1], long_name="New name"), NEW[2])
    there = a.world(*OLD)

    first = a.plan(a.wants(*wanted), there)
    second = a.plan(a.wants(*wanted), there.after(first.changes))

    assert {change.action for change in first.changes} == {Action.CHANGE_ID}
    assert steps(second) == [(Action.UPDATE, "course UE_INF1_2_2026_HØST")]


def test_what_refers_to_a_changed_id_is_no_difference() -> None:
    group = a.ua_section("GROUP", OLD[1].sis_id)

    plan = a.plan(a.wants(*NEW, replace(group, course=NEW[1].sis_id)), a.world(*OLD, group))

    assert key_of(group) not in {change.key for change in plan.changes}


def test_what_refers_to_a_changed_id_and_differs_is_updated_with_the_new_id() -> None:
    group = a.ua_section("GROUP", OLD[1].sis_id)
    wanted = replace(group, name="New name", course=NEW[1].sis_id)

    plan = a.plan(a.wants(*NEW, wanted), a.world(*OLD, group))

    reason = "The source has another name."
    assert plan.changes[-1] == Change(Action.UPDATE, group, wanted, "changed", reason)


def test_a_section_that_is_gone_is_deleted_from_its_course_by_the_new_id() -> None:
    group = a.ua_section("GROUP", OLD[1].sis_id)

    plan = a.plan(a.wants(*NEW), a.world(*OLD, group))

    assert plan.changes[-1].after == replace(group, course=NEW[1].sis_id, state=State.DELETED)


def test_courses_of_earlier_terms_stay_in_the_account_with_the_new_id() -> None:
    earlier = a.ue("INF1", 1, a.PAST)
    there = a.world(*OLD, earlier)

    plan = a.plan(a.wants(*NEW), there)

    assert steps(plan)[0] == (Action.CHANGE_ID, "account EMNE_INF1_1")
    moved = there.after(plan.changes)[key_of(earlier)].thing
    assert moved == replace(earlier, account="EMNE_INF1_2")


def test_an_emne_account_keeps_its_id_while_one_of_its_courses_does() -> None:
    other = a.ue("INF1", 1, a.NEXT)

    plan = a.plan(a.wants(*NEW, replace(other, account="EMNE_INF1_2")), a.world(*OLD, other))

    assert steps(plan) == [
        (Action.CHANGE_ID, "course UE_INF1_1_2026_HØST"),
        (Action.CHANGE_ID, "section UE_INF1_1_2026_HØST"),
        (Action.CREATE, "account EMNE_INF1_2"),
        (Action.UPDATE, "course UE_INF1_1_2027_VÅR"),
    ]


def test_an_emne_account_keeps_its_id_when_its_courses_go_to_different_accounts() -> None:
    other, elsewhere = a.ue("INF1", 1, a.NEXT), a.ue("INF1", 2, a.NEXT, account="184_1")

    plan = a.plan(a.wants(*NEW, a.unit("184_1"), elsewhere), a.world(*OLD, other, a.unit("184_1")))

    assert (Action.CREATE, "account EMNE_INF1_2") in steps(plan)
    assert reasons(plan) == {a.account_key("EMNE_INF1_1"): "emne-account-kept"}


def test_an_emne_account_keeps_its_id_while_one_of_its_courses_is_gone() -> None:
    other = a.ue("INF1", 1, a.NEXT)

    plan = a.plan(a.wants(*NEW), a.world(*OLD, other))

    assert (Action.CREATE, "account EMNE_INF1_2") in steps(plan)
    assert reasons(plan) == {a.account_key("EMNE_INF1_1"): "emne-account-kept"}


def test_a_new_version_beside_an_old_account_without_courses_is_a_new_account() -> None:
    plan = a.plan(a.wants(*NEW), a.world(a.emne("INF1", 1), a.ue("INF1", 1, a.PAST)))

    assert (Action.CREATE, "account EMNE_INF1_2") in steps(plan)
    assert Action.CHANGE_ID not in {change.action for change in plan.changes}


def test_only_the_account_whose_courses_changed_their_ids_is_the_new_one() -> None:
    oldest = a.emne("INF1", 0)

    plan = a.plan(a.wants(*NEW), a.world(oldest, *OLD))

    assert steps(plan)[0] == (Action.CHANGE_ID, "account EMNE_INF1_1")
    assert reasons(plan) == {key_of(oldest): "emne-account-kept"}


def test_two_accounts_whose_courses_go_to_one_new_account_both_stay() -> None:
    there = a.world(*OLD, a.emne("INF1", 0), a.ue("INF1", 0, a.NEXT))

    plan = a.plan(a.wants(*NEW, a.ue("INF1", 2, a.NEXT)), there)

    assert (Action.CREATE, "account EMNE_INF1_2") in steps(plan)
    assert [step for step in steps(plan) if step[0] is Action.CHANGE_ID] == [
        (Action.CHANGE_ID, "course UE_INF1_0_2027_VÅR"),
        (Action.CHANGE_ID, "course UE_INF1_1_2026_HØST"),
        (Action.CHANGE_ID, "section UE_INF1_1_2026_HØST"),
    ]


def test_with_two_new_candidates_both_are_created_and_the_old_one_stays() -> None:
    old = a.ue("INF1", 1, account=a.ROOT)
    new = (a.ue("INF1", 2, account=a.ROOT), a.ue("INF1", 3, account=a.ROOT))
    there = a.world(old)

    plan = a.plan(a.wants(*new), there)

    assert [change.action for change in plan.changes] == [Action.CREATE, Action.CREATE]
    assert reasons(plan) == {key_of(old): "id-change-ambiguous"}
    assert a.plan(a.wants(*new), there.after(plan.changes)).changes == ()


def test_with_two_old_candidates_the_new_one_is_created_and_both_stay() -> None:
    old = (a.ue("INF1", 1, account=a.ROOT), a.ue("INF1", 2, account=a.ROOT))
    new = a.ue("INF1", 3, account=a.ROOT)
    there = a.world(*old)

    plan = a.plan(a.wants(new), there)

    assert plan.changes[0].action is Action.CREATE
    assert len(plan.changes) == 1
    assert reasons(plan) == {key_of(thing): "id-change-ambiguous" for thing in old}
    assert a.plan(a.wants(new), there.after(plan.changes)).changes == ()


@pytest.mark.parametrize(
    "new",
    [
        a.ue("INF2", 1, account=a.ROOT),
        a.ue_section("INF1", 2),
        replace(a.ue("INF1", 2, account=a.ROOT), origin=Origin(SourceKind.EVU_KURS, a.NOW, f"UE_INF1_{a.NOW}")),
    ],
    ids=["another lineage", "another kind", "another kind of row"],
)
def test_what_only_looks_alike_is_not_the_same_object(new: CanvasObject) -> None:
    old = a.ue("INF1", 1, account=a.ROOT)

    plan = a.plan(a.wants(new), a.world(old))

    assert {change.action for change in plan.changes} == {Action.CREATE, Action.CLOSE}


def test_objects_without_a_lineage_are_never_the_same() -> None:
    plan = a.plan(a.wants(a.unit("184_2")), a.world(a.unit("184_1")))

    assert steps(plan) == [(Action.CREATE, "account 184_2"), (Action.DELETE, "account 184_1")]


def test_a_version_that_canvas_already_has_is_no_new_id() -> None:
    old, other = a.ue("INF1", 1, account=a.ROOT), a.ue("INF1", 2, account=a.ROOT)

    plan = a.plan(a.wants(other), a.world(old, other))

    assert steps(plan) == [(Action.CLOSE, "course UE_INF1_1_2026_HØST")]


@pytest.mark.parametrize("state", [State.COMPLETED, State.DELETED])
def test_a_course_that_was_closed_before_is_not_the_new_one(state: State) -> None:
    old, new = a.ue("INF1", 1, account=a.ROOT, state=state), a.ue("INF1", 2, account=a.ROOT)

    assert steps(a.plan(a.wants(new), a.world(old))) == [(Action.CREATE, "course UE_INF1_2_2026_HØST")]


@pytest.mark.parametrize("cut", ["incomplete", "narrowed"])
def test_an_id_change_waits_until_a_complete_read_proves_it_and_nothing_is_made_twice_meanwhile(cut: str) -> None:
    group = a.ua_section("NEW", NEW[1].sis_id)
    narrow = Scope(frozenset({a.NOW}), emnekoder=frozenset({"INF1"}))
    snapshot = a.wants(*NEW, group, gaps=("lost",)) if cut == "incomplete" else a.wants(*NEW, group, scope=narrow)

    plan = a.plan(snapshot, a.world(*OLD))

    assert plan.changes == ()
    assert [(change.action, change.kind.value) for change in plan.waiting] == [
        (Action.CHANGE_ID, "account"),
        (Action.CHANGE_ID, "course"),
        (Action.CHANGE_ID, "section"),
        (Action.CREATE, "section"),
    ]


def test_what_lies_in_an_object_whose_id_change_was_refused_waits_with_it() -> None:
    there, snapshot = a.world(*OLD), a.wants(*NEW, a.ua_section("NEW", NEW[1].sis_id))
    refused = a.plan(snapshot, there).changes[1]
    refusal = Refusal(refused.fingerprint, 1, a.CLOCK + timedelta(hours=1))

    plan = diff(snapshot, there, Removal(), {refused.fingerprint: refusal}, a.CLOCK)

    assert [change.key for change in plan.waiting] == [key_of(OLD[1]), key_of(a.ua_section("NEW", ""))]
    assert {change.action for change in plan.changes} == {Action.CHANGE_ID}


REJECTED = [(key_of(OLD[at]), key_of(NEW[at])) for at in (0, 1, 2)]


def test_a_rejected_id_change_makes_the_new_objects_beside_the_old_ones_for_good() -> None:
    there = a.world(*OLD)

    first = a.plan(a.wants(*NEW), there, rejected=REJECTED)
    second = a.plan(a.wants(*NEW), there.after(first.changes), rejected=REJECTED)

    assert steps(first) == [
        (Action.CREATE, "account EMNE_INF1_2"),
        (Action.CREATE, "course UE_INF1_2_2026_HØST"),
        (Action.CREATE, "section UE_INF1_2_2026_HØST"),
    ]
    assert second.changes == ()
    assert reasons(first) == reasons(second) == {key_of(old): "id-change-rejected" for old in OLD}


def test_a_rejected_id_change_of_an_account_lets_its_courses_move_to_the_new_one() -> None:
    plan = a.plan(a.wants(*NEW), a.world(*OLD), rejected=REJECTED[:1])

    assert steps(plan) == [
        (Action.CHANGE_ID, "course UE_INF1_1_2026_HØST"),
        (Action.CHANGE_ID, "section UE_INF1_1_2026_HØST"),
        (Action.CREATE, "account EMNE_INF1_2"),
    ]
    assert reasons(plan) == {key_of(OLD[0]): "id-change-rejected"}


def test_what_was_rejected_for_one_new_id_is_asked_again_for_another() -> None:
    account, course = a.emne("INF1", 3), a.ue("INF1", 3)

    plan = a.plan(a.wants(account, course), a.world(*OLD), rejected=REJECTED)

    assert (Action.CHANGE_ID, "course UE_INF1_1_2026_HØST") in steps(plan)


def test_an_object_of_a_rejected_id_change_goes_when_the_source_has_neither() -> None:
    plan = a.plan(a.wants(NEW[0]), a.world(*OLD), rejected=REJECTED)

    assert (Action.CLOSE, "course UE_INF1_1_2026_HØST") in steps(plan)


def test_an_object_of_a_rejected_id_change_stays_though_nothing_tells_its_lineage_any_more() -> None:
    old = replace(OLD[1], origin=structs.replace(OLD[1].origin, lineage=""))

    plan = a.plan(a.wants(*NEW), a.world(*NEW, old), rejected=REJECTED)

    assert (plan.changes, reasons(plan)) == ((), {key_of(old): "id-change-rejected"})
