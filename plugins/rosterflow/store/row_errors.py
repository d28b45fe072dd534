"""Rows that could not be used or that Canvas refused: visible until somebody dealt with them (design §2, confirm)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, tuple_, update

from rosterflow.domain.confirmed import Refusal
from rosterflow.domain.errors import REMEDIES, Code
from rosterflow.domain.model import Key, Kind
from rosterflow.store.bulk import batches, upsert
from rosterflow.store.sealing import seal_of
from rosterflow.store.tables import refusal, row_error

Side = Literal["source", "canvas"]


@dataclass(frozen=True, slots=True)
class RowErrorNote:
    """One row's trouble.

    :param subject: the row's natural key, or the object's.
    :param kind: kind of row or object.
    :param words: the far side's full words, where the message leaves out personal data; kept sealed.
    """

    side: Side
    subject: str
    code: Code
    kind: str
    field: str
    message: str
    words: str = ""

    @property
    def remedy(self) -> str:
        """One sentence: what a person does about it."""
        return REMEDIES[self.code]


def replace_side(
    connection: Connection, institution: str, side: Side, notes: Iterable[RowErrorNote], now: datetime
) -> None:
    """Make the open errors of one side those given; the others are marked as gone, with the time."""
    given = list(notes)
    open_here = (row_error.c.institution == institution) & (row_error.c.side == side) & row_error.c.gone_at.is_(None)
    known = {(row.subject, row.code) for row in connection.execute(select(row_error).where(open_here))}
    note(connection, institution, given, now)
    _mark_gone(connection, institution, side, known - {(one.subject, str(one.code)) for one in given}, now)


def note(connection: Connection, institution: str, notes: Iterable[RowErrorNote], now: datetime) -> None:
    """Write errors down; one that is open already keeps the time it was first seen."""
    given = {(one.side, one.subject, one.code): one for one in notes}
    again = _gone_before(connection, institution)
    rows = [
        {
            "institution": institution,
            "side": one.side,
            "subject": one.subject,
            "code": str(one.code),
            "kind": one.kind,
            "field": one.field,
            "message": one.message,
            "sealed": seal_of(connection).close(one.words.encode()) if one.words else None,
            "first_at": now,
            "last_at": now,
            "gone_at": None,
        }
        for one in given.values()
    ]
    fresh: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    for row in rows:
        (fresh if (row["side"], row["subject"], row["code"]) in again else known).append(row)
    upsert(connection, row_error, known, keep=("first_at",))
    upsert(connection, row_error, fresh)


def settle(connection: Connection, institution: str, side: Side, subjects: Iterable[str], now: datetime) -> None:
    """Mark the errors of these subjects as gone."""
    wanted = set(subjects)
    open_here = (row_error.c.institution == institution) & (row_error.c.side == side) & row_error.c.gone_at.is_(None)
    found = connection.execute(select(row_error.c.subject, row_error.c.code).where(open_here)).all()
    _mark_gone(connection, institution, side, {(s, c) for s, c in found if s in wanted}, now)


def open_errors(connection: Connection, institution: str) -> Sequence[Any]:
    """Errors that are not gone, by code and subject."""
    query = select(row_error).where(row_error.c.institution == institution, row_error.c.gone_at.is_(None))
    return connection.execute(query.order_by(row_error.c.code, row_error.c.subject)).all()


def gone_since(connection: Connection, institution: str, moment: datetime) -> Sequence[Any]:
    """Errors whose cause went away after a moment."""
    query = select(row_error).where(row_error.c.institution == institution, row_error.c.gone_at > moment)
    return connection.execute(query.order_by(row_error.c.code, row_error.c.subject)).all()


def purge(connection: Connection, institution: str, before: datetime) -> int:
    """Remove errors that have been gone since before a moment; open ones stay for ever."""
    return connection.execute(
        delete(row_error).where(row_error.c.institution == institution, row_error.c.gone_at < before)
    ).rowcount


def refusals(connection: Connection, institution: str) -> dict[Key, Refusal]:
    """What Canvas refused and when it may be tried again, by object."""
    query = select(refusal).where(refusal.c.institution == institution)
    return {
        Key(Kind(row.kind), row.sis_id): Refusal(row.fingerprint, row.attempts, row.not_before)
        for row in connection.execute(query)
    }


def save_refusals(connection: Connection, institution: str, refused: Mapping[Key, Refusal]) -> None:
    """Write refusals down; the newest one of an object counts."""
    upsert(
        connection,
        refusal,
        [
            {
                "institution": institution,
                "kind": str(key.kind),
                "sis_id": key.sis_id,
                "fingerprint": one.fingerprint,
                "attempts": one.attempts,
                "not_before": one.not_before,
            }
            for key, one in refused.items()
        ],
    )


def clear_refusals(connection: Connection, institution: str, keys: Iterable[Key]) -> None:
    """Forget the refusals of objects that Canvas accepted."""
    known = refusals(connection, institution).keys()
    for some in batches((str(key.kind), key.sis_id) for key in keys if key in known):
        connection.execute(
            delete(refusal).where(
                refusal.c.institution == institution, tuple_(refusal.c.kind, refusal.c.sis_id).in_(some)
            )
        )


def _gone_before(connection: Connection, institution: str) -> set[tuple[str, str, str]]:
    query = select(row_error.c.side, row_error.c.subject, row_error.c.code).where(
        row_error.c.institution == institution, row_error.c.gone_at.is_not(None)
    )
    return {(side, subject, code) for side, subject, code in connection.execute(query)}


def _mark_gone(
    connection: Connection, institution: str, side: Side, gone: Iterable[tuple[str, str]], now: datetime
) -> None:
    for subject, code in gone:
        connection.execute(
            update(row_error)
            .where(
                row_error.c.institution == institution,
                row_error.c.side == side,
                row_error.c.subject == subject,
                row_error.c.code == code,
            )
            .values(gone_at=now)
        )
