"""Rows about people: users in an order in which Canvas takes their logins, enrollments and administrators."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace

from rosterflow.domain.model import Course, Key, Kind, Section
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import STANDINGS, Member, Place, Roster
from rosterflow.wire.canvas_csv import SisFile, first_import, second_import, sis_files

SECTION, COURSE, UNIT = Place(Kind.SECTION, "UA_1"), Place(Kind.COURSE, "UE_1"), Place(Kind.ACCOUNT, "184_1")


def users(before: Mapping[str, str], after: Mapping[str, str], action: Action = Action.UPDATE) -> Change:
    """A change of users' logins."""

    def shelf(logins: Mapping[str, str]) -> Roster:
        return Roster(Kind.USER, None, "00", {user: member(login) for user, login in logins.items()})

    return Change(action, shelf(before) if before else None, shelf(after), "changed", "")


def member(login: str) -> Member:
    return (login, "Kari Nordmann", "Nordmann, Kari", "kari@example.org", "active")


def people(place: Place, role: str, state: str, *ids: str, action: Action = Action.CREATE) -> Change:
    kind = Kind.ADMIN if place.kind is Kind.ACCOUNT else Kind.ENROLLMENT
    return Change(action, None, Roster(kind, place, role, dict.fromkeys(ids, STANDINGS[state])), "new", "")


def one_file(*changes: Change) -> SisFile:
    (file,) = sis_files(changes, mark="m", publish_new=False)
    return file


def logins(file: SisFile) -> list[tuple[str, str]]:
    return [(row["user_id"], row["login_id"]) for row in csv.DictReader(io.StringIO(file.content))]


def test_enrollments_name_their_section_or_their_course_and_never_both() -> None:
    file = one_file(
        people(SECTION, "StudentEnrollment", "active", "u2", "u1"),
        people(COURSE, "Følger, med komma", "inactive", "u3", action=Action.HIDE),
    )

    assert (file.name, file.counted_as, file.rows, file.users) == (
        "m-enrollments.csv",
        "enrollments",
        (0, 0, 1),
        ("u1", "u2", "u3"),
    )
    assert file.content == (
        "course_id,section_id,user_id,role,status\n"
        ",UA_1,u1,StudentEnrollment,active\n"
        ",UA_1,u2,StudentEnrollment,active\n"
        'UE_1,,u3,"Følger, med komma",inactive\n'
    )


def test_administrators_of_accounts() -> None:
    file = one_file(people(UNIT, "AccountAdmin", "deleted", "u1", action=Action.DELETE))

    assert file.content == "user_id,account_id,role,status\nu1,184_1,AccountAdmin,deleted\n"


def test_users_with_all_that_is_ours_of_them() -> None:
    file = one_file(users({}, {"u1": "kari@x.no"}, Action.CREATE))

    assert file.content == (
        "user_id,login_id,full_name,sortable_name,email,status\n"
        'u1,kari@x.no,Kari Nordmann,"Nordmann, Kari",kari@example.org,active\n'
    )


def test_whoever_takes_over_a_login_comes_after_the_one_who_gives_it_up() -> None:
    file = one_file(
        users({"u1": "b"}, {"u1": "c"}), users({}, {"u0": "B"}, Action.CREATE), users({"u2": "c"}, {"u2": "d"})
    )

    assert logins(file) == [("u2", "d"), ("u1", "c"), ("u0", "B")]
    assert file.rows == (2, 0, 1)


def test_in_a_circle_of_logins_one_user_has_another_one_for_a_moment() -> None:
    file = one_file(users({"u1": "a", "u2": "b", "u3": "c"}, {"u1": "b", "u2": "c", "u3": "a"}))

    assert logins(file) == [("u1", "swap-u1"), ("u3", "a"), ("u2", "c"), ("u1", "b")]
    assert file.users == ("u1", "u3", "u2", "u1")


def test_whatever_logins_go_round_no_row_claims_one_that_somebody_has() -> None:
    before = {"u1": "a", "u2": "b", "u3": "c", "u4": "d", "u5": "e", "u6": "f"}
    after = {"u1": "b", "u2": "a", "u3": "d", "u4": "e", "u5": "c", "u6": "g"}

    held = {login: user for user, login in before.items()}
    for user, login in logins(one_file(users(before, after), users({}, {"u0": "f"}, Action.CREATE))):
        assert held.get(login, user) == user
        held = {name: holder for name, holder in held.items() if holder != user} | {login: user}
    assert {user: login for login, user in held.items()} == {**after, "u0": "f"}


def test_people_of_a_place_whose_id_changes_in_the_same_import_go_by_the_new_one() -> None:
    course = Course("UE_1", "a", "b", "184_1")
    renamed = Change(Action.CHANGE_ID, course, replace(course, sis_id="UE_2"), "id-changed", "")

    files = sis_files([renamed, people(COURSE, "StudentEnrollment", "active", "u1")], mark="m", publish_new=False)

    assert files[1].content.splitlines()[1] == "UE_2,,u1,StudentEnrollment,active"


def test_users_with_another_id_go_by_it_in_every_other_row_of_the_same_import() -> None:
    part = Roster(Kind.USER, None, "00", {"u1": member("kari")}, part="user-id-changed", ids={"u1": "n1"})
    renamed = Change(Action.CHANGE_ID, part, part, "user-id-changed", "")
    rest = (
        users({"u1": "kari"}, {"u1": "karin"}),
        people(SECTION, "StudentEnrollment", "deleted", "u1", "u2", action=Action.DELETE),
        people(UNIT, "AccountAdmin", "active", "u1"),
    )

    files = sis_files([renamed, *rest], mark="m", publish_new=False)

    assert [file.content.splitlines() for file in files] == [
        ["old_id,new_id,type", "u1,n1,user"],
        ["user_id,login_id,full_name,sortable_name,email,status"]
        + ['n1,karin,Kari Nordmann,"Nordmann, Kari",kari@example.org,active'],
        ["course_id,section_id,user_id,role,status"]
        + [",UA_1,n1,StudentEnrollment,deleted", ",UA_1,u2,StudentEnrollment,deleted"],
        ["user_id,account_id,role,status", "n1,184_1,AccountAdmin,active"],
    ]
    assert [file.users for file in files] == [("u1",), ("u1",), ("u1", "u2"), ("u1",)]
    assert files[0].counted_as == "change_sis_ids"


def test_people_are_hidden_by_csv_though_courses_are_not() -> None:
    assert first_import(people(SECTION, "StudentEnrollment", "inactive", "u1", action=Action.HIDE))


def test_who_moved_leaves_in_the_second_import() -> None:
    gone = Roster(Kind.ENROLLMENT, SECTION, "StudentEnrollment", {"u1": STANDINGS["deleted"]}, part="moved")
    moved = Change(Action.DELETE, None, gone, "moved", "")

    assert (first_import(moved), second_import(moved)) == (False, True)


def test_objects_have_no_users() -> None:
    section = Section("UA_1", "Gruppe", "UE_1")

    assert one_file(Change(Action.CREATE, None, section, "new", "")).users == ()
    assert Key(Kind.SECTION, "UA_1") == SECTION.key
