"""The tables of docs/attendance-worked-example.md, computed again by the program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from rosterflow.domain.attendance.booking import (
    AsyncRule,
    Rounding,
    RowKey,
    Seat,
    Time,
    book,
    last_date_attended,
    time_of,
    to_write,
)
from rosterflow.domain.attendance.ledger import Coverage, Fact, Joined, ReadOf, coverage_after, join
from rosterflow.domain.attendance.records import Counts, FactKey, Sorted, Status, TimeRecord, sort_records
from rosterflow.domain.coursekey.campus import SectionKey, Standing
from tests.conftest import REPOSITORY

EASTERN = ZoneInfo("US/Eastern")
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 15)
NURSING = SectionKey("202620", "NUR210", "1")
H_SO_FAR = 27_000
Row = dict[str, str]


def tables() -> list[list[Row]]:
    """The tables of the document, each as its rows by the names of the columns."""
    found: list[list[Row]] = []
    names: list[str] = []
    lines = (REPOSITORY / "docs" / "attendance-worked-example.md").read_text(encoding="utf-8").splitlines()
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            names = []
        elif not names:
            names = cells
            found.append([])
        elif not cells[0].startswith("---"):
            found[-1].append(dict(zip(names, cells, strict=True)))
    return found


RECORDS, READS, ROWS, TOTALS = tables()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=EASTERN)


def record(row: Row, number: str) -> TimeRecord | None:
    """A record as one read finds it; nothing when it is gone."""
    says = row[f"read {number}"]
    if says == "gone":
        return None
    goes_on = says == "in progress"
    leaves = local(row["check-out"]) if row["check-out"] and not goes_on else None
    return TimeRecord(
        "C1",
        "U1",
        local(row["starts"]).date(),
        record_id=row["session"],
        issued_id="2001",
        session_id=row["session"],
        starts=local(row["starts"]),
        ends=local(row["ends"]),
        check_in=local(row["check-in"]),
        check_out=leaves,
        attended=int(row["passed"]) if leaves else None,
        awarded=H_SO_FAR if goes_on else int(says),
        status=Status.IN_PROGRESS if goes_on else Status.COMPLETE,
    )


@dataclass(frozen=True)
class Night:
    """What one read came to."""

    found: Sorted
    joined: Joined
    facts: dict[FactKey, Fact]
    seconds: dict[RowKey, int]
    sent: dict[RowKey, Time]
    last_date: date | None


def play(numbers: Sequence[str]) -> list[Night]:
    """Read, join and book, one read after the other."""
    facts: dict[FactKey, Fact] = {}
    coverage: dict[date, datetime] = {}
    written: dict[RowKey, Time] = {}
    nights: list[Night] = []
    for number in numbers:
        night = one_night(number, dict(facts), dict(coverage), written, len(nights) + 1)
        facts, written = night.facts, {**written, **night.sent}
        coverage.update(coverage_after(read_of(number, len(nights) + 1), coverage))
        nights.append(night)
    return nights


def read_of(number: str, run: int) -> ReadOf:
    at = next(local(row["at (local)"]) for row in READS if row["read"] == number)
    return ReadOf(run, at.replace(day=at.day + run - int(number)).astimezone(UTC), FIRST, LAST, is_whole=True)


def one_night(
    number: str, facts: dict[FactKey, Fact], coverage: Coverage, written: dict[RowKey, Time], run: int
) -> Night:
    read = read_of(number, run)
    records = [one for row in RECORDS if (one := record(row, number)) is not None]
    found = sort_records(records, EASTERN, read.read_at)
    joined = join(facts, found.observations, read, coverage)
    facts.update(joined.facts)
    seats = {(NURSING, "2001"): Seat(Standing.REGISTERED)}
    booked = book(facts.values(), {"C1": NURSING}, seats, frozenset({"2001"}), {})
    sent = to_write(booked.seconds, written, Rounding.FLOOR)
    today = read.read_at.astimezone(EASTERN).date()
    last_date = last_date_attended(facts.values(), AsyncRule.TIME, today)
    return Night(found, joined, facts, booked.seconds, sent, last_date)


NIGHTS = dict(zip(("1", "2", "3"), play(["1", "2", "3"]), strict=True))


@pytest.mark.parametrize("row", [row for row in RECORDS if row["check-out"]], ids=lambda row: str(row["session"]))
def test_what_passed_between_check_in_and_check_out_is_as_the_example_says(row: Row) -> None:
    by_the_clock = TimeRecord(
        "C1", "U1", FIRST, check_in=local(row["check-in"]), check_out=local(row["check-out"])
    )  # fmt: skip

    [seen] = sort_records([by_the_clock], EASTERN, local("2026-03-20 05:30"), Counts.CLOCK).observations.values()

    assert str(seen.seconds) == row["passed"]


@pytest.mark.parametrize("row", READS, ids=lambda row: f"read {row['read']}")
def test_each_read_does_what_the_example_says(row: Row) -> None:
    night = NIGHTS[row["read"]]
    effects = Counter(str(change.effect) for change in night.joined.changes)
    remarks = Counter(item.reason for item in night.found.remarks)

    assert {name: str(effects.pop(name, 0)) for name in ("new", "raised", "lowered", "voided")}.items() <= row.items()
    assert effects == {}
    assert str(night.found.reasons["in-progress"]) == row["in progress"]
    assert str(remarks["spans-midnight"]) == row["over midnight"]
    assert str(remarks["longer-than-day"]) == row["longer than the day"]


@pytest.mark.parametrize("number", NIGHTS)
def test_campus_cafe_holds_what_the_example_says(number: str) -> None:
    night = NIGHTS[number]

    assert [
        {
            "read": number,
            "day": str(key.on),
            "sessions": " ".join(sorted(f.key.session for f in night.facts.values() if f.on == key.on)),
            "seconds": str(seconds),
            "hours": str(time_of(seconds, Rounding.FLOOR).hours),
            "minutes": str(time_of(seconds, Rounding.FLOOR).minutes),
            "written": "yes" if key in night.sent else "no",
        }
        for key, seconds in sorted(night.seconds.items())
    ] == [row for row in ROWS if row["read"] == number]


@pytest.mark.parametrize("row", TOTALS, ids=lambda row: f"read {row['read']}")
def test_no_second_is_lost_and_the_last_date_is_as_the_example_says(row: Row) -> None:
    night = NIGHTS[row["read"]]
    times = [time_of(seconds, Rounding.FLOOR) for seconds in night.seconds.values()]

    booked, listed = sum(night.seconds.values()), sum(item.seconds for item in night.found.listed)
    assert row == {
        "read": row["read"],
        "seconds in": str(night.found.seconds_in),
        "seconds booked": str(booked),
        "seconds listed": str(listed),
        "minutes in Campus Cafe": str(sum((60 * time.hours + time.minutes for time in times), Decimal(0))),
        "last date attended": str(night.last_date),
    }
    assert night.found.seconds_in == booked + listed


def test_a_fourth_read_of_the_same_changes_and_writes_nothing() -> None:
    *_, again = play(["1", "2", "3", "3"])

    assert (again.joined.changes, again.joined.facts, again.sent) == ([], {}, {})
