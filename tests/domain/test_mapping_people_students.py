from __future__ import annotations

from dataclasses import replace

import pytest

from rosterflow.domain.decisions import Decision, RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.people import UaKey, UnknownPerson
from rosterflow.domain.fs.rows import EmneKey, UeKey, UnreadableRow
from rosterflow.domain.model import Key, Kind, Origin, SourceKind
from rosterflow.domain.rosters import Reason
from rosterflow.domain.snapshot import Scope
from tests.domain.fs_builders import (
    FAKULTET,
    H26,
    H27,
    INF,
    NOW,
    V27,
    emne,
    institution,
    klasse,
    kull,
    program,
    snapshot,
    ua,
    ue,
)
from tests.domain.people_builders import (
    B_INF,
    EVU,
    G1,
    INF_H26,
    KLASSE,
    KLASSE_A,
    KULL,
    KULL_H26,
    LED1,
    PROGRAM,
    STRUCTURE,
    UA1,
    UA2,
    UE,
    enrolled,
    in_klasse,
    in_section,
    left,
    member,
    people,
    person,
    right,
    roster,
    rules,
    source,
    stays,
    studies,
    takes_part,
    term,
    there,
    user,
    wanted,
)

GATED = institution(people={"requires_semester_registration": True})


def test_a_right_to_follow_the_teaching_puts_the_student_into_its_section() -> None:
    shot = people(person("1"), person("2"), right("1"), right("2"))

    found = wanted(shot, Kind.SECTION, UE)
    assert found.roster.members == {user("1"): ("active",), user("2"): ("active",)}
    assert found.roster.origin == Origin(SourceKind.UNDERVISNINGSENHET, "2026_HØST", "UE_184_INF_2026_HØST_1")
    assert shot.decisions == STRUCTURE.decisions
    assert shot.rows_read[SourceKind.EMNESTUDIERETT] == 2
    assert [key.sis_id for key in shot.rosters if key.kind is not Kind.USER] == [f"section {UE} as StudentEnrollment"]


def test_a_student_on_a_party_is_in_its_section_and_in_that_of_the_teaching() -> None:
    shot = people(person("1"), person("2"), right("1", "G1", "G2"), right("2", "G2"))

    assert (there(shot, UE), there(shot, UA1), there(shot, UA2)) == (["1", "2"], ["1"], ["1", "2"])


def test_a_party_with_a_room_of_its_own_is_that_rooms_section() -> None:
    own = snapshot(FAKULTET, INF, ue("INF"), ua(ue("INF"), "G1", lms_romkode="R"), inst=(inst := institution(
        room_codes={"codes": {"R": "own_room"}}
    )))  # fmt: skip

    assert there(people(person("1"), right("1", "G1"), structure=own, inst=inst), UA1) == ["1"]


def test_followed_teaching_has_its_students_in_its_own_section_of_the_followed_course() -> None:
    structure = snapshot(FAKULTET, INF, emne("MAT"), ue("INF"), ue("MAT", folger="INF"))

    shot = people(person("1"), right("1", at=UeKey(EmneKey("MAT", "1"), H26, 1)), structure=structure)

    assert there(shot, "UE_184_MAT_1_2026_HØST_1") == ["1"]
    assert structure.objects[Key(Kind.SECTION, "UE_184_MAT_1_2026_HØST_1")].course == UE  # type: ignore[union-attr]


def test_every_term_of_a_long_course_has_its_students_in_the_section_of_the_first() -> None:
    structure = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27, 2))
    second = UeKey(EmneKey("INF", "1"), V27, 2)

    shot = people(person("1"), person("2"), right("1"), right("2", at=second), structure=structure)

    assert there(shot, UE) == ["1", "2"]


def test_a_term_that_is_not_exported_puts_nobody_into_the_section_of_one_that_is() -> None:
    structure = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27, 2, skal_eksporteres_til_lms=False))
    second = UeKey(EmneKey("INF", "1"), V27, 2)

    shot = people(person("1"), person("2"), right("1"), right("2", at=second), structure=structure)

    assert there(shot, UE) == ["1"]


def test_rights_in_terms_outside_the_scope_are_left_alone() -> None:
    shot = people(person("1"), right("1", "G1", at=UeKey(EmneKey("INF", "1"), H27, 1)))

    assert [key for key in shot.rosters if key.kind is Kind.ENROLLMENT] == []
    assert shot.decisions == STRUCTURE.decisions


def test_what_is_not_exported_has_one_decision_that_says_why_and_how_many_it_is_about() -> None:
    structure = snapshot(FAKULTET, INF, ue("INF", skal_eksporteres_til_lms=False), ua(ue("INF"), "G1"))

    shot = people(person("1"), person("2"), right("1", "G1"), right("1", "G1"), right("2"), structure=structure)

    assert [key for key in shot.rosters if key.kind is Kind.ENROLLMENT] == []
    assert set(shot.decisions) - set(structure.decisions) == {
        Decision(
            SourceKind.EMNESTUDIERETT, "INF 1 2026 HØST 1", False, "place-not-sent",
            (("because", "ue-not-exported"), ("people", "2")),
        ),
        Decision(
            SourceKind.EMNESTUDIERETT, "INF 1 2026 HØST 1 G1", False, "place-not-sent",
            (("because", "ua-ue-not-exported"), ("people", "1")),
        ),
    }  # fmt: skip


def test_teaching_that_the_structure_does_not_know_is_told_apart_from_what_is_not_exported() -> None:
    shot = people(person("1"), right("1", at=UeKey(EmneKey("NY", "1"), H26, 1)))

    (decision,) = set(shot.decisions) - set(STRUCTURE.decisions)
    assert (decision.subject, decision.facts[0]) == ("NY 1 2026 HØST 1", ("because", "row-not-read"))


# ---------------------------------------------------------------------- programmes, further education
def test_a_student_of_a_programme_is_in_the_course_of_the_kull() -> None:
    shot = people(person("1"), person("2"), studies("1"), studies("2", in_kull=None))

    assert there(shot, KULL, kind=Kind.COURSE) == ["1"]
    assert shot.decisions == STRUCTURE.decisions


def test_a_student_of_a_programme_with_a_course_is_in_that_too() -> None:
    structure = snapshot(FAKULTET, program(lms_romkode="R"), kull())

    shot = people(person("1"), person("2"), studies("1"), studies("2", in_kull=None), structure=structure)

    assert there(shot, PROGRAM, kind=Kind.COURSE) == ["1", "2"]
    assert there(shot, KULL, kind=Kind.COURSE) == ["1"]


def test_a_programme_that_is_not_sent_is_a_decision() -> None:
    structure = snapshot(FAKULTET, program(skal_eksporteres_til_lms=False), kull())

    shot = people(person("1"), studies("1"), structure=structure)

    assert rules(shot, "B-INF") == [("programme-not-exported", False), ("place-not-sent", False)]
    assert rules(shot, "B-INF 2026 HØST") == [("kull-programme-not-sent", False), ("place-not-sent", False)]


def test_a_status_that_gives_no_active_right_to_study_lets_nobody_in() -> None:
    shot = people(
        person("1"),
        person("2"),
        studies("1", gir_aktiv_studierett=False, studentstatus="PERM"),
        studies("2", gir_aktiv_studierett=None),
        confirmed=[enrolled(Kind.COURSE, KULL, "StudentEnrollment", "1")],
    )

    assert there(shot, KULL, kind=Kind.COURSE) == ["2"]
    assert left(shot, KULL, kind=Kind.COURSE) == {"1": Reason.GONE}
    (decision,) = [one for one in shot.decisions if one.subject == "1"]
    assert decision.facts == (("at", "B-INF"), ("at", "B-INF 2026 HØST"), ("studentstatus", "PERM"))


def test_members_of_a_klasse_are_where_the_klasse_is() -> None:
    with_course = snapshot(FAKULTET, program(), kull(), klasse("A", lms_romkode="R"))

    assert there(people(person("1"), in_klasse("1")), KLASSE) == ["1"]
    assert there(people(person("1"), in_klasse("1"), structure=with_course), KLASSE, kind=Kind.COURSE) == ["1"]


def test_participants_of_further_education_are_in_its_course() -> None:
    shot = people(person("1"), takes_part("1"), inst=GATED, read=None)

    assert there(shot, EVU, kind=Kind.COURSE) == ["1"]


def test_the_students_canvas_role_is_a_setting() -> None:
    shot = people(person("1"), right("1"), inst=institution(people={"student_role": "Deltaker"}))

    assert (there(shot, UE, "Deltaker"), there(shot, UE)) == (["1"], [])


# ---------------------------------------------------------------------- semester registration
def test_only_those_registered_for_the_term_are_enrolled_where_it_is_asked_for() -> None:
    rows = person("1"), person("2"), person("3"), right("1", "G1"), right("2", "G1"), right("3")

    shot = people(
        read=source(*rows, registered={**term(H26, "1"), **term(V27, "2")}),
        inst=GATED,
        confirmed=[in_section("2", "9"), in_section("2", sis_id=UA1)],
    )

    assert (there(shot, UE), there(shot, UA1)) == (["1"], ["1"])
    assert left(shot, UE) == left(shot, UA1) == {"2": Reason.NOT_REGISTERED}
    assert rules(shot, "3") == [("not-registered", False)]


def test_kull_and_klasse_ask_for_registration_in_the_term_in_force() -> None:
    rows = person("1"), person("2"), studies("1"), in_klasse("1"), studies("2"), in_klasse("2")

    shot = people(read=source(*rows, registered={**term(H26, "1"), **term(V27, "2")}), inst=GATED)

    assert (there(shot, KULL, kind=Kind.COURSE), there(shot, KLASSE)) == (["1"], ["1"])


def test_without_the_gate_nobody_asks_for_registration() -> None:
    assert there(people(read=source(person("1"), right("1"), registered={})), UE) == ["1"]


def test_a_gate_without_a_read_of_registrations_makes_the_people_incomplete() -> None:
    shot = people(person("1"), right("1"), inst=GATED, confirmed=[in_section("1")])

    assert shot.people_gaps == ("Who is registered for the term was not read, although the settings ask for it.",)
    assert not shot.is_complete


# ---------------------------------------------------------------------- leaving
def test_somebody_who_may_not_be_in_canvas_leaves_every_roster_for_that_reason() -> None:
    shot = people(
        person("1", kan_overfores=False),
        person("2", er_dod=True),
        right("1", "G1"),
        right("2"),
        confirmed=[in_section("1", "2", "3"), in_section("1", sis_id=UA1)],
    )

    assert left(shot, UE) == {"1": Reason.RESERVED, "2": Reason.DEAD}
    assert left(shot, UA1) == {"1": Reason.RESERVED}


def test_who_is_reserved_as_a_student_alone_leaves_the_students_alone() -> None:
    shot = people(person("1"), right("1", kan_overfores=False), confirmed=[in_section("1")])

    assert (there(shot, UE), left(shot, UE)) == ([], {"1": Reason.RESERVED})
    assert rules(shot, "1") == [("row-reserved", False)]


def test_a_flag_that_fs_does_not_give_on_the_right_bars_nobody() -> None:
    assert there(people(person("1"), right("1", kan_overfores=None)), UE) == ["1"]


def test_who_is_wanted_by_one_row_does_not_leave_by_another() -> None:
    shot = people(person("1"), right("1"), right("1", kan_overfores=False), confirmed=[in_section("1")])

    assert (there(shot, UE), left(shot, UE)) == (["1"], {})


def test_somebody_without_a_row_leaves_without_a_reason_of_the_source() -> None:
    shot = people(person("1"), person("2"), right("1"), confirmed=[in_section("1", "2")])

    found = wanted(shot, Kind.SECTION, UE)
    assert (found.leaving, found.staying, found.has_unknown) == ({}, frozenset(), False)


# ---------------------------------------------------------------------- what is not known
@pytest.mark.parametrize(
    ("kind", "place", "at"),
    [
        (SourceKind.EMNESTUDIERETT, INF_H26, [(Kind.SECTION, UE), (Kind.SECTION, UA1), (Kind.SECTION, UA2)]),
        (SourceKind.PROGRAMSTUDIERETT, KULL_H26, [(Kind.COURSE, KULL), (Kind.COURSE, PROGRAM)]),
        (SourceKind.PROGRAMSTUDIERETT, B_INF, [(Kind.COURSE, PROGRAM)]),
        (SourceKind.KLASSEMEDLEMSKAP, KLASSE_A, [(Kind.SECTION, KLASSE)]),
        (SourceKind.EVU_DELTAKELSE, LED1, [(Kind.COURSE, EVU)]),
    ],
)
def test_somebody_whom_fs_does_not_name_keeps_everybody_where_they_may_be(
    kind: SourceKind, place: object, at: list[tuple[Kind, str]]
) -> None:
    every = [
        (Kind.SECTION, UE), (Kind.SECTION, UA1), (Kind.SECTION, UA2), (Kind.COURSE, KULL), (Kind.COURSE, PROGRAM),
        (Kind.SECTION, KLASSE), (Kind.COURSE, EVU),
    ]  # fmt: skip
    structure = snapshot(FAKULTET, program(lms_romkode="R"), kull(), klasse("A"))
    structure = replace(
        STRUCTURE,
        objects={**STRUCTURE.objects, **structure.objects},
        decisions=(*STRUCTURE.decisions, *structure.decisions),
    )

    shot = people(
        UnknownPerson(kind, place),  # type: ignore[arg-type]  # any place
        structure=structure,
        confirmed=[enrolled(*one, "StudentEnrollment", "1") for one in every],
    )

    found = {one: roster(shot, *one) for one in every}
    assert [one for one, roster_there in found.items() if roster_there and roster_there.has_unknown] == sorted(
        at, key=every.index
    )
    assert shot.rows_read[kind] == 1


def test_a_student_of_whom_not_all_parties_are_known_stays_in_those_where_they_are() -> None:
    shot = people(
        person("1"), right("1", partier=None), confirmed=[in_section("1", "2", sis_id=UA1), in_section(sis_id=UA2)]
    )

    assert there(shot, UE) == ["1"]
    assert (there(shot, UA1), stays(shot, UA1), stays(shot, UA2)) == ([], ["1"], [])


def test_a_reserved_student_leaves_the_parties_too_of_which_fs_does_not_say_all() -> None:
    shot = people(
        person("1", kan_overfores=False), right("1", partier=None), confirmed=[in_section("1", "2", sis_id=UA1)]
    )

    assert left(shot, UA1) == {"1": Reason.RESERVED}


def test_who_may_have_left_a_party_but_may_also_be_on_it_stays() -> None:
    rows = right("1", "G1", kan_overfores=False), right("1", partier=None)

    shot = people(person("1"), *rows, confirmed=[in_section("1", sis_id=UA1)])

    assert (left(shot, UA1), stays(shot, UA1)) == ({}, ["1"])


def test_somebody_whose_login_is_the_id_but_not_known_keeps_everybody_there() -> None:
    inst = institution(people={"users": {"sis_id": "feide_bruker"}})

    shot = people(person("1"), right("2"), inst=inst, confirmed=[in_section("9")])

    assert wanted(shot, Kind.SECTION, UE).has_unknown


def test_a_row_that_may_be_about_anybody_anywhere_makes_the_people_incomplete() -> None:
    null = RowProblem(Code.NULL_NODE, SourceKind.EMNESTUDIERETT, "", "emne_studieretter[3]", "A row is null.")
    nothing = UnreadableRow(Code.ROW_INVALID, SourceKind.EMNESTUDIERETT, "?", "emne", "No emne.")
    somewhere = UnreadableRow(
        Code.ROW_INVALID, SourceKind.EMNESTUDIERETT, "INF 1 2026 HØST 1", "student", "No flag.", ("INF 1 2026 HØST 1",)
    )

    assert people(null).people_gaps == ("A row is null.",)
    assert people(nothing).people_gaps == ("No emne.",)
    assert people(somewhere).people_gaps == ()
    assert people(null, nothing, somewhere).problems == (null, nothing, somewhere)


def test_gaps_of_the_read_are_gaps_of_the_people() -> None:
    shot = people(read=source(person("1"), gaps=["A page was lost."]))

    assert (shot.gaps, shot.people_gaps) == ((), ("A page was lost.",))


def test_people_of_what_the_structure_leaves_alone_stay() -> None:
    """Two contradictory rows of one undervisningsenhet: the section stays as it is, and so does everybody in it."""
    confirmed = snapshot(FAKULTET, INF, ue("INF")).objects.values()
    structure = snapshot(FAKULTET, INF, ue("INF"), ue("INF", folger="X"), ua(ue("INF"), "G1"), confirmed=confirmed)

    origin = Origin(SourceKind.UNDERVISNINGSENHET, "2026_HØST")

    shot = people(
        person("1"), right("1"), structure=structure, confirmed=[replace(in_section("1", "2"), origin=origin)]
    )

    found = wanted(shot, Kind.SECTION, UE)
    assert (found.has_unknown, found.roster.members, found.roster.origin) == (True, {}, origin)


def test_a_kind_of_row_that_the_run_does_not_speak_about_is_left_alone() -> None:
    scope = Scope(NOW.terms, frozenset({*SourceKind} - {SourceKind.EMNESTUDIERETT}))

    shot = people(person("1"), right("1"), in_klasse("1"), UnknownPerson(SourceKind.EMNESTUDIERETT, G1), scope=scope)

    assert (there(shot, UE), there(shot, KLASSE)) == ([], ["1"])
    assert shot.rows_read[SourceKind.EMNESTUDIERETT] == 0


def test_users_of_canvas_who_cannot_be_settled_stay_where_they_are() -> None:
    """Without a login nothing new can be sent, but the login was only lost: nobody leaves."""
    shot = people(
        person("1", feide_bruker=None),
        right("1"),
        users={user("1"): member("1", state="suspended")},
        confirmed=[in_section("1")],
    )

    assert (there(shot, UE), stays(shot, UE)) == ([], ["1"])


def test_a_party_of_an_undervisningsenhet_whose_kode_has_blanks_is_found() -> None:
    structure = snapshot(FAKULTET, emne("LMS 2 X"), ue("LMS 2 X"), ua(ue("LMS 2 X"), "SEM 1"))
    at = UeKey(EmneKey("LMS 2 X", "1"), H26, 1)
    sis_id = "UA_184_LMS 2 X_1_2026_HØST_1_SEM 1"

    named = people(person("1"), right("1", "SEM 1", at=at), structure=structure)
    unnamed = people(
        UnknownPerson(SourceKind.EMNESTUDIERETT, at), structure=structure, confirmed=[in_section("1", sis_id=sis_id)]
    )

    assert there(named, sis_id) == ["1"]
    assert wanted(unnamed, Kind.SECTION, sis_id).has_unknown
    assert str(UaKey(at, "SEM 1")) == "LMS 2 X 1 2026 HØST 1 SEM 1"
