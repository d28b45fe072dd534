"""Sending a plan to Canvas: one SIS import, written down before it is posted and found again after a crash.

An import goes through ``prepared`` (rows and zip are kept), ``posting`` (the POST has begun; nobody knows whether it
arrived), ``posted`` (Canvas gave it an id) and ``confirmed``. Whatever is killed in between, the next try, or the next
run, knows what to look for.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rosterflow.domain.confirmed import World
from rosterflow.domain.errors import Code, RetryableError, RosterflowError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Kind, State
from rosterflow.domain.plan import REMOVALS, Action
from rosterflow.domain.rosters import Roster
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.hooks.canvas_records import SisImport
from rosterflow.store import approvals, imports, objects, plans, row_errors
from rosterflow.store.engine import Store
from rosterflow.store.imports import ImportState, StoredImport
from rosterflow.store.person_keys import shown_by
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.runs import Run
from rosterflow.sync.confirming_people import user_of
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.pages import PageStore
from rosterflow.sync.place import verify_place
from rosterflow.sync.publishing import leave_to_people, remember_published
from rosterflow.sync.remembering import remember_sent
from rosterflow.sync.runs import root_of, verify_lease
from rosterflow.sync.sparing import spare_admins
from rosterflow.wire.canvas_csv import SisFile, first_import, second_import, sis_files, zip_of

CERTAIN_AFTER = timedelta(seconds=60)
"""An import that Canvas does not list this long after our POST began did not arrive."""

LOOK_AGAIN = 20.0
LOOK_BACK = timedelta(minutes=10)
"""How much earlier than our own POST an import of ours may seem to be created: clocks differ."""


@undisturbed
def prepare_import(
    store: Store,
    blobs: PageStore,
    hook: CanvasHook,
    institution: Institution,
    run: Run,
    plan_id: int,
    *,
    approval_id: int | None,
    part: int,
    now: datetime,
) -> StoredImport | None:
    """The import of one part of a plan: the one that was begun already, or a new one with its zip kept.

    Whom people have made administrators by hand meanwhile is not in it.

    :param approval_id: send the approved changes of this request instead of the allowed ones of the plan.
    :param part: 1 for all that CSV can do, 2 for deleted accounts and terms, which must come after the courses'.
    :returns: ``None`` when there is nothing to send.
    :raises RosterflowError: as :func:`~rosterflow.sync.sparing.spare_admins`.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        admins = [one for one in sendable(connection, plan_id, approval_id, Kind.ADMIN) if one.action not in REMOVALS]
    spare_admins(store, hook, institution, run, plan_id, admins, approval_id=approval_id, now=now)
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        begun = imports.import_of(connection, plan_id, approval_id, part)
        if begun:
            return begun
        to_send = _part(connection, institution, plan_id, approval_id, part)
        if not to_send:
            return None
        number = imports.prepare(
            connection,
            institution=institution.key,
            root=root_of(institution),
            run_id=run.id,
            plan_id=plan_id,
            approval_id=approval_id,
            part=part,
            now=now,
        )
        mark = f"rosterflow-{institution.key.replace('_', '-')}-{number}-{uuid.uuid4().hex[:12]}"
        files = sis_files(
            [one.change for one in to_send], mark=mark, publish_new=institution.canvas.publish_new_courses
        )
        archive = zip_of(files)
        blob = f"zips/{institution.key}/{number}"
        blobs.put_bytes(blob, archive)
        rows = _rows_of(connection, files, to_send)
        imports.note(connection, number, rows=rows, blob=blob, sha256=hashlib.sha256(archive).hexdigest())
        return imports.get_import(connection, number)


def _part(
    connection: Connection, institution: Institution, plan_id: int, approval_id: int | None, part: int
) -> list[StoredChange]:
    """The changes that one part of a plan sends."""
    is_of_part = first_import if part == 1 else second_import
    going = [one for one in sendable(connection, plan_id, approval_id) if is_of_part(one.change)]
    if part == 1:
        return going
    return _emptied(connection, institution, plan_id, _arrived(connection, institution, plan_id, going))


def _rows_of(
    connection: Connection, files: Sequence[SisFile], sent: Sequence[StoredChange]
) -> dict[str, dict[str, object]]:
    """What is kept of each file, so that Canvas's messages about its rows can be told what they are about."""
    return {
        file.name: imports.rows_of(connection, file.counted_as, [sent[at].seq for at in file.rows], file.users)
        for file in files
    }


def sendable(
    connection: Connection, plan_id: int, approval_id: int | None, kind: Kind | None = None
) -> list[StoredChange]:
    """The changes that may be sent: allowed by the guards, or approved by a person.

    What was approved with an earlier plan, and could not be sent then, goes with this one's allowed changes.

    :param kind: those of one kind alone.
    """
    allowed = plans.changes(connection, plan_id, ChangeState.ALLOWED, kind=kind)
    if approval_id is not None:
        return [one for one in allowed if one.approval_id == approval_id]
    own = approvals.requests_of(connection, plan_id)
    return [one for one in allowed if one.approval_id not in own]


def _arrived(
    connection: Connection, institution: Institution, plan_id: int, seconds: list[StoredChange]
) -> list[StoredChange]:
    """What may be sent when the first part is confirmed: nobody leaves who did not arrive in the other section."""
    moves = [one for one in seconds if isinstance(one.change.after, Roster)]
    if not moves:
        return seconds
    refused = row_errors.refusals(connection, institution.key)
    shown = shown_by(connection, institution.key)
    missing = {user_of(key) for key in refused if key.kind is Kind.ENROLLMENT}
    for one in plans.changes(connection, plan_id, ChangeState.UNKNOWN, ChangeState.SENT):
        missing |= set(map(shown, one.change.after.members)) if isinstance(one.change.after, Roster) else set()
    staying = [
        one
        for one in moves
        if missing and isinstance(part := one.change.after, Roster) and not missing.isdisjoint(map(shown, part.members))
    ]
    words = "somebody did not arrive in the other section"
    plans.set_state(
        connection, plan_id, [one.seq for one in staying], ChangeState.STALE, {one.seq: words for one in staying}
    )
    return [one for one in seconds if one not in staying]


def _emptied(
    connection: Connection, institution: Institution, plan_id: int, seconds: list[StoredChange]
) -> list[StoredChange]:
    """All but the deletions whose account Canvas did not confirm to be empty by now; they wait for another plan."""
    deletions = [one for one in seconds if not isinstance(one.change.after, Roster)]
    if not deletions:
        return seconds
    world = World(objects.load(connection, institution.key))
    going = {one.change.key for one in deletions}
    full: list[StoredChange] = []
    for one in deletions:
        staying = [key for key in world.below(one.change.key) if world[key].thing.state is not State.DELETED]
        if any(key not in going for key in staying):
            full.append(one)
            going.discard(one.change.key)
    words = "it still holds courses or accounts"
    plans.set_state(connection, plan_id, [one.seq for one in full], ChangeState.STALE, {one.seq: words for one in full})
    return [one for one in seconds if one not in full]


def post_import(
    store: Store, blobs: PageStore, hook: CanvasHook, institution: Institution, run: Run, number: int, now: datetime
) -> StoredImport:
    """See that a prepared import is in Canvas's queue, exactly once.

    :returns: the import with Canvas's id.
    :raises RetryableError: when it is not known yet whether an earlier POST arrived, or Canvas could not be reached.
    :raises FatalError: when it is not the Canvas that we know, or does not let us import; nothing was sent.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        one = imports.get_import(connection, number)
    if one.state not in (ImportState.PREPARED, ImportState.POSTING):
        return one
    verify_place(store, hook, institution, now)
    posted = find_posted(store, hook, one, now) if one.state is ImportState.POSTING else None
    posted = posted or _post(store, blobs, hook, institution, run, one, now)
    with store.begin() as connection:
        imports.note(connection, number, state=ImportState.POSTED, canvas_id=posted.id)
        return imports.get_import(connection, number)


def find_posted(store: Store, hook: CanvasHook, one: StoredImport, now: datetime) -> SisImport | None:
    """Look in Canvas for an import whose POST got no answer; its file names carry our mark.

    :returns: it, or ``None`` when it certainly did not arrive.
    :raises RetryableError: ``import-lost`` when it is too early to be certain, or an import that may be it still runs.
    """
    begun = one.posting_at or now
    with store.begin() as connection:
        known = imports.known_canvas_ids(connection, one.root)
    for candidate in hook.sis_imports_since(begun - LOOK_BACK):
        if candidate.id in known:
            continue
        names = candidate.files or tuple(message.file for message in hook.sis_import_messages(candidate.id))
        if any(name.startswith(f"{one.mark}-") for name in names):
            return candidate
        if not names and not candidate.is_over:
            raise _uncertain(f"Canvas's import {candidate.id} may be import {one.id} and still runs.")
    if now - begun < CERTAIN_AFTER:
        raise _uncertain(f"It is not certain yet whether import {one.id} reached Canvas.")
    return None


def _post(
    store: Store,
    blobs: PageStore,
    hook: CanvasHook,
    institution: Institution,
    run: Run,
    one: StoredImport,
    now: datetime,
) -> SisImport:
    """Post an import that certainly is not in Canvas, having written down first that we are about to."""
    archive = blobs.get_bytes(one.blob)
    mine = {seq for seqs in one.rows.values() for seq in seqs}
    with store.begin() as connection:
        closing = plans.changes_doing(connection, one.plan_id, Action.CLOSE)
        reopening = plans.changes_doing(connection, one.plan_id, Action.REOPEN)
    remember_published(store, hook, institution, [stored.change for stored in closing if stored.seq in mine])
    leave_to_people(store, hook, institution, [stored.change for stored in reopening if stored.seq in mine])
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        imports.note(connection, one.id, state=ImportState.POSTING, posting_at=now)
        plans.set_state(connection, one.plan_id, mine, ChangeState.SENT)
        remember_sent(connection, institution, one.plan_id, mine, now)
    try:
        return hook.post_sis_import(archive)
    except RosterflowError as error:
        if not isinstance(error, RetryableError) or error.code is Code.THROTTLED:
            with store.begin() as connection:
                imports.note(connection, one.id, state=ImportState.PREPARED)
                plans.set_state(connection, one.plan_id, mine, ChangeState.ALLOWED)
        raise


def _uncertain(message: str) -> RetryableError:
    return RetryableError(Code.IMPORT_LOST, message, retry_after=LOOK_AGAIN)
