from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosterflow.domain.fs.rows import EmneKey, Navn, Stedkode, UeKey
from rosterflow.domain.institution import Names
from rosterflow.domain.naming import (
    SisIds,
    choose,
    clean,
    render,
    term_name,
    term_short,
    titled,
    version_order,
)
from rosterflow.domain.windows import Semester

H26 = Semester.of("2026_HØST")
IDS = SisIds("184")
INF = EmneKey("INF-1100", "1")


def all_ids(ids: SisIds) -> list[str]:
    return [
        ids.unit(Stedkode("", "12", "1")),
        ids.emne(INF),
        ids.ue(INF, H26),
        ids.ua(UeKey(INF, Semester.of("2027_VÅR"), 2), "SEM-1"),
        ids.programme("B-INF"),
        ids.kull("B-INF", H26),
        ids.klasse("B-INF", H26, "A"),
        ids.evu("94035B", "2026 høst"),
    ]


def test_sis_ids_have_the_documented_forms() -> None:
    assert all_ids(IDS) == [
        "184_12_1_0",
        "EMNE_184_INF-1100_1",
        "UE_184_INF-1100_1_2026_HØST_1",
        "UA_184_INF-1100_1_2027_VÅR_2_SEM-1",
        "STUDIEPROGRAM_184_B-INF",
        "KULL_184_B-INF_2026_HØST",
        "KLASSE_184_B-INF_2026_HØST_A",
        "EVU_184_94035B_2026 høst",
    ]


def test_an_institution_number_with_leading_zeros_makes_the_same_ids() -> None:
    assert all_ids(SisIds("0184")) == all_ids(IDS)


def test_a_unit_always_has_four_parts_without_leading_zeros() -> None:
    assert IDS.unit(Stedkode("0184", "012", "00", "")) == "184_12_0_0"


def test_a_unit_of_another_institution_keeps_its_own_number() -> None:
    assert IDS.unit(Stedkode("9999", "1")) == "9999_1_0_0"


@pytest.mark.parametrize("kode", ["LMS TESTEMNE", "A/B", "A_B", "ÅRS-1", "0-5"])
def test_a_code_enters_an_id_literally(kode: str) -> None:
    assert IDS.emne(EmneKey(kode, "1")) == f"EMNE_184_{kode}_1"


def test_a_lineage_is_the_id_without_the_versjonskode() -> None:
    ue = UeKey(INF, H26, 1)

    assert IDS.emne_lineage(INF) == "EMNE_184_INF-1100"
    assert IDS.ue_lineage(INF, H26) == "UE_184_INF-1100_2026_HØST_1"
    assert IDS.ua_lineage(ue, "SEM-1") == "UA_184_INF-1100_2026_HØST_1_SEM-1"


@pytest.mark.parametrize(
    ("navn", "languages", "chosen"),
    [
        (Navn(nb="Hav", nn="Havet", en="Sea"), ("nb",), "Hav"),
        (Navn(nb="Hav", nn="Havet", en="Sea"), ("nn", "nb"), "Havet"),
        (Navn(nb="Hav", en="Sea"), ("nn", "en"), "Sea"),
        (Navn(nb="Hav"), ("en",), "Hav"),
        (Navn(nn="Havet"), ("en",), "Havet"),
        (Navn(und="Klasse A"), ("en", "nb"), "Klasse A"),
        (Navn(nb=" \n ", en="Sea"), ("nb", "en"), "Sea"),
        (Navn(), ("nb", "nn", "en"), ""),
    ],
)
def test_a_name_is_taken_in_the_first_preferred_language_that_has_one(
    navn: Navn, languages: tuple[str, ...], chosen: str
) -> None:
    assert choose(navn, languages) == chosen


def test_a_name_is_composed_collapsed_and_rid_of_control_characters() -> None:
    assert clean("  Bla\u030aba\u0308r\t og \u0000\u0007 tang\u00a0\n") == "Blåbär og tang"


def test_a_name_of_256_characters_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * 255) == "x" * 255
    assert clean("x" * 256) == "x" * 254 + "…"


@settings(deadline=None)
@given(st.text())
def test_a_clean_name_fits_a_column_and_stays_as_it_is(text: str) -> None:
    name = clean(text)

    assert len(name) <= 255
    assert clean(name) == name
    name.encode()


def test_a_variable_that_a_row_lacks_is_empty() -> None:
    assert render("{kode} {termin_kort}", kode="B-INF") == "B-INF"


def test_a_row_without_a_name_is_called_by_its_code_once() -> None:
    assert titled("{kode} {navn}", "INF", "") == "INF"
    assert titled("{navn}", "INF", "") == "INF"


def test_braces_in_a_name_are_no_pattern() -> None:
    assert titled("{navn}", "INF", "Om {kode}") == "Om {kode}"


@pytest.mark.parametrize(("language", "name"), [("nb", "Høst 2026"), ("nn", "Haust 2026"), ("en", "Autumn 2026")])
def test_a_term_is_called_in_the_institutions_first_language(language: str, name: str) -> None:
    assert term_name(H26, Names.model_validate({"languages": [language]})) == name


def test_a_term_has_a_short_name() -> None:
    assert term_short(H26) == "H26"


def test_versions_are_in_natural_order() -> None:
    assert sorted(["10", "B", "9", "1A", "1"], key=version_order) == ["1", "1A", "9", "10", "B"]
