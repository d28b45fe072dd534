"""History: what happened to each object, and what people decided. Append-only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, literal, literal_column, select

from rosterflow.domain.model import Key
from rosterflow.store.bulk import among, batches, insert_rows
from rosterflow.store.engine import UtcDateTime
from rosterflow.store.tables import audit, history, plan_change

MOVED_OUT = "moved out"
"""What happens to an account when a course of it, or an account in it, moves elsewhere."""
FOUND = "found in Canvas"
"""What others made in Canvas, so that we do not make it."""
ID_CHANGED = "id changed"
"""What happens to an object, or to a user whose old and new ids are the detail."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object: ``created``, ``updated``, ``refused``, ``held``, ``withdrawn`` …"""

    key: Key
    event: str
    rule: str
    detail: str = ""


def record(
    connection: Connection,
    institution: str,
    events: Iterable[Event],
    now: datetime,
    *,
    run_id: int | None = None,
    plan_id: int | None = None,
) -> None:
    """Write events down."""
    rows = (
        {
            "at": now,
            "institution": institution,
            "run_id": run_id,
            "plan_id": plan_id,
            "kind": one.key.kind,
            "sis_id": one.key.sis_id,
            "event": one.event,
            "rule": one.rule,
            "detail": one.detail,
        }
        for one in events
    )
    insert_rows(connection, history, rows)


def record_changes(
    connection: Connection,
    institution: str,
    plan_id: int,
    seqs: Iterable[int],
    event: str,
    now: datetime,
    *,
    run_id: int,
    guarded: bool,
) -> None:
    """Write the same event down about the objects of many changes, without fetching what the plan says of them.

    :param guarded: whether the guard's rule and reason say why; if not, the change's own rule does.
    """
    told: dict[str, ColumnElement[Any]] = {
        **_in_run(institution, run_id, event, now),
        "sis_id": plan_change.c.sis_id,
        "rule": plan_change.c.guard_rule if guarded else plan_change.c.rule,
        "detail": plan_change.c.guard_reason if guarded else literal(""),
    }
    _tell(connection, plan_id, seqs, told)


def record_arrivals(
    connection: Connection,
    institution: str,
    plan_id: int,
    seqs: Iterable[int],
    event: str,
    now: datetime,
    *,
    run_id: int,
) -> None:
    """Write down who came by changes that made rosters, without fetching who that is.

    :param seqs: changes of people who are all active, and whose ids the store has unsealed.
    """
    told: dict[str, ColumnElement[Any]] = {
        **_in_run(institution, run_id, event, now),
        "sis_id": whole_sis_id(),
        "rule": plan_change.c.rule,
        "detail": literal_column(PEOPLE_OF[connection.dialect.name]),
    }
    _tell(connection, plan_id, seqs, told)


def _in_run(institution: str, run_id: int, event: str, now: datetime) -> dict[str, ColumnElement[Any]]:
    """What history has alike of all changes of which it tells the same."""
    return {
        "at": literal(now, UtcDateTime),
        "institution": literal(institution),
        "run_id": literal(run_id),
        "plan_id": plan_change.c.plan_id,
        "kind": plan_change.c.kind,
        "event": literal(event),
    }


def _tell(connection: Connection, plan_id: int, seqs: Iterable[int], told: Mapping[str, ColumnElement[Any]]) -> None:
    for some in among(seqs, plan_change.c.seq):
        about = select(*told.values()).where(plan_change.c.plan_id == plan_id, some).order_by(plan_change.c.seq)
        connection.execute(insert(history).from_select(list(told), about))


PEOPLE_OF = {
    "postgresql": """(SELECT string_agg(one, ' ' ORDER BY one COLLATE "C")
        FROM json_array_elements_text(plan_change.after::json #> '{people,active}') AS one)""",
    "sqlite": """(SELECT group_concat(value, ' ')
        FROM (SELECT value FROM json_each(plan_change.after, '$.people.active') ORDER BY value))""",
}
"""The ids in the text of a change of active people (:mod:`rosterflow.store.codec`), in order, by the database."""


def whole_sis_id() -> ColumnElement[str]:
    """Of changes of people with a part, the id of the whole roster."""
    length = func.length(plan_change.c.sis_id) - func.length(plan_change.c.part) - len(": ")
    return func.substr(plan_change.c.sis_id, 1, length)


def of_object(connection: Connection, institution: str, sis_id: str) -> Sequence[Any]:
    """Everything that happened to the objects with a SIS id, oldest first."""
    query = select(history).where(history.c.institution == institution, history.c.sis_id == sis_id)
    return connection.execute(query.order_by(history.c.id)).all()


def moved_out_of(connection: Connection, institution: str, accounts: Iterable[str]) -> frozenset[str]:
    """Those of these accounts, by SIS id, in which something once lay that lies elsewhere now."""
    found: set[str] = set()
    for some in batches(accounts):
        query = select(history.c.sis_id).where(
            history.c.institution == institution, history.c.sis_id.in_(some), history.c.event == MOVED_OUT
        )
        found.update(connection.execute(query.distinct()).scalars())
    return frozenset(found)


def purge(connection: Connection, institution: str, before: datetime) -> int:
    """Remove events older than a moment; the audit of people's acts stays."""
    return connection.execute(
        delete(history).where(history.c.institution == institution, history.c.at < before)
    ).rowcount


def record_act(
    connection: Connection,
    institution: str,
    *,
    actor: str,
    act: str,
    reason: str,
    now: datetime,
    plan_hash: str = "",
    approval_id: int | None = None,
    detail: str = "",
) -> None:
    """Write down what a person did, with the reason given."""
    values = {
        "at": now,
        "institution": institution,
        "actor": actor,
        "act": act,
        "reason": reason,
        "plan_hash": plan_hash,
        "approval_id": approval_id,
        "detail": detail,
    }
    connection.execute(insert(audit).values(values))


def acts(connection: Connection, institution: str) -> Sequence[Any]:
    """What people did for an institution, oldest first."""
    return connection.execute(select(audit).where(audit.c.institution == institution).order_by(audit.c.id)).all()
