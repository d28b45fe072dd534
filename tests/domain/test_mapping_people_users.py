from __future__ import annotations

import pytest

from rosterflow.domain.decisions import Decision
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.people import PeopleRow
from rosterflow.domain.fs.rows import UnreadableRow
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Key, Kind, SourceKind
from rosterflow.domain.rosters import Reason, shelf_of
from rosterflow.domain.snapshot import Scope, Snapshot
from tests.domain.fs_builders import NOW, institution
from tests.domain.people_builders import (
    UE,
    in_section,
    member,
    people,
    person,
    right,
    rules,
    source,
    stays,
    there,
    user,
    users_leaving,
    users_staying,
    wanted_users,
)


def users_are(**settings: object) -> Institution:
    return institution(people={"users": settings})


def test_a_person_becomes_a_user_on_the_shelf_of_its_id() -> None:
    shot = people(person("1", epost="per1@hav.example"))

    assert shot.rosters[Key(Kind.USER, f"shelf {shelf_of('FS_184_1')}")].roster.members == {
        "FS_184_1": ("p1@fjord.example", "Per1 Hav", "Hav, Per1", "per1@hav.example", "active")
    }
    assert rules(shot, "1") == []
    assert shot.rows_read[SourceKind.BRUKER] == 1


def test_leading_zeros_of_the_institutions_number_are_not_in_a_users_id() -> None:
    assert list(wanted_users(people(person("1"), inst=institution(number="0184")))) == ["FS_184_1"]


def test_ids_may_be_made_of_the_login() -> None:
    shot = people(person("1", "Per@Fjord.Example"), right("1"), inst=users_are(sis_id="feide_bruker"))

    assert list(wanted_users(shot)) == ["per@fjord.example"]
    assert there(shot, UE) == ["per@fjord.example"]


def test_two_people_with_one_login_never_share_a_user_whose_id_is_the_login() -> None:
    inst = users_are(sis_id="feide_bruker")
    rows = person("1", "per@fjord.example"), person("2", "per@fjord.example"), right("1"), right("2")

    new = people(*rows, inst=inst)
    known = people(*rows, inst=inst, users={"per@fjord.example": member("1", login="per@fjord.example")})

    assert (wanted_users(new), there(new, UE)) == ({}, [])
    assert (wanted_users(known), there(known, UE)) == ({}, [])
    assert users_staying(known) == ["per@fjord.example"]


def test_somebody_without_a_login_is_not_sent() -> None:
    shot = people(person("1", feide_bruker=None), right("1"))

    assert (wanted_users(shot), there(shot, UE)) == ({}, [])
    assert rules(shot, "1") == [("user-without-login", False)]


def test_a_user_whose_login_is_gone_from_fs_stays_as_canvas_has_it() -> None:
    known = {user("1"): member("1", name="Per Før")}

    shot = people(person("1", feide_bruker=None), right("1"), users=known)

    assert wanted_users(shot) == known
    assert there(shot, UE) == ["1"]


def test_two_new_people_with_one_login_are_both_not_sent_and_one_problem_names_them() -> None:
    shot = people(person("1", "per@fjord.example"), person("2", "PER@fjord.example"), right("1"), right("2"))

    assert (wanted_users(shot), there(shot, UE)) == ({}, [])
    (problem,) = shot.problems
    assert (problem.code, problem.subject, problem.field) == (Code.ID_COLLISION, "1", "feideBruker")
    assert problem.message == "1 and 2 have one feideBruker: no new user is sent, and one in use stays as it is."
    assert rules(shot, "1") == [("user-login-shared", False)]


def test_of_two_people_with_one_login_the_one_who_has_it_in_canvas_keeps_the_user() -> None:
    known = {user("1"): member("1", name="Per Før")}

    shot = people(person("1"), person("2", "p1@fjord.example"), right("1"), right("2"), users=known)

    assert wanted_users(shot) == known
    assert there(shot, UE) == ["1"]


def test_a_login_that_a_user_outside_fs_has_in_canvas_is_given_to_nobody_else() -> None:
    shot = people(person("2", "p1@fjord.example"), users={"ANSATT_1": member("1")})

    assert (wanted_users(shot), shot.user_ids) == ({}, {})
    assert users_staying(shot) == ["ANSATT_1"]
    (problem,) = shot.problems
    assert problem.message.startswith("2 and a user of somebody who is not sent have one feideBruker")


def test_who_has_the_login_of_an_id_that_is_gone_goes_by_another_id() -> None:
    known = {user("1"): member("1", name="Per2 Hav"), user("3"): member("3"), user("5"): member("5", state="suspended")}
    rows = person("2", "P1@fjord.example"), person("4", "p3@fjord.example"), person("6", "p5@fjord.example")

    shot = people(*rows, right("2"), users=known)

    assert shot.user_ids == {
        user("1"): (user("2"), "user-id-changed"),
        user("3"): (user("4"), "user-id-changed-with-name"),
        user("5"): (user("6"), "user-id-changed-with-name"),
    }
    assert (wanted_users(shot), users_staying(shot)) == ({}, sorted(known))
    assert (there(shot, UE), rules(shot, "2")) == ([], [("user-id-changed", False)])
    assert shot.problems == ()


@pytest.mark.parametrize("sis_id", ["FS_184_7", "per@fjord.example"])
def test_an_id_is_another_one_whichever_way_the_settings_change(sis_id: str) -> None:
    made = "feide_bruker" if sis_id.startswith("FS") else "personlopenummer"
    known = {sis_id: ("per@fjord.example", "Per Hav", "Hav, Per", "", "active")}

    shot = people(person("7", "per@fjord.example"), users=known, inst=users_are(sis_id=made))

    assert [(old, new.sis_id) for old, new in shot.user_ids.items()] == [
        (sis_id, "per@fjord.example" if made == "feide_bruker" else "FS_184_7")
    ]


def people_by_login(*rows: PeopleRow) -> Snapshot:
    """What becomes of people where ids are made of logins, and the one with the number 7 was sent as ``per``."""
    known = {"per": ("per", "Per Hav", "Hav, Per", "", "active")}
    return people(*rows, inst=users_are(sis_id="feide_bruker"), users=known, numbers={"per": "7"})


def test_whose_id_is_made_of_the_login_is_known_by_the_number_when_the_login_changes() -> None:
    shot = people_by_login(person("7", "nyper"), right("7"))

    assert (shot.user_ids, rules(shot, "7")) == ({"per": ("nyper", "user-login-changed")}, [("user-id-changed", False)])
    assert (wanted_users(shot), users_staying(shot), shot.user_numbers) == ({}, ["per"], {})


def test_who_has_the_login_no_longer_stays_as_they_are_by_the_number() -> None:
    shot = people_by_login(person("7", feide_bruker=None), right("7"))

    assert (there(shot, UE), shot.user_ids, shot.user_numbers) == (["per"], {}, {"per": "7"})


def test_a_login_that_is_somebody_elses_now_is_their_user() -> None:
    for first in (person("7", feide_bruker=None), person("7", "nyper")):
        shot = people_by_login(first, person("8", "per"), right("7"), right("8"))

        assert (shot.user_ids, shot.user_numbers["per"]) == ({}, "8")
        assert "per" in there(shot, UE)


def test_nobody_goes_by_another_id_while_fs_has_the_old_one() -> None:
    known = {user("1"): member("1")}
    unreadable = UnreadableRow(Code.ROW_INVALID, SourceKind.BRUKER, "1", "epost", "It is broken.", known=("1",))

    for rows in ((person("1", None),), (person("1", "ny@fjord.example"),), (unreadable,)):
        assert people(person("2", "p1@fjord.example"), *rows, users=known).user_ids == {}


def test_of_several_who_come_with_a_login_nobody_goes_by_another_id() -> None:
    rows = person("2", "p1@fjord.example"), person("3", "p1@fjord.example"), right("2"), right("3")

    shot = people(*rows, users={user("1"): member("1")})

    assert (shot.user_ids, wanted_users(shot), there(shot, UE)) == ({}, {}, [])
    assert rules(shot, "2") == rules(shot, "3") == [("user-id-ambiguous", False)]


def test_the_login_of_a_deleted_user_is_free() -> None:
    shot = people(person("2", "p1@fjord.example"), users={user("1"): member("1", state="deleted")})

    assert list(wanted_users(shot)) == [user("2")]


def test_who_falls_back_on_the_login_in_canvas_keeps_it_from_others_too() -> None:
    """1 and 2 want one login, so 2 keeps the old one, which 3 wants."""
    known = {user("2"): member("2"), user("3"): member("3")}

    shot = people(
        person("1", "ny@fjord.example"), person("2", "ny@fjord.example"), person("3", "p2@fjord.example"), users=known
    )

    assert wanted_users(shot) == known


def test_two_people_may_swap_their_logins() -> None:
    shot = people(
        person("1", "p2@fjord.example"),
        person("2", "p1@fjord.example"),
        users={user("1"): member("1"), user("2"): member("2")},
    )

    assert {one: row[0] for one, row in wanted_users(shot).items()} == {
        user("1"): "p2@fjord.example",
        user("2"): "p1@fjord.example",
    }
    assert shot.problems == ()


def test_capital_letters_in_a_login_are_noted_and_sent_small() -> None:
    shot = people(person("1", "P1@Fjord.Example"))

    assert wanted_users(shot)[user("1")][0] == "p1@fjord.example"
    assert rules(shot, "1") == [("user-login-lower-cased", True)]


def test_a_login_that_differs_in_case_alone_is_left_as_canvas_has_it() -> None:
    known = {user("1"): member("1", login="P1@fjord.example")}

    assert wanted_users(people(person("1"), users=known)) == known


def test_a_changed_login_changes_the_user_and_never_the_id() -> None:
    shot = people(person("1", "ny@fjord.example"), users={user("1"): member("1")})

    assert wanted_users(shot) == {user("1"): member("1", login="ny@fjord.example")}


def test_one_personlopenummer_is_one_user_as_student_and_as_staff() -> None:
    shot = people(person("1"), person("1"), right("1"))

    assert list(wanted_users(shot)) == [user("1")]


def test_two_personlopenummer_with_logins_of_their_own_are_two_users() -> None:
    assert sorted(wanted_users(people(person("1"), person("2")))) == [user("1"), user("2")]


def test_contradictory_rows_of_one_person_send_nothing_new() -> None:
    rows = person("1"), person("1", "annen@fjord.example"), right("1")

    new, known = people(*rows), people(*rows, users={user("1"): member("1", name="Per Før")})

    assert (wanted_users(new), there(new, UE)) == ({}, [])
    assert wanted_users(known) == {user("1"): member("1", name="Per Før")}
    assert rules(new, "1") == [("user-contradicted", False)]
    assert [problem.code for problem in new.problems] == [Code.ID_COLLISION]


def test_which_of_two_contradictory_rows_comes_first_does_not_matter() -> None:
    inst = users_are(sis_id="feide_bruker")
    rows = person("1", "a@fjord.example"), person("1", "b@fjord.example")
    known = {login: member("1", login=login) for login in ("a@fjord.example", "b@fjord.example")}

    assert people(*rows, inst=inst, users=known) == people(*reversed(rows), inst=inst, users=known)


def test_a_reserved_person_is_never_sent() -> None:
    shot = people(person("1", kan_overfores=False), right("1"))

    assert (wanted_users(shot), users_leaving(shot), there(shot, UE)) == ({}, {}, [])
    assert rules(shot, "1") == [("user-reserved", False)]


@pytest.mark.parametrize(
    ("er_dod", "kan_overfores", "reason"),
    [(True, True, Reason.DEAD), (False, False, Reason.RESERVED), (True, False, Reason.DEAD)],
)
def test_a_user_who_may_not_be_in_canvas_any_more_loses_the_login(
    er_dod: bool, kan_overfores: bool, reason: Reason
) -> None:
    shot = people(person("1", er_dod=er_dod, kan_overfores=kan_overfores), users={user("1"): member("1")})

    assert (wanted_users(shot), users_leaving(shot)) == ({}, {user("1"): reason})


def test_the_login_of_a_reserved_user_may_be_left() -> None:
    shot = people(person("1", kan_overfores=False), inst=users_are(reserved="leave"), users={user("1"): member("1")})

    assert (wanted_users(shot), users_leaving(shot), users_staying(shot)) == ({}, {}, [user("1")])


def test_a_dead_person_is_suspended_whatever_is_done_with_reserved_ones() -> None:
    shot = people(person("1", er_dod=True), inst=users_are(reserved="leave"), users={user("1"): member("1")})

    assert users_leaving(shot) == {user("1"): Reason.DEAD}


def test_a_person_of_whom_fs_does_not_say_whether_they_may_be_sent_stays_as_they_are() -> None:
    rows = person("1", kan_overfores=None), right("1")

    new, known = people(*rows), people(*rows, users={user("1"): member("1")})

    assert (wanted_users(new), there(new, UE)) == ({}, [])
    assert (list(wanted_users(known)), there(known, UE)) == ([user("1")], ["1"])
    assert rules(new, "1") == [("user-transfer-unknown", False)]


@pytest.mark.parametrize("login", ["p" * 101, "per#1@fjord.example", "per,1@fjord.example"])
def test_a_login_that_canvas_would_not_take_is_a_row_problem(login: str) -> None:
    shot = people(person("1", login), right("1"))

    assert (wanted_users(shot), there(shot, UE)) == ({}, [])
    assert rules(shot, "1") == [("user-login-invalid", False)]
    (problem,) = shot.problems
    assert problem.message == "The person 1: feideBruker has more or other signs than Canvas takes."


def test_what_is_no_email_address_is_not_sent() -> None:
    shot = people(person("1", epost="per hav"))

    assert wanted_users(shot) == {user("1"): member("1", email="")}
    assert [problem.field for problem in shot.problems] == ["institusjonsEpost"]
    assert rules(shot, "1") == [("user-email-invalid", True)]


def test_a_missing_email_address_takes_none_away() -> None:
    known = {user("1"): member("1")}

    assert wanted_users(people(person("1", epost=None), users=known)) == known


def test_somebody_without_a_name_is_called_by_the_login() -> None:
    shot = people(person("1", fornavn=None, etternavn=" "), person("2", fornavn=None))

    assert wanted_users(shot)[user("1")][1:3] == ("p1@fjord.example", "p1@fjord.example")
    assert wanted_users(shot)[user("2")][1:3] == ("Hav", "Hav")
    assert rules(shot, "1") == [("user-name-missing", True)]


@pytest.mark.parametrize(
    ("owns", "name", "email"),
    [
        (["name", "email"], "Per1 Hav", "per1@fjord.example"),
        (["name"], "Per1 Hav", "gammel@fjord.example"),
        (["email"], "Per Før", "per1@fjord.example"),
        ([], "Per Før", "gammel@fjord.example"),
    ],
)
def test_fields_that_are_not_owned_stay_as_canvas_has_them(owns: list[str], name: str, email: str) -> None:
    known = {user("1"): member("1", name="Per Før", sortable="Før, Per", email="gammel@fjord.example")}

    shot = people(person("1"), inst=users_are(owns=owns), users=known)

    found = wanted_users(shot)[user("1")]
    assert (found[1], found[3]) == (name, email)
    assert found[2] == ("Hav, Per1" if "name" in owns else "Før, Per")


def test_fields_that_are_not_owned_are_given_to_a_new_user() -> None:
    assert wanted_users(people(person("1"), inst=users_are(owns=[]))) == {user("1"): member("1")}


def test_a_suspended_user_who_may_be_in_canvas_again_is_wanted_active() -> None:
    shot = people(person("1"), users={user("1"): member("1", state="suspended")})

    assert wanted_users(shot) == {user("1"): member("1")}


def test_a_suspended_user_of_whom_nothing_can_be_sent_stays_suspended() -> None:
    shot = people(person("1", feide_bruker=None), right("1"), users={user("1"): member("1", state="suspended")})

    assert (wanted_users(shot), users_staying(shot), there(shot, UE)) == ({}, [user("1")], [])


def test_a_user_whom_fs_does_not_name_any_more_stays() -> None:
    assert users_staying(people(person("1"), users={user("2"): member("2")})) == [user("2")]


# ---------------------------------------------------------------------- who makes the users
def test_where_an_identity_system_makes_the_users_they_are_only_enrolled() -> None:
    inst = users_are(provision=False)
    rows = person("1", feide_bruker=None), person("2", er_dod=True), right("1"), right("2"), right("3")

    shot = people(*rows, inst=inst, users={user("9"): member("9")})

    assert (wanted_users(shot), users_leaving(shot), users_staying(shot)) == ({}, {}, [user("9")])
    assert there(shot, UE) == ["1", "3"]


def test_people_who_are_not_among_the_users_are_named_and_left_as_they_are() -> None:
    shot = people(person("1"), right("1"), right("2"), right("3"), confirmed=[in_section("2", "4")])

    assert (there(shot, UE), stays(shot, UE)) == (["1"], ["2"])
    assert rules(shot, "2") == [("user-not-read", False)]
    assert [problem.message for problem in shot.problems] == [
        "The person 2 has rights or roles but is not among the users that FS names (brukere).",
        "The person 3 has rights or roles but is not among the users that FS names (brukere).",
    ]


def test_many_people_who_are_not_among_the_users_are_one_problem() -> None:
    shot = people(*(right(str(number)) for number in range(21)))

    assert [problem.subject for problem in shot.problems] == ["not among brukere"]


def test_a_user_whose_row_cannot_be_read_stays_as_it_is() -> None:
    broken = UnreadableRow(Code.ROW_INVALID, SourceKind.BRUKER, "1", "erDod", "bruker 1: erDod is str.", ("1",))

    shot = people(broken, right("1"), users={user("1"): member("1")}, confirmed=[in_section("1")])

    assert (users_staying(shot), stays(shot, UE), shot.people_gaps) == ([user("1")], ["1"], ())
    assert [problem.message for problem in shot.problems] == ["bruker 1: erDod is str."]
    assert Decision(SourceKind.BRUKER, "1", False, "row-invalid", (("field", "erDod"),)) in shot.decisions


def test_a_run_that_did_not_ask_for_users_takes_those_in_canvas_as_they_are() -> None:
    narrowed = Scope(NOW.terms, frozenset({SourceKind.EMNESTUDIERETT}))
    known = {user("1"): member("1"), user("2"): member("2", state="suspended")}

    shot = people(scope=narrowed, read=source(right("1"), right("2"), right("3"), users=False), users=known)

    assert there(shot, UE) == ["1"]
    assert (wanted_users(shot), users_staying(shot), shot.problems) == ({}, [user("1"), user("2")], ())


def test_nothing_is_said_about_people_where_they_are_not_synced() -> None:
    shot = people(person("1"), right("1"), inst=institution(people={"sync": False}))

    assert (shot.rosters, SourceKind.BRUKER in shot.rows_read) == ({}, False)


def test_no_decision_or_problem_carries_a_name_a_login_or_an_address() -> None:
    shot = people(
        person("1", "Hemmelig@fjord.example", fornavn="Hemmelig", epost="hemmelig"),
        person("2", "hemmelig@fjord.example"),
        person("3", "hemmelig,3", fornavn="Hemmelig"),
        person("4", feide_bruker=None, fornavn="Hemmelig", epost="hemmelig@fjord.example"),
        *(right(number) for number in "1234"),
    )

    assert "emmelig" not in repr((shot.decisions, shot.problems, shot.people_gaps))
