"""Canvas's provisioning report: accounts, terms, courses and sections as Canvas has them (Canvas contract §10.10)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import IO

import pandas as pd

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

ROWS_AT_ONCE = 5000

Row = Mapping[str, str]


def objects_of(report: bytes) -> Iterator[CanvasObject]:
    """The objects with a SIS id in a provisioning report.

    :param report: the downloaded file: one CSV, or a zip of several when several kinds were asked for.
    :returns: objects whose origin is not known yet.
    :raises RetryableError: ``bad-response`` when a file has none of the reports' headers or an unknown status.
    """
    for name, file in _files(report):
        try:
            yield from _objects(name, file)
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
            raise RetryableError(Code.BAD_RESPONSE, f"Canvas's provisioning report has a broken file {name}.") from None


def _objects(name: str, file: IO[bytes]) -> Iterator[CanvasObject]:
    for chunk in pd.read_csv(file, dtype=str, keep_default_na=False, chunksize=ROWS_AT_ONCE):
        make = _reader(name, tuple(chunk.columns))
        kept = chunk[chunk[ID_COLUMNS[make]] != ""]
        for values in kept.itertuples(index=False, name=None):
            yield make(dict(zip(kept.columns, values, strict=True)))


def _files(report: bytes) -> Iterator[tuple[str, IO[bytes]]]:
    if not zipfile.is_zipfile(io.BytesIO(report)):
        yield "report.csv", io.BytesIO(report)
        return
    with zipfile.ZipFile(io.BytesIO(report)) as archive:
        for name in archive.namelist():
            if name.endswith(".csv"):
                with archive.open(name) as file:
                    yield name, file


def _reader(name: str, columns: tuple[str, ...]) -> Callable[[Row], CanvasObject]:
    for column, make in (
        ("canvas_section_id", _section),
        ("canvas_parent_id", _account),
        ("short_name", _course),
        ("canvas_term_id", _term),
    ):
        if column in columns:
            return make
    raise RetryableError(Code.BAD_RESPONSE, f"Canvas's provisioning report has a file {name} with unknown columns.")


def _state(row: Row) -> State:
    try:
        return STATES[row["status"]]
    except KeyError:
        raise RetryableError(
            Code.BAD_RESPONSE, f"Canvas's provisioning report has the unknown status {row.get('status')!r}."
        ) from None


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00").replace("Z", "+00:00"))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _account(row: Row) -> CanvasObject:
    return Account(row["account_id"], row["name"], row["parent_account_id"], _state(row))


def _term(row: Row) -> CanvasObject:
    return Term(row["term_id"], row["name"], _moment(row["start_date"]), _moment(row["end_date"]), _state(row))


def _course(row: Row) -> CanvasObject:
    return Course(
        row["course_id"],
        row["short_name"],
        row["long_name"],
        row["account_id"],
        row["term_id"] or None,
        _moment(row["start_date"]),
        _moment(row["end_date"]),
        _state(row),
    )


def _section(row: Row) -> CanvasObject:
    return Section(row["section_id"], row["name"], row["course_id"], _state(row))


ID_COLUMNS: Mapping[Callable[[Row], CanvasObject], str] = {
    _account: "account_id",
    _term: "term_id",
    _course: "course_id",
    _section: "section_id",
}
