from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rosterflow.domain.fs.rows import Navn, Row, Stedkode, Studieprogram
from rosterflow.domain.model import Account, Course, Kind, Origin, Section, SourceKind
from tests.domain.fs_builders import (
    FAKULTET,
    H26,
    HOME,
    account,
    course,
    evu,
    ids,
    institution,
    klasse,
    kull,
    program,
    rule,
    section,
    snapshot,
    unit,
)

PROGRAM = "STUDIEPROGRAM_184_B-INF"
KULL = "KULL_184_B-INF_2026_HØST"
KLASSE = "KLASSE_184_B-INF_2026_HØST_A"
EVU = "EVU_184_LED1_2026-1"
OURS = institution(fs={"service_numbers": ["2"]})
OFF: dict[str, Any] = {"skal_eksporteres_til_lms": False}


def test_a_programme_is_an_account_under_its_responsible_unit() -> None:
    shot = snapshot(FAKULTET, program())

    assert account(shot, PROGRAM) == Account(PROGRAM, "Informatikk", "184_12_0_0")
    assert account(shot, PROGRAM).origin == Origin(SourceKind.STUDIEPROGRAM)
    assert ids(shot, Kind.COURSE) == []
    assert rule(shot, program()) == (True, "programme-exported")


def test_a_programme_with_a_room_code_is_a_course_in_its_account_too() -> None:
    row = program(lms_romkode="P")
    shot = snapshot(FAKULTET, row)

    assert course(shot, PROGRAM) == Course(PROGRAM, "B-INF", "Informatikk", PROGRAM)
    assert rule(shot, row) == (True, "programme-with-course")


def test_a_programme_that_moved_is_the_same_account_under_another_parent() -> None:
    old, new = (snapshot(FAKULTET, unit("13_0_0"), program(at=at)) for at in ("12_0_0", "13_0_0"))

    assert account(old, PROGRAM).parent == "184_12_0_0"
    assert account(new, PROGRAM).parent == "184_13_0_0"


def test_a_programme_without_an_exported_unit_lies_under_the_nearest_exported_ancestor() -> None:
    row = program(at="12_1_0")
    shot = snapshot(FAKULTET, row)

    assert account(shot, PROGRAM).parent == "184_12_0_0"
    assert rule(shot, row) == (True, "responsible-unit-not-exported")


def test_a_kull_is_a_course_in_the_programmes_account_without_term_or_dates() -> None:
    shot = snapshot(FAKULTET, program(), kull())

    assert course(shot, KULL) == Course(KULL, "B-INF H26", "Informatikk – Høst 2026", PROGRAM)
    assert course(shot, KULL).origin == Origin(SourceKind.KULL)
    assert rule(shot, kull()) == (True, "kull-exported")


def test_a_klasse_is_a_section_in_the_kulls_course() -> None:
    shot = snapshot(FAKULTET, program(), kull(), klasse())

    assert section(shot, KLASSE) == Section(KLASSE, "Klasse A", KULL)
    assert rule(shot, klasse()) == (True, "klasse-section")


def test_a_klasse_with_a_room_code_is_a_course_of_its_own() -> None:
    row = klasse(lms_romkode="K")
    shot = snapshot(FAKULTET, program(), kull(), row)

    assert course(shot, KLASSE) == Course(KLASSE, "B-INF A H26", "Informatikk – Klasse A", PROGRAM)
    assert ids(shot, Kind.SECTION) == []
    assert rule(shot, row) == (True, "klasse-course")


def test_the_code_of_a_klasse_is_unique_in_its_kull_only() -> None:
    later = H26.step(1)
    shot = snapshot(FAKULTET, program(), kull(), kull(semester=later), klasse(), klasse(semester=later))

    assert ids(shot, Kind.SECTION) == [KLASSE, "KLASSE_184_B-INF_2027_VÅR_A"]
    assert shot.problems == ()


@pytest.mark.parametrize(
    ("rows", "rules"),
    [
        (
            (program(**OFF), kull(), klasse()),
            ["programme-not-exported", "kull-programme-not-sent", "klasse-kull-not-sent"],
        ),
        ((program(), kull(**OFF), klasse()), ["programme-exported", "kull-not-exported", "klasse-kull-not-sent"]),
        ((program(), kull(), klasse(**OFF)), ["programme-exported", "kull-exported", "klasse-not-exported"]),
        (
            (program(er_aktiv=False), kull(), klasse()),
            ["programme-inactive", "kull-programme-not-sent", "klasse-kull-not-sent"],
        ),
        ((program(), kull(er_aktiv=False), klasse()), ["programme-exported", "kull-inactive", "klasse-kull-not-sent"]),
        ((program(), kull(), klasse(er_aktiv=False)), ["programme-exported", "kull-exported", "klasse-inactive"]),
        ((program(), klasse()), ["programme-exported", "klasse-kull-not-sent"]),
        ((kull(), klasse()), ["kull-programme-not-sent", "klasse-kull-not-sent"]),
    ],
)
def test_programme_kull_and_klasse_must_each_be_exported(rows: tuple[Row, ...], rules: list[str]) -> None:
    shot = snapshot(FAKULTET, *rows)

    assert [rule(shot, row)[1] for row in rows] == rules
    assert len(ids(shot, Kind.COURSE)) == rules.count("kull-exported")
    assert ids(shot, Kind.SECTION) == []


def test_the_kulls_service_number_governs_its_klasser_and_the_programme_has_none() -> None:
    rows = program(), kull(tjenestenummer_for_lms="1"), klasse()
    shot = snapshot(FAKULTET, *rows, inst=OURS)

    assert [rule(shot, row) for row in rows] == [
        (True, "programme-exported"),
        (False, "kull-not-ours"),
        (False, "klasse-kull-not-sent"),
    ]


def test_a_kull_of_our_service_is_sent_with_its_klasser() -> None:
    shot = snapshot(FAKULTET, program(), kull(tjenestenummer_for_lms="2"), klasse(), inst=OURS)

    assert (ids(shot, Kind.COURSE), ids(shot, Kind.SECTION)) == ([KULL], [KLASSE])


def test_rows_without_names_are_called_by_their_codes() -> None:
    row = Studieprogram("B-INF", Navn(), Stedkode("184", "12"))
    nameless = kull(name="")
    shot = snapshot(FAKULTET, row, nameless)

    assert account(shot, PROGRAM).name == "B-INF"
    assert course(shot, KULL).long_name == "B-INF – Høst 2026"
    assert rule(shot, row) == rule(shot, nameless) == (True, "name-missing")


# ----------------------------------------------------------------- further education
def test_an_evu_course_is_a_course_in_its_units_account_with_its_dates() -> None:
    shot = snapshot(FAKULTET, evu())

    assert course(shot, EVU) == Course(
        EVU,
        "LED1",
        "Ledelse (2026-1)",
        "184_12_0_0",
        start=datetime(2026, 8, 31, 22, tzinfo=UTC),
        end=datetime(2026, 11, 30, 22, 59, 59, tzinfo=UTC),
    )
    assert course(shot, EVU).origin == Origin(SourceKind.EVU_KURS)
    assert rule(shot, evu()) == (True, "evu-exported")


def test_an_evu_course_may_have_open_ends() -> None:
    shot = snapshot(FAKULTET, evu(fra_dato=None, til_dato=None))

    assert (course(shot, EVU).start, course(shot, EVU).end) == (None, None)


def test_an_evu_course_without_a_unit_lies_in_the_institutions_account() -> None:
    row = evu(at=None)
    shot = snapshot(FAKULTET, row)

    assert course(shot, EVU).account == HOME
    assert rule(shot, row) == (True, "responsible-unit-missing")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (evu(tjenestenummer_for_lms="2", **OFF), "evu-not-exported"),
        (evu(tjenestenummer_for_lms="2", er_aktiv=False), "evu-inactive"),
        (evu(tjenestenummer_for_lms="1"), "evu-not-ours"),
        (evu(), "evu-not-ours"),
    ],
)
def test_an_evu_course_must_be_exported_active_and_ours(row: Row, why: str) -> None:
    shot = snapshot(FAKULTET, row, inst=OURS)

    assert ids(shot, Kind.COURSE) == []
    assert rule(shot, row) == (False, why)


def test_what_belongs_to_no_term_is_in_the_scope_of_every_daily_run() -> None:
    shot = snapshot(FAKULTET, program(lms_romkode="P"), kull(), klasse(), evu())

    assert {shot.scope.covers(thing) for key, thing in shot.objects.items() if key.kind is not Kind.TERM} == {True}
