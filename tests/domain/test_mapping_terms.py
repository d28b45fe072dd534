from __future__ import annotations

from datetime import UTC, date, datetime

from rosterflow.domain.errors import Code
from rosterflow.domain.model import Key, Kind, Origin, SourceKind, Term
from rosterflow.domain.snapshot import Scope
from tests.domain.fs_builders import (
    FAKULTET,
    H26,
    H27,
    INF,
    V27,
    ids,
    institution,
    rule,
    snapshot,
    term,
    termin,
    ue,
    unreadable,
)

NEXT = Scope(frozenset({V27.sis_id, H27.sis_id}))
AUTUMN = termin(H26, date(2026, 8, 17), date(2026, 12, 18))
HAND_MADE = Term("2026_HØST", "Autumn", datetime(2026, 8, 1, tzinfo=UTC))


def test_the_terms_of_the_scope_are_made_with_the_dates_fs_has_and_days_of_grace() -> None:
    shot = snapshot(AUTUMN)

    start, end = datetime(2026, 8, 16, 22, tzinfo=UTC), datetime(2027, 1, 17, 22, 59, 59, tzinfo=UTC)
    assert term(shot, "2026_HØST") == Term("2026_HØST", "Høst 2026", start, end)
    assert term(shot, "2026_HØST").origin == Origin(SourceKind.TERMIN, "2026_HØST")
    assert rule(shot, AUTUMN) == (True, "term-in-scope")


def test_a_term_that_fs_does_not_list_is_made_by_the_calendar() -> None:
    shot = snapshot(AUTUMN)

    start, end = datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 7, 30, 21, 59, 59, tzinfo=UTC)
    assert term(shot, "2027_VÅR") == Term("2027_VÅR", "Vår 2027", start, end)
    assert [d.subject for d in shot.decisions if d.rule == "term-by-calendar"] == ["2027 VÅR (calendar)"]


def test_a_term_of_which_fs_has_no_dates_takes_them_from_the_calendar() -> None:
    shot = snapshot(termin(H26))

    assert term(shot, "2026_HØST").end == datetime(2027, 1, 30, 22, 59, 59, tzinfo=UTC)


def test_a_term_that_canvas_has_is_returned_as_confirmed() -> None:
    assert term(snapshot(AUTUMN, confirmed=[HAND_MADE]), "2026_HØST") == HAND_MADE


def test_a_term_that_canvas_has_is_rewritten_where_the_institution_owns_the_dates() -> None:
    owner = institution(canvas={"owns_term_dates": True})

    assert term(snapshot(AUTUMN, inst=owner, confirmed=[HAND_MADE]), "2026_HØST") == term(snapshot(AUTUMN), "2026_HØST")


def test_a_term_outside_the_scope_is_made_only_when_a_course_lies_in_it() -> None:
    spring = termin(H26.step(-1))
    alone = snapshot(spring)
    needed = snapshot(spring, FAKULTET, INF, ue("INF", H26, 2))

    assert ids(alone, Kind.TERM) == ["2026_HØST", "2027_VÅR"]
    assert rule(alone, spring) == (False, "term-not-needed")
    assert ids(needed, Kind.TERM) == ["2026_HØST", "2026_VÅR", "2027_VÅR"]
    assert rule(needed, spring) == (True, "term-needed")


def test_terms_are_called_in_the_institutions_language() -> None:
    assert term(snapshot(inst=institution(names={"languages": ["en"]})), "2026_HØST").name == "Autumn 2026"


def test_two_rows_of_a_term_with_different_dates_are_a_problem_and_the_calendar_makes_the_term() -> None:
    shot = snapshot(AUTUMN, termin(H26, date(2026, 9, 1)), FAKULTET, INF, ue("INF"))

    assert [problem.code for problem in shot.problems] == [Code.ID_COLLISION]
    assert [d.allowed for d in shot.decisions if d.subject == AUTUMN.subject] == [False, False]
    assert term(shot, "2026_HØST") == term(snapshot(), "2026_HØST")


def test_a_contradicted_or_unreadable_term_that_canvas_has_stays_even_where_the_institution_owns_the_dates() -> None:
    owner = institution(canvas={"owns_term_dates": True})
    contradicted = AUTUMN, termin(H26, date(2026, 9, 1))
    broken = (unreadable(SourceKind.TERMIN, "2026", "HØST"),)

    for rows in (contradicted, broken):
        assert term(snapshot(*rows, inst=owner, confirmed=[HAND_MADE]), "2026_HØST") == HAND_MADE


def test_a_change_of_term_takes_only_the_terms_it_covers_into_its_scope() -> None:
    before = snapshot(FAKULTET, INF, ue("INF"))
    shot = snapshot(FAKULTET, INF, confirmed=before.objects.values(), scope=NEXT)

    outside = [thing for key, thing in before.objects.items() if key not in shot.objects]
    assert {key.kind for key in before.objects.keys() - shot.objects.keys()} == {Kind.TERM, Kind.COURSE, Kind.SECTION}
    assert not any(shot.scope.covers(thing) for thing in outside)


def test_an_unreadable_term_does_not_hinder_its_courses() -> None:
    shot = snapshot(unreadable(SourceKind.TERMIN, "2026", "HØST"), FAKULTET, INF, ue("INF"))

    assert Key(Kind.COURSE, "UE_184_INF_1_2026_HØST_1") in shot.objects
