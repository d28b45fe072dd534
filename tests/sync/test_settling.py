"""Imports whose end nobody saw are seen to, and the base is taken from Canvas when only Canvas knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.model import Account, Course, Kind, Origin, Section, SourceKind, State, Term, key_of
from rosterflow.domain.plan import Action
from rosterflow.hooks.canvas_records import SisImport
from rosterflow.store import imports, institutions
from rosterflow.store.imports import ImportState
from rosterflow.store.plans import ChangeState
from rosterflow.sync.settling import rebase, settle_imports, take_base
from tests.domain.builders import plan, wants
from tests.sync.desk import COURSE, HOME, MINUTE, NOW, OTHER, SECTION, TERM, UNIT, Desk, create, desk

LOST = RetryableError(Code.UNREACHABLE, "Canvas did not answer.")
OWN = Account("FSDEMO", "Demohøgskolen", "")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        with one.store.begin() as connection:
            institutions.mark(connection, HOME.key, based_at=NOW, contacted_at=NOW)
        yield one


def settle(at: Desk) -> bool:
    return settle_imports(at.store, at.hook, HOME, at.run, at.canvas.clock)


def left_behind(at: Desk, state: ImportState) -> tuple[int, int]:
    """A plan and its import that a killed run left in a state."""
    plan_id = at.plan(create(UNIT))
    one = at.prepare(plan_id)
    assert one is not None
    if state is not ImportState.PREPARED:
        at.canvas.fails = LOST if state is ImportState.POSTING else None
        at.canvas.swallows = True
        try:
            at.post(one)
        except RetryableError:
            at.canvas.fails = None
    assert at.import_of(one.id).state is state
    return plan_id, one.id


def test_with_nothing_left_behind_there_is_nothing_to_do(at: Desk) -> None:
    assert settle(at) is False


def test_an_institution_nobody_has_seen_needs_its_base(at: Desk) -> None:
    rebase(at.store, HOME, actor="kari", reason="restored a backup", now=NOW)

    assert settle(at) is True


def test_an_import_that_was_only_prepared_is_dropped(at: Desk) -> None:
    plan_id, number = left_behind(at, ImportState.PREPARED)

    assert settle(at) is False
    assert at.import_of(number).state is ImportState.DROPPED
    assert at.states(plan_id) == [ChangeState.ALLOWED]


@pytest.mark.parametrize("state", [ImportState.POSTING, ImportState.POSTED])
def test_an_import_that_arrived_is_confirmed(at: Desk, state: ImportState) -> None:
    plan_id, number = left_behind(at, state)

    assert settle(at) is False
    assert at.import_of(number).state is ImportState.CONFIRMED
    assert (at.states(plan_id), at.things()) == ([ChangeState.CONFIRMED], {UNIT})


def test_an_import_that_never_arrived_leaves_it_to_canvas_to_say_what_is(at: Desk) -> None:
    plan_id, number = left_behind(at, ImportState.POSTING)
    at.canvas.listed.clear()
    with pytest.raises(RetryableError):
        settle(at)
    at.canvas.clock += MINUTE

    assert settle(at) is True
    assert at.import_of(number).state is ImportState.DROPPED
    assert at.states(plan_id) == [ChangeState.UNKNOWN]


def test_an_import_that_canvas_forgot_is_dropped(at: Desk) -> None:
    _, number = left_behind(at, ImportState.POSTED)
    at.canvas.listed.clear()

    assert settle(at) is True
    assert at.import_of(number).state is ImportState.DROPPED


def test_an_import_that_still_runs_is_waited_for(at: Desk) -> None:
    _, number = left_behind(at, ImportState.POSTED)
    at.canvas.listed = [replace(one, state="importing") for one in at.canvas.listed]

    with pytest.raises(RetryableError) as caught:
        settle(at)

    assert (caught.value.code, caught.value.message) == (
        Code.IMPORT_SLOW,
        "Canvas still works on import 1 of an earlier run.",
    )
    assert at.import_of(number).state is ImportState.POSTED


def test_what_was_sent_and_never_read_back_makes_canvas_the_base(at: Desk) -> None:
    plan_id, _ = left_behind(at, ImportState.POSTED)
    at.canvas.state = "aborted"
    at.canvas.listed = [SisImport("1", "aborted", NOW, {}, ())]

    assert settle(at) is True
    assert at.states(plan_id) == [ChangeState.UNKNOWN]


# -- the base ---------------------------------------------------------------------------------------------------------


def base(at: Desk, *found: Account | Course | Section | Term) -> dict[Kind, int]:
    return take_base(at.store, HOME, at.run, found, NOW)


def test_what_has_an_id_of_ours_is_the_base_and_the_rest_is_others(at: Desk) -> None:
    ue = Course("UE_184_ØV-1_1_2026_HØST_1", "ØV-1", "Øving", UNIT.sis_id, "2026_HØST")
    others = Account("BIBLIOTEK", "Biblioteket", "FSDEMO"), Course("UE_999_A_1_2026_HØST_1", "A", "A", "x")

    counts = base(at, OWN, UNIT, TERM, ue, *others)

    assert at.things() == {UNIT, TERM, ue}
    assert counts == {kind: int(kind in (Kind.ACCOUNT, Kind.TERM, Kind.COURSE)) for kind in Kind}
    origin = at.believed()[key_of(ue)].thing.origin
    assert (origin.source, origin.term) == (SourceKind.UNDERVISNINGSENHET, "2026_HØST")


def test_the_institutions_own_account_is_never_part_of_the_base(tmp_path: Path) -> None:
    """Else its absence from FS would close the whole institution."""
    with desk(tmp_path) as at:
        own = replace(UNIT, sis_id="184_5_0_0")
        home = HOME.model_copy(update={"canvas": HOME.canvas.model_copy(update={"account": "184_5_0_0"})})

        take_base(at.store, home, at.run, [own, UNIT], NOW)

        assert at.things() == {UNIT}


@pytest.mark.parametrize("found", [[UNIT], [UNIT, replace(OWN, state=State.DELETED)]], ids=["missing", "deleted"])
def test_a_base_without_the_institutions_own_account_is_a_wrong_setting(at: Desk, found: list[Account]) -> None:
    at.believe(UNIT, TERM)

    with pytest.raises(FatalError) as caught:
        base(at, *found)

    assert caught.value.message == "demo: canvas.account: Canvas has no account with the SIS id 'FSDEMO'."
    assert at.things() == {UNIT, TERM}


def test_an_object_with_an_id_of_ours_below_anothers_account_is_not_ours(at: Desk) -> None:
    neighbour, grouped = Account("NORD", "Nordhøgskolen", ""), Account("GRUPPE", "Alle fakulteter", "FSDEMO")
    unit, moved = replace(OTHER, parent="NORD"), replace(UNIT, sis_id="184_3_0_0", parent="")
    ue = Course("UE_184_A_1_2026_HØST_1", "A", "A", unit.sis_id, "2026_HØST")

    base(at, OWN, neighbour, grouped, replace(UNIT, parent="GRUPPE"), unit, moved, ue)

    assert {thing.sis_id for thing in at.things()} == {UNIT.sis_id, moved.sis_id}


def test_a_base_that_lacks_a_kind_we_know_is_not_believed(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE, SECTION)

    with pytest.raises(RetryableError) as caught:
        base(at, OWN, UNIT, TERM)

    words = "Canvas's provisioning report lists no courses and no sections at all."
    assert (caught.value.code, caught.value.message) == (Code.BAD_RESPONSE, words)
    assert at.things() == {UNIT, TERM, COURSE, SECTION}


def test_after_a_rebase_a_canvas_without_a_kind_is_believed(at: Desk) -> None:
    at.believe(UNIT, TERM, COURSE, SECTION)
    rebase(at.store, HOME, actor="kari", reason="a new Canvas", now=NOW)

    assert base(at, OWN, UNIT)[Kind.COURSE] == 0


@pytest.mark.parametrize("state", [None, State.DELETED], ids=["settled", "based"])
def test_a_term_that_people_deleted_is_made_again_before_a_course_lies_in_it(at: Desk, state: State | None) -> None:
    at.believe(TERM)

    if state is None:
        settle(at)
    else:
        base(at, OWN, replace(TERM, state=state))

    (change,) = plan(wants(TERM), at.believed()).changes
    assert (change.action, change.after) == (Action.CREATE if state is None else Action.REOPEN, TERM)


def test_what_we_knew_beyond_canvas_words_is_kept(at: Desk) -> None:
    later = replace(COURSE, origin=Origin(SourceKind.UNDERVISNINGSENHET, "2027_VÅR", "UE_A_2026_HØST"))
    hidden = replace(later, sis_id="UE_184_B_1_2026_HØST_1", state=State.UNPUBLISHED)
    at.believe(UNIT, later, hidden, owned={key_of(later): frozenset({"long_name"})})

    base(at, OWN, UNIT, replace(COURSE, long_name="Lærerens navn"), replace(hidden, state=State.ACTIVE))

    course = at.believed()[key_of(later)]
    assert (course.thing.origin, course.owned_by_canvas) == (later.origin, frozenset({"long_name"}))
    assert (course.thing == replace(later, long_name="Lærerens navn"), at.believed()[key_of(hidden)].thing.state) == (
        True,
        State.UNPUBLISHED,
    )


def test_a_course_that_somebody_moved_meanwhile_is_remembered_by_its_old_account(at: Desk) -> None:
    elsewhere = replace(UNIT, sis_id="184_9_0_0")
    at.believe(UNIT, elsewhere, COURSE)

    base(at, OWN, UNIT, elsewhere, replace(COURSE, account=elsewhere.sis_id))

    assert at.events(key_of(UNIT)) == ["moved out"]


def test_a_base_is_only_taken_by_the_one_writer(at: Desk) -> None:
    with at.store.begin() as connection:
        imports.unfinished(connection, HOME.key)
    asleep = replace(at.run, fence=(at.run.fence or 0) - 1)

    with pytest.raises(RetryableError) as caught:
        take_base(at.store, HOME, asleep, [OWN, UNIT], NOW)

    assert (caught.value.code, at.things()) == (Code.WRITER_BUSY, set())


# -- where it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("setting", "value"), [("address", "test.example.edu 1"), ("account", "OTHER")])
def test_another_canvas_or_account_than_what_is_confirmed_is_of_stops_everything(
    at: Desk, setting: str, value: str
) -> None:
    settle(at)
    home = HOME
    if setting == "account":
        home = HOME.model_copy(update={"canvas": HOME.canvas.model_copy(update={"account": value})})
    else:
        at.canvas.address = value

    with pytest.raises(FatalError, match=f"'{value}' now") as caught:
        settle_imports(at.store, at.hook, home, at.run, NOW)

    assert (caught.value.code, "rebase" in caught.value.remedy) == (Code.CANVAS_CHANGED, True)


def test_nothing_is_sent_to_another_canvas_than_was_planned_for(at: Desk) -> None:
    settle(at)
    prepared = at.prepare(at.plan(create(UNIT)))
    assert prepared is not None
    at.canvas.address = "test.example.edu 1"

    with pytest.raises(FatalError) as caught:
        at.post(prepared)

    assert (caught.value.code, at.canvas.posted) == (Code.CANVAS_CHANGED, [])


def test_after_a_rebase_another_canvas_is_believed(at: Desk) -> None:
    settle(at)
    at.canvas.address = "test.example.edu 1"
    rebase(at.store, HOME, actor="kari", reason="the contract moved", now=NOW)

    assert settle(at) is True


def test_an_own_account_that_is_gone_is_told_by_the_name_of_its_setting(at: Desk) -> None:
    home = HOME.model_copy(update={"canvas": HOME.canvas.model_copy(update={"account": "FSDEMA"})})

    with pytest.raises(FatalError) as caught:
        settle_imports(at.store, at.hook, home, at.run, NOW)

    assert caught.value.message == "demo: canvas.account: Canvas has no account with the SIS id 'FSDEMA'."


def test_a_rebase_takes_fields_back_from_canvas_but_not_what_people_closed(at: Desk) -> None:
    key = key_of(COURSE)
    at.believe(COURSE, owned={key: frozenset({"long_name", "state"})})

    rebase(at.store, HOME, actor="kari", reason="names are ours now", now=NOW)

    assert at.believed()[key].owned_by_canvas == {"state"}
