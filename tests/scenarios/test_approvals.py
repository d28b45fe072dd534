"""What is held waits for a person, and only what was shown is ever done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, NeedsPerson
from rosterflow.domain.model import Kind
from rosterflow.domain.plan import hash_of
from rosterflow.store import approvals
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.plans import ChangeState
from rosterflow.sync.approving import Answer
from rosterflow.sync.describing import describe
from sandbox.university.model import Undervisningsenhet
from tests.scenarios.college import College, college

REMOVED = 3
STRICT = {"removals": {"percent": 0, "floor": 1}, "updates": {"percent": 50, "floor": 20}}


@pytest.fixture
def cautious(tmp_path: Path) -> Iterator[College]:
    """A synced college that holds more than one removal at a time."""
    with college(tmp_path, guards=STRICT) as one:
        one.harness.first_contact()
        yield one


def hold(one: College) -> list[Undervisningsenhet]:
    """Have three courses be closed, which is held; returns their teaching."""
    teaching = [one.teaching(at) for at in range(REMOVED)]
    one.export(*teaching, on=False)
    done = one.harness.run(days_later=1)
    assert (done.guarded.held, done.guarded.ask, one.harness.waiting()) == (REMOVED, (2,), [2])
    return teaching


def states_of(one: College, teaching: list[Undervisningsenhet]) -> list[str]:
    return [one.state_in_canvas(one.course_of(ue)) for ue in teaching]


def yes(user: str = "kari", comment: str = "the term is over") -> Answer:
    return Answer("Approve", comment, user)


def no(user: str = "kari", comment: str = "not before the exam") -> Answer:
    return Answer("Reject", comment, user)


NOBODY = Answer("Reject", "", "time-out", timed_out=True)


def test_approved_changes_are_sent_and_the_person_is_in_the_audit(cautious: College) -> None:
    teaching = hold(cautious)
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED

    verdict = cautious.harness.approve(2, yes())

    assert (verdict.state, verdict.approved) == (ApprovalState.APPROVED, REMOVED)
    assert states_of(cautious, teaching) == ["completed"] * REMOVED
    assert cautious.request(2) is ApprovalState.APPLIED
    assert cautious.acts()[1:] == [("kari", "approve", "the term is over")]
    assert cautious.events(cautious.course_of(teaching[0]))[-3:] == ["held", "approved", "closed"]
    assert cautious.harness.run(days_later=1).changes == 0


def test_the_question_names_counts_reasons_and_every_change(cautious: College) -> None:
    teaching = hold(cautious)

    told = describe(cautious.harness.store, cautious.harness.institution, 2, link="https://airflow.example.edu/log")

    assert told.subject.startswith("Demohøgskolen: 3 change(s) held: ")
    assert "3 of 19 courses in the institution; the limit is 1." in told.subject
    assert len(told.lines) == REMOVED
    assert all(cautious.course_of(ue).sis_id in " ".join(told.lines) for ue in teaching)
    assert "https://airflow.example.edu/log" in told.body
    assert "**3 change(s) wait for a decision.** A comment is required." in told.body


def test_waiting_holds_up_neither_the_rest_nor_the_next_day(cautious: College) -> None:
    teaching = hold(cautious)
    cautious.rename_emne(cautious.teaching(), "Et nytt navn")

    done = cautious.harness.run(days_later=1)

    assert (done.guarded.held, done.guarded.ask) == (REMOVED, (2,))
    assert done.guarded.allowed > 0
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED


def test_a_rejected_change_is_not_done_and_asked_about_again_after_a_week(cautious: College) -> None:
    teaching = hold(cautious)

    verdict = cautious.harness.approve(2, no())

    assert (verdict.state, verdict.approved) == (ApprovalState.REJECTED, 0)
    assert cautious.acts()[-1] == ("kari", "reject", "not before the exam")
    soon = cautious.harness.run(days_later=5)
    assert (soon.guarded.held, soon.guarded.ask) == (REMOVED, ())
    later = cautious.harness.run(days_later=5)
    assert (later.guarded.held, later.guarded.ask) == (REMOVED, (3,))
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED


def test_a_rejected_removal_does_not_slip_through_when_fewer_are_left(cautious: College) -> None:
    teaching = hold(cautious)
    cautious.harness.approve(2, no())
    cautious.export(*teaching[1:], on=True)

    for days in (1, 30):
        done = cautious.harness.run(days_later=days)
        assert (done.guarded.allowed, done.guarded.held) == (0, 1)
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED


def test_no_answer_in_time_is_a_rejection_by_time_out(cautious: College) -> None:
    hold(cautious)

    verdict = cautious.harness.approve(2, NOBODY)

    assert verdict.state is ApprovalState.TIMED_OUT
    assert cautious.acts()[-1] == ("time-out", "time-out", "Nobody answered in time.")
    assert cautious.harness.run(days_later=1).guarded.ask == ()


def test_what_a_newer_plan_no_longer_contains_is_withdrawn(cautious: College) -> None:
    teaching = hold(cautious)
    cautious.export(*teaching, on=True)

    cautious.harness.run(days_later=1)

    assert cautious.request(2) is ApprovalState.WITHDRAWN
    assert cautious.acts()[-1] == ("rosterflow", "withdrawn", "a newer plan no longer contains it")
    verdict = cautious.harness.approve(2, yes())
    assert (verdict.state, verdict.approved) == (ApprovalState.WITHDRAWN, 0)
    assert cautious.acts()[-1] == (
        "kari",
        "refused",
        "It was withdrawn: a newer plan no longer contains it, or asks anew.",
    )
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED


def test_of_a_request_only_what_still_stands_is_done(cautious: College) -> None:
    teaching = hold(cautious)
    cautious.export(teaching[0], on=True)
    cautious.harness.run(days_later=1)

    verdict = cautious.harness.approve(2, yes())

    assert (verdict.approved, verdict.withdrawn) == (2, 1)
    assert states_of(cautious, teaching) == ["claimed", "completed", "completed"]


def test_a_change_whose_object_is_no_longer_as_it_was_shown_is_refused(cautious: College) -> None:
    teaching = hold(cautious)
    # The next day's read is not complete, so nothing is withdrawn; the name that was shown is no longer the one.
    cautious.edit_course(cautious.course_of(teaching[0]), name="Et annet navn")
    with cautious.harness.store.begin() as connection:
        connection.exec_driver_sql("UPDATE institution SET based_at = NULL")
    cautious.fault("fs", "null_node", count=1, match="evu_kurs")
    cautious.harness.run(days_later=1)

    verdict = cautious.harness.approve(2, yes())

    assert (verdict.approved, verdict.stale) == (2, 1)
    assert states_of(cautious, teaching) == ["claimed", "completed", "completed"]
    assert cautious.acts()[-1] == ("rosterflow", "refused", "Canvas is no longer as it was shown.")
    assert "stale" in cautious.events(cautious.course_of(teaching[0]))


def test_nothing_is_done_while_what_canvas_has_must_be_read_again(cautious: College) -> None:
    teaching = hold(cautious)
    with cautious.harness.store.begin() as connection:
        connection.exec_driver_sql("UPDATE institution SET based_at = NULL")

    verdict = cautious.harness.approve(2, yes())

    assert (verdict.state, verdict.stale) == (ApprovalState.STALE, REMOVED)
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ((yes(comment="  "),), "The comment is missing."),
        ((no(comment=""),), "The comment is missing."),
        ((), "There is no answer."),
    ],
)
def test_an_answer_that_does_not_count_is_told_and_can_be_given_again(
    cautious: College, answers: tuple[Answer, ...], words: str
) -> None:
    teaching = hold(cautious)

    refused = answer(cautious, 2, *answers)

    assert refused.message == f"demo: request 2: {words}"
    assert cautious.acts()[-1][1:] == ("refused", words)
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED
    assert cautious.harness.approve(2, yes()).approved == REMOVED


def answer(one: College, number: int, *answers: Answer) -> NeedsPerson:
    """The error that answers to a request give."""
    with pytest.raises(NeedsPerson) as caught:
        one.harness.decide(number, *answers)
    assert caught.value.code is Code.APPROVAL_INVALID
    return caught.value


def test_after_an_answer_that_did_not_count_the_next_day_asks_anew(cautious: College) -> None:
    hold(cautious)
    answer(cautious, 2, yes(comment=""))

    assert cautious.harness.run(days_later=1).guarded.ask == (3,)


def test_only_the_approvers_of_the_settings_may_answer(tmp_path: Path) -> None:
    with college(tmp_path, guards=STRICT, approval={"approvers": ["7", "8"]}) as one:
        one.harness.run()
        assert "Whoever answered is not among the approvers." in answer(one, 1, yes()).message
        assert one.harness.approve(1, yes("7")).approved > 0
        hold(one)
        assert "Whoever answered is not among the approvers." in answer(one, 2, no("9")).message
        assert one.harness.approve(2, yes("8")).approved == REMOVED


def test_a_large_removal_takes_two_different_people(tmp_path: Path) -> None:
    guards = {**STRICT, "two_person": {"percent": 10, "floor": 500}}
    with college(tmp_path, guards=guards) as one:
        one.harness.first_contact()
        teaching = hold(one)

        assert "A second person must answer too." in answer(one, 2, yes()).message
        assert "another one than the first" in answer(one, 2, yes(), yes()).message
        assert "The comment is missing." in answer(one, 2, yes(), yes("ola", "")).message
        assert states_of(one, teaching) == ["claimed"] * REMOVED
        assert one.harness.approve(2, yes(), yes("ola")).approved == REMOVED
        assert [act[:2] for act in one.acts()[-2:]] == [("kari", "approve"), ("ola", "approve")]
        assert states_of(one, teaching) == ["completed"] * REMOVED


@pytest.mark.parametrize(("second", "state"), [(no("ola"), ApprovalState.REJECTED), (NOBODY, ApprovalState.TIMED_OUT)])
def test_the_second_persons_no_or_silence_counts(tmp_path: Path, second: Answer, state: ApprovalState) -> None:
    guards = {**STRICT, "two_person": {"percent": 10, "floor": 500}}
    with college(tmp_path, guards=guards) as one:
        one.harness.first_contact()
        hold(one)

        assert one.harness.approve(2, yes(), second).state is state


def test_a_large_removal_cannot_be_split_among_requests_that_one_person_approves(tmp_path: Path) -> None:
    guards = {"removals": {"percent": 0, "floor": 0}, "two_person": {"percent": 100, "floor": 3}}
    with college(tmp_path, guards=guards) as one:
        one.harness.first_contact()
        teaching = [one.teaching(at) for at in range(4)]
        one.export(*teaching[:2], on=False)
        assert one.harness.run(days_later=1).guarded.ask == (2,)
        one.export(*teaching[2:], on=False)

        done = one.harness.run(days_later=1)

        assert (done.guarded.held, done.guarded.ask, one.harness.waiting()) == (4, (3,), [3])
        assert one.request(2) is ApprovalState.WITHDRAWN
        words = "asked again with others, for together they are too many for one person"
        assert one.acts()[-1] == ("rosterflow", "withdrawn", words)
        assert "A second person must answer too." in answer(one, 3, yes()).message
        assert one.harness.approve(3, yes(), yes("ola")).approved == 4
        assert states_of(one, teaching) == ["completed"] * 4


def test_what_two_people_are_asked_about_is_asked_once(tmp_path: Path) -> None:
    guards = {"removals": {"percent": 0, "floor": 0}, "two_person": {"percent": 100, "floor": 2}}
    with college(tmp_path, guards=guards) as one:
        one.harness.first_contact()
        hold(one)

        assert one.harness.run(days_later=1).guarded.ask == (2,)
        assert one.harness.waiting() == [2]


def test_changes_that_were_tampered_with_since_they_were_shown_are_refused(cautious: College) -> None:
    teaching = hold(cautious)
    with cautious.harness.store.begin() as connection:
        connection.exec_driver_sql("UPDATE plan_change SET after = replace(after, '\"completed\"', '\"deleted\"')")

    assert "not the ones that were shown" in answer(cautious, 2, yes()).message
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED


def test_deciding_again_after_a_killed_try_finds_what_was_decided(cautious: College) -> None:
    teaching = hold(cautious)
    first = cautious.harness.decide(2, yes())
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED

    assert cautious.harness.approve(2, yes()) == first
    assert states_of(cautious, teaching) == ["completed"] * REMOVED
    assert [act[1] for act in cautious.acts()].count("approve") == 2


def test_what_was_approved_and_never_sent_goes_with_the_next_days_plan(cautious: College) -> None:
    teaching = hold(cautious)
    cautious.harness.decide(2, yes())

    done = cautious.harness.run(days_later=1)

    assert (done.guarded.allowed, done.guarded.held, done.guarded.ask) == (REMOVED, 0, ())
    assert states_of(cautious, teaching) == ["completed"] * REMOVED
    assert cautious.request(2) is ApprovalState.APPLIED


def test_an_approval_does_not_outlive_the_day_on_which_it_was_no_longer_needed(cautious: College) -> None:
    teaching = hold(cautious)
    cautious.harness.decide(2, yes())
    cautious.export(*teaching, on=True)
    cautious.harness.run(days_later=1)
    assert cautious.acts()[-1] == ("rosterflow", "withdrawn", "a newer plan no longer contains it")
    assert cautious.request(2) is ApprovalState.WITHDRAWN

    cautious.export(*teaching, on=False)
    done = cautious.harness.run(days_later=5)

    assert (done.guarded.allowed, done.guarded.held, done.guarded.ask) == (0, REMOVED, (3,))
    assert states_of(cautious, teaching) == ["claimed"] * REMOVED


def test_an_incomplete_read_takes_no_approval_back(cautious: College) -> None:
    teaching = hold(cautious)
    cautious.harness.decide(2, yes())
    cautious.fault("fs", "null_node", count=1, match="evu_kurs")
    cautious.harness.run(days_later=1)

    cautious.harness.run(days_later=1)

    assert states_of(cautious, teaching) == ["completed"] * REMOVED
    assert cautious.request(2) is ApprovalState.APPLIED


def test_what_was_approved_is_not_sent_without_what_it_depends_on(stranger: College) -> None:
    """A course of a unit that is still held is not sent before the unit is."""
    stranger.harness.run()
    first = stranger.harness.waiting()[0]
    unit_only, rest = split(stranger, first)

    verdict = stranger.harness.approve(rest, yes())

    assert verdict.approved == 0 or verdict.stale > 0
    orphans = [c for c in stranger.harness.changes(1, ChangeState.STALE) if "cannot go ahead without" in str(c.message)]
    assert orphans
    assert stranger.harness.approve(unit_only, yes()).approved > 0


def split(one: College, number: int) -> tuple[int, int]:
    """Make two requests of one: the accounts, and everything else; returns their ids."""
    with one.harness.store.begin() as connection:
        shown = approvals.changes_of(connection, approvals.get_approval(connection, "demo", number))
        made = []
        for is_account in (True, False):
            some = [c for c in shown if (c.change.kind is Kind.ACCOUNT) is is_account]
            digest = hash_of(c.fingerprint for c in some)
            seqs = [c.seq for c in some]
            made.append(
                approvals.ask(
                    connection, "demo", 1, seqs, digest, two_person=False, first_contact=True, now=one.clock()
                )
            )
        approvals.set_approval_state(connection, number, ApprovalState.WITHDRAWN, one.clock())
    return made[0], made[1]
