"""Nights of a college: the export is read, joined and written, over HTTP, as the tasks of a run do it."""

from __future__ import annotations

import itertools
import time as waiting
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
from cryptography.fernet import Fernet

from demo.postgres import Postgres
from rosterflow.domain.attendance.records import Listed
from rosterflow.domain.attendance.report import AttendanceReport
from rosterflow.domain.attendance.window import Window
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.snapshot import Scope
from rosterflow.hooks.campus_cafe_attendance import CampusCafeAttendanceHook
from rosterflow.hooks.coursekey_export import CourseKeyExportHook
from rosterflow.store import migrate, runs
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.attendance_importing import import_read
from rosterflow.sync.attendance_letter import letter_of
from rosterflow.sync.attendance_reading import AuthKey, Evidence, Opened, auth_keys, read_key
from rosterflow.sync.attendance_runs import close_attendance, note_failed, note_window, report_of
from rosterflow.sync.attendance_writing import Written, write_attendance
from rosterflow.sync.letters import Letter
from rosterflow.sync.pages import PageStore
from sandbox.faults import Fault
from sandbox.serving import RunningSandbox
from tests.harness import Clock
from tests.scenarios.attendance_books import Books, books, forget
from tests.scenarios.drain_ground import Ground, connections, ground, no_waiting
from tests.scenarios.drain_ground import college as college_of

MAIN, WEST = "548156", "612001"
SITES = {"MAIN": MAIN, "WEST": WEST}
EASTERN, ARIZONA = ZoneInfo("US/Eastern"), ZoneInfo("US/Arizona")
Rows = dict[tuple[str, str], tuple[int, int]]
DAY = timedelta(days=1)
BUSY_SECONDS = 0.02
WRITTEN = ("attendance", "enrollment-details")
Dump = tuple[Books, Counter[str]]


@dataclass
class Nights:
    """A college that has its rosters in CourseKey, and its attendance imported."""

    town: Ground
    blobs: PageStore
    letters: list[Letter] = field(default_factory=list)
    sites: dict[SectionKey, str] = field(default_factory=dict)
    busy: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    # -- the college ---------------------------------------------------------------------------------------------

    def teach(self, section: str, *students: str, site: str = "MAIN", days: str = "", **more: Any) -> SectionKey:
        """Have a section with its students, in CourseKey too; at nine to half past ten on some weekdays."""
        course, number = section.split("/")
        key = SectionKey(more.pop("semester", "202610"), course, number)
        usual = {"title": "Intro", "beginDate": "2026-08-24", "endDate": "2026-12-18", "enrollmentCode4": "LEC"}
        if days:
            self.town.configure(auto_schedule=[SITES[site]])
            usual |= {"startTime": "09:00", "endTime": "10:30", "days": days.split("|")}  # type: ignore[dict-item]
        named = {"semester": key.semester, "courseNumber": course, "section": number}
        self.town.put("sections", **named, site=site, **{**usual, **more})
        for student in students:
            self.town.person(student)
        self.town.register(key, *students)
        self.sites[key] = site
        self.roster()
        return key

    def roster(self) -> None:
        """Bring CourseKey to what Campus Cafe says."""
        self.town.run(minutes=1)

    def attend(self, first: date, last: date) -> int:
        """Let the students attend; how many records are new."""
        return int(self._control("POST", "attend", {"from": str(first), "to": str(last)})["records"])

    def adjust(self, kind: str, count: int) -> None:
        """Have a person adjust so many records."""
        assert len(self._control("POST", "adjust", {"kind": kind, "count": count})["adjusted"]) == count

    def record(self, key: SectionKey, student: str, on: date, seconds: Any, session: str = "S1", **more: Any) -> str:
        """Have a record in the export; its ID."""
        course = next(
            one["name"] for one in self._control("GET", "state")["courses"] if one["name"].startswith(_course(key))
        )
        fields = {
            "schoolID": SITES[self.sites[key]], "course": course, "email": f"pia.quill.{student}@college.example",
            "sessionDate": str(on), "sessionID": session, "timeAwarded": seconds, "timeAttended": seconds,
            "timeAvailable": None,
        }  # fmt: skip
        return str(self._control("PUT", "records", {**fields, **more})["recordID"])

    def change(self, record: str, **fields: Any) -> None:
        """Change a record of the export."""
        self._control("PUT", "records", {"recordID": record, **fields})

    def delete(self, *records: str) -> None:
        """Take records out of the export."""
        for record in records:
            self.town.sandbox.world.coursekey.records[record].is_deleted = True

    def arm(self, kind: str, *, match: str = "", after: int = 0, count: int | None = 1) -> None:
        """Have the export go wrong."""
        self.town.sandbox.world.faults.add(Fault("coursekey-export", kind, match=match, after=after, count=count))

    def _control(self, method: str, path: str, body: object = None) -> Any:
        url = f"{self.town.sandbox.url}/control/coursekey/{path}"
        answer = httpx.request(method, url, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    # -- us ------------------------------------------------------------------------------------------------------

    def night(self, first: date, last: date | None = None, *, at: datetime | None = None) -> AttendanceReport:
        """A run that reads some days, at half past five in the morning after the last one; its mail is kept."""
        last = last or first
        self.town.clock.moment = at or datetime.combine(last + DAY, time(5, 30), EASTERN).astimezone(UTC)
        run = self._opened(Window(first, last))
        lines, failed = self._import(run, first, last)
        written = self._write(run, first, last)
        report = report_of(
            self.town.store,
            self.town.college,
            run,
            self.town.clock(),
            lines=[*lines, *written.lines],
            unseen=written.unseen,
            failed=failed,
        )
        self.letters.append(letter_of(self.town.college, report))
        close_attendance(self.town.store, run, report, self.town.clock())
        return report

    def _opened(self, window: Window) -> Run:
        with self.town.store.begin() as connection:
            key, now = self.town.college.key, self.town.clock()
            run = runs.open_run(
                connection, key, f"coursekey_attendance__{key}", f"night {next(self._numbers)}", "apply",
                Scope(frozenset()), now,
            )  # fmt: skip
        note_window(self.town.store, run, window)
        return run

    def _import(self, run: Run, first: date, last: date) -> tuple[list[Listed], list[str]]:
        lines: list[Listed] = []
        failed = {}
        evidence = Evidence(self.town.store, self.blobs, self.town.college.key, run.id)
        for key in auth_keys(self.town.college):
            for read in read_key(self._hook(key), key.schools, first, last, evidence, self.town.clock):
                if read.error is not None and not read.kept.pages:
                    failed[read.kept.school] = f"auth key {read.kept.alias}: {read.error.code}"
                    continue
                opened = Opened(read.kept, lambda page: self.blobs.get_bytes(page.name))
                lines += import_read(self.town.store, self.town.college, run.id, opened, self.town.clock()).lines
        note_failed(self.town.store, run, failed)
        return lines, []

    def _write(self, run: Run, first: date, last: date) -> Written:
        """Write; while another run does, try again after a while, as Airflow has the task do it."""
        with CampusCafeAttendanceHook("campus_cafe_demo", sleep=lambda _: None) as module:
            while True:
                try:
                    return write_attendance(
                        self.town.store, self.town.college, run, module, (first, last), self.town.clock
                    )
                except RetryableError as error:
                    if error.code is not Code.WRITER_BUSY:
                        raise
                    self.busy += 1
                    waiting.sleep(BUSY_SECONDS)

    def _hook(self, key: AuthKey) -> CourseKeyExportHook:
        base = f"{self.town.sandbox.url}/coursekey-export"
        return CourseKeyExportHook(key.connection, base_url=base, timeout=httpx.Timeout(5), sleep=no_waiting)

    # -- what is booked ------------------------------------------------------------------------------------------

    def dump(self) -> Dump:
        """The books, and what Campus Cafe holds, without when it came to be."""
        there = Counter(
            str(sorted((name, value) for name, value in row.items() if name != "modifiedAt"))
            for resource in WRITTEN
            for row in self.town.sandbox.world.college._tables[resource].values()
        )
        return books(self.town.store, self.town.college.key), there

    def anew(self) -> None:
        """Forget what was booked, here and in Campus Cafe."""
        forget(self.town.store, self.town.college.key)
        campus = self.town.sandbox.world.college
        for resource in WRITTEN:
            for row in campus.rows(resource):
                campus.delete(resource, row)

    # -- what Campus Cafe holds ----------------------------------------------------------------------------------

    def rows(self, key: SectionKey, origin: str = "coursekey") -> Rows:
        """Hours and minutes by student and day; rows of nothing are left out."""
        return {
            (row["personId"], row["date"]): (row["hours"], row["minutes"])
            for row in self._held("attendance", key)
            if row["origin"] == origin and (row["hours"] or row["minutes"])
        }

    def last_dates(self, key: SectionKey) -> dict[str, str | None]:
        """The last dates attended by student."""
        return {row["personId"]: row["lastDateAttended"] for row in self._held("enrollment-details", key)}

    def _held(self, resource: str, key: SectionKey) -> list[dict[str, Any]]:
        table = self.town.sandbox.world.college._tables[resource]
        return [row for name, row in table.items() if name[:3] == tuple(key)]


def _course(key: SectionKey) -> str:
    return f"{key.course} - {key.section}: "


@contextmanager
def nights(sandbox: RunningSandbox, folder: Path, clock: Clock, **changes: Any) -> Iterator[Nights]:
    """A college with an empty store."""
    with ground(sandbox, folder, clock, **changes) as town:
        yield Nights(town, PageStore(f"file://{folder / 'pages'}", [town.page_key]))


@contextmanager
def nights_on(
    postgres: Postgres,
    sandbox: RunningSandbox,
    folder: Path,
    clock: Clock,
    store_at: Callable[[str, list[str]], Store] = Store,
) -> Iterator[Nights]:
    """A college with an empty store of its own on PostgreSQL."""
    name, key = f"college_{uuid4().hex}", Fernet.generate_key().decode()
    postgres.create_database(name)
    store = store_at(postgres.url(name), [key])
    migrate.upgrade(store)
    with patch.dict("os.environ", connections(sandbox.url)):
        town = Ground(sandbox, store, college_of(sandbox.url), clock, key)
        yield Nights(town, PageStore(f"file://{folder / 'pages'}", [key]))
    store.dispose()
