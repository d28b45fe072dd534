"""Rows that form one id, contradict each other, or cannot be read; and what then happens to what lies in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import FsSource, Row
from rosterflow.domain.mapping.fs import LACKING_2023, RULES, map_fs
from rosterflow.domain.model import CanvasObject, Key, Kind, SourceKind, key_of
from rosterflow.domain.snapshot import Scope, Snapshot
from tests.domain.fs_builders import (
    FAKULTET,
    INF,
    NOW,
    decision,
    emne,
    evu,
    facts,
    ids,
    institution,
    klasse,
    kull,
    program,
    rule,
    section,
    snapshot,
    ua,
    ue,
    unit,
    unreadable,
)

# Two emner whose ids are the same, because codes enter ids literally.
ONE, OTHER = emne("A", "1_2"), emne("A_1", "2")
SAME_ID = "EMNE_184_A_1_2"
ENHET = ue("INF")
UE = "UE_184_INF_1_2026_HØST_1"


def everything(shot: Snapshot) -> list[CanvasObject]:
    return list(shot.objects.values())


def test_two_rows_that_form_one_id_are_not_sent_and_one_problem_names_both() -> None:
    shot = snapshot(FAKULTET, ONE, OTHER, inst=institution(emne_accounts="all"))

    assert ids(shot, Kind.ACCOUNT) == ["184_12_0_0"]
    message = f"A 1_2 and A_1 2 form one id ({SAME_ID}) or contradict each other: not sent."
    assert shot.problems == (RowProblem(Code.ID_COLLISION, SourceKind.EMNE, "A 1_2", "", message),)
    assert rule(shot, ONE) == rule(shot, OTHER) == (False, "id-collision")
    assert facts(shot, ONE)["else"] == "emne-all"


def test_a_confirmed_object_that_two_rows_form_stays_as_it_is() -> None:
    before = snapshot(FAKULTET, ONE, ue("A", versjon="1_2"))
    shot = snapshot(FAKULTET, ONE, OTHER, ue("A", versjon="1_2"), confirmed=everything(before))

    assert shot.untouchable == {Key(Kind.ACCOUNT, SAME_ID)}
    assert Key(Kind.COURSE, "UE_184_A_1_2_2026_HØST_1") in shot.objects


def test_the_children_of_a_parent_that_is_not_sent_are_not_sent_either() -> None:
    enhet = ue("A", versjon="1_2")
    group = ua(enhet, "G1")
    shot = snapshot(FAKULTET, ONE, OTHER, enhet, group, inst=institution(emne_accounts="all"))

    assert ids(shot, Kind.COURSE) == ids(shot, Kind.SECTION) == []
    assert rule(shot, enhet) == rule(shot, group) == (False, "parent-not-sent")


def test_a_unit_that_two_rows_contradict_each_other_about_holds_back_what_lies_in_it_until_canvas_has_it() -> None:
    rows = FAKULTET, unit("12_0_0", "Et annet navn"), INF, ENHET
    first = snapshot(*rows)
    later = snapshot(*rows, confirmed=everything(snapshot(FAKULTET)))

    assert ids(first, Kind.ACCOUNT) == []
    assert rule(first, ENHET) == (False, "parent-not-sent")
    assert ids(later, Kind.ACCOUNT) == ["EMNE_184_INF_1"]
    assert later.untouchable == {Key(Kind.ACCOUNT, "184_12_0_0")}


def test_confirmed_children_of_a_parent_that_is_not_sent_stay_as_they_are() -> None:
    group = ua(ENHET, "G1")
    before = snapshot(FAKULTET, INF, ENHET, group)
    kept = [thing for thing in everything(before) if thing.kind is Kind.SECTION]
    twice = replace(ENHET, siste_termin=ENHET.key.semester)
    shot = snapshot(FAKULTET, INF, ENHET, twice, group, confirmed=kept)

    assert shot.untouchable == {key_of(thing) for thing in kept}


def test_the_same_row_twice_is_one_row() -> None:
    rows = FAKULTET, INF, ENHET, ua(ENHET, "G1")

    assert snapshot(*rows, *rows) == snapshot(*rows)


def test_two_rows_of_one_key_with_different_content_contradict_each_other() -> None:
    pairs: list[tuple[Row, Row]] = [
        (INF, replace(INF, tjenestenummer_for_lms="2")),
        (ENHET, replace(ENHET, siste_termin=ENHET.key.semester)),
        (ua(ENHET, "G1"), ua(ENHET, "G1", "Et annet navn")),
        (program(), program(name="Et annet navn")),
        (kull(), kull(name="Et annet navn")),
        (klasse(), klasse(lms_romkode="K")),
        (evu(), evu(til_dato=None)),
    ]
    rest = [pair[0] for pair in pairs]
    for one, other in pairs:
        shot = snapshot(FAKULTET, *rest, other)

        collided = [d for d in shot.decisions if d.rule == "id-collision"]
        assert [(d.source, d.subject, d.allowed) for d in collided] == [(one.source, one.subject, False)] * 2
        assert [problem.subject for problem in shot.problems] == [one.subject]


@pytest.mark.parametrize("off", [program(skal_eksporteres_til_lms=False), program(er_aktiv=False)])
def test_two_rows_of_one_key_of_which_one_is_off_contradict_each_other(off: Row) -> None:
    shot = snapshot(FAKULTET, program(), off)

    assert ids(shot, Kind.ACCOUNT) == ["184_12_0_0"]
    assert [problem.code for problem in shot.problems] == [Code.ID_COLLISION]


def test_an_undervisningsenhet_that_is_exported_and_is_not_contradicts_itself() -> None:
    shot = snapshot(FAKULTET, INF, ENHET, replace(ENHET, skal_eksporteres_til_lms=False))

    assert ids(shot, Kind.COURSE) == []
    assert [problem.code for problem in shot.problems] == [Code.ID_COLLISION]


def test_a_unit_that_is_exported_and_is_not_holds_back_what_lies_in_it() -> None:
    rows = FAKULTET, unit("12_0_0", "Åpent hav", skal_eksporteres_til_lms=False), INF, ENHET
    shot = snapshot(*rows)

    assert ids(shot, Kind.ACCOUNT) == []
    assert rule(shot, INF) == (False, "parent-not-sent")


def test_which_of_two_contradictory_rows_came_first_never_shows() -> None:
    emner = emne("INF", name="Hav"), emne("INF", name="Tang")
    above = ua(ENHET, "F", "Forelesning"), ua(ENHET, "F", "Føredrag")
    rows = FAKULTET, ENHET, ua(ENHET, "G1", parent="F")
    there = everything(snapshot(FAKULTET, INF, ENHET))

    one, other = (snapshot(*rows, *emner[::step], *above[::step], confirmed=there).objects for step in (1, -1))

    assert one == other


def test_a_collision_does_not_hinder_other_rows() -> None:
    shot = snapshot(FAKULTET, ONE, OTHER, INF, ENHET, inst=institution(emne_accounts="all"))

    assert section(shot, UE) is not None


# ----------------------------------------------------------------- rows that cannot be read
@pytest.mark.parametrize(
    ("kind", "known", "kept"),
    [
        (SourceKind.ORGANISASJONSENHET, ("184", "12", "0", "0"), ["184_12_0_0"]),
        (SourceKind.ORGANISASJONSENHET, ("", "12", "0", "0"), ["184_12_0_0"]),
        (SourceKind.EMNE, ("INF", "1"), ["EMNE_184_INF_1", UE, UE, f"UA{UE[2:]}_G1"]),
        (SourceKind.EMNE, ("INF",), ["EMNE_184_INF_1", UE, UE, f"UA{UE[2:]}_G1"]),
        (SourceKind.UNDERVISNINGSENHET, ("INF", "1", "2026_HØST"), [UE, UE, f"UA{UE[2:]}_G1"]),
        (SourceKind.UNDERVISNINGSAKTIVITET, ("INF", "1", "2026_HØST", "1"), [f"UA{UE[2:]}_G1"]),
        (
            SourceKind.STUDIEPROGRAM,
            ("B-INF",),
            ["STUDIEPROGRAM_184_B-INF", "KULL_184_B-INF_2026_HØST", "KLASSE_184_B-INF_2026_HØST_A"],
        ),
        (SourceKind.KULL, ("B-INF",), ["KULL_184_B-INF_2026_HØST", "KLASSE_184_B-INF_2026_HØST_A"]),
        (SourceKind.KLASSE, ("B-INF", "2026_HØST"), ["KLASSE_184_B-INF_2026_HØST_A"]),
        (SourceKind.EVU_KURS, ("LED1",), ["EVU_184_LED1_2026-1"]),
        (SourceKind.TERMIN, ("2027", "VÅR"), []),
        (SourceKind.EMNE, ("IN",), []),
        (SourceKind.EMNE, (), []),
    ],
)
def test_what_an_unreadable_row_may_stand_for_stays_as_it_is(
    kind: SourceKind, known: tuple[str, ...], kept: list[str]
) -> None:
    rows = FAKULTET, INF, ENHET, ua(ENHET, "G1"), program(), kull(), klasse(), evu()
    row = unreadable(kind, *known)
    shot = snapshot(row, confirmed=everything(snapshot(*rows)))

    assert sorted(key.sis_id for key in shot.untouchable) == sorted(kept)
    assert [(d.allowed, d.facts) for d in shot.decisions if d.rule == "row-invalid"] == [(False, (("field", "kode"),))]
    assert shot.problems == (row,)


def test_an_unreadable_row_does_not_keep_sound_rows_from_being_sent() -> None:
    rows = FAKULTET, INF, ENHET
    bad = unreadable(SourceKind.UNDERVISNINGSENHET, "INF", "1")
    renamed = emne("INF", name="Nytt navn")
    shot = snapshot(FAKULTET, renamed, ENHET, bad, confirmed=everything(snapshot(*rows)))

    assert section(shot, UE).name == "INF Nytt navn"
    assert shot.untouchable == frozenset()


def test_an_unreadable_row_of_the_followed_emne_leaves_the_follower_where_it_is() -> None:
    follower = ue("INF", folger="MAT")
    before = snapshot(FAKULTET, INF, emne("MAT"), follower, ue("MAT"))
    shot = snapshot(
        FAKULTET, INF, emne("MAT"), follower, unreadable(SourceKind.UNDERVISNINGSENHET, "MAT", "1"),
        confirmed=everything(before),
    )  # fmt: skip

    assert rule(shot, follower) == (False, "followed-not-read")
    assert Key(Kind.SECTION, UE) in shot.untouchable


def test_gaps_of_the_read_are_gaps_of_the_snapshot() -> None:
    shot = snapshot(FAKULTET, gaps=["page 2 of emner was dropped"])

    assert shot.gaps == ("page 2 of emner was dropped",)
    assert not shot.is_complete
    assert snapshot(FAKULTET).is_complete


# ----------------------------------------------------------------- decisions and counts
def test_every_row_has_exactly_one_decision_with_a_rule_that_is_listed() -> None:
    rows: list[Row] = [
        FAKULTET, unit("13_0_0", er_aktiv=False), INF, replace(INF, fra_undervisning=True), emne("MAT"), ENHET,
        ue("INF", nummer=2), ue("MAT", skal_eksporteres_til_lms=False), ua(ENHET, "G1"), ua(ENHET, "G2", parent="G1"),
        program(), kull(), klasse(), evu(),
    ]  # fmt: skip
    shot = snapshot(*rows)

    by_row = {(d.source, d.subject) for d in shot.decisions}
    assert {(row.source, row.subject) for row in rows} <= by_row
    assert len(by_row) == len(shot.decisions)
    assert {d.rule for d in shot.decisions} <= RULES.keys()


def test_a_decision_names_the_object_it_is_about() -> None:
    assert decision(snapshot(FAKULTET), FAKULTET).key == Key(Kind.ACCOUNT, "184_12_0_0")


def test_what_the_dialect_of_2023_lacks_is_one_decision_of_each_run() -> None:
    shot = snapshot(FAKULTET, inst=institution(fs={"dialect": "2023"}))

    (found,) = [d for d in shot.decisions if d.rule == "dialect-2023-lacks"]
    assert (found.allowed, found.facts) == (True, LACKING_2023)
    assert not [d for d in snapshot(FAKULTET).decisions if d.rule == "dialect-2023-lacks"]


def test_rows_are_counted_before_any_rule_and_an_emne_of_two_operations_once() -> None:
    off = unit("13_0_0", skal_eksporteres_til_lms=False)
    taught = replace(INF, fra_undervisning=True)
    shot = snapshot(FAKULTET, off, INF, taught, ENHET, unreadable(SourceKind.EVU_KURS, "X"))

    assert shot.rows_read == {
        SourceKind.TERMIN: 0,
        SourceKind.ORGANISASJONSENHET: 2,
        SourceKind.EMNE: 1,
        SourceKind.UNDERVISNINGSENHET: 1,
        SourceKind.UNDERVISNINGSAKTIVITET: 0,
        SourceKind.STUDIEPROGRAM: 0,
        SourceKind.KULL: 0,
        SourceKind.KLASSE: 0,
        SourceKind.EVU_KURS: 1,
    }


def test_nothing_read_is_nothing_wanted_but_the_terms() -> None:
    shot = map_fs(institution(), NOW, FsSource(), {})

    assert {key.kind for key in shot.objects} == {Kind.TERM}
    assert map_fs(institution(), Scope(frozenset()), FsSource(), {}).objects == {}
