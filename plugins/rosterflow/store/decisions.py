"""The latest decision on each row of the source; a run writes only what differs from the run before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select

from rosterflow.domain.decisions import Decision
from rosterflow.domain.model import SourceKind
from rosterflow.store.bulk import upsert
from rosterflow.store.tables import decision as table

AT_ONCE = 200
Identity = tuple[str, str, str]


def replace(
    connection: Connection, institution: str, sources: Iterable[SourceKind], made: Iterable[Decision], run_id: int
) -> int:
    """Make the stored decisions on these kinds of row those of a run.

    :returns: how many were new or different.
    """
    kinds = [str(kind) for kind in sources]
    known = {
        (row.source, row.subject, row.rule): (row.allowed, row.facts, row.kind, row.sis_id)
        for row in connection.execute(
            select(table).where(table.c.institution == institution, table.c.source.in_(kinds))
        )
    }
    wanted = {(str(one.source), one.subject, one.rule): one for one in made if str(one.source) in kinds}
    different = [_row(institution, one, run_id) for key, one in wanted.items() if known.get(key) != _content(one)]
    upsert(connection, table, different)
    _delete(connection, institution, [key for key in known if key not in wanted])
    return len(different)


def about(connection: Connection, institution: str, sis_id: str) -> Sequence[Any]:
    """The decisions that concern the objects with a SIS id."""
    query = select(table).where(table.c.institution == institution, table.c.sis_id == sis_id)
    return connection.execute(query.order_by(table.c.source, table.c.subject)).all()


def _content(one: Decision) -> tuple[object, ...]:
    facts = [list(fact) for fact in one.facts]
    return (one.allowed, facts, str(one.key.kind) if one.key else None, one.key.sis_id if one.key else None)


def _row(institution: str, one: Decision, run_id: int) -> dict[str, object]:
    allowed, facts, kind, sis_id = _content(one)
    return {
        "institution": institution,
        "source": str(one.source),
        "subject": one.subject,
        "rule": one.rule,
        "allowed": allowed,
        "facts": facts,
        "kind": kind,
        "sis_id": sis_id,
        "since_run": run_id,
    }


def _delete(connection: Connection, institution: str, gone: Sequence[Identity]) -> None:
    for start in range(0, len(gone), AT_ONCE):
        some = gone[start : start + AT_ONCE]
        same = or_(*(and_(table.c.source == s, table.c.subject == n, table.c.rule == r) for s, n, r in some))
        connection.execute(delete(table).where(table.c.institution == institution, same))
