"""What housekeeping and the reports ask of the store, on both databases; the rules are in tests/sync."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, select

from rosterflow.domain.confirmed import ConfirmedObject, Refusal
from rosterflow.domain.model import Course, Key, Kind
from rosterflow.domain.plan import Action, Change
from rosterflow.store import approvals, imports, looking, notices, objects, plans, retention, row_errors, runs, tallies
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.imports import ImportState
from rosterflow.store.plans import ChangeState
from rosterflow.store.tables import plan, run
from tests.household import NOW, opened, planned, trouble

DAY = timedelta(days=1)
COURSE = Course("UE_1", "NOR1", "Norsk 1", "EMNE_1")
CREATE = Change(Action.CREATE, None, COURSE, "new", "It is new.")


def plan_of(store: Store, name: str, age: timedelta) -> int:
    return planned(store, opened(store, name=name, at=NOW - age), [CREATE], at=NOW - age)


def ask_in(connection: Connection, plan_id: int, seqs: list[int]) -> int:
    return approvals.ask(connection, "fjordvik", plan_id, seqs, "hash", two_person=False, first_contact=False, now=NOW)


def ask(store: Store, plan_id: int, state: ApprovalState) -> int:
    with store.begin() as connection:
        request = ask_in(connection, plan_id, [0])
        approvals.set_approval_state(connection, request, state, NOW - 10 * DAY)
    return request


def test_only_plans_that_nobody_needs_are_removed(store: Store) -> None:
    done = plan_of(store, "done", 40 * DAY)
    ask(store, done, ApprovalState.APPLIED)
    waiting = plan_of(store, "waiting", 40 * DAY)
    ask(store, waiting, ApprovalState.WAITING)
    rejected = plan_of(store, "rejected", 40 * DAY)
    ask(store, rejected, ApprovalState.REJECTED)
    importing = plan_of(store, "importing", 40 * DAY)
    sent = plan_of(store, "sent", 40 * DAY)
    newest = plan_of(store, "newest", 39 * DAY)
    with store.begin() as connection:
        plans.set_state(connection, sent, [0], ChangeState.SENT)
        run_id = plans.get_plan(connection, importing).run_id
        number = imports.prepare(
            connection,
            institution="fjordvik",
            root="root",
            run_id=run_id,
            plan_id=importing,
            approval_id=None,
            part=1,
            now=NOW,
        )
        imports.note(connection, number, state=ImportState.POSTED)

    with store.begin() as connection:
        removed = retention.purge_plans(connection, "fjordvik", NOW - 30 * DAY, NOW - 20 * DAY)

    with store.begin() as connection:
        left = list(connection.execute(select(plan.c.id).order_by(plan.c.id)).scalars())
    assert (removed, left) == (1, [waiting, rejected, importing, sent, newest])


def test_a_plan_with_an_id_change_that_a_person_rejected_is_never_forgotten(store: Store) -> None:
    renamed = Change(Action.CHANGE_ID, COURSE, replace(COURSE, sis_id="UE_2"), "id-changed", "It goes by UE_2.")
    asked: dict[str, int] = {}
    for name, state, rule in (
        ("rejected", ApprovalState.REJECTED, "id-change"),
        ("nobody's no", ApprovalState.TIMED_OUT, "id-change"),
        ("all of a first contact", ApprovalState.REJECTED, "first-contact"),
    ):
        run = opened(store, name=name, at=NOW - 40 * DAY)
        asked[name] = planned(store, run, [renamed], at=NOW - 40 * DAY)
        with store.begin() as connection:
            plans.hold(connection, asked[name], {0: (rule, "why")})
        ask(store, asked[name], state)
    newest = plan_of(store, "newest", 39 * DAY)

    with store.begin() as connection:
        retention.purge_plans(connection, "fjordvik", NOW - 30 * DAY, NOW)
        left = list(connection.execute(select(plan.c.id).order_by(plan.c.id)).scalars())
        kept_apart = approvals.rejected_id_changes(connection, "fjordvik")

    assert left == [asked["rejected"], newest]
    assert kept_apart == {(Key(Kind.COURSE, "UE_1"), Key(Kind.COURSE, "UE_2"))}


def test_only_id_changes_that_a_person_rejected_keep_objects_apart(store: Store) -> None:
    renamed = [
        Change(Action.CHANGE_ID, one, replace(one, sis_id=f"{one.sis_id}_2"), "id-changed", "It goes by another.")
        for one in (replace(COURSE, sis_id=sis_id) for sis_id in ("UE_1", "UE_2", "UE_3"))
    ]
    why = [(ApprovalState.REJECTED, "id-change"), (ApprovalState.TIMED_OUT, "id-change")]
    why.append((ApprovalState.REJECTED, "first-contact"))
    for change, (state, rule) in zip(renamed, why, strict=True):
        plan_id = planned(store, opened(store, name=change.key.sis_id), [change, CREATE])
        with store.begin() as connection:
            plans.hold(connection, plan_id, {0: (rule, "why"), 1: ("waits-for", "why")})
            request = ask_in(connection, plan_id, [0, 1])
            approvals.set_approval_state(connection, request, state, NOW)

    with store.begin() as connection:
        assert approvals.rejected_id_changes(connection, "fjordvik") == {
            (Key(Kind.COURSE, "UE_1"), Key(Kind.COURSE, "UE_1_2"))
        }
        assert approvals.rejected_id_changes(connection, "sundnes") == frozenset()


def test_runs_go_only_when_nothing_refers_to_them(store: Store) -> None:
    plan_of(store, "planned", 400 * DAY)
    opened(store, name="bare", at=NOW - 400 * DAY)

    with store.begin() as connection:
        removed = retention.purge_runs(connection, "fjordvik", NOW - 300 * DAY)
        left = list(connection.execute(select(run.c.dag_run_id)).scalars())

    assert (removed, left) == (1, ["planned"])


def test_notices_of_other_topics_are_kept_when_those_of_a_prefix_are_forgotten(store: Store) -> None:
    with store.begin() as connection:
        for topic in ("settings:a", "settings:b", "unplanned:1"):
            notices.record_notice(connection, topic, "x", NOW)

        notices.forget_others(connection, "settings:", ["settings:b"])

        due = [
            topic
            for topic in ("settings:a", "settings:b", "unplanned:1")
            if notices.is_due(connection, topic, "x", NOW, None)
        ]
    assert due == ["settings:a"]


def test_a_request_s_changes_are_counted_once_however_many_plans_contain_them(store: Store) -> None:
    first, second = plan_of(store, "first", DAY), plan_of(store, "second", DAY)
    request = ask(store, first, ApprovalState.WAITING)
    with store.begin() as connection:
        approvals.tie(connection, second, [0], request)

        tally = tallies.tally_of_request(connection, request)

    assert [(row.kind, row.action, row.state, row.n) for row in tally] == [("course", "create", "planned", 1)]


def test_incomplete_runs_are_those_with_gaps_since_a_moment(store: Store) -> None:
    opened(store, name="before", at=NOW - 2 * DAY, gaps=1)
    incomplete = opened(store, name="incomplete", at=NOW - DAY / 2, gaps=2)
    opened(store, name="complete", at=NOW - DAY / 2, gaps=0)

    with store.begin() as connection:
        assert tallies.incomplete_runs(connection, "fjordvik", NOW - DAY) == [runs.get_run(connection, incomplete.id)]


def test_what_is_known_about_an_id_is_found_and_nothing_of_other_ids_or_institutions(store: Store) -> None:
    section_too = Course("UE_2", "MAT1", "Matematikk 1", "EMNE_2")
    refusal = Refusal("fingerprint", 2, NOW)
    with store.begin() as connection:
        for institution in ("fjordvik", "sundnes"):
            known = [ConfirmedObject(COURSE, frozenset({"long_name"})), ConfirmedObject(section_too)]
            objects.save(connection, institution, known, now=NOW, run_id=None)
            row_errors.save_refusals(connection, institution, {Key(Kind.COURSE, "UE_1"): refusal})
    for subject in ("course UE_1", "course UE_2"):
        trouble(store, subject)

    with store.begin() as connection:
        confirmed = looking.confirmed_about(connection, "fjordvik", "UE_1")
        refusals = looking.refusals_about(connection, "fjordvik", "UE_1")
        errors = looking.errors_about(connection, "fjordvik", ["course UE_1"])

    assert confirmed == [looking.Confirmed(ConfirmedObject(COURSE, frozenset({"long_name"})), NOW)]
    assert refusals == {Key(Kind.COURSE, "UE_1"): refusal}
    assert [row.subject for row in errors] == ["course UE_1"]


def test_a_plan_is_found_by_its_number_or_as_an_institution_s_newest(store: Store) -> None:
    first, second = plan_of(store, "first", DAY), plan_of(store, "second", DAY)

    with store.begin() as connection:
        found = [
            looking.find_plan(connection, number, institution)
            for number, institution in ((first, ""), (None, "fjordvik"), (first, "sundnes"), (None, "sundnes"))
        ]

    assert [one and one.id for one in found] == [first, second, None, None]
