"""Whether courses were published when we closed or hid them: what Canvas cannot tell any more afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select

from rosterflow.store.bulk import batches, upsert
from rosterflow.store.tables import closed_course


def remember(connection: Connection, institution: str, were_published: Mapping[str, bool]) -> None:
    """Write down, by SIS id, whether courses are published that are about to be closed or hidden."""
    rows = ({"institution": institution, "sis_id": k, "was_published": was} for k, was in were_published.items())
    upsert(connection, closed_course, rows)


def were_published(connection: Connection, institution: str, sis_ids: Iterable[str]) -> dict[str, bool]:
    """Those of these courses, by SIS id, of which it is known, and whether they were published."""
    found: dict[str, bool] = {}
    for some in batches(sis_ids):
        query = select(closed_course.c.sis_id, closed_course.c.was_published).where(
            closed_course.c.institution == institution, closed_course.c.sis_id.in_(some)
        )
        found.update((sis_id, was) for sis_id, was in connection.execute(query))
    return found


def forget(connection: Connection, institution: str, sis_ids: Iterable[str]) -> None:
    """Forget courses that are in use again, or stayed so."""
    for some in batches(sis_ids):
        connection.execute(
            delete(closed_course).where(closed_course.c.institution == institution, closed_course.c.sis_id.in_(some))
        )
