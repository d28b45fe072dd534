"""Canvas's provisioning report: accounts, terms, courses and sections as Canvas has them (Canvas contract §10.10)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import IO

from rosterflow.domain.errors import Code, RetryableError
from rosterflow.domain.model import Account, CanvasObject, Course, Section, State, Term

STATES = {
    "active": State.ACTIVE,
    "unpublished": State.ACTIVE,
    "concluded": State.COMPLETED,
    "completed": State.COMPLETED,
    "deleted": State.DELETED,
}
"""The report's status words. Published or not is the teachers' own, so both are active to us."""

Columns = tuple[str, ...]

OF_PEOPLE = "canvas_user_id"
"""A column that all files about people have, and no other."""


BY_SIS = "created_by_sis"
CANVAS_ID = 0
"""Place of the column with Canvas's own id, in all files about objects."""


def objects_of(report: bytes, only: Container[str] | None = None) -> Iterator[CanvasObject]:
    """The objects with a SIS id in a provisioning report; files about people are passed over.

    :param report: the downloaded file: one CSV, or a zip of several when several kinds were asked for.
    :param only: of these SIS ids alone, and one more of each kind that has any, to tell that it is listed.
    :returns: objects whose origin is not known yet.
    :raises RetryableError: ``bad-response`` when a file has none of the reports' headers or an unknown status.
    """
    for name, header, rows in rows_of(report):
        if OF_PEOPLE in header:
            continue
        columns, make = _layout(name, frozenset(header))
        places = [header.index(column) for column in columns]
        pick, at = itemgetter(*places), places[0]
        is_listed = False
        for row in rows:
            sis_id = row[at]
            if sis_id and (only is None or sis_id in only or not is_listed):
                is_listed = True
                yield make(*pick(row))


def made_by_hand(report: bytes) -> Iterator[CanvasObject]:
    """The objects in a provisioning report that no import made; one without a SIS id goes by Canvas's: ``(Canvas 12)``.

    Raises as :func:`objects_of` does.
    """
    for name, header, rows in rows_of(report):
        if OF_PEOPLE in header:
            continue
        columns, make = _layout(name, frozenset(header))
        pick = itemgetter(CANVAS_ID, *map(header.index, (BY_SIS, *columns)))
        for row in rows:
            canvas_id, by_sis, sis_id, *values = pick(row)
            if by_sis != "true":
                yield make(sis_id or f"(Canvas {canvas_id})", *values)


def rows_of(report: bytes) -> Iterator[tuple[str, list[str], Iterator[list[str]]]]:
    """Each file of a report: its name, its header, and its rows, which must be used up before the next file.

    :raises RetryableError: ``bad-response`` when a file is broken.
    """
    for name, file in _files(report):
        rows = csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline=""), strict=True)
        header = next(rows, [])
        yield name, header, _whole(name, header, rows)


def _whole(name: str, header: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    size = len(header)
    try:
        for row in rows:
            if len(row) == size:
                yield row
            elif row:
                raise csv.Error(f"a row has {len(row)} columns instead of {size}")
    except (csv.Error, UnicodeDecodeError):
        raise RetryableError(Code.BAD_RESPONSE, f"Canvas's provisioning report has a broken file {name}.") from None


def _files(report: bytes) -> Iterator[tuple[str, IO[bytes]]]:
    if not zipfile.is_zipfile(io.BytesIO(report)):
        yield "report.csv", io.BytesIO(report)
        return
    with zipfile.ZipFile(io.BytesIO(report)) as archive:
        for name in archive.namelist():
            if name.endswith(".csv"):
                with archive.open(name) as file:
                    yield name, file


def _layout(name: str, columns: frozenset[str]) -> tuple[Columns, Callable[..., CanvasObject]]:
    """The columns that we take from a file, its objects' SIS id first, and what makes an object of them."""
    for mark, (taken, make) in LAYOUTS.items():
        if mark in columns and columns.issuperset(taken):
            return taken, make
    raise RetryableError(Code.BAD_RESPONSE, f"Canvas's provisioning report has a file {name} with unknown columns.")


def _state(status: str) -> State:
    try:
        return STATES[status]
    except KeyError:
        raise RetryableError(
            Code.BAD_RESPONSE, f"Canvas's provisioning report has the unknown status {status!r}."
        ) from None


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00").replace("Z", "+00:00"))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _account(sis_id: str, name: str, parent: str, status: str) -> CanvasObject:
    return Account(sis_id, name, parent, _state(status))


def _term(sis_id: str, name: str, start: str, end: str, status: str) -> CanvasObject:
    return Term(sis_id, name, _moment(start), _moment(end), _state(status))


def _course(
    sis_id: str, short_name: str, long_name: str, account: str, term: str, start: str, end: str, status: str
) -> CanvasObject:
    moments = _moment(start), _moment(end)
    return Course(sis_id, short_name, long_name, account, term or None, *moments, _state(status))


def _section(sis_id: str, name: str, course: str, status: str) -> CanvasObject:
    return Section(sis_id, name, course, _state(status))


LAYOUTS: Mapping[str, tuple[Columns, Callable[..., CanvasObject]]] = {
    "canvas_section_id": (("section_id", "name", "course_id", "status"), _section),
    "canvas_parent_id": (("account_id", "name", "parent_account_id", "status"), _account),
    "short_name": (
        ("course_id", "short_name", "long_name", "account_id", "term_id", "start_date", "end_date", "status"),
        _course,
    ),
    "canvas_term_id": (("term_id", "name", "start_date", "end_date", "status"), _term),
}
"""By a column that only the files of one kind have, in this order: what is taken from them."""
