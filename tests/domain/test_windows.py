from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosterflow.domain.institution import TermWindow
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import (
    Betegnelse,
    Semester,
    calendar_days,
    day_end,
    day_start,
    first_term,
    grace,
    scope_on,
    term_in_force,
    terms_in_scope,
)

OSLO = ZoneInfo("Europe/Oslo")
WINDOW = TermWindow()
GAPPED = TermWindow(calendar={"VÅR": ("01-08", "06-20"), "SOM": ("06-25", "07-20"), "HØST": ("08-15", "12-20")})


def semester(sis_id: str) -> Semester:
    return Semester.of(sis_id)


def sis_ids(window: TermWindow, day: date) -> list[str]:
    return [one.sis_id for one in terms_in_scope(day, window)]


@pytest.mark.parametrize("spelling", ["HØST", "HOST", "Høst", " høst "])
def test_a_term_code_is_read_in_every_spelling_of_fs(spelling: str) -> None:
    assert Betegnelse.of(spelling) is Betegnelse.HOST


def test_a_term_code_in_decomposed_form_is_read() -> None:
    assert Betegnelse.of("VA\u030aR") is Betegnelse.VAR


def test_a_code_that_is_no_term_is_refused() -> None:
    with pytest.raises(ValueError, match="VIT"):
        Betegnelse.of("VIT")


@pytest.mark.parametrize("text", ["2026", "26_HØST", "2026_VIT", "2026-HØST", ""])
def test_a_text_that_is_no_term_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="term"):
        Semester.of(text)


@settings(deadline=None)
@given(st.integers(1950, 2100), st.sampled_from(Betegnelse))
def test_a_term_id_reads_back_as_the_term_it_was_made_of(year: int, betegnelse: Betegnelse) -> None:
    assert Semester.of(Semester(year, betegnelse).sis_id) == (year, betegnelse)


def test_terms_of_a_year_are_ordered_in_time() -> None:
    assert semester("2026_VÅR") < semester("2026_SOM") < semester("2026_HØST") < semester("2027_VÅR")


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026_HØST", 1, "2027_VÅR"),
        ("2026_HØST", -1, "2026_VÅR"),
        ("2026_VÅR", -1, "2025_HØST"),
        ("2026_VÅR", 3, "2027_HØST"),
        ("2026_SOM", 0, "2026_SOM"),
        ("2026_SOM", 1, "2026_HØST"),
        ("2026_SOM", 2, "2027_VÅR"),
        ("2026_SOM", -1, "2026_VÅR"),
        ("2026_SOM", -2, "2025_HØST"),
    ],
)
def test_steps_go_over_autumn_and_spring_and_never_count_the_summer(start: str, count: int, end: str) -> None:
    assert semester(start).step(count).sis_id == end


def test_the_first_term_of_a_course_is_its_term_minus_its_number_minus_one() -> None:
    assert first_term(semester("2027_HØST"), 1).sis_id == "2027_HØST"
    assert first_term(semester("2027_HØST"), 3).sis_id == "2026_HØST"


@pytest.mark.parametrize(
    ("day", "term"),
    [("2026-01-01", "2026_VÅR"), ("2026-06-30", "2026_VÅR"), ("2026-07-01", "2026_SOM"), ("2026-12-31", "2026_HØST")],
)
def test_the_term_in_force_is_the_one_whose_days_hold_the_date(day: str, term: str) -> None:
    assert term_in_force(date.fromisoformat(day), WINDOW).sis_id == term


@pytest.mark.parametrize(("day", "term"), [("2027-01-03", "2026_HØST"), ("2026-06-22", "2026_VÅR")])
def test_a_day_between_two_terms_belongs_to_the_one_before(day: str, term: str) -> None:
    assert term_in_force(date.fromisoformat(day), GAPPED).sis_id == term


def test_a_term_may_end_in_the_next_year() -> None:
    window = TermWindow(calendar={"VÅR": ("01-20", "06-30"), "SOM": ("07-01", "07-31"), "HØST": ("08-01", "01-19")})

    assert calendar_days(semester("2026_HØST"), window) == (date(2026, 8, 1), date(2027, 1, 19))
    assert term_in_force(date(2027, 1, 10), window).sis_id == "2026_HØST"


def test_a_calendar_that_ends_a_term_on_the_29th_of_february_works_in_every_year() -> None:
    window = TermWindow(calendar={"VÅR": ("01-01", "02-29"), "SOM": ("07-01", "07-31"), "HØST": ("08-01", "12-31")})

    ends = [calendar_days(Semester(year, Betegnelse.VAR), window)[1] for year in (2026, 2028)]

    assert ends == [date(2026, 2, 28), date(2028, 2, 29)]


def test_an_autumn_run_covers_the_term_in_force_and_the_next() -> None:
    assert sis_ids(WINDOW, date(2026, 10, 1)) == ["2026_HØST", "2027_VÅR"]


def test_a_spring_run_that_looks_ahead_covers_the_summer_on_the_way() -> None:
    assert sis_ids(WINDOW, date(2026, 3, 1)) == ["2026_VÅR", "2026_SOM", "2026_HØST"]


def test_a_summer_run_covers_the_summer_and_the_autumn_ahead() -> None:
    assert sis_ids(WINDOW, date(2026, 7, 10)) == ["2026_SOM", "2026_HØST"]


def test_a_run_can_look_back_and_not_ahead() -> None:
    assert sis_ids(TermWindow(back=1, ahead=0), date(2026, 10, 1)) == ["2026_VÅR", "2026_SOM", "2026_HØST"]


@settings(deadline=None)
@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 8), st.integers(0, 8))
def test_every_scope_holds_the_term_in_force_and_is_without_holes(day: date, back: int, ahead: int) -> None:
    terms = terms_in_scope(day, TermWindow(back=back, ahead=ahead))

    counted = [one for one in terms if one.betegnelse is not Betegnelse.SOM]
    assert term_in_force(day, WINDOW) in terms
    assert [one.step(1) for one in counted[:-1]] == counted[1:]


def test_the_scope_of_a_daily_run_holds_every_kind() -> None:
    assert scope_on(date(2026, 10, 1), WINDOW) == Scope(frozenset({"2026_HØST", "2027_VÅR"}))


def test_a_person_can_choose_terms_kinds_and_single_emner() -> None:
    scope = scope_on(date(2026, 10, 1), WINDOW, terms=["2025_VÅR"], sources=[SourceKind.EMNE], emnekoder=["INF-1100"])

    assert scope == Scope(frozenset({"2025_VÅR"}), frozenset({SourceKind.EMNE}), frozenset({"INF-1100"}))
    assert scope.is_partial


def test_the_code_of_an_emne_counts_however_it_was_typed() -> None:
    scope = scope_on(date(2026, 10, 1), WINDOW, emnekoder=[" A\u030aRS-1 "])

    assert scope.emnekoder == frozenset({"ÅRS-1"})


def test_a_chosen_term_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="autumn"):
        scope_on(date(2026, 10, 1), WINDOW, terms=["autumn"])


def test_a_day_begins_and_ends_by_the_local_clock() -> None:
    winter, summer = date(2027, 1, 1), date(2026, 8, 1)

    assert day_start(winter, OSLO) == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert day_start(summer, OSLO) == datetime(2026, 7, 31, 22, tzinfo=UTC)
    assert day_end(summer, OSLO) == datetime(2026, 8, 1, 21, 59, 59, tzinfo=UTC)


def test_the_day_on_which_clocks_go_back_has_25_hours() -> None:
    day = date(2026, 10, 25)

    assert (day_end(day, OSLO) - day_start(day, OSLO)).total_seconds() == 25 * 3600 - 1


def test_grace_is_added_to_the_last_day() -> None:
    assert grace(date(2026, 12, 31), WINDOW) == date(2027, 1, 30)
