"""Joining one read of one school to the ledger: one transaction, the same ledger whatever the order of the reads.

A session whose records are what they were is not opened. When more of the window is gone than a person should be
surprised by, the read is joined as one that is not whole: what came is booked, and what is gone waits for an answer
(:mod:`rosterflow.sync.attendance_voids`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Connection

from rosterflow.domain.attendance.ledger import (
    Change,
    Effect,
    Fact,
    Joined,
    ReadOf,
    absent,
    coverage_after,
    join,
    losses,
)
from rosterflow.domain.attendance.reading import KeptRead
from rosterflow.domain.attendance.records import FactKey, Listed, Sorted, sort_records
from rosterflow.domain.coursekey.college import College
from rosterflow.store import attendance, attendance_raw, attendance_rows, runs
from rosterflow.store.attendance import Kept, Noted, Outline, SessionName
from rosterflow.store.bulk import batches
from rosterflow.store.engine import Store
from rosterflow.sync.attendance_reading import Opened
from rosterflow.sync.attendance_sessions import Sessions
from rosterflow.sync.attendance_voids import Gone, hold
from rosterflow.sync.cycles import undisturbed

SESSIONS_AT_ONCE = 500
LINES_KEPT = 5000
"""So many listed records are handed on by name; all are counted."""


@dataclass(slots=True)
class Imported:
    """What joining one read of one school came to.

    :param is_whole: whether what it does not have was taken to be gone.
    :param gaps: why it did not come whole.
    :param problems: malformed records, one sentence each.
    :param records: that came.
    :param seconds: that came; each is booked, listed or superseded.
    :param effects: what it did to facts.
    :param unchanged: records that said nothing new.
    :param superseded: records that a newer read had overtaken.
    :param listed: records that are not booked, by reason, and their seconds.
    :param remarks: records that are booked and worth a look, by reason.
    :param lines: the first of both.
    :param held: facts that are gone from the export and stay booked until a person answers.
    :param approval: the request that asks, ``None`` when none does.
    """

    read: KeptRead
    is_whole: bool = False
    gaps: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    records: int = 0
    seconds: int = 0
    effects: Counter[Effect] = field(default_factory=Counter)
    unchanged: int = 0
    superseded: int = 0
    listed: Counter[str] = field(default_factory=Counter)
    listed_seconds: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    lines: list[Listed] = field(default_factory=list)
    held: int = 0
    approval: int | None = None

    def counts(self) -> dict[str, Any]:
        """All but the lines, as JSON; what the run writes down of it."""
        plain: dict[str, Any] = msgspec.to_builtins(
            {name: getattr(self, name) for name in self.__slots__ if name not in ("read", "lines")}
        )
        read = self.read
        about = {"alias": read.alias, "school": read.school, "first": str(read.first), "last": str(read.last)}
        return {**about, "read_at": read.read_at.isoformat(), **plain}


@undisturbed
def import_read(
    store: Store, college: College, run: int, opened: Opened, now: datetime, *, approved: bool = False
) -> Imported:
    """Join one read to the ledger of its school; joining it again changes nothing.

    :param run: our run, which the audit names.
    :param approved: whether a person has approved that what it does not have is gone.
    :raises FatalError: ``rows-missing`` when a page is not there any more, or is not as it was read.
    """
    sessions = Sessions(opened.pages(), opened.read.tz, opened.read.read_at)
    imported = Imported(opened.read, gaps=list(opened.gaps), problems=list(opened.problems), records=sessions.records)
    read = ReadOf(run, opened.read.read_at, opened.read.first, opened.read.last, opened.is_whole)
    with store.begin() as connection:
        attendance.lock(connection, college.key, opened.read.school)
        joining = _Joining(connection, college, read, sessions, imported)
        if read.is_whole and not approved:
            joining.guard(now)
        joining.join()
        if opened.read.number:
            attendance_raw.joined(connection, opened.read.number, imported.is_whole, now)
        _count(connection, run, imported)
    return imported


def _count(connection: Connection, run: int, imported: Imported) -> None:
    """Write the counts of a school beside those of the run's other schools."""
    known = runs.get_run(connection, run).counts.get("attendance", {})
    runs.add_counts(connection, run, attendance={**known, imported.read.school: imported.counts()})


class _Joining:
    """One read, inside its transaction."""

    def __init__(
        self, connection: Connection, college: College, read: ReadOf, sessions: Sessions, imported: Imported
    ) -> None:
        self._connection, self._college, self._sessions = connection, college, sessions
        self._key, self._school = college.key, imported.read.school
        self._read, self._found = read, imported
        self._outlines = attendance.outlines(connection, self._key, self._school, read.first, read.last, sessions)
        self._coverage = attendance.coverage(connection, self._key, self._school)
        self._unchanged = {name for name in sessions if self._is_as_before(name)}
        self._due: set[date] = set()

    def guard(self, now: datetime) -> None:
        """Hold what is gone when it is too much of the window (R6)."""
        gone, booked = Gone(), 0
        unseen = [name for name in self._outlines if name not in self._sessions]
        changed = [name for name in self._sessions if name in self._outlines and name not in self._unchanged]
        booked += sum(self._outlines[name].booked for name in self._unchanged)
        for some in batches((*unseen, *changed), SESSIONS_AT_ONCE):
            known, seen = self._known(some), self._sorted(some).observations
            booked += losses(known, seen, self._read, self._coverage)[1]
            gone.add(absent(known, seen, self._read, self._coverage))
        if gone.facts * 100 > booked * self._college.attendance.losses_percent:
            self._found.held = gone.facts
            about = (self._found.read, self._read.run, gone, booked)
            self._found.approval = hold(self._connection, self._college, *about, now)
            self._read = msgspec.structs.replace(self._read, is_whole=False)

    def join(self) -> None:
        """Join all sessions that have to be looked at, and write down which days were read whole."""
        self._found.is_whole = self._read.is_whole
        looked_at = list(self._sessions)
        if self._read.is_whole:
            self._skip()
            looked_at = [name for name in self._sessions if name not in self._unchanged]
            looked_at += (name for name in self._outlines if name not in self._sessions)
        for some in batches(looked_at, SESSIONS_AT_ONCE):
            self._join(some)
        days = coverage_after(self._read, self._coverage)
        attendance.cover(self._connection, self._key, self._school, days, self._read.run)
        attendance_rows.mark_due(self._connection, self._key, self._due)

    def _skip(self) -> None:
        """Count the sessions that need not be opened."""
        for name in self._unchanged:
            self._found.unchanged += self._outlines[name].booked
            self._found.seconds += self._outlines[name].seconds

    def _is_as_before(self, name: SessionName) -> bool:
        outline = self._outlines.get(name)
        if outline is None or not outline.digest or not self._is_within(outline):
            return False
        return outline.digest == self._sessions.digest(name)

    def _is_within(self, outline: Outline) -> bool:
        return self._read.first <= outline.first and outline.last <= self._read.last

    def _sorted(self, names: Iterable[SessionName]) -> Sorted:
        records = self._sessions.records_of(name for name in names if name in self._sessions)
        read = self._found.read
        return sort_records(records, read.tz, read.read_at, self._college.attendance.counts)

    def _known(self, names: Iterable[SessionName]) -> dict[FactKey, Fact]:
        there = [name for name in names if name in self._outlines]
        found = attendance.facts_of(self._connection, self._key, self._school, there)
        return {fact.key: fact for facts in found.values() for fact in facts}

    def _join(self, names: Collection[SessionName]) -> None:
        known, came = self._known(names), self._sorted(names)
        joined = join(known, came.observations, self._read, self._coverage)
        self._tell(came)
        self._found.unchanged += joined.unchanged
        self._found.superseded += joined.superseded
        self._note(joined.changes, came)
        self._save(names, known, joined, came)

    def _tell(self, came: Sorted) -> None:
        found = self._found
        found.seconds += came.seconds_in
        found.listed += came.reasons
        for item in came.listed:
            found.listed_seconds[item.reason] += item.seconds
        found.remarks += Counter(item.reason for item in came.remarks)
        room = LINES_KEPT - len(found.lines)
        if room > 0:
            found.lines += (*came.listed, *came.remarks)[:room]

    def _note(self, changes: Iterable[Change], came: Sorted) -> None:
        of_session: dict[tuple[str, str], list[Change]] = defaultdict(list)
        for change in changes:
            of_session[change.after.key[:2]].append(change)
            self._due.add(change.after.on)
            if change.before is not None:
                self._due.add(change.before.on)
        told: dict[SessionName, list[Noted]] = {}
        for key, some in of_session.items():
            name = SessionName(*key)
            self._found.effects += Counter(change.effect for change in some)
            page_of = self._sessions.page_of(name)
            told[name] = [
                attendance.noted(change, page_of(change.after) if change.after.key in came.observations else 0)
                for change in some
            ]
        attendance.note(self._connection, self._key, self._school, self._read, self._found.read.number, told)

    def _save(self, names: Iterable[SessionName], known: Mapping[FactKey, Fact], joined: Joined, came: Sorted) -> None:
        """Keep the sessions that changed, and those whose records are others though they say the same."""
        of_session: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for key, fact in joined.facts.items():
            of_session[key[:2]].append(fact)
        touched = set(of_session)
        for key, fact in known.items():
            if key not in joined.facts:
                of_session[key[:2]].append(fact)
        remarkable = {(item.course_id, item.window) for item in (*came.listed, *came.remarks)}
        kept = {}
        for name in names:
            if name not in of_session:
                continue
            mine = tuple(sorted(of_session[name], key=attrgetter("key")))
            digest = "" if name in joined.unsettled else self._digest(name, mine, remarkable)
            outline = self._outlines.get(name)
            if name in touched or (digest and (outline is None or outline.digest != digest)):
                kept[name] = Kept(mine, digest)
        attendance.save(self._connection, self._key, self._school, kept)

    def _digest(self, name: SessionName, facts: Collection[Fact], remarkable: Collection[tuple[str, date]]) -> str:
        """The digest of a session's records, when the ledger says just what they do and none is to be listed again."""
        is_listed = remarkable and any((name.course_id, fact.window) in remarkable for fact in facts)
        if is_listed or name not in self._sessions or self._sessions.count(name) != len(facts):
            return ""
        return self._sessions.digest(name)
