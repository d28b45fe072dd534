"""Whatever goes wrong, nothing is removed meanwhile, and the next run makes all well (issue 2 §2.7.5).

A college has a day of change, and in the middle of its sync something fails. The next day's run finds everything well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from rosterflow.domain.errors import Code, RosterflowError
from rosterflow.domain.model import Key
from rosterflow.store import imports
from tests.harness import connections, in_canvas
from tests.scenarios.college import College, college

PAGE_SIZE = 5
"""Small enough that most operations have a second page."""

SECONDS = 0.4
"""How long a client waits for an answer here; a server that is slow takes longer."""


@dataclass(frozen=True)
class Expected:
    """What Canvas holds after the day of change and a quiet day, when all goes well."""

    canvas: dict[Key, tuple[Any, ...]]
    removed: set[Key]
    posted: int


def after_first_contact(folder: Path) -> Iterator[College]:
    with college(folder, fs={"page_size": PAGE_SIZE}) as one:
        unit = one.open_unit(99)
        one.harness.first_contact()
        one.sandbox.world.play_day_of_change()
        one.close_unit(unit)
        yield one


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    for one in after_first_contact(tmp_path_factory.mktemp("expected")):
        one.harness.run(days_later=1)
        one.harness.run(days_later=1)
        return Expected(in_canvas(one.sandbox), one.removed(), one.imports())
    raise AssertionError


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[College]:
    """A synced college in whose FS a day has passed."""
    yield from after_first_contact(tmp_path)


def struck_run(one: College) -> Code | None:
    """The run in which something goes wrong: the code with which it fails, if it does."""
    try:
        one.harness.run(days_later=1)
    except RosterflowError as error:
        return error.code
    return None


def see_it_heal(one: College, expected: Expected) -> None:
    """Nothing was removed that should not be; the next run makes all well, and the one after has nothing to do."""
    assert any(fault["fired"] for fault in one.sandbox.world.faults.listing()), "the fault never struck"
    assert one.removed() <= expected.removed
    one.sandbox.world.faults.clear()
    one.harness.run(days_later=1)
    assert one.canvas() == expected.canvas
    posted = one.imports()
    assert one.harness.run(days_later=1).guarded.allowed == 0
    assert one.imports() == posted


# -- FS ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["429", "500", "drop_after", "truncate", "errors_only"])
def test_a_passing_fault_of_fs_is_not_even_noticed(changed: College, expected: Expected, kind: str) -> None:
    changed.fault("fs", kind, after=4, count=1)

    assert struck_run(changed) is None
    assert changed.canvas() == expected.canvas
    see_it_heal(changed, expected)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("429", Code.THROTTLED),
        ("500", Code.SERVER_ERROR),
        ("html", Code.BAD_RESPONSE),
        ("truncate", Code.UNREACHABLE),
        ("unauthorized", Code.UNAUTHORIZED),
        ("errors_only", Code.SERVER_ERROR),
        ("partial_error", Code.PARTIAL_RESPONSE),
        ("repeated_cursor", Code.CURSOR_REPEATED),
        ("no_page_info", Code.PAGE_INFO_MISSING),
        ("null_list", Code.PARTIAL_RESPONSE),
    ],
)
def test_a_fault_of_fs_that_lasts_fails_the_run_and_changes_nothing(
    changed: College, expected: Expected, kind: str, code: Code
) -> None:
    before = changed.canvas()
    changed.fault("fs", kind, after=3, count=None)

    assert struck_run(changed) is code
    assert changed.canvas() == before
    see_it_heal(changed, expected)


def test_an_fs_that_does_not_answer_in_time_fails_the_run(changed: College, expected: Expected) -> None:
    impatient = connections(changed.sandbox.url, changed.harness.institution, read_timeout=SECONDS)
    changed.fault("fs", "timeout", after=3, count=None, seconds=5)

    with mock.patch.dict(os.environ, impatient):
        assert struck_run(changed) is Code.UNREACHABLE
    see_it_heal(changed, expected)


@pytest.mark.parametrize(
    ("kind", "operation", "after", "code"),
    [
        ("drop_page", "organisasjonsenheter", 1, None),
        ("drop_page", "emner", 1, None),
        ("drop_page", "undervisning", 1, None),
        ("drop_page", "studieprogram", 0, Code.EMPTY_READ),
        ("drop_page", "evu_kurs", 0, Code.EMPTY_READ),
        ("null_node", "undervisning", 1, None),
        ("null_node", "evu_kurs", 0, None),
        ("total_count_high", "emner", 0, None),
    ],
)
def test_a_read_with_a_gap_removes_nothing(
    changed: College, expected: Expected, kind: str, operation: str, after: int, code: Code | None
) -> None:
    """A page is not there (of some operations the only one), a row is null, or FS counts more rows than it sends."""
    before = changed.removed()
    changed.fault("fs", kind, after=after, count=1, match=operation)

    assert struck_run(changed) is code
    assert changed.removed() == before
    see_it_heal(changed, expected)


# -- Canvas -----------------------------------------------------------------------------------------------------------


IMPORT, REPORT = (f"POST /canvas/api/v1/accounts/self/{what}" for what in ("sis_imports", "reports"))


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        *((IMPORT, kind) for kind in ("429", "500", "503", "html", "truncate", "drop_before", "drop_after")),
        *(("GET", kind) for kind in ("429", "500", "truncate")),
        *((REPORT, kind) for kind in ("500", "drop_after")),
    ],
)
def test_a_passing_fault_of_canvas_is_made_good_by_the_next_try(
    changed: College, expected: Expected, call: str, kind: str
) -> None:
    changed.fault("canvas", kind, count=1, match=call)

    assert struck_run(changed) is None
    assert (changed.canvas(), changed.imports()) == (expected.canvas, expected.posted)
    see_it_heal(changed, expected)


@pytest.mark.parametrize("kind", ["500", "html", "drop_after", "unauthorized"])
def test_a_canvas_that_stays_broken_fails_the_run_and_the_next_one_heals_it(
    changed: College, expected: Expected, kind: str
) -> None:
    changed.fault("canvas", kind, after=2, count=None)

    assert struck_run(changed) is not None
    see_it_heal(changed, expected)


@pytest.mark.parametrize("profile", ["hosted-2026", "legacy"])
def test_a_storm_of_throttling_is_waited_out(changed: College, expected: Expected, profile: str) -> None:
    changed.sandbox.world.canvas.configure(profile=profile)
    changed.fault("canvas", "429", rate=0.3, count=20)

    assert struck_run(changed) is None
    assert changed.canvas() == expected.canvas
    see_it_heal(changed, expected)


def test_a_post_that_canvas_does_not_answer_in_time_is_found_again(changed: College, expected: Expected) -> None:
    changed.harness.seconds = SECONDS
    changed.fault("canvas", "latency", count=1, seconds=1, match=IMPORT)

    assert struck_run(changed) is None
    assert (changed.canvas(), changed.imports()) == (expected.canvas, expected.posted)
    see_it_heal(changed, expected)


def test_a_post_that_arrived_although_its_connection_was_cut_is_not_sent_twice(
    changed: College, expected: Expected
) -> None:
    posted = changed.imports()
    changed.fault("canvas", "drop_after", count=1, match=IMPORT)

    assert struck_run(changed) is None
    assert (changed.canvas(), changed.imports()) == (expected.canvas, expected.posted)
    assert changed.imports() - posted == 2
    see_it_heal(changed, expected)


@pytest.mark.parametrize("kind", ["abort_import", "fail_import"])
@pytest.mark.parametrize("part", [1, 2])
def test_an_import_that_ends_half_way_is_completed_by_the_next_run(
    changed: College, expected: Expected, kind: str, part: int
) -> None:
    changed.fault("canvas", kind, count=1, after=part - 1)

    struck_run(changed)

    owned = [o.owned_by_canvas for o in changed.believed().values()]
    assert not any(owned), "what was not carried out must not look like a hand-made change"
    see_it_heal(changed, expected)


def test_a_slow_import_is_left_to_the_next_run(changed: College, expected: Expected) -> None:
    changed.harness.patience = 0.1
    changed.fault("canvas", "slow_import", count=1, seconds=1)

    assert struck_run(changed) is Code.IMPORT_SLOW
    assert struck_run(changed) is Code.IMPORT_SLOW
    changed.harness.patience = 20
    wait_for_canvas(changed)
    see_it_heal(changed, expected)


def wait_for_canvas(one: College) -> None:
    """Wait until Canvas has done all that was posted."""
    until = time.monotonic() + 20
    while not all(batch.is_finished for batch in one.sandbox.world.canvas.sis_batches.values()):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_report_that_canvas_cannot_make_leaves_the_outcome_to_the_next_run(
    changed: College, expected: Expected
) -> None:
    changed.fault("canvas", "500", count=None, match="/reports/")

    assert struck_run(changed) is Code.SERVER_ERROR
    assert changed.removed() <= expected.removed
    changed.sandbox.world.faults.clear()
    changed.fault("canvas", "latency", count=1)
    changed.harness.run(days_later=1)
    assert changed.canvas() == expected.canvas
    assert changed.harness.run(days_later=1).guarded.allowed == 0


def test_an_import_that_canvas_has_forgotten_is_dropped_and_planned_again(changed: College, expected: Expected) -> None:
    changed.harness.patience = 0.05
    changed.fault("canvas", "slow_import", count=1, seconds=0.3)
    assert struck_run(changed) is Code.IMPORT_SLOW
    wait_for_canvas(changed)
    with changed.harness.store.begin() as connection:
        (lost,) = imports.unfinished(connection, "demo")
        imports.note(connection, lost.id, canvas_id="999999")
    changed.harness.patience = 20

    see_it_heal(changed, expected)
