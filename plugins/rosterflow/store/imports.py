"""SIS imports: written down before they are posted, so that a lost answer or a killed worker loses nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from rosterflow.store.person_keys import are_numbered
from rosterflow.store.sealing import Seal, seal_of
from rosterflow.store.tables import sis_import as table


class ImportState(StrEnum):
    """How far an import is."""

    PREPARED = "prepared"
    POSTING = "posting"
    POSTED = "posted"
    CONFIRMED = "confirmed"
    DROPPED = "dropped"


UNFINISHED = (ImportState.PREPARED, ImportState.POSTING, ImportState.POSTED)


@dataclass(frozen=True, slots=True)
class StoredImport:
    """One SIS import of a plan.

    :param rows: for each file name, the ``seq`` of the change in each of its data rows.
    :param users: for each file name about people, the user of each of its data rows.
    :param counted_as: for each file name, Canvas's key for counting its rows.
    :param blob: where the encrypted zip is kept.
    :param canvas_id: Canvas's id of it, once its answer came.
    """

    id: int
    institution: str
    root: str
    run_id: int
    plan_id: int
    approval_id: int | None
    part: int
    state: ImportState
    rows: Mapping[str, Sequence[int]]
    users: Mapping[str, Sequence[str]]
    counted_as: Mapping[str, str]
    blob: str
    sha256: str
    canvas_id: str | None
    posting_at: datetime | None

    @property
    def mark(self) -> str:
        """What every file name of the import begins with."""
        return next(iter(self.rows)).rsplit("-", 1)[0]


def prepare(
    connection: Connection,
    *,
    institution: str,
    root: str,
    run_id: int,
    plan_id: int,
    approval_id: int | None,
    part: int,
    now: datetime,
) -> int:
    """Make room for an import; its id becomes part of its file names.

    :returns: its id.
    """
    values = {
        "institution": institution,
        "root": root,
        "run_id": run_id,
        "plan_id": plan_id,
        "approval_id": approval_id,
        "part": part,
        "state": ImportState.PREPARED,
        "rows": {},
        "sha256": "",
        "prepared_at": now,
    }
    return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def rows_of(connection: Connection, counted_as: str, seqs: Sequence[int], users: Sequence[str]) -> dict[str, object]:
    """What is kept of a file's rows, in :func:`note`: which change, and of people which person, each is about.

    SIS ids that may be personal are sealed.
    """
    kept: dict[str, object] = {"counted_as": counted_as, "seqs": seqs}
    if users and are_numbered(users):
        kept["users"] = users
    elif users:
        kept["sealed_users"] = seal_of(connection).close(msgspec.json.encode(users))
    return kept


def note(connection: Connection, import_id: int, **values: Any) -> None:
    """Set columns of an import."""
    connection.execute(update(table).where(table.c.id == import_id).values(**values))


def get_import(connection: Connection, import_id: int) -> StoredImport:
    """One import by its id."""
    return _import(connection.execute(select(table).where(table.c.id == import_id)).one(), seal_of(connection))


def import_of(connection: Connection, plan_id: int, approval_id: int | None, part: int) -> StoredImport | None:
    """The import made for a part of a plan, or of its approved changes, when it was not dropped."""
    query = select(table).where(
        table.c.plan_id == plan_id,
        table.c.approval_id.is_not_distinct_from(approval_id),
        table.c.part == part,
        table.c.state != ImportState.DROPPED,
    )
    row = connection.execute(query.order_by(table.c.id.desc()).limit(1)).first()
    return _import(row, seal_of(connection)) if row else None


def unfinished(connection: Connection, institution: str) -> list[StoredImport]:
    """An institution's imports whose outcome nobody has written down yet, oldest first."""
    query = select(table).where(table.c.institution == institution, table.c.state.in_(UNFINISHED))
    query = query.order_by(table.c.id)
    return [_import(row, seal_of(connection)) for row in connection.execute(query)]


def known_canvas_ids(connection: Connection, root: str) -> frozenset[str]:
    """Canvas's ids of the imports into a root account that are ours."""
    query = select(table.c.canvas_id).where(table.c.root == root, table.c.canvas_id.is_not(None))
    return frozenset(connection.execute(query).scalars())


def is_trusted(connection: Connection, plan_id: int) -> dict[int, bool]:
    """For the ``seq`` of each change that an import carried, whether that import's silence means success."""
    query = select(table.c.rows, table.c.trusted).where(table.c.plan_id == plan_id).order_by(table.c.id)
    return {
        seq: bool(trusted)
        for rows, trusted in connection.execute(query)
        for file in rows.values()
        for seq in file["seqs"]
    }


def blobs_before(connection: Connection, institution: str, moment: datetime) -> list[tuple[int, str]]:
    """Ids and zips of an institution's finished imports prepared before a moment."""
    query = select(table.c.id, table.c.blob).where(
        table.c.institution == institution,
        table.c.blob.is_not(None),
        table.c.prepared_at < moment,
        table.c.state.not_in(UNFINISHED),
    )
    return [(number, blob) for number, blob in connection.execute(query)]


def _users(file: Mapping[str, Any], seal: Seal) -> Sequence[str]:
    if sealed := file.get("sealed_users"):
        return msgspec.json.decode(seal.open(sealed), type=list[str])
    users: Sequence[str] = file.get("users", ())
    return users


def _import(row: Row[Any], seal: Seal) -> StoredImport:
    users = {name: _users(file, seal) for name, file in row.rows.items()}
    return StoredImport(
        id=row.id,
        institution=row.institution,
        root=row.root,
        run_id=row.run_id,
        plan_id=row.plan_id,
        approval_id=row.approval_id,
        part=row.part,
        state=ImportState(row.state),
        rows={name: file["seqs"] for name, file in row.rows.items()},
        users={name: some for name, some in users.items() if some},
        counted_as={name: file["counted_as"] for name, file in row.rows.items()},
        blob=row.blob or "",
        sha256=row.sha256,
        canvas_id=row.canvas_id,
        posting_at=row.posting_at,
    )
