"""What Canvas says about people, row by row, and what it really has, become whom we believe to be where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rosterflow.domain.model import Key, Kind, State
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import STANDINGS, Member, Place, Roster
from rosterflow.store import plans, row_errors
from rosterflow.store.person_keys import shown_by
from rosterflow.store.plans import ChangeState
from rosterflow.store.sealing import seal_of
from rosterflow.store.tables import row_error
from rosterflow.sync.confirming import waits_for_reading_back
from tests.sync.desk import COURSE, HOME, NOW, SECTION, Desk, change, close, desk
from tests.sync.test_confirming import send_with

HERE = Place(Kind.SECTION, SECTION.sis_id)
NAME = f"section {SECTION.sis_id} as StudentEnrollment"
ACTIVE, INACTIVE, DELETED, DONE = (STANDINGS[state] for state in ("active", "inactive", "deleted", "completed"))


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        yield one


def people(members: Mapping[str, Member], part: str = "") -> Roster:
    return Roster(Kind.ENROLLMENT, HERE, "StudentEnrollment", members, part=part)


def users(members: Mapping[str, Member], part: str = "") -> Roster:
    return Roster(Kind.USER, None, "00", members, part=part)


def user(login: str, name: str = "Kari Nordmann", state: str = "active") -> Member:
    return (login, name, "Nordmann, Kari", "kari@example.org", state)


def come(*ids: str) -> Change:
    return Change(Action.CREATE, None, people(dict.fromkeys(ids, ACTIVE), "new"), "new", "")


def leave(*ids: str) -> Change:
    before, after = dict.fromkeys(ids, ACTIVE), dict.fromkeys(ids, INACTIVE)
    return Change(Action.HIDE, people(before, "gone"), people(after, "gone"), "gone", "")


def update(before: Mapping[str, Member], after: Mapping[str, Member]) -> Change:
    return Change(Action.UPDATE, users(before, "changed"), users(after, "changed"), "changed", "")


def test_people_are_confirmed_at_once_and_those_who_were_there_stay(at: Desk) -> None:
    at.believe_people(people({"u1": ACTIVE, "u9": DELETED}))
    plan_id = at.plan(come("u2", "u3"), leave("u1"))

    outcome = at.send(plan_id)

    assert (outcome.confirmed, outcome.refused, outcome.to_read_back) == (3, 0, 0)
    assert at.people() == {NAME: {"u1": INACTIVE, "u2": ACTIVE, "u3": ACTIVE, "u9": DELETED}}
    assert at.states(plan_id) == [ChangeState.CONFIRMED] * 2
    assert sorted(at.events(Key(Kind.ENROLLMENT, NAME))) == ["added", "suspended"]


def test_a_refused_person_waits_alone_and_is_told_by_their_id(at: Desk) -> None:
    plan_id = at.plan(come("FS_184_1", "FS_184_2", "FS_184_3"))

    send_with(at, plan_id, ("enrollments", 3, "User not found for enrollment (User ID: FS_184_2)"))

    assert at.people() == {NAME: {"FS_184_1": ACTIVE, "FS_184_3": ACTIVE}}
    assert (at.states(plan_id), at.messages(plan_id)) == ([ChangeState.CONFIRMED], ["Canvas refused 1 of them."])
    assert at.errors() == [(f"enrollment {NAME} / FS_184_2", "User not found for enrollment (User ID: FS_184_2)")]
    with at.store.begin() as connection:
        (refusal,) = row_errors.refusals(connection, HOME.key).items()
        (tally,) = plans.tally(connection, plan_id)
    assert refusal[0] == Key(Kind.ENROLLMENT, f"{NAME} / FS_184_2")
    assert refusal[1].not_before == NOW + timedelta(hours=1)
    assert (tally.n, tally.refused) == (3, 1)


def test_a_refused_person_whose_id_is_a_login_is_told_by_an_opaque_key(at: Desk) -> None:
    words = "User not found for enrollment (User ID: kari@fjord.example)"
    send_with(at, at.plan(come("kari@fjord.example", "FS_184_3")), ("enrollments", 3, words))

    with at.store.begin() as connection:
        key = shown_by(connection, HOME.key)("kari@fjord.example")
        (at_key,) = row_errors.refusals(connection, HOME.key)
    told = (f"enrollment {NAME} / {key}", "User not found for enrollment (User ID: …)")
    assert (at.errors(), at_key.sis_id) == ([told], f"{NAME} / {key}")
    at.canvas.messages = []
    at.send(at.plan(come("kari@fjord.example")))
    assert at.errors() == []


def test_a_change_of_which_canvas_took_nobody_is_refused(at: Desk) -> None:
    plan_id = at.plan(come("u1"))

    send_with(at, plan_id, ("enrollments", 2, "User not found for enrollment"))

    assert (at.people(), at.states(plan_id)) == ({}, [ChangeState.REFUSED])


def test_a_person_who_is_accepted_at_last_is_refused_no_longer(at: Desk) -> None:
    send_with(at, at.plan(come("u1", "u2")), ("enrollments", 2, "User not found for enrollment"))
    at.canvas.messages = []

    at.send(at.plan(come("u1")))

    assert (at.errors(), at.people()) == ([], {NAME: {"u1": ACTIVE, "u2": ACTIVE}})
    with at.store.begin() as connection:
        assert row_errors.refusals(connection, HOME.key) == {}


def test_who_is_accepted_at_last_as_the_first_of_a_roster_is_refused_no_longer(at: Desk) -> None:
    send_with(at, at.plan(come("u1")), ("enrollments", 2, "User not found for enrollment"))
    at.canvas.messages = []

    at.send(at.plan(come("u1")))

    assert (at.errors(), at.people()) == ([], {NAME: {"u1": ACTIVE}})
    with at.store.begin() as connection:
        assert row_errors.refusals(connection, HOME.key) == {}


def test_canvas_words_about_a_user_are_kept_sealed_and_shown_without_the_person(at: Desk) -> None:
    words = "Could not save the user with user_id: 'FS_184_1'. Invalid login_id: 'kari'"
    plan_id = at.plan(Change(Action.CREATE, None, users({"FS_184_1": user("kari")}, "new"), "new", ""))

    send_with(at, plan_id, ("users", 2, words))

    told = "Could not save the user with user_id: '…'. Invalid login_id: '…'"
    assert at.errors() == [("user shelf 00 / FS_184_1", told)]
    with at.store.begin() as connection:
        sealed = connection.execute(row_error.select()).one().sealed
        assert seal_of(connection).open(sealed).decode() == words


def test_what_people_changed_of_a_user_in_canvas_belongs_to_them(at: Desk) -> None:
    before = {"u1": user("kari"), "u2": user("ola")}
    at.believe_people(users(before))
    plan_id = at.plan(update(before, {"u1": user("kari", "Kari Ny"), "u2": user("ola2")}))

    at.send(plan_id)
    assert waits_for_reading_back(at.store, plan_id) == {Kind.USER}
    at.read_back(plan_id, users({"u1": user("kari", "Lærerens navn"), "u2": user("ola2")}))

    assert at.people() == {"shelf 00": {"u1": user("kari", "Lærerens navn"), "u2": user("ola2")}}
    assert (at.states(plan_id), at.messages(plan_id)) == ([ChangeState.OWNED], ["kept by Canvas for 1 of them"])


def test_when_canvas_did_not_count_a_row_all_are_read_back_and_who_is_missing_is_planned_again(at: Desk) -> None:
    at.canvas.uncounted = 1
    at.believe_people(people({"u1": ACTIVE}))
    plan_id = at.plan(come("u2", "u3"), leave("u1"))

    outcome = at.send(plan_id)
    at.read_back(plan_id, people({"u1": ACTIVE, "u2": ACTIVE}))

    assert (outcome.confirmed, outcome.to_read_back) == (0, 3)
    assert at.people() == {NAME: {"u1": ACTIVE, "u2": ACTIVE}}
    assert at.states(plan_id) == [ChangeState.UNKNOWN] * 2


def test_with_a_section_its_people_go_and_with_a_course_they_are_done(at: Desk) -> None:
    at.believe(COURSE, SECTION)
    at.believe_people(people({"u1": ACTIVE, "u2": INACTIVE}))

    closing = at.plan(close(COURSE))
    at.send(closing)
    at.read_back(closing, replace(COURSE, state=State.COMPLETED))
    assert at.people() == {NAME: {"u1": DONE, "u2": INACTIVE}}

    gone = replace(SECTION, state=State.DELETED)
    deleting = at.plan(change(Action.DELETE, SECTION, gone))
    at.send(deleting)
    at.read_back(deleting, gone)
    assert at.people() == {NAME: {"u1": DELETED, "u2": DELETED}}


def moves(*ids: str) -> tuple[Change, Change]:
    """People who come to another section of the course, and leave this one."""
    other = Place(Kind.SECTION, "UA_OTHER")
    there = Roster(Kind.ENROLLMENT, other, "StudentEnrollment", dict.fromkeys(ids, ACTIVE), part="new")
    before, after = (people(dict.fromkeys(ids, state), "moved") for state in (ACTIVE, DELETED))
    return Change(Action.CREATE, None, there, "new", ""), Change(Action.DELETE, before, after, "moved", "")


def test_who_moved_leaves_when_they_have_arrived(at: Desk) -> None:
    plan_id = at.plan(*moves("u1", "u2"))

    at.send(plan_id)

    second = at.prepare(plan_id, part=2)
    assert second is not None
    assert [tuple(users) for users in second.users.values()] == [("u1", "u2")]


def test_nobody_leaves_while_somebody_was_refused_in_the_other_section(at: Desk) -> None:
    plan_id = at.plan(*moves("u1", "u2"))

    send_with(at, plan_id, ("enrollments", 3, "An enrollment did not pass validation"))

    assert at.prepare(plan_id, part=2) is None
    assert at.states(plan_id) == [ChangeState.CONFIRMED, ChangeState.STALE]
