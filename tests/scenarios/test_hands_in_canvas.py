"""What people or other systems set in Canvas, and whether a course is published, outlive whatever we do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action
from rosterflow.store import institutions
from rosterflow.store.plans import ChangeState
from rosterflow.sync import hiding
from rosterflow.sync.settling import rebase
from sandbox.canvas.objects import Write
from sandbox.university.model import Undervisningsenhet
from tests.scenarios.college import College, college

# -- a base that is taken again ---------------------------------------------------------------------------------------


def take_base_again(one: College) -> None:
    """As after a run that ended before Canvas confirmed what was sent."""
    with one.harness.store.begin() as connection:
        institutions.mark(connection, "demo", based_at=None)


def rebase_by_hand(one: College) -> None:
    rebase(one.harness.store, one.harness.institution, actor="ola", reason="we restored a backup", now=one.clock())


@pytest.mark.parametrize("again", [take_base_again, rebase_by_hand])
def test_courses_that_people_concluded_or_deleted_are_not_opened_again_when_the_base_is_taken_again(
    synced: College, again: Callable[[College], None]
) -> None:
    concluded, deleted = (synced.course_of(synced.teaching(at)) for at in range(2))
    synced.by_hand("DELETE", f"/courses/sis_course_id:{concluded.sis_id}?event=conclude")
    synced.by_hand("DELETE", f"/courses/sis_course_id:{deleted.sis_id}?event=delete")
    again(synced)

    done = synced.harness.run(days_later=1)

    assert done.changes == 0
    assert (synced.state_in_canvas(concluded), synced.state_in_canvas(deleted)) == ("completed", "deleted")
    assert [synced.believed()[key].owned_by_canvas for key in (concluded, deleted)] == [frozenset({"state"})] * 2
    assert synced.events(concluded)[-1] == "kept by Canvas"


def test_a_course_that_a_person_opened_again_is_not_closed_a_second_time(synced: College) -> None:
    ue = synced.teaching()
    synced.export(ue, on=False)
    synced.harness.run(days_later=1)
    synced.edit_course(synced.course_of(ue), event="offer")
    take_base_again(synced)

    assert synced.harness.run(days_later=1).changes == 0
    assert synced.state_in_canvas(synced.course_of(ue)) == "available"


def test_what_we_closed_ourselves_before_a_run_ended_is_opened_again_when_it_is_wanted(synced: College) -> None:
    ue = synced.teaching()
    synced.export(ue, on=False)
    end_before_reading_back(synced)
    synced.export(ue, on=True)

    done = synced.harness.run(days_later=1)

    assert actions(synced, done.plan_id) == [(Action.REOPEN, ChangeState.CONFIRMED)]
    assert synced.state_in_canvas(synced.course_of(ue)) == "claimed"


def end_before_reading_back(one: College) -> None:
    """A run that sends its changes, and ends before anybody knows what came of them."""
    harness = one.harness
    one.clock.forward(days=1)
    run = harness.settle(harness.open())
    plan_id = harness.plan(run, harness.read(run))
    harness.guard(run, plan_id)
    harness.apply(run, plan_id)
    one.clock.forward(days=1)


def actions(one: College, plan_id: int) -> list[tuple[Action, ChangeState]]:
    return [(c.change.action, c.state) for c in one.harness.changes(plan_id)]


# -- published or not -------------------------------------------------------------------------------------------------


def off_and_on(one: College, *teaching: Undervisningsenhet) -> list[str]:
    """Turn the export off for a day and on again; the courses' states in Canvas after each."""
    courses = [one.course_of(ue) for ue in teaching]
    one.export(*teaching, on=False)
    one.harness.run(days_later=1)
    closed = [one.state_in_canvas(key) for key in courses]
    one.export(*teaching, on=True)
    done = one.harness.run(days_later=1)
    assert actions(one, done.plan_id) == [(Action.REOPEN, ChangeState.CONFIRMED)] * len(courses)
    assert one.harness.run(days_later=1).changes == 0
    return [*closed, *(one.state_in_canvas(key) for key in courses)]


def test_a_course_that_was_closed_is_afterwards_published_only_if_it_was_before(synced: College) -> None:
    never, published = synced.teaching(0), synced.teaching(1)
    synced.edit_course(synced.course_of(published), event="offer")

    assert off_and_on(synced, never, published) == ["completed", "completed", "claimed", "available"]
    assert off_and_on(synced, never, published) == ["completed", "completed", "claimed", "available"]


def test_a_course_that_a_teacher_opened_again_stays_published_when_fs_wants_it_again(synced: College) -> None:
    ue = synced.teaching()
    synced.export(ue, on=False)
    synced.harness.run(days_later=1)
    synced.edit_course(synced.course_of(ue), event="offer")
    synced.export(ue, on=True)

    synced.harness.run(days_later=1)

    assert synced.state_in_canvas(synced.course_of(ue)) == "available"


def test_a_course_that_was_hidden_is_published_again_only_if_it_was_before(tmp_path: Path) -> None:
    with college(tmp_path, removal={"course": "unpublish"}) as one:
        one.harness.first_contact()
        never, published = one.teaching(0), one.teaching(1)
        one.edit_course(one.course_of(published), event="offer")

        assert off_and_on(one, never, published) == ["claimed", "claimed", "claimed", "available"]


def test_a_course_with_graded_work_that_was_never_published_stays_as_csv_makes_it_and_says_so(synced: College) -> None:
    ue = synced.teaching()
    key = synced.course_of(ue)
    synced.export(ue, on=False)
    synced.harness.run(days_later=1)
    course = synced.sandbox.world.canvas.courses.by_sis_id(key.sis_id)
    assert course is not None
    course.graded_submissions = 1
    synced.export(ue, on=True)

    done = synced.harness.run(days_later=1)

    assert actions(synced, done.plan_id) == [(Action.REOPEN, ChangeState.REFUSED)]
    assert synced.state_in_canvas(key) == "available"
    ((subject, words),) = synced.open_errors()
    assert (subject, "unpublish" in words) == (str(key), True)


def test_a_re_opening_that_ended_before_the_course_was_unpublished_is_done_to_its_end(synced: College) -> None:
    ue = synced.teaching()
    synced.export(ue, on=False)
    synced.harness.run(days_later=1)
    synced.export(ue, on=True)
    end_before_reading_back(synced)
    assert synced.state_in_canvas(synced.course_of(ue)) == "available"

    synced.harness.run(days_later=1)

    assert synced.state_in_canvas(synced.course_of(ue)) == "claimed"
    assert synced.harness.run(days_later=1).changes == 0


def test_a_hiding_that_ended_before_it_was_written_down_still_knows_that_the_course_was_published(
    tmp_path: Path,
) -> None:
    with college(tmp_path, removal={"course": "unpublish"}) as one:
        one.harness.first_contact()
        ue = one.teaching()
        one.edit_course(one.course_of(ue), event="offer")
        one.export(ue, on=False)
        one.harness.run(days_later=1)
        with one.harness.store.begin() as connection:
            connection.exec_driver_sql("UPDATE canvas_object SET body = replace(body, 'unpublished', 'active')")

        assert off_and_on(one, ue) == ["claimed", "available"]


class Killed(BaseException):
    """The process is gone."""


def test_a_course_that_was_hidden_by_a_run_that_was_killed_is_published_when_fs_wants_it_again(tmp_path: Path) -> None:
    with college(tmp_path, removal={"course": "unpublish"}) as one:
        one.harness.first_contact()
        ue = one.teaching()
        one.edit_course(one.course_of(ue), event="offer")
        one.export(ue, on=False)
        with mock.patch.object(hiding, "Book", side_effect=Killed), pytest.raises(Killed):
            one.harness.run(days_later=1)
        assert one.state_in_canvas(one.course_of(ue)) == "claimed"
        one.clock.forward(days=1)  # the lease of the killed run is over
        one.export(ue, on=True)

        one.harness.run()

        assert one.state_in_canvas(one.course_of(ue)) == "available"


# -- terms ------------------------------------------------------------------------------------------------------------


TERM = Key(Kind.TERM, "2027_HØST")
NAME = "Høst 2027 (rektor)"


def make_term(one: College) -> None:
    """Another institution's import makes a term in the Canvas that we share: nothing of it is a person's."""
    with one.sandbox.world.canvas.lock:
        one.sandbox.world.canvas.create_term(Write(), name=NAME, sis_id=TERM.sis_id)


def test_a_term_that_others_made_since_we_looked_is_not_rewritten(synced: College) -> None:
    make_term(synced)

    done = synced.harness.run(days_later=150)

    assert TERM.sis_id in done.run.scope.terms
    assert synced.canvas()[TERM] == (NAME, None, None, "active")
    assert synced.events(TERM) == ["found in Canvas"]


def test_a_term_that_others_made_is_rewritten_when_its_dates_are_ours(tmp_path: Path) -> None:
    with college(tmp_path, canvas={"owns_term_dates": True}) as one:
        one.harness.first_contact()
        make_term(one)

        one.harness.run(days_later=150)

        assert one.canvas()[TERM][1] is not None


def test_terms_under_others_ids_are_left_alone(synced: College) -> None:
    with synced.sandbox.world.canvas.lock:
        synced.sandbox.world.canvas.create_term(Write(), name="Sommerkurs", sis_id="SK27")

    synced.harness.run(days_later=1)

    assert Key(Kind.TERM, "SK27") not in synced.believed()
