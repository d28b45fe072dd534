from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rosterflow.domain.decisions import Decision
from rosterflow.domain.fs.people import Place, UnknownPerson
from rosterflow.domain.fs.rows import EmneKey, Stedkode, UeKey
from rosterflow.domain.mapping.people import not_staff_since
from rosterflow.domain.model import Kind, SourceKind
from rosterflow.domain.rosters import Reason
from tests.domain.fs_builders import FAKULTET, H27, HOME, INF, V27, emne, institution, kull, program, snapshot, ue, unit
from tests.domain.people_builders import (
    B_INF,
    EMNE,
    EVU,
    FACULTY,
    G1,
    HAV,
    INF_H26,
    KLASSE,
    KLASSE_A,
    KULL,
    KULL_H26,
    LED1,
    PROGRAM,
    STUDENT,
    TEACHER,
    UA1,
    UE,
    enrolled,
    in_section,
    left,
    people,
    person,
    right,
    role,
    roster,
    rules,
    there,
    wanted,
)

ADMINS = institution(people={"account_roles": {"ADMIN": "AccountAdmin", "STUDKONS": "Studiekonsulent"}})
INF_1 = EmneKey("INF", "1")


# ---------------------------------------------------------------------- tables of roles
@pytest.mark.parametrize(
    ("code", "ims", "canvas"),
    [
        ("LÆRER", "INSTRUCTOR", "TeacherEnrollment"),
        ("LÆRER", "TEACHING_ASSISTANT", "TaEnrollment"),
        ("SENSOR", "INSTRUCTOR", "Sensor"),
        ("SENSOR", None, "Sensor"),
        ("GJEST", "CONTENT_DEVELOPER", "DesignerEnrollment"),
    ],
)
def test_the_role_table_has_the_first_word_and_the_ims_role_the_second(code: str, ims: str | None, canvas: str) -> None:
    shot = people(person("1"), role("1", code=code, ims=ims), inst=institution(roles={"SENSOR": "Sensor"}))

    assert there(shot, UE, canvas) == ["1"]
    assert shot.rows_read[SourceKind.PERSONROLLE] == 1


def test_a_role_without_a_mapping_is_one_decision_with_the_number_of_people() -> None:
    rows = [role(number, code="MENTOR", ims="MENTOR") for number in ("1", "1", "2")]

    shot = people(person("1"), person("2"), *rows, role("2", G1, code="MENTOR", ims="MENTOR"))

    assert [key for key in shot.rosters if key.kind is not Kind.USER] == []
    assert [one for one in shot.decisions if one.source is SourceKind.PERSONROLLE] == [
        Decision(
            SourceKind.PERSONROLLE, "MENTOR", False, "role-without-mapping", (("imsRolle", "MENTOR"), ("people", "2"))
        )
    ]


def test_a_role_may_be_left_out_although_its_ims_role_would_teach() -> None:
    inst = institution(roles={"SENSOR": ""}, people={"account_roles": {"ADMIN": ""}})

    shot = people(person("1"), role("1", code="SENSOR"), role("1", HAV, "ADMIN"), inst=inst)

    assert [key for key in shot.rosters if key.kind is not Kind.USER] == []
    assert (rules(shot, "SENSOR"), rules(shot, "ADMIN")) == ([("role-left-out", False)], [("role-left-out", False)])


def test_all_roles_of_one_person_in_one_section_stand() -> None:
    shot = people(person("1"), role("1"), role("1", code="ASSISTENT", ims="TEACHING_ASSISTANT"), right("1"))

    assert [there(shot, UE, one) for one in (TEACHER, "TaEnrollment", STUDENT)] == [["1"], ["1"], ["1"]]


# ---------------------------------------------------------------------- where roles lead
@pytest.mark.parametrize(
    ("place", "kind", "sis_id"),
    [
        (INF_H26, Kind.SECTION, UE),
        (G1, Kind.SECTION, UA1),
        (INF_1, Kind.SECTION, UE),
        (KULL_H26, Kind.COURSE, KULL),
        (KLASSE_A, Kind.SECTION, KLASSE),
        (LED1, Kind.COURSE, EVU),
    ],
)
def test_a_role_leads_to_what_it_is_on_and_nowhere_else(place: Place, kind: Kind, sis_id: str) -> None:
    shot = people(person("1"), role("1", place))

    assert [key.sis_id for key in shot.rosters if key.kind is Kind.ENROLLMENT] == [f"{kind} {sis_id} as {TEACHER}"]


def test_a_role_on_an_emne_leads_to_the_sections_of_all_its_teaching_in_scope() -> None:
    structure = snapshot(FAKULTET, INF, emne("INF", "2"), ue("INF"), ue("INF", V27), ue("INF", versjon="2"))

    shot = people(person("1"), role("1", INF_1), structure=structure)

    assert [key.sis_id for key in shot.rosters if key.kind is Kind.ENROLLMENT] == [
        f"section {UE} as {TEACHER}",
        f"section UE_184_INF_1_2027_VÅR_1 as {TEACHER}",
    ]


def test_a_role_on_an_emne_may_administer_its_account_instead() -> None:
    inst = institution(people={"emne_roles": "account", "account_roles": {"EMNEANSVAR": "Emneansvarlig"}})

    shot = people(person("1"), role("1", INF_1, "EMNEANSVAR"), role("1", INF_1, "LÆRER"), inst=inst)

    assert there(shot, EMNE, "Emneansvarlig", Kind.ACCOUNT) == ["1"]
    assert there(shot, UE, TEACHER) == []
    assert rules(shot, "LÆRER") == [("role-without-account-role", False)]


def test_roles_on_a_unit_administer_its_account() -> None:
    shot = people(person("1"), role("1", HAV, "ADMIN", None), role("1", HAV, "STUDKONS", None), inst=ADMINS)

    assert there(shot, FACULTY, "AccountAdmin", Kind.ACCOUNT) == ["1"]
    found = wanted(shot, Kind.ACCOUNT, FACULTY, "Studiekonsulent").roster
    assert (found.kind, found.origin.source) == (Kind.ADMIN, SourceKind.ORGANISASJONSENHET)


def test_roles_on_the_institutions_own_unit_administer_its_account() -> None:
    shot = people(
        person("1"), role("1", Stedkode("184"), "ADMIN"), inst=ADMINS, structure=snapshot(unit("0_0_0"), inst=ADMINS)
    )

    assert there(shot, HOME, "AccountAdmin", Kind.ACCOUNT) == ["1"]
    assert wanted(shot, Kind.ACCOUNT, HOME, "AccountAdmin").roster.origin.source is SourceKind.ORGANISASJONSENHET


def test_a_unit_role_that_the_account_table_lacks_gives_nothing_even_if_it_would_teach() -> None:
    shot = people(person("1"), role("1", HAV, "LÆRER", "INSTRUCTOR"), inst=ADMINS)

    assert [key for key in shot.rosters if key.kind is not Kind.USER] == []
    assert rules(shot, "LÆRER") == [("role-without-account-role", False)]


def test_roles_on_a_programme_administer_its_account_and_are_in_its_course() -> None:
    with_course = snapshot(FAKULTET, program(lms_romkode="R"), kull())
    inst = institution(people={"account_roles": {"STUDKONS": "Studiekonsulent"}})
    rows = person("1"), person("2"), role("1", B_INF, "STUDKONS", "INSTRUCTOR"), role("2", B_INF)

    alone, both = people(*rows, inst=inst), people(*rows, inst=inst, structure=with_course)

    assert there(alone, PROGRAM, "Studiekonsulent", Kind.ACCOUNT) == ["1"]
    assert rules(alone, "LÆRER") == [("role-without-account-role", False)]
    assert there(both, PROGRAM, "Studiekonsulent", Kind.ACCOUNT) == ["1"]
    assert there(both, PROGRAM, TEACHER, Kind.COURSE) == ["1", "2"]
    assert rules(both, "LÆRER") == []


def test_roles_on_what_is_not_sent_are_one_decision_for_the_place() -> None:
    structure = snapshot(FAKULTET, INF, ue("INF", skal_eksporteres_til_lms=False))
    rows = role("1"), role("1", code="UKJENT", ims=None), role("2")

    shot = people(person("1"), person("2"), *rows, structure=structure)

    assert set(shot.decisions) - set(structure.decisions) == {
        Decision(
            SourceKind.PERSONROLLE, "INF 1 2026 HØST 1", False, "place-not-sent",
            (("because", "ue-not-exported"), ("people", "2")),
        )
    }  # fmt: skip


def test_roles_in_teaching_outside_the_scope_are_left_alone() -> None:
    shot = people(person("1"), role("1", UeKey(INF_1, H27, 1)))

    assert [one for one in shot.decisions if one.source is SourceKind.PERSONROLLE] == []


# ---------------------------------------------------------------------- for how long
@pytest.mark.parametrize(
    ("today", "is_in"),
    [
        (date(2026, 8, 31), False),
        (date(2026, 9, 1), True),
        (date(2026, 9, 30), True),
        (date(2026, 10, 1), False),
    ],
)
@pytest.mark.parametrize("er_aktiv", [True, False, None])
def test_a_period_opens_on_its_first_day_and_closes_after_its_last(
    today: date, is_in: bool, er_aktiv: bool | None
) -> None:
    row = role("1", fra=date(2026, 9, 1), til=date(2026, 9, 30), er_aktiv=er_aktiv)

    shot = people(person("1"), row, today=today, confirmed=[in_section("1", role=TEACHER)])

    assert there(shot, UE, TEACHER) == (["1"] if is_in else [])
    assert left(shot, UE, TEACHER) == ({} if is_in else {"1": Reason.ROLE_ENDED})


@pytest.mark.parametrize(
    ("period", "rule", "shown"),
    [
        ({"fra": date(2026, 10, 1)}, "role-not-begun", "2026-10-01 to ever"),
        ({"til": date(2026, 9, 14)}, "role-ended", "ever to 2026-09-14"),
        ({"er_aktiv": False}, "role-inactive", "ever to ever"),
    ],
)
def test_a_role_that_is_not_open_is_a_decision_on_its_person(period: dict[str, Any], rule: str, shown: str) -> None:
    shot = people(person("1"), role("1", **period))

    (decision,) = [one for one in shot.decisions if one.source is SourceKind.PERSONROLLE]
    assert (decision.subject, decision.allowed, decision.rule) == ("1", False, rule)
    assert decision.facts == (("at", "INF 1 2026 HØST 1"), ("role", f"LÆRER at INF 1 2026 HØST 1, {shown}"))


@pytest.mark.parametrize("er_aktiv", [True, None])
def test_a_role_without_a_period_is_open_unless_fs_says_that_it_is_not_active(er_aktiv: bool | None) -> None:
    assert there(people(person("1"), role("1", er_aktiv=er_aktiv)), UE, TEACHER) == ["1"]


def test_one_open_role_is_enough_beside_one_that_ended() -> None:
    rows = role("1", til=date(2026, 8, 1)), role("1", fra=date(2026, 8, 1))

    shot = people(person("1"), *rows, confirmed=[in_section("1", role=TEACHER)])

    assert (there(shot, UE, TEACHER), left(shot, UE, TEACHER)) == (["1"], {})


@pytest.mark.parametrize(
    ("since", "is_in"),
    [({}, True), ({"1": date(2026, 6, 18)}, True), ({"1": date(2026, 6, 17)}, False)],
)
def test_who_is_not_fagperson_any_more_keeps_the_roles_for_ninety_days(since: dict[str, date], is_in: bool) -> None:
    confirmed = [in_section("1", role=TEACHER)]

    shot = people(person("1"), role("1", er_fagperson=False), since=since, confirmed=confirmed)

    assert there(shot, UE, TEACHER) == (["1"] if is_in else [])
    assert left(shot, UE, TEACHER) == ({} if is_in else {"1": Reason.NO_LONGER_STAFF})
    assert rules(shot, "1") == [("staff-grace", True) if is_in else ("no-longer-staff", False)]


def test_the_days_of_grace_are_counted_from_what_earlier_runs_decided() -> None:
    first = people(person("1"), role("1", er_fagperson=False), today=date(2026, 9, 15))
    since = not_staff_since(first.decisions)

    later = people(person("1"), role("1", er_fagperson=False), today=date(2026, 12, 14), since=since)
    afterwards = not_staff_since(later.decisions)

    assert since == afterwards == {"1": date(2026, 9, 15)}
    assert (there(first, UE, TEACHER), there(later, UE, TEACHER)) == (["1"], [])


def test_the_days_of_grace_are_a_setting() -> None:
    inst = institution(people={"staff_grace_days": 0})

    assert there(people(person("1"), role("1", er_fagperson=False), inst=inst), UE, TEACHER) == []


def test_a_role_of_whose_staff_fs_says_nothing_stands() -> None:
    assert there(people(person("1"), role("1", er_fagperson=None, kan_overfores=None)), UE, TEACHER) == ["1"]


def test_who_is_reserved_as_staff_leaves_the_staff_alone() -> None:
    shot = people(person("1"), role("1", kan_overfores=False), right("1"), confirmed=[in_section("1", role=TEACHER)])

    assert (left(shot, UE, TEACHER), there(shot, UE)) == ({"1": Reason.RESERVED}, ["1"])


def test_of_who_may_not_be_in_canvas_at_all_nothing_else_is_decided() -> None:
    shot = people(person("1", er_dod=True), role("1", til=date(2026, 1, 1)), confirmed=[in_section("1", role=TEACHER)])

    assert left(shot, UE, TEACHER) == {"1": Reason.DEAD}
    assert rules(shot, "1") == [("user-dead", False)]


def test_the_gravest_reason_counts_for_who_left_for_several() -> None:
    rows = role("1", kan_overfores=False), role("1", til=date(2026, 1, 1))

    shot = people(person("1"), *rows, confirmed=[in_section("1", role=TEACHER)])
    turned = people(person("1"), *reversed(rows), confirmed=[in_section("1", role=TEACHER)])

    assert left(shot, UE, TEACHER) == left(turned, UE, TEACHER) == {"1": Reason.RESERVED}


# ---------------------------------------------------------------------- what is not known
def test_an_unknown_person_in_any_role_keeps_everybody_at_the_place() -> None:
    confirmed = [in_section("1", role=TEACHER), in_section("2"), in_section("3", sis_id=UA1, role=TEACHER)]

    shot = people(UnknownPerson(SourceKind.PERSONROLLE, INF_H26), confirmed=confirmed)

    assert wanted(shot, Kind.SECTION, UE, TEACHER).has_unknown
    assert wanted(shot, Kind.SECTION, UE).has_unknown
    assert roster(shot, Kind.SECTION, UA1, TEACHER) is None


def test_an_unknown_person_in_a_known_role_keeps_those_in_that_role() -> None:
    confirmed = [in_section("1", role="Sensor"), in_section("2")]
    inst = institution(roles={"SENSOR": "Sensor"})

    shot = people(UnknownPerson(SourceKind.PERSONROLLE, INF_H26, "SENSOR"), confirmed=confirmed, inst=inst)

    assert wanted(shot, Kind.SECTION, UE, "Sensor").has_unknown
    assert roster(shot, Kind.SECTION, UE) is None


def test_an_unknown_person_on_an_emne_or_a_unit_keeps_everybody_whom_the_role_may_reach() -> None:
    admins = enrolled(Kind.ACCOUNT, FACULTY, "AccountAdmin", "1")

    shot = people(
        UnknownPerson(SourceKind.PERSONROLLE, INF_1),
        UnknownPerson(SourceKind.PERSONROLLE, HAV, "ADMIN"),
        confirmed=[in_section("1", role=TEACHER), admins],
        inst=ADMINS,
    )

    assert wanted(shot, Kind.SECTION, UE, TEACHER).has_unknown
    assert wanted(shot, Kind.ACCOUNT, FACULTY, "AccountAdmin").has_unknown


# ---------------------------------------------------------------------- the dialect of 2023
def test_the_dialect_of_2023_says_nothing_about_anybody_and_counts_its_roles_of_nobody() -> None:
    unnamed = [UnknownPerson(SourceKind.PERSONROLLE, B_INF, code) for code in ("ADMIN", "STUDKONS", "ADMIN")]

    shot = people(*unnamed, inst=institution(fs={"dialect": "2023"}), confirmed=[in_section("1")])

    assert (shot.rosters, shot.people_gaps) == ({}, ())
    (decision,) = [one for one in shot.decisions if one.rule == "dialect-2023-lacks-people"]
    assert (decision.allowed, decision.subject) == (True, "dialect 2023")
    assert ("roles of nobody", "2") in decision.facts
    assert "brukere" in dict(decision.facts)


def test_next_terms_roles_are_in_next_terms_sections() -> None:
    structure = snapshot(FAKULTET, INF, ue("INF"), ue("INF", V27))

    shot = people(person("1"), role("1", UeKey(INF_1, V27, 1)), structure=structure)

    assert there(shot, "UE_184_INF_1_2027_VÅR_1", TEACHER) == ["1"]
    assert there(shot, UE, TEACHER) == []
