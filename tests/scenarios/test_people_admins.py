"""Administrators whom people made in Canvas, before we read it or after: they stay theirs, whatever FS has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from rosterflow.domain.differences import Finding
from rosterflow.domain.model import Key, Kind
from rosterflow.hooks.canvas import CanvasHook
from rosterflow.store import history
from rosterflow.sync.explaining import timeline_of
from sandbox.canvas.http import TOKENS, Token
from sandbox.canvas.objects import Pseudonym
from sandbox.university.model import Organisasjonsenhet
from sandbox.university.people import Person, Personrolle
from sandbox.university.vocabulary import ADMIN
from tests.harness import connections
from tests.scenarios.college import PAGE_KEY, College, college
from tests.scenarios.killing import Job, killed_at
from tests.scenarios.people_day import PEOPLE
from tests.scenarios.persons import (
    STUDENT,
    faculty_of,
    follows,
    follows_in_canvas,
    login_of,
    newcomer,
    teaches,
    user_of,
)
from tests.scenarios.test_hands_in_canvas import take_base_again
from tests.scenarios.test_people_roles import ACCOUNT_ADMIN, administers, holds, make_role
from tests.scenarios.test_reconcile import compared

HOME = "FSDEMO"
ROSTER = Key(Kind.ADMIN, f"account {HOME} as {ACCOUNT_ADMIN}")
THERE = {(HOME, ACCOUNT_ADMIN, "active")}
GONE = {(HOME, ACCOUNT_ADMIN, "deleted")}


@pytest.fixture(scope="module")
def faculty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[College]:
    """A synced college in which somebody may administer the institution's own account."""
    with faculty_of(tmp_path_factory.mktemp("faculty")) as one:
        make_role(one, "Superbruker", "AccountMembership")
        yield one


@pytest.fixture
def colleague(faculty: College) -> Person:
    """Somebody who is a user in Canvas and administers nothing."""
    return employed(faculty)


def employed(one: College) -> Person:
    person = newcomer(one)
    teaches(one, person, one.teaching())
    one.harness.run(days_later=1)
    assert login_of(one, person)
    return person


def home_of(one: College) -> Organisasjonsenhet:
    """The unit that stands for the institution, whose account is its own."""
    return next(unit for unit in one.university.enheter if unit.niva.name == "INSTITUSJON")


def admin_by_hand(one: College, user: str, role: str = ACCOUNT_ADMIN) -> None:
    """Somebody makes a user an administrator of the institution's own account."""
    form = {"user_id": user, "role": role, "send_confirmation": "false"}
    one.by_hand("POST", f"/accounts/sis_account_id:{HOME}/admins", **form)


def by_hand(one: College, person: Person, role: str = ACCOUNT_ADMIN) -> None:
    admin_by_hand(one, f"sis_user_id:{user_of(person)}", role)


def gets_role(one: College, person: Person) -> Personrolle:
    return holds(one, person, home_of(one), ADMIN)


def loses(one: College, role: Personrolle) -> None:
    with one.changing_fs():
        home_of(one).personroller.remove(role)


def local_user(one: College, login: str) -> Pseudonym:
    """A login that people made in Canvas, without a SIS id."""
    form = {"user[name]": "Lokal Bruker", "pseudonym[unique_id]": login}
    one.by_hand("POST", "/accounts/1/users", **form)
    (made,) = [row for row in one.sandbox.world.canvas.pseudonyms if row.unique_id == login]
    return made


def is_an_imports(one: College, person: Person) -> bool:
    """Whether Canvas holds an administrator to be an import's, which a later one can take away."""
    canvas = one.sandbox.world.canvas
    login = canvas.pseudonyms.by_sis_id(user_of(person))
    assert login
    (row,) = canvas.admins.where("user_id", login.user_id)
    return row.sis_batch_id is not None


def made_until_lost(
    one: College, people: Iterable[Person], roles: Iterable[Personrolle]
) -> list[tuple[set[tuple[str, str, str]], bool]]:
    """What a run makes of people with a role, and whether it is an import's; the roles are lost, and a run follows."""
    one.harness.run(days_later=1)
    made = [(administers(one, person), is_an_imports(one, person)) for person in people]
    for role in roles:
        loses(one, role)
    one.harness.run(days_later=1)
    return made


# -- before Canvas was read -------------------------------------------------------------------------------------------


def test_an_administrator_whom_people_made_stays_when_fs_has_no_such_role(faculty: College, colleague: Person) -> None:
    by_hand(faculty, colleague)

    assert faculty.harness.run(days_later=1).changes == 0
    assert administers(faculty, colleague) == THERE


def test_an_administrator_whom_people_made_is_not_taken_away_when_fs_has_the_role_too_and_has_it_no_longer(
    faculty: College, colleague: Person
) -> None:
    by_hand(faculty, colleague)
    take_base_again(faculty)

    role = gets_role(faculty, colleague)
    changes = [faculty.harness.run(days_later=1).changes]
    loses(faculty, role)
    changes.append(faculty.harness.run(days_later=1).changes)

    assert (changes, administers(faculty, colleague)) == ([0, 0], THERE)


# -- after Canvas was read --------------------------------------------------------------------------------------------


def test_an_administrator_whom_people_made_since_canvas_was_read_is_not_sent_and_stays_when_fs_has_the_role_no_longer(
    faculty: College, colleague: Person
) -> None:
    by_hand(faculty, colleague)
    imports = faculty.imports()

    role = gets_role(faculty, colleague)
    planned = [faculty.harness.run(days_later=1).changes, faculty.harness.run(days_later=1).changes]
    loses(faculty, role)
    planned.append(faculty.harness.run(days_later=1).changes)

    assert (planned, faculty.imports()) == ([1, 0, 0], imports)
    assert (administers(faculty, colleague), is_an_imports(faculty, colleague)) == (THERE, False)


def test_who_gets_the_role_with_them_is_sent_at_once_and_goes_with_it(faculty: College) -> None:
    theirs, ours = employed(faculty), employed(faculty)
    by_hand(faculty, theirs)

    roles = [gets_role(faculty, person) for person in (theirs, ours)]

    assert made_until_lost(faculty, (theirs, ours), roles) == [(THERE, False), (THERE, True)]
    assert [administers(faculty, person) for person in (theirs, ours)] == [THERE, GONE]


def test_who_was_made_an_administrator_in_another_role_becomes_ours_in_this_one(
    faculty: College, colleague: Person
) -> None:
    by_hand(faculty, colleague, "Superbruker")

    role = gets_role(faculty, colleague)
    faculty.harness.run(days_later=1)
    made = administers(faculty, colleague)
    loses(faculty, role)
    faculty.harness.run(days_later=1)

    other = {(HOME, "Superbruker", "active")}
    assert made == THERE | other
    assert administers(faculty, colleague) == GONE | other


def test_whom_we_took_away_and_people_made_again_is_theirs_from_then_on(faculty: College, colleague: Person) -> None:
    for _ in range(2):
        role = gets_role(faculty, colleague)
        faculty.harness.run(days_later=1)
        made = administers(faculty, colleague)
        loses(faculty, role)
        faculty.harness.run(days_later=1)
        left = administers(faculty, colleague)
        by_hand(faculty, colleague)

    assert (made, left) == (THERE, THERE)


@pytest.mark.parametrize("is_seen", [True, False])
def test_whom_people_made_again_after_us_stays_theirs_when_the_base_is_taken_again(
    faculty: College, colleague: Person, is_seen: bool
) -> None:
    loses(faculty, made_ours(faculty, colleague))
    faculty.harness.run(days_later=1)
    by_hand(faculty, colleague)
    if is_seen:
        loses(faculty, made_ours(faculty, colleague))
    assert is_an_imports(faculty, colleague), "Canvas tells whose they are"
    take_base_again(faculty)

    assert faculty.harness.run(days_later=1).changes == 0
    assert administers(faculty, colleague) == THERE


def made_ours(one: College, person: Person) -> Personrolle:
    """FS gives a role, and a run sends what there is to send of it."""
    role = gets_role(one, person)
    one.harness.run(days_later=1)
    return role


def test_history_the_comparison_and_the_timeline_say_whose_an_administrator_is(
    faculty: College, colleague: Person
) -> None:
    by_hand(faculty, colleague)
    role = gets_role(faculty, colleague)
    faculty.harness.run(days_later=1)

    with faculty.harness.store.begin() as connection:
        last = history.of_object(connection, "demo", ROSTER.sis_id)[-1]
    moments = timeline_of(faculty.harness.store, faculty.harness.institution, str(colleague.lopenummer))
    assert (last.event, last.rule, last.detail) == ("found in Canvas", "admin-by-hand", user_of(colleague))
    told = [one.what for one in moments if one.where.startswith(ROSTER.sis_id)]
    assert told == ["planned", "found in Canvas"]

    loses(faculty, role)
    faculty.harness.run(days_later=1)
    assert extra(faculty, colleague) == {Finding.EXTRA_BY_HAND}


def extra(one: College, person: Person) -> set[Finding]:
    """What a comparison with Canvas finds of somebody."""
    return {found.finding for found in compared(one).differences if found.user == user_of(person)}


# -- what goes wrong, and who is asked --------------------------------------------------------------------------------


class Trouble(NamedTuple):
    """Canvas does not tell who administers an account.

    :param begins: makes it so; ``told`` is part of what a person reads of it.
    """

    begins: Callable[[College, pytest.MonkeyPatch], None]
    told: str


def breaks_down(one: College, _: pytest.MonkeyPatch) -> None:
    one.fault("canvas", "503", count=None, match="/admins")


def lacks_the_permission(_: College, monkeypatch: pytest.MonkeyPatch) -> None:
    token = TOKENS["sandbox-canvas-token"]
    allowed = token.permissions - {"manage_account_memberships"}
    monkeypatch.setitem(TOKENS, token.value, Token(token.value, allowed))


@pytest.mark.parametrize(
    "trouble", [Trouble(breaks_down, "with 503"), Trouble(lacks_the_permission, "lacks a permission")]
)
def test_nobody_is_sent_blindly_when_canvas_does_not_tell_who_is_there_and_the_rest_goes_on(
    faculty: College, colleague: Person, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    student, ue = newcomer(faculty), faculty.teaching(1)
    follows(faculty, student, ue)
    role = gets_role(faculty, colleague)
    with monkeypatch.context() as patched:
        trouble.begins(faculty, patched)
        faculty.harness.run(days_later=1)
    faculty.sandbox.world.faults.clear()

    assert (follows_in_canvas(faculty, student, ue, STUDENT), administers(faculty, colleague)) == ("active", set())
    (words,) = [message for subject, message in faculty.open_errors() if subject == str(ROSTER)]
    assert trouble.told in words

    faculty.harness.run(days_later=1)
    assert (administers(faculty, colleague), is_an_imports(faculty, colleague)) == (THERE, True)
    assert [subject for subject, _ in faculty.open_errors() if subject == str(ROSTER)] == []
    loses(faculty, role)
    faculty.harness.run(days_later=1)


def test_what_a_person_approved_leaves_out_whom_people_have_made_an_administrator_meanwhile(
    faculty: College, colleague: Person
) -> None:
    role = gets_role(faculty, colleague)
    faculty.harness.run(days_later=1)
    loses(faculty, role)
    removed = faculty.harness.run(days_later=1)
    asked = faculty.harness.undo(removed.plan_id)
    assert asked.request

    by_hand(faculty, colleague)
    imports = faculty.imports()
    faculty.harness.approve(asked.request)
    changes = [faculty.harness.run(days_later=1).changes for _ in range(2)]

    assert (str(faculty.request(asked.request)), changes, faculty.imports()) == ("applied", [0, 0], imports)
    assert administers(faculty, colleague) == THERE


def test_a_sync_that_is_killed_between_looking_and_sending_is_made_good_by_the_next(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        theirs, ours = employed(one), employed(one)
        by_hand(one, theirs)
        roles = [gets_role(one, person) for person in (theirs, ours)]
        there = connections(one.sandbox.url, one.harness.institution)
        job = Job(f"sqlite:///{tmp_path}/store.db", f"{tmp_path}/pages", PAGE_KEY, there, one.clock(), settings=PEOPLE)

        assert killed_at(job, "before import 1") is None, "nobody was killed"

        assert made_until_lost(one, (theirs, ours), roles) == [(THERE, False), (THERE, True)]
        assert [administers(one, person) for person in (theirs, ours)] == [THERE, GONE]


def test_an_account_is_asked_about_once_however_many_get_it_and_only_when_somebody_does(
    faculty: College, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [employed(faculty) for _ in range(3)]
    asked: list[str] = []
    look = CanvasHook.administrators

    def seen(hook: CanvasHook, account: str) -> object:
        asked.append(account)
        return look(hook, account)

    monkeypatch.setattr(CanvasHook, "administrators", seen)
    roles = [gets_role(faculty, person) for person in people]
    faculty.harness.run(days_later=1)
    faculty.harness.run(days_later=1)
    for role in roles:
        loses(faculty, role)
    faculty.harness.run(days_later=1)

    assert asked == [HOME]


def test_an_administrator_whom_people_made_of_a_user_without_sis_id_stays_theirs_when_first_contact_makes_the_user_ours(
    tmp_path: Path,
) -> None:
    with college(tmp_path, **PEOPLE) as one:
        person = newcomer(one)
        role = gets_role(one, person)
        one.harness.run()
        admin_by_hand(one, str(local_user(one, str(person.feide_bruker).upper()).user_id))

        one.harness.approve()
        assert login_of(one, person)
        loses(one, role)
        one.harness.run(days_later=1)

        assert (administers(one, person), is_an_imports(one, person)) == (THERE, False)
