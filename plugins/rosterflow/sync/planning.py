"""From what was read to a stored plan: map, compare with what Canvas confirmed, write down every decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from rosterflow.domain.confirmed import ConfirmedObject, Refusal, World
from rosterflow.domain.diff import diff
from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.fs.rows import FsSource
from rosterflow.domain.id_changes import Pair
from rosterflow.domain.institution import Institution
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.mapping.fs import map_fs
from rosterflow.domain.mapping.people import PeopleSource, map_people, not_staff_since
from rosterflow.domain.mapping.people_students import Registered
from rosterflow.domain.mapping.rules import OF_THE_RUN
from rosterflow.domain.model import Kind, SourceKind
from rosterflow.domain.plan import Plan
from rosterflow.domain.rosters import Reason, Roster
from rosterflow.domain.snapshot import Snapshot
from rosterflow.domain.undone import Undone, set_apart, still_undone
from rosterflow.domain.windows import scope_on, term_in_force
from rosterflow.store import (
    approvals,
    decisions,
    institutions,
    objects,
    person_numbers,
    plans,
    rosters,
    row_errors,
    runs,
    undone,
)
from rosterflow.store.engine import Store
from rosterflow.store.row_errors import RowErrorNote
from rosterflow.store.runs import Run, RunState
from rosterflow.sync.asking import withdraw_wanted
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.runs import verify_lease
from rosterflow.sync.worlds import numbers_of, world_of

UNKNOWN_IN_2023 = {SourceKind.TERMIN}
"""Kinds of row that FS's dialect of 2023 has no query for."""

NAMES_STUDENTS = {
    SourceKind.UNDERVISNINGSENHET: SourceKind.EMNESTUDIERETT,
    SourceKind.UNDERVISNINGSAKTIVITET: SourceKind.EMNESTUDIERETT,
    SourceKind.STUDIEPROGRAM: SourceKind.PROGRAMSTUDIERETT,
    SourceKind.KULL: SourceKind.PROGRAMSTUDIERETT,
    SourceKind.KLASSE: SourceKind.KLASSEMEDLEMSKAP,
    SourceKind.EVU_KURS: SourceKind.EVU_DELTAKELSE,
}
"""Which rows say who follows what stands for a row of the structure."""

GATED = NAMES_STUDENTS.keys() - {SourceKind.EVU_KURS}
"""Where only those registered for the term are, if the institution asks for that."""

PEOPLE_KINDS = {SourceKind.BRUKER, SourceKind.PERSONROLLE, *NAMES_STUDENTS.values()}

STAFF_RULES = ("staff-grace", "no-longer-staff")
"""Rules whose decisions remember since when somebody is not staff any more."""


@undisturbed
def make_plan(
    store: Store,
    institution: Institution,
    run: Run,
    source: FsSource,
    people: PeopleSource | None = None,
    *,
    accept_empty: Collection[SourceKind],
    now: datetime,
) -> int:
    """Plan a run and store the plan.

    :param source: every row that was read of the structure; ``people`` those of people, when they were read.
    :param accept_empty: kinds of row that a person says are really empty now.
    :returns: the plan's id.
    :raises FatalError: ``empty-read`` when a kind that had rows before has none now, or a term nobody registered;
        ``plan-stale`` when a run that began later has planned, so that what this one read is older than what is
        confirmed.
    """
    with store.begin() as connection:
        if run.mode == "apply" and (later := runs.planned_since(connection, run)):
            raise FatalError(Code.PLAN_STALE, f"{institution.key}: run {later} has read later than run {run.id}.")
        known = _known(connection, institution, now)
    world, today = known.world, now.astimezone(institution.zone).date()
    snapshot = _mapped(institution, run, known, source, people, accept_empty, today)
    waits = {refusal.fingerprint: refusal for refusal in known.refused}
    made = diff(snapshot, world, institution.removal, waits, now, known.rejected, Leaving.of(institution, today))
    with store.begin() as connection:
        verify_lease(connection, institution, run)
        apart = set_apart(made, known.undone)
        plan_id = plans.save_plan(
            connection, institution.key, run.id, apart, first_contact=not known.contacted, now=now
        )
        _write_down(connection, institution, run, snapshot, apart, now)
        if run.mode == "apply":
            _move_on(connection, institution, run, snapshot, world, now)
            withdraw_wanted(connection, institution, snapshot, now)
            _forget_undone(connection, institution, known.undone, made, snapshot)
    return plan_id


@dataclass(frozen=True, slots=True)
class _Known:
    """What was written down before a run plans.

    :param undone: what people undid.
    :param rejected: changes of an id that a person rejected.
    :param numbers: personlopenummer by SIS id of the user, where ids are made of logins.
    :param contacted: whether a first plan was approved.
    """

    world: World
    refused: Collection[Refusal]
    undone: Sequence[Undone]
    rejected: frozenset[Pair]
    staff_until: Mapping[str, date]
    numbers: Mapping[str, str]
    contacted: bool


def _known(connection: Connection, institution: Institution, now: datetime) -> _Known:
    world = world_of(connection, institution)
    return _Known(
        world=world,
        refused=row_errors.refusals(connection, institution.key).values(),
        undone=undone.load(connection, institution.key),
        rejected=approvals.rejected_id_changes(connection, institution.key),
        staff_until=not_staff_since(decisions.by_rules(connection, institution.key, STAFF_RULES)),
        numbers=numbers_of(connection, institution, world),
        contacted=institutions.standing(connection, institution.key, now).contacted_at is not None,
    )


def _mapped(
    institution: Institution,
    run: Run,
    known: _Known,
    source: FsSource,
    people: PeopleSource | None,
    accept_empty: Collection[SourceKind],
    today: date,
) -> Snapshot:
    """What the source says the world should be; raises as :func:`make_plan` does when it is suspiciously empty."""
    world, in_use = known.world, known.world.alive()
    snapshot = map_fs(institution, run.scope, source, in_use)
    if people is not None:
        snapshot = map_people(
            institution,
            run.scope,
            snapshot,
            people,
            world.rosters,
            today,
            known.staff_until,
            in_use,
            known.rejected,
            known.numbers,
        )
        refuse_unregistered(snapshot, world, institution, people.registered or {}, accept_empty, today)
    refuse_empty(snapshot, world, institution, accept_empty)
    return snapshot


def _move_on(
    connection: Connection, institution: Institution, run: Run, snapshot: Snapshot, world: World, now: datetime
) -> None:
    """Note in which term the source has things by now, and whose users are whose."""
    objects.save(connection, institution.key, _new_origins(snapshot, world), now=now, run_id=run.id)
    rosters.save(connection, institution.key, _rosters_moved_on(snapshot, world), now=now)
    person_numbers.save(connection, institution.key, snapshot.user_numbers)


def _forget_undone(
    connection: Connection, institution: Institution, remembered: Sequence[Undone], made: Plan, snapshot: Snapshot
) -> None:
    """Forget what somebody undid and the source does not want any more."""
    saw_all = snapshot.is_complete and not snapshot.scope.is_partial
    left = still_undone(remembered, made, snapshot, saw_all=saw_all)
    if left != remembered:
        undone.replace(connection, institution.key, left)


def refuse_empty(snapshot: Snapshot, world: World, institution: Institution, accepted: Collection[SourceKind]) -> None:
    """An empty read is never an empty world (design §2).

    :raises FatalError: ``empty-read`` naming each kind that had objects or people in Canvas and has no row now.
    """
    had = {one.thing.origin.source for one in world.values() if one.is_alive and snapshot.scope.covers(one.thing)}
    asked = had - (UNKNOWN_IN_2023 if institution.fs.dialect == "2023" else set())
    asked |= _kinds_of_people(snapshot, world, institution)
    empty = sorted(kind for kind in asked if not snapshot.rows_read.get(kind) and kind not in accepted)
    if empty and not snapshot.scope.is_partial:
        kinds = ", ".join(empty)
        raise FatalError(Code.EMPTY_READ, f"{institution.key}: the source has no {kinds} at all, but Canvas has some.")


def refuse_unregistered(
    snapshot: Snapshot,
    world: World,
    institution: Institution,
    registered: Registered,
    accepted: Collection[SourceKind],
    today: date,
) -> None:
    """A term without a single registration is an empty read, too, when students would lose what they have by it.

    For a term to come, for which nobody can register yet, nobody has anything to lose.

    :raises FatalError: ``empty-read`` naming the terms.
    """
    unread = {term.sis_id for term, people in registered.items() if not people}
    if not unread or SourceKind.BRUKER in accepted or snapshot.scope.is_partial:
        return
    now = term_in_force(today, institution.terms).sis_id
    lost, kept = Counter[str](), Counter[str]()
    for whole, wanted in snapshot.rosters.items():
        roster, known = wanted.roster, world.rosters.get(whole)
        if known and roster.role == institution.people.student_role and roster.origin.source in GATED:
            term, there = roster.origin.term or now, known.active()  # kull and klasser ask for the term in force
            lost[term] += sum(wanted.leaving.get(user) is Reason.NOT_REGISTERED for user in there)
            kept[term] += len(there & roster.members.keys())
    if terms := ", ".join(sorted(term for term in unread if lost[term] > kept[term])):
        message = f"{institution.key}: the source has no {SourceKind.BRUKER} registered for {terms} at all"
        raise FatalError(Code.EMPTY_READ, f"{message}, but Canvas has students who must be.")


def _kinds_of_people(snapshot: Snapshot, world: World, institution: Institution) -> set[SourceKind]:
    """The kinds of row that were asked for and put people where now nobody is, though the place is there."""
    unread = {kind for kind in PEOPLE_KINDS if snapshot.rows_read.get(kind) == 0}
    found = set()
    for whole, roster in world.rosters.items() if unread else ():
        kind = _named_by(roster, institution)
        if kind not in unread or not _is_there(roster, snapshot, institution):
            continue
        wanted = snapshot.rosters.get(whole)
        if roster.active() and not (wanted and wanted.roster.members):
            found.add(kind)
    return found


def _named_by(roster: Roster, institution: Institution) -> SourceKind:
    """The kind of row that puts people into a roster."""
    if roster.kind is Kind.USER:
        return SourceKind.BRUKER
    if roster.kind is Kind.ENROLLMENT and roster.role == institution.people.student_role:
        return NAMES_STUDENTS.get(roster.origin.source, SourceKind.PERSONROLLE)
    return SourceKind.PERSONROLLE


def _is_there(roster: Roster, snapshot: Snapshot, institution: Institution) -> bool:
    """Whether a run speaks about what a roster's people are in, and the source still has it: rows go with a place."""
    place = roster.place
    if place is None:
        return True
    has_it = place.key in snapshot.objects or place.sis_id == institution.canvas.account
    return has_it and snapshot.scope.covers(roster)


def _write_down(
    connection: Connection, institution: Institution, run: Run, snapshot: Snapshot, made: Plan, now: datetime
) -> None:
    """Write down what was decided and what was wrong, beside or instead of what earlier runs wrote."""
    decided = (*snapshot.decisions, *made.decisions)
    saw_all = snapshot.is_complete and _is_daily(run, institution, now)
    if saw_all:
        decisions.replace(connection, institution.key, run.scope.sources, decided, run.id)
    else:
        decisions.add(connection, institution.key, run.scope.sources, decided, run.id, yielding=OF_THE_RUN)
    notes = [
        RowErrorNote("source", problem.subject, problem.code, problem.source, problem.field, problem.message)
        for problem in snapshot.problems
    ]
    if saw_all:
        row_errors.replace_side(connection, institution.key, "source", notes, now)
    else:
        row_errors.note(connection, institution.key, notes, now)
    gaps = (*snapshot.gaps, *snapshot.people_gaps)
    runs.add_counts(
        connection,
        run.id,
        rows={str(kind): n for kind, n in snapshot.rows_read.items()},
        gaps=len(gaps),
        first_gaps=list(gaps[:5]),
        problems=len(snapshot.problems),
        not_sent=sum(not decision.allowed for decision in snapshot.decisions),
        waiting=sum(change.weight for change in made.waiting),
        unchanged={str(kind): made.unchanged[kind] for kind in Kind},
    )
    runs.note(connection, run.id, state=RunState.PLANNED)


def _is_daily(run: Run, institution: Institution, now: datetime) -> bool:
    """Whether a run speaks about all that today's scheduled run does; only then is what it does not meet gone."""
    today = scope_on(now.astimezone(institution.zone).date(), institution.terms)
    return run.scope == today


def _new_origins(snapshot: Snapshot, world: World) -> list[ConfirmedObject]:
    """Objects that the source now has in a later term: nothing to send, but their scope moves along."""
    moved = []
    for key, thing in snapshot.objects.items():
        known = world.get(key)
        if known and known.thing.origin != thing.origin:
            moved.append(ConfirmedObject(replace(known.thing, origin=thing.origin), known.owned_by_canvas))
    return moved


def _rosters_moved_on(snapshot: Snapshot, world: World) -> list[Roster]:
    """Rosters whose place the source now has in a later term."""
    return [
        replace(known, origin=wanted.roster.origin)
        for key, wanted in snapshot.rosters.items()
        if (known := world.rosters.get(key)) and known.origin != wanted.roster.origin
    ]
