"""Records of the export by the rules R1, R2, R10, R12 and R13 of reference coursekey §3.5, in every zone of §3.4."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from rosterflow.domain.attendance.records import Counts, FactKey, Status, TimeRecord, sort_records
from tests.domain.attendance.builders import (
    ARIZONA,
    AUTUMN,
    CHANGING,
    EASTERN,
    FRIDAY,
    HOUR,
    LATER,
    MONDAY,
    PACIFIC,
    SATURDAY,
    SPRING,
    ZONES,
    at,
    booked_of,
    reasons,
    record,
    sorted_out,
    stay,
)

DAY = timedelta(days=1)


# R1: the natural key


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, FactKey("C1", "S1", "U1", "sync")),
        ({"is_async": True}, FactKey("C1", "S1", "U1", "async")),
        ({"record_id": "R9"}, FactKey("C1", "S1", "U1", "sync")),
        ({"session_id": ""}, FactKey("C1", "record R1", "U1", "sync")),
        (
            {"session_id": "", "record_id": "", "starts": at(FRIDAY, "18:00")},
            FactKey("C1", "start 2026-03-06T23:00:00+00:00", "U1", "sync"),
        ),
        ({"session_id": "", "record_id": ""}, FactKey("C1", "start 2026-03-06", "U1", "sync")),
    ],
)
def test_r1_a_fact_is_named_by_course_session_student_and_kind(fields: dict[str, Any], key: FactKey) -> None:
    assert list(sorted_out(record(**fields)).observations) == [key]


def test_r1_the_time_of_two_students_and_of_both_kinds_in_one_session_are_facts_of_their_own() -> None:
    mine = record()
    other = msgspec.structs.replace(mine, user_id="U2", record_id="R2")
    homework = record(is_async=True, record_id="R3", awarded=60)

    found = sorted_out(mine, other, homework)

    assert booked_of(found) == [(FRIDAY, 60), (FRIDAY, 3600), (FRIDAY, 3600)]
    assert found.listed == []


def test_r1_two_classes_of_a_day_without_session_ids_do_not_become_one() -> None:
    morning = record(session_id="", record_id="", starts=at(FRIDAY, "08:00"), awarded=60)
    evening = record(session_id="", record_id="", starts=at(FRIDAY, "18:00"), awarded=120)

    assert booked_of(sorted_out(morning, evening)) == [(FRIDAY, 60), (FRIDAY, 120)]


# R2: the day


def test_r2_a_record_over_midnight_is_booked_whole_on_the_day_it_began_with_a_warning() -> None:
    found = sorted_out(stay(at(date(2026, 3, 13), "21:30"), at(date(2026, 3, 14), "05:30")))

    assert booked_of(found) == [(date(2026, 3, 13), 480 * 60)]
    assert [(one.reason, one.detail) for one in found.remarks] == [("spans-midnight", "28800 s on the day it began")]


def test_r2_a_record_of_several_days_is_a_total_on_the_first_and_flagged_as_longer_than_the_day() -> None:
    found = sorted_out(stay(at(date(2026, 3, 10), "08:00"), at(date(2026, 3, 12), "09:00")))

    assert booked_of(found) == [(date(2026, 3, 10), 49 * 3600)]
    assert reasons(found.remarks) == [("spans-midnight", 0), ("longer-than-day", 0)]


def test_r2_what_ends_at_midnight_spans_none() -> None:
    assert sorted_out(stay(at(FRIDAY, "21:30"), at(SATURDAY, "00:00"))).remarks == []
    assert reasons(sorted_out(stay(at(FRIDAY, "21:30"), at(SATURDAY, "00:00:01"))).remarks) == [("spans-midnight", 0)]


def shifted(evening: date, zone: ZoneInfo = EASTERN) -> tuple[TimeRecord, TimeRecord]:
    """What the export gives of a night with MidnightShift: two records of one session, each on its own day."""
    morning = evening + DAY
    session = {"starts": at(evening, "21:30", zone), "ends": at(morning, "05:30", zone)}
    first = stay(at(evening, "21:30", zone), at(morning, "00:00", zone))
    second = stay(at(morning, "00:00", zone), at(morning, "05:30", zone), record_id="R2")
    return msgspec.structs.replace(first, **session), msgspec.structs.replace(second, **session)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_r2_with_midnight_shift_each_day_has_its_part_and_no_warning(zone: ZoneInfo) -> None:
    friday = date(2026, 3, 13)

    found = sorted_out(*shifted(friday, zone), zone=zone)

    assert booked_of(found) == [(friday, 150 * 60), (friday + DAY, 330 * 60)]
    assert (found.listed, found.remarks) == ([], [])


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_r2_with_midnight_shift_the_part_after_a_clock_change_is_as_long_as_it_was(zone: ZoneInfo) -> None:
    hours = {night: booked_of(sorted_out(*shifted(night - DAY, zone), zone=zone))[1] for night in (SPRING, AUTUMN)}

    spring, autumn = (270, 390) if zone in CHANGING else (330, 330)
    assert hours == {SPRING: (SPRING, spring * 60), AUTUMN: (AUTUMN, autumn * 60)}


def test_r2_with_midnight_shift_the_same_parts_are_found_when_moments_come_in_utc() -> None:
    parts = [
        msgspec.structs.replace(one, **{name: getattr(one, name).astimezone(UTC) for name in MOMENTS})
        for one in shifted(date(2026, 3, 13))
    ]

    assert booked_of(sorted_out(*parts)) == [(date(2026, 3, 13), 9000), (date(2026, 3, 14), 19_800)]


MOMENTS = ("starts", "ends", "check_in", "check_out")


def test_r2_with_midnight_shift_a_session_without_a_start_is_two_facts_as_well() -> None:
    parts = [msgspec.structs.replace(one, starts=None, ends=None) for one in shifted(date(2026, 3, 13))]

    assert booked_of(sorted_out(*parts)) == [(date(2026, 3, 13), 9000), (date(2026, 3, 14), 19_800)]


def test_r2_who_comes_after_midnight_to_a_session_of_the_evening_is_booked_on_the_evening() -> None:
    late = stay(at(SATURDAY, "00:30"), at(SATURDAY, "05:30"))
    of_friday = msgspec.structs.replace(late, session_date=FRIDAY, starts=at(FRIDAY, "21:30"))

    assert booked_of(sorted_out(of_friday)) == [(FRIDAY, 5 * 3600)]


def test_r2_who_comes_in_the_evening_is_booked_on_it_though_the_export_says_the_day_after() -> None:
    of_the_day_after = stay(at(FRIDAY, "21:30"), at(FRIDAY, "23:30"), starts=at(FRIDAY, "21:00"))

    found = sorted_out(msgspec.structs.replace(of_the_day_after, session_date=SATURDAY))

    assert booked_of(found) == [(FRIDAY, 7200)]
    assert [key.session for key in found.observations] == ["S1"]


def test_r2_the_day_is_that_of_the_zone_of_the_auth_key() -> None:
    one = record(starts=datetime(2026, 3, 7, 4, 30, tzinfo=UTC))

    days = [booked_of(sorted_out(one, zone=zone))[0][0] for zone in ZONES]

    assert days == [FRIDAY] * 5
    assert booked_of(sorted_out(record(SATURDAY, starts=datetime(2026, 3, 7, 5, 30, tzinfo=UTC)), zone=EASTERN)) == [
        (SATURDAY, 3600)
    ]


def test_r2_schools_in_two_zones_book_the_same_moment_on_their_own_days() -> None:
    moment = datetime(2026, 3, 10, 5, 30, tzinfo=UTC)
    one = record(date(2026, 3, 10), starts=moment)

    assert booked_of(sorted_out(one, zone=EASTERN)) == [(date(2026, 3, 10), 3600)]
    assert booked_of(sorted_out(one, zone=ARIZONA)) == [(date(2026, 3, 9), 3600)]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("last", [date(2026, 1, 31), date(2026, 2, 28), date(2028, 2, 29), date(2026, 12, 31)], ids=str)
def test_r2_the_last_night_of_a_month_or_year_stays_in_it(last: date, zone: ZoneInfo) -> None:
    night = stay(at(last, "23:00", zone), at(last + DAY, "01:00", zone))

    found = sort_records([night], zone, at(last + 2 * DAY, "12:00", zone))

    assert booked_of(found) == [(last, 7200)]


def test_r2_a_start_far_from_the_day_of_the_export_does_not_decide() -> None:
    assert booked_of(sorted_out(record(starts=at(date(2026, 1, 1), "18:00")))) == [(FRIDAY, 3600)]


# Clock changes (§3.4, §4.1): trust the seconds, never subtract clock times


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize(("sunday", "changed"), [(SPRING, 7 * 3600), (AUTUMN, 9 * 3600)], ids=["spring", "autumn"])
def test_a_night_over_a_clock_change_is_as_long_as_it_really_was(sunday: date, changed: int, zone: ZoneInfo) -> None:
    night = stay(at(sunday - DAY, "22:00", zone), at(sunday, "06:00", zone))

    by_the_clock = sort_records([night], zone, LATER, Counts.CLOCK)
    as_awarded = sort_records([night], zone, LATER)

    seconds = changed if zone in CHANGING else 8 * 3600
    assert booked_of(by_the_clock) == booked_of(as_awarded) == [(sunday - DAY, seconds)]
    assert reasons(as_awarded.remarks) == [("spans-midnight", 0)]


def test_the_awarded_night_of_the_autumn_change_is_540_minutes_and_an_hour_off_is_told() -> None:
    come, leave = at(date(2026, 10, 31), "21:30"), at(AUTUMN, "05:30")

    right = sorted_out(stay(come, leave))
    wrong = sorted_out(stay(come, leave, attended=480 * 60, awarded=480 * 60))

    assert booked_of(right) == [(date(2026, 10, 31), 540 * 60)]
    assert booked_of(wrong) == [(date(2026, 10, 31), 480 * 60)]
    assert reasons(right.remarks) == [("spans-midnight", 0)]
    assert reasons(wrong.remarks) == [("spans-midnight", 0), ("clock-change", 0)]


def test_an_hour_off_on_any_other_night_is_not_told() -> None:
    one = stay(at(date(2026, 3, 13), "18:00"), at(date(2026, 3, 13), "20:00"), attended=3600, awarded=3600)

    assert sorted_out(one).remarks == []


@pytest.mark.parametrize(("on", "most"), [(SPRING, 23), (FRIDAY, 24), (AUTUMN, 25)])
def test_a_record_may_be_as_long_as_its_day_and_more_is_flagged(on: date, most: int) -> None:
    starts = at(on, "00:00")

    assert sorted_out(record(on, most * 3600, starts=starts)).remarks == []
    assert reasons(sorted_out(record(on, most * 3600 + 1, starts=starts)).remarks) == [("longer-than-day", 0)]


# R10: in progress


@pytest.mark.parametrize(
    ("fields", "is_going_on"),
    [
        ({"status": Status.IN_PROGRESS}, True),
        ({"status": Status.IN_PROGRESS, "awarded": None}, True),
        ({"ends": LATER + HOUR}, True),
        ({"ends": LATER}, False),
        ({"status": Status.COMPLETE}, False),
    ],
)
def test_r10_a_session_that_goes_on_is_not_booked_and_listed(fields: dict[str, Any], is_going_on: bool) -> None:
    found = sorted_out(record(**fields))

    assert booked_of(found) == [(FRIDAY, None if is_going_on else 3600)]
    stated = fields.get("awarded", 3600) or 0
    assert reasons(found.listed) == ([("in-progress", stated)] if is_going_on else [])


# R12: durations


@pytest.mark.parametrize(("awarded", "reason"), [(-1, "negative"), (None, "no-duration")])
def test_r12_a_duration_that_cannot_be_is_an_error_line_and_no_fact(awarded: int | None, reason: str) -> None:
    found = sorted_out(record(awarded=awarded))

    assert (found.observations, reasons(found.listed), found.seconds_in) == ({}, [(reason, 0)], 0)


def test_r12_one_bad_record_does_not_stop_a_good_one() -> None:
    found = sorted_out(record(awarded=-60), record(session_id="S2", awarded=90))

    assert booked_of(found) == [(FRIDAY, 90)]


def test_r12_a_malformed_record_is_listed_as_unreadable_and_still_seen() -> None:
    found = sorted_out(record(status=Status.UNREADABLE, awarded=None))

    assert booked_of(found) == [(FRIDAY, None)]
    assert reasons(found.listed) == [("unreadable", 0)]


def test_r12_more_than_was_attended_is_imported_without_a_word() -> None:
    one = stay(at(FRIDAY, "18:00"), at(FRIDAY, "19:00"), awarded=7200, available=7200)

    assert (booked_of(sorted_out(one)), sorted_out(one).remarks) == ([(FRIDAY, 7200)], [])


def test_r12_more_than_the_session_offered_is_imported_with_a_warning() -> None:
    found = sorted_out(record(awarded=7201, available=7200))

    assert (booked_of(found), reasons(found.remarks)) == ([(FRIDAY, 7201)], [("more-than-available", 0)])
    assert sorted_out(record(awarded=7201, available=7200, is_async=True)).remarks == []


@pytest.mark.parametrize(("counts", "seconds"), [(Counts.AWARDED, 1800), (Counts.ATTENDED, 3500), (Counts.CLOCK, 3600)])
def test_the_profile_says_which_time_counts(counts: Counts, seconds: int) -> None:
    one = stay(at(FRIDAY, "18:00"), at(FRIDAY, "19:00"), awarded=1800, attended=3500)

    assert booked_of(sort_records([one], EASTERN, LATER, counts)) == [(FRIDAY, seconds)]


# R13: duplicates


def test_r13_of_two_records_of_one_fact_the_one_updated_last_wins_whichever_comes_first() -> None:
    old = record(awarded=60, updated_at=LATER - HOUR)
    new = record(awarded=90, updated_at=LATER, record_id="R0")

    for rows in ((old, new), (new, old)):
        found = sorted_out(*rows)
        assert (booked_of(found), reasons(found.listed)) == ([(FRIDAY, 90)], [("duplicate", 60)])
        assert found.seconds_in == 150


def test_r13_pages_that_overlap_change_nothing_but_the_count_of_duplicates() -> None:
    rows = [record(session_id=f"S{number}", record_id=f"R{number}") for number in range(10)]

    overlapping = sorted_out(*rows[:6], *rows[3:])

    assert overlapping.observations == sorted_out(*rows).observations
    assert overlapping.reasons == {"duplicate": 3}


# what the export says is gone


@pytest.mark.parametrize("fields", [{"is_deleted": True}, {"status": Status.CANCELLED}])
def test_what_was_deleted_or_cancelled_is_seen_as_void_and_listed(fields: dict[str, Any]) -> None:
    found = sorted_out(record(**fields))

    assert [one.is_void for one in found.observations.values()] == [True]
    assert reasons(found.listed) == [("deleted", 3600)]


def test_the_day_of_the_last_activity_is_kept_of_asynchronous_work_alone() -> None:
    late = at(MONDAY, "22:00", PACIFIC)
    homework, class_ = record(last_activity=late, is_async=True), record(last_activity=late, session_id="S2")

    found = sorted_out(homework, class_, zone=PACIFIC)

    assert [one.active_on for one in found.observations.values()] == [MONDAY, None]
