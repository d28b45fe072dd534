"""What Canvas confirmed, kept and found again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.model import CanvasObject, Key, Kind, key_of
from rosterflow.store import objects
from rosterflow.store.codec import from_text, text_of
from rosterflow.store.engine import Store
from tests.store.things import COURSE, EVERYTHING, HOME, NOW, SECTION, TERM, UNIT, a_plan, create


def save(store: Store, *things: CanvasObject, institution: str = HOME, owned: frozenset[str] = frozenset()) -> None:
    with store.begin() as connection:
        objects.save(connection, institution, [ConfirmedObject(one, owned) for one in things], now=NOW, run_id=1)


def load(store: Store, institution: str = HOME) -> World:
    with store.begin() as connection:
        return World(objects.load(connection, institution))


@pytest.mark.parametrize("thing", EVERYTHING, ids=lambda thing: str(thing.kind))
def test_an_object_as_text_comes_back_whole_with_its_origin(thing: CanvasObject) -> None:
    again = from_text(thing.kind, text_of(thing))

    assert (again, again.origin) == (thing, thing.origin)


def test_everything_comes_back_as_it_was_confirmed(store: Store) -> None:
    save(store, *EVERYTHING, owned=frozenset({"name", "state"}))

    found = load(store)

    assert {key: one.thing for key, one in found.items()} == {key_of(thing): thing for thing in EVERYTHING}
    assert found[key_of(COURSE)].thing.origin == COURSE.origin
    assert found[key_of(UNIT)].owned_by_canvas == {"name", "state"}


def test_those_of_one_kind_come_alone_when_they_are_asked_for(store: Store) -> None:
    save(store, *EVERYTHING)

    with store.begin() as connection:
        found = World(objects.load(connection, HOME, kind=Kind.TERM))

    assert {key: one.thing for key, one in found.items()} == {
        key_of(thing): thing for thing in EVERYTHING if thing.kind is Kind.TERM
    }


def test_the_newest_confirmation_counts(store: Store) -> None:
    save(store, UNIT)
    renamed = replace(UNIT, name="Institutt for fjernlesning")
    save(store, renamed)

    assert [one.thing for one in load(store).values()] == [renamed]


def test_what_a_plan_made_is_confirmed_as_it_was_sent_and_what_belongs_to_canvas_stays_known(store: Store) -> None:
    save(store, TERM, owned=frozenset({"name"}))
    made = replace(TERM, name="Høsten 2026")
    with store.begin() as connection:
        plan_id = a_plan(connection, create(made), create(COURSE), create(UNIT))
        objects.save_made(connection, HOME, plan_id, [0, 1], now=NOW, run_id=1)

    found = load(store)

    assert {key: (one.thing, one.owned_by_canvas) for key, one in found.items()} == {
        key_of(TERM): (made, frozenset({"name"})),
        key_of(COURSE): (COURSE, frozenset()),
    }
    assert found[key_of(COURSE)].thing.origin == COURSE.origin


def test_institutions_do_not_see_each_other(store: Store) -> None:
    save(store, UNIT)
    save(store, TERM, institution="south")

    assert list(load(store)) == [key_of(UNIT)]


def test_what_is_forgotten_is_gone_and_nothing_else(store: Store) -> None:
    save(store, *EVERYTHING)
    with store.begin() as connection:
        objects.forget(connection, HOME, [key_of(UNIT), key_of(SECTION), Key(Kind.ACCOUNT, "unknown")])

    assert set(load(store)) == {key_of(TERM), key_of(COURSE)}


def test_everything_can_be_forgotten_for_one_institution(store: Store) -> None:
    save(store, *EVERYTHING)
    save(store, UNIT, institution="south")
    with store.begin() as connection:
        objects.forget_all(connection, HOME)

    assert (len(load(store)), len(load(store, "south"))) == (0, 1)


def test_thousands_are_written_and_forgotten_in_one_go(store: Store) -> None:
    many = [replace(UNIT, sis_id=f"184_{number}_0_0") for number in range(34_000)]
    save(store, *many)
    with store.begin() as connection:
        objects.forget(connection, HOME, [key_of(one) for one in many[:33_000]])

    assert len(load(store)) == 1_000
