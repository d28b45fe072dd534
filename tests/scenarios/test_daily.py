"""A college day by day: first contact, a quiet day, a day of change, what Canvas refuses and what teachers change."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest import mock
from urllib.parse import quote

import pytest

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.model import Key, Kind, SourceKind
from rosterflow.domain.plan import Action
from rosterflow.domain.snapshot import Scope
from rosterflow.store import objects
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.plans import ChangeState
from rosterflow.sync.settling import rebase
from sandbox.serving import RunningSandbox
from sandbox.university.model import EvuKurs, Navn, Niva, Periode
from sandbox.world import Settings, World
from tests.harness import connections
from tests.scenarios.college import College, college


def states(one: College, plan_id: int) -> Counter[tuple[str, str]]:
    """How many changes of a plan have which action and state."""
    return Counter((str(c.change.action), str(c.state)) for c in one.harness.changes(plan_id))


# -- first contact and quiet days -------------------------------------------------------------------------------------


def test_the_first_contact_only_plans_and_waits_for_a_person(stranger: College) -> None:
    before = stranger.canvas()

    done = stranger.harness.run()

    held = stranger.harness.changes(done.plan_id)
    assert {(c.change.action, c.state, c.guard_rule) for c in held} == {
        (Action.CREATE, ChangeState.HELD, "first-contact")
    }
    assert (len(stranger.harness.waiting()), stranger.imports()) == (1, 0)
    assert stranger.canvas() == before


def test_the_first_contact_is_approved_as_a_whole(stranger: College) -> None:
    done = stranger.harness.run()

    verdict = stranger.harness.approve()

    planned = stranger.harness.changes(done.plan_id)
    assert (verdict.state, verdict.approved, verdict.stale) == (ApprovalState.APPROVED, len(planned), 0)
    assert {c.state for c in planned} == {ChangeState.CONFIRMED}
    assert {c.change.key for c in planned} <= stranger.canvas().keys()
    assert stranger.request(*done.guarded.ask) is ApprovalState.APPLIED
    assert stranger.acts() == [("kari", "approve", "looks right")]


def test_until_it_is_approved_each_day_plans_the_same_and_asks_once(stranger: College) -> None:
    first = stranger.harness.run()
    second = stranger.harness.run(days_later=1)

    assert (first.guarded.ask, second.guarded.ask) == ((1,), (1,))
    assert stranger.harness.waiting() == [1]


def test_a_first_plan_that_changed_is_asked_about_anew_as_a_whole(stranger: College) -> None:
    stranger.harness.run()
    with stranger.changing_fs() as university:
        for emne in university.emner:
            emne.navn = Navn("Et annet navn")
    second = stranger.harness.run(days_later=1)

    assert stranger.harness.waiting() == list(second.guarded.ask)
    assert stranger.request(1) is ApprovalState.WITHDRAWN


def test_a_second_run_plans_nothing_and_posts_nothing(synced: College) -> None:
    posted, before = synced.imports(), synced.canvas()

    done = synced.harness.run(days_later=1)

    assert (done.changes, synced.imports(), synced.canvas()) == (0, posted, before)
    assert sum(row.unchanged for row in done.report.rows) > 60


def test_a_run_that_only_plans_writes_and_asks_nothing(synced: College) -> None:
    ue = synced.teaching()
    synced.export(ue, on=False)

    done = synced.harness.run("plan", days_later=1)

    assert states(synced, done.plan_id) == {("close", "allowed"): 1}
    assert synced.state_in_canvas(synced.course_of(ue)) == "claimed"


def test_a_run_that_only_plans_does_not_count_as_a_complete_one(synced: College) -> None:
    harness = synced.harness
    before = harness.standing().complete_at

    harness.run("plan", days_later=3)

    assert harness.standing().complete_at == before != harness.clock()


def test_a_day_of_change_is_carried_out_but_for_what_a_person_must_decide(synced: College) -> None:
    synced.sandbox.world.play_day_of_change()

    done = synced.harness.run(days_later=1)
    quiet = synced.harness.run(days_later=1)

    assert states(synced, done.plan_id) == {
        ("update", "confirmed"): 14,
        ("close", "confirmed"): 2,
        ("delete", "held"): 2,
    }
    assert states(synced, quiet.plan_id) == {("delete", "held"): 2}
    assert quiet.guarded.ask == done.guarded.ask == (2,)


def test_a_change_of_term_removes_nothing(synced: College) -> None:
    before = synced.canvas()

    done = synced.harness.run(days_later=150)

    assert "2027_VÅR" in done.run.scope.terms
    assert "2026_HØST" not in done.run.scope.terms
    assert [c for c in synced.harness.changes(done.plan_id) if c.change.is_removal] == []
    assert {key: value for key, value in synced.canvas().items() if key in before} == before


def test_a_run_for_a_past_term_leaves_the_others_alone(synced: College) -> None:
    before = synced.canvas()
    synced.export(synced.teaching(), on=False)

    done = synced.harness.run(scope=Scope(frozenset({"2026_VÅR"})))

    assert [c for c in synced.harness.changes(done.plan_id) if c.change.is_removal] == []
    assert {key: value for key, value in synced.canvas().items() if key in before} == before


def test_a_run_that_a_person_narrowed_adds_and_updates_only(synced: College) -> None:
    renamed, gone = synced.teaching(0), synced.teaching(1)
    synced.export(gone, on=False)
    synced.rename_emne(renamed, "Et annet navn")
    codes = frozenset({renamed.emne.kode, gone.emne.kode})

    done = synced.harness.run(scope=Scope(synced.harness.run("plan").run.scope.terms, emnekoder=codes))

    actions = {c.change.action for c in synced.harness.changes(done.plan_id)}
    assert actions == {Action.UPDATE}
    assert synced.canvas()[synced.course_of(renamed)][1].startswith(f"{renamed.emne.kode} Et annet navn")
    assert synced.state_in_canvas(synced.course_of(gone)) == "claimed"


def test_a_kind_that_had_rows_and_has_none_is_a_failure_and_no_plan(synced: College) -> None:
    with synced.changing_fs() as university:
        university.evukurs.clear()

    with pytest.raises(FatalError) as caught:
        synced.harness.run(days_later=1)

    assert (caught.value.code, caught.value.message) == (
        Code.EMPTY_READ,
        "demo: the source has no evu-kurs at all, but Canvas has some.",
    )
    done = synced.harness.run(accept_empty=[SourceKind.EVU_KURS])
    assert {c.change.after.origin.source for c in synced.harness.changes(done.plan_id)} == {SourceKind.EVU_KURS}


# -- what Canvas refuses ----------------------------------------------------------------------------------------------


def test_a_refused_row_stays_visible_backs_off_is_tried_again_and_recovers(synced: College) -> None:
    start = synced.clock()
    with synced.changing_fs() as university:
        faculty = next(unit for unit in university.enheter if unit.niva is Niva.FAKULTET)
        kurs = EvuKurs("EVU-X", "2026 høst", Navn("Nytt kurs"), Periode(None, None), faculty)
        university.evukurs.append(kurs)
    key = Key(Kind.COURSE, "EVU_184_EVU-X_2026 høst")
    account = f"184_{faculty.fakultetsnummer}_0_0"
    words = f'Account not found "{account}" for course EVU_184_EVU-X_2026 høst'
    synced.edit_account(account, sis_account_id="ELSEWHERE")

    first = synced.harness.run()
    assert [(c.state, c.message) for c in synced.harness.changes(first.plan_id)] == [(ChangeState.REFUSED, words)]
    assert synced.open_errors() == [(str(key), words)]

    too_early = synced.harness.run()
    assert (too_early.changes, too_early.report.waiting) == (0, 1)

    synced.clock.forward(hours=1)
    again = synced.harness.run()
    assert states(synced, again.plan_id) == {("create", "refused"): 1}

    synced.clock.forward(hours=1)
    assert synced.harness.run().changes == 0

    synced.edit_account("ELSEWHERE", sis_account_id=account)
    synced.clock.forward(hours=2)
    healed = synced.harness.run()
    assert states(synced, healed.plan_id) == {("create", "confirmed"): 1}
    assert (synced.open_errors(), synced.gone_errors(start)) == ([], [str(key)])
    assert synced.events(key) == ["refused", "refused", "created"]


def test_courses_of_a_term_that_canvas_refused_find_their_way_into_it_later(stranger: College) -> None:
    """Canvas puts a course with an unknown term into the default term, without a word."""
    with stranger.changing_fs() as university:
        (now,) = [t for t in university.terminer if t.semester == university.semester]
        now.studiesemester, right = Periode(date(2027, 6, 1), date(2026, 8, 10)), now.studiesemester
    stranger.harness.first_contact()
    key = stranger.course_of(stranger.teaching())
    term = Key(Kind.TERM, "2026_HØST")
    assert (stranger.canvas()[key][3], [subject for subject, _ in stranger.open_errors()]) == (None, [str(term)])

    with stranger.changing_fs():
        now.studiesemester = right
    stranger.harness.run(days_later=1)

    assert (stranger.canvas()[key][3], stranger.open_errors()) == ("2026_HØST", [])
    assert stranger.harness.run(days_later=1).changes == 0


# -- what teachers change ---------------------------------------------------------------------------------------------


def test_a_name_that_a_teacher_changed_stays_is_written_down_and_leaves_the_plan(synced: College) -> None:
    ue = synced.teaching()
    key = synced.course_of(ue)
    synced.edit_course(key, name="Mitt eget navn")
    synced.rename_emne(ue, "Et navn fra FS")

    done = synced.harness.run(days_later=1)

    (change,) = [c for c in synced.harness.changes(done.plan_id) if c.change.key == key]
    assert (change.state, change.message) == (ChangeState.OWNED, "kept by Canvas: long_name")
    assert synced.canvas()[key][1] == "Mitt eget navn"
    assert synced.harness.run(days_later=1).changes == 0
    synced.rename_emne(ue, "Noch ein Name")
    later = synced.harness.run(days_later=1)
    assert key not in {c.change.key for c in synced.harness.changes(later.plan_id)}


def test_an_update_neither_publishes_nor_unpublishes_nor_reopens(synced: College) -> None:
    hidden, published, concluded = (synced.teaching(at) for at in range(3))
    synced.edit_course(synced.course_of(published), event="offer")
    synced.by_hand("DELETE", f"/courses/sis_course_id:{synced.course_of(concluded).sis_id}?event=conclude")
    for ue in (hidden, published, concluded):
        synced.rename_emne(ue, "Et nytt navn")

    synced.harness.run(days_later=1)

    courses = [synced.canvas()[synced.course_of(ue)] for ue in (hidden, published, concluded)]
    assert [course[-1] for course in courses] == ["claimed", "available", "completed"]
    assert all("Et nytt navn" in course[1] for course in courses)
    assert synced.harness.run(days_later=1).changes == 0


def test_a_course_that_a_teacher_published_is_still_closed_and_reopened(synced: College) -> None:
    ue = synced.teaching()
    key = synced.course_of(ue)
    synced.edit_course(key, event="offer")

    synced.export(ue, on=False)
    closed = synced.harness.run(days_later=1)
    assert (states(synced, closed.plan_id), synced.state_in_canvas(key)) == ({("close", "confirmed"): 1}, "completed")
    assert synced.harness.run(days_later=1).changes == 0

    synced.export(ue, on=True)
    reopened = synced.harness.run(days_later=1)
    assert states(synced, reopened.plan_id) == {("reopen", "confirmed"): 1}
    assert synced.state_in_canvas(key) == "available"
    assert synced.harness.run(days_later=1).changes == 0
    assert synced.events(key) == ["held", "approved", "created", "closed", "re-opened"]


def test_a_course_that_a_person_deleted_is_left_alone_when_its_export_ends(synced: College) -> None:
    ue = synced.teaching()
    key = synced.course_of(ue)
    synced.by_hand("DELETE", f"/courses/sis_course_id:{key.sis_id}?event=delete")
    synced.export(ue, on=False)

    synced.harness.run(days_later=1)

    assert synced.state_in_canvas(key) == "deleted"
    assert synced.harness.run(days_later=1).changes == 0


# -- unpublishing instead of closing ----------------------------------------------------------------------------------


def test_a_hidden_course_is_unpublished_and_one_with_graded_work_is_refused_with_canvas_words(tmp_path: Path) -> None:
    with college(tmp_path, removal={"course": "unpublish"}) as one:
        one.harness.first_contact()
        plain, graded = one.teaching(0), one.teaching(1)
        for ue in (plain, graded):
            one.edit_course(one.course_of(ue), event="offer")
        course = one.sandbox.world.canvas.courses.by_sis_id(one.course_of(graded).sis_id)
        assert course is not None
        course.graded_submissions = 2
        one.export(plain, graded, on=False)

        done = one.harness.run(days_later=1)

        assert states(one, done.plan_id) == {("hide", "confirmed"): 1, ("hide", "refused"): 1}
        assert one.state_in_canvas(one.course_of(plain)) == "claimed"
        assert one.state_in_canvas(one.course_of(graded)) == "available"
        ((subject, words),) = one.open_errors()
        assert (subject, "unpublish" in words) == (str(one.course_of(graded)), True)
        assert one.harness.run().changes == 0
        one.export(plain, on=True)
        one.clock.forward(hours=3)
        wanted = one.harness.run()
        assert states(one, wanted.plan_id) == {("reopen", "confirmed"): 1, ("hide", "refused"): 1}
        assert one.state_in_canvas(one.course_of(plain)) == "available"


# -- changed ids ------------------------------------------------------------------------------------------------------


def test_a_bumped_version_is_one_change_of_id_that_a_person_approves(synced: College) -> None:
    ue = synced.teaching()
    old = synced.course_of(ue)
    with synced.changing_fs():
        ue.emne.versjonskode = "99"
    new = synced.course_of(ue)

    done = synced.harness.run(days_later=1)

    changes = synced.harness.changes(done.plan_id)
    ids = [c for c in changes if c.change.action is Action.CHANGE_ID]
    assert Key(Kind.COURSE, old.sis_id) in {c.change.key for c in ids}
    assert {c.state for c in ids} == {ChangeState.HELD}
    assert [c for c in changes if c.change.is_removal] == []
    assert (old in synced.canvas(), new in synced.canvas()) == (True, False)

    courses = len([key for key in synced.canvas() if key.kind is Kind.COURSE])
    synced.harness.approve()

    assert (old in synced.canvas(), new in synced.canvas()) == (False, True)
    assert len([key for key in synced.canvas() if key.kind is Kind.COURSE]) == courses
    follow = synced.harness.run(days_later=1)
    assert {c.change.action for c in synced.harness.changes(follow.plan_id)} <= {Action.UPDATE}
    assert synced.harness.run(days_later=1).changes == 0


# -- several institutions, a lost store -------------------------------------------------------------------------------


def test_a_store_that_was_lost_takes_its_base_from_canvas_and_asks_again(synced: College, tmp_path: Path) -> None:
    posted, before = synced.imports(), synced.canvas()
    with synced.harness.store.begin() as connection:
        objects.forget_all(connection, "demo")
        connection.exec_driver_sql("UPDATE institution SET based_at = NULL, contacted_at = NULL")
    gone = synced.teaching()
    synced.export(gone, on=False)

    done = synced.harness.run(days_later=1)

    assert states(synced, done.plan_id) == {("close", "held"): 1}
    assert (synced.imports(), synced.canvas()) == (posted, before)
    synced.harness.approve()
    assert synced.state_in_canvas(synced.course_of(gone)) == "completed"
    assert synced.harness.run(days_later=1).changes == 0


def test_a_rebase_asks_about_what_belonged_to_canvas_and_learns_it_again(synced: College) -> None:
    ue = synced.teaching()
    synced.edit_course(synced.course_of(ue), name="Mitt eget navn")
    synced.rename_emne(ue, "Et navn fra FS")
    synced.harness.run(days_later=1)
    rebase(
        synced.harness.store, synced.harness.institution, actor="ola", reason="restored a backup", now=synced.clock()
    )

    done = synced.harness.run(days_later=1)

    assert states(synced, done.plan_id) == {("update", "held"): 1}
    assert synced.acts()[-1] == ("ola", "rebase", "restored a backup")
    synced.harness.approve()
    assert states(synced, done.plan_id) == {("update", "owned-by-canvas"): 1}
    assert synced.canvas()[synced.course_of(ue)][1] == "Mitt eget navn"
    assert synced.harness.run(days_later=1).changes == 0


def test_a_connection_that_leads_to_another_canvas_stops_before_anything_is_planned(synced: College) -> None:
    with RunningSandbox(World(Settings(size="small"), now=synced.clock)) as other:
        name = "AIRFLOW_CONN_CANVAS_DEMO"
        there = {name: connections(other.url, synced.harness.institution)[name]}
        with mock.patch.dict(os.environ, there), pytest.raises(FatalError) as caught:
            synced.harness.run(days_later=1)

    assert caught.value.code is Code.CANVAS_CHANGED
    assert synced.harness.run().changes == 0


def test_a_term_that_a_person_deleted_is_there_again_when_a_course_needs_it(synced: College) -> None:
    scope, ue = Scope(frozenset({"2028_VÅR"})), synced.teaching()
    synced.harness.run(scope=scope)
    synced.by_hand("DELETE", f"/accounts/1/terms/sis_term_id:{quote('2028_VÅR')}")
    with synced.changing_fs():
        ue.semester = replace(ue.semester, arstall=2028, kode=type(ue.semester.kode)("VÅR"))

    synced.harness.run(scope=scope, days_later=1)

    assert synced.canvas()[synced.course_of(ue)][3] == "2028_VÅR"


def test_what_canvas_has_under_others_ids_is_not_ours(synced: College) -> None:
    for kind, sis_id in (("account", "999_1_0_0"), ("account", "BIBLIOTEKET")):
        synced.by_hand("POST", "/accounts/1/sub_accounts", **{f"{kind}[name]": "x", f"{kind}[sis_account_id]": sis_id})
    with synced.harness.store.begin() as connection:
        connection.exec_driver_sql("UPDATE institution SET based_at = NULL")

    assert synced.harness.run(days_later=1).changes == 0


def test_a_wrong_account_in_the_settings_is_one_clear_message(tmp_path: Path) -> None:
    with college(tmp_path, canvas={"account": "FSDEMA"}) as one:
        with pytest.raises(FatalError) as caught:
            one.harness.run()

        assert (caught.value.code, caught.value.message) == (
            Code.SETTINGS_INVALID,
            "demo: canvas.account: Canvas has no account with the SIS id 'FSDEMA'.",
        )
        assert one.canvas().keys().isdisjoint({Key(Kind.ACCOUNT, "FSDEMA")})
