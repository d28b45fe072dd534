"""Local days in every zone of reference coursekey §3.4."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from rosterflow.domain.attendance.days import Days, local
from tests.domain.attendance.builders import (
    AUTUMN,
    CHANGING,
    EASTERN,
    FRIDAY,
    LATER,
    SPRING,
    ZONES,
    at,
    reasons,
    record,
    sorted_out,
)

DAY = timedelta(days=1)
EST = timezone(timedelta(hours=-5))


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_day_has_23_24_or_25_hours(zone: ZoneInfo) -> None:
    days = Days(zone, LATER)

    hours = [days[on, UTC].seconds // 3600 for on in (SPRING - DAY, SPRING, SPRING + DAY, AUTUMN - DAY, AUTUMN)]

    assert hours == ([24, 23, 24, 24, 25] if zone in CHANGING else [24] * 5)


def test_a_day_is_told_in_the_offset_that_asks() -> None:
    days = Days(EASTERN, LATER)

    there = [(days[FRIDAY, offset].begin, days[FRIDAY, offset].begin.utcoffset()) for offset in (EST, UTC)]

    assert there == [(at(FRIDAY, "00:00"), timedelta(hours=-5)), (at(FRIDAY, "00:00"), timedelta())]


def test_a_day_is_over_at_its_last_midnight() -> None:
    midnight = at(FRIDAY + DAY, "00:00")

    over = [Days(EASTERN, read_at)[FRIDAY, UTC].is_over for read_at in (midnight - timedelta(seconds=1), midnight)]

    assert over == [False, True]


def test_a_record_at_an_end_of_the_calendar_stops_no_import() -> None:
    first = record(starts=datetime.min.replace(tzinfo=UTC), check_in=datetime.min.replace(tzinfo=UTC))
    last = record(on=date.max, session_id="S2", starts=datetime.max.replace(tzinfo=EST), ends=None)

    found = sorted_out(first, last)

    assert [seen.on for seen in found.observations.values()] == [first.session_date, date.max]
    assert reasons(found.listed) == []
    assert local(datetime.min.replace(tzinfo=UTC), EASTERN) == datetime.min.replace(tzinfo=UTC)
