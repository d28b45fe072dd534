"""Where ids of users are made of logins, who gets another login keeps the user and all (issue 3 §3.1 and §3.2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rosterflow.domain.plan import Action
from sandbox.university.people import Person
from tests.scenarios.college import College
from tests.scenarios.persons import faculty_of, follows, log_in_as, newcomer, reject, rows_of, standing_under


@pytest.fixture(scope="module")
def by_login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[College]:
    """A faculty whose users go by their logins in Canvas."""
    with faculty_of(tmp_path_factory.mktemp("logins"), users={"sis_id": "feide_bruker"}) as one:
        yield one


def a_student(one: College) -> tuple[Person, str]:
    """Somebody new who follows teaching, and the login."""
    person = newcomer(one)
    follows(one, person, one.teaching())
    one.harness.run(days_later=1)
    assert person.feide_bruker
    return person, person.feide_bruker


def test_who_gets_another_login_keeps_the_user_and_all(by_login: College) -> None:
    person, old = a_student(by_login)
    before = rows_of(by_login)
    log_in_as(by_login, person, f"ny-{old}")

    done = by_login.harness.run(days_later=1)
    (asked,) = by_login.harness.changes(done.plan_id)
    assert (asked.change.action, asked.change.rule, asked.guard_rule) == (
        Action.CHANGE_ID,
        "user-login-changed",
        "id-change",
    )
    assert (standing_under(by_login, old), rows_of(by_login)) == ("active", before)
    by_login.harness.approve()
    by_login.harness.run(days_later=1)

    login = by_login.sandbox.world.canvas.pseudonyms.by_sis_id(f"ny-{old}")
    assert login
    assert (login.unique_id, standing_under(by_login, old), rows_of(by_login)) == (f"ny-{old}", None, before)
    again = by_login.harness.run(days_later=1)
    assert (again.changes, by_login.harness.waiting()) == (0, [])


def test_who_gets_another_login_twice_is_known_by_the_last_one(by_login: College) -> None:
    person, old = a_student(by_login)
    before = rows_of(by_login)
    for login in (f"b-{old}", f"c-{old}"):
        log_in_as(by_login, person, login)
        by_login.harness.run(days_later=1)
        by_login.harness.approve()
        by_login.harness.run(days_later=1)

    assert (standing_under(by_login, f"c-{old}"), rows_of(by_login)) == ("active", before)


def test_after_a_no_another_login_is_another_user(by_login: College) -> None:
    person, old = a_student(by_login)
    log_in_as(by_login, person, f"ny-{old}")
    by_login.harness.run(days_later=1)
    reject(by_login)

    by_login.harness.run(days_later=1)

    assert (standing_under(by_login, f"ny-{old}"), standing_under(by_login, old)) == ("active", "active")


def test_who_leaves_without_another_login_is_nobody_elses_user(by_login: College) -> None:
    person, old = a_student(by_login)
    before = rows_of(by_login)
    with by_login.changing_fs():
        person.feide_bruker = None

    done = by_login.harness.run(days_later=1)

    assert (done.changes, standing_under(by_login, old), rows_of(by_login)) == (0, "active", before)
