"""What planning refuses, and what it writes down."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.fs.rows import Row
from rosterflow.domain.model import SourceKind
from rosterflow.sync.planning import refuse_empty
from tests.domain.fs_builders import FAKULTET, H26, H27, INF, emne, institution, snapshot, termin, ua, ue

Refused = tuple[Code, str] | None
NEXT_YEARS = ue("INF", H27)


def refused(before: Iterable[Row], now: Iterable[Row], *accepted: SourceKind, dialect: str = "2026") -> Refused:
    """What an empty read is refused with, when Canvas has what earlier rows became."""
    there = World(map(ConfirmedObject, snapshot(*before).objects.values()))
    shot = snapshot(*now, confirmed=there.alive().values())
    try:
        refuse_empty(shot, there, institution(fs={"dialect": dialect}), accepted)
    except FatalError as error:
        return error.code, error.message
    return None


def test_teaching_of_later_terms_does_not_hide_that_the_runs_terms_have_none() -> None:
    structure = termin(H26), FAKULTET, INF
    group = ua(ue("INF"), "G1")

    told = refused((*structure, ue("INF"), group), (*structure, NEXT_YEARS, ua(NEXT_YEARS, "G1")))

    expected = "undervisningsaktivitet, undervisningsenhet"
    message = f"fjord: the source has no {expected} at all, but Canvas has some."
    assert told == (Code.EMPTY_READ, message)


def test_a_person_may_say_that_the_runs_terms_are_really_empty() -> None:
    structure = termin(H26), FAKULTET, INF

    assert refused((*structure, ue("INF")), (*structure, NEXT_YEARS), SourceKind.UNDERVISNINGSENHET) is None


def test_teaching_that_is_still_there_is_not_refused() -> None:
    structure = termin(H26), FAKULTET, INF, emne("MAT")

    assert refused((*structure, ue("INF"), ue("MAT")), (*structure, ue("INF"))) is None


@pytest.mark.parametrize(("dialect", "is_refused"), [("2026", True), ("2023", False)])
def test_no_terms_are_an_empty_read_only_where_the_dialect_has_terms(dialect: str, is_refused: bool) -> None:
    told = refused((termin(H26), FAKULTET), (FAKULTET,), dialect=dialect)

    assert (told is not None) is is_refused
