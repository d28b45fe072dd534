"""A plan that was applied is undone: Canvas is as it was, what cannot come back is told, and no sync does it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rosterflow.domain.losses import MEANINGS, Why
from rosterflow.domain.model import Key, Kind
from rosterflow.store import history
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.plans import ChangeState
from rosterflow.sync.approving import Answer
from rosterflow.sync.describing import describe
from rosterflow.sync.explaining import timeline_of
from rosterflow.sync.undoing import Undoing
from tests.harness import Done, connections
from tests.scenarios.college import PAGE_KEY, College, college
from tests.scenarios.killing import Job, killed_at
from tests.scenarios.people_day import PEOPLE, People, people_in_canvas
from tests.scenarios.persons import follows, newcomer, standing


@pytest.fixture
def faculty(tmp_path: Path) -> Iterator[College]:
    """A college whose Canvas has the people whom FS has."""
    with college(tmp_path, **PEOPLE) as one:
        one.harness.first_contact()
        yield one


class Opening(NamedTuple):
    """What a plan made of teaching, and what Canvas had before."""

    college: College
    course: Key
    plan_id: int
    before: tuple[dict[Key, tuple[Any, ...]], People]


def everything(one: College) -> tuple[dict[Key, tuple[Any, ...]], People]:
    """All that Canvas has."""
    return one.canvas(), people_in_canvas(one)


def mass_drop(one: College, count: int = 4) -> Done:
    """A day on which FS has lost everybody in some teaching, and nobody is asked."""
    with one.changing_fs():
        for at in range(count):
            one.teaching(at).studieretter.clear()
    return one.harness.run(days_later=1)


def states(one: College, plan_id: int) -> set[ChangeState]:
    return {change.state for change in one.harness.changes(plan_id)}


def test_a_day_with_a_wrong_mass_drop_is_undone_and_everybody_is_back(faculty: College) -> None:
    before = everything(faculty)
    dropped = mass_drop(faculty)
    assert everything(faculty) != before

    asked = faculty.harness.undone(dropped.plan_id)

    assert everything(faculty) == before
    assert [loss.why for loss in asked.inverse.losses] == []
    assert asked.plan_id is not None
    assert states(faculty, asked.plan_id) == {ChangeState.CONFIRMED}
    assert faculty.acts()[-2:] == [("kari", "undo", "wrong file"), ("kari", "approve", "looks right")]


def test_what_was_undone_is_held_until_somebody_approves_it(faculty: College) -> None:
    before = everything(faculty)
    dropped = mass_drop(faculty)
    after = everything(faculty)
    faculty.harness.undone(dropped.plan_id)

    done = faculty.harness.run(days_later=1)

    changes = faculty.harness.changes(done.plan_id)
    assert {(one.state, one.guard_rule) for one in changes} == {(ChangeState.HELD, "undone")}
    assert all("Undone by hand on 2026-09-02 because: wrong file." in (one.guard_reason or "") for one in changes)
    assert everything(faculty) == before
    faculty.harness.approve()
    assert everything(faculty) == after
    assert faculty.harness.run(days_later=1).changes == 0


# -- what does not come back -------------------------------------------------------------------------------------------


@pytest.fixture
def opening(tmp_path: Path) -> Iterator[Opening]:
    """A college, and teaching that FS exports from one day on, and that day's sync."""
    with college(tmp_path, **PEOPLE) as one:
        university = one.university
        ue = next(
            ue
            for emne in university.emner
            for ue in emne.undervisningsenheter
            if ue.semester == university.semester and ue.skal_eksporteres and ue.terminnummer == 1
            if ue.folger is None and ue.studieretter
        )
        one.export(ue, on=False)
        one.harness.first_contact()
        before = everything(one)
        one.export(ue, on=True)
        made = one.harness.run(days_later=1)
        yield Opening(one, one.course_of(ue), made.plan_id, before)


def enroll_by_hand(one: College, person: str, section: Key, role: str = "TeacherEnrollment") -> None:
    """Somebody in Canvas puts a user into a section."""
    canvas = one.sandbox.world.canvas
    place, login = canvas.sections.by_sis_id(section.sis_id), canvas.pseudonyms.by_sis_id(person)
    assert place
    assert login
    form = {"user_id": str(login.user_id), "type": role, "enrollment_state": "active"}
    one.by_hand("POST", f"/sections/{place.id}/enrollments", **{f"enrollment[{k}]": v for k, v in form.items()})


def whys(asked: Undoing) -> set[tuple[Why, Kind]]:
    return {(loss.why, loss.kind) for loss in asked.inverse.losses}


def test_a_course_that_the_plan_made_goes_and_the_work_in_it_is_told(opening: Opening) -> None:
    one, course, plan_id, before = opening
    assert one.state_in_canvas(course) == "claimed"

    asked = one.harness.undone(plan_id)

    assert one.state_in_canvas(course) == "deleted"
    assert {key: values for key, values in one.canvas().items() if values[-1] != "deleted"} == before[0]
    assert people_in_canvas(one).active == before[1].active
    assert whys(asked) == {(Why.WORK_INSIDE, Kind.COURSE)}


def test_a_course_in_which_somebody_enrolled_a_person_by_hand_stays_with_that_person(opening: Opening) -> None:
    one, course, plan_id, before = opening
    section = Key(Kind.SECTION, course.sis_id)
    guest = next(str(login.sis_id) for login in one.sandbox.world.canvas.pseudonyms if login.sis_id)
    enroll_by_hand(one, guest, section, "DesignerEnrollment")

    asked = one.harness.undone(plan_id)

    assert {one.state_in_canvas(course), one.state_in_canvas(section)} == {"claimed", "active"}
    assert people_in_canvas(one).active - before[1].active == {(section.sis_id, guest, "DesignerEnrollment")}
    assert whys(asked) == {(Why.OTHERS_INSIDE, Kind.COURSE), (Why.OTHERS_INSIDE, Kind.SECTION)}


def test_what_cannot_come_back_is_told_before_anybody_approves(opening: Opening) -> None:
    one, course, plan_id, _ = opening

    asked = one.harness.undo(plan_id, "FS exported it by mistake")

    assert asked.request
    told = describe(one.harness.store, one.harness.institution, asked.request).body
    assert f"They undo plan {plan_id}**, because: FS exported it by mistake" in told
    assert "What does not come back, or not as it was" in told
    assert MEANINGS[Why.WORK_INSIDE] in told
    assert one.state_in_canvas(course) == "claimed"


def test_undoing_twice_finds_all_as_it_was(faculty: College) -> None:
    dropped = mass_drop(faculty)
    faculty.harness.undone(dropped.plan_id)
    before, posted = everything(faculty), faculty.imports()

    again = faculty.harness.undone(dropped.plan_id)

    assert (again.inverse.changes, again.request) == ((), None)
    assert {loss.why for loss in again.inverse.losses} == {Why.AS_BEFORE}
    assert (everything(faculty), faculty.imports()) == (before, posted)


def test_asking_twice_takes_the_older_question_back(faculty: College) -> None:
    dropped = mass_drop(faculty)
    first = faculty.harness.undo(dropped.plan_id)
    second = faculty.harness.undo(dropped.plan_id, "once more")

    assert first.request
    assert second.request
    assert faculty.request(first.request) is ApprovalState.WITHDRAWN
    assert faculty.harness.waiting() == [second.request]


def test_an_older_plan_is_undone_only_where_no_newer_one_has_been(faculty: College) -> None:
    first, second = faculty.teaching(0), faculty.teaching(1)
    names = {ue: faculty.canvas()[faculty.course_of(ue)] for ue in (first, second)}
    for ue in (first, second):
        faculty.rename_emne(ue, "Gammelt navn")
    older = faculty.harness.run(days_later=1)
    faculty.rename_emne(second, "Nytt navn")
    faculty.harness.run(days_later=1)
    newest = faculty.canvas()[faculty.course_of(second)]

    asked = faculty.harness.undone(older.plan_id)

    assert faculty.canvas()[faculty.course_of(first)] == names[first]
    assert faculty.canvas()[faculty.course_of(second)] == newest
    assert {loss.why for loss in asked.inverse.losses} == {Why.CHANGED_SINCE}


def test_an_undo_can_be_undone(faculty: College) -> None:
    dropped = mass_drop(faculty)
    after = everything(faculty)
    undoing = faculty.harness.undone(dropped.plan_id)
    assert undoing.plan_id

    faculty.harness.undone(undoing.plan_id)

    assert everything(faculty) == after
    assert faculty.harness.run(days_later=1).changes == 0


# -- what is remembered ------------------------------------------------------------------------------------------------


def test_a_rejected_undo_changes_nothing_and_is_not_remembered(faculty: College) -> None:
    dropped = mass_drop(faculty)
    after = everything(faculty)

    asked = faculty.harness.undo(dropped.plan_id)
    faculty.harness.decide(asked.request or 0, Answer("Reject", "it was right", "ola"))

    assert everything(faculty) == after
    assert faculty.harness.run(days_later=1).changes == 0


def test_a_sync_does_not_take_back_the_question_about_an_undo(faculty: College) -> None:
    dropped = mass_drop(faculty)
    before = everything(faculty)
    asked = faculty.harness.undo(dropped.plan_id)

    faculty.harness.run(days_later=1)

    assert faculty.harness.waiting() == [asked.request]
    assert everything(faculty) == before


def test_what_the_source_wants_otherwise_by_now_is_not_held_any_more(faculty: College) -> None:
    ue = faculty.teaching(0)
    faculty.rename_emne(ue, "Feil navn")
    faculty.harness.undone(faculty.harness.run(days_later=1).plan_id)
    held = faculty.harness.run(days_later=1)
    assert {one.guard_rule for one in faculty.harness.changes(held.plan_id)} == {"undone"}

    faculty.rename_emne(ue, "Riktig navn")
    done = faculty.harness.run(days_later=1)
    faculty.rename_emne(ue, "Feil navn")
    back = faculty.harness.run(days_later=1)

    for one in (done, back):
        assert states(faculty, one.plan_id) == {ChangeState.CONFIRMED}
    assert "Feil navn" in faculty.canvas()[faculty.course_of(ue)][1]


def test_somebody_new_is_not_held_for_those_whose_coming_was_undone(faculty: College) -> None:
    ue = faculty.teaching(0)
    first = newcomer(faculty)
    follows(faculty, first, ue)
    faculty.harness.undone(faculty.harness.run(days_later=1).plan_id)
    place = faculty.course_of(ue).sis_id
    assert standing(faculty, first, place) == "deleted"

    second = newcomer(faculty)
    follows(faculty, second, ue)
    faculty.harness.run(days_later=1)

    assert standing(faculty, second, place) == "active"
    assert standing(faculty, first, place) == "deleted"


def test_the_timeline_of_a_course_shows_who_undid_what_and_why(faculty: College) -> None:
    ue = faculty.teaching(0)
    faculty.rename_emne(ue, "Feil navn")
    wrong = faculty.harness.run(days_later=1)
    faculty.harness.undone(wrong.plan_id, "a typing error")
    faculty.harness.run(days_later=1)

    with faculty.harness.store.begin() as connection:
        told = history.of_object(connection, "demo", faculty.course_of(ue).sis_id)

    ours = [(one.event, one.detail) for one in told if one.kind == Kind.COURSE][-4:]
    assert ("undone", f"Undoes plan {wrong.plan_id}: a typing error") in ours
    assert "Undone by hand on 2026-09-02 because: a typing error." in ours[-1][1]


def test_the_timeline_of_a_person_shows_it_too(faculty: College) -> None:
    person = newcomer(faculty)
    follows(faculty, person, faculty.teaching(0))
    wrong = faculty.harness.run(days_later=1)
    faculty.harness.undone(wrong.plan_id, "not admitted")
    faculty.harness.run(days_later=1)

    told = timeline_of(faculty.harness.store, faculty.harness.institution, str(person.lopenummer))

    details = [one.detail for one in told if one.where.startswith("section")]
    assert any(f"Undoes plan {wrong.plan_id}: not admitted" in detail for detail in details)
    assert any("Undone by hand on 2026-09-02 because: not admitted." in detail for detail in details)


# -- killed ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "at", ["before import 1", "after import 1", "commit 1 after import 1", "commit 1 after report 1"]
)
def test_an_undo_that_was_killed_is_not_taken_back_and_can_be_finished(tmp_path: Path, at: str) -> None:
    with college(tmp_path, **PEOPLE) as one:
        one.harness.first_contact()
        before = everything(one)
        one.rename_emne(one.teaching(5), "Feil navn")
        dropped = mass_drop(one)
        after = everything(one)
        asked = one.harness.undo(dropped.plan_id)
        there = connections(one.sandbox.url, one.harness.institution)
        files = f"sqlite:///{tmp_path}/store.db", f"{tmp_path}/pages"
        job = Job(*files, PAGE_KEY, there, one.clock(), asked.request, settings=PEOPLE)

        assert killed_at(job, at) is None, "nobody was killed"
        one.harness.wait(lambda: everything(one) in (before, after))
        reached = everything(one)
        one.harness.run(days_later=1)

        assert everything(one) == reached
        one.harness.undone(dropped.plan_id)
        one.harness.run(days_later=1)
        assert everything(one) == before
