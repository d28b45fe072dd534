"""Campus Cafe's attendance module as a folder of CSV files (docs/coursekey-contract.md, last paragraph).

``attendance.csv``, ``enrollment_details.csv`` and ``attendance_exceptions.csv`` come in with the other files. What is
written goes to ``out/``, a file a batch; a job of the college does it and says in ``results-<batch>.csv`` what came of
each row. Until then a row is handed over, no more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from rosterflow.domain.attendance.booking import RowKey, Time
from rosterflow.domain.attendance.module import (
    RESOURCES,
    AttendanceResource,
    ExceptionDay,
    Kept,
    KeptTime,
    LastDate,
    RowResult,
    Rows,
    Wrote,
)
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.hooks.campus_cafe_folder import CampusCafeFolder
from rosterflow.wire import campus_cafe_attendance as wire
from rosterflow.wire import campus_cafe_csv
from rosterflow.wire.campus_cafe_attendance import ATTENDANCE, AttendanceProfile
from rosterflow.wire.campus_cafe_profile import Unusable

OUT = "out"
COMES_IN = {
    AttendanceResource.TIMES: "attendance.csv",
    AttendanceResource.LAST_DATES: "enrollment_details.csv",
    AttendanceResource.EXCEPTIONS: "attendance_exceptions.csv",
}
GOES_OUT = {AttendanceResource.TIMES: "attendance", AttendanceResource.LAST_DATES: "last-dates"}
HANDED_OVER = RowResult(Wrote.HANDED_OVER)


class CampusCafeAttendanceFolder(CampusCafeFolder):
    """Reads the files of the attendance module and writes those that a job of the college takes up.

    :param attendance: the fields of the files.
    """

    def __init__(self, folder: Path, attendance: AttendanceProfile = ATTENDANCE) -> None:
        super().__init__(folder)
        self._attendance = attendance

    def times(self, first: date, last: date) -> Rows[KeptTime]:
        """Every row of some days; see :class:`rosterflow.domain.attendance.module.AttendanceModule`."""
        found = self._kept(KeptTime)
        return Rows(tuple(row for row in found.rows if first <= row.on <= last), found.problems, found.gaps)

    def last_dates(self, semesters: Sequence[str]) -> Rows[LastDate]:
        """The last dates attended of some semesters, or of all."""
        found = self._kept(LastDate)
        wanted = tuple(row for row in found.rows if not semesters or row.semester in semesters)
        return Rows(wanted, found.problems, found.gaps)

    def exceptions(self, first: date, last: date) -> Rows[ExceptionDay]:
        """Exceptions of some days."""
        found = self._kept(ExceptionDay)
        return Rows(tuple(row for row in found.rows if first <= row.on <= last), found.problems, found.gaps)

    def write_times(self, rows: Sequence[tuple[RowKey, Time]], batch: str) -> tuple[RowResult, ...]:
        """Hand over the time of at most 500 rows; a batch that is written again takes its own place."""
        return self._hand_over(AttendanceResource.TIMES, [wire.time_row(self._attendance, *row) for row in rows], batch)

    def write_last_dates(
        self, rows: Sequence[tuple[SectionKey, str, date | None]], batch: str
    ) -> tuple[RowResult, ...]:
        """Hand over the last date attended of at most 500 registrations."""
        sent = [wire.last_date_row(self._attendance, *row) for row in rows]
        return self._hand_over(AttendanceResource.LAST_DATES, sent, batch)

    def results(self, resource: AttendanceResource, batch: str) -> tuple[RowResult, ...] | None:
        """What became of a batch; ``None`` while there is no file that says so.

        :raises RetryableError: ``bad-response`` when the file does not say so of every row, and of no other;
            ``rows-missing`` when the batch itself is not there any more.
        """
        sent, name = self._sent(resource, batch), f"results-{batch}.csv"
        try:
            data = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        try:
            count = len(campus_cafe_csv.sheet(sent.name, sent.read_bytes(), None).rows)
            answers = [row for row in campus_cafe_csv.sheet(name, data, None).rows if row.get("file") == sent.name]
            return wire.results(self._attendance, answers, count)
        except OSError:
            words = f"Campus Cafe's {name} cannot be understood: {OUT}/{sent.name} is not there any more."
            raise RetryableError(Code.ROWS_MISSING, words) from None
        except Unusable as error:
            raise RetryableError(Code.BAD_RESPONSE, f"Campus Cafe's {name} cannot be used: {error}.") from None

    def _kept(self, kind: type[Kept]) -> Rows[Kept]:
        sheet = self.sheet(COMES_IN[RESOURCES[kind]], self.manifest())
        return campus_cafe_csv.records(sheet, partial(wire.record, self._attendance, kind))

    def _sent(self, resource: AttendanceResource, batch: str) -> Path:
        return self.folder / OUT / f"{GOES_OUT[resource]}-{batch}.csv"

    def _hand_over(
        self, resource: AttendanceResource, rows: Sequence[Mapping[str, Any]], batch: str
    ) -> tuple[RowResult, ...]:
        """Write a file that appears with all its rows at once."""
        path = self._sent(resource, batch)
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(campus_cafe_csv.written(rows))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        return (HANDED_OVER,) * len(rows)
