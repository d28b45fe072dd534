"""A run of the attendance import from its first task to its last: which days, what it wrote down, what it reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from rosterflow.domain.attendance.ledger import Effect
from rosterflow.domain.attendance.module import Wrote
from rosterflow.domain.attendance.records import Listed
from rosterflow.domain.attendance.report import AttendanceReport, Count, Outcome, SchoolReport, Unseen, scheduled_days
from rosterflow.domain.attendance.window import Kind, Window, day_is_over, school_days, window_of
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import Code, FatalError
from rosterflow.store import attendance_raw, runs, seats
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run, RunState
from rosterflow.sync.attendance_reading import auth_keys

BACKFILL = "backfill"


class Asked(NamedTuple):
    """Which days a run was asked for.

    :param run_type: Airflow's kind of run: ``scheduled``, ``backfill``, ``manual``.
    :param start: begin of its data interval, ``None`` when it has none.
    :param from_date: first day, where a person chose it.
    :param to_date: last day, inclusive.
    """

    run_type: str
    start: datetime | None = None
    end: datetime | None = None
    from_date: date | None = None
    to_date: date | None = None

    @property
    def chosen(self) -> bool:
        """Whether a person chose days."""
        return self.from_date is not None or self.to_date is not None


def window_for(store: Store, college: College, asked: Asked, now: datetime) -> Window:
    """The days that a run reads.

    :raises FatalError: ``settings-invalid`` for days that are none, or not over everywhere.
    """
    first, last, kind = _asked_days(college, asked, now)
    if first > last:
        raise FatalError(Code.SETTINGS_INVALID, f"from_date {first} is after to_date {last}.")
    if not day_is_over(last, now, _zones(college)):
        raise FatalError(Code.SETTINGS_INVALID, f"{last} is not over yet in every time zone of {college.key}.")
    prior = college.coursekey.export_time_attended_days_prior
    days = college.attendance
    window = window_of(
        first,
        last,
        kind=kind,
        days_prior=prior,
        last_complete=_last_complete(store, college, last - timedelta(days=days.cap_days)),
        cap_days=days.cap_days,
        deep_days=days.deep_days,
    )
    return window._replace(notes=(*window.notes, *_doubts(asked, kind, (last - first).days + 1, prior)))


def _asked_days(college: College, asked: Asked, now: datetime) -> tuple[date, date, Kind]:
    """First and last day that a run is about. A backfill is about those of its interval, whatever its form says."""
    if asked.chosen and asked.run_type != BACKFILL:
        first = asked.from_date or asked.to_date or now.date()
        return first, asked.to_date or first, Kind.CHOSEN
    if asked.start is not None and asked.end is not None and asked.start < asked.end:
        first, last = school_days(asked.start, asked.end, college.zone)
        return first, last, _kind(college, asked, last)
    yesterday = now.astimezone(college.zone).date() - timedelta(days=1)
    return yesterday, yesterday, Kind.SCHEDULED


def _doubts(asked: Asked, kind: Kind, interval: int, prior: int) -> Iterator[str]:
    """What the mail says about what was asked for.

    :param interval: days between two runs.
    """
    if asked.chosen and kind is Kind.BACKFILL:
        yield "From and To are those of a single run: a backfill reads its own days"
    if kind is Kind.SCHEDULED and prior < 2 * interval:
        yield f"COURSEKEY_EXPORT_TIME_ATTENDED_DAYS_PRIOR is {prior}, less than twice the schedule's {interval} day(s)"


def note_window(store: Store, run: Run, window: Window) -> None:
    """Write down which days a run reads."""
    about = {"first": window.first.isoformat(), "last": window.last.isoformat(), "notes": list(window.notes)}
    with store.begin() as connection:
        runs.add_counts(connection, run.id, attendance_window=about)


def note_failed(store: Store, run: Run, failed: Mapping[str, str]) -> None:
    """Write down of which schools nothing was imported, and why."""
    with store.begin() as connection:
        runs.add_counts(connection, run.id, attendance_failed=dict(failed))


def report_of(
    store: Store,
    college: College,
    run: Run,
    now: datetime,
    *,
    lines: Sequence[Listed] = (),
    unseen: Iterable[tuple[SectionKey, str]] = (),
    failed: Sequence[str] = (),
) -> AttendanceReport:
    """What a run came to, from what it wrote down.

    :param lines: what its tasks listed.
    :param unseen: students registered in a section that met, of whom CourseKey has nothing.
    :param failed: what failed as a whole, one sentence each.
    """
    with store.begin() as connection:
        counts = runs.get_run(connection, run.id).counts
        sections = {site: seats.sections_at(connection, college.key, [site]) for site in _sites(college)}
    window = counts.get("attendance_window") or {}
    today = now.astimezone(college.zone).date()
    first, last = (date.fromisoformat(window[name]) if window else today for name in ("first", "last"))
    written = counts.get("attendance_written") or {}
    schools = []
    for alias, school, sites in _schools(college):
        meeting = scheduled_days([one for site in sites for one in sections[site]], first, last)
        schools.append(_school(counts, alias, school, first, last, meeting))
    absent: dict[SectionKey, list[str]] = {}
    for section, person in unseen:
        absent.setdefault(section, []).append(person)
    return AttendanceReport(
        run=run.id,
        first=first,
        last=last,
        started_at=run.started_at,
        ended_at=now,
        notes=tuple(window.get("notes", ())),
        schools=tuple(schools),
        failed=tuple(failed),
        rows=_worded(written.get("rows", {}), Wrote),
        dates=_worded(written.get("dates", {}), Wrote),
        refused=written.get("refused", {}),
        not_written=_counted(written.get("listed", {}), written.get("listed_seconds", {})),
        remarks=written.get("remarks", {}),
        unseen=tuple(Unseen(str(section), tuple(persons)) for section, persons in sorted(absent.items())),
        problems=tuple(written.get("problems", ())),
        waiting={date.fromisoformat(on): number for on, number in written.get("waiting", {}).items()},
        lines=tuple(lines),
    )


def close_attendance(store: Store, run: Run, report: AttendanceReport, now: datetime) -> None:
    """Write down how a run ended; it was complete when every school came whole and nothing failed."""
    is_well = report.outcome is not Outcome.FAILURE
    complete = is_well and all(one.is_whole for one in report.schools)
    with store.begin() as connection:
        state = RunState.DONE if is_well else RunState.FAILED
        runs.note(connection, run.id, state=state, ended_at=now, complete=complete)


def _kind(college: College, asked: Asked, last: date) -> Kind:
    if asked.run_type == BACKFILL:
        return Kind.BACKFILL
    return Kind.DEEP if last.isoweekday() == college.attendance.deep_schedule_weekday else Kind.SCHEDULED


def _zones(college: College) -> list[Any]:
    return [college.zone, *(school.zone for key in auth_keys(college) for school in key.schools)]


def _last_complete(store: Store, college: College, since: date) -> date | None:
    """The last day up to which every school was read whole without a hole since; ``None`` while one never was."""
    with store.begin() as connection:
        schools = [school for _, school, _ in _schools(college)]
        days = [attendance_raw.last_whole_day(connection, college.key, school, since) for school in schools]
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None


def _sites(college: College) -> list[str]:
    return [pair.site for pair in college.crskeyauth]


def _schools(college: College) -> list[tuple[str, str, list[str]]]:
    """Alias, School ID and course sites of each school, in the order of CRSKEYAUTH."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for pair in college.crskeyauth:
        found.setdefault(pair.school, (pair.alias, pair.school, []))[2].append(pair.site)
    return list(found.values())


def _school(
    counts: Mapping[str, Any], alias: str, school: str, first: date, last: date, meeting: tuple[date, ...]
) -> SchoolReport:
    told = (counts.get("attendance") or {}).get(school)
    days = ((counts.get("attendance_written") or {}).get("days") or {}).get(school, {})
    booked = {date.fromisoformat(day): seconds for day, seconds in days.items()}
    if told is None:
        error = (counts.get("attendance_failed") or {}).get(school, "it was not imported")
        return SchoolReport(alias=alias, school=school, first=first, last=last, error=error, scheduled=meeting)
    return SchoolReport(
        alias=alias,
        school=school,
        first=first,
        last=last,
        is_whole=told["is_whole"],
        gaps=tuple(told["gaps"]),
        problems=tuple(told["problems"]),
        records=told["records"],
        effects=_worded(told["effects"], Effect),
        unchanged=told["unchanged"],
        superseded=told["superseded"],
        skipped=_counted(told["listed"], told["listed_seconds"]),
        remarks=told["remarks"],
        held=told["held"],
        approval=told["approval"],
        booked=booked,
        scheduled=meeting,
    )


def _worded(counts: Mapping[str, int], words: Any) -> dict[Any, int]:
    return {words(word): n for word, n in counts.items()}


def _counted(counts: Mapping[str, int], seconds: Mapping[str, int]) -> dict[str, Count]:
    return {reason: Count(n, seconds.get(reason, 0)) for reason, n in counts.items()}


def plain_lines(lines: Iterable[Listed]) -> list[Any]:
    """Lines as JSON values, to be handed on between tasks."""
    return [msgspec.to_builtins(line) for line in lines]


def lines_from(values: Iterable[Any]) -> list[Listed]:
    """The inverse of :func:`plain_lines`."""
    return msgspec.convert(list(values), list[Listed])
