"""What an incomplete read does: it adds, updates what it knows, and undoes nothing that rests on rows it lacks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import combinations_with_replacement

import pytest

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.fs.rows import Row
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import CanvasObject, Key, Kind, Section
from rosterflow.domain.snapshot import Snapshot
from tests.domain import builders as a
from tests.domain.fs_builders import (
    FAKULTET,
    H26,
    H27,
    INF,
    V27,
    account,
    course,
    emne,
    evu,
    institution,
    klasse,
    kull,
    program,
    rule,
    section,
    snapshot,
    term,
    termin,
    ua,
    ue,
    unit,
)

LOST = ("page 2 was dropped",)
UE = "UE_184_INF_1_2026_HØST_1"
MAT = emne("MAT"), emne("MAT", "2")
OWNER = institution(canvas={"owns_term_dates": True})


def whole(*rows: Row, inst: Institution | None = None) -> list[CanvasObject]:
    """What Canvas has after a whole read."""
    return list(snapshot(*rows, inst=inst).objects.values())


def cut(*rows: Row, confirmed: Iterable[CanvasObject], inst: Institution | None = None) -> Snapshot:
    """What a read says of which some rows were lost."""
    return snapshot(*rows, confirmed=confirmed, gaps=LOST, inst=inst)


# ----------------------------------------------------------------- teaching that follows other teaching
def test_a_section_stays_in_its_course_when_the_read_lacks_the_version_that_it_follows() -> None:
    follower, first, second = ue("INF", folger="MAT"), ue("MAT"), ue("MAT", versjon="2")
    there = whole(FAKULTET, INF, *MAT, follower, first, second)

    shot = cut(FAKULTET, INF, *MAT, follower, first, confirmed=there)

    assert Key(Kind.SECTION, UE) in shot.untouchable
    assert rule(shot, follower) == (False, "followed-not-read")


def test_activities_of_a_section_that_stays_in_its_course_stay_there_too() -> None:
    follower, group = ue("INF", folger="MAT"), ua(ue("INF"), "G1")
    there = whole(FAKULTET, INF, *MAT, follower, group, ue("MAT"), ue("MAT", versjon="2"))

    shot = cut(FAKULTET, INF, *MAT, follower, group, ue("MAT"), confirmed=there)

    assert section(shot, "UA_184_INF_1_2026_HØST_1_G1").course == "UE_184_MAT_2_2026_HØST_1"


def test_a_section_in_the_course_that_it_follows_is_updated_by_an_incomplete_read() -> None:
    rows = (FAKULTET, *MAT[:1], ue("INF", folger="MAT"), ue("MAT"))

    shot = cut(*rows, emne("INF", name="Nytt"), confirmed=whole(*rows, INF))

    assert section(shot, UE) == Section(UE, "INF Nytt", "UE_184_MAT_1_2026_HØST_1")


def test_a_new_section_is_made_by_an_incomplete_read() -> None:
    shot = cut(FAKULTET, INF, *MAT[:1], ue("INF", folger="MAT"), ue("MAT"), confirmed=())

    assert section(shot, UE).course == "UE_184_MAT_1_2026_HØST_1"


# ----------------------------------------------------------------- dates
@pytest.mark.parametrize("left", [ue("INF"), ue("INF", V27, 2)], ids=["the last term is lost", "the first is lost"])
def test_a_course_over_several_terms_keeps_dates_and_term_when_one_of_them_is_lost(left: Row) -> None:
    rows = (FAKULTET, INF, ue("INF"), ue("INF", V27, 2))
    there = snapshot(*rows)

    shot = cut(FAKULTET, INF, left, confirmed=there.objects.values())

    assert course(shot, UE) == course(there, UE)
    assert course(shot, UE).origin == section(shot, UE).origin == course(there, UE).origin


def test_a_course_keeps_its_dates_when_its_siste_termin_or_the_terms_own_dates_are_lost() -> None:
    terms = (termin(H26, date(2026, 8, 17), date(2026, 12, 18)), termin(V27, date(2027, 1, 11), date(2027, 12, 31)))
    there = whole(FAKULTET, INF, *terms, ue("INF"), ue("INF", V27, 2))

    shot = cut(FAKULTET, INF, ue("INF"), confirmed=there)

    assert course(shot, UE) in there


def test_a_course_gets_longer_by_an_incomplete_read() -> None:
    shot = cut(FAKULTET, INF, ue("INF"), ue("INF", V27, 2), confirmed=whole(FAKULTET, INF, ue("INF")))

    assert course(shot, UE).start == datetime(2026, 7, 31, 22, tzinfo=UTC)
    assert course(shot, UE).end == datetime(2027, 7, 30, 21, 59, 59, tzinfo=UTC)


def test_a_term_keeps_its_dates_when_its_row_is_lost() -> None:
    row = termin(H26, date(2026, 8, 17), date(2026, 12, 18))
    there = snapshot(row, inst=OWNER)

    assert term(cut(confirmed=there.objects.values(), inst=OWNER), "2026_HØST") == term(there, "2026_HØST")


def test_a_term_gets_the_dates_that_an_incomplete_read_has_of_it() -> None:
    there = whole(termin(H26), inst=OWNER)

    shot = cut(termin(H26, date(2026, 8, 17)), confirmed=there, inst=OWNER)

    assert term(shot, "2026_HØST").start == datetime(2026, 8, 16, 22, tzinfo=UTC)


def test_dates_of_an_evu_course_are_its_own_rows_business() -> None:
    shot = cut(FAKULTET, evu(til_dato=None), confirmed=whole(FAKULTET, evu()))

    assert course(shot, "EVU_184_LED1_2026-1").end is None


# ----------------------------------------------------------------- places
HIDDEN = unit("13_1_0", parent="12_0_0", skal_eksporteres_til_lms=False)
OTHER = unit("13_0_0")


def test_what_lies_above_a_unit_that_was_not_seen_keeps_its_things() -> None:
    things = (program(at="13_1_0"), emne("X", at="13_1_0"), ue("X"), evu(at="13_1_0"), unit("13_1_1"))
    there = snapshot(FAKULTET, OTHER, HIDDEN, *things)

    shot = cut(FAKULTET, OTHER, *things, confirmed=there.objects.values())

    assert account(shot, "STUDIEPROGRAM_184_B-INF").parent == "184_12_0_0"
    assert shot.objects == there.objects


def test_a_thing_moves_to_a_unit_that_an_incomplete_read_saw() -> None:
    there = whole(FAKULTET, OTHER, program())

    shot = cut(OTHER, program(at="13_0_0"), confirmed=there)

    assert account(shot, "STUDIEPROGRAM_184_B-INF").parent == "184_13_0_0"


def test_a_thing_does_not_move_to_a_unit_that_nobody_saw_though_canvas_has_it() -> None:
    there = whole(FAKULTET, OTHER, program())

    shot = cut(FAKULTET, program(at="13_0_0"), confirmed=there)

    assert account(shot, "STUDIEPROGRAM_184_B-INF").parent == "184_12_0_0"


def test_a_new_thing_is_placed_by_what_an_incomplete_read_saw() -> None:
    shot = cut(OTHER, program(at="13_1_0"), confirmed=())

    assert account(shot, "STUDIEPROGRAM_184_B-INF").parent == "184_13_0_0"


# ----------------------------------------------------------------- names
PARENT = ua(ue("INF"), "F", "Forelesning")
ROOMS = institution(room_codes={"codes": {"eget-rom": "own_room"}})


@pytest.mark.parametrize("code", [None, "eget-rom"])
def test_an_activity_keeps_its_name_when_one_above_it_is_lost(code: str | None) -> None:
    rows = (FAKULTET, INF, ue("INF"))
    middle, child = ua(ue("INF"), "G", parent="F"), ua(ue("INF"), "H", parent="G", lms_romkode=code)
    there = snapshot(*rows, PARENT, middle, child, inst=ROOMS)

    shot = cut(*rows, middle, child, confirmed=there.objects.values(), inst=ROOMS)

    kinds = [kind for kind in (Kind.SECTION, Kind.COURSE) if Key(kind, "UA_184_INF_1_2026_HØST_1_H") in there.objects]
    keys = [Key(kind, "UA_184_INF_1_2026_HØST_1_H") for kind in kinds]
    assert len(keys) == (1 if code is None else 2)
    assert [shot.objects[key] for key in keys] == [there.objects[key] for key in keys]


def test_an_activity_of_which_all_above_was_seen_is_renamed_by_an_incomplete_read() -> None:
    rows = (FAKULTET, INF, ue("INF"), ua(ue("INF"), "G", "Ny", parent="F"))
    there = whole(FAKULTET, INF, ue("INF"), PARENT, ua(ue("INF"), "G", "Gammel", parent="F"))

    shot = cut(*rows, PARENT, confirmed=there)

    assert "Forelesning / Ny" in section(shot, "UA_184_INF_1_2026_HØST_1_G").name


# ----------------------------------------------------------------- the law
LONG = ue("INF"), ue("INF", V27, 2, siste_termin=H27)
LED = ue("FYS", folger="MAT")
EVERYTHING: tuple[Row, ...] = (
    *(termin(H26, date(2026, 8, 17), date(2026, 12, 18)), termin(V27, date(2027, 1, 11), date(2027, 6, 4))),
    *(FAKULTET, OTHER, HIDDEN, unit("13_1_1"), unit("13_1_2", parent="12_0_0")),
    *(INF, *MAT, emne("ASTRO"), emne("FYS", at="13_1_0"), emne("KJE", at=None), emne("BIO", at="13_1_1")),
    *(*LONG, ue("MAT"), ue("MAT", versjon="2"), LED, ue("KJE", folger="FYS"), ue("BIO", V27, siste_termin=H27)),
    *(ue("ASTRO"), ue("ASTRO", V27, 2)),
    *(ua(LONG[1], "F"), ua(LONG[1], "G", parent="F"), ua(LONG[1], "H", parent="G", lms_romkode="eget-rom")),
    *(ua(LED, "F"), ua(LED, "G", parent="F")),
    *(program(lms_romkode="rom"), program("M-INF", at="13_1_0"), kull(), klasse(), klasse("B", lms_romkode="rom")),
    *(evu(), evu("LED2", at="13_1_0", til_dato=None)),
)


@pytest.mark.parametrize("inst", [ROOMS, OWNER], ids=["rooms", "owns term dates"])
def test_whichever_two_rows_of_an_unchanged_source_are_lost_canvas_keeps_all_it_has(inst: Institution) -> None:
    there = snapshot(*EVERYTHING, inst=inst)
    world = World(map(ConfirmedObject, there.objects.values()))

    for lost in combinations_with_replacement(EVERYTHING, 2):
        left = [row for row in EVERYTHING if row not in lost]
        shot = cut(*left, confirmed=there.objects.values(), inst=inst)
        assert a.plan(shot, world).changes == (), lost
        known = [(thing.origin, there.objects[key].origin) for key, thing in shot.objects.items()]
        assert [now for now, _ in known] == [before for _, before in known], lost
