"""A person's question and answer over several days: what is asked together, what a no means, what is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, FatalError, NeedsPerson
from rosterflow.domain.snapshot import Scope
from rosterflow.store import approvals
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.plans import ChangeState
from rosterflow.sync import runs, settling
from rosterflow.sync.approving import Answer, conclude
from rosterflow.sync.describing import describe
from sandbox.university.model import Navn, Niva, Undervisningsenhet
from tests.scenarios.college import College, college

STRICT = {"removals": {"percent": 0, "floor": 1}, "updates": {"percent": 50, "floor": 20}}
YES, NO = Answer("Approve", "the term is over", "kari"), Answer("Reject", "not before the exam", "kari")
OPEN = ["claimed"] * 3


@pytest.fixture
def cautious(tmp_path: Path) -> Iterator[College]:
    """A synced college that holds more than one removal at a time."""
    with college(tmp_path, guards=STRICT) as one:
        one.harness.first_contact()
        yield one


def hold_three(one: College) -> list[Undervisningsenhet]:
    """Have three courses be closed, which is held; returns their teaching."""
    teaching = [one.teaching(at) for at in range(3)]
    one.export(*teaching, on=False)
    one.harness.run(days_later=1)
    return teaching


def states_of(one: College, teaching: list[Undervisningsenhet]) -> list[str]:
    return [one.state_in_canvas(one.course_of(ue)) for ue in teaching]


def narrowed_to(one: College, *teaching: Undervisningsenhet) -> Scope:
    terms = one.harness.open("plan").scope.terms
    return Scope(terms, emnekoder=frozenset(ue.emne.kode for ue in teaching))


def rename_faculty(one: College) -> None:
    with one.changing_fs() as university:
        next(unit for unit in university.enheter if unit.niva is Niva.FAKULTET).navn = Navn("Nytt fakultet")


def asked_about(one: College, number: int) -> int:
    with one.harness.store.begin() as connection:
        request = approvals.get_approval(connection, "demo", number)
        return len(approvals.changes_of(connection, request))


# -- a first contact is asked about as a whole ------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [NO, Answer("Reject", "", "time-out", timed_out=True)])
def test_a_rejected_first_plan_that_changed_is_asked_about_as_a_whole(stranger: College, answer: Answer) -> None:
    stranger.harness.run()
    stranger.harness.approve(1, answer)
    assert stranger.harness.run(days_later=1).guarded.ask == ()
    rename_faculty(stranger)

    done = stranger.harness.run(days_later=1)

    assert (done.guarded.allowed, done.guarded.ask) == (0, (2,))
    assert asked_about(stranger, 2) == done.changes


def test_a_first_contact_of_which_something_was_left_out_goes_on(stranger: College) -> None:
    first = stranger.harness.run()
    with stranger.harness.store.begin() as connection:
        connection.exec_driver_sql("UPDATE plan_change SET state = 'withdrawn' WHERE kind = 'section'")

    stranger.harness.approve(1, YES)

    done = stranger.harness.run(days_later=1)
    assert 0 < done.changes < first.changes
    assert done.guarded.allowed == 0
    assert {one.guard_rule for one in stranger.harness.changes(done.plan_id)} == {"first-contact"}


def test_what_was_rejected_with_a_first_contact_is_not_closed_after_it(cautious: College) -> None:
    settling.rebase(
        cautious.harness.store, cautious.harness.institution, actor="kari", reason="x", now=cautious.clock()
    )
    teaching = hold_three(cautious)
    cautious.harness.approve(None, NO)
    cautious.export(*teaching, on=True)
    cautious.harness.run(days_later=1)
    cautious.export(teaching[0], on=False)

    done = cautious.harness.run(days_later=1)

    assert (done.guarded.allowed, done.guarded.held) == (0, 1)
    assert states_of(cautious, teaching) == OPEN


# -- a request belongs to its institution -----------------------------------------------------------------------------


def test_a_request_that_the_institution_does_not_have_is_neither_shown_nor_decided(synced: College) -> None:
    harness = synced.harness
    with harness.store.begin() as connection:
        others = approvals.ask(
            connection, "other", 1, [], "hash", two_person=False, first_contact=False, now=synced.clock()
        )
    for number in (others, 999):
        for use in (
            lambda n: describe(harness.store, harness.institution, n),
            lambda n: harness.decide(n, YES),
            lambda n: conclude(harness.store, harness.institution, n, synced.clock()),
        ):
            with pytest.raises(FatalError) as caught:
                use(number)
            assert (caught.value.code, caught.value.message) == (
                Code.REQUEST_UNKNOWN,
                f"demo has no request for approval {number}.",
            )


# -- answers that do not count, and answers that never come -----------------------------------------------------------


def test_a_request_whose_answer_did_not_count_is_taken_back_when_nobody_wants_it_any_more(cautious: College) -> None:
    teaching = hold_three(cautious)
    with pytest.raises(NeedsPerson):
        cautious.harness.approve(2, Answer("Approve", "", "kari"))
    cautious.export(*teaching, on=True)
    cautious.harness.run(days_later=1)

    assert cautious.harness.approve(2, YES).state is ApprovalState.WITHDRAWN
    assert states_of(cautious, teaching) == OPEN


def test_a_no_without_a_comment_is_asked_about_again_and_nothing_slips_through(cautious: College) -> None:
    teaching = hold_three(cautious)
    with pytest.raises(NeedsPerson):
        cautious.harness.approve(2, Answer("Reject", "", "kari"))
    cautious.export(*teaching[1:], on=True)

    done = cautious.harness.run(days_later=1)

    assert (done.guarded.held, done.guarded.ask) == (1, (3,))
    assert states_of(cautious, teaching) == OPEN


def test_a_request_that_nobody_was_asked_about_is_named_by_each_run_and_made_anew_in_the_end(cautious: College) -> None:
    hold_three(cautious)

    asks = [cautious.harness.run(days_later=1).guarded.ask for _ in range(8)]

    assert asks == [(2,)] * 7 + [(3,)]
    assert cautious.acts()[-1] == ("rosterflow", "withdrawn", "asked again, for no answer that counts has come")


# -- a no is remembered -----------------------------------------------------------------------------------------------


def test_a_no_stands_although_people_renamed_the_course_in_canvas(cautious: College) -> None:
    teaching = hold_three(cautious)
    cautious.harness.approve(2, NO)
    cautious.export(*teaching[1:], on=True)
    cautious.edit_course(cautious.course_of(teaching[0]), name="Mitt kurs")
    read_canvas_anew(cautious)

    done = cautious.harness.run(days_later=1)

    assert (done.guarded.held, done.guarded.ask) == (1, ())
    assert states_of(cautious, teaching) == OPEN


def read_canvas_anew(one: College) -> None:
    """Have the next run take its base from Canvas."""
    with one.harness.store.begin() as connection:
        connection.exec_driver_sql("UPDATE institution SET based_at = NULL")


# -- what is no longer wanted is taken back ---------------------------------------------------------------------------


def test_a_narrowed_run_that_sees_a_course_takes_back_the_question_whether_to_close_it(cautious: College) -> None:
    teaching = hold_three(cautious)
    cautious.export(*teaching[1:], on=True)

    cautious.harness.run(scope=narrowed_to(cautious, *teaching))

    verdict = cautious.harness.approve(2, YES)
    assert (verdict.approved, verdict.withdrawn) == (1, 2)
    assert states_of(cautious, teaching) == ["completed", "claimed", "claimed"]


def test_a_narrowed_run_that_sees_a_course_takes_back_the_yes_to_close_it(cautious: College) -> None:
    teaching = hold_three(cautious)
    cautious.harness.decide(2, YES)
    cautious.export(*teaching, on=True)

    cautious.harness.run(scope=narrowed_to(cautious, *teaching))

    assert cautious.harness.approve(2, YES).state is ApprovalState.WITHDRAWN
    assert states_of(cautious, teaching) == OPEN


def test_what_was_approved_and_not_sent_is_looked_at_again_before_it_is(cautious: College) -> None:
    teaching = hold_three(cautious)
    cautious.harness.decide(2, YES)
    cautious.edit_course(cautious.course_of(teaching[0]), name="Mitt kurs")
    see_it_in_canvas(cautious)

    verdict = cautious.harness.approve(2, YES)

    assert (verdict.approved, verdict.stale) == (2, 1)
    assert states_of(cautious, teaching) == ["claimed", "completed", "completed"]


def test_a_yes_that_came_too_late_for_everything_is_stale(cautious: College) -> None:
    teaching = hold_three(cautious)
    cautious.harness.decide(2, YES)
    for ue in teaching:
        cautious.edit_course(cautious.course_of(ue), name=f"Mitt kurs {ue.emne.kode}")
    see_it_in_canvas(cautious)

    assert cautious.harness.approve(2, YES).approved == 0
    assert cautious.request(2) is ApprovalState.STALE


def see_it_in_canvas(one: College) -> None:
    """A run that reads Canvas anew, and fails before it plans."""
    read_canvas_anew(one)
    run = one.harness.settle(one.harness.open())
    runs.close_run(one.harness.store, one.harness.institution, run, well=False, now=one.clock())


def test_what_was_begun_to_be_sent_is_sent_to_its_end(cautious: College) -> None:
    teaching = hold_three(cautious)
    cautious.harness.decide(2, YES)
    cautious.harness.approve(2, YES)

    assert cautious.harness.approve(2, YES).approved == 3
    assert {one.state for one in cautious.harness.changes(2)} == {ChangeState.CONFIRMED}
    assert states_of(cautious, teaching) == ["completed"] * 3
