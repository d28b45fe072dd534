"""An import is sent exactly once, whatever becomes of the call."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rosterflow.domain.errors import Code, FatalError, RetryableError, RosterflowError
from rosterflow.domain.model import State
from rosterflow.domain.plan import Action
from rosterflow.hooks.canvas_records import SisImport
from rosterflow.store.imports import ImportState, StoredImport
from rosterflow.store.plans import ChangeState
from rosterflow.sync import runs
from tests.sync.desk import COURSE, HOME, MINUTE, NOW, OTHER, SECTION, TERM, UNIT, Desk, change, create, desk, files_of

LOST = RetryableError(Code.UNREACHABLE, "Canvas did not answer.")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as one:
        yield one


def prepared(at: Desk) -> tuple[int, StoredImport]:
    plan_id = at.plan(create(UNIT), create(TERM), create(COURSE), create(SECTION))
    one = at.prepare(plan_id)
    assert one is not None
    return plan_id, one


def failing(at: Desk, one: StoredImport) -> RosterflowError:
    with pytest.raises(RosterflowError) as caught:
        at.post(one)
    return caught.value


# -- preparing --------------------------------------------------------------------------------------------------------


def test_a_prepared_import_knows_which_change_is_in_which_row_and_keeps_its_zip(at: Desk) -> None:
    _, one = prepared(at)

    assert re.fullmatch(r"rosterflow-demo-\d+-[0-9a-f]{12}", one.mark)
    assert {name.removeprefix(f"{one.mark}-"): list(seqs) for name, seqs in one.rows.items()} == {
        "accounts.csv": [0],
        "terms.csv": [1],
        "courses.csv": [2],
        "sections.csv": [3],
    }
    assert hashlib.sha256(at.blobs.get_bytes(one.blob)).hexdigest() == one.sha256


def test_preparing_again_finds_what_was_prepared(at: Desk) -> None:
    plan_id, one = prepared(at)

    again = at.prepare(plan_id)

    assert again is not None
    assert (again.id, again.rows) == (one.id, one.rows)


def test_a_plan_with_nothing_to_send_makes_no_import(at: Desk) -> None:
    hide = change(Action.HIDE, COURSE, replace(COURSE, state=State.UNPUBLISHED))

    assert at.prepare(at.plan(hide)) is None
    assert at.prepare(at.plan()) is None


def test_deleted_accounts_go_into_the_second_part_once_they_are_empty(at: Desk) -> None:
    """One is empty; in the other still lies a course that Canvas did not delete."""
    at.believe(UNIT, OTHER, COURSE)
    gone = [change(Action.DELETE, one, replace(one, state=State.DELETED)) for one in (UNIT, OTHER)]
    plan_id = at.plan(*gone)

    assert at.prepare(plan_id) is None
    second = at.prepare(plan_id, part=2)

    assert second is not None
    assert list(second.rows.values()) == [[1]]
    assert at.states(plan_id) == [ChangeState.STALE, ChangeState.ALLOWED]


def test_an_account_goes_with_the_accounts_in_it(at: Desk) -> None:
    inner = replace(OTHER, parent=UNIT.sis_id)
    at.believe(UNIT, inner)
    plan_id = at.plan(*(change(Action.DELETE, one, replace(one, state=State.DELETED)) for one in (inner, UNIT)))

    second = at.prepare(plan_id, part=2)

    assert second is not None
    assert list(second.rows.values()) == [[0, 1]]


def test_without_the_lease_nothing_is_prepared_or_posted(at: Desk) -> None:
    plan_id, one = prepared(at)
    runs.close_run(at.store, HOME, at.run, well=False, now=NOW)

    with pytest.raises(RetryableError) as caught:
        at.prepare(plan_id)
    assert caught.value.code is Code.WRITER_BUSY
    assert failing(at, one).code is Code.WRITER_BUSY
    assert at.canvas.posted == []


# -- posting ----------------------------------------------------------------------------------------------------------


def test_a_posted_import_has_canvas_id_and_its_changes_are_sent(at: Desk) -> None:
    plan_id, one = prepared(at)

    posted = at.post(one)

    assert (posted.state, posted.canvas_id) == (ImportState.POSTED, "1")
    assert set(at.states(plan_id)) == {ChangeState.SENT}
    assert files_of(at.canvas.posted) == list(one.rows)


def test_posting_again_posts_nothing(at: Desk) -> None:
    _, one = prepared(at)
    at.post(one)

    assert at.post(one).canvas_id == "1"
    assert len(at.canvas.posted) == 1


def test_a_post_that_arrived_without_an_answer_is_found_by_its_file_names(at: Desk) -> None:
    _, one = prepared(at)
    at.canvas.fails, at.canvas.swallows = LOST, True
    failing(at, one)
    at.canvas.fails = None

    assert at.post(one).canvas_id == "1"
    assert len(at.canvas.posted) == 1


def test_a_post_that_did_not_arrive_is_sent_again_once_that_is_certain(at: Desk) -> None:
    _, one = prepared(at)
    at.canvas.fails = LOST
    failing(at, one)
    at.canvas.fails = None

    too_early = failing(at, one)
    assert (too_early.code, len(at.canvas.posted)) == (Code.IMPORT_LOST, 0)
    at.canvas.clock += MINUTE
    assert at.post(one).canvas_id == "1"
    assert len(at.canvas.posted) == 1


def test_others_imports_are_not_taken_for_ours(at: Desk) -> None:
    _, one = prepared(at)
    names = tuple(name.replace(one.mark, "rosterflow-demo-99-0123456789ab") for name in one.rows)
    at.canvas.listed = [SisImport("77", "imported", NOW, {}, names), SisImport("78", "imported", NOW, {}, ("a.csv",))]
    at.canvas.fails = LOST
    failing(at, one)
    at.canvas.fails = None
    at.canvas.clock += MINUTE

    assert at.post(one).canvas_id == "1"


def test_while_an_import_without_names_still_runs_nothing_is_posted(at: Desk) -> None:
    """Canvas lists the files of an import only once it has begun; it may be ours."""
    _, one = prepared(at)
    at.canvas.fails = LOST
    failing(at, one)
    at.canvas.fails = None
    at.canvas.listed = [SisImport("77", "created", NOW, {}, ())]
    at.canvas.clock += 10 * MINUTE

    error = failing(at, one)

    assert (error.code, len(at.canvas.posted)) == (Code.IMPORT_LOST, 0)
    assert error.message == f"Canvas's import 77 may be import {one.id} and still runs."


def test_clocks_that_differ_by_minutes_do_not_hide_an_import(at: Desk) -> None:
    _, one = prepared(at)
    at.canvas.fails, at.canvas.swallows = LOST, True
    failing(at, one)
    at.canvas.fails = None
    at.canvas.listed = [replace(seen, created_at=NOW - timedelta(minutes=5)) for seen in at.canvas.listed]

    assert at.post(one).canvas_id == "1"


@pytest.mark.parametrize(
    "error",
    [RetryableError(Code.THROTTLED, "Canvas throttled it."), FatalError(Code.FORBIDDEN, "A permission is missing.")],
    ids=["throttled", "forbidden"],
)
def test_a_post_that_canvas_did_not_let_in_leaves_everything_as_it_was(at: Desk, error: RosterflowError) -> None:
    plan_id, one = prepared(at)
    at.canvas.fails = error

    assert failing(at, one) is error

    assert at.import_of(one.id).state is ImportState.PREPARED
    assert set(at.states(plan_id)) == {ChangeState.ALLOWED}
    at.canvas.fails = None
    assert at.post(one).canvas_id == "1"
