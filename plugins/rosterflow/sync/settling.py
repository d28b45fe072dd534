"""Knowing where we stand before anything is planned: imports that nobody saw the end of, and the base from Canvas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.errors import Code, RetryableError, RowError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Account, CanvasObject, Key, Kind, State, key_of, parents_of
from rosterflow.domain.plan import Action
from rosterflow.domain.recognition import origin_of
from rosterflow.domain.rosters import Roster, Thing, left_to_people
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.hooks.canvas_records import SisImport
from rosterflow.store import closed_courses, history, imports, institutions, objects, plans, rosters, row_errors
from rosterflow.store.engine import Store
from rosterflow.store.history import FOUND, Event
from rosterflow.store.imports import ImportState, StoredImport
from rosterflow.store.runs import Run
from rosterflow.sync.confirming import confirm_import
from rosterflow.sync.confirming_people import part_of
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.hiding import settle_hidden
from rosterflow.sync.moving import departures
from rosterflow.sync.place import no_account, verify_place
from rosterflow.sync.runs import verify_lease
from rosterflow.sync.sending import find_posted

LOOK_AGAIN = 60.0


def settle_imports(store: Store, hook: CanvasHook, institution: Institution, run: Run, now: datetime) -> bool:
    """See to the imports that an earlier run began and nobody saw the end of.

    :returns: whether the base must be read from Canvas: on first contact, after a lost store, on demand (`rebase`), or
        because only Canvas knows what came of an earlier run.
    :raises RetryableError: ``import-slow`` while one of them still runs in Canvas.
    :raises FatalError: ``canvas-changed``, ``settings-invalid`` as :func:`~rosterflow.sync.place.verify_place`.
    """
    verify_place(store, hook, institution, now)
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        unfinished = imports.unfinished(connection, institution.key)
    for one in unfinished:
        _settle(store, hook, institution, one, now)
    settle_hidden(store, hook, institution, run.id, now)
    with store.begin() as connection:
        if plans.give_up_sent(connection, institution.key):
            institutions.mark(connection, institution.key, based_at=None)
        if institutions.standing(connection, institution.key, now).based_at is None:
            return True
    _look_at_terms(store, hook, institution, run, now)
    return False


def _look_at_terms(store: Store, hook: CanvasHook, institution: Institution, run: Run, now: datetime) -> None:
    """Take note of terms of ours that others made or deleted in Canvas since we looked last.

    So the one are not rewritten, and no course is put into the other: a term that is wanted is made again first.
    """
    listed = {key_of(term): term for term in hook.terms()}
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        known = World(objects.load(connection, institution.key, kind=Kind.TERM))
        gone = [key for key, one in known.items() if one.is_alive and key not in listed]
        found = [one for key, term in listed.items() if key not in known and (one := _first_seen(institution, term))]
        objects.forget(connection, institution.key, gone)
        keys = [key_of(one.thing) for one in found]
        objects.save(connection, institution.key, found, now=now, run_id=run.id)
        row_errors.clear_refusals(connection, institution.key, keys)
        row_errors.settle(connection, institution.key, "canvas", [str(key) for key in keys], now)
        events = [Event(key, FOUND, "") for key in keys]
        events += [Event(key, "gone from Canvas", "") for key in gone]
        history.record(connection, institution.key, events, now, run_id=run.id)


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
    store: Store, institution: Institution, run: Run, found: Iterable[Thing], now: datetime
) -> dict[Kind, int]:
    """Believe Canvas: what is confirmed becomes what Canvas lists under ids of ours.

    Fields that belong to Canvas stay known as such, and so do the term in which the source last had an object and that
    we unpublished a course, for which Canvas has the word that it has for new ones; so do administrators whom people
    made, but on first contact and after `rebase`. A state that we neither confirmed
    nor asked for was set by a person, so it belongs to Canvas from now on.

    :param found: the objects and rosters of a provisioning report.
    :returns: how many there are of each kind.
    :raises FatalError: ``settings-invalid`` when the institution's own account is not among them.
    :raises RetryableError: ``bad-response`` when a kind that we know is not among them at all; on first contact and
        after `rebase` that is believed, for then a person looks at everything.
    """
    own = Key(Kind.ACCOUNT, institution.canvas.account)
    listed: dict[Key, CanvasObject] = {}
    people: list[Roster] = []
    for thing in found:
        if isinstance(thing, Roster):
            people.append(thing)
        else:
            listed[key_of(thing)] = thing
    if own not in listed or listed.pop(own).state is not State.ACTIVE:
        raise no_account(institution)
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        ground = _ground(connection, institution, listed)
        known_people = list(rosters.load(connection, institution.key))
        lacking = {key.kind for key in ground.known} - {key.kind for key in listed}
        if institution.people.sync:
            lacking |= {one.kind for one in known_people if one.active()} - {one.kind for one in people}
        is_contacted = institutions.standing(connection, institution.key, now).contacted_at is not None
        if lacking and is_contacted:
            kinds = " and no ".join(sorted(f"{kind}s" for kind in lacking))
            raise RetryableError(Code.BAD_RESPONSE, f"Canvas's provisioning report lists no {kinds} at all.")
        base = [one for thing in listed.values() if (one := ground.believed(institution, thing))]
        objects.forget_all(connection, institution.key)
        objects.save(connection, institution.key, base, now=now, run_id=run.id)
        if is_contacted:
            people = _left_to_people(connection, institution, people, known_people, ground.known)
        believed = believed_people(people, World(base), known_people, own)
        rosters.forget_all(connection, institution.key)
        rosters.save(connection, institution.key, believed, now=now)
        events = departures(ground.known, base) + ground.set_by_people(base)
        history.record(connection, institution.key, events, now, run_id=run.id)
        institutions.mark(connection, institution.key, based_at=now)
    counts = Counter(one.thing.kind for one in base)
    for roster in believed:
        counts[roster.kind] += len(roster.members)
    return {kind: counts[kind] for kind in Kind}


def _left_to_people(
    connection: Connection, institution: Institution, found: Iterable[Roster], known: Iterable[Roster], world: World
) -> list[Roster]:
    """The rosters that Canvas lists, with the administrators who are people's as such.

    :param known: the rosters that were confirmed until now, in a ``world`` of objects. Who is in an account that was
        not in use may have come back with it, so nothing is known of them.
    """
    admins = ((one, world.get(one.place.key)) for one in known if one.kind is Kind.ADMIN and one.place)
    remembered = {one.whole: one for one, account in admins if account is None or account.is_alive}
    sent: dict[Key, set[str]] = {}
    for one in plans.sent_since_confirmed(connection, institution.key, of_people=True):
        sent.setdefault(one.whole, set()).update(part_of(one).members)
    return [left_to_people(one, remembered.get(one.whole), sent.get(one.whole, ())) for one in found]


def believed_people(found: Iterable[Roster], base: World, known: Iterable[Roster], own: Key) -> list[Roster]:
    """The rosters of our places as Canvas lists them, each with its place's origin.

    :param known: what was confirmed until now: the fields of users that belong to Canvas stay known as such.
    :param own: the institution's own account, which is not among the objects.
    """
    owned = {roster.whole: roster.owned for roster in known if roster.owned}
    believed = []
    for roster in found:
        place = roster.place.key if roster.place else None
        there = base.get(place) if place else None
        if place is None or place == own or there:
            origin = there.thing.origin if there else roster.origin
            believed.append(replace(roster, origin=origin, owned=owned.get(roster.whole, {})))
    return believed


@dataclass(frozen=True, slots=True)
class _Ground:
    """What we know while Canvas is believed.

    :param known: what was confirmed until now.
    :param aims: the states that changes which were sent and never confirmed would give to objects.
    :param half_open: courses that were about to be re-opened and have yet to be unpublished after that.
    :param listed: everything that Canvas lists.
    """

    known: World
    aims: AbstractSet[tuple[Key, State]]
    half_open: AbstractSet[Key]
    listed: Mapping[Key, CanvasObject]

    def believed(self, institution: Institution, thing: CanvasObject) -> ConfirmedObject | None:
        """What is confirmed of an object that Canvas lists, ``None`` when it is none of ours."""
        key = key_of(thing)
        before = self.known.get(key)
        if before is None:
            return None if self._lies_with_others(institution, thing) else _first_seen(institution, thing)
        state, owned = before.thing.state, before.owned_by_canvas
        looks_open = thing.state is State.ACTIVE and (state is State.UNPUBLISHED or key in self.half_open)
        if thing.state is not state and not looks_open:
            state = thing.state
            is_theirs = (key, state) not in self.aims and thing.kind is not Kind.TERM  # a term's state is not sticky
            owned = owned | {"state"} if is_theirs else owned
        return ConfirmedObject(replace(thing, origin=before.thing.origin, state=state), owned)

    def _lies_with_others(self, institution: Institution, thing: CanvasObject) -> bool:
        """Whether an object with an id of ours lies below another one's account: there are two with our number.

        What lies below no account that has a SIS id is ours: people may have moved it.
        """
        home, top, passed = Key(Kind.ACCOUNT, institution.canvas.account), thing, set[Key]()
        while (above := _container(top)) and above in self.listed and above not in passed:
            passed.add(above)
            top = self.listed[above]
        is_home = above == home
        return isinstance(top, Account) and not is_home and origin_of(institution.number, top) is None

    def set_by_people(self, base: Iterable[ConfirmedObject]) -> list[Event]:
        """One event for each object whose state belongs to Canvas from now on."""
        return [
            Event(key, "kept by Canvas", "", f"state: {one.thing.state}")
            for one in base
            if "state" in one.owned_by_canvas
            and (key := key_of(one.thing)) in self.known
            and "state" not in self.known[key].owned_by_canvas
        ]


def _ground(connection: Connection, institution: Institution, listed: Mapping[Key, CanvasObject]) -> _Ground:
    sent = [one.change for one in plans.sent_since_confirmed(connection, institution.key)]
    reopening = {change.key for change in sent if change.action is Action.REOPEN}
    published = closed_courses.were_published(connection, institution.key, {key.sis_id for key in reopening})
    return _Ground(
        known=World(objects.load(connection, institution.key)),
        aims={(change.key, state) for change in sent if isinstance(state := change.after.state, State)},
        half_open={key for key in reopening if key.kind is Kind.COURSE and not published.get(key.sis_id, True)},
        listed=listed,
    )


def _container(thing: CanvasObject) -> Key | None:
    """What an object lies in: an account or a course."""
    return next((key for key in parents_of(thing) if key.kind is not Kind.TERM), None)


def _first_seen(institution: Institution, thing: CanvasObject) -> ConfirmedObject | None:
    origin = origin_of(institution.number, thing)
    return ConfirmedObject(replace(thing, origin=origin)) if origin else None


def rebase(store: Store, institution: Institution, *, actor: str, reason: str, now: datetime) -> None:
    """Have the next run take its base from Canvas, whichever it is, and ask about its whole plan.

    Fields that belong to Canvas are ours again, until Canvas keeps a value once more; what people concluded, deleted
    or re-opened stays as they left it.

    :param reason: why, for the audit.
    """
    afresh = dict.fromkeys(("based_at", "contacted_at", "canvas", "account"))
    with store.begin() as connection:
        institutions.standing(connection, institution.key, now)
        institutions.mark(connection, institution.key, **afresh)
        known = objects.load(connection, institution.key)
        fields = [one for one in known if one.owned_by_canvas - {"state"}]
        ours = [ConfirmedObject(one.thing, one.owned_by_canvas & {"state"}) for one in fields]
        objects.save(connection, institution.key, ours, now=now, run_id=None)
        history.record_act(connection, institution.key, actor=actor, act="rebase", reason=reason, now=now)
