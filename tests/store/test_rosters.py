"""Who is where, kept and found again; what is personal is sealed."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.model import Key, Kind, Origin, SourceKind
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import STANDINGS, Place, Roster
from rosterflow.store import history, plans, rosters
from rosterflow.store.codec import is_sealed, text_of, thing_from_text
from rosterflow.store.engine import Store
from rosterflow.store.sealing import NO_SEAL, Seal
from rosterflow.store.tables import plan_change, roster
from tests.store.things import HOME, NOW, a_plan

KARI = ("kari.nordmann", "Kari Nordmann", "Nordmann, Kari", "kari@example.org", "active")
SHELF = Roster(Kind.USER, None, "3f", {"FS_184_1": KARI}, {"FS_184_1": frozenset({"name"})})
HERE = Roster(
    Kind.ENROLLMENT,
    Place(Kind.SECTION, "UA_1"),
    "StudentEnrollment",
    {"FS_184_1": STANDINGS["active"], "FS_184_2": STANDINGS["deleted"]},
    origin=Origin(SourceKind.UNDERVISNINGSAKTIVITET, "2026_HØST"),
)
BOSSES = Roster(Kind.ADMIN, Place(Kind.ACCOUNT, "184_1"), "AccountAdmin", {"FS_184_1": STANDINGS["active"]})
ARRIVED = replace(HERE, members=dict.fromkeys(("FS_184_10", "FS_184_2"), STANDINGS["active"]), part="new")
ARRIVAL = Change(Action.CREATE, None, ARRIVED, "new", "New.")
PERSONAL = ("kari", "Kari", "Nordmann", "example")


def save(store: Store, *known: Roster, institution: str = HOME) -> None:
    with store.begin() as connection:
        rosters.save(connection, institution, known, now=NOW)


def load(store: Store, institution: str = HOME) -> list[Roster]:
    with store.begin() as connection:
        return sorted(rosters.load(connection, institution), key=lambda one: one.whole)


@pytest.mark.parametrize("one", [SHELF, HERE, BOSSES], ids=lambda one: str(one.kind))
def test_a_roster_as_text_comes_back_whole(one: Roster) -> None:
    seal = Seal([Fernet.generate_key().decode()])
    part = replace(one, part="gone")

    again = thing_from_text(one.kind, text_of(part, seal), seal)

    assert isinstance(again, Roster)
    assert (again, again.origin) == (part, one.origin)


def test_everybody_comes_back_as_they_were_confirmed(store: Store) -> None:
    save(store, SHELF, HERE, BOSSES)
    save(store, HERE, institution="south")

    assert load(store) == [BOSSES, HERE, SHELF]
    with store.begin() as connection:
        assert list(rosters.load(connection, HOME, [HERE.whole])) == [HERE]


def test_the_newest_confirmation_counts_and_what_is_forgotten_is_gone(store: Store) -> None:
    save(store, HERE, BOSSES)
    later = replace(HERE, members={"FS_184_3": STANDINGS["active"]})
    save(store, later)
    with store.begin() as connection:
        rosters.forget(connection, HOME, [BOSSES.whole])

    assert load(store) == [later]
    with store.begin() as connection:
        rosters.forget_all(connection, HOME)
    assert load(store) == []


def test_changes_of_people_are_found_again_as_they_were_shown(store: Store) -> None:
    gone = replace(HERE, members={"FS_184_1": STANDINGS["inactive"]}, part="gone")
    before = replace(gone, members={"FS_184_1": STANDINGS["active"]})
    shown = [
        Change(Action.CREATE, None, replace(SHELF, owned={}, part="new"), "new", "New."),
        Change(Action.HIDE, before, gone, "gone", "Gone."),
    ]
    with store.begin() as connection:
        number = a_plan(connection, *shown)

    with store.begin() as connection:
        found = plans.changes(connection, number)
        tally = {(row.kind, row.n, row.refused) for row in plans.tally(connection, number)}
    assert [one.change for one in found] == shown
    assert [one.fingerprint for one in found] == [change.fingerprint for change in shown]
    assert tally == {("user", 1, 0), ("enrollment", 1, 0)}


def test_a_change_tells_its_key_its_roster_and_its_outline_without_opening_what_is_sealed(store: Store) -> None:
    with store.begin() as connection:
        number = a_plan(
            connection, ARRIVAL, Change(Action.CREATE, None, replace(SHELF, owned={}, part="new"), "new", "")
        )
        held = [msgspec.structs.replace(one, seal=NO_SEAL) for one in plans.changes(connection, number)]

    assert [(one.key, one.whole, one.weight, one.is_of_people) for one in held] == [
        (Key(Kind.ENROLLMENT, "section UA_1 as StudentEnrollment: new"), HERE.whole, 2, True),
        (Key(Kind.USER, "shelf 3f: new"), SHELF.whole, 1, True),
    ]
    assert [one.outline for one in held] == [replace(HERE, members={}), replace(SHELF, members={}, owned={})]


def test_people_new_in_a_roster_are_confirmed_and_told_of_in_the_database(store: Store) -> None:
    with store.begin() as connection:
        number = a_plan(connection, ARRIVAL)
        rosters.save_made(connection, HOME, number, [0], now=NOW)
        history.record_arrivals(connection, HOME, number, [0], "added", NOW, run_id=7)
        told = history.of_object(connection, HOME, HERE.whole.sis_id)
        counted = list(rosters.census(connection, HOME))
        known = rosters.keys(connection, HOME)

    assert load(store) == [replace(ARRIVED, part="")]
    assert [(row.event, row.kind, row.rule, row.detail, row.run_id, row.plan_id, row.at) for row in told] == [
        ("added", "enrollment", "new", "FS_184_10 FS_184_2", 7, number, NOW)
    ]
    assert counted == [(replace(HERE, members={}), 2)]
    assert known == {HERE.whole}


def test_a_census_counts_those_who_have_what_a_roster_gives(store: Store) -> None:
    save(store, SHELF, HERE, BOSSES)
    with store.begin() as connection:
        counted = {one.whole: (one.members, one.origin, active) for one, active in rosters.census(connection, HOME)}

    assert counted == {
        SHELF.whole: ({}, SHELF.origin, 1),
        HERE.whole: ({}, HERE.origin, 1),
        BOSSES.whole: ({}, BOSSES.origin, 1),
    }


@pytest.mark.parametrize(("one", "hidden"), [(SHELF, True), (HERE, False)], ids=["users", "enrollments"])
def test_a_text_tells_whether_its_people_are_sealed(one: Roster, hidden: bool) -> None:
    assert is_sealed(text_of(one, Seal([Fernet.generate_key().decode()]))) is hidden


def test_nothing_personal_of_a_user_can_be_read_in_the_database(store: Store) -> None:
    save(store, SHELF)
    with store.begin() as connection:
        a_plan(connection, Change(Action.CREATE, None, SHELF, "new", "New."))
        texts = [*connection.execute(select(roster.c.body)).scalars()]
        texts += connection.execute(select(plan_change.c.after)).scalars()

    assert len(texts) == 2
    assert [word for text in texts for word in PERSONAL if word in text] == []


def test_a_store_without_a_key_keeps_no_user_and_opens_none() -> None:
    with pytest.raises(FatalError) as caught:
        text_of(SHELF, NO_SEAL)
    assert caught.value.code is Code.PAGE_KEY_INVALID

    sealed = text_of(SHELF, Seal([Fernet.generate_key().decode()]))
    with pytest.raises(FatalError) as caught:
        thing_from_text(Kind.USER, sealed, Seal([Fernet.generate_key().decode()]))
    assert caught.value.code is Code.PAGE_KEY_INVALID


def test_an_old_key_opens_what_it_sealed() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    assert thing_from_text(Kind.USER, text_of(SHELF, Seal([old])), Seal([new, old])) == SHELF


def test_a_key_that_is_none_is_said_at_once() -> None:
    with pytest.raises(FatalError) as caught:
        Seal(["none"])
    assert caught.value.code is Code.PAGE_KEY_INVALID


def test_the_rosters_of_a_place_are_found_by_it_whatever_its_id_and_role_are_called(store: Store) -> None:
    odd = replace(HERE, place=Place(Kind.SECTION, "UA_1 as a guest"), role="Works as a tutor")
    save(store, HERE, odd, BOSSES, SHELF)

    with store.begin() as connection:
        found = [list(rosters.at_places(connection, HOME, {one.place})) for one in (HERE, odd, BOSSES) if one.place]
        nowhere = list(rosters.at_places(connection, HOME, {Key(Kind.SECTION, "UA_2")}))

    assert (found, nowhere) == ([[HERE], [odd], [BOSSES]], [])


@pytest.mark.parametrize(("one", "count"), [(SHELF, 1), (HERE, 1), (BOSSES, 1), (replace(SHELF, members={}), 0)])
def test_those_who_are_active_are_counted(one: Roster, count: int) -> None:
    assert (one.headcount, len(one.active())) == (count, count)
