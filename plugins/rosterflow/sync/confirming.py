"""What happened in Canvas, row by row, and what it means for what we believe Canvas has.

A row that Canvas refused is not confirmed: it stays visible with Canvas's own words and is tried again later. A row
that Canvas accepted may still have changed nothing, because somebody changed that field by hand (Canvas contract §4);
so whatever updated, closed or re-opened something is read back from the provisioning report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from rosterflow.domain.confirmed import ConfirmedObject, World, refused
from rosterflow.domain.errors import Code, RetryableError, RowError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import FIELDS, CanvasObject, Course, Key, Kind, State, key_of
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Roster, Thing, lies_in
from rosterflow.domain.undo import UNDO
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.hooks.canvas_records import SisImport
from rosterflow.store import closed_courses, history, imports, objects, plans, row_errors
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.imports import ImportState, StoredImport
from rosterflow.store.plans import ChangeState, StoredChange
from rosterflow.store.row_errors import RowErrorNote
from rosterflow.sync.approving import conclude_request
from rosterflow.sync.confirming_people import PeopleBook
from rosterflow.sync.cycles import undisturbed
from rosterflow.sync.joining import adds_up, words_about
from rosterflow.sync.moving import departures
from rosterflow.sync.publishing import put_back, steered
from rosterflow.sync.remembering import remember_undone

READ_BACK = frozenset({Action.UPDATE, Action.CLOSE, Action.REOPEN, Action.DELETE})
"""What Canvas may accept without doing, because a person's change of the field stands."""

EVENTS = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REOPEN: "re-opened",
    Action.CHANGE_ID: history.ID_CHANGED,
    Action.CLOSE: "closed",
    Action.HIDE: "hidden",
    Action.DELETE: "deleted",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one import.

    :param to_read_back: rows whose effect only Canvas's own data can tell.
    """

    confirmed: int
    refused: int
    to_read_back: int


@undisturbed
def confirm_import(
    store: Store, hook: CanvasHook, institution: Institution, one: StoredImport, ended: SisImport, now: datetime
) -> Outcome:
    """Join Canvas's messages to our rows and write down what is certain.

    :param ended: the import as Canvas tells it, over.
    """
    words = words_about(one, hook.sis_import_messages(ended.id))
    certain = ended.is_trustworthy and not words.stray and adds_up(one, ended, words)
    with store.begin() as connection:
        book = Book(connection, institution, one.plan_id, one.run_id, now)
        sent = {s.seq: s for s in plans.changes(connection, one.plan_id, ChangeState.SENT)}
        mine = [sent[seq] for seq in dict.fromkeys(seq for seqs in one.rows.values() for seq in seqs) if seq in sent]
        things, people = _parted(mine)
        turned_down = [s for s in things if s.seq in words.objects]
        missing = {key_of(s.change.after) for s in turned_down}
        sure = [s for s in things if s.seq not in words.objects and certain and _is_sure(s, missing)]
        book.refuse(turned_down, words.objects)
        book.accept(sure, {})
        known = book.people.confirm(people, words.people, is_sure=certain)
        book.conclude(known)
        imports.note(connection, one.id, state=ImportState.CONFIRMED, trusted=certain, ended_at=now)
    refused = len(turned_down) + words.refused_people
    confirmed = len(sure) + sum(s.weight - len(words.people.get(s.seq, ())) for s in known)
    return Outcome(confirmed, refused, sum(s.weight for s in mine) - confirmed - refused)


def _parted(changes: Iterable[StoredChange]) -> tuple[list[StoredChange], list[StoredChange]]:
    """Changes of objects, and those of people."""
    things: list[StoredChange] = []
    people: list[StoredChange] = []
    for one in changes:
        (people if one.is_of_people else things).append(one)
    return things, people


def _is_sure(one: StoredChange, missing: AbstractSet[Key]) -> bool:
    """Whether an accepted row did what it says: Canvas puts a course with an unknown term into the default term."""
    return one.action not in READ_BACK and (not missing or missing.isdisjoint(lies_in(one.change.after)))


def waits_for_reading_back(store: Store, plan_id: int) -> frozenset[Kind]:
    """Kinds of object whose rows were sent and whose effect is not known yet."""
    with store.begin() as connection:
        return plans.kinds_in(connection, plan_id, ChangeState.SENT)


def ids_to_read_back(store: Store, plan_id: int) -> frozenset[str]:
    """SIS ids of the objects and people whose rows were sent and whose effect is not known yet."""
    with store.begin() as connection:
        changes = [one.change for one in plans.changes(connection, plan_id, ChangeState.SENT)]
    return frozenset(
        sis_id
        for change in changes
        for sis_id in (
            (*change.after.members, *change.after.ids.values())
            if isinstance(change.after, Roster)
            else (change.key.sis_id, change.after.sis_id)
        )
    )


@undisturbed
def read_back(
    store: Store,
    hook: CanvasHook,
    institution: Institution,
    plan_id: int,
    found: Mapping[Key, Thing],
    *,
    run_id: int,
    now: datetime,
) -> None:
    """Compare what was sent with what Canvas has now.

    A field that stayed although its row was carried out belongs to Canvas from now on. A course whose state stayed is
    steered by REST, which no hand-made change can stop. When an import ended badly nobody knows which rows were
    carried out: what differs then is as Canvas has it, and the next plan contains it again. A course that was re-opened
    is published again, or not, as it was before.

    :param found: what Canvas's provisioning report lists of the kinds that wait for it.
    :raises RetryableError: ``bad-response`` when it lists nothing at all of such a kind.
    """
    with store.begin() as connection:
        sent = plans.changes(connection, plan_id, ChangeState.SENT)
        trusted = imports.is_trusted(connection, plan_id)
        terms = {one.thing.sis_id for one in objects.load(connection, institution.key, _terms_of(sent))}
        published = closed_courses.were_published(connection, institution.key, _reopened_courses(sent))
    if empty := {one.kind for one in sent} - {key.kind for key in found}:
        kinds = " and no ".join(sorted(empty))
        raise RetryableError(Code.BAD_RESPONSE, f"Canvas's provisioning report lists no {kinds} at all.")
    things, people = _parted(sent)
    rosters = {key: thing for key, thing in found.items() if isinstance(thing, Roster)}
    seen = {key: thing for key, thing in found.items() if not isinstance(thing, Roster)}
    verdicts = [_judge(hook, one, seen, terms, published, is_trusted=trusted.get(one.seq, False)) for one in things]
    with store.begin() as connection:
        book = Book(connection, institution, plan_id, run_id, now)
        book.refuse([v.change for v in verdicts if v.words], {v.change.seq: v.words for v in verdicts})
        book.lose([v.change for v in verdicts if v.is_lost], {v.change.seq: v.thing for v in verdicts})
        done = {v.change.seq: v.thing for v in verdicts if v.thing and not v.is_lost and not v.words}
        book.accept([v.change for v in verdicts if v.change.seq in done], done)
        book.conclude(book.people.read_back(people, rosters, trusted))


def _terms_of(sent: Iterable[StoredChange]) -> set[Key]:
    """The terms that courses were sent with."""
    courses = (one.change.after for one in sent if isinstance(one.change.after, Course))
    return {Key(Kind.TERM, course.term) for course in courses if course.term}


def _keys_of(changes: Collection[StoredChange]) -> set[Key]:
    """The objects that changes are about, by the ids they had and those they have."""
    renamed = (one for one in changes if one.action is Action.CHANGE_ID)
    return {*(one.key for one in changes), *(key_of(one.change.after) for one in renamed)}


def _reopened_courses(changes: Iterable[StoredChange]) -> list[str]:
    """SIS ids of the courses that are re-opened."""
    return [one.sis_id for one in changes if one.action is Action.REOPEN and one.kind is Kind.COURSE]


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What came of a change.

    :param thing: what Canvas has for it, ``None`` when it has nothing.
    :param is_lost: whether Canvas shows no effect of it, without anybody's hand-made change being the cause.
    :param words: why Canvas refused to go along, ``""`` when it did not.
    """

    change: StoredChange
    thing: CanvasObject | None
    is_lost: bool = False
    words: str = ""


def _judge(
    hook: CanvasHook,
    one: StoredChange,
    found: Mapping[Key, CanvasObject],
    terms: Collection[str],
    published: Mapping[str, bool],
    *,
    is_trusted: bool,
) -> _Verdict:
    change, after = one.change, one.change.after
    thing = found.get(change.key) or found.get(key_of(after))
    if thing is None:
        return _Verdict(one, None, is_lost=True)
    if (thing.state, after.state) == (State.ACTIVE, State.UNPUBLISHED):
        thing = replace(thing, state=State.UNPUBLISHED)  # the report's word for both is our "active"
    if change.action is Action.CHANGE_ID:
        return _Verdict(one, thing, is_lost=thing.sis_id != after.sis_id)
    try:
        if is_trusted:
            thing = steered(hook, change, thing)
        if change.action is Action.REOPEN and isinstance(after, Course) and thing.state is State.ACTIVE:
            put_back(hook, change, was_published=published.get(after.sis_id))
    except RowError as error:
        return _Verdict(one, thing, words=error.message)
    if change.is_removal:
        return _Verdict(one, thing, is_lost=thing.state not in (after.state, State.DELETED))
    lacks_term = isinstance(after, Course) and after.term is not None and after.term not in terms
    return _Verdict(one, thing, is_lost=bool(_stayed(change, thing)) and (lacks_term or not is_trusted))


def _stayed(change: Change, seen: CanvasObject) -> frozenset[str]:
    """Fields, or the state, that Canvas accepted and kept as they were."""
    return frozenset(f for f in (*FIELDS[change.kind], "state") if getattr(seen, f) != getattr(change.after, f))


@dataclass(frozen=True, slots=True)
class Book:
    """One transaction's bookkeeping of what became of a plan's changes."""

    connection: Connection
    institution: Institution
    plan_id: int
    run_id: int
    now: datetime

    @property
    def people(self) -> PeopleBook:
        """The same about people."""
        return PeopleBook(self.connection, self.institution, self.plan_id, self.run_id, self.now)

    def accept(self, accepted: list[StoredChange], seen: Mapping[int, CanvasObject]) -> None:
        """Write accepted changes into what is confirmed.

        :param seen: by ``seq``, what was read back of them; what was not is as it was sent.
        """
        if not accepted:
            return
        self.people.follow(accepted)
        connection, key = self.connection, self.institution.key
        # What lies in an object with a new id refers to it by that id, so then nothing can be left out.
        has_new_ids = any(one.action is Action.CHANGE_ID for one in accepted)
        made = {one.seq for one in accepted if one.action is Action.CREATE and one.seq not in seen}
        if not has_new_ids:
            objects.save_made(connection, key, self.plan_id, made, now=self.now, run_id=self.run_id)
        compared = accepted if has_new_ids else [one for one in accepted if one.seq not in made]
        self._mark(accepted, self._believe(compared, seen, all_of_it=has_new_ids))
        closed_courses.forget(connection, key, _reopened_courses(accepted))
        undone = (one.change for one in accepted if one.rule == UNDO)
        remember_undone(connection, self.institution, self.plan_id, undone, self.now)
        keys = _keys_of(accepted)
        row_errors.clear_refusals(connection, key, keys)
        row_errors.settle(connection, key, "canvas", [str(k) for k in keys], self.now)
        self.conclude(accepted)

    def _believe(
        self, accepted: list[StoredChange], seen: Mapping[int, CanvasObject], *, all_of_it: bool
    ) -> dict[int, frozenset[str]]:
        """Compare accepted changes with what was confirmed before, and confirm what differs.

        :returns: by ``seq``, the fields that stayed as they were though Canvas accepted the row.
        """
        connection, key = self.connection, self.institution.key
        before = World(objects.load(connection, key, None if all_of_it else _keys_of(accepted)))
        after = before.after(one.change for one in accepted)
        stayed = {one.seq: _stayed(one.change, seen[one.seq]) for one in accepted if one.seq in seen}
        fresh = {k: thing for k, thing in after.items() if before.get(k) is not thing and before.get(k) != thing}
        for one in accepted:
            if one.seq in seen:
                at = key_of(one.change.after)
                thing = replace(seen[one.seq], origin=one.change.after.origin)
                fresh[at] = ConfirmedObject(thing, after[at].owned_by_canvas | stayed[one.seq])
        objects.save(connection, key, fresh.values(), now=self.now, run_id=self.run_id)
        self._record(departures(before, fresh.values()))
        objects.forget(connection, key, [k for k in before if k not in after])
        return stayed

    def _mark(self, accepted: list[StoredChange], stayed: Mapping[int, frozenset[str]]) -> None:
        kept = {seq: f"kept by Canvas: {', '.join(sorted(names))}" for seq, names in stayed.items() if names}
        plain = [one.seq for one in accepted if one.seq not in kept]
        plans.set_state(self.connection, self.plan_id, plain, ChangeState.CONFIRMED)
        plans.set_state(self.connection, self.plan_id, kept, ChangeState.OWNED, kept)
        made = {one.seq for one in accepted if one.action is Action.CREATE and one.seq not in kept}
        history.record_changes(
            self.connection,
            self.institution.key,
            self.plan_id,
            made,
            EVENTS[Action.CREATE],
            self.now,
            run_id=self.run_id,
            guarded=False,
        )
        self._record(
            Event(
                key_of(one.change.after),
                EVENTS[one.change.action],
                one.change.rule,
                kept.get(one.seq) or ", ".join(one.change.changed_fields),
            )
            for one in accepted
            if one.seq not in made
        )

    def refuse(self, turned_down: list[StoredChange], words: Mapping[int, str]) -> None:
        """Write refused changes down with Canvas's words; they are tried again after a while."""
        if not turned_down:
            return
        connection, key = self.connection, self.institution.key
        known = row_errors.refusals(connection, key)
        lacking = {one.change.key for one in turned_down if one.change.action is Action.CREATE}
        on_its_own = {
            one.change.key: one.change for one in turned_down if lacking.isdisjoint(lies_in(one.change.after))
        }
        remembered = {at: refused(change, known.get(at), self.now) for at, change in on_its_own.items()}
        row_errors.save_refusals(connection, key, remembered)
        # What lacks only what it would lie in waits for that, and goes with it as soon as it is tried again.
        row_errors.clear_refusals(connection, key, {one.change.key for one in turned_down} - remembered.keys())
        notes = [
            RowErrorNote("canvas", str(one.change.key), Code.ROW_REFUSED, one.change.kind, "", words[one.seq])
            for one in turned_down
        ]
        row_errors.note(connection, key, notes, self.now)
        messages = {one.seq: words[one.seq] for one in turned_down}
        plans.set_state(connection, self.plan_id, messages, ChangeState.REFUSED, messages)
        self._record(Event(one.change.key, "refused", one.change.rule, words[one.seq]) for one in turned_down)
        self.conclude(turned_down)

    def lose(self, lost: list[StoredChange], seen: Mapping[int, CanvasObject | None]) -> None:
        """Write down that Canvas does not show what was sent, and what it has instead; the next plan contains it again.

        :param seen: by ``seq``, what Canvas has; nothing, when the object must be created anew.
        """
        if not lost:
            return
        connection, key = self.connection, self.institution.key
        known = World(objects.load(connection, key, {one.change.key for one in lost}))
        there = []
        for one in lost:
            thing, before = seen[one.seq], known.get(one.change.key)
            if thing is not None:
                origin = before.thing.origin if before else one.change.after.origin
                owned = before.owned_by_canvas if before else frozenset[str]()
                there.append(ConfirmedObject(replace(thing, origin=origin), owned))
        objects.save(connection, key, there, now=self.now, run_id=self.run_id)
        self._record(departures(known, there))
        objects.forget(connection, key, [one.change.key for one in lost if seen[one.seq] is None])
        words = {one.seq: "Canvas does not show it as it was sent." for one in lost}
        plans.set_state(connection, self.plan_id, words, ChangeState.UNKNOWN, words)
        self._record(Event(one.change.key, "not confirmed", one.change.rule, words[one.seq]) for one in lost)
        self.conclude(lost)

    def conclude(self, done: list[StoredChange]) -> None:
        """See whether the requests by which changes were approved are carried out by now."""
        for number in {one.approval_id for one in done if one.approval_id is not None}:
            conclude_request(self.connection, self.institution, number, self.now)

    def _record(self, events: Iterable[Event]) -> None:
        history.record(
            self.connection, self.institution.key, events, self.now, run_id=self.run_id, plan_id=self.plan_id
        )
