"""The ledger once more, from the pages that were kept as evidence; what differs from the one in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from rosterflow.domain.attendance.ledger import Fact, FactState, ReadOf, coverage_after, join
from rosterflow.domain.attendance.reading import KeptPage
from rosterflow.domain.attendance.records import FactKey, sort_records
from rosterflow.domain.coursekey.college import College
from rosterflow.store import attendance, attendance_raw, attendance_rows
from rosterflow.store.attendance import Kept, SessionName
from rosterflow.store.engine import Store
from rosterflow.sync.attendance_reading import Opened
from rosterflow.sync.cycles import undisturbed

Fetch = Callable[[KeptPage], bytes]


class Difference(NamedTuple):
    """A fact that the evidence and the store do not agree about.

    :param stored: what the store has booked: day and seconds; ``None`` when nothing is.
    :param evident: what the evidence books.
    """

    school: str
    key: FactKey
    person: str
    stored: tuple[date, int] | None
    evident: tuple[date, int] | None


class Evident(NamedTuple):
    """What the evidence of one school comes to.

    :param since: the oldest read that is kept; what was last seen before has no evidence any more.
    """

    facts: dict[FactKey, Fact]
    coverage: dict[date, datetime]
    since: datetime


@undisturbed
def recompute(store: Store, college: College, fetch: Fetch, *, only_check: bool) -> list[Difference]:
    """Build the ledger again from the kept pages and compare; unless only checking, have the store say the same.

    :param fetch: the bytes of a page.
    :returns: what differed.
    :raises FatalError: ``rows-missing`` when a page is not there any more, or is not as it was read.
    """
    found: list[Difference] = []
    for school in dict.fromkeys(pair.school for pair in college.crskeyauth):
        with store.begin() as connection:
            attendance.lock(connection, college.key, school)
            reads = list(attendance_raw.joined_reads(connection, college.key, school))
            if not reads:
                continue
            evident = _evident(college, reads, fetch)
            courses = [
                course
                for course in attendance.courses_in(connection, college.key, date.min, date.max)
                if course.school == school
            ]
            stored = {fact.key: fact for _, fact in attendance.facts_in(connection, college.key, courses)}
            differing = list(_differences(school, stored, evident))
            found += differing
            if differing and not only_check:
                stale = {SessionName(one.key.course_id, one.key.session) for one in differing}
                _mend(connection, college.key, school, evident, stored, stale)
    return found


def _evident(college: College, reads: Iterable[attendance_raw.Joined], fetch: Fetch) -> Evident:
    facts: dict[FactKey, Fact] = {}
    coverage: dict[date, datetime] = {}
    since: datetime | None = None
    for kept, run, is_whole in reads:
        since = since or kept.read_at
        opened = Opened(kept, fetch)
        came = sort_records(opened.records(), kept.tz, kept.read_at, college.attendance.counts)
        read = ReadOf(run, kept.read_at, kept.first, kept.last, is_whole)
        facts.update(join(facts, came.observations, read, coverage).facts)
        coverage.update(coverage_after(read, coverage))
    if since is None:
        raise ValueError("a ledger without a read")
    return Evident(facts, coverage, since)


def _differences(school: str, stored: dict[FactKey, Fact], evident: Evident) -> Iterable[Difference]:
    for key in sorted(stored.keys() | evident.facts.keys()):
        ours, theirs = stored.get(key), evident.facts.get(key)
        if theirs is None and ours is not None and ours.seen_at < evident.since:
            continue
        if _booked(ours) != _booked(theirs):
            person = (ours or theirs or evident.facts[key]).person
            yield Difference(school, key, person, _booked(ours), _booked(theirs))


def _booked(fact: Fact | None) -> tuple[date, int] | None:
    if fact is None or fact.state is FactState.VOID or fact.valued_at is None:
        return None
    return fact.on, fact.seconds


def _mend(
    connection: Connection,
    institution: str,
    school: str,
    evident: Evident,
    stored: dict[FactKey, Fact],
    stale: set[SessionName],
) -> None:
    """Have some sessions say what the evidence says; a fact without evidence is booked no longer."""
    sessions: dict[SessionName, list[Fact]] = {name: [] for name in stale}
    days: set[date] = set()
    for key in stored.keys() | evident.facts.keys():
        name = SessionName(key.course_id, key.session)
        if name not in stale:
            continue
        ours, theirs = stored.get(key), evident.facts.get(key)
        days |= {fact.on for fact in (ours, theirs) if fact is not None}
        if theirs is not None:
            sessions[name].append(theirs)
        elif ours is not None:
            is_evident = ours.seen_at >= evident.since
            sessions[name].append(msgspec.structs.replace(ours, state=FactState.VOID) if is_evident else ours)
    kept = {name: Kept(tuple(sorted(facts, key=lambda fact: fact.key))) for name, facts in sessions.items()}
    attendance.save(connection, institution, school, kept)
    attendance_rows.mark_due(connection, institution, days)
