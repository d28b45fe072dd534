"""What planning refuses, and what it writes down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from rosterflow.domain.confirmed import ConfirmedObject, World
from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.fs.rows import Row, source_of
from rosterflow.domain.model import SourceKind
from rosterflow.domain.snapshot import Scope
from rosterflow.domain.windows import Semester
from rosterflow.store import migrate, row_errors
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.store.tables import decision, plan
from rosterflow.sync.planning import make_plan, refuse_empty
from rosterflow.sync.runs import close_run, open_run, take_lease
from tests.domain.fs_builders import (
    FAKULTET,
    H26,
    H27,
    INF,
    NOW,
    V27,
    emne,
    institution,
    program,
    snapshot,
    termin,
    ua,
    ue,
)

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


# -- what a run writes down -------------------------------------------------------------------------------------------

V26 = Semester.of("2026_VÅR")
MORNING = datetime(2026, 9, 1, 1, 30, tzinfo=UTC)
ODD = ua(ue("INF"), "ODD", lms_romkode="ukjent")
STRUCTURE = (termin(H26), termin(V27), FAKULTET, INF, emne("OLD", name="Old"))
DAILY: tuple[Row, ...] = (*STRUCTURE, ue("INF"), ODD, program())
SPRING = Scope(frozenset({V26.sis_id}))


@dataclass
class Desk:
    """Plans runs of the invented university, and reads what they wrote down."""

    store: Store
    runs: int = 0

    def plan(self, *rows: Row, scope: Scope = NOW, gaps: Iterable[str] = (), now: datetime = MORNING) -> None:
        self.finish(self.open("plan", scope=scope, now=now), *rows, gaps=gaps, now=now)

    def open(self, mode: str = "apply", *, scope: Scope = NOW, now: datetime = MORNING) -> Run:
        self.runs += 1
        name = f"run {self.runs}"
        return open_run(self.store, institution(), dag_id="sync", dag_run_id=name, mode=mode, scope=scope, now=now)

    def finish(self, run: Run, *rows: Row, gaps: Iterable[str] = (), now: datetime = MORNING) -> None:
        """Plan what an opened run has read."""
        run = take_lease(self.store, institution(), run, now)
        make_plan(self.store, institution(), run, source_of(rows, gaps), accept_empty=(), now=now)
        close_run(self.store, institution(), run, well=True, now=now)

    def planned(self) -> list[int]:
        """The runs that have planned, in the order in which they did."""
        with self.store.begin() as connection:
            return list(connection.execute(select(plan.c.run_id).order_by(plan.c.id)).scalars())

    def decided(self) -> dict[tuple[str, str], str]:
        """The rule by source and subject."""
        with self.store.begin() as connection:
            return {(row.source, row.subject): row.rule for row in connection.execute(select(decision))}

    def open_errors(self) -> list[str]:
        with self.store.begin() as connection:
            return [row.subject for row in row_errors.open_errors(connection, "fjord")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield Desk(store)
    store.dispose()


@pytest.mark.parametrize("mode", ["plan", "apply"])
def test_what_was_read_before_a_later_run_planned_is_only_looked_at(desk: Desk, mode: str) -> None:
    monday = desk.open(mode)
    tuesday = desk.open(now=MORNING + timedelta(days=1))
    desk.finish(tuesday, *DAILY)

    if mode == "plan":
        desk.finish(monday, *STRUCTURE)
        return
    with pytest.raises(FatalError) as caught:
        desk.finish(monday, *STRUCTURE)

    assert (caught.value.code, caught.value.message) == (Code.PLAN_STALE, "fjord: run 2 has read later than run 1.")


def test_a_later_run_that_only_plans_makes_no_read_old(desk: Desk) -> None:
    monday = desk.open()
    desk.plan(*DAILY, now=MORNING + timedelta(days=1))

    desk.finish(monday, *DAILY)

    assert desk.planned() == [2, 1]


def test_a_run_that_began_anew_reads_anew(desk: Desk) -> None:
    desk.open()
    desk.finish(desk.open(now=MORNING + timedelta(days=1)), *DAILY)
    desk.runs = 0  # the first one is cleared from its first task

    desk.finish(desk.open(now=MORNING + timedelta(days=2)), *DAILY)

    assert desk.planned() == [2, 1]


def test_a_run_for_another_term_adds_its_decisions_and_takes_none_away(desk: Desk) -> None:
    desk.plan(*DAILY)
    before = desk.decided()

    desk.plan(*STRUCTURE, termin(V26), ue("OLD", V26), ue("INF"), ODD, program(), scope=SPRING)

    added = {
        ("emne", "OLD 1"): "emne-exported",
        ("termin", "2026 VÅR"): "term-in-scope",
        ("undervisningsenhet", "OLD 1 2026 VÅR 1"): "ue-exported",
        ("undervisningsenhet", "outside the terms"): "outside-terms",
    }
    assert desk.decided() == before | added
    assert before["termin", "2026 HØST"] == "term-in-scope"
    assert desk.open_errors() == [ODD.subject]


def test_a_backfill_of_a_past_day_takes_nothing_away(desk: Desk) -> None:
    desk.plan(*DAILY)
    before = desk.decided()

    desk.plan(*STRUCTURE, scope=Scope(frozenset({V26.sis_id, H26.sis_id})))

    assert before.items() <= desk.decided().items()
    assert desk.open_errors() == [ODD.subject]


@pytest.mark.parametrize("scope", [replace(NOW, emnekoder=frozenset({"OLD"})), NOW], ids=["narrowed", "incomplete"])
def test_a_run_that_did_not_see_everything_decides_only_on_what_it_saw(desk: Desk, scope: Scope) -> None:
    desk.plan(*DAILY)
    before = desk.decided()

    gaps = () if scope.is_partial else ("page 2 was dropped",)
    desk.plan(*STRUCTURE, ue("OLD", skal_eksporteres_til_lms=False), scope=scope, gaps=gaps)

    assert desk.decided() == before | {("undervisningsenhet", "OLD 1 2026 HØST 1"): "ue-not-exported"}
    assert desk.open_errors() == [ODD.subject]


def test_the_daily_run_forgets_what_is_gone(desk: Desk) -> None:
    desk.plan(*DAILY)

    desk.plan(*STRUCTURE, ue("INF"))

    assert ("studieprogram", "B-INF") not in desk.decided()
    assert ("undervisningsaktivitet", ODD.subject) not in desk.decided()
    assert desk.open_errors() == []


def test_a_new_decision_on_a_row_takes_the_place_of_the_old_one(desk: Desk) -> None:
    desk.plan(*DAILY)

    desk.plan(*STRUCTURE, ue("INF", skal_eksporteres_til_lms=False), gaps=("page 2 was dropped",))

    assert desk.decided()["undervisningsenhet", "INF 1 2026 HØST 1"] == "ue-not-exported"
