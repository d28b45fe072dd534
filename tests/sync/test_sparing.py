"""Nobody is sent whom people have made an administrator meanwhile, and nobody of whom Canvas does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.domain.model import Account, Kind
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import STANDINGS, Part, Place, Roster, shelves
from rosterflow.hooks.canvas_records import Administrator
from rosterflow.store import plans
from rosterflow.store.imports import ImportState, StoredImport
from rosterflow.store.plans import ChangeState
from rosterflow.sync.confirming_people import part_of
from tests.sync.desk import HOME, OTHER, UNIT, Desk, create, desk

ADMIN = "AccountAdmin"
KARI, OLA = "FS_184_1", "FS_184_2"
HERE, THERE = (f"account {one.sis_id} as {ADMIN}" for one in (UNIT, OTHER))
DOWN = RetryableError(Code.SERVER_ERROR, "Canvas answered with 503.")
FORBIDDEN = FatalError(Code.FORBIDDEN, "Canvas's token lacks a permission.")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        one.believe(UNIT, OTHER)
        yield one


def administer(account: Account, *users: str, action: Action = Action.CREATE, role: str = ADMIN) -> Change:
    """A change by which users become administrators."""
    members = dict.fromkeys(users, STANDINGS["active"])
    coming = Roster(Kind.ADMIN, Place(Kind.ACCOUNT, account.sis_id), role, members, part=Part.NEW)
    return Change(action, None, coming, Part.NEW, "The source has them there.")


def is_there(user: str, role: str = ADMIN, login: str = "") -> Administrator:
    return Administrator(role, user, login)


def rows(one: StoredImport | None) -> list[str]:
    """The users of the rows of an import."""
    return [user for users in one.users.values() for user in users] if one else []


def test_who_is_there_in_that_role_is_left_out_and_known_as_people_s(at: Desk) -> None:
    at.canvas.admins[UNIT.sis_id] = [is_there(KARI), is_there(OLA, "Superbruker"), is_there("FS_184_3")]
    plan_id = at.plan(administer(UNIT, KARI, OLA))

    assert rows(at.prepare(plan_id)) == [OLA]
    assert at.people() == {HERE: {KARI: ("by-hand",)}}
    assert at.states(plan_id) == [ChangeState.ALLOWED, ChangeState.STALE]
    assert at.messages(plan_id)[-1] == "People have made them administrators by hand meanwhile."


def test_nothing_is_prepared_when_all_of_it_is_there(at: Desk) -> None:
    at.canvas.admins[UNIT.sis_id] = [is_there(KARI)]
    plan_id = at.plan(administer(UNIT, KARI))

    assert at.prepare(plan_id) is None
    assert at.states(plan_id) == [ChangeState.STALE]


def test_each_account_is_asked_about_once_and_one_that_is_made_or_only_loses_somebody_not_at_all(at: Desk) -> None:
    new = Account("184_9_0_0", "Nytt fakultet", "FSDEMO")
    own = Account(HOME.canvas.account, "Demo", "")
    gone = administer(OTHER, "FS_184_4", action=Action.DELETE)
    at.prepare(
        at.plan(
            create(new),
            administer(UNIT, KARI),
            administer(UNIT, KARI, OLA, role="Superbruker"),
            administer(own, OLA),
            administer(new, OLA),
            gone,
        )
    )

    assert sorted(at.canvas.asked) == sorted([UNIT.sis_id, HOME.canvas.account])


def test_a_user_whom_the_same_import_makes_is_known_by_the_login(at: Desk) -> None:
    at.canvas.admins[UNIT.sis_id] = [is_there("", login="KARI@rosterflow.example"), is_there("", login="")]
    (made,) = shelves({KARI: ("kari@rosterflow.example", "Kari", "", "", "active")})
    user = Change(Action.CREATE, None, made, Part.NEW, "The source has them there.")
    plan_id = at.plan(user, administer(UNIT, KARI, OLA))

    assert rows(at.prepare(plan_id)) == [KARI, OLA]
    assert at.people() == {HERE: {KARI: ("by-hand",)}}


@pytest.mark.parametrize("trouble", [DOWN, FORBIDDEN])
def test_whose_account_canvas_does_not_tell_about_waits_for_another_plan_and_the_others_go_on(
    at: Desk, trouble: RosterflowError
) -> None:
    at.canvas.admins[OTHER.sis_id] = trouble
    plan_id = at.plan(administer(UNIT, KARI), administer(OTHER, OLA))

    assert rows(at.prepare(plan_id)) == [KARI]
    assert at.states(plan_id) == [ChangeState.ALLOWED, ChangeState.STALE]
    assert at.errors() == [(f"admin {THERE}", trouble.message)]

    at.canvas.admins = {}
    at.prepare(at.plan(administer(OTHER, OLA)))
    assert at.errors() == []


def test_a_canvas_that_has_trouble_is_not_asked_about_account_after_account(at: Desk) -> None:
    at.canvas.admins[UNIT.sis_id] = DOWN
    plan_id = at.plan(administer(UNIT, KARI), administer(OTHER, OLA))

    assert at.prepare(plan_id) is None
    assert (at.canvas.asked, at.states(plan_id)) == ([UNIT.sis_id], [ChangeState.STALE, ChangeState.STALE])


def test_an_import_that_was_never_posted_is_prepared_anew_without_whom_people_made_since(at: Desk) -> None:
    plan_id = at.plan(administer(UNIT, KARI, OLA))
    begun = at.prepare(plan_id)
    assert begun
    assert at.prepare(plan_id) == begun

    at.canvas.admins[UNIT.sis_id] = [is_there(KARI)]

    assert rows(at.prepare(plan_id)) == [OLA]
    assert at.import_of(begun.id).state is ImportState.DROPPED


def test_what_is_on_its_way_is_not_looked_at_again(at: Desk) -> None:
    plan_id = at.plan(administer(UNIT, KARI))
    begun = at.prepare(plan_id)
    assert begun
    posted = at.post(begun)
    at.canvas.admins[UNIT.sis_id] = [is_there(KARI)]

    assert at.prepare(plan_id) == posted
    assert at.canvas.asked == [UNIT.sis_id]


def test_who_was_sent_since_is_told_from_whom_people_made(at: Desk) -> None:
    place = Place(Kind.ACCOUNT, UNIT.sis_id)
    at.believe_people(Roster(Kind.ADMIN, place, ADMIN, {KARI: STANDINGS["deleted"]}))
    begun = at.prepare(at.plan(administer(UNIT, KARI, action=Action.REOPEN), administer(OTHER, OLA)))
    assert begun
    at.post(begun)

    with at.store.begin() as connection:
        found = plans.sent_since_confirmed(connection, HOME.key, of_people=True)

    assert [(str(one.whole), list(part_of(one).members)) for one in found] == [(f"admin {HERE}", [KARI])]
