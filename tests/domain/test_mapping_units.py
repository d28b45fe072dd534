from __future__ import annotations

from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import Navn, Stedkode, Unit
from rosterflow.domain.model import Account, Key, Kind, Origin, SourceKind
from tests.domain.fs_builders import (
    FAKULTET,
    HOME,
    INF,
    account,
    decision,
    emne,
    facts,
    ids,
    institution,
    rule,
    snapshot,
    sted,
    ue,
    unit,
    unreadable,
)

INSTITUTT = unit("12_1_0", "Institutt for tang")
GRUPPE = unit("12_1_3", "Gruppe for tare")
OWN = unit("0_0_0", "Fjord universitet")


def parents(*rows: Unit) -> dict[str, str]:
    shot = snapshot(*rows)
    return {sis_id: account(shot, sis_id).parent for sis_id in ids(shot, Kind.ACCOUNT)}


def test_a_unit_becomes_an_account_with_four_parts_in_its_id() -> None:
    assert snapshot(FAKULTET).objects[Key(Kind.ACCOUNT, "184_12_0_0")] == Account(
        "184_12_0_0", "Fakultet for hav", HOME, origin=Origin(SourceKind.ORGANISASJONSENHET)
    )


def test_the_numbers_make_the_tree_where_fs_says_no_parent() -> None:
    assert parents(FAKULTET, INSTITUTT, GRUPPE) == {
        "184_12_0_0": HOME,
        "184_12_1_0": "184_12_0_0",
        "184_12_1_3": "184_12_1_0",
    }


def test_the_parent_makes_the_tree_where_fs_says_one() -> None:
    moved = unit("12_1_0", parent="13_0_0")

    assert parents(FAKULTET, unit("13_0_0"), moved)["184_12_1_0"] == "184_13_0_0"


def test_a_unit_directly_below_the_institutions_own_unit_lies_in_the_institutions_account() -> None:
    assert parents(OWN, unit("12_0_0", parent="0_0_0")) == {"184_12_0_0": HOME}


def test_the_institutions_own_unit_is_never_an_account_of_ours() -> None:
    shot = snapshot(OWN)

    assert ids(shot, Kind.ACCOUNT) == []
    assert decision(shot, OWN).key == Key(Kind.ACCOUNT, HOME)
    assert rule(shot, OWN) == (True, "unit-own")


def test_a_unit_that_the_settings_name_as_the_institutions_account_is_that_account() -> None:
    shot = snapshot(FAKULTET, INSTITUTT, inst=institution(canvas={"account": "184_12_0_0"}))

    assert ids(shot, Kind.ACCOUNT) == ["184_12_1_0"]
    assert account(shot, "184_12_1_0").parent == "184_12_0_0"
    assert rule(shot, INSTITUTT) == (True, "unit-exported")


def test_a_unit_that_is_not_exported_is_no_account() -> None:
    off = unit("12_0_0", skal_eksporteres_til_lms=False)
    shot = snapshot(off)

    assert ids(shot, Kind.ACCOUNT) == []
    assert rule(shot, off) == (False, "unit-not-exported")


def test_a_unit_that_is_not_active_is_no_account() -> None:
    off = unit("12_0_0", er_aktiv=False)
    shot = snapshot(off)

    assert ids(shot, Kind.ACCOUNT) == []
    assert rule(shot, off) == (False, "unit-inactive")


def test_a_unit_whose_parent_is_not_exported_hangs_under_its_nearest_exported_ancestor() -> None:
    hidden = unit("12_1_0", parent="12_0_0", skal_eksporteres_til_lms=False)
    orphan = unit("12_1_3", parent="12_1_0")
    shot = snapshot(FAKULTET, hidden, orphan)

    assert account(shot, "184_12_1_3").parent == "184_12_0_0"
    assert rule(shot, orphan) == (True, "unit-parent-not-exported")
    assert facts(shot, orphan)["enhet"] == "184 12 1 0"


def test_the_search_for_an_exported_ancestor_follows_parents_before_numbers() -> None:
    hidden = unit("12_1_0", parent="13_0_0", skal_eksporteres_til_lms=False)

    assert parents(FAKULTET, unit("13_0_0"), hidden, unit("12_1_3", parent="12_1_0"))["184_12_1_3"] == "184_13_0_0"


def test_a_unit_whose_parent_fs_does_not_list_goes_on_up_by_the_numbers() -> None:
    shot = snapshot(FAKULTET, GRUPPE)

    assert account(shot, "184_12_1_3").parent == "184_12_0_0"
    assert rule(shot, GRUPPE) == (True, "unit-parent-not-exported")


def test_a_unit_without_any_exported_ancestor_hangs_under_the_institutions_account() -> None:
    shot = snapshot(GRUPPE)

    assert account(shot, "184_12_1_3").parent == HOME
    assert rule(shot, GRUPPE) == (True, "unit-parent-not-exported")


def test_units_that_are_each_others_parents_hang_under_the_institutions_account() -> None:
    one, two, below = unit("12_0_0", parent="13_0_0"), unit("13_0_0", parent="12_0_0"), unit("13_1_0", parent="13_0_0")
    shot = snapshot(one, two, below)

    assert parents(one, two, below) == {"184_12_0_0": HOME, "184_13_0_0": HOME, "184_13_1_0": "184_13_0_0"}
    assert rule(shot, one) == (True, "unit-parent-cycle")
    assert rule(shot, below) == (True, "unit-exported")


def test_a_circle_through_a_unit_that_is_not_exported_is_found() -> None:
    one, two = unit("12_0_0", parent="13_0_0"), unit("13_0_0", parent="12_0_0", skal_eksporteres_til_lms=False)

    assert parents(one, two) == {"184_12_0_0": HOME}


def test_a_unit_that_is_its_own_parent_goes_by_the_numbers() -> None:
    assert parents(FAKULTET, unit("12_1_0", parent="12_1_0"))["184_12_1_0"] == "184_12_0_0"


def test_a_unit_of_another_institution_number_lies_below_the_institutions_account() -> None:
    other = Unit(Stedkode("9999", "1"), Navn(nb="Museet"), Stedkode("9999"))

    assert parents(other) == {"9999_1_0_0": HOME}


def test_a_unit_without_a_name_is_called_by_its_id() -> None:
    nameless = Unit(sted("12_0_0"), Navn())
    shot = snapshot(nameless)

    assert account(shot, "184_12_0_0").name == "184_12_0_0"
    assert rule(shot, nameless) == (True, "name-missing")


def test_a_unit_whose_row_is_unreadable_keeps_what_lies_in_it() -> None:
    known = Account("184_12_0_0", "Fakultet for hav", HOME)
    shot = snapshot(unreadable(SourceKind.ORGANISASJONSENHET, "184", "12"), INF, ue("INF"), confirmed=[known])

    assert account(shot, "EMNE_184_INF_1").parent == "184_12_0_0"
    assert shot.untouchable == {Key(Kind.ACCOUNT, "184_12_0_0")}


def test_a_unit_that_an_incomplete_read_lacks_keeps_what_lies_in_it() -> None:
    known = Account("184_12_0_0", "Fakultet for hav", HOME)
    shot = snapshot(INF, ue("INF"), confirmed=[known], gaps=["page 2 was dropped"])

    assert account(shot, "EMNE_184_INF_1").parent == "184_12_0_0"


def test_a_unit_that_a_complete_read_lacks_loses_what_lies_in_it() -> None:
    known = Account("184_12_0_0", "Fakultet for hav", HOME)
    shot = snapshot(INF, ue("INF"), confirmed=[known])

    assert account(shot, "EMNE_184_INF_1").parent == HOME


def test_several_units_without_numbers_make_the_read_incomplete() -> None:
    shot = snapshot(OWN, unit("0_0_0", "Ukjent"))

    assert shot.gaps == ("2 units have no numbers, but only one can be the institution's own.",)
    assert [problem.code for problem in shot.problems] == [Code.ID_COLLISION]


def test_a_unit_moved_is_the_same_account_under_another_parent() -> None:
    before, after = unit("12_1_0", parent="12_0_0"), unit("12_1_0", parent="13_0_0")

    old, new = (account(snapshot(FAKULTET, unit("13_0_0"), row), "184_12_1_0") for row in (before, after))

    assert (old.sis_id, old.parent, new.parent) == (new.sis_id, "184_12_0_0", "184_13_0_0")


def test_an_emne_under_a_unit_that_is_not_exported_hangs_under_the_nearest_exported_ancestor() -> None:
    row = emne("INF", at="12_1_3")
    shot = snapshot(FAKULTET, unit("12_1_3", skal_eksporteres_til_lms=False), row, ue("INF"))

    assert account(shot, "EMNE_184_INF_1").parent == "184_12_0_0"
    assert rule(shot, row) == (True, "responsible-unit-not-exported")
