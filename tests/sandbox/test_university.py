"""The synthetic university: what it holds, and that a seed says all of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sandbox.university.generate import generate
from sandbox.university.model import Niva, Semester, Terminkode, University

HOST, VAR, SOM = Terminkode.HOST, Terminkode.VAR, Terminkode.SOM


def picture(university: University) -> list[Any]:
    """Everything a university says, as plain values."""
    return [
        [(unit.stedkode, unit.navn, unit.er_aktiv, unit.skal_eksporteres) for unit in university.enheter],
        [
            (emne.kode, emne.versjonskode, emne.navn, emne.tjenestenummer, emne.siste_termin)
            for emne in university.emner
        ],
        [
            (ue.emne.kode, ue.semester, ue.terminnummer, ue.skal_eksporteres, ue.folger and ue.folger.kode)
            for emne in university.emner
            for ue in emne.undervisningsenheter
        ],
        [
            (ua.kode, ua.lms_romkode, ua.skal_eksporteres)
            for emne in university.emner
            for ue in emne.undervisningsenheter
            for ua in ue.aktiviteter
        ],
        [
            (kull.studieprogram.kode, kull.semester, kull.navn_no, [klasse.kode for klasse in kull.klasser])
            for program in university.studieprogram
            for kull in program.kull
        ],
        [(kurs.kode, kurs.tidsangivelse, kurs.periode) for kurs in university.evukurs],
    ]


@pytest.fixture(scope="module")
def demo() -> University:
    return generate(1, "demo", 2026, "HOST")


def test_the_same_seed_gives_the_same_university() -> None:
    assert picture(generate(7, "demo", 2026, "HOST")) == picture(generate(7, "demo", 2026, "HOST"))


@pytest.mark.parametrize(
    "other",
    [(8, "demo", 2026, "HOST"), (7, "small", 2026, "HOST"), (7, "demo", 2027, "HOST"), (7, "demo", 2026, "VAR")],
)
def test_another_seed_size_year_or_term_gives_another(other: tuple[int, str, int, str]) -> None:
    assert picture(generate(*other)) != picture(generate(7, "demo", 2026, "HOST"))


def test_the_demo_has_the_size_that_was_asked_for(demo: University) -> None:
    assert demo.counts() == {
        "organisasjonsenheter": 14,
        "emner": 60,
        "undervisningsenheter": 85,
        "undervisningsaktiviteter": 112,
        "studieprogram": 11,
        "kull": 30,
        "klasser": 55,
        "evukurs": 8,
        "terminer": 30,
        "personer": 1542,
        "emneStudieretter": 3760,
        "undervisningspartiplasseringer": 1567,
        "programStudieretter": 1384,
        "klassemedlemskap": 1251,
        "evuKursdeltakelser": 97,
        "personroller": 345,
    }


def test_the_full_size_is_that_of_the_largest_universities() -> None:
    university = generate(1, "full", 2026, "HOST")
    terms = (university.semester, university.semester.step(1))
    ours = [emne for emne in university.emner if emne.tjenestenummer == "1"]
    teaching = [ue for emne in ours for ue in emne.undervisningsenheter if ue.skal_eksporteres and ue.semester in terms]
    activities = [ua for ue in teaching for ua in ue.aktiviteter if ua.skal_eksporteres]
    own_rooms = sum(ua.lms_romkode == "eget-rom" for ua in activities)
    kull = [kull for program in university.studieprogram for kull in program.kull if kull.skal_eksporteres]
    klasser = sum(len(each.klasser) for each in kull)
    accounts = len({ue.emne for ue in teaching}) + len(university.enheter) + len(university.studieprogram)

    assert 1_900 <= accounts <= 2_200
    assert 9_500 <= len(teaching) + own_rooms + len(kull) + len(university.evukurs) <= 11_500
    assert 19_000 <= len(teaching) + len(activities) + klasser <= 22_000
    placed = sum(len(ue.studieretter) for ue in teaching) + sum(len(ua.plasseringer) for ua in activities)
    members = sum(len(klasse.medlemmer) for each in kull for klasse in each.klasser)
    places: list[Any] = [*teaching, *activities, *kull, *university.evukurs]
    roles = sum(len(place.personroller) for place in places)
    assert 60_000 <= len(university.personer) <= 60_100
    assert 280_000 <= placed + members + roles + university.counts()["evuKursdeltakelser"] <= 320_000


def test_a_size_can_be_given_in_numbers() -> None:
    counts = generate(1, "emner=200,undervises=0,evu=20,vanskelig=0", 2026, "HOST").counts()

    assert (counts["emner"], counts["undervisningsenheter"], counts["evukurs"]) == (200, 0, 20)


@pytest.mark.parametrize("size", ["huge", "emner", "emner=-1", "people=3", "emner=5,undervises=6", "institutter=0", ""])
def test_a_size_that_cannot_be_made_is_refused_with_what_can(size: str) -> None:
    with pytest.raises(ValueError, match="size"):
        generate(1, size, 2026, "HOST")


def test_a_term_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="VAR, SOM, HOST"):
        generate(1, "small", 2026, "VIT")


def test_units_are_four_levels_deep_and_come_after_their_parents(demo: University) -> None:
    depth = {demo.root: 1}
    for unit in demo.enheter[1:]:
        assert unit.parent is not None
        depth[unit] = depth[unit.parent] + 1

    assert set(depth.values()) == {1, 2, 3, 4}


def test_a_unit_lies_where_its_numbers_say(demo: University) -> None:
    numbers = {
        Niva.INSTITUSJON: (False, False, False),
        Niva.FAKULTET: (True, False, False),
        Niva.INSTITUTT: (True, True, False),
        Niva.GRUPPE: (True, True, True),
    }
    for unit in demo.enheter:
        used = (bool(unit.fakultetsnummer), bool(unit.instituttnummer), bool(unit.gruppenummer))
        assert used == numbers[unit.niva], unit.stedkode


@pytest.mark.parametrize(
    ("start", "steps", "end"),
    [
        (Semester(2026, HOST), 1, Semester(2027, VAR)),
        (Semester(2026, HOST), -1, Semester(2026, VAR)),
        (Semester(2026, VAR), -3, Semester(2024, HOST)),
        (Semester(2026, SOM), 1, Semester(2026, HOST)),
        (Semester(2026, SOM), -1, Semester(2026, VAR)),
        (Semester(2026, SOM), 0, Semester(2026, SOM)),
    ],
)
def test_terms_step_over_autumn_and_spring_alone(start: Semester, steps: int, end: Semester) -> None:
    assert start.step(steps) == end


def test_terms_are_ordered_in_time() -> None:
    assert sorted([Semester(2027, VAR), Semester(2026, HOST), Semester(2026, VAR), Semester(2026, SOM)]) == [
        Semester(2026, VAR),
        Semester(2026, SOM),
        Semester(2026, HOST),
        Semester(2027, VAR),
    ]


def test_the_last_the_current_and_the_next_term_are_taught(demo: University) -> None:
    taught = Counter(ue.semester for emne in demo.emner for ue in emne.undervisningsenheter)

    assert all(taught[demo.semester.step(offset)] > 5 for offset in (-1, 0, 1))


def test_the_awkward_data_of_real_institutions_is_there(demo: University) -> None:
    teaching = [ue for emne in demo.emner for ue in emne.undervisningsenheter]
    activities = [ua for ue in teaching for ua in ue.aktiviteter]
    versions = Counter((ue.emne.kode, ue.semester, ue.terminnummer) for ue in teaching)
    klasser = [klasse for program in demo.studieprogram for kull in program.kull for klasse in kull.klasser]
    found = {
        "several versions taught side by side": max(versions.values()) > 1,
        "a course over three terms": any(ue.terminnummer == 3 for ue in teaching),
        "two rounds of it at once": any(
            {1, 2} <= {ue.terminnummer for ue in emne.undervisningsenheter if ue.semester == demo.semester}
            for emne in demo.emner
        ),
        "teaching that follows an emne": any(ue.folger for ue in teaching),
        "activities three deep": any(ua.parent and ua.parent.parent for ua in activities),
        "an exported activity below hidden teaching": any(
            ua.skal_eksporteres and not ua.enhet.skal_eksporteres for ua in activities
        ),
        "an exported klasse below a hidden kull": any(
            klasse.skal_eksporteres and not klasse.kull.skal_eksporteres for klasse in klasser
        ),
        "an exported kull below a hidden programme": any(
            klasse.kull.skal_eksporteres and not klasse.kull.studieprogram.skal_eksporteres for klasse in klasser
        ),
        "one klasse code in many kull": Counter(klasse.kode for klasse in klasser)["A"] > 3,
        "klasse codes that differ by a blank": any(klasse.kode == "A " for klasse in klasser),
        "an exported unit below a hidden one": any(
            unit.skal_eksporteres and unit.parent and not unit.parent.skal_eksporteres for unit in demo.enheter
        ),
        "an emne of a hidden unit": any(
            emne.studieansvarlig and not emne.studieansvarlig.skal_eksporteres for emne in demo.emner
        ),
        "an emne of a closed unit": any(
            emne.studieansvarlig and not emne.studieansvarlig.er_aktiv for emne in demo.emner
        ),
        "an emne of no unit": any(
            emne.studieansvarlig is None and emne.administrativt_ansvarlig is None for emne in demo.emner
        ),
        "a nameless emne": any(emne.navn.nb is emne.navn.nn is emne.navn.en is None for emne in demo.emner),
        "a nameless unit": any(unit.navn.nb is None for unit in demo.enheter),
        "EVU without a unit": any(kurs.enhet is None for kurs in demo.evukurs),
        "EVU without an end": any(kurs.periode.til is None for kurs in demo.evukurs),
        "summer teaching": any(ue.semester.kode is SOM for ue in teaching),
        "more teaching than a nested page": any(len(emne.undervisningsenheter) > 10 for emne in demo.emner),
        "more activities than a nested page": any(len(ue.aktiviteter) > 10 for ue in teaching),
        "an unknown room code": any(ua.lms_romkode == "prøverom" for ua in activities),
        "two service numbers and none": {emne.tjenestenummer for emne in demo.emner} == {"1", "2", None},
        "awkward codes": {"LMS TESTEMNE", "MUS/UTØ 2", "DATA_101", "ÅPN100"} <= {emne.kode for emne in demo.emner},
    }

    assert [name for name, is_there in found.items() if not is_there] == []


def test_followers_hold_a_chain_and_a_ring(demo: University) -> None:
    follows = {ue.emne.kode: ue.folger.kode for emne in demo.emner for ue in emne.undervisningsenheter if ue.folger}

    assert follows["FØLG-A"] == "FØLG-B"
    assert follows["FØLG-B"] == "FØLG-C"
    assert (follows["RING-A"], follows["RING-B"]) == ("RING-B", "RING-A")


def test_the_small_size_has_none_of_the_awkward_rows() -> None:
    small = generate(1, "small", 2026, "HOST")

    assert [emne.kode for emne in small.emner if emne.kode.startswith(("LMS", "RING", "MANGE"))] == []
    assert all(unit.skal_eksporteres and unit.er_aktiv for unit in small.enheter)


def test_another_institution_number_can_be_given() -> None:
    assert generate(1, "small", 2026, "HOST", institution=1627).institusjonsnummer == 1627
