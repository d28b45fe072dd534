"""Comparing Canvas as it is with what it confirmed, and believing it where a person asks for a repair."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.differences import Comparison, Worlds
from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import CanvasObject, Key, Kind, State, key_of
from rosterflow.domain.plan import Action
from rosterflow.domain.reconcile import believe, reconcile
from rosterflow.domain.rosters import Roster, left_to_people
from rosterflow.store import history, looking, objects, plans, rosters, row_errors, runs
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.plans import ChangeState
from rosterflow.store.runs import Run, RunState
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.reported import things_of
from rosterflow.sync.runs import verify_lease
from rosterflow.sync.worlds import world_of
from rosterflow.wire.provisioning_csv import made_by_hand

STILL_WANTED = (
    ChangeState.PLANNED,
    ChangeState.ALLOWED,
    ChangeState.HELD,
    ChangeState.FROZEN,
    ChangeState.REFUSED,
    ChangeState.UNKNOWN,
)
"""States of changes that the source wants, and that nobody decided against or saw done."""


@undisturbed
def compare_with_canvas(store: Store, institution: Institution, run: Run, report: bytes, now: datetime) -> Comparison:
    """Compare, and write down how much was found.

    :param report: Canvas's provisioning report of all kinds that the institution keeps in step.
    :param run: must be the one writer, so that nothing is sent meanwhile.
    :raises FatalError: ``settings-invalid`` when the institution's own account is not in the report.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        found = reconcile(institution, _worlds(connection, institution, report))
        counts = {str(finding): _plain(kinds) for finding, kinds in found.counts.items() if kinds}
        runs.add_counts(connection, run.id, compared=_plain(found.compared), reconciled=counts)
        runs.note(connection, run.id, state=RunState.PLANNED)
        event = Event(_own(institution), "compared with Canvas", "", summary(found))
        history.record(connection, institution.key, [event], now, run_id=run.id)
    return found


@undisturbed
def believe_canvas(
    store: Store, institution: Institution, run: Run, report: bytes, *, actor: str, reason: str, now: datetime
) -> int:
    """Believe Canvas about what a comparison found, so that the next sync plans to put it right.

    :param report: what was compared.
    :param run: must be the one writer since it compared.
    :param actor: who asks for it, for the audit.
    :returns: how many objects and rosters Canvas is believed about.
    """
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        worlds = _worlds(connection, institution, report)
        found = reconcile(institution, worlds)
        belief = believe(institution, worlds, found.to_believe)
        objects.save(connection, institution.key, belief.objects, now=now, run_id=run.id)
        rosters.save(connection, institution.key, belief.rosters, now=now)
        objects.forget(connection, institution.key, belief.forgotten)
        row_errors.clear_refusals(connection, institution.key, found.to_believe)
        findings = {one.key: one.finding for one in found.differences if one.can_be_repaired}
        events = [Event(key, "taken from Canvas", findings.get(key, "follows")) for key in sorted(found.to_believe)]
        history.record(connection, institution.key, events, now, run_id=run.id)
        history.record_act(
            connection, institution.key, actor=actor, act="repair", reason=reason, now=now, detail=summary(found)
        )
    return len(found.to_believe)


def summary(found: Comparison) -> str:
    """What was found, in a line: ``missing: 50 enrollment; drifted: 3 course``."""
    told = {finding: _numbers(kinds) for finding, kinds in found.counts.items() if kinds}
    return "; ".join(f"{finding}: {numbers}" for finding, numbers in told.items()) or "nothing"


def canvas_as_it_is(institution: Institution, report: bytes) -> tuple[World, frozenset[Key]]:
    """What Canvas has, and those of its objects that no import made.

    :param report: Canvas's provisioning report.
    :raises FatalError: ``settings-invalid`` when the institution's own account is not in it.
    """
    by_hand = {key_of(thing): thing for thing in made_by_hand(report)}
    listed: dict[Key, CanvasObject] = dict(by_hand)
    people: list[Roster] = []
    for thing in things_of(institution, report):
        if isinstance(thing, Roster):
            people.append(thing)
        else:
            listed[key_of(thing)] = thing
    own = listed.get(_own(institution))
    if own is None or own.state is not State.ACTIVE:
        account = institution.canvas.account
        message = f"{institution.key}: canvas.account: Canvas has no account with the SIS id {account!r}."
        raise FatalError(Code.SETTINGS_INVALID, message)
    return World(map(ConfirmedObject, listed.values()), people), frozenset(by_hand)


def _worlds(connection: Connection, institution: Institution, report: bytes) -> Worlds:
    actual, by_hand = canvas_as_it_is(institution, report)
    confirmed = world_of(connection, institution)
    people = (left_to_people(roster, confirmed.rosters.get(whole)) for whole, roster in actual.rosters.items())
    there = World(actual.values(), people)
    return Worlds(_wanted(connection, institution, confirmed), confirmed, there, by_hand)


def _wanted(connection: Connection, institution: Institution, confirmed: World) -> World:
    """What Canvas would be if everything that the newest plan still wants were done; ids that change stay apart."""
    newest = looking.find_plan(connection, None, institution.key, of_source=True)
    if newest is None:
        return confirmed
    planned = (one.change for one in plans.changes(connection, newest.id, *STILL_WANTED))
    return confirmed.after(change for change in planned if change.action is not Action.CHANGE_ID)


def _own(institution: Institution) -> Key:
    return Key(Kind.ACCOUNT, institution.canvas.account)


def _plain(counts: Counter[Kind]) -> dict[str, int]:
    return {str(kind): counts[kind] for kind in Kind if counts[kind]}


def _numbers(counts: Counter[Kind]) -> str:
    return ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])
