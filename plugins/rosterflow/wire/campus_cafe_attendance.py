"""Campus Cafe's attendance module as one table of facts: its fields, its rows and what it answers. Pure.

Campus Cafe publishes no interface for it, so this is our first guess (docs/coursekey-contract.md); whatever its answer
may change stands here and nowhere else. The folder of CSV files has the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from rosterflow.domain.attendance.booking import RowKey, Time
from rosterflow.domain.attendance.module import (
    RESOURCES,
    AttendanceResource,
    Kept,
    RowResult,
    Wrote,
)
from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.wire.campus_cafe_profile import Table, Unusable, made, renamed
from rosterflow.wire.coursekey_json import without

LONGEST_WORDS = 200

_SECTION: Mapping[str, str] = {"semester": "semester", "course": "courseNumber", "section": "section"}
_STUDENT: Mapping[str, str] = {**_SECTION, "person": "personId"}
_MODIFIED: Mapping[str, str] = {"modified_at": "modifiedAt"}


def _tables() -> Mapping[AttendanceResource, Table]:
    return {
        AttendanceResource.TIMES: Table(
            "/attendance",
            {**_STUDENT, "on": "date", "hours": "hours", "minutes": "minutes", "origin": "origin", **_MODIFIED},
            (*_STUDENT, "on"),
        ),
        AttendanceResource.LAST_DATES: Table(
            "/enrollment-details",
            {**_STUDENT, "on": "lastDateAttended", "is_manual": "isManual", **_MODIFIED},
            tuple(_STUDENT),
        ),
        AttendanceResource.EXCEPTIONS: Table(
            "/attendance-exceptions",
            {**_SECTION, "on": "date", "adds_time": "addsToAccumulatedTime"},
            (*_SECTION, "on"),
            of_a_semester=False,
        ),
    }


@dataclass(frozen=True, slots=True)
class AttendanceProfile:
    """All of it.

    :param first: the query parameter of the first day.
    :param last: of the last day, inclusive.
    :param rows: the field that rows to write are in.
    :param results: the field that their results are in.
    :param outcomes: their words for what became of a row.
    """

    tables: Mapping[AttendanceResource, Table] = field(default_factory=_tables)
    first: str = "from"
    last: str = "to"
    rows: str = "rows"
    results: str = "results"
    index: str = "index"
    status: str = "status"
    code: str = "code"
    message: str = "message"
    outcomes: Mapping[str, Wrote] = field(
        default_factory=lambda: {str(one): one for one in (Wrote.WRITTEN, Wrote.UNCHANGED, Wrote.REFUSED)}
    )


ATTENDANCE = AttendanceProfile()
"""Our first guess: docs/coursekey-contract.md, Campus Cafe's attendance module."""


def record(profile: AttendanceProfile, kind: type[Kept], row: Mapping[str, Any]) -> Kept:
    """A row as one of our records: texts and JSON values alike.

    :raises Unusable: naming the first field that is missing or cannot be read.
    """
    table = profile.tables[RESOURCES[kind]]
    return made(table, kind, renamed(table.fields, row))


def time_row(profile: AttendanceProfile, key: RowKey, time: Time) -> dict[str, Any]:
    """A day's time as a row to write."""
    values = {**key.section._asdict(), "person": key.person, "on": key.on.isoformat(), "hours": time.hours}
    return _named(profile, AttendanceResource.TIMES, {**values, "minutes": _number(time.minutes)})


def last_date_row(profile: AttendanceProfile, section: SectionKey, person: str, on: date | None) -> dict[str, Any]:
    """A last date attended as a row to write; ``None`` clears it."""
    values = {**section._asdict(), "person": person, "on": on.isoformat() if on else None}
    return _named(profile, AttendanceResource.LAST_DATES, values)


def results(profile: AttendanceProfile, answers: Sequence[object], count: int) -> tuple[RowResult, ...]:
    """What became of so many rows, in their order.

    :param answers: one object a row, in any order; of a CSV file all values are texts.
    :raises Unusable: when there is not exactly one usable answer for each row.
    """
    found: dict[int, RowResult] = {}
    for answer in answers:
        if not isinstance(answer, Mapping):
            raise Unusable("a result is no object")
        index, outcome = str(answer.get(profile.index)), profile.outcomes.get(str(answer.get(profile.status)))
        if not index.isdecimal() or outcome is None:
            raise Unusable("a result says neither of which row it is nor what became of it")
        words = without(" ".join(str(answer.get(profile.message) or "").split()), ())
        found[int(index)] = RowResult(outcome, str(answer.get(profile.code) or ""), words[:LONGEST_WORDS])
    if found.keys() != set(range(count)) or len(answers) != count:
        raise Unusable(f"{len(answers)} results came for {count} rows")
    return tuple(found[index] for index in range(count))


def _named(profile: AttendanceProfile, resource: AttendanceResource, values: Mapping[str, Any]) -> dict[str, Any]:
    fields = profile.tables[resource].fields
    return {fields[name]: value for name, value in values.items()}


def _number(minutes: Decimal) -> int | float:
    return int(minutes) if minutes == int(minutes) else float(minutes)
