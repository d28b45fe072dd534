"""Writing time attended to Campus Cafe: rows that are not there as they should be, then last dates attended.

What is written is what the ledger says now, so runs may come in any order; one run writes at a time. A row is marked
before it is sent, so that one of which nobody heard is sent again. Days stay due until they were written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from sqlalchemy import Connection

from rosterflow.domain.attendance.booking import Origin, RowKey, Time, last_date_attended, to_write
from rosterflow.domain.attendance.ledger import Fact
from rosterflow.domain.attendance.module import (
    MOST_ROWS,
    AttendanceModule,
    AttendanceResource,
    KeptTime,
    LastDate,
    RowResult,
    Rows,
    Wrote,
    tried_again_on,
)
from rosterflow.domain.attendance.records import Listed
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.store import attendance_rows, leases, runs
from rosterflow.store.attendance_rows import Outcome, Seat, Sent, SentDate, SentTime
from rosterflow.store.bulk import batches
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.attendance_seating import A_DAY, Module, Seating, Wanted
from rosterflow.sync.cycles import undisturbed

TERM = timedelta(minutes=10)
"""A writer that was killed is waited for no longer; each batch of one that lives renews it."""
LINES_KEPT = 5000
Row = TypeVar("Row")
NOTHING = Time(0, Decimal(0))
NEVER = Time(-1, Decimal(0))
"""Stands for a row of which it is not known what Campus Cafe holds: it is sent."""
STATES = {
    Wrote.WRITTEN: Sent.CONFIRMED,
    Wrote.UNCHANGED: Sent.CONFIRMED,
    Wrote.REFUSED: Sent.REFUSED,
    Wrote.HANDED_OVER: Sent.HANDED_OVER,
}


@dataclass(slots=True)
class Written:
    """What writing came to.

    :param rows: rows that were sent, by what became of them.
    :param dates: last dates attended that were sent, by what became of them.
    :param refused: both, by Campus Cafe's code.
    :param listed: facts that are not written, by reason, and their seconds.
    :param remarks: facts that are written and worth a look, by reason.
    :param lines: the first of these, and of what was refused.
    :param days: seconds booked, by school and day.
    :param unseen: students registered in a section that met, of whom CourseKey has nothing.
    :param problems: rows of Campus Cafe's that could not be used.
    :param waiting: rows and dates that were refused, by the day on which they are sent again.
    """

    rows: Counter[Wrote] = field(default_factory=Counter)
    dates: Counter[Wrote] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    listed_seconds: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    lines: list[Listed] = field(default_factory=list)
    days: Counter[tuple[str, date]] = field(default_factory=Counter)
    unseen: list[tuple[SectionKey, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    waiting: Counter[date] = field(default_factory=Counter)

    def counts(self) -> dict[str, object]:
        """What the run writes down of it, as JSON."""
        counters = ("rows", "dates", "refused", "listed", "listed_seconds", "remarks", "waiting")
        days: dict[str, dict[str, int]] = defaultdict(dict)
        for (school, on), seconds in sorted(self.days.items()):
            days[school][on.isoformat()] = seconds
        plain = {name: {str(key): n for key, n in getattr(self, name).items()} for name in counters}
        return {**plain, "days": days, "unseen": len(self.unseen), "problems": self.problems}


@undisturbed
def write_attendance(
    store: Store,
    college: College,
    run: Run,
    module: AttendanceModule,
    window: tuple[date, date],
    clock: Callable[[], datetime],
) -> Written:
    """Bring Campus Cafe to what the ledger says of some days, of all days that are due, and of refused rows that are.

    :param window: first and last day, inclusive.
    :raises RetryableError: ``writer-busy`` while another run of the college writes; ``partial-response`` when what
        Campus Cafe holds could not be read whole.
    :raises RosterflowError: as the module does; what was written is confirmed by then.
    """
    writing = _Writing(store, college, run, module, clock)
    writing.begin()
    writing.hear_of_batches()
    with store.begin() as connection:
        due = attendance_rows.due(connection, college.key)
        again = attendance_rows.refused_days(connection, college.key, writing.today)
    first, last = window
    days = {first + timedelta(days=at) for at in range((last - first).days + 1)} | due.keys() | again
    for one, other in spans(days):
        writing.write(one, other)
    with store.begin() as connection:
        attendance_rows.written(connection, college.key, due)
        attendance_rows.give_up(connection, college.key, writing.today)
        writing.found.waiting = attendance_rows.waiting(connection, college.key, writing.today)
        runs.add_counts(connection, run.id, attendance_written=writing.found.counts())
        leases.release(connection, writing.lease, run.holder)
    return writing.found


def spans(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """First and last of each run of days without a gap."""
    in_order = sorted(days)
    first = last = None
    for day in in_order:
        if first is None or last is None:
            first = last = day
        elif day <= last + A_DAY:
            last = day
        else:
            yield first, last
            first = last = day
    if first is not None and last is not None:
        yield first, last


class _Writing:
    """The one writer of a college's attendance."""

    def __init__(
        self, store: Store, college: College, run: Run, module: AttendanceModule, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._college, self._run, self._module, self._clock = store, college, run, module, clock
        self.found = Written()
        self.lease = f"attendance/{college.key}"
        self.today = clock().astimezone(college.zone).date()
        self._fence = 0
        self._batches = 0

    def begin(self) -> None:
        """Become the one writer.

        :raises RetryableError: ``writer-busy`` while another run writes.
        """
        self._fence = self._acquire()

    def _acquire(self) -> int:
        try:
            with self._store.begin() as connection:
                return leases.acquire(connection, self.lease, self._run.holder, self._clock(), TERM)
        except RetryableError as error:
            if error.code is not Code.WRITER_BUSY:
                raise
            raise _busy(self._college, error.retry_after) from error

    def _keep(self) -> None:
        """Stay the one writer; who was not, for a while, no longer knows what Campus Cafe holds."""
        if self._acquire() != self._fence:
            raise _busy(self._college, leases.BUSY_WAIT)

    def write(self, first: date, last: date) -> None:
        """Bring some days up to date."""
        rows, dates = self._put_together(first, last)
        for some in batches(rows, MOST_ROWS):
            self._send_times(some)
        for others in batches(dates, MOST_ROWS):
            self._send_dates(others)

    def hear_of_batches(self) -> None:
        """Find out what became of what was handed over."""
        with self._store.begin() as connection:
            times, dates = attendance_rows.handed_over(connection, self._college.key)
        for batch in times:
            if results := self._heard(AttendanceResource.TIMES, batch):
                with self._store.begin() as connection:
                    sent = attendance_rows.times_of_batch(connection, self._college.key, batch)
                    self._take_times(connection, sent, results, batch)
        for batch in dates:
            if results := self._heard(AttendanceResource.LAST_DATES, batch):
                with self._store.begin() as connection:
                    told = attendance_rows.dates_of_batch(connection, self._college.key, batch)
                    self._take_dates(connection, told, results, batch)

    def _heard(self, resource: AttendanceResource, batch: str) -> Sequence[RowResult]:
        """What became of a batch; an answer that cannot be used is told, and waited for."""
        try:
            return self._module.results(resource, batch) or ()
        except RetryableError as error:
            self.found.problems.append(error.message)
            return ()

    def _put_together(self, first: date, last: date) -> tuple[list[SentTime], list[SentDate]]:
        """What is to be sent of some days; marked, so that it is sent again if nothing is heard of it."""
        held = self._read(first, last)
        with self._store.begin() as connection:
            seating = Seating(connection, self._college, first, last, held)
            sent = attendance_rows.times_of_days(connection, self._college.key, first, last)
            written = self._written(held.times, sent)
            rows: list[SentTime] = []
            settled: list[SentTime] = []
            dates: list[SentDate] = []
            for wanted in seating.wanted(sent):
                self._tell(wanted)
                changed = to_write(wanted.seconds, written, self._college.attendance.rounding)
                rows += self._times(changed, wanted.seconds, sent)
                right = {key: seconds for key, seconds in wanted.seconds.items() if key not in changed}
                settled += self._settled(sent, right, written)
                asked = {(key.section, key.person) for key in changed} | wanted.active
                dates += self._dates(connection, seating, held, wanted, asked)
            rows.sort(key=lambda one: one.key)
            attendance_rows.put_times(connection, self._college.key, (*settled, *rows))
            attendance_rows.put_dates(connection, self._college.key, dates)
        return rows, dates

    def _read(self, first: date, last: date) -> Module:
        times = self._whole(self._module.times(first, last), "attendance")
        dates = self._whole(self._module.last_dates(()), "last dates")
        exceptions = self._whole(self._module.exceptions(first, last), "exceptions")
        return Module(times.rows, dates.rows, exceptions.rows)

    def _whole(self, rows: Rows[Row], what: str) -> Rows[Row]:
        self.found.problems += rows.problems
        if rows.gaps:
            raise RetryableError(Code.PARTIAL_RESPONSE, f"Campus Cafe's {what} could not be read: {rows.gaps[0]}")
        return rows

    def _written(self, times: Iterable[KeptTime], sent: Mapping[RowKey, SentTime]) -> dict[RowKey, Time]:
        """What Campus Cafe holds of ours: over HTTP what it says; of its files, which may be old, what it confirmed."""
        if self._college.campus_cafe.folder is None:
            return {one.key: one.time for one in times if one.origin is Origin.OURS}
        stands = (Sent.CONFIRMED, Sent.HANDED_OVER)
        return {key: one.time if one.outcome.state in stands else NEVER for key, one in sent.items()}

    def _settled(
        self, sent: Mapping[RowKey, SentTime], right: Mapping[RowKey, int], written: Mapping[RowKey, Time]
    ) -> Iterator[SentTime]:
        """Rows that were refused, or of which nobody heard, and that are as they should be by now.

        :param right: seconds of every row that need not be sent.
        """
        for key, seconds in right.items():
            if key in sent and sent[key].outcome.state in (Sent.SENDING, Sent.REFUSED):
                told = sent[key].outcome
                outcome = Outcome(Sent.CONFIRMED, self._run.id, "", "", told.batch, told.place, self._clock())
                yield SentTime(key, written.get(key, NOTHING), seconds, outcome)

    def _times(
        self, changed: Mapping[RowKey, Time], seconds: Mapping[RowKey, int], sent: Mapping[RowKey, SentTime]
    ) -> Iterator[SentTime]:
        """The rows that are to be sent; one that was refused as it is waits for its day."""
        for key, time in changed.items():
            former = sent.get(key)
            told = former.outcome if former is not None and former.time == time else None
            if told is None or not told.rests(self.today):
                yield SentTime(key, time, seconds[key], self._sending(told))

    def _sending(self, told: Outcome | None) -> Outcome:
        """A row about to be sent.

        :param told: what became of it when it was sent before, just as it is.
        """
        return Outcome(Sent.SENDING, self._run.id, refusals=told.refusals if told is not None else 0)

    def _dates(
        self, connection: Connection, seating: Seating, held: Module, wanted: Wanted, asked: set[Seat]
    ) -> Iterator[SentDate]:
        """The last dates attended that are others than Campus Cafe holds, of those who are asked about."""
        known = {one.key: one for one in held.dates}
        unsettled = attendance_rows.dates_of(connection, self._college.key, wanted.sections)
        asked |= {seat for seat, one in unsettled.items() if one.outcome.state in (Sent.SENDING, Sent.REFUSED)}
        asked = {seat for seat in asked if seat[0] in wanted.sections and not _is_manual(known.get(seat))}
        if not asked:
            return
        facts: dict[Seat, list[Fact]] = defaultdict(list)
        for section, fact in seating.facts_of({section for section, _ in asked}):
            facts[section, fact.person].append(fact)
        for seat in sorted(asked):
            seated = wanted.seats.get(seat)
            on = last_date_attended(facts[seat], self._college.attendance.async_rule, self.today) if seated else None
            has = known[seat].on if seat in known else None
            told = unsettled.get(seat)
            is_settled = told is None or told.outcome.state is not Sent.SENDING
            as_it_is = told.outcome if told is not None and told.on == on else None
            rests = as_it_is is not None and as_it_is.rests(self.today)
            if seated and not rests and (on != has or not is_settled):
                yield SentDate(seat, on, self._sending(as_it_is))

    def _tell(self, wanted: Wanted) -> None:
        found = self.found
        found.days += wanted.days
        found.unseen += wanted.unseen
        for item in wanted.listed:
            found.listed[item.reason] += 1
            found.listed_seconds[item.reason] += item.seconds
        found.remarks += Counter(item.reason for item in wanted.remarks)
        self._line((*wanted.listed, *wanted.remarks))

    def _line(self, items: Sequence[Listed]) -> None:
        room = LINES_KEPT - len(self.found.lines)
        if room > 0:
            self.found.lines += items[:room]

    def _batch(self) -> str:
        self._batches += 1
        return f"{self._run.id}-{self._clock():%Y%m%dT%H%M%S}-{self._batches:04}"

    def _send_times(self, rows: Sequence[SentTime]) -> None:
        self._keep()
        batch = self._batch()
        results = self._module.write_times([(one.key, one.time) for one in rows], batch)
        with self._store.begin() as connection:
            leases.verify(connection, self.lease, self._run.holder, self._fence)
            self._take_times(connection, dict(enumerate(rows)), results, batch)

    def _send_dates(self, dates: Sequence[SentDate]) -> None:
        self._keep()
        batch = self._batch()
        results = self._module.write_last_dates([(*one.seat, one.on) for one in dates], batch)
        with self._store.begin() as connection:
            leases.verify(connection, self.lease, self._run.holder, self._fence)
            self._take_dates(connection, dict(enumerate(dates)), results, batch)

    def _take_times(
        self, connection: Connection, rows: Mapping[int, SentTime], results: Sequence[RowResult], batch: str
    ) -> None:
        """Write down what became of rows, by their places in the batch."""
        put = []
        for place, one in rows.items():
            result = results[place]
            self.found.rows[result.status] += 1
            put.append(SentTime(one.key, one.time, one.seconds, self._outcome(result, batch, place, one.outcome)))
            if result.status is Wrote.REFUSED:
                self.found.refused[result.code] += 1
                where = f"{one.key.section}: {result.message}"
                self._line([Listed(result.code, "", one.key.person, one.key.on, "", one.seconds, where)])
        attendance_rows.put_times(connection, self._college.key, put)

    def _take_dates(
        self, connection: Connection, dates: Mapping[int, SentDate], results: Sequence[RowResult], batch: str
    ) -> None:
        """Write down what became of last dates attended, by their places in the batch."""
        put = []
        for place, one in dates.items():
            result = results[place]
            self.found.dates[result.status] += 1
            put.append(SentDate(one.seat, one.on, self._outcome(result, batch, place, one.outcome)))
            if result.status is Wrote.REFUSED:
                self.found.refused[result.code] += 1
                on = one.on or self._clock().astimezone(self._college.zone).date()
                self._line([Listed(result.code, "", one.seat[1], on, "", 0, f"{one.seat[0]}: {result.message}")])
        attendance_rows.put_dates(connection, self._college.key, put)

    def _outcome(self, result: RowResult, batch: str, place: int, before: Outcome) -> Outcome:
        state = STATES[result.status]
        confirmed_at = self._clock() if state is Sent.CONFIRMED else before.confirmed_at
        refusals = 0 if state is Sent.CONFIRMED else before.refusals + (state is Sent.REFUSED)
        again_on = tried_again_on(refusals, self.today) if state is Sent.REFUSED else None
        told = (result.code, result.message, batch, place, confirmed_at)
        return Outcome(state, self._run.id, *told, refusals=refusals, again_on=again_on)


def _is_manual(date_there: LastDate | None) -> bool:
    return date_there is not None and date_there.is_manual


def _busy(college: College, wait: float | None) -> RetryableError:
    words = f"Another run writes {college.key}'s attendance to Campus Cafe."
    return RetryableError(Code.WRITER_BUSY, words, retry_after=wait)
