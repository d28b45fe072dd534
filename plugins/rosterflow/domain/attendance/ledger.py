"""The ledger: facts and their versions, joined from any number of reads in any order (issue 5, §5.2).

Of each natural key two things are kept: its latest sighting, and the latest sighting that gave its time. A fact is void
when a whole read of its day, later than the latest sighting, did not have it. All of it only ever grows with the moment
of a read, so that the ledger is the same whatever the order, the split or the repetition of the reads: an older read
never overwrites a newer one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from rosterflow.domain.attendance.records import FactKey, Observation


class FactState(StrEnum):
    """Whether a fact's time counts."""

    PRESENT = "present"
    OPEN = "open"
    VOID = "void"


class Version(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a fact was before it changed.

    :param until: the moment of the read that changed it.
    :param run: the run of that read.
    """

    until: datetime
    run: int
    seconds: int
    state: FactState
    on: date
    record_id: str


class Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The time of one student in one session.

    :param window: the day by which the export gave it.
    :param on: the day on which it is booked.
    :param state: OPEN while the session goes on (again): what was booked before stays booked.
    :param value: the latest time in seconds that was final; not booked while VOID.
    :param valued_at: the read that gave it, ``None`` before there is one; of a PRESENT fact ``seen_at`` may be later.
    :param seen_at: the read that last had it, unless :data:`Coverage` knows a later one.
    :param versions: what it was before, oldest first.
    """

    key: FactKey
    person: str
    window: date
    on: date
    state: FactState
    value: int
    valued_at: datetime | None
    seen_at: datetime
    record_id: str = ""
    updated_at: datetime | None = None
    active_on: date | None = None
    versions: tuple[Version, ...] = ()

    @property
    def seconds(self) -> int:
        """What is booked."""
        return 0 if self.state is FactState.VOID else self.value


Coverage = Mapping[date, datetime]
"""When each day of a school was last read whole."""


class Effect(StrEnum):
    """What a read did to what is booked; the words of the mail."""

    NEW = "new"
    RAISED = "raised"
    LOWERED = "lowered"
    MOVED = "moved"
    VOIDED = "voided"
    RESTORED = "restored"


class ReadOf(msgspec.Struct, frozen=True):
    """Which read of a school is joined.

    :param read_at: when the export was asked; one moment for the whole read.
    :param first: first day asked for.
    :param last: last day asked for, inclusive.
    :param is_whole: whether every page came; only then is what is missing gone.
    """

    run: int
    read_at: datetime
    first: date
    last: date
    is_whole: bool

    def covers(self, day: date) -> bool:
        """Whether what it does not have on a day is gone."""
        return self.is_whole and self.first <= day <= self.last


class Change(msgspec.Struct, frozen=True):
    """What a read did to one fact."""

    effect: Effect
    before: Fact | None
    after: Fact


@dataclass(slots=True)
class Joined:
    """What joining a read comes to.

    :param facts: every fact that is to be kept anew.
    :param changes: what happened to the booked ones.
    :param unchanged: how many sightings said nothing new.
    :param superseded: how many sightings a newer read had overtaken; their seconds are not booked.
    :param unsettled: course and session of every fact that is not booked just as the read has it.
    """

    facts: dict[FactKey, Fact] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    unsettled: set[tuple[str, str]] = field(default_factory=set)
    unchanged: int = 0
    superseded: int = 0


def join(
    known: Mapping[FactKey, Fact], seen: Mapping[FactKey, Observation], read: ReadOf, coverage: Coverage
) -> Joined:
    """Join one read of one school to what is known.

    :param known: every fact of the days of the read, and every fact that it names, on whatever day it was before.
    :param coverage: as it was before this read, for all days of ``known`` and ``seen``.
    """
    result = Joined()
    for key, sighting in seen.items():
        former = known.get(key)
        if former is not None and read.read_at <= seen_at(former, coverage):
            result.superseded += read.read_at < seen_at(former, coverage)
            result.unsettled.add(key[:2])
            _keep(result, former, _completed(former, sighting, read), read)
        else:
            after = _sighted(former, sighting, read, coverage)
            if after.state is not FactState.PRESENT:
                result.unsettled.add(key[:2])
                result.superseded += after.state is FactState.VOID and not sighting.is_void
            result.unchanged += former is not None and _says_the_same(former, after)
            _keep(result, former, after, read)
    for former in absent(known, seen, read, coverage):
        _keep(result, former, _left(former, coverage, FactState.VOID), read)
    result.unsettled.update(key[:2] for key in known.keys() - seen.keys())
    return result


def losses(
    known: Mapping[FactKey, Fact], seen: Mapping[FactKey, Observation], read: ReadOf, coverage: Coverage
) -> tuple[int, int]:
    """How many facts the read would void because it does not have them, and how many were booked in its days (R6)."""
    booked = [fact for fact in known.values() if read.covers(fact.window) and fact.state is not FactState.VOID]
    return sum(1 for _ in absent(known, seen, read, coverage)), len(booked)


def seen_at(fact: Fact, coverage: Coverage) -> datetime:
    """The last read that had a fact: also any whole read of its day that did not void it."""
    covered = coverage.get(fact.window)
    return fact.seen_at if covered is None or fact.state is FactState.VOID else max(fact.seen_at, covered)


def coverage_after(read: ReadOf, coverage: Coverage) -> dict[date, datetime]:
    """The days of which the read is now the last whole one."""
    days = (read.first + timedelta(days=at) for at in range((read.last - read.first).days + 1))
    return {day: read.read_at for day in days if read.covers(day) and coverage.get(day, read.read_at) <= read.read_at}


def absent(
    known: Mapping[FactKey, Fact], seen: Mapping[FactKey, Observation], read: ReadOf, coverage: Coverage
) -> Iterator[Fact]:
    """The booked facts that a whole read does not have, and would void."""
    for key, fact in known.items():
        is_booked_there = fact.state is not FactState.VOID and read.covers(fact.window)
        if is_booked_there and key not in seen and read.read_at > seen_at(fact, coverage):
            yield fact


def _sighted(former: Fact | None, seen: Observation, read: ReadOf, coverage: Coverage) -> Fact:
    """The fact after a sighting newer than all others; void when a whole read of its day was later still."""
    value, valued_at, state = _value(former, seen, read, coverage)
    if seen.is_void or coverage.get(seen.window, read.read_at) > read.read_at:
        state = FactState.VOID
    return Fact(
        key=seen.key,
        person=seen.person,
        window=seen.window,
        on=seen.on,
        state=state,
        value=value,
        valued_at=valued_at,
        seen_at=read.read_at,
        record_id=seen.record_id,
        updated_at=seen.updated_at,
        active_on=seen.active_on,
        versions=former.versions if former else (),
    )


def _value(
    former: Fact | None, seen: Observation, read: ReadOf, coverage: Coverage
) -> tuple[int, datetime | None, FactState]:
    if seen.seconds is not None and not seen.is_void:
        return seen.seconds, read.read_at, FactState.PRESENT
    if former is None:
        return 0, None, FactState.OPEN
    left = _left(former, coverage, FactState.OPEN)
    return left.value, left.valued_at, FactState.OPEN


def _left(former: Fact, coverage: Coverage, state: FactState) -> Fact:
    """A fact in a state that coverage says nothing about: when it was seen is written down."""
    seen = seen_at(former, coverage)
    valued = seen if former.state is FactState.PRESENT else former.valued_at
    return msgspec.structs.replace(former, state=state, seen_at=seen, valued_at=valued)


def _completed(former: Fact, seen: Observation, read: ReadOf) -> Fact:
    """An older read may still say what a fact came to that is open or void by now."""
    is_final = seen.seconds is not None and not seen.is_void
    is_news = former.valued_at is None or read.read_at > former.valued_at
    if former.state is FactState.PRESENT or not (is_final and is_news):
        return former
    return msgspec.structs.replace(former, value=seen.seconds, valued_at=read.read_at)


def _keep(result: Joined, former: Fact | None, after: Fact, read: ReadOf) -> None:
    if after is former or (former is not None and _says_the_same(former, after) and read.covers(after.window)):
        return
    effect = _effect(former, after)
    if former is not None and effect is not None:
        past = Version(read.read_at, read.run, former.seconds, former.state, former.on, former.record_id)
        after = msgspec.structs.replace(after, versions=(*former.versions, past))
    result.facts[after.key] = after
    if effect is not None:
        result.changes.append(Change(effect, former, after))


def _says_the_same(former: Fact, after: Fact) -> bool:
    return _said(former) == _said(after)


def _said(fact: Fact) -> tuple[object, ...]:
    """What a fact says, and since when, as far as coverage does not say so for it."""
    valued_at = None if fact.state is FactState.PRESENT else fact.valued_at
    seen = fact.seen_at if fact.state is FactState.VOID else None
    return fact.state, fact.value, valued_at, seen, fact.on, fact.window, fact.person, fact.active_on


def _effect(former: Fact | None, after: Fact) -> Effect | None:
    was_booked = former is not None and former.state is not FactState.VOID and former.valued_at is not None
    is_booked = after.state is not FactState.VOID and after.valued_at is not None
    if former is None or not was_booked:
        known = former is not None and former.valued_at is not None
        return (Effect.RESTORED if known else Effect.NEW) if is_booked else None
    if not is_booked:
        return Effect.VOIDED
    if (former.on, former.person) != (after.on, after.person):
        return Effect.MOVED
    if former.seconds == after.seconds:
        return None
    return Effect.RAISED if after.seconds > former.seconds else Effect.LOWERED
