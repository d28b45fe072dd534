"""A read of people that is cut, or fails, takes nobody out of anything, and the next one makes all well, over HTTP.

Every page of a read is cut in every way the sandbox's FS knows. Either the read fails, or the plan that is
made of what it gave removes nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import pytest

from rosterflow.domain.confirmed import World
from rosterflow.domain.diff import diff
from rosterflow.domain.errors import RetryableError, RosterflowError
from rosterflow.domain.leaving import Leaving
from rosterflow.domain.mapping.fs import map_fs
from rosterflow.domain.mapping.people import map_people
from rosterflow.domain.plan import Plan
from rosterflow.domain.snapshot import Scope, Snapshot
from rosterflow.domain.windows import scope_on
from rosterflow.hooks.fs_operations import PEOPLE as OPERATIONS
from rosterflow.hooks.fs_operations import STRUCTURE
from rosterflow.sync.reading import Checkpoint, operation_of, read_operation, source_of, summary_of, variables_for
from rosterflow.sync.reading_people import Part, page_size_of, people_parts, people_source, structure_of
from rosterflow.sync.worlds import world_of
from tests.scenarios.college import College, college
from tests.scenarios.people_day import PEOPLE, PeopleDay, people_day, people_in_canvas

PAGE = 24
"""Small enough that most reads have a second page."""

Pages = list[list[Any]]
FAILS, LACKS, WHOLE = "the read fails", "the read has gaps", "every row is there"
_reads = count()


@dataclass
class Fs:
    """One institution's FS, whole as it was read once, and what Canvas has of it."""

    college: College
    scope: Scope
    structure: Snapshot
    world: World
    parts: list[Part]
    pages: list[Pages]

    def read(self, part: Part) -> tuple[Pages, tuple[str, ...]]:
        """One part's pages and gaps, read afresh."""
        return read(self.college, part.operation, part.variables)

    def plan(self, pages: Mapping[int, Pages], gaps: tuple[str, ...] = ()) -> tuple[Plan, bool]:
        """What is done when some parts have other pages than before, and whether that is known to be incomplete.

        :param pages: by the part's place among the parts.
        """
        harness = self.college.harness
        one, now = harness.institution, harness.clock()
        whole = enumerate(zip(self.parts, self.pages, strict=True))
        reads = [(part, partial(iter, pages.get(at, known))) for at, (part, known) in whole]
        people = people_source(one.fs.dialect, reads, gaps)
        today = now.astimezone(one.zone).date()
        snapshot = map_people(one, self.scope, self.structure, people, self.world.rosters, today)
        made = diff(snapshot, self.world, one.removal, {}, now, {}, Leaving.of(one, today))
        return made, not snapshot.is_complete

    @contextmanager
    def cut(self, kind: str, operation: str, **more: Any) -> Iterator[None]:
        """FS with a fault."""
        self.college.fault("fs", kind, match=operation, **more)
        try:
            yield
        finally:
            self.college.sandbox.world.faults.clear()

    @property
    def was_struck(self) -> bool:
        return any(fault["fired"] for fault in self.college.sandbox.world.faults.listing())


def read(one: College, name: str, variables: dict[str, Any]) -> tuple[Pages, tuple[str, ...]]:
    """The pages of an operation and what is unknown of them."""
    asked, store = operation_of(one.harness.institution, name), one.harness.blobs
    size = page_size_of(one.harness.institution, asked)
    with one.harness.fs() as hook:
        kept = list(read_operation(hook, asked, variables, Checkpoint(store, {"read": next(_reads)}), page_size=size))
    return [store.get(page.name) for page in kept], summary_of(name, kept).gaps


@pytest.fixture(scope="module")
def fs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fs]:
    pages = {"people_page_size": PAGE, "page_size": PAGE}
    with college(tmp_path_factory.mktemp("cut"), **PEOPLE, key="cut", fs=pages) as one:
        one.harness.first_contact()
        settings = one.harness.institution
        scope = scope_on(one.clock().date(), settings.terms)
        asked = {name: operation_of(settings, name) for name in STRUCTURE["2026"]}
        whole = {name: read(one, name, variables_for(settings, scope, how))[0] for name, how in asked.items()}
        with one.harness.store.begin() as connection:
            world = world_of(connection, settings)
        structure = map_fs(settings, scope, source_of(settings, whole), world.alive())
        parts = people_parts(settings, scope, structure_of(scope, whole))
        there = Fs(
            one, scope, structure, world, parts, [read(one, part.operation, part.variables)[0] for part in parts]
        )
        assert there.plan({})[0].changes == ()
        yield there


OUTCOMES: dict[tuple[str, int | None], set[str]] = {
    ("drop_page", 1): {LACKS},
    ("drop_page", None): {LACKS},
    ("partial_error", 1): {FAILS, WHOLE},
    ("errors_only", None): {FAILS},
    ("null_node", 1): {LACKS},
    ("null_node", None): {LACKS},
    ("no_person_access", 1): {LACKS, WHOLE},
    ("no_person_access", None): {LACKS, WHOLE},
    ("null_list", 1): {FAILS},
    ("no_page_info", 1): {FAILS},
    ("repeated_cursor", 1): {FAILS},
    ("bigger_page", 1): {FAILS, WHOLE},
    ("total_count_high", 1): {LACKS},
    ("total_count_null", 1): {WHOLE},
    ("truncate", 1): {WHOLE},
    ("truncate", None): {FAILS},
    ("500", None): {FAILS},
    ("html", 1): {FAILS},
}
"""What a fault, striking once or from then on, may come to."""

SOME = ("brukere", "emne_studieretter", "undervisningsenhetsroller")
ALL = tuple(name for name in OPERATIONS["2026"] if name != "semesterregistrerte")


@pytest.mark.parametrize(("kind", "times"), OUTCOMES)
@pytest.mark.parametrize("operation", SOME)
def test_a_cut_page_of_people_takes_nobody_out_of_anything(
    kind: str, times: int | None, operation: str, fs: Fs
) -> None:
    assert set(outcomes(fs, kind, operation, times)) <= OUTCOMES[kind, times]


@pytest.mark.soak
@pytest.mark.parametrize(("kind", "times"), OUTCOMES)
@pytest.mark.parametrize("operation", ALL)
def test_no_cut_page_of_any_operation_takes_anybody_out_of_anything(
    kind: str, times: int | None, operation: str, fs: Fs
) -> None:
    assert set(outcomes(fs, kind, operation, times)) <= OUTCOMES[kind, times]


def outcomes(fs: Fs, kind: str, operation: str, times: int | None) -> Iterator[str]:
    """What comes of the fault at each page of an operation that has rows."""
    for at, part in enumerate(fs.parts):
        for page in count() if part.operation == operation and any(fs.pages[at]) else ():
            with fs.cut(kind, operation, after=page, count=times):
                try:
                    pages, gaps = fs.read(part)
                except RetryableError:
                    yield FAILS
                    continue
                if not fs.was_struck:
                    break
            plan, has_gaps = fs.plan({at: pages}, gaps)
            assert [change for change in plan.changes if change.is_removal] == []
            yield LACKS if has_gaps else WHOLE


@pytest.mark.parametrize("operation", SOME[1:])
def test_a_read_that_did_not_know_of_its_gap_would_take_people_away(operation: str, fs: Fs) -> None:
    """The tests above can fail: whom the dropped rows stand for goes as soon as the gap is not known."""
    at = next(at for at, part in enumerate(fs.parts) if part.operation == operation)
    with fs.cut("drop_page", operation):
        pages, gaps = fs.read(fs.parts[at])

    assert gaps
    assert any(change.is_removal for change in fs.plan({at: pages})[0].changes)


# -- whole runs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeopleDay]:
    pages = {"people_page_size": PAGE, "page_size": PAGE}
    with people_day(tmp_path_factory.mktemp("day"), fs=pages) as there:
        yield there


HEALING = [
    ("drop_page", "emne_studieretter", 1),
    ("repeated_cursor", "brukere", None),
    ("partial_error", "undervisningsenhetsroller", None),
    ("null_node", "klassemedlemskap", 1),
    ("no_person_access", "roller", None),
    ("500", "emne_studieretter", None),
    ("truncate", "brukere", None),
]


@pytest.mark.parametrize(("kind", "operation", "times"), HEALING)
def test_a_run_in_which_people_are_not_all_read_is_made_good_by_the_next(
    kind: str, operation: str, times: int | None, day: PeopleDay
) -> None:
    one = day.college
    one.sandbox.world.faults.clear()
    assert day.play(on=False) == day.found[False]
    day.change(on=True)
    one.fault("fs", kind, count=times, match=operation)

    try:
        one.harness.run(days_later=1)
    except RosterflowError:
        assert people_in_canvas(one) == day.found[False]
    assert any(fault["fired"] for fault in one.sandbox.world.faults.listing()), "the fault never struck"
    assert people_in_canvas(one).active >= day.lasting

    one.sandbox.world.faults.clear()
    one.harness.run(days_later=1)
    assert people_in_canvas(one) == day.found[True]
    assert one.harness.run(days_later=1).changes == 0
