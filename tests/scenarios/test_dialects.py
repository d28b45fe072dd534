"""FS's dialects of 2023 and 2026 say the same, but for a list that is in the code, in the docs and here.

Issue 2, §2.7.4. Both dialects are read over HTTP from one university, whose data are as awkward as real ones.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from rosterflow.domain.fs import dialect_2023, dialect_2026
from rosterflow.domain.fs.rows import (
    Emne,
    EvuKurs,
    Klasse,
    Kull,
    Row,
    Studieprogram,
    Undervisningsaktivitet,
    Undervisningsenhet,
    Unit,
)
from rosterflow.domain.mapping.fs import LACKING_2023
from rosterflow.domain.model import Key, Kind
from rosterflow.domain.plan import Action
from rosterflow.domain.windows import Betegnelse, Semester
from rosterflow.hooks.fs import FSGraphQLHook
from rosterflow.hooks.fs_operations import Extent, operation_named, variables_of
from rosterflow.store.engine import Store
from rosterflow.store.tables import decision
from sandbox.serving import RunningSandbox
from sandbox.university.model import Niva, University
from sandbox.university.model import Undervisningsenhet as SandboxUe
from sandbox.world import Settings, World
from tests.harness import Harness, in_canvas, institution
from tests.scenarios.ground import addresses, ground

PAGE = Path(__file__).parents[2] / "docs/fs-dialects.md"
FIRST = Semester(2026, Betegnelse.HOST)

Fields = Mapping[str, Any]
State = dict[Key, Fields]

NAMES: dict[Kind, tuple[str, ...]] = {
    Kind.ACCOUNT: ("name", "parent", "state"),
    Kind.TERM: ("name", "start", "end", "state"),
    Kind.COURSE: ("short_name", "long_name", "account", "term", "start", "end", "state"),
    Kind.SECTION: ("name", "course", "state"),
}


def university_world(**settings: Any) -> World:
    """A demo university in which a group belongs, against its numbers, to another faculty, and a course that lasts
    another year has one term's row alone."""
    world = World(Settings(size="demo", **settings))
    university = world.university
    _stray_group(university).parent = _faculties(university)[1]
    long_course = next(emne for emne in university.emner if (emne.kode, emne.versjonskode) == ("VERS100", "1"))
    long_course.undervisningsenheter[0].siste_termin = university.semester.step(2)
    return world


def _faculties(university: University) -> list[Any]:
    return [unit for unit in university.enheter if unit.niva is Niva.FAKULTET]


def _stray_group(university: University) -> Any:
    first = _faculties(university)[0].fakultetsnummer
    return next(u for u in university.enheter if u.niva is Niva.GRUPPE and u.fakultetsnummer == first)


def state_of(sandbox: RunningSandbox) -> State:
    """Everything in the sandbox's Canvas, field by field."""
    return {key: dict(zip(NAMES[key.kind], values, strict=True)) for key, values in in_canvas(sandbox).items()}


# -- what may differ -------------------------------------------------------------------------------------------------


def _ue_id(ue: SandboxUe) -> str:
    first = ue.semester.step(1 - ue.terminnummer)
    return f"UE_184_{ue.emne.kode}_{ue.emne.versjonskode}_{first.arstall}_{first.kode.value}_1"


def _teaching(university: University) -> Iterator[SandboxUe]:
    return (ue for emne in university.emner for ue in emne.undervisningsenheter)


def _term_dates(university: University, state: State) -> Iterator[tuple[Key, str]]:
    """The dates of terms, and of courses over several terms, which have them from their first and last term."""
    over_terms = {Key(Kind.COURSE, _ue_id(ue)) for ue in _teaching(university) if ue.terminnummer > 1}
    for key in state:
        if key.kind is Kind.TERM or key in over_terms:
            yield from ((key, "start"), (key, "end"))


def _unit_parents(university: University, _state: State) -> Iterator[tuple[Key, str]]:
    """The place of units that do not belong where their numbers say."""
    for unit in university.enheter:
        above = unit.parent
        if above and above.niva is not Niva.INSTITUSJON and above.fakultetsnummer != unit.fakultetsnummer:
            yield Key(Kind.ACCOUNT, f"184_{unit.stedkode}"), "parent"


def _nothing(_university: University, _state: State) -> Iterator[tuple[Key, str]]:
    """Nothing in Canvas: what is not exported is not there either way; only the reason is not known."""
    return iter(())


def _administrative_units(university: University, _state: State) -> Iterator[tuple[Key, str]]:
    """The place of emner that have no other responsible unit than the administrative one."""
    for emne in university.emner:
        if emne.studieansvarlig is None and emne.administrativt_ansvarlig is not None:
            yield Key(Kind.ACCOUNT, f"EMNE_184_{emne.kode}_{emne.versjonskode}"), "parent"


def _last_terms(university: University, _state: State) -> Iterator[tuple[Key, str]]:
    """The dates of courses of which FS knows the last term."""
    for ue in _teaching(university):
        if ue.siste_termin is not None:
            yield from ((Key(Kind.COURSE, _ue_id(ue)), name) for name in ("start", "end"))


def _activity_parents(university: University, _state: State) -> Iterator[tuple[Key, str]]:
    """The names of activities that hang under another."""
    for ue in _teaching(university):
        for activity in ue.aktiviteter:
            if activity.parent is not None:
                emne, term = ue.emne, ue.semester
                where = f"{emne.kode}_{emne.versjonskode}_{term.arstall}_{term.kode.value}_{ue.terminnummer}"
                sis_id = f"UA_184_{where}_{activity.kode}"
                yield from ((Key(Kind.SECTION, sis_id), "name"), (Key(Kind.COURSE, sis_id), "long_name"))


MAY_DIFFER: dict[str, Callable[[University, State], Iterator[tuple[Key, str]]]] = {
    "terminer": _term_dates,
    "Organisasjonsenhet.parent": _unit_parents,
    "skalEksporteresTilLms": _nothing,
    "Emne.administrativtAnsvarligOrganisasjonsenhet": _administrative_units,
    "Undervisningsenhet.sisteTermin": _last_terms,
    "Undervisningsaktivitet.parent": _activity_parents,
}
"""For each thing that 2023 lacks, the fields of the objects in Canvas that are then different."""


def without(state: State, fields: Iterable[tuple[Key, str]]) -> State:
    """The state without some fields of some objects."""
    left_out = set(fields)
    return {key: {n: v for n, v in values.items() if (key, n) not in left_out} for key, values in state.items()}


# -- the same Canvas -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Synced:
    """What a full sync in a dialect made of a fresh Canvas."""

    university: University
    state: State
    lacking: tuple[Any, ...]


def lacking_in(store: Store) -> tuple[Any, ...]:
    """The facts of the decisions that say what a dialect lacks."""
    with store.begin() as connection:
        found = connection.execute(decision.select().where(decision.c.rule == "dialect-2023-lacks")).all()
    return tuple(tuple(map(tuple, row.facts)) for row in found)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synced]:
    """A full sync in each dialect, each into a Canvas of its own."""
    found = {}
    for dialect in ("2023", "2026"):
        folder = tmp_path_factory.mktemp(dialect)
        with RunningSandbox(university_world()) as sandbox, ground(sandbox, folder, fs={"dialect": dialect}) as harness:
            harness.first_contact()
            found[dialect] = Synced(sandbox.world.university, state_of(sandbox), lacking_in(harness.store))
    return found


def test_a_full_sync_in_either_dialect_gives_the_same_canvas_in_what_both_carry(synced: dict[str, Synced]) -> None:
    new, old = synced["2026"], synced["2023"]
    lacking = {field for rule in MAY_DIFFER.values() for field in rule(new.university, new.state)}

    assert without(old.state, lacking) == without(new.state, lacking)
    assert len(new.state) > 300


@pytest.mark.parametrize("name", [name for name, rule in MAY_DIFFER.items() if rule is not _nothing])
def test_what_the_older_dialect_lacks_does_show_in_canvas(name: str, synced: dict[str, Synced]) -> None:
    new, old = synced["2026"], synced["2023"]
    others = {f for other, rule in MAY_DIFFER.items() if other != name for f in rule(new.university, new.state)}

    assert without(old.state, others) != without(new.state, others)


def test_names_and_dates_differ_only_as_the_docs_say(synced: dict[str, Synced]) -> None:
    new, old = synced["2026"], synced["2023"]

    for key, _ in _activity_parents(new.university, new.state):
        for name in {"name", "long_name"} & new.state.get(key, {}).keys():
            parent_and_own, own = new.state[key][name], old.state[key][name]
            assert re.sub(r"(^|– )[^–]* / ", r"\1", parent_and_own) == own
    terms = {key.sis_id: (str(f["start"]), str(f["end"])) for key, f in old.state.items() if key.kind is Kind.TERM}
    assert terms == {
        "2026_VÅR": ("2025-12-31 23:00:00+00:00", "2026-07-30 21:59:59+00:00"),
        "2026_HØST": ("2026-07-31 22:00:00+00:00", "2027-01-30 22:59:59+00:00"),
        "2027_VÅR": ("2026-12-31 23:00:00+00:00", "2027-07-30 21:59:59+00:00"),
    }


def test_what_the_older_dialect_lacks_is_one_decision_of_the_run(synced: dict[str, Synced]) -> None:
    assert synced["2023"].lacking == (LACKING_2023,)
    assert synced["2026"].lacking == ()


def test_what_the_older_dialect_lacks_is_listed_here_and_in_the_docs_as_in_the_code() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## What the dialect of 2023 lacks")[1].split("## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|", section, re.MULTILINE)

    assert tuple(rows) == LACKING_2023
    assert tuple(MAY_DIFFER) == tuple(name for name, _ in LACKING_2023)


# -- day by day ------------------------------------------------------------------------------------------------------


def test_a_daily_run_in_the_older_dialect_with_nothing_new_plans_nothing(tmp_path: Path) -> None:
    with RunningSandbox(university_world()) as sandbox, ground(sandbox, tmp_path, fs={"dialect": "2023"}) as harness:
        harness.first_contact()
        state, posted = state_of(sandbox), len(sandbox.world.canvas.sis_batches)

        done = harness.run(days_later=1)

        assert (done.changes, done.report.gaps, harness.changes(done.plan_id)) == (0, (), [])
        assert (state_of(sandbox), len(sandbox.world.canvas.sis_batches)) == (state, posted)


@pytest.mark.parametrize(("first", "then"), [("2023", "2026"), ("2026", "2023")])
def test_changing_the_dialect_of_a_synced_canvas_updates_and_removes_nothing(
    first: str, then: str, tmp_path: Path, synced: dict[str, Synced]
) -> None:
    with RunningSandbox(university_world()) as sandbox, ground(sandbox, tmp_path, fs={"dialect": first}) as harness:
        harness.first_contact()
        before = state_of(sandbox)
        after = institution("demo", fs={"dialect": then})
        changed = Harness(harness.store, harness.blobs, after, harness.clock)

        with mock.patch.dict(os.environ, addresses(sandbox, after)):
            done = changed.run(days_later=1)
            quiet = changed.run(days_later=1)

        differing = [key for key, fields in synced[then].state.items() if fields != before[key]]
        expected = {key for key in differing if key.kind is not Kind.TERM}
        planned = changed.changes(done.plan_id)
        assert {one.change.action for one in planned} == {Action.UPDATE}
        assert {one.change.key for one in planned} == expected
        assert (done.guarded.held, done.report.gaps, quiet.changes) == (0, (), 0)
        # The dates of terms that Canvas already has are its own, unless the institution's settings say otherwise.
        terms = {(key, name) for key in before if key.kind is Kind.TERM for name in ("start", "end")}
        assert without(state_of(sandbox), terms) == without(synced[then].state, terms)


def test_turning_an_export_off_closes_the_same_in_either_dialect(tmp_path_factory: pytest.TempPathFactory) -> None:
    closed = {}
    for dialect in ("2023", "2026"):
        folder = tmp_path_factory.mktemp(dialect)
        with RunningSandbox(university_world()) as sandbox, ground(sandbox, folder, fs={"dialect": dialect}) as harness:
            harness.first_contact()
            before = state_of(sandbox)
            university = sandbox.world.university
            course = next(emne for emne in university.emner if emne.kode == "VERS100" and emne.versjonskode == "2")
            course.undervisningsenheter[0].skal_eksporteres = False
            next(evu for evu in university.evukurs if evu.skal_eksporteres).skal_eksporteres = False
            university.revision += 1

            harness.run(days_later=1)

            after = state_of(sandbox)
            closed[dialect] = {key: fields["state"] for key, fields in after.items() if fields != before[key]}

    assert closed["2023"] == closed["2026"]
    assert len(closed["2026"]) == 2
    assert set(closed["2026"].values()) == {"completed"}


# -- the six queries -------------------------------------------------------------------------------------------------

EXTENT = Extent("184", 2026, "HOST", (2025, 2026, 2027, 2028), nested=100)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with RunningSandbox(university_world()) as running:
        yield running


def answer(sandbox: RunningSandbox, dialect: str, name: str, extent: Extent = EXTENT) -> list[Any]:
    """Every root row of an operation, read over HTTP."""
    one = institution("demo", fs={"dialect": dialect})
    operation = operation_named(name, dialect)
    with (
        mock.patch.dict(os.environ, addresses(sandbox, one)),
        FSGraphQLHook(one.fs.connection, settings=one.fs) as hook,
    ):
        return [node for page in hook.pages(operation, variables_of(operation, extent)) for node in page.nodes]


def known_in_2023(rows: Iterable[Any]) -> set[Row]:
    """Rows of 2026 as the dialect of 2023 has them: without what is not exported, and without what it lacks."""
    listed = list(rows)
    hidden: set[Any] = {
        row.kode for row in listed if isinstance(row, Studieprogram) and not row.skal_eksporteres_til_lms
    }
    hidden |= {row.key for row in listed if isinstance(row, Undervisningsenhet) and not row.skal_eksporteres_til_lms}
    return {_lacking(row) for row in listed if not _is_hidden(row, hidden)}


def _is_hidden(row: Any, hidden: set[Any]) -> bool:
    """Whether the document's filters keep a row out; it only selects the flags of kull and activities."""
    match row:
        case Kull():
            return row.program in hidden
        case Klasse():
            return row.program in hidden or not (row.er_aktiv and row.skal_eksporteres_til_lms)
        case Undervisningsaktivitet():
            return row.ue in hidden
        case Unit() | Studieprogram() | EvuKurs() | Undervisningsenhet():
            return not row.skal_eksporteres_til_lms
        case _:
            return False


def _lacking(row: Any) -> Row:
    """A row without what the dialect of 2023 does not say about it."""
    nothing = {Unit: "parent", Emne: "administrativt_ansvarlig", Undervisningsenhet: "siste_termin"}
    nothing[Undervisningsaktivitet] = "parent"
    name = nothing.get(type(row))
    lacking: Row = replace(row, **{name: None}) if name else row
    return lacking


@pytest.mark.parametrize("name", ["organisasjonsenheter", "emner", "studieprogram", "evu_kurs", "undervisning"])
def test_a_query_of_the_document_and_its_counterpart_read_the_same_rows(name: str, sandbox: RunningSandbox) -> None:
    old = set(dialect_2023.rows(name, answer(sandbox, "2023", name)))
    new = known_in_2023(dialect_2026.rows(name, answer(sandbox, "2026", name)))

    # The document asks for no term of teaching, so past terms come along, and are narrowed by us.
    from_the_term = {row for row in old if _semester(row) is None or _semester(row) >= FIRST}
    assert from_the_term == new
    assert (len(new) > 0, from_the_term < old) == (True, name == "undervisning")


def _semester(row: Any) -> Any:
    match row:
        case Undervisningsenhet():
            return row.key.semester
        case Undervisningsaktivitet():
            return row.ue.semester
        case _:
            return None


def test_the_documents_query_for_single_emner_and_its_counterpart_find_the_same_teaching(
    sandbox: RunningSandbox,
) -> None:
    extent = replace(EXTENT, emnekoder=("VERS100", "FLER300"))

    old = {_taught(emne, ue) for emne in answer(sandbox, "2023", "enkeltemne", extent) for ue in _listed(emne)}
    new = {_taught(emne, ue) for emne in answer(sandbox, "2026", "enkeltemne", extent) for ue in _listed(emne)}

    assert old == new
    assert {kode for kode, *_ in new} == {"VERS100", "FLER300"}


def _listed(emne: Any) -> list[Any]:
    teaching = emne["undervisningsenheter"]
    return teaching if isinstance(teaching, list) else teaching["nodes"]


def _taught(emne: Any, ue: Any) -> tuple[Any, ...]:
    term = ue["termin"]
    return emne["kode"], emne["versjonskode"], term["arstall"], term["betegnelse"]["kode"], ue["terminnummer"]
