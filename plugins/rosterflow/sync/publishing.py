"""Published or not is the teachers' own: what a course was before we closed or hid it, it is again when we re-open it.

CSV cannot say so: it publishes whatever it re-opens, and never what was hidden (Canvas contract §5.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rosterflow.domain.institution import Institution
from rosterflow.domain.model import CanvasObject, Kind, State
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Roster
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.store import closed_courses
from rosterflow.store.engine import Store

PUBLISHED = "available"
UNPUBLISHED = "unpublished"


def remember_published(
    store: Store, hook: CanvasHook, institution: Institution, changes: Iterable[Change]
) -> dict[str, str | None]:
    """Ask Canvas, just before courses are closed or hidden, whether they are published, and keep the answer.

    An earlier try that was killed may have hidden a course already: then what it kept stands.

    :returns: each course's state in Canvas's words, by SIS id; ``None`` when Canvas has no such course.
    """
    going = {change.after.sis_id: change.action for change in changes if change.kind is Kind.COURSE}
    if not going:
        return {}
    states = {sis_id: hook.course_state(sis_id) for sis_id in going}
    with store.begin() as connection:
        known = closed_courses.were_published(connection, institution.key, going)
        ours = {sis_id for sis_id in known if going[sis_id] is Action.HIDE and states[sis_id] == UNPUBLISHED}
        told = {k: state == PUBLISHED for k, state in states.items() if state in (PUBLISHED, UNPUBLISHED)}
        closed_courses.remember(connection, institution.key, {k: was for k, was in told.items() if k not in ours})
    return states


def leave_to_people(store: Store, hook: CanvasHook, institution: Institution, changes: Iterable[Change]) -> None:
    """See, just before courses are re-opened, which of them people have re-opened meanwhile: those stay published."""
    coming = {change.after.sis_id for change in changes if change.kind is Kind.COURSE}
    with store.begin() as connection:
        closed = closed_courses.still_closed(connection, institution.key, coming)
    theirs = {sis_id for sis_id in closed if hook.course_state(sis_id) == PUBLISHED}
    with store.begin() as connection:
        closed_courses.forget(connection, institution.key, theirs)
        closed_courses.begin_reopening(connection, institution.key, closed - theirs)


def put_back(hook: CanvasHook, change: Change, *, was_published: bool | None) -> None:
    """Publish or unpublish a course that was re-opened by CSV, so that it is as it was.

    :param was_published: ``None`` when nobody knows; then it is left as CSV makes it.
    :raises RowError: ``row-refused`` when Canvas refuses, for instance because it has graded work.
    """
    before, sis_id = change.before, change.after.sis_id
    if before is None or was_published is None:
        return
    if was_published and before.state is State.UNPUBLISHED and hook.course_state(sis_id) == UNPUBLISHED:
        hook.course_event(sis_id, "offer")
    elif not was_published and before.state is State.COMPLETED and hook.course_state(sis_id) == PUBLISHED:
        hook.course_event(sis_id, "claim")


def steered(hook: CanvasHook, change: Change, thing: CanvasObject) -> CanvasObject:
    """Conclude or re-open by REST a course whose state CSV could not change; leave everything else.

    :raises RowError: ``row-refused`` when Canvas refuses.
    """
    wanted = change.after
    if isinstance(wanted, Roster) or thing.kind is not Kind.COURSE or thing.state is wanted.state:
        return thing
    if change.action is Action.CLOSE and thing.state is not State.DELETED:
        hook.conclude_course(wanted.sis_id)
    elif change.action is Action.REOPEN:
        hook.course_event(wanted.sis_id, "undelete" if thing.state is State.DELETED else "offer")
    else:
        return thing
    return replace(thing, state=wanted.state)
