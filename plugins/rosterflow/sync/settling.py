"""Knowing where we stand before anything is planned: imports that nobody saw the end of, and the base from Canvas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from rosterflow.domain.confirmed import ConfirmedObject
from rosterflow.domain.errors import Code, RetryableError, RowError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import CanvasObject, Kind, key_of
from rosterflow.domain.recognition import origin_of
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.store import history, imports, institutions, objects, plans
from rosterflow.store.engine import Store
from rosterflow.store.imports import ImportState, StoredImport
from rosterflow.store.runs import Run
from rosterflow.sync.confirming import confirm_import
from rosterflow.sync.runs import verify_lease
from rosterflow.sync.sending import find_posted

REPORTED = ("accounts", "terms", "courses", "sections")
LOOK_AGAIN = 60.0


def settle_imports(store: Store, hook: CanvasHook, institution: Institution, run: Run, now: datetime) -> bool:
    """See to the imports that an earlier run began and nobody saw the end of.

    :returns: whether the base must be read from Canvas: on first contact, after a lost store, on demand (`rebase`), or
        because only Canvas knows what came of an earlier run.
    :raises RetryableError: ``import-slow`` while one of them still runs in Canvas.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        unfinished = imports.unfinished(connection, institution.key)
    for one in unfinished:
        _settle(store, hook, institution, one, now)
    with store.begin() as connection:
        if plans.give_up_sent(connection, institution.key):
            institutions.mark(connection, institution.key, based_at=None)
        return institutions.standing(connection, institution.key, now).based_at is None


def _settle(store: Store, hook: CanvasHook, institution: Institution, one: StoredImport, now: datetime) -> None:
    canvas_id = one.canvas_id
    if one.state is ImportState.POSTING:
        found = find_posted(store, hook, one, now)
        canvas_id = found.id if found else None
    if canvas_id is None:
        with store.begin() as connection:
            imports.note(connection, one.id, state=ImportState.DROPPED, ended_at=now)
        return
    try:
        there = hook.sis_import(canvas_id)
    except RowError:
        with store.begin() as connection:
            imports.note(connection, one.id, state=ImportState.DROPPED, ended_at=now)
        return
    if not there.is_over:
        raise RetryableError(
            Code.IMPORT_SLOW, f"Canvas still works on import {canvas_id} of an earlier run.", retry_after=LOOK_AGAIN
        )
    with store.begin() as connection:
        imports.note(connection, one.id, state=ImportState.POSTED, canvas_id=canvas_id)
    confirm_import(store, hook, institution, one, there, now)


def take_base(
    store: Store, institution: Institution, run: Run, found: Iterable[CanvasObject], now: datetime
) -> dict[Kind, int]:
    """Believe Canvas: what is confirmed becomes what Canvas lists under ids of ours.

    Fields that belong to Canvas stay known as such, and so does the term in which the source last had an object.

    :param found: the objects of a provisioning report.
    :returns: how many there are of each kind.
    """
    counts = dict.fromkeys(Kind, 0)
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        known = {key_of(one.thing): one for one in objects.load(connection, institution.key)}
        base: dict[object, ConfirmedObject] = {}
        for thing in found:
            origin = origin_of(institution.number, thing)
            if origin is None:
                continue
            before = known.get(key_of(thing))
            thing = replace(thing, origin=before.thing.origin if before else origin)
            base[key_of(thing)] = ConfirmedObject(thing, before.owned_by_canvas if before else frozenset())
            counts[thing.kind] += 1
        objects.forget_all(connection, institution.key)
        objects.save(connection, institution.key, base.values(), now=now, run_id=run.id)
        institutions.mark(connection, institution.key, based_at=now)
    return counts


def rebase(store: Store, institution: Institution, *, actor: str, reason: str, now: datetime) -> None:
    """Have the next run take its base from Canvas, by hand.

    :param reason: why, for the audit.
    """
    with store.begin() as connection:
        institutions.standing(connection, institution.key, now)
        institutions.mark(connection, institution.key, based_at=None, contacted_at=None)
        history.record_act(connection, institution.key, actor=actor, act="rebase", reason=reason, now=now)
