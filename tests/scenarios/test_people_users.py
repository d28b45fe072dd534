"""Who is a user in Canvas, by which login, and what becomes of users who may not be there any more (issue 3 §3.1)."""

from __future__ import annotations

from pathlib import Path

from sandbox.university.model import Undervisningsenhet
from tests.scenarios.college import College
from tests.scenarios.persons import (
    decided,
    drops,
    faculty_of,
    follows,
    follows_in_canvas,
    log_in_as,
    login_of,
    newcomer,
    refused,
    user_of,
)

# -- logins -----------------------------------------------------------------------------------------------------------


def test_somebody_without_feide_bruker_waits_for_one(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty, login=None)
    follows(faculty, person, ue)

    faculty.harness.run(days_later=1)
    assert (login_of(faculty, person), decided(faculty, person)) == (None, {"user-without-login"})

    log_in_as(faculty, person, f"sen{person.lopenummer}@rosterflow.example")
    faculty.harness.run(days_later=1)
    assert login_of(faculty, person) == (f"sen{person.lopenummer}@rosterflow.example", "active")
    assert follows_in_canvas(faculty, person, ue) == "active"


def test_somebody_who_loses_the_feide_bruker_stays_as_they_are(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    before = login_of(faculty, person)

    log_in_as(faculty, person, None)
    faculty.harness.run(days_later=1)

    assert (login_of(faculty, person), follows_in_canvas(faculty, person, ue)) == (before, "active")


def test_of_two_new_people_with_one_feide_bruker_neither_is_sent(faculty: College, ue: Undervisningsenhet) -> None:
    people = [newcomer(faculty, login="begge@rosterflow.example") for _ in range(2)]
    for person in people:
        follows(faculty, person, ue)

    faculty.harness.run(days_later=1)

    assert [login_of(faculty, person) for person in people] == [None, None]
    assert [decided(faculty, person) for person in people] == [{"user-login-shared"}] * 2
    log_in_as(faculty, people[1], "den.andre@rosterflow.example")
    faculty.harness.run(days_later=1)
    assert login_of(faculty, people[0]) == ("begge@rosterflow.example", "active")


def test_who_has_a_login_keeps_it_when_somebody_else_comes_with_it(faculty: College, ue: Undervisningsenhet) -> None:
    first = newcomer(faculty)
    follows(faculty, first, ue)
    faculty.harness.run(days_later=1)
    second = newcomer(faculty, login=first.feide_bruker)
    follows(faculty, second, ue)

    faculty.harness.run(days_later=1)

    assert login_of(faculty, first) == (first.feide_bruker, "active")
    assert (login_of(faculty, second), follows_in_canvas(faculty, first, ue)) == (None, "active")


def test_capital_letters_of_a_login_are_not_sent(faculty: College) -> None:
    person = newcomer(faculty, login="STOR.Bokstav@Rosterflow.Example")
    follows(faculty, person, faculty.teaching())

    faculty.harness.run(days_later=1)

    assert login_of(faculty, person) == ("stor.bokstav@rosterflow.example", "active")
    assert faculty.harness.run(days_later=1).changes == 0


def test_a_changed_login_is_the_same_users(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    users = len(faculty.sandbox.world.canvas.pseudonyms)

    log_in_as(faculty, person, f"gift{person.lopenummer}@rosterflow.example")
    faculty.harness.run(days_later=1)

    assert login_of(faculty, person) == (f"gift{person.lopenummer}@rosterflow.example", "active")
    assert (len(faculty.sandbox.world.canvas.pseudonyms), faculty.harness.waiting()) == (users, [])
    assert follows_in_canvas(faculty, person, ue) == "active"


def test_a_swap_of_logins_is_held_and_once_approved_done_by_one_import(
    faculty: College, ue: Undervisningsenhet
) -> None:
    one, two = newcomer(faculty), newcomer(faculty)
    for person in (one, two):
        follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    before = login_of(faculty, one), login_of(faculty, two)
    first, second = one.feide_bruker, two.feide_bruker
    log_in_as(faculty, one, second)
    log_in_as(faculty, two, first)

    faculty.harness.run(days_later=1)
    assert (login_of(faculty, one), login_of(faculty, two)) == before
    posted = faculty.imports()
    faculty.harness.approve()

    assert (login_of(faculty, two), login_of(faculty, one), faculty.imports()) == (*before, posted + 1)


# -- who may not be there any more ------------------------------------------------------------------------------------


def test_who_is_reserved_is_suspended_and_comes_back_when_it_is_withdrawn(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    login = person.feide_bruker

    with faculty.changing_fs():
        person.kan_overfores = False
    faculty.harness.run(days_later=1)
    assert (login_of(faculty, person), follows_in_canvas(faculty, person, ue)) == ((login, "suspended"), "inactive")
    assert "user-reserved" in decided(faculty, person)

    with faculty.changing_fs():
        person.kan_overfores = True
    faculty.harness.run(days_later=1)
    assert (login_of(faculty, person), follows_in_canvas(faculty, person, ue)) == ((login, "active"), "active")


def test_who_is_reserved_from_the_start_is_never_sent(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    with faculty.changing_fs():
        person.kan_overfores = False
    follows(faculty, person, ue)

    faculty.harness.run(days_later=1)

    assert login_of(faculty, person) is None


def test_who_is_reserved_may_be_left_as_they_are(tmp_path: Path) -> None:
    leave = {"users": {"reserved": "leave"}, "students_leave": {"reserved": "leave"}}
    with faculty_of(tmp_path, **leave) as one:
        person, ue = newcomer(one), one.teaching()
        follows(one, person, ue)
        one.harness.run(days_later=1)

        with one.changing_fs():
            person.kan_overfores = False
        done = one.harness.run(days_later=1)

        assert (login_of(one, person), done.changes) == ((person.feide_bruker, "active"), 0)
        assert follows_in_canvas(one, person, ue) == "active"


def test_the_dead_are_suspended_and_a_mistake_is_undone(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    login = person.feide_bruker

    with faculty.changing_fs():
        person.er_dod = True
    faculty.harness.run(days_later=1)
    assert (login_of(faculty, person), follows_in_canvas(faculty, person, ue)) == ((login, "suspended"), "inactive")

    with faculty.changing_fs():
        person.er_dod = False
    faculty.harness.run(days_later=1)
    assert (login_of(faculty, person), follows_in_canvas(faculty, person, ue)) == ((login, "active"), "active")


def test_who_has_nothing_left_keeps_the_user(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    right = follows(faculty, person, ue)
    faculty.harness.run(days_later=1)

    drops(faculty, right)
    faculty.harness.run(days_later=1)

    assert login_of(faculty, person) == (person.feide_bruker, "active")
    assert follows_in_canvas(faculty, person, ue) == "deleted"


# -- what Canvas refuses ----------------------------------------------------------------------------------------------


def test_a_login_that_canvas_refuses_stops_nobody_else_and_backs_off(faculty: College, ue: Undervisningsenhet) -> None:
    person, other = newcomer(faculty), newcomer(faculty)
    login = str(person.feide_bruker)
    for each in (person, other):
        follows(faculty, each, ue)
    stranger = {"pseudonym[unique_id]": login, "pseudonym[sis_user_id]": f"GJEST{person.lopenummer}"}
    faculty.by_hand("POST", "/accounts/1/users", **{"user[name]": "Gjest", **stranger})

    faculty.harness.run(days_later=1)
    assert (login_of(faculty, person), follows_in_canvas(faculty, other, ue)) == (None, "active")
    (told, *_) = refused(faculty, person)
    assert not any(word in told for word in (login, person.fornavn or "", person.etternavn, person.epost or ""))

    posted = faculty.imports()
    faculty.harness.run(days_later=0.01)
    assert faculty.imports() == posted, "it waits an hour before it is tried again"

    faculty.by_hand("DELETE", f"/accounts/1/users/sis_user_id:GJEST{person.lopenummer}")
    faculty.harness.run(days_later=1)
    faculty.harness.run(days_later=1)
    assert (login_of(faculty, person), refused(faculty, person)) == ((login, "active"), [])
    assert follows_in_canvas(faculty, person, ue) == "active"


def test_a_refused_user_is_tried_at_once_when_fs_has_another_login(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    follows(faculty, person, ue)
    taken = {"pseudonym[unique_id]": str(person.feide_bruker), "pseudonym[sis_user_id]": f"GJEST{person.lopenummer}"}
    faculty.by_hand("POST", "/accounts/1/users", **{"user[name]": "Gjest", **taken})
    faculty.harness.run(days_later=1)
    assert login_of(faculty, person) is None

    log_in_as(faculty, person, f"fri{person.lopenummer}@rosterflow.example")
    faculty.harness.run(days_later=0.01)

    assert login_of(faculty, person) == (f"fri{person.lopenummer}@rosterflow.example", "active")


def test_without_provisioning_a_missing_user_is_an_error_until_the_identity_system_makes_it(tmp_path: Path) -> None:
    with faculty_of(tmp_path, users={"provision": False}) as one:
        person, ue = newcomer(one), one.teaching()
        follows(one, person, ue)

        one.harness.run(days_later=1)
        assert (login_of(one, person), len(refused(one, person))) == (None, 1)

        made = {"pseudonym[unique_id]": str(person.feide_bruker), "pseudonym[sis_user_id]": user_of(person)}
        one.by_hand("POST", "/accounts/1/users", **{"user[name]": "Ny", **made})
        one.harness.run(days_later=1)
        assert (follows_in_canvas(one, person, ue), refused(one, person)) == ("active", [])
