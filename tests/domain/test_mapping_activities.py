from __future__ import annotations

import pytest

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import Navn
from rosterflow.domain.model import Course, Key, Kind, Origin, Section, SourceKind
from tests.domain.fs_builders import (
    FAKULTET,
    INF,
    V27,
    course,
    emne,
    ids,
    institution,
    rule,
    section,
    snapshot,
    ua,
    ue,
)

ENHET = ue("INF")
UE = "UE_184_INF_1_2026_HØST_1"
UA = "UA_184_INF_1_2026_HØST_1_G1"
ROOMS = institution(room_codes={"codes": {"eget-rom": "own_room", "ikke-rom": "none", "fellesrom": "section"}})


def test_an_activity_is_a_section_in_the_course_of_its_undervisningsenhet() -> None:
    row = ua(ENHET, "G1")
    shot = snapshot(FAKULTET, INF, ENHET, row)

    assert section(shot, UA) == Section(UA, "Gruppe G1", UE)
    lineage = "UA_184_INF_2026_HØST_1_G1"
    assert section(shot, UA).origin == Origin(SourceKind.UNDERVISNINGSAKTIVITET, "2026_HØST", lineage)
    assert rule(shot, row) == (True, "ua-section")


def test_an_activity_whose_room_code_means_a_section_is_one() -> None:
    shot = snapshot(FAKULTET, INF, ENHET, ua(ENHET, "G1", lms_romkode="fellesrom"), inst=ROOMS)

    assert section(shot, UA).course == UE


def test_an_activity_whose_room_code_means_an_own_room_is_a_course_with_a_section() -> None:
    row = ua(ENHET, "G1", lms_romkode="eget-rom")
    shot = snapshot(FAKULTET, INF, ENHET, row, inst=ROOMS)

    long_name = "INF Om INF – Gruppe G1 (Høst 2026)"
    assert course(shot, UA) == Course(UA, "INF H26 G1", long_name, "EMNE_184_INF_1", "2026_HØST")
    assert section(shot, UA) == Section(UA, "Gruppe G1", UA)
    assert rule(shot, row) == (True, "ua-own-room")


def test_an_activity_whose_room_code_means_nothing_is_nothing() -> None:
    row = ua(ENHET, "G1", lms_romkode="ikke-rom")
    shot = snapshot(FAKULTET, INF, ENHET, row, inst=ROOMS)

    assert ids(shot, Kind.SECTION) == [UE]
    assert rule(shot, row) == (False, "ua-none")


@pytest.mark.parametrize(("default", "sections"), [("section", [UA, UE]), ("none", [UE])])
def test_an_activity_without_a_room_code_goes_by_the_institutions_default(default: str, sections: list[str]) -> None:
    inst = institution(room_codes={"default": default})

    assert ids(snapshot(FAKULTET, INF, ENHET, ua(ENHET, "G1"), inst=inst), Kind.SECTION) == sections


def test_an_activity_with_an_unknown_room_code_is_a_problem_that_names_the_code_and_what_is_confirmed_stays() -> None:
    row = ua(ENHET, "G1", lms_romkode="nytt-rom")
    known = Section(UA, "Gruppe G1", UE)
    shot = snapshot(FAKULTET, INF, ENHET, row, confirmed=[known])

    message = "The lmsRomkode 'nytt-rom' of undervisningsaktivitet INF 1 2026 HØST 1 G1 is not in room_codes."
    source = SourceKind.UNDERVISNINGSAKTIVITET
    assert shot.problems == (RowProblem(Code.ROOM_CODE_UNKNOWN, source, row.subject, "lmsRomkode", message),)
    assert shot.untouchable == {Key(Kind.SECTION, UA)}
    assert ids(shot, Kind.SECTION) == [UE]


def test_an_unknown_room_code_does_not_hinder_the_other_activities() -> None:
    shot = snapshot(FAKULTET, INF, ENHET, ua(ENHET, "G1", lms_romkode="nytt-rom"), ua(ENHET, "G2"))

    assert ids(shot, Kind.SECTION) == ["UA_184_INF_1_2026_HØST_1_G2", UE]


def test_an_activity_that_is_not_exported_is_nothing() -> None:
    row = ua(ENHET, "G1", skal_eksporteres_til_lms=False)
    shot = snapshot(FAKULTET, INF, ENHET, row)

    assert ids(shot, Kind.SECTION) == [UE]
    assert rule(shot, row) == (False, "ua-not-exported")


def test_an_exported_activity_of_an_undervisningsenhet_that_is_not_exported_is_nothing() -> None:
    off = ue("INF", skal_eksporteres_til_lms=False)
    row = ua(off, "G1")
    shot = snapshot(FAKULTET, INF, off, row)

    assert ids(shot, Kind.SECTION) == []
    assert rule(shot, row) == (False, "ua-ue-not-exported")


def test_the_id_of_an_activity_is_formed_from_its_own_undervisningsenhet_in_the_course_of_the_first_term() -> None:
    second = ue("INF", V27, 2)
    shot = snapshot(FAKULTET, INF, second, ua(second, "G1"))

    sis_id = "UA_184_INF_1_2027_VÅR_2_G1"
    assert section(shot, sis_id) == Section(sis_id, "Gruppe G1", UE)
    assert section(shot, sis_id).origin.term == "2027_VÅR"


def test_an_own_room_lies_in_the_term_of_its_own_undervisningsenhet() -> None:
    second = ue("INF", V27, 2)
    shot = snapshot(FAKULTET, INF, second, ua(second, "G1", lms_romkode="eget-rom"), inst=ROOMS)

    assert course(shot, "UA_184_INF_1_2027_VÅR_2_G1").term == "2027_VÅR"


def test_an_activity_of_teaching_that_follows_lies_in_the_followed_course() -> None:
    follower = ue("INF", folger="MAT")
    shot = snapshot(FAKULTET, INF, emne("MAT"), follower, ue("MAT"), ua(follower, "G1"))

    assert section(shot, UA).course == "UE_184_MAT_1_2026_HØST_1"


def test_a_tree_of_activities_is_flattened_with_the_names_above() -> None:
    tree = (
        ua(ENHET, "F", "Forelesning"),
        ua(ENHET, "S", "Seminar", parent="F", skal_eksporteres_til_lms=False),
        ua(ENHET, "G1", "Gruppe 1", parent="S"),
    )
    shot = snapshot(FAKULTET, INF, ENHET, *tree)

    assert section(shot, UA) == Section(UA, "Forelesning / Seminar / Gruppe 1", UE)


def test_an_activity_whose_parent_fs_does_not_list_has_its_own_name() -> None:
    assert section(snapshot(FAKULTET, INF, ENHET, ua(ENHET, "G1", parent="X")), UA).name == "Gruppe G1"


def test_activities_that_are_each_others_parents_have_their_own_names() -> None:
    rows = ua(ENHET, "G1", parent="G2"), ua(ENHET, "G2", parent="G1"), ua(ENHET, "G3", parent="G2")
    shot = snapshot(FAKULTET, INF, ENHET, *rows)

    assert [section(shot, f"UA_184_INF_1_2026_HØST_1_{g}").name for g in ("G1", "G2", "G3")] == [
        "Gruppe G1",
        "Gruppe G2",
        "Gruppe G3",
    ]
    assert {rule(shot, row) for row in rows} == {(True, "ua-parent-cycle")}


def test_a_parent_in_another_undervisningsenhet_is_not_this_ones() -> None:
    other = ue("INF", V27)
    shot = snapshot(FAKULTET, INF, ENHET, other, ua(ENHET, "G1", parent="F"), ua(other, "F", "Forelesning"))

    assert section(shot, UA).name == "Gruppe G1"


def test_an_activity_without_a_name_is_called_by_its_code() -> None:
    row = ua(ENHET, "G1")
    nameless = type(row)(row.ue, row.kode, Navn())
    shot = snapshot(FAKULTET, INF, ENHET, nameless)

    assert section(shot, UA).name == "G1"
    assert rule(shot, nameless) == (True, "name-missing")


def test_an_activity_outside_the_scope_is_left_alone() -> None:
    later = ue("INF", V27.step(1))
    shot = snapshot(FAKULTET, INF, ENHET, later, ua(later, "G1", lms_romkode="nytt-rom"))

    assert ids(shot, Kind.SECTION) == [UE]
    assert shot.problems == ()


def test_an_activity_whose_undervisningsenhet_did_not_come_is_not_sent_and_stays_if_confirmed() -> None:
    row = ua(ENHET, "G1")
    shot = snapshot(FAKULTET, INF, row, confirmed=[Section(UA, "Gruppe G1", UE)])

    assert rule(shot, row) == (False, "parent-not-sent")
    assert shot.untouchable == {Key(Kind.SECTION, UA)}
