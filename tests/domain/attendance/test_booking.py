"""From facts to rows and last dates by the rules R3, R4, R7 to R9 and R11 of reference coursekey §3.5."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from rosterflow.domain.attendance.booking import (
    AsyncRule,
    Booked,
    Origin,
    Rounding,
    RowKey,
    Seat,
    Time,
    book,
    last_date_attended,
    time_of,
    to_write,
)
from rosterflow.domain.attendance.ledger import Fact, FactState
from rosterflow.domain.attendance.records import FactKey
from rosterflow.domain.coursekey.campus import SectionKey, Standing
from tests.domain.attendance.builders import FRIDAY, LATER, MONDAY, SATURDAY, SUNDAY, reasons

DAY = timedelta(days=1)
MATH, ART = SectionKey("202610", "MTH101", "4"), SectionKey("202610", "ART200", "1")
SECTIONS = {"C1": MATH, "C2": ART}
SITS = Seat(Standing.REGISTERED)
ADA = "2001"


def fact(seconds: int = 3600, on: date = FRIDAY, session: str = "S1", **fields: object) -> Fact:
    usual = Fact(
        FactKey("C1", session, "U1", "sync"), ADA, on, on, FactState.PRESENT, seconds, LATER, LATER, f"R{session}"
    )
    return msgspec.structs.replace(usual, **fields)


def row(on: date = FRIDAY, section: SectionKey = MATH) -> RowKey:
    return RowKey(section, ADA, on)


def booked(*facts: Fact, seat: Seat | None = SITS, by_hand: Mapping[RowKey, frozenset[Origin]] | None = None) -> Booked:
    seats = {(section, ADA): seat for section in SECTIONS.values() if seat is not None}
    return book(facts, SECTIONS, seats, frozenset({ADA}), by_hand or {})


# R3: seconds are kept, summed and converted once


@pytest.mark.parametrize(
    ("rounding", "minutes"), [(Rounding.FLOOR, "599"), (Rounding.NEAREST, "600"), (Rounding.NONE, "599.66")]
)
def test_r3_twenty_records_of_1799_seconds_are_599_minutes(rounding: Rounding, minutes: str) -> None:
    found = booked(*(fact(1799, session=f"S{number}") for number in range(20)))

    hours, rest = time_of(found.seconds[row()], rounding)

    assert found.seconds == {row(): 35_980}
    assert hours * 60 + rest == Decimal(minutes)


@pytest.mark.parametrize(
    ("seconds", "floor", "nearest", "none"),
    [
        (0, (0, 0), (0, 0), (0, "0.00")),
        (29, (0, 0), (0, 0), (0, "0.48")),
        (30, (0, 0), (0, 1), (0, "0.50")),
        (59, (0, 0), (0, 1), (0, "0.98")),
        (3599, (0, 59), (1, 0), (0, "59.98")),
        (3600, (1, 0), (1, 0), (1, "0.00")),
        (5399, (1, 29), (1, 30), (1, "29.98")),
        (90_000, (25, 0), (25, 0), (25, "0.00")),
    ],
)
def test_r3_hours_and_minutes_are_two_fields_that_add_up(
    seconds: int, floor: tuple[int, int], nearest: tuple[int, int], none: tuple[int, str]
) -> None:
    assert time_of(seconds, Rounding.FLOOR) == Time(floor[0], Decimal(floor[1]))
    assert time_of(seconds, Rounding.NEAREST) == Time(nearest[0], Decimal(nearest[1]))
    assert time_of(seconds, Rounding.NONE) == Time(none[0], Decimal(none[1]))


def test_r3_time_is_summed_per_student_section_and_day() -> None:
    other_class = fact(60, key=FactKey("C2", "S9", "U1", "sync"))

    found = booked(fact(100), fact(200, session="S2"), fact(5, SATURDAY, "S3"), other_class)

    assert found.seconds == {row(): 300, row(SATURDAY): 5, row(section=ART): 60}


# R4: changed rows only


def test_r4_only_rows_that_campus_cafe_does_not_hold_as_they_should_be_are_written() -> None:
    wanted = {row(FRIDAY): 3600, row(SATURDAY): 5400, row(SUNDAY): 0, row(MONDAY): 0}
    written = {row(FRIDAY): Time(1, Decimal(0)), row(SATURDAY): Time(1, Decimal(0)), row(MONDAY): Time(1, Decimal(0))}

    assert to_write(wanted, written, Rounding.FLOOR) == {
        row(SATURDAY): Time(1, Decimal(30)),
        row(MONDAY): Time(0, Decimal(0)),
    }


def test_r4_a_change_below_the_minute_writes_nothing() -> None:
    assert to_write({row(): 3659}, {row(): Time(1, Decimal(0))}, Rounding.FLOOR) == {}


def test_r5_a_void_fact_leaves_a_row_of_zero() -> None:
    assert booked(fact(state=FactState.VOID)).seconds == {row(): 0}


# R7: rows by hand


@pytest.mark.parametrize("origin", [Origin.MANUAL, Origin.SELF_SERVICE])
def test_r7_where_a_person_made_the_row_of_the_day_nothing_is_written(origin: Origin) -> None:
    found = booked(fact(), by_hand={row(): frozenset({origin})})

    assert (found.seconds, reasons(found.listed)) == ({}, [("made-by-hand", 3600)])


@pytest.mark.parametrize("origin", [Origin.MAKE_UP, Origin.TRANSFERRED, Origin.EXCEPTION])
def test_r7_beside_time_of_another_kind_ours_is_written_and_a_double_count_flagged(origin: Origin) -> None:
    found = booked(fact(), by_hand={row(): frozenset({origin})})

    assert (found.seconds, found.listed) == ({row(): 3600}, [])
    assert reasons(found.remarks) == [("maybe-counted-twice", 0)]


def test_r7_a_row_by_hand_on_another_day_is_no_matter() -> None:
    assert booked(fact(), by_hand={row(SATURDAY): frozenset({Origin.MANUAL})}).seconds == {row(): 3600}


# R8: a last date that a person set


def test_r8_rows_after_a_manual_last_date_are_listed_and_not_written() -> None:
    seat = Seat(Standing.REGISTERED, manual_last=SATURDAY)

    found = booked(fact(1), fact(2, SATURDAY, "S2"), fact(4, SUNDAY, "S3"), seat=seat)

    assert found.seconds == {row(FRIDAY): 1, row(SATURDAY): 2}
    assert reasons(found.listed) == [("after-last-date", 4)]


# R9: the last date attended


def test_r9_the_last_date_is_the_latest_day_with_time() -> None:
    facts = [fact(on=FRIDAY), fact(on=SATURDAY, session="S2"), fact(0, SUNDAY, "S3")]

    assert last_date_attended(facts, AsyncRule.TIME, MONDAY) == SATURDAY


def test_r9_the_last_date_moves_back_when_time_is_taken_away_and_is_none_without_any() -> None:
    gone = fact(on=SATURDAY, session="S2", state=FactState.VOID)

    assert last_date_attended([fact(), gone], AsyncRule.TIME, MONDAY) == FRIDAY
    assert last_date_attended([gone], AsyncRule.TIME, MONDAY) is None


def test_r9_the_last_date_is_never_later_than_today() -> None:
    facts = [fact(on=FRIDAY), fact(on=MONDAY, session="S2")]

    assert last_date_attended(facts, AsyncRule.TIME, SUNDAY) == FRIDAY
    assert last_date_attended(facts, AsyncRule.TIME, MONDAY) == MONDAY


def test_r9_the_last_date_never_passes_a_manual_one() -> None:
    facts = [fact(on=FRIDAY), fact(on=SUNDAY, session="S2")]

    assert last_date_attended(facts, AsyncRule.TIME, MONDAY, manual=SATURDAY) == FRIDAY


@pytest.mark.parametrize(("rule", "expected"), [(AsyncRule.TIME, FRIDAY), (AsyncRule.ACTIVITY, SUNDAY)])
def test_r9_homework_without_time_counts_by_the_rule_of_the_college(rule: AsyncRule, expected: date) -> None:
    homework = fact(0, SUNDAY, key=FactKey("C1", "record R2", "U1", "async"), active_on=SUNDAY)

    assert last_date_attended([fact(), homework], rule, MONDAY) == expected


@pytest.mark.parametrize("fields", [{"state": FactState.VOID}, {"key": FactKey("C1", "S2", "U1", "sync")}])
def test_r9_neither_deleted_homework_nor_a_class_without_time_is_a_day_attended(fields: dict[str, Any]) -> None:
    usual = {"key": FactKey("C1", "record R2", "U1", "async"), "active_on": SUNDAY}
    nothing = fact(0, SUNDAY, **{**usual, **fields})

    assert last_date_attended([fact(), nothing], AsyncRule.ACTIVITY, MONDAY) == FRIDAY


# R11: who cannot have a row


@pytest.mark.parametrize(
    ("changes", "seat", "reason"),
    [
        ({"key": FactKey("C9", "S1", "U1", "sync")}, SITS, "unknown-course"),
        ({"person": "9999"}, SITS, "unknown-student"),
        ({"person": ""}, SITS, "unknown-student"),
        ({}, None, "not-registered"),
        ({}, Seat(Standing.WAITLISTED), "not-registered"),
        ({}, Seat(Standing.REGISTERED, is_excluded=True), "excluded"),
        ({}, Seat(Standing.DROPPED), "after-drop"),
    ],
)
def test_r11_who_cannot_have_a_row_is_listed_with_the_time(
    changes: dict[str, Any], seat: Seat | None, reason: str
) -> None:
    found = booked(fact(**changes), seat=seat)

    assert (found.seconds, reasons(found.listed)) == ({}, [(reason, 3600)])


def test_r11_what_was_attended_until_the_drop_is_still_written() -> None:
    found = booked(
        fact(1), fact(2, SATURDAY, "S2"), fact(4, SUNDAY, "S3"), seat=Seat(Standing.DROPPED, dropped_on=SATURDAY)
    )

    assert found.seconds == {row(FRIDAY): 1, row(SATURDAY): 2}
    assert reasons(found.listed) == [("after-drop", 4)]


def test_r11_a_void_fact_of_somebody_unknown_is_not_told_of() -> None:
    assert booked(fact(person="9999", state=FactState.VOID)).listed == []


def test_every_second_of_the_ledger_is_in_a_row_or_listed() -> None:
    facts = [fact(3), fact(5, person="9999", session="S2"), fact(7, key=FactKey("C9", "S", "U", "sync"))]

    found = booked(*facts)

    assert sum(found.seconds.values()) + sum(one.seconds for one in found.listed) == 15


def test_a_row_of_ours_whose_time_went_elsewhere_is_left_with_zero() -> None:
    found = book((), SECTIONS, {(MATH, ADA): SITS}, frozenset({ADA}), {}, ours=[row()])

    assert found.seconds == {row(): 0}
