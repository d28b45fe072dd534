"""The ledger by the rules R4 to R6, R10 and R14 of reference coursekey §3.5; its laws are in tests/properties."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rosterflow.domain.attendance.ledger import Effect, FactState, Version
from rosterflow.domain.attendance.records import Status
from tests.domain.attendance.builders import (
    FRIDAY,
    HOUR,
    LATER,
    MONDAY,
    SATURDAY,
    SUNDAY,
    Ledger,
    at,
    effects,
    reasons,
    record,
    sorted_out,
)

DAY = timedelta(days=1)


def test_r4_a_second_identical_read_reports_no_change() -> None:
    ledger = Ledger()

    first = ledger.read(record(), record(session_id="S2"))
    second = ledger.read(record(), record(session_id="S2"))

    assert effects(first) == [(Effect.NEW, 0, 3600), (Effect.NEW, 0, 3600)]
    assert (effects(second), second.facts, second.unchanged) == ([], {}, 2)


def test_r4_a_record_that_was_touched_and_says_the_same_is_no_change() -> None:
    ledger = Ledger()
    ledger.read(record(updated_at=LATER - HOUR))

    again = ledger.read(record(updated_at=LATER, record_id="R9"))

    assert (effects(again), again.unchanged) == ([], 1)


@pytest.mark.parametrize(("seconds", "effect"), [(3660, Effect.RAISED), (3599, Effect.LOWERED), (0, Effect.LOWERED)])
def test_r5_raised_lowered_and_zeroed_time_is_an_update_that_keeps_what_was(seconds: int, effect: Effect) -> None:
    ledger = Ledger()
    ledger.read(record())

    changed = ledger.read(record(awarded=seconds, record_id="R2"))

    assert effects(changed) == [(effect, 3600, seconds)]
    assert ledger.booked() == {"S1": (FRIDAY, seconds)}
    assert ledger.fact().versions == (Version(LATER + 2 * HOUR, 2, 3600, FactState.PRESENT, FRIDAY, "R1"),)


def test_r5_a_zero_is_a_fact_and_not_a_gap() -> None:
    ledger = Ledger()
    ledger.read(record())
    ledger.read(record(awarded=0))

    assert ledger.fact().state is FactState.PRESENT


def test_r5_every_version_is_kept_oldest_first() -> None:
    ledger = Ledger()
    for seconds in (60, 90, 30):
        ledger.read(record(awarded=seconds))

    assert [version.seconds for version in ledger.fact().versions] == [60, 90]


def test_time_that_moves_to_another_day_is_told_as_moved() -> None:
    ledger = Ledger()
    ledger.read(record(starts=at(FRIDAY, "18:00")))

    moved = ledger.read(record(SATURDAY, starts=at(SATURDAY, "09:00")))

    assert effects(moved) == [(Effect.MOVED, 3600, 3600)]
    assert ledger.booked() == {"S1": (SATURDAY, 3600)}


def test_r6_what_a_whole_read_does_not_have_any_more_is_void() -> None:
    ledger = Ledger()
    ledger.read(record(), record(session_id="S2", awarded=90))

    gone = ledger.read(record(session_id="S2", awarded=90))

    assert effects(gone) == [(Effect.VOIDED, 3600, 0)]
    assert ledger.booked() == {"S2": (FRIDAY, 90)}
    assert ledger.fact().versions[0].seconds == 3600


@pytest.mark.parametrize("is_whole", [True, False])
def test_r6_a_read_that_is_not_whole_voids_nothing_and_still_updates(is_whole: bool) -> None:
    ledger = Ledger()
    ledger.read(record(), record(session_id="S2", awarded=90))

    ledger.read(record(session_id="S2", awarded=95), is_whole=is_whole)

    kept = {} if is_whole else {"S1": (FRIDAY, 3600)}
    assert ledger.booked() == {**kept, "S2": (FRIDAY, 95)}


def test_r6_a_day_outside_the_window_is_left_alone() -> None:
    ledger = Ledger()
    ledger.read(record(), record(MONDAY, session_id="S2"))

    ledger.read(first=SATURDAY)

    assert ledger.booked() == {"S1": (FRIDAY, 3600)}


def test_r6_what_comes_back_is_restored() -> None:
    ledger = Ledger()
    ledger.read(record())
    ledger.read()

    assert effects(ledger.read(record())) == [(Effect.RESTORED, 0, 3600)]


@pytest.mark.parametrize("fields", [{"is_deleted": True}, {"status": Status.CANCELLED}])
def test_r6_what_the_export_itself_calls_deleted_is_void_even_in_a_read_that_is_not_whole(
    fields: dict[str, Any],
) -> None:
    ledger = Ledger()
    ledger.read(record())

    gone = ledger.read(record(**fields), is_whole=False)

    assert effects(gone) == [(Effect.VOIDED, 3600, 0)]


@pytest.mark.parametrize(("left", "expected"), [(5, (0, 5)), (4, (1, 5)), (0, (5, 5))])
def test_r6_the_guard_counts_what_is_gone_of_what_was_booked(left: int, expected: tuple[int, int]) -> None:
    ledger = Ledger()
    rows = [record(session_id=f"S{number}") for number in range(5)]
    ledger.read(*rows)

    assert ledger.losses(*rows[:left]) == expected


def test_r6_the_guard_counts_nothing_twice_and_nothing_of_a_read_that_is_not_whole() -> None:
    ledger = Ledger()
    ledger.read(record(), record(session_id="S2"))
    ledger.read(record())

    assert ledger.losses(record()) == (0, 1)
    assert ledger.losses(is_whole=False) == (0, 0)


def test_r10_a_session_that_goes_on_again_keeps_what_was_booked() -> None:
    ledger = Ledger()
    ledger.read(record())

    goes_on = ledger.read(record(awarded=7200, status=Status.IN_PROGRESS))
    ends = ledger.read(record(awarded=7200))

    assert (effects(goes_on), effects(ends)) == ([], [(Effect.RAISED, 3600, 7200)])


def test_r10_a_session_in_progress_is_new_only_when_it_ends() -> None:
    ledger = Ledger()

    goes_on = ledger.read(record(status=Status.IN_PROGRESS))
    ends = ledger.read(record())

    assert (effects(goes_on), effects(ends)) == ([], [(Effect.NEW, 0, 3600)])
    assert reasons(sorted_out(record(status=Status.IN_PROGRESS)).listed) == [("in-progress", 3600)]


def test_a_malformed_record_is_seen_and_so_neither_voided_nor_changed() -> None:
    ledger = Ledger()
    ledger.read(record())

    broken = ledger.read(record(awarded=None, status=Status.UNREADABLE))

    assert (effects(broken), ledger.booked()) == ([], {"S1": (FRIDAY, 3600)})


def test_r14_a_deep_pass_finds_a_correction_older_than_the_look_back() -> None:
    ledger = Ledger()
    ledger.read(record())
    corrected = record(awarded=7200)

    ledger.read(first=SUNDAY)
    nightly = ledger.booked()
    deep = ledger.read(corrected, first=FRIDAY - 28 * DAY)

    assert nightly == {"S1": (FRIDAY, 3600)}
    assert effects(deep) == [(Effect.RAISED, 3600, 7200)]


def test_an_older_read_never_overwrites_a_newer_one_and_is_counted() -> None:
    ledger = Ledger()
    ledger.read(record(awarded=90), read_at=LATER + HOUR)

    old = ledger.read(record(awarded=60), read_at=LATER)

    assert (effects(old), old.superseded, ledger.booked()) == ([], 1, {"S1": (FRIDAY, 90)})


def test_an_older_read_does_not_bring_back_what_a_newer_one_did_not_have() -> None:
    ledger = Ledger()
    ledger.read(read_at=LATER + HOUR)

    old = ledger.read(record(), read_at=LATER)

    assert (effects(old), ledger.booked()) == ([], {})
    assert ledger.read(record(), read_at=LATER + 2 * HOUR).changes[0].after.seconds == 3600


def test_one_record_may_change_hands_between_students() -> None:
    ledger = Ledger()
    ledger.read(record())

    changed = ledger.read(msgspec.structs.replace(record(), issued_id="2002"))

    assert [(one.effect, one.after.person) for one in changed.changes] == [(Effect.MOVED, "2002")]
