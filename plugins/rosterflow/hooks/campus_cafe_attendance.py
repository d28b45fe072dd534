"""Campus Cafe's attendance module over HTTP: rows, last dates and exceptions are read, the first two written.

Writing sets and never adds, so a batch whose answer was lost, or does not answer for every row, is sent again.
Source: docs/coursekey-contract.md, Campus Cafe's attendance module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from operator import attrgetter
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
)
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.errors import Code, RetryableError
from rosterflow.hooks.campus_cafe import CampusCafeHook
from rosterflow.wire import campus_cafe_attendance as wire
from rosterflow.wire.campus_cafe_attendance import ATTENDANCE, AttendanceProfile
from rosterflow.wire.campus_cafe_profile import Unusable


class CampusCafeAttendanceHook(CampusCafeHook):
    """The attendance module of one college's Campus Cafe, under the same connection.

    :param attendance: what is assumed of the module.
    """

    def __init__(self, *arguments: Any, attendance: AttendanceProfile = ATTENDANCE, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._attendance = attendance

    def times(self, first: date, last: date) -> Rows[KeptTime]:
        """Every row of some days; see :class:`rosterflow.domain.attendance.module.AttendanceModule`."""
        return self._kept(KeptTime, self._days(first, last))

    def last_dates(self, semesters: Sequence[str]) -> Rows[LastDate]:
        """The last dates attended of some semesters, or of all."""
        query = {self._profile.semester: list(semesters)} if semesters else {}
        return self._kept(LastDate, query)

    def exceptions(self, first: date, last: date) -> Rows[ExceptionDay]:
        """Exceptions of some days."""
        return self._kept(ExceptionDay, self._days(first, last))

    def write_times(self, rows: Sequence[tuple[RowKey, Time]], batch: str) -> tuple[RowResult, ...]:
        """Set the time of at most 500 rows.

        :raises RetryableError: ``bad-response`` when Campus Cafe does not answer for every row, again and again.
        """
        return self._written(AttendanceResource.TIMES, [wire.time_row(self._attendance, *row) for row in rows])

    def write_last_dates(
        self, rows: Sequence[tuple[SectionKey, str, date | None]], batch: str
    ) -> tuple[RowResult, ...]:
        """Set or clear the last date attended of at most 500 registrations; raises as :meth:`write_times` does."""
        sent = [wire.last_date_row(self._attendance, *row) for row in rows]
        return self._written(AttendanceResource.LAST_DATES, sent)

    def results(self, resource: AttendanceResource, batch: str) -> tuple[RowResult, ...] | None:
        """``None``: over HTTP every batch is answered at once."""
        return None

    def _days(self, first: date, last: date) -> Mapping[str, Any]:
        return {self._attendance.first: first.isoformat(), self._attendance.last: last.isoformat()}

    def _kept(self, kind: type[Kept], query: Mapping[str, Any]) -> Rows[Kept]:
        resource = RESOURCES[kind]
        table, made = self._attendance.tables[resource], partial(wire.record, self._attendance, kind)
        asked = {**query, self._profile.page_size: self._page_size}
        return self.listed(resource, table, asked, made, attrgetter("key"))

    def _written(self, resource: AttendanceResource, rows: list[dict[str, Any]]) -> tuple[RowResult, ...]:
        path, said = self._attendance.tables[resource].path, self._attendance

        def write() -> tuple[RowResult, ...]:
            answer = self.once("PUT", path, {}, {said.rows: rows}).get(said.results)
            try:
                return wire.results(said, answer if isinstance(answer, list) else [], len(rows))
            except Unusable as error:
                words = f"Campus Cafe's answer to {path} cannot be used: {error}."
                raise RetryableError(Code.BAD_RESPONSE, words) from None

        return self.tried(write) if rows else ()
