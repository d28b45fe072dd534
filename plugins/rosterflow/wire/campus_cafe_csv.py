"""A college's folder of CSV files (docs/coursekey-contract.md, "Campus Cafe as a folder"). Pure: texts in, rows out."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from rosterflow.domain.attendance.module import Row, Rows
from rosterflow.domain.coursekey.campus import Reading, Resource
from rosterflow.wire.campus_cafe_profile import CampusCafeProfile, Unusable, record

MANIFEST = "manifest.json"
MEETINGS = "meetings.csv"
SEPARATOR = "|"


class Manifest(msgspec.Struct, frozen=True):
    """What the college's job says it wrote, written last of all.

    :param rows: how many rows each file has, its header not counted.
    """

    written_at: str
    rows: dict[str, int]


class Sheet(msgspec.Struct, frozen=True):
    """One file as it was read.

    :param rows: cells by field name.
    :param gaps: why it is not whole.
    """

    name: str
    rows: tuple[dict[str, Any], ...]
    gaps: tuple[str, ...] = ()


def manifest(data: bytes) -> Manifest | None:
    """The manifest; ``None`` when it is none."""
    try:
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError:
        return None


def sheet(name: str, data: bytes, said: Manifest | None) -> Sheet:
    """Read one file: UTF-8, commas, a header line with field names.

    A last line without its end may have been cut, so it is not used; nor is one with too few or too many cells.
    """
    try:
        text = data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError:
        return Sheet(name, (), (f"{name} is not UTF-8",))
    except csv.Error:
        return Sheet(name, (), (f"{name} is no CSV file",))
    header, lines = ([name.strip() for name in lines[0]], lines[1:]) if lines else ([], [])
    gaps = []
    if text and not text.endswith("\n"):
        gaps.append(f"{name} ends in the middle of a line")
        lines = lines[:-1]
    rows = [dict(zip(header, line, strict=True)) for line in lines if len(line) == len(header)]
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        gaps.append(f"{name} has the column {', '.join(twice)} twice")
    if odd := len(lines) - len(rows):
        gaps.append(f"{name} has {odd} lines with another number of cells than its header")
    expected = said.rows.get(name) if said else None
    if expected != len(rows):
        counted = "does not count it" if expected is None else f"counts {expected}"
        gaps.append(f"{name} has {len(rows)} rows, and the manifest {counted}")
    return Sheet(name, tuple(rows), tuple(gaps))


def with_meetings(sections: Sheet, meetings: Sheet) -> Sheet:
    """Sections with their meetings, which have a file of their own."""
    held: defaultdict[tuple[str, ...], list[Mapping[str, str]]] = defaultdict(list)
    for row in meetings.rows:
        held[_section(row)].append(row)
    rows = tuple(
        {**row, "days": [day for day in row.get("days", "").split(SEPARATOR) if day], "meetings": held[_section(row)]}
        for row in sections.rows
    )
    return Sheet(sections.name, rows, sections.gaps + meetings.gaps)


def reading(profile: CampusCafeProfile, resource: Resource, read: Sheet) -> Reading:
    """The rows as records."""
    found = records(read, partial(record, profile, resource))
    return Reading(resource, found.rows, found.problems, found.gaps)


def records(read: Sheet, made: Callable[[Mapping[str, Any]], Row]) -> Rows[Row]:
    """The rows as records.

    :param made: a row as a record; raises :class:`Unusable`.
    """
    rows: list[Row] = []
    problems = []
    for row in read.rows:
        try:
            rows.append(made(row))
        except Unusable as error:
            problems.append(f"{read.name}: {error}")
    return Rows(tuple(rows), tuple(problems), read.gaps)


def written(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as a file: UTF-8, commas, a header line with field names; what is ``None`` is blank."""
    text = io.StringIO(newline="")
    file = csv.DictWriter(text, list(rows[0]) if rows else [])
    file.writeheader()
    file.writerows(rows)
    return text.getvalue().encode()


def _section(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row.get(name, "").strip() for name in ("semester", "courseNumber", "section"))
