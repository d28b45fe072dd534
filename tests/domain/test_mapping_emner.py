from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import EmneKey, Navn
from rosterflow.domain.model import Account, Course, Key, Kind, Origin, SourceKind
from rosterflow.domain.snapshot import Scope
from tests.domain.fs_builders import (
    FAKULTET,
    H27,
    HOME,
    INF,
    NOW,
    account,
    emne,
    facts,
    ids,
    institution,
    rule,
    snapshot,
    sted,
    ua,
    ue,
    unit,
    unreadable,
)

OURS = institution(fs={"service_numbers": ["2"]})
KNOWN = Account("EMNE_184_INF_1", "INF Om INF", "184_12_0_0", origin=Origin(SourceKind.EMNE))


def test_an_emne_with_exported_teaching_is_an_account_under_its_responsible_unit() -> None:
    shot = snapshot(FAKULTET, INF, ue("INF"))

    assert account(shot, "EMNE_184_INF_1") == Account("EMNE_184_INF_1", "INF Om INF", "184_12_0_0")
    assert account(shot, "EMNE_184_INF_1").origin == Origin(SourceKind.EMNE, None, "EMNE_184_INF")
    assert rule(shot, INF) == (True, "emne-exported")


def test_an_emne_without_exported_teaching_in_scope_is_no_account() -> None:
    rows = (ue("INF", skal_eksporteres_til_lms=False), ue("INF", H27))
    shot = snapshot(FAKULTET, INF, *rows)

    assert account(shot, "EMNE_184_INF_1") is None
    assert rule(shot, INF) == (False, "emne-without-teaching")


def test_all_emner_are_accounts_where_the_institution_wants_them() -> None:
    shot = snapshot(FAKULTET, INF, inst=institution(emne_accounts="all"))

    assert account(shot, "EMNE_184_INF_1").parent == "184_12_0_0"
    assert rule(shot, INF) == (True, "emne-all")


def test_an_emne_account_stays_through_a_term_without_teaching_and_still_moves_and_is_renamed() -> None:
    moved = emne("INF", at="13_0_0", name="Om hav")
    shot = snapshot(unit("13_0_0"), moved, confirmed=[KNOWN])

    assert account(shot, "EMNE_184_INF_1") == Account("EMNE_184_INF_1", "INF Om hav", "184_13_0_0")
    assert rule(shot, moved) == (True, "emne-kept")


def test_an_emne_that_fs_no_longer_lists_is_not_in_the_snapshot() -> None:
    assert ids(snapshot(FAKULTET, confirmed=[KNOWN]), Kind.ACCOUNT) == ["184_12_0_0"]


def test_the_administratively_responsible_unit_stands_in_for_the_study_responsible_one() -> None:
    admin = sted("13_0_0")
    both = emne("INF", at="12_0_0", administrativt_ansvarlig=admin)
    one = emne("MAT", at=None, administrativt_ansvarlig=admin)
    shot = snapshot(FAKULTET, unit("13_0_0"), both, one, ue("INF"), ue("MAT"))

    assert account(shot, "EMNE_184_INF_1").parent == "184_12_0_0"
    assert account(shot, "EMNE_184_MAT_1").parent == "184_13_0_0"


def test_an_emne_without_a_responsible_unit_lies_in_the_institutions_account() -> None:
    row = emne("INF", at=None)
    shot = snapshot(FAKULTET, row, ue("INF"))

    assert account(shot, "EMNE_184_INF_1").parent == HOME
    assert rule(shot, row) == (True, "responsible-unit-missing")


def test_an_emne_of_the_institutions_own_unit_lies_in_the_institutions_account_without_a_remark() -> None:
    row = emne("INF", at="0_0_0")
    shot = snapshot(row, ue("INF"))

    assert account(shot, "EMNE_184_INF_1").parent == HOME
    assert rule(shot, row) == (True, "emne-exported")


def test_an_emne_without_a_name_is_called_by_its_code() -> None:
    row = emne("INF", name="")
    shot = snapshot(FAKULTET, row, ue("INF"))

    assert account(shot, "EMNE_184_INF_1").name == "INF"
    assert rule(shot, row) == (True, "name-missing")


def test_a_second_remark_about_an_emne_is_a_fact_of_its_one_decision() -> None:
    row = emne("INF", at=None, name="")
    shot = snapshot(row, ue("INF"))

    assert rule(shot, row) == (True, "responsible-unit-missing")
    assert facts(shot, row)["also"] == "emne-exported"


@pytest.mark.parametrize(
    ("number", "settings", "is_sent"),
    [
        ("2", {"service_numbers": ["2"]}, True),
        ("1", {"service_numbers": ["2"]}, False),
        (None, {"service_numbers": ["2"]}, False),
        (None, {"service_numbers": ["2"], "null_service_number_is_ours": True}, True),
        ("1", {"service_numbers": ["2"], "null_service_number_is_ours": True}, False),
        ("1", {}, True),
        (None, {}, True),
    ],
)
def test_the_emnes_service_number_decides_whether_it_is_ours(number: Any, settings: Any, is_sent: bool) -> None:
    row = emne("INF", tjenestenummer_for_lms=number)

    shot = snapshot(FAKULTET, row, ue("INF"), inst=institution(fs=settings))

    assert (account(shot, "EMNE_184_INF_1") is not None) is is_sent


def test_an_emne_of_another_lms_takes_its_teaching_with_it() -> None:
    row, enhet = emne("INF", tjenestenummer_for_lms="1"), ue("INF")
    group = ua(enhet, "G1")
    shot = snapshot(FAKULTET, row, enhet, group, inst=OURS)

    assert ids(shot, Kind.COURSE) == ids(shot, Kind.SECTION) == []
    assert {rule(shot, one) for one in (row, enhet, group)} == {(False, "emne-not-ours")}
    assert facts(shot, row) == {"tjenestenummerForLms": "1"}


def test_units_have_no_service_number_and_are_always_ours() -> None:
    assert ids(snapshot(FAKULTET, inst=OURS), Kind.ACCOUNT) == ["184_12_0_0"]


def test_an_emne_that_came_only_with_its_teaching_is_mapped_like_any_other() -> None:
    taught = replace(INF, fra_undervisning=True)

    assert snapshot(FAKULTET, taught, ue("INF")).objects == snapshot(FAKULTET, INF, ue("INF")).objects


def test_an_emne_read_by_two_operations_that_differ_is_told_by_the_operation_that_reads_emner() -> None:
    taught = emne("INF", at="13_0_0", name="Om noe annet", fra_undervisning=True, tjenestenummer_for_lms="2")
    shot = snapshot(FAKULTET, unit("13_0_0"), INF, taught, ue("INF"), inst=OURS)

    assert account(shot, "EMNE_184_INF_1") == Account("EMNE_184_INF_1", "INF Om INF", "184_12_0_0")
    assert shot.problems == ()


def test_what_one_operation_lacks_of_an_emne_the_other_may_add() -> None:
    alone = replace(INF, navn=Navn(en="Sea"), studieansvarlig=None)
    taught = emne("INF", name="Hav", fra_undervisning=True)
    shot = snapshot(FAKULTET, alone, taught, ue("INF"))

    assert account(shot, "EMNE_184_INF_1") == Account("EMNE_184_INF_1", "INF Hav", "184_12_0_0")


def test_versions_of_an_emne_are_accounts_of_one_lineage() -> None:
    old, new = INF, emne("INF", "2")
    shot = snapshot(FAKULTET, old, new, ue("INF"), ue("INF", versjon="2"))

    assert account(shot, "EMNE_184_INF_1").origin.lineage == account(shot, "EMNE_184_INF_2").origin.lineage


def test_codes_with_blanks_slashes_and_norwegian_letters_enter_ids_literally() -> None:
    key = EmneKey("ÅR 1/2", "1")
    shot = snapshot(FAKULTET, emne(*key), ue(*key[:1]))

    assert account(shot, "EMNE_184_ÅR 1/2_1") is not None


def test_a_kind_outside_the_scope_is_used_as_canvas_has_it() -> None:
    known = replace(KNOWN, name="As confirmed")
    narrow = Scope(frozenset({"2026_HØST"}), frozenset({SourceKind.UNDERVISNINGSENHET}))
    unit_account = Account("184_12_0_0", "Fakultet", HOME)
    shot = snapshot(INF, ue("INF"), scope=narrow, confirmed=[known, unit_account])

    assert account(shot, "EMNE_184_INF_1") == known
    assert shot.objects[Key(Kind.COURSE, "UE_184_INF_1_2026_HØST_1")].kind is Course.kind


def test_a_run_that_did_not_read_units_finds_them_in_canvas() -> None:
    narrow = Scope(frozenset({"2026_HØST"}), frozenset({SourceKind.EMNE}))
    shot = snapshot(INF, ue("INF"), scope=narrow, confirmed=[Account("184_12_0_0", "Fakultet", HOME)])

    assert account(shot, "EMNE_184_INF_1").parent == "184_12_0_0"


def test_an_emne_that_a_run_is_for_and_that_fs_does_not_have_is_a_problem() -> None:
    narrowed = replace(NOW, emnekoder=frozenset({"INF", "MAT", "INF-11OO"}))

    shot = snapshot(FAKULTET, INF, ue("INF"), unreadable(SourceKind.EMNE, "MAT"), scope=narrowed)

    assert [(p.code, p.subject) for p in shot.problems if p.code is not Code.ROW_INVALID] == [
        (Code.EMNE_UNKNOWN, "INF-11OO")
    ]
