"""Which school days a run reads: issue 5 §5.1, rule R14 and the worked reading of reference coursekey §4.1."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rosterflow.domain.attendance.window import Kind, Window, day_is_over, school_days, window_of
from tests.domain.attendance.builders import ARIZONA, AUTUMN, EASTERN, PACIFIC, SPRING, ZONES, at

DAY = timedelta(days=1)
TODAY = date(2026, 3, 19)


def window(
    first: date = TODAY, last: date = TODAY, *, kind: Kind = Kind.SCHEDULED, days_prior: int = 7,
    last_complete: date | None = TODAY - DAY, cap_days: int = 31,
) -> Window:  # fmt: skip
    return window_of(
        first, last, kind=kind, days_prior=days_prior, last_complete=last_complete, cap_days=cap_days, deep_days=35
    )


def nightly(first: date, nights: int, zone: ZoneInfo, clock: str = "05:30") -> list[tuple[datetime, datetime]]:
    """Data intervals of so many nights."""
    return [(at(first + n * DAY, clock, zone), at(first + (n + 1) * DAY, clock, zone)) for n in range(nights)]


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("begin", [SPRING - 3 * DAY, AUTUMN - 3 * DAY, date(2026, 12, 29), date(2028, 2, 27)], ids=str)
def test_contiguous_nights_have_every_day_once_over_clock_changes_month_and_year_ends(
    begin: date, zone: ZoneInfo
) -> None:
    days = [
        day
        for start, end in nightly(begin, 7, zone)
        for day in Window(*school_days(start.astimezone(UTC), end.astimezone(UTC), zone)).days
    ]

    assert days == [begin + n * DAY for n in range(7)]


@pytest.mark.parametrize("clock", ["00:00", "01:30", "02:30", "23:59"])
def test_the_hour_of_the_schedule_does_not_move_the_days(clock: str) -> None:
    assert [school_days(*night, EASTERN) for night in nightly(SPRING - DAY, 3, EASTERN, clock)] == [
        (SPRING + n * DAY, SPRING + n * DAY) for n in (-1, 0, 1)
    ]


def test_an_interval_of_a_week_has_its_seven_days() -> None:
    assert school_days(at(SPRING - DAY, "05:30"), at(SPRING + 6 * DAY, "05:30"), EASTERN) == (
        SPRING - DAY,
        SPRING + 5 * DAY,
    )


def test_an_interval_within_a_day_stands_for_that_day() -> None:
    assert school_days(at(TODAY, "05:30"), at(TODAY, "17:30"), EASTERN) == (TODAY, TODAY)


def test_a_scheduled_run_looks_back_by_days_of_the_calendar() -> None:
    assert window(SPRING, SPRING, last_complete=SPRING - DAY) == Window(date(2026, 3, 1), SPRING)
    assert window(AUTUMN, AUTUMN, last_complete=AUTUMN - DAY) == Window(date(2026, 10, 25), AUTUMN)


def test_the_first_import_of_all_looks_back_as_any_other() -> None:
    assert window(last_complete=None) == Window(date(2026, 3, 12), TODAY)


def test_missed_runs_are_made_good_from_the_last_complete_one_and_said() -> None:
    found = window(last_complete=TODAY - 3 * DAY)

    assert (found.first, found.last) == (date(2026, 3, 9), TODAY)
    assert found.notes == ("no import was whole since 2026-03-16: read from 2026-03-09",)


def test_making_good_is_capped_and_says_what_to_backfill() -> None:
    found = window(last_complete=date(2026, 1, 1))

    assert (found.first, found.last) == (TODAY - 31 * DAY, TODAY)
    assert found.notes == ("no import was whole since 2026-01-01: read from 2026-02-16 only, backfill what is before",)


def test_a_cap_shorter_than_the_look_back_does_not_shorten_it() -> None:
    assert window(last_complete=date(2026, 1, 1), cap_days=2).first == TODAY - 7 * DAY


@pytest.mark.parametrize("kind", [Kind.BACKFILL, Kind.CHOSEN])
def test_a_backfill_and_chosen_dates_read_exactly_their_days(kind: Kind) -> None:
    assert window(date(2025, 12, 31), date(2026, 1, 1), kind=kind, last_complete=None) == Window(
        date(2025, 12, 31), date(2026, 1, 1)
    )


def test_r14_the_weekly_deep_pass_looks_back_35_days() -> None:
    assert window(kind=Kind.DEEP).first == TODAY - 35 * DAY


def test_every_day_of_a_window_is_in_it_once() -> None:
    assert Window(date(2026, 2, 27), date(2026, 3, 2)).days == (
        date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("on", "midnight"),
    [
        (date(2026, 3, 7), datetime(2026, 3, 8, 8, tzinfo=UTC)),
        (date(2026, 3, 8), datetime(2026, 3, 9, 7, tzinfo=UTC)),
        (date(2026, 10, 31), datetime(2026, 11, 1, 7, tzinfo=UTC)),
        (date(2026, 11, 1), datetime(2026, 11, 2, 8, tzinfo=UTC)),
        (date(2026, 12, 31), datetime(2027, 1, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_day_is_over_when_it_is_in_the_westernmost_zone(on: date, midnight: datetime) -> None:
    zones = (EASTERN, ARIZONA, PACIFIC)

    assert not day_is_over(on, midnight - timedelta(seconds=1), zones)
    assert day_is_over(on, midnight, zones)
