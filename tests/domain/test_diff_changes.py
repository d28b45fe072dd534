"""What the diff adds, updates, re-opens and puts off, and in which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from rosterflow.domain.confirmed import Refusal, World
from rosterflow.domain.decisions import Decision
from rosterflow.domain.diff import diff
from rosterflow.domain.institution import Removal
from rosterflow.domain.model import CanvasObject, Key, Kind, SourceKind, State, key_of
from rosterflow.domain.plan import Action, Change, Plan
from tests.domain import builders as a


def steps(plan: Plan) -> list[tuple[Action, str]]:
    return [(change.action, change.key.sis_id) for change in plan.changes]


def resting(*changes: Change, attempts: int = 1) -> dict[str, Refusal]:
    later = a.CLOCK + timedelta(seconds=1)
    return {change.fingerprint: Refusal(change.fingerprint, attempts, later) for change in changes}


def test_a_new_object_is_created() -> None:
    plan = a.plan(a.wants(a.unit("184_1")), a.world())

    assert plan.changes == (
        Change(Action.CREATE, None, a.unit("184_1"), "new", "The source has it and Canvas does not."),
    )


def test_what_is_as_it_should_be_is_counted_and_nothing_else_happens() -> None:
    things = (a.term(), a.unit("184_1"), a.unit("184_2"), a.programme_course("P", account="184_1"))

    plan = a.plan(a.wants(*things), a.world(*things))

    assert plan == Plan((), Counter({Kind.ACCOUNT: 2, Kind.TERM: 1, Kind.COURSE: 1}))


def test_a_programme_that_moved_is_an_update_of_its_parent_and_never_made_anew() -> None:
    units = (a.unit("184_1"), a.unit("184_2"))
    before, after = a.programme("P", "184_1"), a.programme("P", "184_2")

    plan = a.plan(a.wants(*units, after), a.world(*units, before))

    assert plan.changes == (Change(Action.UPDATE, before, after, "changed", "The source has another parent."),)


def test_an_update_says_which_fields_differ() -> None:
    before = a.ue("INF1", account="184_1")
    after = replace(before, long_name="New name", end=a.CLOCK)

    (change,) = a.plan(a.wants(after), a.world(before)).changes

    assert change.reason == "The source has another long name and another end."
    assert change.changed_fields == ("long_name", "end")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (a.unit("184_1", name="Theirs"), a.unit("184_1", name="Ours")),
        (a.ue("INF1", account="184_1"), a.ue("INF1", account="184_2")),
        (a.ue_section("INF1", course="A"), a.ue_section("INF1", course="B")),
    ],
)
def test_a_difference_in_a_field_that_people_own_is_no_change(before: CanvasObject, after: CanvasObject) -> None:
    (owned,) = Change(Action.UPDATE, before, after, "", "").changed_fields

    plan = a.plan(a.wants(after), a.world(before, owned={before: [owned]}))

    assert plan == Plan((), Counter({before.kind: 1}))


def test_an_update_carries_what_people_own_as_it_is_in_canvas() -> None:
    before, wanted = a.unit("184_1", "184_2", "Theirs"), a.unit("184_1", "184_3", "Ours")

    (change,) = a.plan(a.wants(wanted), a.world(before, owned={before: ["name"]})).changes

    assert change.after == a.unit("184_1", "184_3", "Theirs")


def test_an_update_never_re_opens_a_course_that_people_closed() -> None:
    before = a.ue("INF1", state=State.COMPLETED)
    wanted = a.ue("INF1", name="New name")

    (change,) = a.plan(a.wants(wanted), a.world(before, owned={before: ["state"]})).changes

    assert (change.action, change.after) == (Action.UPDATE, replace(wanted, state=State.COMPLETED))


@pytest.mark.parametrize(
    "before",
    [
        a.ue("INF1", state=State.COMPLETED),
        a.ue("INF1", state=State.UNPUBLISHED),
        a.ue("INF1", state=State.DELETED),
        a.ue_section("INF1", state=State.DELETED),
        a.unit("184_1", state=State.DELETED),
        a.term(state=State.DELETED),
    ],
)
def test_what_is_wanted_again_is_re_opened(before: CanvasObject) -> None:
    wanted = replace(before, state=State.ACTIVE)

    (change,) = a.plan(a.wants(wanted), a.world(before)).changes

    reason = f"The source has it again; it was {before.state}."
    assert change == Change(Action.REOPEN, before, wanted, "wanted-again", reason)


def test_re_opening_carries_the_new_fields_too() -> None:
    before = a.ue("INF1", state=State.COMPLETED)

    (change,) = a.plan(a.wants(a.ue("INF1", name="New name")), a.world(before)).changes

    assert change.after == a.ue("INF1", name="New name")


def test_what_people_deleted_in_canvas_stays_deleted_with_all_that_lies_in_it() -> None:
    course, section = a.ue("INF1"), a.ue_section("INF1")
    deleted = replace(course, state=State.DELETED)

    plan = a.plan(a.wants(course, section), a.world(deleted, owned={deleted: ["state"]}))

    source = SourceKind.UNDERVISNINGSENHET
    assert plan == Plan(
        (),
        Counter(),
        decisions=(
            Decision(source, course.sis_id, False, "deleted-in-canvas", key=key_of(course)),
            Decision(source, section.sis_id, False, "deleted-in-canvas", key=key_of(section)),
        ),
    )


def test_an_untouchable_object_stays_as_it_is_whatever_the_source_says() -> None:
    before = a.unit("184_1", name="Old")

    plan = a.plan(a.wants(a.unit("184_1", name="New"), untouchable=[key_of(before)]), a.world(before))

    assert plan == Plan((), Counter())


def test_an_untouchable_object_that_canvas_does_not_have_is_not_created() -> None:
    plan = a.plan(a.wants(a.unit("184_1"), untouchable=[a.account_key("184_1")]), a.world())

    assert plan == Plan((), Counter())


def test_an_incomplete_snapshot_still_adds_and_updates() -> None:
    snapshot = a.wants(a.unit("184_1", name="New"), a.unit("184_2"), gaps=("a page was lost",))

    plan = a.plan(snapshot, a.world(a.unit("184_1")))

    assert steps(plan) == [(Action.UPDATE, "184_1"), (Action.CREATE, "184_2")]


def test_changes_come_parents_first_and_removals_last_children_first() -> None:
    there = a.world(
        a.unit("184_8"),
        a.unit("184_9", "184_8"),
        a.programme("P"),
        a.programme_course("P"),
        a.ue("INF1", account=a.ROOT),
        a.ua_section("OLD", "UE_INF1_1_2026_HØST"),
    )
    wanted = a.wants(
        a.ue_section("INF1"),
        a.ue("INF1", account="184_2"),
        a.programme("P"),
        a.unit("184_2", "184_3"),
        a.unit("184_3"),
        a.term(),
    )

    assert steps(a.plan(wanted, there)) == [
        (Action.CREATE, "2026_HØST"),
        (Action.CREATE, "184_3"),
        (Action.CREATE, "184_2"),
        (Action.UPDATE, "UE_INF1_1_2026_HØST"),
        (Action.CREATE, "UE_INF1_1_2026_HØST"),
        (Action.DELETE, "UA_OLD"),
        (Action.CLOSE, "COURSE_P"),
        (Action.DELETE, "184_9"),
        (Action.DELETE, "184_8"),
    ]


def test_two_accounts_that_change_places_are_moved_so_that_neither_step_makes_a_loop() -> None:
    there = a.world(a.unit("184_1"), a.unit("184_2", "184_1"), a.unit("184_3", "184_2"))
    wanted = a.wants(a.unit("184_1", "184_2"), a.unit("184_2", "184_3"), a.unit("184_3"))

    assert steps(a.plan(wanted, there)) == [
        (Action.UPDATE, "184_3"),
        (Action.UPDATE, "184_2"),
        (Action.UPDATE, "184_1"),
    ]


def test_accounts_that_the_source_puts_into_each_other_stay_where_they_are() -> None:
    there = a.world(a.unit("184_1"), a.unit("184_2"), a.unit("184_3"))
    wanted = a.wants(a.unit("184_1", "184_2"), a.unit("184_2", "184_1"), a.unit("184_3", name="New"))

    plan = a.plan(wanted, there)

    assert steps(plan) == [(Action.UPDATE, "184_3")]
    unit = SourceKind.ORGANISASJONSENHET
    assert plan.decisions == (
        Decision(unit, "184_1", False, "account-loop", key=a.account_key("184_1")),
        Decision(unit, "184_2", False, "account-loop", key=a.account_key("184_2")),
    )


def test_a_move_that_only_makes_a_loop_because_another_is_left_out_is_left_out_too() -> None:
    there = a.world(a.unit("184_1"), a.unit("184_2", "184_1"), a.unit("184_3"))
    wanted = a.wants(a.unit("184_1", "184_2"), a.unit("184_2", "184_3"), a.unit("184_3", "184_2"))

    plan = a.plan(wanted, there)

    assert plan.changes == ()
    assert [decision.subject for decision in plan.decisions] == ["184_1", "184_2", "184_3"]


def test_a_refused_change_waits_while_its_back_off_lasts() -> None:
    there, snapshot = a.world(), a.wants(a.unit("184_1"), a.unit("184_2"))
    one, other = a.plan(snapshot, there).changes

    plan = diff(snapshot, there, Removal(), resting(one), a.CLOCK)

    assert (plan.changes, plan.waiting) == ((other,), (one,))


def test_a_refused_change_is_planned_again_when_its_back_off_is_over() -> None:
    there, snapshot = a.world(), a.wants(a.unit("184_1"))
    (one,) = a.plan(snapshot, there).changes
    over = {one.fingerprint: Refusal(one.fingerprint, 3, a.CLOCK)}

    assert diff(snapshot, there, Removal(), over, a.CLOCK).changes == (one,)


def test_a_refused_change_is_planned_at_once_when_its_content_changed() -> None:
    (one,) = a.plan(a.wants(a.unit("184_1")), a.world()).changes

    plan = diff(a.wants(a.unit("184_1", name="Mended")), a.world(), Removal(), resting(one), a.CLOCK)

    assert steps(plan) == [(Action.CREATE, "184_1")]


def test_what_would_lie_in_a_refused_object_waits_with_it() -> None:
    there = a.world()
    snapshot = a.wants(a.unit("184_1"), a.ue("INF1", account="184_1"), a.ue_section("INF1"), a.unit("184_2"))
    refused = a.plan(snapshot, there).changes[0]

    plan = diff(snapshot, there, Removal(), resting(refused), a.CLOCK)

    assert steps(plan) == [(Action.CREATE, "184_2")]
    assert [change.key.sis_id for change in plan.waiting] == ["184_1", "UE_INF1_1_2026_HØST", "UE_INF1_1_2026_HØST"]


def test_a_course_waits_for_its_term_because_canvas_would_put_it_into_another_one() -> None:
    there = a.world(a.unit("184_1"))
    snapshot = a.wants(a.unit("184_1"), a.term(), a.ue("INF1", account="184_1"))
    refused = a.plan(snapshot, there).changes[0]

    plan = diff(snapshot, there, Removal(), resting(refused), a.CLOCK)

    assert plan.changes == ()
    assert [change.key for change in plan.waiting] == [Key(Kind.TERM, a.NOW), Key(Kind.COURSE, "UE_INF1_1_2026_HØST")]


def test_a_move_waits_for_another_one_without_which_it_would_make_a_loop() -> None:
    there = a.world(a.unit("184_1"), a.unit("184_2", "184_1"), a.unit("184_3", "184_1"))
    snapshot = a.wants(a.unit("184_2"), a.unit("184_1", "184_2"), a.unit("184_3", "184_2"))
    refused = a.plan(snapshot, there).changes[0]
    assert refused.key.sis_id == "184_2"

    plan = diff(snapshot, there, Removal(), resting(refused), a.CLOCK)

    assert steps(plan) == [(Action.UPDATE, "184_3")]
    assert [change.key.sis_id for change in plan.waiting] == ["184_2", "184_1"]


def test_a_move_waits_for_one_that_lies_deeper_in_what_it_moves() -> None:
    there = a.world(a.unit("184_1"), a.unit("184_2", "184_1"), a.unit("184_3", "184_2"))
    snapshot = a.wants(a.unit("184_3"), a.unit("184_1", "184_3"), a.unit("184_2", "184_1"))
    refused = a.plan(snapshot, there).changes[0]
    assert refused.key.sis_id == "184_3"

    plan = diff(snapshot, there, Removal(), resting(refused), a.CLOCK)

    assert plan.changes == ()
    assert [change.key.sis_id for change in plan.waiting] == ["184_3", "184_1"]


def test_a_plan_is_the_same_when_made_twice() -> None:
    there, snapshot = a.world(a.unit("184_1")), a.wants(a.unit("184_1", name="New"), a.unit("184_2"))

    assert a.plan(snapshot, there).hash == a.plan(snapshot, World(there.values())).hash
