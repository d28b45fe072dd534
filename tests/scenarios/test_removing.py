"""Drops and removals of staff: only on evidence, guarded, and approved by people where they are too many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rosterflow.domain.coursekey.campus import Resource, SectionKey, Standing
from rosterflow.domain.coursekey.queue import EntryState, Intent
from rosterflow.domain.errors import Code, NeedsPerson
from rosterflow.store import coursekey_maps
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.coursekey_maps import MapKey, MapKind, Mapped
from rosterflow.store.coursekey_tables import campus_record
from rosterflow.sync.approving import APPROVE, Answer
from tests.domain.coursekey.builders import college as settings
from tests.scenarios.campus import (
    DAY,
    MATH,
    MINUTE,
    NOW,
    Campus,
    a_section,
    campus,
    enrollment,
    person,
    registration,
    section,
    staff,
    teaching,
)

SOON = NOW + 15 * MINUTE
GUARDS = {"removals": {"percent": 10, "floor": 3}, "two_person": {"percent": 60, "floor": 50}}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Campus]:
    """A college with a section of twenty that is in CourseKey."""
    with campus(tmp_path, INSTRUCTOR_ADD_ONLY="N", guards=GUARDS) as made:
        a_section(made.registrar, 20)
        made.sync()
        yield made


def numbers(count: int) -> list[str]:
    return [f"2{n:03}" for n in range(count)]


def drop(one: Campus, *people: str, standing: Standing = Standing.DROPPED) -> None:
    one.registrar.have(*(registration(number, standing=standing) for number in people), at=NOW + MINUTE)


def yes(user: str = "nora", comment: str = "They left") -> Answer:
    return Answer(APPROVE, comment, user)


def removed(one: Campus) -> set[str]:
    return {number for number in numbers(20) if enrollment(number) not in one.there()}


def test_a_drop_is_sent(one: Campus) -> None:
    drop(one, "2000")

    assert one.sync(SOON) == [(enrollment("2000"), Intent.REMOVE)]
    assert one.told_of(enrollment("2000"))[-2:] == [(EntryState.PENDING, "due"), (EntryState.DONE, "sent")]


def test_who_goes_back_to_the_wait_list_is_dropped(one: Campus) -> None:
    drop(one, "2000", standing=Standing.WAITLISTED)

    assert one.sync(SOON) == [(enrollment("2000"), Intent.REMOVE)]


def test_who_is_missing_from_a_whole_read_is_dropped(one: Campus) -> None:
    one.registrar.lose(registration("2000"))

    assert one.sync(SOON) == []
    assert one.sync(NOW + DAY) == [(enrollment("2000"), Intent.REMOVE)]


@pytest.mark.parametrize("trouble", ["gaps", "problems"])
def test_a_failed_or_short_page_removes_nobody(one: Campus, trouble: str) -> None:
    one.registrar.lose(*(registration(number) for number in numbers(20)))
    getattr(one.registrar, trouble)[Resource.REGISTRATIONS] = ("page 2 of 3 failed",)

    assert one.sync(NOW + DAY) == []
    assert one.guard(NOW + DAY).held == 0


def test_a_mirror_that_was_lost_removes_nobody(one: Campus) -> None:
    with one.store.begin() as connection:
        connection.execute(campus_record.delete())

    assert one.guard(SOON) == one.guard(SOON)
    assert one.guard(SOON).held == 0
    assert one.drain(SOON) == []


def test_whoever_registers_again_before_the_drop_is_sent_stays(one: Campus) -> None:
    drop(one, "2000")
    one.collect(SOON)
    one.guard(SOON)

    one.registrar.have(registration("2000"), at=SOON)
    one.collect(SOON + MINUTE)

    assert one.drain(SOON + MINUTE) == [(enrollment("2000"), Intent.UPSERT)]
    assert removed(one) == set()


def test_too_many_drops_in_a_section_wait_for_a_person(one: Campus) -> None:
    drop(one, *numbers(4))

    one.collect(SOON)
    guarded = one.guard(SOON)

    assert (guarded.allowed, guarded.held, len(guarded.ask)) == (0, 4, 1)
    assert one.drain(SOON) == []


def test_an_empty_list_that_is_whole_waits_for_a_person_too(one: Campus) -> None:
    one.registrar.lose(*(registration(number) for number in numbers(20)))

    one.collect(NOW + DAY)
    guarded = one.guard(NOW + DAY)

    assert (guarded.allowed, guarded.held) == (0, 20)


def test_what_a_person_approves_is_queued_and_audited(one: Campus) -> None:
    drop(one, *numbers(4))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask

    verdict = one.decide(request, yes(), at=SOON)

    assert (verdict.state, verdict.approved) == (ApprovalState.APPROVED, 4)
    assert one.drain(SOON) == [(enrollment(number), Intent.REMOVE) for number in numbers(4)]
    assert one.entries()[enrollment("2000")].asked_by == f"approval:{request}"
    assert ("nora", "approve", "They left") in one.acts()
    assert one.guard(SOON).ask == ()


def test_deciding_again_after_a_killed_try_queues_nothing_twice(one: Campus) -> None:
    drop(one, *numbers(4))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask
    one.decide(request, yes(), at=SOON)
    one.drain(SOON)

    again = one.decide(request, yes(), at=SOON)

    assert again.approved == 4
    assert one.drain(SOON) == []


def test_what_a_person_rejects_stays_and_is_not_asked_again_for_a_week(one: Campus) -> None:
    drop(one, *numbers(4))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask

    verdict = one.decide(request, Answer("Reject", "A mistake", "nora"), at=SOON)

    assert verdict.state is ApprovalState.REJECTED
    assert one.sync(SOON) == []
    assert one.guard(SOON + 2 * DAY).ask == ()
    assert len(one.guard(SOON + 8 * DAY).ask) == 1
    assert removed(one) == set()


def test_an_answer_without_a_comment_does_not_count(one: Campus) -> None:
    drop(one, *numbers(4))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask

    with pytest.raises(NeedsPerson) as caught:
        one.decide(request, yes(comment=" "), at=SOON)

    assert caught.value.code is Code.APPROVAL_INVALID
    assert one.drain(SOON) == []


def test_very_many_drops_need_two_people(one: Campus) -> None:
    drop(one, *numbers(15))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask

    with pytest.raises(NeedsPerson, match="another one than the first"):
        one.decide(request, yes(), yes(), at=SOON)
    verdict = one.decide(request, yes(), yes("otis", "I looked too"), at=SOON)

    assert verdict.approved == 15
    assert [act for act in one.acts() if act[1] == "approve"] == [
        ("nora", "approve", "They left"),
        ("otis", "approve", "I looked too"),
    ]


def test_who_registers_again_is_taken_out_of_the_question(one: Campus) -> None:
    drop(one, *numbers(5))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask
    one.registrar.have(registration("2000"), at=SOON)
    one.collect(SOON + MINUTE)
    one.guard(SOON + MINUTE)

    verdict = one.decide(request, yes(), at=SOON + MINUTE)

    assert (verdict.approved, verdict.withdrawn) == (4, 1)
    one.drain(SOON + MINUTE)
    assert removed(one) == {"2001", "2002", "2003", "2004"}


def test_who_registers_again_while_a_person_answers_is_not_dropped(one: Campus) -> None:
    drop(one, *numbers(4))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask
    one.registrar.have(registration("2000"), at=SOON)
    one.collect(SOON + MINUTE)

    verdict = one.decide(request, yes(), at=SOON + MINUTE)

    assert (verdict.approved, verdict.stale) == (3, 1)
    one.drain(SOON + MINUTE)
    assert removed(one) == {"2001", "2002", "2003"}


def test_a_question_that_nobody_needs_any_more_is_taken_back(one: Campus) -> None:
    drop(one, *numbers(4))
    one.collect(SOON)
    (request,) = one.guard(SOON).ask
    one.registrar.have(*(registration(number) for number in numbers(4)), at=SOON)
    one.collect(SOON + MINUTE)

    assert one.guard(SOON + MINUTE).ask == ()
    assert one.decide(request, yes(), at=SOON + MINUTE).state is ApprovalState.WITHDRAWN
    assert one.drain(SOON + MINUTE) == []


def test_a_few_drops_each_day_are_counted_together(one: Campus) -> None:
    for day in range(3):
        drop(one, numbers(20)[day])
        assert len(one.sync(NOW + day * DAY + 15 * MINUTE)) == 1

    drop(one, "2003")
    one.collect(NOW + 3 * DAY)

    assert one.guard(NOW + 3 * DAY).held == 1


def test_guarding_again_with_nothing_new_asks_nobody_again(one: Campus) -> None:
    drop(one, *numbers(4))
    one.collect(SOON)

    first, second = one.guard(SOON), one.guard(SOON + 15 * MINUTE)

    assert first == second


def test_an_instructor_who_was_replaced_is_removed(one: Campus) -> None:
    one.registrar.have(teaching("1002", is_removed=True), person("1003"), teaching("1003"), at=NOW + MINUTE)

    sent = one.sync(SOON)

    assert (staff("1002"), Intent.REMOVE) in sent
    assert (staff("1003"), Intent.UPSERT) in sent


def test_with_add_only_no_instructor_is_removed_and_the_log_says_why(one: Campus) -> None:
    one.college = settings(INSTRUCTOR_ADD_ONLY="Y", guards=GUARDS)
    one.registrar.have(teaching("1002", is_removed=True), at=NOW + MINUTE)

    one.sync(SOON)
    one.sync(SOON + 15 * MINUTE)

    assert one.told_of(staff("1002"))[-1] == (EntryState.SKIPPED, "add-only")
    assert one.told_of(staff("1002")).count((EntryState.SKIPPED, "add-only")) == 1
    assert staff("1002") in one.there()


def test_staff_whom_people_added_in_coursekey_stay(one: Campus) -> None:
    by_hand = Mapped(MapKey(MapKind.STAFF, "548156", MATH, "1002"), "7", created_by_us=False)
    with one.store.begin() as connection:
        coursekey_maps.put(connection, one.college.key, [by_hand], NOW)
    one.registrar.have(teaching("1002", is_removed=True), at=NOW + MINUTE)

    one.sync(SOON)

    assert one.told_of(staff("1002"))[-1] == (EntryState.SKIPPED, "not-added-by-us")


def test_drops_after_the_window_are_not_sent(one: Campus) -> None:
    drop(one, "2000")

    one.sync(NOW + 200 * DAY)

    assert one.told_of(enrollment("2000"))[-1] == (EntryState.SKIPPED, "after-window")


def test_drops_in_one_section_are_not_hidden_among_many_others(one: Campus) -> None:
    for n in range(5):
        key = SectionKey("202610", "ENG200", str(n))
        one.registrar.have(section(key), at=NOW + MINUTE)
        one.registrar.have(*(registration(number, key) for number in numbers(20)), at=NOW + MINUTE)
    one.sync(SOON)

    drop(one, *numbers(4))
    one.registrar.have(*(registration(number, standing=Standing.DROPPED) for number in numbers(4)), at=SOON)
    one.collect(SOON + MINUTE)

    assert one.guard(SOON + MINUTE).held == 4
