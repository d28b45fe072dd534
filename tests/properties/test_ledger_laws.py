"""The laws of the ledger of attendance (issue 5, §5.5.3): order, split and repetition of reads change nothing."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from rosterflow.domain.attendance.ledger import Coverage, Fact, FactState, ReadOf, coverage_after, join, losses
from rosterflow.domain.attendance.records import FactKey, Observation, Status, TimeRecord, sort_records

law = settings(max_examples=100, deadline=None)
DAYS = tuple(date(2026, 3, 6) + timedelta(days=at) for at in range(4))
BEGIN = datetime(2026, 3, 11, 6, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Ledger:
    facts: Mapping[FactKey, Fact]
    coverage: Coverage

    def booked(self) -> dict[FactKey, tuple[date, int]]:
        facts = self.facts.values()
        return {f.key: (f.on, f.seconds) for f in facts if f.state is not FactState.VOID and f.valued_at}


Read = tuple[ReadOf, Mapping[FactKey, Observation]]


def ledger_of(reads: Sequence[Read]) -> Ledger:
    facts: dict[FactKey, Fact] = {}
    coverage: dict[date, datetime] = {}
    for read, seen in reads:
        facts.update(join(facts, seen, read, coverage).facts)
        coverage.update(coverage_after(read, coverage))
    return Ledger(facts, coverage)


def sighting(session: str, window: date, seconds: int | None, *, is_void: bool = False) -> Observation:
    key = FactKey("C1", session, "U1", "sync")
    return Observation(key, "2001", window, window, 0 if is_void else seconds, is_void, "", None)


@st.composite
def reads(draw: st.DrawFn) -> list[Read]:
    made: list[Read] = []
    for at in range(draw(st.integers(1, 5))):
        first, last = sorted((draw(st.sampled_from(DAYS)), draw(st.sampled_from(DAYS))))
        days = [day for day in DAYS if first <= day <= last]
        seen = {}
        for session in draw(st.sets(st.sampled_from("xyz"))):
            seconds = draw(st.sampled_from((None, 0, 1799, 3600)))
            one = sighting(session, draw(st.sampled_from(days)), seconds, is_void=draw(st.booleans()) and seconds == 0)
            seen[one.key] = one
        made.append((ReadOf(at, BEGIN + timedelta(days=at), first, last, draw(st.booleans())), seen))
    return made


@law
@given(reads(), st.randoms(use_true_random=False))
def test_reads_in_any_order_and_any_number_give_the_same_ledger(made: list[Read], chance: random.Random) -> None:
    again = [*made, *chance.choices(made, k=3)]
    chance.shuffle(again)

    assert ledger_of(again).booked() == ledger_of(made).booked()


@law
@given(reads())
def test_a_read_cut_into_its_days_gives_the_same_ledger(made: list[Read]) -> None:
    pieces = []
    for read, seen in made:
        for day in DAYS:
            if read.first <= day <= read.last:
                of_day = {key: one for key, one in seen.items() if one.window == day}
                pieces.append((ReadOf(read.run, read.read_at, day, day, read.is_whole), of_day))

    assert ledger_of(pieces).booked() == ledger_of(made).booked()


@law
@given(reads(), st.data())
def test_a_read_that_is_not_whole_voids_nothing(made: list[Read], data: st.DataObject) -> None:
    before = ledger_of(made)
    seen = {
        key: sighting(key.session, f.window, f.value) for key, f in before.facts.items() if data.draw(st.booleans())
    }
    cut = ReadOf(99, BEGIN + timedelta(days=99), DAYS[0], DAYS[-1], is_whole=False)

    joined = join(before.facts, seen, cut, before.coverage)

    assert losses(before.facts, seen, cut, before.coverage) == (0, 0)
    assert [change for change in joined.changes if change.after.state is FactState.VOID] == []


@law
@given(st.data())
def test_every_second_that_comes_in_is_booked_or_listed(data: st.DataObject) -> None:
    records = data.draw(st.lists(st.builds(record, *PARTS), max_size=12))
    read = ReadOf(1, BEGIN, DAYS[0], DAYS[-1], is_whole=True)

    found = sort_records(records, NEW_YORK, BEGIN)
    joined = join({}, found.observations, read, {})

    booked = sum(fact.seconds for fact in joined.facts.values())
    assert found.seconds_in == booked + sum(item.seconds for item in found.listed)


def record(session: str, day: date, awarded: int | None, status: Status, hours: int, is_deleted: bool) -> TimeRecord:
    start = datetime(day.year, day.month, day.day, 18, tzinfo=NEW_YORK)
    return TimeRecord(
        "C1",
        "U1",
        day,
        record_id=f"{session}{hours}",
        issued_id="2001",
        session_id=session,
        starts=start,
        ends=start + timedelta(hours=hours),
        awarded=awarded,
        status=status,
        updated_at=start + timedelta(hours=hours),
        is_deleted=is_deleted,
    )


PARTS = (
    st.sampled_from(["S1", "S2", ""]),
    st.sampled_from(DAYS),
    st.sampled_from([None, -60, 0, 1799, 90_000]),
    st.sampled_from(Status),
    st.integers(1, 200),
    st.booleans(),
)
