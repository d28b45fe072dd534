"""Whether courses were published when we closed or hid them: what Canvas cannot tell any more afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, delete, select, update

from rosterflow.store.bulk import batches, upsert
from rosterflow.store.tables import closed_course


def remember(connection: Connection, institution: str, were_published: Mapping[str, bool]) -> None:
    """Write down, by SIS id, whether courses are published that are about to be closed or hidden."""
    fresh = {"institution": institution, "is_reopening": False}
    upsert(
        connection, closed_course, ({**fresh, "sis_id": k, "was_published": was} for k, was in were_published.items())
    )


def were_published(connection: Connection, institution: str, sis_ids: Iterable[str]) -> dict[str, bool]:
    """Those of these courses, by SIS id, of which it is known, and whether they were published."""
    found: dict[str, bool] = {}
    for some in batches(sis_ids):
        query = select(closed_course.c.sis_id, closed_course.c.was_published).where(
            closed_course.c.institution == institution, closed_course.c.sis_id.in_(some)
        )
        found.update((sis_id, was) for sis_id, was in connection.execute(query))
    return found


def begin_reopening(connection: Connection, institution: str, sis_ids: Iterable[str]) -> None:
    """Write down that we are about to re-open courses: if they are published from here on, it is our doing."""
    for some in batches(sis_ids):
        mine = (closed_course.c.institution == institution) & closed_course.c.sis_id.in_(some)
        connection.execute(update(closed_course).where(mine).values(is_reopening=True))


def still_closed(connection: Connection, institution: str, sis_ids: Iterable[str]) -> set[str]:
    """Those of these courses that were unpublished when we closed them, and that we have not begun to re-open."""
    found: set[str] = set()
    for some in batches(sis_ids):
        mine = (closed_course.c.institution == institution) & closed_course.c.sis_id.in_(some)
        waiting = mine & ~closed_course.c.was_published & ~closed_course.c.is_reopening
        found.update(connection.execute(select(closed_course.c.sis_id).where(waiting)).scalars())
    return found


def forget(connection: Connection, institution: str, sis_ids: Iterable[str]) -> None:
    """Forget courses that are in use again, or stayed so."""
    for some in batches(sis_ids):
        connection.execute(
            delete(closed_course).where(closed_course.c.institution == institution, closed_course.c.sis_id.in_(some))
        )
