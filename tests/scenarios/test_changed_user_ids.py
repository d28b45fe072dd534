"""A user goes by another id in FS: in Canvas they get it too, and keep all that they are in (issue 3 §3.2)."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path

import pytest

from rosterflow.domain.plan import Action
from rosterflow.sync.explaining import explain_somebody, timeline_of
from sandbox.university.model import Undervisningsenhet
from sandbox.university.people import Person
from tests.harness import institution
from tests.scenarios.college import College
from tests.scenarios.people_day import PEOPLE
from tests.scenarios.persons import (
    decided,
    drops,
    faculty_of,
    follows,
    follows_in_canvas,
    log_in_as,
    login_of,
    newcomer,
    reject,
    rows_of,
    standing_under,
    user_of,
)

_numbers = count(990_001)


def merged(one: College, person: Person) -> str:
    """FS gives somebody another personlopenummer; the SIS id that they had."""
    before = user_of(person)
    with one.changing_fs():
        person.lopenummer = next(_numbers)
    return before


def student_of(one: College, ue: Undervisningsenhet) -> Person:
    """Somebody new who follows teaching, in Canvas too."""
    person = newcomer(one)
    follows(one, person, ue)
    one.harness.run(days_later=1)
    return person


def ids_in_canvas(one: College) -> set[str]:
    return {login.sis_id for login in one.sandbox.world.canvas.pseudonyms if login.sis_id}


# -- one person -------------------------------------------------------------------------------------------------------


def test_who_goes_by_another_number_keeps_the_user_and_all(faculty: College, ue: Undervisningsenhet) -> None:
    person = student_of(faculty, ue)
    login, before = login_of(faculty, person), rows_of(faculty)
    old = merged(faculty, person)

    done = faculty.harness.run(days_later=1)
    assert [(c.change.action, c.guard_rule) for c in faculty.harness.changes(done.plan_id)] == [
        (Action.CHANGE_ID, "id-change")
    ]
    assert (standing_under(faculty, old), rows_of(faculty)) == ("active", before)
    faculty.harness.approve()

    assert (login_of(faculty, person), standing_under(faculty, old)) == (login, None)
    assert (follows_in_canvas(faculty, person, ue), rows_of(faculty)) == ("active", before)
    assert faculty.harness.run(days_later=1).changes == 0


def test_until_a_person_says_who_it_is_nothing_new_comes_to_them_and_then_it_does(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = student_of(faculty, ue)
    merged(faculty, person)
    other = faculty.teaching(1)
    follows(faculty, person, other)
    with faculty.changing_fs():
        person.etternavn = "Nygiftstad"

    faculty.harness.run(days_later=1)
    assert (follows_in_canvas(faculty, person, other), login_of(faculty, person)) == (None, None)
    assert decided(faculty, person) == {"user-id-changed"}
    faculty.harness.approve()
    faculty.harness.run(days_later=1)

    assert follows_in_canvas(faculty, person, ue) == follows_in_canvas(faculty, person, other) == "active"


def test_another_name_with_the_login_is_said_to_the_person_who_decides(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = student_of(faculty, ue)
    merged(faculty, person)
    with faculty.changing_fs():
        person.fornavn, person.etternavn = "Frammand", "Heiltannan"

    done = faculty.harness.run(days_later=1)

    (held,) = faculty.harness.changes(done.plan_id)
    assert (held.change.rule, held.guard_rule) == ("user-id-changed-with-name", "id-change")
    assert str(held.guard_reason).endswith("so it may be somebody else.")
    assert "Heiltannan" not in str(held)
    reject(faculty)


def test_who_is_not_the_same_stays_apart_after_a_no(faculty: College, ue: Undervisningsenhet) -> None:
    person = student_of(faculty, ue)
    old = merged(faculty, person)
    faculty.harness.run(days_later=1)
    reject(faculty)

    done = faculty.harness.run(days_later=1)

    assert Action.CHANGE_ID not in {one.change.action for one in faculty.harness.changes(done.plan_id)}
    assert (login_of(faculty, person), standing_under(faculty, old)) == (None, "active")
    assert "user-login-shared" in decided(faculty, person)


def test_of_two_who_come_with_the_login_nobody_gets_the_user(faculty: College, ue: Undervisningsenhet) -> None:
    person = student_of(faculty, ue)
    before = rows_of(faculty)
    old = merged(faculty, person)
    twin = newcomer(faculty, login=person.feide_bruker)
    follows(faculty, twin, ue)

    done = faculty.harness.run(days_later=1)

    assert (done.changes, standing_under(faculty, old), rows_of(faculty)) == (0, "active", before)
    assert decided(faculty, person) == decided(faculty, twin) == {"user-id-ambiguous"}
    log_in_as(faculty, twin, f"tvilling{twin.lopenummer}@rosterflow.example")
    faculty.harness.run(days_later=1)
    assert login_of(faculty, twin) == (f"tvilling{twin.lopenummer}@rosterflow.example", "active")
    faculty.harness.approve()
    assert follows_in_canvas(faculty, person, ue) == "active"


def test_who_drops_while_nobody_decides_leaves_all_the_same(faculty: College, ue: Undervisningsenhet) -> None:
    person = newcomer(faculty)
    right = follows(faculty, person, ue)
    faculty.harness.run(days_later=1)
    merged(faculty, person)
    faculty.harness.run(days_later=1)

    drops(faculty, right)
    faculty.harness.run(days_later=1)
    faculty.harness.approve()

    assert (follows_in_canvas(faculty, person, ue), login_of(faculty, person)) == (
        "deleted",
        (person.feide_bruker, "active"),
    )


def test_an_incomplete_read_asks_about_nobodys_id(faculty: College, ue: Undervisningsenhet) -> None:
    person = student_of(faculty, ue)
    old = merged(faculty, person)
    faculty.fault("fs", "null_node", match="brukere")

    done = faculty.harness.run(days_later=1)

    assert (done.changes, faculty.harness.waiting(), standing_under(faculty, old)) == (0, [], "active")
    faculty.harness.run(days_later=1)
    faculty.harness.approve()
    assert follows_in_canvas(faculty, person, ue) == "active"


def test_an_id_that_canvas_refuses_is_a_row_error_and_waits(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        ue = one.teaching()
        person = student_of(one, ue)
        before = rows_of(one)
        old = merged(one, person)
        one.harness.run(days_later=1)
        taken = {"pseudonym[unique_id]": f"hand{person.lopenummer}", "pseudonym[sis_user_id]": user_of(person)}
        one.by_hand("POST", "/accounts/1/users", **{"user[name]": "Gjest", **taken})
        one.harness.approve()

        assert (standing_under(one, old), rows_of(one)) == ("active", before)
        (told,) = [message for subject, message in one.open_errors() if subject.endswith(old)]
        assert told == "A new_id, '…', referenced an existing user and the user with sis_user_id '…' was not updated"
        posted = one.imports()
        done = one.harness.run(days_later=0.01)
        assert (done.changes, one.imports(), standing_under(one, old)) == (0, posted, "active")


def test_explain_and_timeline_show_a_user_through_the_change_of_the_id(
    faculty: College, ue: Undervisningsenhet
) -> None:
    person = student_of(faculty, ue)
    merged(faculty, person)
    faculty.harness.run(days_later=1)
    harness, number = faculty.harness, str(person.lopenummer)

    asked = explain_somebody(harness.store, harness.blobs, harness.institution, number)
    assert asked.blocked_by is not None
    assert asked.steps[asked.blocked_by].step.rule == "user-id-changed"
    assert ("user", "active") in asked.standings
    assert [one.what for one in asked.timeline if one.where == "user"][-2:] == ["planned", "held"]
    faculty.harness.approve()

    told = [(one.what, one.where) for one in timeline_of(harness.store, harness.institution, number)]
    assert ("added", "user") in told
    assert ("id changed", "user") in told
    assert len([where for what, where in told if what == "added"]) > 1


# -- many -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_whoever_goes_by_another_number_no_row_of_an_enrollment_changes(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with faculty_of(tmp_path) as one:
        users = ids_in_canvas(one)
        known = [person for person in one.university.personer if user_of(person) in users and person.feide_bruker]
        before = rows_of(one)
        olds = {merged(one, person) for person in chance.sample(known, chance.randint(2, 8))}

        one.harness.run(days_later=1)
        asked = rows_of(one)
        one.harness.approve()
        after = rows_of(one)
        again = one.harness.run(days_later=1)

        assert before == asked == after == rows_of(one)
        assert (again.changes, ids_in_canvas(one) & olds) == (0, set())


# -- everybody --------------------------------------------------------------------------------------------------------


def test_when_the_settings_make_ids_of_logins_everybody_gets_one_and_no_enrollment_changes(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        before, logins = rows_of(one), ids_in_canvas(one)
        settings = PEOPLE["people"] | {"users": {"sis_id": "feide_bruker"}}
        one.harness.institution = institution(guards=PEOPLE["guards"], people=settings)

        done = one.harness.run(days_later=1)
        assert {c.change.action for c in one.harness.changes(done.plan_id)} == {Action.CHANGE_ID}
        assert (rows_of(one), ids_in_canvas(one)) == (before, logins)
        one.harness.approve()

        assert rows_of(one) == before
        renamed = {
            login.sis_id
            for login in one.sandbox.world.canvas.pseudonyms
            if login.sis_id and login.sis_id == login.unique_id.lower()
        }
        assert len(renamed) > 30
        assert len(ids_in_canvas(one)) == len(logins)
        again = one.harness.run(days_later=1)
        assert (again.changes, one.harness.waiting(), rows_of(one)) == (0, [], before)


def test_an_import_of_new_ids_that_was_cut_short_is_found_out_from_canvas(tmp_path: Path) -> None:
    with faculty_of(tmp_path) as one:
        ue = one.teaching()
        people = [student_of(one, ue) for _ in range(2)]
        before = rows_of(one)
        for person in people:
            merged(one, person)
        one.harness.run(days_later=1)
        one.fault("canvas", "abort_import")

        one.harness.approve()
        one.harness.run(days_later=1)

        assert (one.harness.waiting(), rows_of(one)) == ([], before)
        assert [follows_in_canvas(one, person, ue) for person in people] == ["active", "active"]
