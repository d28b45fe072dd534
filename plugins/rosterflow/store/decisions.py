"""The latest decision on each row of the source; a run writes only what differs from what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Text, and_, cast, delete, or_, select

from rosterflow.domain.decisions import Decision
from rosterflow.domain.model import SourceKind
from rosterflow.store.bulk import upsert
from rosterflow.store.engine import json_text
from rosterflow.store.tables import decision as table

AT_ONCE = 200
Identity = tuple[str, str, str]
Content = tuple[bool, str, str | None, str | None]
"""What can differ between two runs; facts as the text they are kept as, so that none need be taken apart."""

COLUMNS = (*table.c["source", "subject", "rule", "allowed"], cast(table.c.facts, Text), *table.c["kind", "sis_id"])


def replace(
    connection: Connection, institution: str, sources: Iterable[SourceKind], made: Iterable[Decision], run_id: int
) -> int:
    """Make the stored decisions on these kinds of row those of a run.

    :returns: how many were new or different.
    """
    kinds = {str(kind) for kind in sources}
    known = _known(connection, institution, kinds)
    wanted = _by_identity(made, kinds)
    _delete(connection, institution, [key for key in known if key not in wanted])
    return _write(connection, institution, known, wanted, run_id)


def add(
    connection: Connection,
    institution: str,
    sources: Iterable[SourceKind],
    made: Iterable[Decision],
    run_id: int,
    *,
    yielding: Collection[str] = (),
) -> int:
    """Write down the decisions of a run that did not see all rows; those on rows that it did not see stay.

    :param yielding: rules that give way to what was decided on the same row before.
    :returns: how many were new or different.
    """
    kinds = {str(kind) for kind in sources}
    known = _known(connection, institution, kinds)
    before = {_row_of(key) for key in known}
    wanted = {
        key: one
        for key, one in _by_identity(made, kinds).items()
        if one.rule not in yielding or _row_of(key) not in before
    }
    decided = {_row_of(key) for key in wanted}
    _delete(connection, institution, [key for key in known if key not in wanted and _row_of(key) in decided])
    return _write(connection, institution, known, wanted, run_id)


def by_rules(connection: Connection, institution: str, rules: Collection[str]) -> list[Decision]:
    """The decisions of an institution by some rules."""
    query = select(table).where(table.c.institution == institution, table.c.rule.in_(rules))
    return [
        Decision(SourceKind(row.source), row.subject, row.allowed, row.rule, tuple((a, b) for a, b in row.facts))
        for row in connection.execute(query)
    ]


def about(connection: Connection, institution: str, sis_id: str) -> Sequence[Any]:
    """The decisions that concern the objects with a SIS id."""
    query = select(table).where(table.c.institution == institution, table.c.sis_id == sis_id)
    return connection.execute(query.order_by(table.c.source, table.c.subject)).all()


def _known(connection: Connection, institution: str, kinds: Collection[str]) -> dict[Identity, Content]:
    query = select(*COLUMNS).where(table.c.institution == institution, table.c.source.in_(kinds))
    return {
        (source, subject, rule): (allowed, facts, kind, sis_id)
        for source, subject, rule, allowed, facts, kind, sis_id in connection.execute(query)
    }


def _by_identity(made: Iterable[Decision], kinds: Collection[str]) -> dict[Identity, Decision]:
    return {(str(one.source), one.subject, one.rule): one for one in made if str(one.source) in kinds}


def _row_of(key: Identity) -> tuple[str, str]:
    return key[:2]


def _write(
    connection: Connection,
    institution: str,
    known: Mapping[Identity, Content],
    wanted: Mapping[Identity, Decision],
    run_id: int,
) -> int:
    different = [_row(institution, one, run_id) for key, one in wanted.items() if known.get(key) != _content(one)]
    upsert(connection, table, different)
    return len(different)


def _content(one: Decision) -> Content:
    kind, sis_id = one.key or (None, None)
    return one.allowed, json_text(one.facts), kind, sis_id


def _row(institution: str, one: Decision, run_id: int) -> dict[str, object]:
    kind, sis_id = one.key or (None, None)
    return {
        "institution": institution,
        "source": str(one.source),
        "subject": one.subject,
        "rule": one.rule,
        "allowed": one.allowed,
        "facts": one.facts,
        "kind": kind,
        "sis_id": sis_id,
        "since_run": run_id,
    }


def _delete(connection: Connection, institution: str, gone: Sequence[Identity]) -> None:
    for start in range(0, len(gone), AT_ONCE):
        some = gone[start : start + AT_ONCE]
        same = or_(*(and_(table.c.source == s, table.c.subject == n, table.c.rule == r) for s, n, r in some))
        connection.execute(delete(table).where(table.c.institution == institution, same))
