"""What Canvas says, row by row, and what it really has, become what we believe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, RetryableError, RowError
from rosterflow.domain.model import Key, Kind, State, key_of
from rosterflow.domain.plan import Action
from rosterflow.hooks.canvas_records import ImportMessage
from rosterflow.store import plans, row_errors
from rosterflow.store.plans import ChangeState
from rosterflow.sync.confirming import waits_for_reading_back
from rosterflow.sync.hiding import hide_courses, settle_hidden
from tests.sync.desk import (
    COURSE,
    HOME,
    NOW,
    OTHER,
    SECTION,
    TERM,
    UNIT,
    Desk,
    change,
    close,
    create,
    desk,
    message,
)

CONFIRMED, REFUSED, SENT = ChangeState.CONFIRMED, ChangeState.REFUSED, ChangeState.SENT
OWNED, UNKNOWN = ChangeState.OWNED, ChangeState.UNKNOWN
CLOSED = replace(COURSE, state=State.COMPLETED)
RENAMED = replace(COURSE, long_name="Nytt navn")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        yield one


def send_with(at: Desk, plan_id: int, *messages: tuple[str, int | None, str]) -> None:
    """Send a plan whose import ends with messages about files, by kind, and rows."""
    prepared = at.prepare(plan_id)
    assert prepared is not None
    at.canvas.messages = [message(f"{prepared.mark}-{kind}.csv", row, words) for kind, row, words in messages]
    at.send(plan_id)


# -- right after the import -------------------------------------------------------------------------------------------


def test_what_was_created_is_confirmed_at_once(at: Desk) -> None:
    plan_id = at.plan(create(UNIT), create(TERM), create(COURSE), create(SECTION))

    outcome = at.send(plan_id)

    assert (outcome.confirmed, outcome.refused, outcome.to_read_back) == (4, 0, 0)
    assert at.things() == {UNIT, TERM, COURSE, SECTION}
    assert at.states(plan_id) == [CONFIRMED] * 4
    assert at.events(key_of(COURSE)) == ["created"]


def test_a_refused_row_is_shown_with_canvas_words_and_blocks_no_other(at: Desk) -> None:
    plan_id = at.plan(create(UNIT), create(OTHER))

    send_with(at, plan_id, ("accounts", 3, "No name given for account 184_2_0_0, skipping"))

    assert at.things() == {UNIT}
    assert at.states(plan_id) == [CONFIRMED, REFUSED]
    assert at.errors() == [("account 184_2_0_0", "No name given for account 184_2_0_0, skipping")]
    with at.store.begin() as connection:
        assert list(row_errors.refusals(connection, HOME.key)) == [key_of(OTHER)]


def test_a_row_that_is_accepted_at_last_is_no_error_any_more(at: Desk) -> None:
    plan_id = at.plan(create(OTHER))
    send_with(at, plan_id, ("accounts", 2, "No name"))
    at.canvas.messages = []

    at.send(at.plan(create(OTHER)))

    assert (at.errors(), at.things()) == ([], {OTHER})
    with at.store.begin() as connection:
        assert row_errors.refusals(connection, HOME.key) == {}


@pytest.mark.parametrize(
    ("state", "stray", "uncounted"),
    [
        ("aborted", False, 0),
        ("failed_with_messages", False, 0),
        ("failed", False, 0),
        ("imported_with_messages", True, 0),
        ("imported", False, 1),
    ],
    ids=["aborted", "failed with messages", "failed", "a message about no row of ours", "fewer rows counted"],
)
def test_when_the_import_cannot_be_trusted_everything_is_read_back(
    at: Desk, state: str, stray: bool, uncounted: int
) -> None:
    at.canvas.state, at.canvas.uncounted = state, uncounted
    at.canvas.messages = [ImportMessage("", None, "Error while importing CSV.")] if stray else []
    plan_id = at.plan(create(UNIT), create(OTHER))

    at.send(plan_id)

    assert at.states(plan_id) == [SENT, SENT]
    assert waits_for_reading_back(at.store, plan_id) == {Kind.ACCOUNT}
    assert at.things() == set()


def test_confirming_again_changes_nothing(at: Desk) -> None:
    plan_id = at.plan(create(UNIT))
    at.send(plan_id)

    assert at.send(plan_id).confirmed == 0
    assert at.events(key_of(UNIT)) == ["created"]


def test_a_course_whose_term_was_refused_is_read_back(at: Desk) -> None:
    """Canvas puts it into the default term, without a word."""
    at.believe(UNIT)
    plan_id = at.plan(create(TERM), create(COURSE))

    send_with(at, plan_id, ("terms", 2, "A term did not pass validation"))
    assert at.states(plan_id) == [REFUSED, SENT]
    at.read_back(plan_id, replace(COURSE, term=None))

    assert at.states(plan_id) == [REFUSED, UNKNOWN]
    assert at.believed()[key_of(COURSE)].thing == replace(COURSE, term=None)
    assert at.believed()[key_of(COURSE)].owned_by_canvas == frozenset()


def test_a_changed_id_is_followed_by_everything_below_it(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE, SECTION)
    renamed = replace(COURSE, sis_id="UE_2")
    plan_id = at.plan(change(Action.CHANGE_ID, COURSE, renamed))

    at.send(plan_id)

    assert at.things() == {UNIT, TERM, renamed, replace(SECTION, course="UE_2")}


# -- reading back -----------------------------------------------------------------------------------------------------


def test_an_update_that_canvas_shows_is_confirmed(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(change(Action.UPDATE, COURSE, RENAMED))
    at.send(plan_id)

    at.read_back(plan_id, RENAMED)

    assert (at.states(plan_id), at.believed()[key_of(COURSE)].thing) == ([CONFIRMED], RENAMED)


def test_a_field_that_stayed_although_its_row_was_carried_out_belongs_to_canvas(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(change(Action.UPDATE, COURSE, RENAMED))
    at.send(plan_id)

    at.read_back(plan_id, replace(COURSE, long_name="Lærerens navn"))

    one = at.believed()[key_of(COURSE)]
    assert (at.states(plan_id), at.messages(plan_id)) == ([OWNED], ["kept by Canvas: long_name"])
    assert (one.thing.sis_id, one.owned_by_canvas) == ("UE_1", frozenset({"long_name"}))
    assert one.thing == replace(COURSE, long_name="Lærerens navn")


def test_a_field_that_stayed_because_the_import_was_aborted_belongs_to_nobody(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    at.canvas.state = "aborted"
    plan_id = at.plan(change(Action.UPDATE, COURSE, RENAMED))
    at.send(plan_id)

    at.read_back(plan_id, COURSE)

    assert at.states(plan_id) == [UNKNOWN]
    assert at.believed()[key_of(COURSE)].owned_by_canvas == frozenset()


def test_of_an_aborted_import_what_canvas_shows_is_confirmed_and_the_rest_is_not(at: Desk) -> None:
    at.canvas.state = "aborted"
    plan_id = at.plan(create(UNIT), create(OTHER))
    at.send(plan_id)

    at.read_back(plan_id, UNIT)

    assert at.states(plan_id) == [CONFIRMED, UNKNOWN]
    assert at.things() == {UNIT}


def test_an_id_that_an_aborted_import_did_not_change_is_still_known_by_its_old_name(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    at.canvas.state = "aborted"
    plan_id = at.plan(change(Action.CHANGE_ID, COURSE, replace(COURSE, sis_id="UE_2")))
    at.send(plan_id)

    at.read_back(plan_id, COURSE)

    assert (at.states(plan_id), at.things()) == ([UNKNOWN], {UNIT, TERM, COURSE})


def test_what_canvas_does_not_have_at_all_is_forgotten_and_will_be_made_anew(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(change(Action.UPDATE, COURSE, RENAMED))
    at.send(plan_id)

    at.read_back(plan_id, replace(COURSE, sis_id="UE_9"))

    assert (at.states(plan_id), at.things()) == ([UNKNOWN], {UNIT, TERM})


def test_a_report_that_lists_nothing_of_a_kind_is_not_believed(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(change(Action.UPDATE, COURSE, RENAMED))
    at.send(plan_id)

    with pytest.raises(RetryableError) as caught:
        at.read_back(plan_id, UNIT)

    assert (caught.value.code, caught.value.message) == (
        Code.BAD_RESPONSE,
        "Canvas's provisioning report lists no course at all.",
    )
    assert (at.states(plan_id), len(at.things())) == ([SENT], 3)


def test_a_course_whose_state_stayed_is_concluded_by_rest(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(close(COURSE))
    at.send(plan_id)

    at.read_back(plan_id, COURSE)

    assert at.canvas.steered == [("conclude", "UE_1")]
    assert (at.states(plan_id), at.believed()[key_of(COURSE)].thing) == ([CONFIRMED], CLOSED)


def test_a_closed_course_that_stayed_closed_is_reopened_by_rest(at: Desk) -> None:
    at.believe(UNIT, TERM, CLOSED)
    plan_id = at.plan(change(Action.REOPEN, CLOSED, COURSE))
    at.send(plan_id)

    at.read_back(plan_id, CLOSED)

    assert at.canvas.steered == [("offer", "UE_1")]
    assert (at.states(plan_id), at.believed()[key_of(COURSE)].thing) == ([CONFIRMED], COURSE)


def test_what_canvas_refuses_to_conclude_is_a_refused_row(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(close(COURSE))
    at.send(plan_id)
    at.canvas.fails = RowError(Code.ROW_REFUSED, "Canvas refused it.")

    at.read_back(plan_id, COURSE)

    assert (at.states(plan_id), at.errors()) == ([REFUSED], [("course UE_1", "Canvas refused it.")])
    assert at.believed()[key_of(COURSE)].thing == COURSE


def test_a_course_that_somebody_deleted_needs_no_closing(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(close(COURSE))
    at.send(plan_id)

    at.read_back(plan_id, replace(COURSE, state=State.DELETED))

    assert at.canvas.steered == []
    assert at.believed()[key_of(COURSE)].thing.state is State.DELETED
    assert at.states(plan_id) == [OWNED]


def test_of_an_import_that_was_aborted_nothing_is_steered(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    at.canvas.state = "aborted"
    plan_id = at.plan(close(COURSE))
    at.send(plan_id)

    at.read_back(plan_id, COURSE)

    assert (at.canvas.steered, at.states(plan_id)) == ([], [UNKNOWN])


def test_a_hidden_course_is_shown_by_canvas_as_active_and_stays_hidden_to_us(at: Desk) -> None:
    hidden = replace(COURSE, state=State.UNPUBLISHED)
    at.believe(UNIT, TERM, hidden)
    plan_id = at.plan(change(Action.UPDATE, hidden, replace(hidden, long_name="Nytt navn")))
    at.send(plan_id)

    at.read_back(plan_id, RENAMED)

    one = at.believed()[key_of(COURSE)]
    assert (at.states(plan_id), one.thing.state, one.owned_by_canvas) == (
        [CONFIRMED],
        State.UNPUBLISHED,
        frozenset(),
    )


def test_dates_that_canvas_shows_in_another_zone_are_the_same(at: Desk) -> None:
    dated = replace(COURSE, end=datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC))
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(change(Action.UPDATE, COURSE, dated))
    at.send(plan_id)

    at.read_back(plan_id, dated)

    assert at.states(plan_id) == [CONFIRMED]


def test_an_account_remembers_that_a_course_moved_out_of_it(at: Desk) -> None:
    at.believe(UNIT, OTHER, TERM, COURSE)
    moved = replace(COURSE, account=OTHER.sis_id)
    plan_id = at.plan(change(Action.UPDATE, COURSE, moved))
    at.send(plan_id)

    at.read_back(plan_id, moved)

    assert at.events(key_of(UNIT)) == ["moved out"]


# -- unpublishing -----------------------------------------------------------------------------------------------------


def test_courses_are_hidden_by_rest_and_one_that_canvas_refuses_is_a_refused_row(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    hide = change(Action.HIDE, COURSE, replace(COURSE, state=State.UNPUBLISHED))
    plan_id = at.plan(hide)
    at.canvas.fails = RowError(Code.ROW_REFUSED, "It has graded work.")

    refused = hide_courses(at.store, at.hook, HOME, plan_id, None, run_id=at.run.id, now=NOW)
    assert (refused.refused, at.states(plan_id)) == (1, [REFUSED])
    at.canvas.fails = None
    with at.store.begin() as connection:
        plans.set_state(connection, plan_id, [0], ChangeState.ALLOWED)
    done = hide_courses(at.store, at.hook, HOME, plan_id, None, run_id=at.run.id, now=NOW)

    assert (done.confirmed, at.states(plan_id), at.canvas.steered) == (1, [CONFIRMED], [("claim", "UE_1")])
    assert at.believed()[Key(Kind.COURSE, "UE_1")].thing.state is State.UNPUBLISHED
    assert at.errors() == []


@pytest.mark.parametrize(("found", "state"), [("unpublished", CONFIRMED), ("available", SENT)])
def test_which_courses_a_killed_run_had_hidden_is_asked_of_canvas(at: Desk, found: str, state: ChangeState) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(change(Action.HIDE, COURSE, replace(COURSE, state=State.UNPUBLISHED)))
    at.canvas.fails = RetryableError(Code.UNREACHABLE, "Canvas did not answer.")
    with pytest.raises(RetryableError):
        hide_courses(at.store, at.hook, HOME, plan_id, None, run_id=at.run.id, now=NOW)
    at.canvas.course_states["UE_1"] = found

    settle_hidden(at.store, at.hook, HOME, at.run.id, NOW)

    assert at.states(plan_id) == [state]


def test_a_hiding_that_was_begun_is_gone_on_with(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE)
    plan_id = at.plan(change(Action.HIDE, COURSE, replace(COURSE, state=State.UNPUBLISHED)))
    at.canvas.fails = RetryableError(Code.UNREACHABLE, "Canvas did not answer.")
    with pytest.raises(RetryableError):
        hide_courses(at.store, at.hook, HOME, plan_id, None, run_id=at.run.id, now=NOW)
    at.canvas.fails = None

    hide_courses(at.store, at.hook, HOME, plan_id, None, run_id=at.run.id, now=NOW)

    assert (at.states(plan_id), at.canvas.steered) == ([CONFIRMED], [("claim", "UE_1")])


def test_what_is_refused_only_for_lack_of_what_it_lies_in_does_not_rest_on_its_own(at: Desk) -> None:
    inside = replace(OTHER, parent=UNIT.sis_id)
    plan_id = at.plan(create(UNIT), create(inside))

    send_with(at, plan_id, ("accounts", 2, "No name given"), ("accounts", 3, "Parent account didn't exist"))

    assert at.states(plan_id) == [REFUSED, REFUSED]
    with at.store.begin() as connection:
        assert row_errors.refusals(connection, HOME.key).keys() == {key_of(UNIT)}
