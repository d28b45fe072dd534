"""Plans, runs and imports: what was shown is what is applied."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action, Change, Plan, some_of
from rosterflow.domain.rosters import Place, Roster
from rosterflow.domain.snapshot import Scope
from rosterflow.store import imports, plans, runs
from rosterflow.store.engine import Store
from rosterflow.store.imports import ImportState
from rosterflow.store.plans import ChangeState
from tests.store.things import COURSE, HOME, HOUR, NOW, TERM, UNIT, a_plan, a_run, create

RENAMED = Change(Action.UPDATE, UNIT, replace(UNIT, name="Nytt navn"), "changed", "The source has another name.")


def test_a_plan_comes_back_as_it_was_made(store: Store) -> None:
    made = Plan((create(TERM), RENAMED), Counter({Kind.COURSE: 3}))
    with store.begin() as connection:
        run = a_run(connection)
        number = plans.save_plan(connection, HOME, run.id, made, first_contact=True, now=NOW)
        stored = plans.get_plan(connection, number)
        found = plans.changes(connection, number)

    assert (stored.hash, stored.first_contact, stored.unchanged) == (made.hash, True, {"course": 3})
    assert tuple(one.change for one in found) == made.changes
    assert {one.state for one in found} == {ChangeState.PLANNED}


def test_planning_again_makes_another_plan_and_the_newest_counts(store: Store) -> None:
    with store.begin() as connection:
        first, second = a_plan(connection, create(TERM)), a_plan(connection, create(TERM), create(UNIT))
        run = a_run(connection)
        newest = plans.plan_of_run(connection, run.id)

        assert newest is not None
        assert (newest.id, len(plans.changes(connection, first))) == (second, 1)


def test_what_became_of_changes_is_kept_with_canvas_own_words(store: Store) -> None:
    with store.begin() as connection:
        plan = a_plan(connection, create(TERM), create(UNIT), create(COURSE))
        plans.set_state(connection, plan, [0, 1, 2], ChangeState.REFUSED, {1: "Parent account didn't exist"})
        plans.set_state(connection, plan, [0], ChangeState.CONFIRMED)
        found = {one.seq: (one.state, one.message) for one in plans.changes(connection, plan)}

    assert found == {
        0: (ChangeState.CONFIRMED, None),
        1: (ChangeState.REFUSED, "Parent account didn't exist"),
        2: (ChangeState.REFUSED, None),
    }


def test_held_changes_say_which_guard_holds_them(store: Store) -> None:
    with store.begin() as connection:
        plan = a_plan(connection, create(TERM), create(UNIT), RENAMED)
        plans.hold(connection, plan, {0: ("updates", "too many"), 2: ("id-change", "always")})
        held = plans.changes(connection, plan, ChangeState.HELD)

    assert [(one.seq, one.guard_rule, one.guard_reason) for one in held] == [
        (0, "updates", "too many"),
        (2, "id-change", "always"),
    ]


def test_changes_that_were_sent_and_never_confirmed_are_unknown_once_given_up(store: Store) -> None:
    with store.begin() as connection:
        mine = a_plan(connection, create(TERM), create(UNIT))
        other = a_plan(connection, create(TERM), number=2, institution="south")
        plans.set_state(connection, mine, [0], ChangeState.SENT)
        plans.set_state(connection, other, [0], ChangeState.SENT)

        assert plans.unsettled(connection, HOME) == {Key(Kind.TERM, "2026_HØST")}
        assert (plans.give_up_sent(connection, HOME), plans.give_up_sent(connection, HOME)) == (1, 0)
        assert plans.unsettled(connection, HOME) == frozenset()
        assert len(plans.changes(connection, mine, ChangeState.UNKNOWN)) == 1
        assert len(plans.changes(connection, other, ChangeState.SENT)) == 1


def test_people_who_are_left_out_of_a_change_stay_in_the_plan_in_a_stale_one_of_their_own(store: Store) -> None:
    before = Roster(Kind.ADMIN, Place(Kind.ACCOUNT, "A"), "Admin", {"u1": ("deleted",)}, part="wanted-again")
    after = replace(before, members={"u1": ("active",), "u2": ("active",)})
    whole = Change(Action.REOPEN, before, after, "wanted-again", "The source has them there again.")
    with store.begin() as connection:
        plan = a_plan(connection, whole, create(TERM))
        plans.set_state(connection, plan, [0], ChangeState.ALLOWED)
        plans.leave_out(connection, plan, plans.changes(connection, plan)[0], {"u1"}, "by-hand", "They are there.")
        rest, _, apart = plans.changes(connection, plan)

    part = "wanted-again, by-hand"
    alone = replace(before, members={"u1": ("active",)}, part=part)
    assert (rest.change, rest.state, rest.weight) == (some_of(whole, {"u2"}, "wanted-again"), ChangeState.ALLOWED, 1)
    assert apart.change == Change(Action.REOPEN, replace(before, part=part), alone, whole.rule, whole.reason)
    assert (apart.state, apart.weight, apart.message) == (ChangeState.STALE, 1, "They are there.")
    assert [one.fingerprint for one in (rest, apart)] == [one.change.fingerprint for one in (rest, apart)]


def test_a_change_of_which_everybody_is_left_out_is_stale_as_it_was_shown(store: Store) -> None:
    coming = Roster(Kind.ADMIN, Place(Kind.ACCOUNT, "A"), "Admin", {"u1": ("active",)}, part="new")
    whole = Change(Action.CREATE, None, coming, "new", "The source has them there and Canvas does not.")
    with store.begin() as connection:
        plan = a_plan(connection, whole)
        plans.leave_out(connection, plan, plans.changes(connection, plan)[0], {"u1"}, "by-hand", "They are there.")
        found = plans.changes(connection, plan)

    assert [(one.change, one.state, one.message) for one in found] == [(whole, ChangeState.STALE, "They are there.")]


def test_a_plan_is_counted_by_kind_action_and_state(store: Store) -> None:
    with store.begin() as connection:
        plan = a_plan(connection, create(TERM), create(UNIT), RENAMED)
        plans.set_state(connection, plan, [0], ChangeState.CONFIRMED)
        found = {(row.kind, row.action, row.state): row.n for row in plans.tally(connection, plan)}

    assert found == {
        ("term", "create", "confirmed"): 1,
        ("account", "create", "planned"): 1,
        ("account", "update", "planned"): 1,
    }


def test_opening_a_run_again_starts_it_over_under_the_same_id(store: Store) -> None:
    with store.begin() as connection:
        first = a_run(connection)
        runs.add_counts(connection, first.id, allowed=3)
        runs.note(connection, first.id, state=runs.RunState.FAILED, ended_at=NOW, complete=False)
        again = a_run(connection)

    assert (again.id, again.state, again.counts) == (first.id, runs.RunState.OPEN, {})


def test_a_run_keeps_its_scope_and_its_counts(store: Store) -> None:
    scope = Scope(frozenset({"2026_HØST", "2027_VÅR"}), emnekoder=frozenset({"ØV-1"}))
    with store.begin() as connection:
        run = runs.open_run(connection, HOME, "sync", "run 1", "plan", scope, NOW)
        runs.add_counts(connection, run.id, allowed=3, rows={"emne": 2})
        runs.add_counts(connection, run.id, held=1)
        found = runs.find_run(connection, "sync", "run 1")

        assert found is not None
        assert (found.scope, found.counts) == (scope, {"allowed": 3, "rows": {"emne": 2}, "held": 1})
        assert runs.find_run(connection, "sync", "run 2") is None
        assert [one.id for one in runs.latest_runs(connection, HOME)] == [run.id]


def test_runs_that_were_opened_and_never_planned_are_found(store: Store) -> None:
    with store.begin() as connection:
        stuck, planned, ended = (a_run(connection, number) for number in (1, 2, 3))
        runs.note(connection, planned.id, state=runs.RunState.PLANNED)
        runs.note(connection, ended.id, ended_at=NOW)

        assert [one.id for one in runs.unplanned_runs(connection, NOW + HOUR)] == [stuck.id]
        assert runs.unplanned_runs(connection, NOW) == []


def prepared(store: Store, part: int = 1) -> tuple[int, int]:
    with store.begin() as connection:
        plan = a_plan(connection, create(TERM), create(UNIT))
        run = a_run(connection)
        number = imports.prepare(
            connection,
            institution=HOME,
            root="sandbox",
            run_id=run.id,
            plan_id=plan,
            approval_id=None,
            part=part,
            now=NOW,
        )
        rows = {
            "mark-7-accounts.csv": {"counted_as": "accounts", "seqs": [1]},
            "mark-7-terms.csv": {"counted_as": "terms", "seqs": [0]},
        }
        imports.note(connection, number, rows=rows, blob="zips/7", sha256="abc")
    return plan, number


def test_an_import_is_found_by_its_plan_and_part_until_it_is_dropped(store: Store) -> None:
    plan, number = prepared(store)
    with store.begin() as connection:
        found = imports.import_of(connection, plan, None, 1)
        assert found is not None
        assert (found.id, found.mark, found.rows["mark-7-terms.csv"], found.counted_as["mark-7-terms.csv"]) == (
            number,
            "mark-7",
            [0],
            "terms",
        )
        assert imports.import_of(connection, plan, None, 2) is None
        assert imports.import_of(connection, plan, 1, 1) is None
        imports.note(connection, number, state=ImportState.DROPPED)
        assert imports.import_of(connection, plan, None, 1) is None


def test_imports_whose_end_nobody_saw_are_found_by_institution(store: Store) -> None:
    _, number = prepared(store)
    with store.begin() as connection:
        assert [one.id for one in imports.unfinished(connection, HOME)] == [number]
        assert imports.unfinished(connection, "south") == []
        imports.note(connection, number, state=ImportState.CONFIRMED)
        assert imports.unfinished(connection, HOME) == []


def test_canvas_ids_are_known_by_root_account(store: Store) -> None:
    _, number = prepared(store)
    with store.begin() as connection:
        assert imports.known_canvas_ids(connection, "sandbox") == frozenset()
        imports.note(connection, number, canvas_id="12")
        assert imports.known_canvas_ids(connection, "sandbox") == {"12"}
        assert imports.known_canvas_ids(connection, "other") == frozenset()


def test_each_change_knows_whether_its_import_can_be_trusted(store: Store) -> None:
    plan, number = prepared(store)
    with store.begin() as connection:
        assert imports.is_trusted(connection, plan) == {0: False, 1: False}
        imports.note(connection, number, trusted=True)
        assert imports.is_trusted(connection, plan) == {0: True, 1: True}


def test_zips_of_finished_imports_are_found_by_age(store: Store) -> None:
    _, number = prepared(store)
    with store.begin() as connection:
        assert imports.blobs_before(connection, HOME, NOW + HOUR) == []
        imports.note(connection, number, state=ImportState.CONFIRMED)
        assert imports.blobs_before(connection, HOME, NOW + HOUR) == [(number, "zips/7")]
        assert imports.blobs_before(connection, HOME, NOW) == []
