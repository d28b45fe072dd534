"""Knowing where we stand before anything is planned: imports that nobody saw the end of, and the base from Canvas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.errors import Code, FatalError, RetryableError, RowError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import CanvasObject, Key, Kind, State, key_of
from rosterflow.domain.recognition import origin_of
from rosterflow.hooks.canvas import CanvasHook, SisImport
from rosterflow.store import history, imports, institutions, objects, plans
from rosterflow.store.engine import Store
from rosterflow.store.imports import ImportState, StoredImport
from rosterflow.store.runs import Run
from rosterflow.sync.confirming import confirm_import, departures
from rosterflow.sync.cycles import undisturbed
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
    there = _found(store, hook, one, now)
    if there is None:
        with store.begin() as connection:
            imports.note(connection, one.id, state=ImportState.DROPPED, ended_at=now)
        return
    if not there.is_over:
        raise RetryableError(
            Code.IMPORT_SLOW, f"Canvas still works on import {there.id} of an earlier run.", retry_after=LOOK_AGAIN
        )
    with store.begin() as connection:
        imports.note(connection, one.id, state=ImportState.POSTED, canvas_id=there.id)
    confirm_import(store, hook, institution, one, there, now)


def _found(store: Store, hook: CanvasHook, one: StoredImport, now: datetime) -> SisImport | None:
    """The import as Canvas has it, ``None`` when it never got there or Canvas has forgotten it."""
    if one.state is ImportState.POSTING:
        return find_posted(store, hook, one, now)
    if one.canvas_id is None:
        return None
    try:
        return hook.sis_import(one.canvas_id)
    except RowError:
        return None


@undisturbed
def take_base(
    store: Store, institution: Institution, run: Run, found: Iterable[CanvasObject], now: datetime
) -> dict[Kind, int]:
    """Believe Canvas: what is confirmed becomes what Canvas lists under ids of ours.

    Fields that belong to Canvas stay known as such, and so do the term in which the source last had an object and that
    we unpublished a course, for which Canvas has the word that it has for new ones.

    :param found: the objects of a provisioning report.
    :returns: how many there are of each kind.
    :raises FatalError: ``settings-invalid`` when the institution's own account is not among them.
    """
    own = Key(Kind.ACCOUNT, institution.canvas.account)
    listed = {key_of(thing): thing for thing in found}
    if own not in listed or listed.pop(own).state is not State.ACTIVE:
        raise FatalError(
            Code.SETTINGS_INVALID,
            f"{institution.key}: canvas.account: Canvas has no account with the SIS id {own.sis_id!r}.",
        )
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        known = World(objects.load(connection, institution.key))
        base = [one for thing in listed.values() if (one := _believed(institution, thing, known))]
        objects.forget_all(connection, institution.key)
        objects.save(connection, institution.key, base, now=now, run_id=run.id)
        history.record(connection, institution.key, departures(known, base), now, run_id=run.id)
        institutions.mark(connection, institution.key, based_at=now)
    counts = Counter(one.thing.kind for one in base)
    return {kind: counts[kind] for kind in Kind}


def _believed(institution: Institution, thing: CanvasObject, known: World) -> ConfirmedObject | None:
    before = known.get(key_of(thing))
    if before is None:
        origin = origin_of(institution.number, thing)
        return ConfirmedObject(replace(thing, origin=origin)) if origin else None
    hidden = (before.thing.state, thing.state) == (State.UNPUBLISHED, State.ACTIVE)
    state = State.UNPUBLISHED if hidden else thing.state
    return ConfirmedObject(replace(thing, origin=before.thing.origin, state=state), before.owned_by_canvas)


def rebase(store: Store, institution: Institution, *, actor: str, reason: str, now: datetime) -> None:
    """Have the next run take its base from Canvas, by hand.

    :param reason: why, for the audit.
    """
    with store.begin() as connection:
        institutions.standing(connection, institution.key, now)
        institutions.mark(connection, institution.key, based_at=None, contacted_at=None)
        history.record_act(connection, institution.key, actor=actor, act="rebase", reason=reason, now=now)
